"""The hybrid as a forecaster: before training it is its prior, it keeps what lies still, and says how sure it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.dynamics.hybrid import Hybrid, HybridConfig, Networks
from spatialwm.dynamics.hybrid.calibrate import FACTOR_90, Calibration
from spatialwm.dynamics.table import NominalPhysics, make_episode
from spatialwm.errors import ActionError


@pytest.fixture(scope="module")
def untrained() -> Networks:
    torch.manual_seed(0)
    return Networks(HybridConfig(members=2))


def windows(episodes, start=12, horizon=10):
    return [e.situation(start) for e in episodes], np.stack([e.track.commands[start : start + horizon] for e in episodes])


def test_before_training_it_is_physics_with_a_fitted_rod(untrained, episodes):
    situations, commands = windows(episodes[:4])
    found = Hybrid(untrained, members=1, looks_back=False).forecast(situations, commands)
    nominal = NominalPhysics().forecast(situations, commands)
    off = {"fitted": [], "nominal": []}
    for e, f, n in zip(episodes, found, nominal, strict=False):
        truth = e.track.poses[13:23, :, :3]
        off["fitted"].append(np.linalg.norm(f.poses[..., :3] - truth, axis=-1).mean())
        off["nominal"].append(np.linalg.norm(n.poses[..., :3] - truth, axis=-1).mean())
    assert np.mean(off["fitted"]) < np.mean(off["nominal"])


def test_a_forecast_does_not_depend_on_who_else_is_asked(untrained, episodes):
    situations, commands = windows(episodes[:3])
    model = Hybrid(untrained)
    together = model.forecast(situations, commands)
    alone = model.forecast(situations[1:2], commands[1:2])[0]
    assert np.allclose(alone.poses, together[1].poses, atol=1e-6)
    assert np.allclose(alone.sigma_m, together[1].sigma_m, atol=1e-6)


def test_tables_of_different_sizes_are_answered_together(untrained):
    episodes = [make_episode(v, 0, steps=20) for v in ("push", "six")]
    situations, commands = windows(episodes, 8, 5)
    shapes = [f.poses.shape for f in Hybrid(untrained).forecast(situations, commands)]
    assert shapes == [(5, 3, 7), (5, 6, 7)]


def test_one_situation_many_times_is_looked_back_upon_once(untrained, episodes, monkeypatch):
    from spatialwm.dynamics.hybrid import model as module

    asked = []
    monkeypatch.setattr(module, "look_back", lambda config, some, *rest: asked.append(len(some)) or original(config, some, *rest))
    situation = episodes[0].situation(20)
    Hybrid(untrained, members=1).forecast([situation] * 5, np.zeros((5, 2, 2)))
    assert asked == [1]


def test_what_no_rod_comes_near_stays_where_it_is_to_the_last_bit(untrained):
    with torch.no_grad():
        untrained.corrector.heads.normal_(std=0.5)
    e = make_episode("push", 5, steps=12)
    situation = e.situation(0)
    commands = np.tile(np.array(e.truth.pusher.start), (1, 30, 1))
    poses = Hybrid(untrained, members=1).forecast([situation], commands)[0].poses
    with torch.no_grad():
        untrained.corrector.heads.zero_()
    assert np.abs(poses[..., :3] - e.track.poses[0, :, :3]).max() < 1e-3


def test_without_a_past_it_answers_too(untrained, episodes):
    found = Hybrid(untrained).forecast([episodes[0].situation(0)], np.zeros((1, 3, 2)))[0]
    assert np.isfinite(found.poses).all()


def test_commands_of_a_wrong_shape_are_refused(untrained, episodes):
    with pytest.raises(ActionError, match="2 values"):
        Hybrid(untrained).forecast([episodes[0].situation(3)], np.zeros((1, 4, 7)))


def test_a_model_without_physics_needs_no_simulator(episodes):
    from dataclasses import replace

    torch.manual_seed(1)
    model = Hybrid(Networks(HybridConfig(prior="hold", members=1)), "learned")
    situation = episodes[0].situation(10)
    bare = replace(situation, cast=replace(situation.cast, maker=None))
    poses = model.forecast([bare], np.zeros((1, 6, 2)))[0].poses
    assert np.allclose(poses[-1, :, :3], situation.past.poses[-1, :, :3], atol=1e-5)


def test_calibrated_doubts_hold_nine_of_ten_and_abstain_on_three():
    made = torch.Generator().manual_seed(0)
    n, h, k = 400, 30, 2
    spread = torch.rand(n, h, k, generator=made, dtype=torch.float64) * 0.02 + 1e-3
    own = torch.rand(n, h, k, generator=made, dtype=torch.float64) * 0.01
    gone = torch.rand(n, h, k, generator=made, dtype=torch.float64) * 0.1
    error = spread * torch.rand(n, h, k, generator=made, dtype=torch.float64) * 4
    moved = torch.ones(n, h, k, dtype=torch.bool)
    calibration = Calibration()
    half = n // 2
    calibration.fit(*(v[:half] for v in (spread, own, gone, error, moved)))
    sigma = calibration(*(v[half:] for v in (spread, own, gone)))
    for step in (0, 9, 29):
        assert float((error[half:, step] <= FACTOR_90 * sigma[:, step]).double().mean()) == pytest.approx(0.9, abs=0.05)
    assert float((sigma[:, -1].amax(-1) > calibration.abstain_m).double().mean()) == pytest.approx(0.3, abs=0.1)


from spatialwm.dynamics.hybrid.model import look_back as original  # noqa: E402  -- before any test replaces it
