"""The coarse mechanics against what is known of pushing."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.dynamics.planning import QuasiStatic, quasistatic
from spatialwm.errors import ActionError

STILL = np.array([0.0, 0, 0, 1, 0, 0, 0])


def test_outline_of_a_box_is_its_four_corners(toy):
    slider = quasistatic.slider_of(toy.block(), STILL)
    corners = sorted(map(tuple, np.round(slider.corners, 6).tolist()))
    assert corners == [(-0.05, -0.03), (-0.05, 0.03), (0.05, -0.03), (0.05, 0.03)]
    assert np.allclose(slider.center, 0, atol=1e-9)
    assert np.allclose((slider.inward * slider.corners).sum(1) < 0, True)


def test_reach_of_a_disc_is_two_thirds_of_its_radius():
    around = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    points = np.stack([0.06 * np.cos(around), 0.06 * np.sin(around), 0 * around], 1)
    assert quasistatic.slider_of(points, STILL).reach_m == pytest.approx(0.04, rel=0.02)


def test_around_undoes_at(toy):
    slider = quasistatic.slider_of(toy.block(), STILL)
    for share in (0.03, 0.31, 0.62, 0.97):
        assert slider.around(slider.at(np.array([share]))[0][0]) == pytest.approx(share, abs=1e-9)


def test_points_without_extent_are_refused():
    with pytest.raises(ActionError, match="no extent"):
        quasistatic.slider_of(np.linspace([0, 0, 0], [1, 0, 0], 20), STILL)


def test_push_through_the_middle_shifts_without_turning(toy):
    slider = quasistatic.slider_of(toy.block(), STILL)
    after = quasistatic.push(slider, np.zeros((1, 3)), np.array([[-0.09, 0.0]]), np.array([[0.03, 0.0]]), 0.02)
    assert after[0] == pytest.approx([0.1, 0.0, 0.0], abs=1e-6)  # the face was 2 cm ahead of the rim


def test_push_above_the_middle_turns_clockwise_and_below_the_other_way(toy):
    slider = quasistatic.slider_of(toy.block(), STILL)
    starts = np.array([[-0.09, 0.02], [-0.09, -0.02]])
    after = quasistatic.push(slider, np.zeros((2, 3)), starts, starts + [0.08, 0], 0.02)
    assert after[0, 2] < -0.2
    assert after[1, 2] == pytest.approx(-after[0, 2], abs=1e-6)


def test_pushed_object_ends_clear_of_the_pusher_and_a_missed_one_stays(toy):
    rng = np.random.default_rng(1)
    slider = quasistatic.slider_of(toy.block(), STILL)
    angle = rng.uniform(0, 2 * np.pi, 200)
    starts = 0.12 * np.stack([np.cos(angle), np.sin(angle)], 1)
    ends = -starts * rng.uniform(-0.5, 0.8, 200)[:, None] + rng.normal(0, 0.02, (200, 2))
    after = quasistatic.push(slider, np.zeros((200, 3)), starts, ends, 0.02)
    gaps = np.array([quasistatic.clearance(slider, s, e[None])[0] for s, e in zip(after, ends, strict=True)])
    assert gaps.min() > 0.02 - 1.5e-3
    away = quasistatic.push(slider, np.zeros((200, 3)), starts, 2 * starts, 0.02)
    assert (away == 0).all()


def test_model_moves_each_thing_by_itself_and_keeps_its_height(toy):
    start = toy.situation(toy.cast(toy.block(), toy.block()), (0, 0, 0), (0.2, 0.2, 1.0), rod=(-0.09, 0.0))
    ahead = np.linspace([-0.08, 0.0], [0.0, 0.0], 9)
    first, second = QuasiStatic().forecast([start, start], np.stack([ahead, ahead + [0, 0.02]]))
    assert first.poses[-1, 0, :3] == pytest.approx([0.07, 0.0, 0.025], abs=1e-4)
    assert np.allclose(first.poses[:, 1], start.past.poses[-1, 1])
    assert not np.allclose(first.poses[-1, 0, 3:], second.poses[-1, 0, 3:])
    assert np.allclose(np.linalg.norm(second.poses[..., 3:], axis=-1), 1, atol=1e-6)
    assert first.sigma_m[-1, 0] > first.sigma_m[0, 0] >= 0


def test_commands_of_another_shape_are_refused(toy):
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0))
    with pytest.raises(ActionError, match="2 values"):
        QuasiStatic().forecast([start], np.zeros((1, 5, 3)))
