"""Baselines do what their names say, for any number of objects."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spatialwm.dynamics.episode import Forecaster, Track
from spatialwm.dynamics.evaluate.baselines import AttachToGripper, ConstantVelocity, CopyLast, commanded_path
from spatialwm.errors import ActionError


@pytest.mark.parametrize("baseline", [CopyLast(), ConstantVelocity(), AttachToGripper()])
def test_every_baseline_answers_many_situations_of_any_size(baseline: Forecaster, sliding) -> None:
    situations = [sliding([0.1] * n).situation(4) for n in (1, 3, 2)]
    answers = baseline.forecast(situations, np.zeros((3, 6, 2)))
    assert [a.poses.shape for a in answers] == [(6, 1, 7), (6, 3, 7), (6, 2, 7)]
    assert all(np.isnan(a.sigma_m).all() and a.sigma_m.shape == a.poses.shape[:2] for a in answers)
    with pytest.raises(ActionError, match="one row per situation"):
        baseline.forecast(situations, np.zeros((2, 6, 2)))
    with pytest.raises(ActionError, match="horizon"):
        baseline.forecast(situations, np.zeros((3, 0, 2)))


def test_constant_velocity_is_right_about_what_slides_and_spins_evenly(sliding) -> None:
    episode = sliding([0.1, -0.2])
    (answer,) = ConstantVelocity().forecast([episode.situation(5)], episode.track.commands[None, 5:15])
    assert np.allclose(answer.poses, episode.track.poses[6:16], atol=1e-12)
    track = episode.track
    velocities = track.velocities.copy()
    velocities[:, 0, 5] = 2.0
    spinning = Track(track.poses, velocities, track.part_poses, track.commands, track.dt_s)
    situation = type(episode)(episode.cast, spinning).situation(5)
    (answer,) = ConstantVelocity().forecast([situation], np.zeros((1, 10, 2)))
    assert np.allclose(answer.poses[-1, 0, 3:], [math.cos(1.0), 0, 0, math.sin(1.0)])


def test_what_the_finger_touches_goes_with_it_and_the_rest_stays(sliding) -> None:
    situation = sliding([0.0, 0.0], finger_m_s=0.1).situation(11)  # the finger is 9 cm from the first cube's middle
    start = situation.past.poses[-1]
    target = np.array([0.0, 0.11]) + 0.02 * np.arange(1, 9)[:, None] * [0.0, 1.0]
    (answer,) = AttachToGripper(near_m=0.025).forecast([situation], target[None])
    moved = answer.poses[:, 0, 1] - start[0, 1]
    assert moved[0] == moved[1] == 0
    assert np.allclose(np.diff(moved[-4:]), 0.02)
    assert np.array_equal(answer.poses[:, 1], np.repeat(start[None, 1], 8, 0))
    (far,) = AttachToGripper(near_m=1e-4).forecast([situation], target[None, :2])
    assert np.array_equal(far.poses[-1], start)


def test_a_turning_gripper_carries_things_round(sliding) -> None:
    situation = sliding([0.0]).situation(3)

    def quarter_turn(s, commands):
        path = np.repeat(s.past.part_poses[-1:], len(commands), 0)
        angle = np.linspace(0, math.pi / 2, len(commands) + 1)[1:]
        path[:, 0, 3], path[:, 0, 6] = np.cos(angle / 2), np.sin(angle / 2)
        return path

    (answer,) = AttachToGripper(near_m=1.0, path=quarter_turn).forecast([situation], np.zeros((1, 4, 2)))
    assert np.allclose(answer.poses[-1, 0, :3], [-0.2, 0, 0.03])  # from (0, 0.2) about the finger at the origin
    assert np.allclose(answer.poses[-1, 0, 3:], [math.cos(math.pi / 4), 0, 0, math.sin(math.pi / 4)])


def test_commands_are_places_of_the_first_part(sliding) -> None:
    situation = sliding([0.0]).situation(3)
    path = commanded_path(situation, np.array([[0.1, 0.2], [0.3, 0.4]]))
    assert np.allclose(path[:, 0, :3], [[0.1, 0.2, 0.03], [0.3, 0.4, 0.03]])
    with pytest.raises(ActionError, match="no places in space"):
        commanded_path(situation, np.zeros((2, 1)))
