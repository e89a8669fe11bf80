"""Costs in the shape that planners of the field expect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.dynamics.planning import CostModel, PoseGoal, QuasiStatic
from spatialwm.dynamics.planning.cost import ABSTAINED
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose

GOAL = PoseGoal(object="thing-1", target=Pose((0.07, 0.0, 0.025)))


class Doubtful(QuasiStatic):
    """Will not answer for anything beyond half a centimetre."""

    def forecast(self, situations, commands):
        out = super().forecast(situations, commands)
        return [replace(f, trusted="abstain" if f.poses[-1, 0, 0] > 0.005 else "hybrid") for f in out]


def actions(*ends: float) -> torch.Tensor:
    return torch.stack([torch.stack([torch.linspace(-0.09, x, 9)[1:], torch.zeros(8)], -1) for x in ends])[None]


def test_costs_are_tensors_of_problems_by_samples_and_the_right_push_is_cheapest(toy):
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0), rod=(-0.09, 0))
    costs = CostModel(QuasiStatic(), GOAL).get_cost({"situation": start}, actions(-0.09, 0.0, 0.05))
    assert costs.shape == (1, 3)
    assert costs.dtype == torch.float32
    assert costs[0].tolist() == pytest.approx([3.5, 0.0, 2.5], abs=0.02)


def test_every_problem_has_its_own_present_and_may_have_its_own_goal(toy):
    who = toy.cast(toy.block())
    here, there = (toy.situation(who, (x, 0, 0), rod=(-0.09, 0)) for x in (0.0, 0.07))
    two = actions(-0.09, 0.0).expand(2, 2, 8, 2)
    model = CostModel(QuasiStatic(), GOAL)
    assert model.get_cost({"situation": [here, there]}, two)[:, 0].tolist() == pytest.approx([3.5, 0.0], abs=1e-6)
    as_harness = np.empty((2, 2), object)
    as_harness[:] = [[here, there], [there, here]]
    assert model.get_cost({"situation": as_harness}, two)[:, 0].tolist() == pytest.approx([3.5, 0.0], abs=1e-6)
    other = replace(GOAL, target=Pose((0.0, 0.0, 0.025)))
    assert model.get_cost({"situation": here, "goal": [GOAL, other]}, two)[:, 0].tolist() == pytest.approx([3.5, 0.0], abs=1e-6)


def test_what_the_model_does_not_answer_for_comes_last(toy):
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0), rod=(-0.09, 0))
    costs = CostModel(Doubtful(), GOAL).get_cost({"situation": start}, actions(-0.09, 0.0))[0]
    assert costs[1] >= ABSTAINED > costs[0]


def test_moving_other_things_and_not_being_sure_cost_something(toy):
    start = toy.situation(toy.cast(toy.block(), toy.block()), (0, 0.2, 0), (0, 0, 0), rod=(-0.09, 0))
    still = replace(GOAL, target=Pose((0.0, 0.2, 0.025)))
    plain, calm = (CostModel(QuasiStatic(), still, calm=c).get_cost({"situation": start}, actions(0.0))[0, 0] for c in (0.0, 0.5))
    assert calm - plain == pytest.approx(0.5 * 0.07 / 0.02, rel=0.01)
    alone = toy.situation(toy.cast(toy.block()), (0, 0, 0), rod=(-0.09, 0))
    bold, careful = (
        CostModel(QuasiStatic(), GOAL, caution=c).get_cost({"situation": alone}, actions(0.0))[0, 0] for c in (0.0, 1.0)
    )
    assert careful - bold == pytest.approx((0.3 * 0.07 + 1e-3) / 0.02, rel=0.01)


@pytest.mark.parametrize(
    ("info", "shape", "says"),
    [
        ({}, (1, 2, 8, 2), "one Situation"),
        ({"situation": []}, (1, 2, 8, 2), "one Situation"),
        ({"situation": [[None, None]]}, (1, 2, 8, 2), "each of its 2 samples"),
        ({"situation": [["here"]]}, (1, 2, 8, 2), "each of its 2 samples"),
        (None, (1, 2, 0, 2), "horizon"),
        (None, (1, 2, 8, 3), "2 values"),
    ],
)
def test_bad_questions_get_one_clear_line(toy, info, shape, says):
    start = {"situation": toy.situation(toy.cast(toy.block()), (0, 0, 0))}
    with pytest.raises(ActionError, match=says):
        CostModel(QuasiStatic(), GOAL).get_cost(start if info is None else info, torch.zeros(shape))


def test_actions_that_are_not_finite_are_refused(toy):
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0))
    with pytest.raises(ActionError, match="finite"):
        CostModel(QuasiStatic(), GOAL).get_cost({"situation": start}, torch.full((1, 1, 4, 2), float("nan")))
