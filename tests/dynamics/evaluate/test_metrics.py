"""Metrics against truths known in closed form; each expectation fails for a plausible wrong formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from spatialwm.dynamics.episode import Forecast
from spatialwm.dynamics.evaluate.certainty import covered, interval_factor, most_certain, risk_curve
from spatialwm.dynamics.evaluate.metrics import (
    PointForecast,
    answer_of,
    chamfer,
    difference_error,
    energy_gain,
    momentum_drift,
    moved_chamfer,
    rigidity_residual,
)  # fmt: skip
from spatialwm.dynamics.evaluate.windows import cut, point_distance, rows_of, world_points
from spatialwm.dynamics.motion import quat_of
from spatialwm.errors import ActionError


def turned(points: torch.Tensor, angle_rad: float) -> torch.Tensor:
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return points @ torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=points.dtype).T


def test_point_distance_is_the_mean_of_distances_and_not_their_root_mean_square() -> None:
    a = torch.zeros(2, 3)
    b = torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    assert float(point_distance(a, b)) == pytest.approx(3.0)


def test_turning_on_the_spot_counts_though_the_origin_stays() -> None:
    ring = np.array([[1.0, 0, 0], [-1.0, 0, 0]])[None] * 0.1
    half_turn = np.array([[[0, 0, 0, *quat_of(torch.tensor([0, 0, math.pi])).tolist()]]])
    still = np.array([[[0, 0, 0, 1.0, 0, 0, 0]]])
    assert float(point_distance(world_points(ring, half_turn), world_points(ring, still))) == pytest.approx(0.2)


def test_a_body_that_was_moved_rigidly_leaves_no_residual_and_one_that_grew_does() -> None:
    shape = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=torch.float64)[None]
    carried = turned(shape, 0.7)[None] + torch.tensor([0.3, -2.0, 1.0])
    assert float(rigidity_residual(shape, carried).max()) < 1e-12
    grown = 1.1 * carried
    assert float(rigidity_residual(shape, grown).max()) == pytest.approx(0.1)
    mirrored = shape[None] * torch.tensor([-1.0, 1, 1])
    assert float(rigidity_residual(shape, mirrored).max()) > 0.1  # a mirror image is no rigid motion


def test_chamfer_looks_both_ways() -> None:
    near, far = np.zeros((1, 3)), np.array([[0.0, 0, 0], [3.0, 0, 0]])
    assert chamfer(near, far) == chamfer(far, near) == pytest.approx(0.75)  # (0 + 1.5) / 2
    assert math.isnan(chamfer(np.zeros((0, 3)), far))


def test_chamfer_asks_for_shapes_and_not_for_names() -> None:
    truth = torch.rand(3, 9, 3, dtype=torch.float64)
    swapped = truth[[1, 0, 2]]
    assert moved_chamfer(swapped, truth, np.array([True, True, False])) == 0.0
    assert moved_chamfer(swapped, truth, np.array([True, False, False])) > 0.05
    assert math.isnan(moved_chamfer(swapped, truth, np.zeros(3, bool)))


def test_momentum_is_compared_with_masses_and_with_its_true_size() -> None:
    time_s = torch.arange(5, dtype=torch.float64)[:, None, None] * 0.1
    real = time_s * torch.tensor([[[1.0, 0, 0], [-1.0, 0, 0]]])  # 2 kg right and 1 kg left at 1 m/s: 1 kg m/s in all
    off, size = momentum_drift(torch.zeros_like(real), real, np.array([2.0, 1.0]), 0.1)
    assert (off, size) == (pytest.approx(1.0), pytest.approx(1.0))
    swapped = real[:, [1, 0]]
    assert momentum_drift(swapped, real, np.array([2.0, 1.0]), 0.1)[0] == pytest.approx(2.0)
    assert momentum_drift(swapped, real, np.array([1.0, 1.0]), 0.1) == (pytest.approx(0), pytest.approx(0))


def test_energy_of_a_fall_is_conserved_and_of_a_push_is_not() -> None:
    time_s = torch.arange(20, dtype=torch.float64) * 0.01
    falling = torch.zeros(20, 1, 1, 3, dtype=torch.float64)
    falling[:, 0, 0, 2] = 1 - 9.81 * time_s**2 / 2
    assert energy_gain(falling, np.array([2.0]), 0.01) < 2 * 9.81 * 1e-4
    pushed = torch.zeros(20, 1, 2, 3, dtype=torch.float64)
    pushed[10:, 0, :, 0] = 3.0 * time_s[1:11, None]  # at rest, then suddenly 3 m/s
    assert energy_gain(pushed, np.array([2.0]), 0.01) == pytest.approx(9.0)
    assert energy_gain(pushed, np.array([2.0]), 0.01, after=12) == pytest.approx(0.0, abs=1e-9)
    assert energy_gain(pushed.flip(0), np.array([2.0]), 0.01) == pytest.approx(0.0, abs=1e-9)  # braking is no gain


def test_spinning_faster_is_energy_too() -> None:
    arm = torch.tensor([[0.1, 0, 0], [-0.1, 0, 0]], dtype=torch.float64)
    angles = [0.0, 0.0, 0.01, 0.02]
    points = torch.stack([turned(arm, a) for a in angles])[:, None]
    speed = 0.1 * 0.01 / 0.01
    assert energy_gain(points, np.array([1.0]), 0.01) == pytest.approx(speed**2 / 2, rel=1e-3)


def test_the_difference_an_action_makes_is_judged_apart_from_what_both_get_wrong() -> None:
    base = torch.rand(2, 1, 4, 3, dtype=torch.float64)
    step = torch.tensor([0.3, 0.4, 0.0], dtype=torch.float64)
    wrong_everywhere = base + 5.0
    off, size = difference_error((wrong_everywhere, wrong_everywhere + step), (base, base + step))
    assert off.shape == size.shape == (1, 2)
    assert np.allclose(off, 0)
    assert np.allclose(size, 0.5)
    deaf, _ = difference_error((base, base), (base, base + step))
    assert np.allclose(deaf, 0.5)


def test_ninety_percent_of_rayleigh_distances_lie_in_the_interval_of_their_mean() -> None:
    rng = np.random.default_rng(0)
    distance = np.hypot(*rng.normal(0, 0.02, (2, 40_000)))
    sigma = np.full(len(distance), distance.mean())
    for share in (0.5, 0.9, 0.95):
        assert covered(distance, sigma, share).mean() == pytest.approx(share, abs=0.01)
    assert interval_factor(0.9) == pytest.approx(1.712, abs=1e-3)


def test_abstaining_drops_the_least_certain() -> None:
    error, sigma = np.array([1.0, 2.0, 3.0, 10.0]), np.array([0.1, 0.2, 0.3, 0.4])
    assert most_certain(sigma, 0.75).tolist() == [True, True, True, False]
    assert risk_curve(error, sigma, np.array([0.25, 0.5, 1.0])).tolist() == [1.0, 1.5, 4.0]
    assert risk_curve(error, -sigma, np.array([0.25]))[0] == 10.0
    assert most_certain(np.full(4, 0.1), 0.5).sum() == 2


def test_objects_without_a_place_are_counted_and_do_not_spoil_the_mean(sliding) -> None:
    episode = sliding([0.1, 0.2, 0.0])
    (window,) = cut([episode], [5], 4)
    good = window.truth[1:]
    sigma = np.zeros(good.shape[:2])
    assert (answer_of(Forecast(good, sigma), episode.cast, window.truth).lost, 0) == (0, 0)

    gone = good.copy()
    gone[2:, 1] = np.nan
    answer = answer_of(Forecast(gone, sigma), episode.cast, window.truth)
    assert (answer.lost, answer.added) == (1, 0)
    assert torch.isfinite(answer.points).all()
    assert torch.equal(answer.points[3, 1], window.true_points()[0, 1])

    away = good.copy()
    away[3, 0, 2] -= 1.5
    assert answer_of(Forecast(away, sigma), episode.cast, window.truth).lost == 1
    fewer = answer_of(Forecast(good[:, :2], sigma[:, :2]), episode.cast, window.truth)
    assert (fewer.lost, fewer.added) == (1, 0)
    more = answer_of(Forecast(good[:, [0, 1, 2, 2]], sigma[:, [0, 1, 2, 2]]), episode.cast, window.truth)
    assert (more.lost, more.added) == (0, 1)


def test_a_model_of_points_is_judged_by_its_points(sliding) -> None:
    episode = sliding([0.1])
    (window,) = cut([episode], [5], 3)
    truth = window.true_points()
    bulged = (truth[1:] * 1.02).numpy()
    answer = answer_of(PointForecast(window.truth[1:], np.zeros((3, 1)), points=bulged), episode.cast, window.truth)
    assert np.allclose(answer.points, bulged)
    assert float(point_distance(answer.points, truth[1:]).min()) > 1e-3


def test_what_moved_is_told_by_the_truth_per_horizon(sliding) -> None:
    rows = rows_of(cut([sliding([0.02, 0.0, 0.2]), sliding([0.1])], [0, 5], 4))
    assert rows.window.tolist() == [0, 0, 0, 1, 1, 1, 2, 3]
    assert rows.episode.tolist() == [0, 0, 0, 0, 0, 0, 1, 1]
    assert rows.moved[0].tolist() == [False, False, True, True]  # 2, 4, 6, 8 mm
    assert rows.moved[2].all()
    assert rows.still.tolist() == [False, True, False, False, True, False, False, False]


def test_windows_that_do_not_fit_are_left_out_and_none_at_all_is_refused(sliding) -> None:
    episodes = [sliding([0.1], steps=10), sliding([0.1], steps=20)]
    assert [(w.episode, w.step) for w in cut(episodes, [0, 5, 15], 5)] == [(0, 0), (0, 5), (1, 0), (1, 5), (1, 15)]
    with pytest.raises(ActionError, match="no window of 30 steps after 0 fits in 2 episodes of at most 20 steps"):
        cut(episodes, [0], 30)
    with pytest.raises(ActionError, match="at least 1 step"):
        cut(episodes, [0], 0)
