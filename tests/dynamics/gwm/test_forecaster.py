"""The model as a forecaster: keeps every object, answers alike when asked alike, refuses what it cannot answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.dynamics.gwm import Gwm, measure
from spatialwm.dynamics.gwm.forecaster import _carried
from spatialwm.dynamics.motion import points_at, rigid_fit
from spatialwm.errors import ActionError, ShapeError


@pytest.fixture(scope="module")
def gwm(toy):
    return Gwm(toy.shaken(), samples=3)


def asked(toy, seeds=(0, 1), horizon: int = 4, objects=(2, 2)):
    episodes = [toy.episode(s, objects=k) for s, k in zip(seeds, objects, strict=True)]
    return [e.situation(5) for e in episodes], np.stack([e.track.commands[5 : 5 + horizon] for e in episodes])


def test_every_object_comes_back_at_every_step_as_the_rigid_thing_it_was(toy, gwm):
    situations, commands = asked(toy, objects=(2, 3))
    forecasts = gwm.forecast(situations, commands)
    assert gwm.name == "gwm/nano"
    for situation, forecast in zip(situations, forecasts, strict=True):
        k = len(situation.cast.object_ids)
        assert forecast.poses.shape == (4, k, 7)
        assert forecast.sigma_m.shape == (4, k)
        assert np.isfinite(forecast.poses).all()
        assert np.allclose(np.linalg.norm(forecast.poses[..., 3:], axis=-1), 1)
        assert (forecast.sigma_m > 0).all()


def test_an_untrained_model_says_that_nothing_moves(toy):
    situations, commands = asked(toy)
    still = Gwm(toy.model(toy.NANO, 2)).forecast(situations, commands)
    assert all(np.allclose(f.poses, s.past.poses[-1], atol=1e-5) for s, f in zip(situations, still, strict=True))


def test_the_same_question_has_the_same_answer_and_another_action_another(toy, gwm):
    situations, commands = asked(toy)
    first, again = gwm.forecast(situations, commands), gwm.forecast(situations, commands)
    other = gwm.forecast(situations, commands + 0.3)
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.poses, b.poses)
        assert not np.allclose(a.poses, c.poses, atol=1e-6)


def test_rewards_and_terminations_come_with_every_imagined_step(toy, gwm):
    situations, commands = asked(toy)
    imagined = gwm.imagine(situations, commands)[0]
    assert imagined.rewards.shape == imagined.terminations.shape == (3, 4)
    assert imagined.part_poses.shape == (3, 4, 1, 7)
    assert ((imagined.terminations > 0) & (imagined.terminations < 1)).all()


def test_a_situation_without_a_past_is_answered(toy, gwm):
    episode = toy.episode(0)
    forecast = gwm.forecast([episode.situation(0)], episode.track.commands[None, :3])[0]
    assert np.isfinite(forecast.poses).all()


def test_poses_are_carried_by_the_motion_that_carries_their_points():
    generator = torch.Generator().manual_seed(0)
    poses, motion = (torch.randn(2, 3, 7, generator=generator, dtype=torch.float64) for _ in range(2))
    for p in (poses, motion):
        p[..., 3:] /= p[..., 3:].norm(dim=-1, keepdim=True)
    points = torch.randn(2, 3, 10, 3, generator=generator, dtype=torch.float64)
    here = points_at(points, poses)
    there = points_at(here, motion)
    assert torch.allclose(points_at(points, _carried(rigid_fit(here, there), poses)), there, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c[:, :0], "horizon must lie between 1"),
        (lambda c: c[:1], "commands must be"),
        (lambda c: c[..., :1], "each command has 2 values"),
        (lambda c: c * np.nan, "finite"),
        (lambda c: np.zeros((2, 100000, 2)), "horizon must lie between 1"),
    ],
)
def test_commands_that_make_no_sense_are_refused(toy, gwm, change, said):
    situations, commands = asked(toy)
    with pytest.raises(ActionError, match=said):
        gwm.forecast(situations, change(commands))


def test_another_step_length_or_too_many_bodies_are_refused(toy, gwm):
    (situation, _), commands = asked(toy)
    slow = toy.replace(situation, past=toy.replace(situation.past, dt_s=0.02))
    with pytest.raises(ActionError, match=r"trained on steps of 0.1 s; the situation has steps of 0.02 s"):
        gwm.forecast([slow], commands[:1])
    crowd = toy.episode(0, objects=9)
    with pytest.raises(ShapeError, match="9 latent tokens can hold"):
        gwm.forecast([crowd.situation(2)], commands[:1])


def test_the_measure_tells_the_truth_of_a_model_that_knows_nothing(toy):
    measured = measure(toy.model(toy.NANO, 2), [toy.episode(s, steps=20) for s in range(4)])
    for h in (1, 10):
        assert measured.model.point_mm[h] == pytest.approx(measured.copy.point_mm[h], rel=0.01)
    assert measured.copy.chamfer_mm[10] < measured.copy.point_mm[10]
