"""How far from a goal a pose is, and what is no goal."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.dynamics.episode import Forecast
from spatialwm.dynamics.planning import EditGoal, PoseGoal
from spatialwm.dynamics.planning.goals import reached
from spatialwm.errors import ActionError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, SceneObject
from spatialwm.scene.edits import Delete, Move, Rotate, Scale


def turned(degrees: float, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    return np.array(Pose.about_axis((0.0, 0.0, 1.0), float(np.radians(degrees)), at).to_list()[:7])


def test_errors_are_metres_and_the_least_degrees():
    goal = PoseGoal(object="a", target=Pose.about_axis((0.0, 0.0, 1.0), 3.0, (0.1, 0.0, 0.0)))
    distance, angle = goal.errors(turned(np.degrees(3.0) - 20 + 360, (0.1, 0.03, 0.0))[None])
    assert distance == pytest.approx([0.03])
    assert angle == pytest.approx([20])


@pytest.mark.parametrize(("folds", "expected"), [(1, 175.0), (2, 5.0), (4, 5.0), (0, 0.0)])
def test_turns_that_look_alike_do_not_count(folds, expected):
    goal = PoseGoal(object="a", target=Pose(), folds=folds)
    assert goal.errors(turned(175)[None])[1] == pytest.approx([expected], abs=1e-5)


def test_tilt_counts_even_of_round_things():
    lying = np.array(Pose.about_axis((1.0, 0.0, 0.0), np.pi / 2).to_list()[:7])
    assert PoseGoal(object="a", target=Pose(), folds=0).errors(lying[None])[1] == pytest.approx([90])


def test_cost_is_about_one_at_the_border_of_success(toy):
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0))
    goal = PoseGoal(object="thing-1", target=Pose((0.0, 0.0, 0.025)))
    ends = np.stack([turned(0, (0.02, 0.0, 0.025)), turned(10, (0.0, 0.0, 0.025)), turned(0, (0.0, 0.0, 0.025))])
    costs = goal.costs(start, [Forecast(e[None, None], np.zeros((1, 1))) for e in ends])
    assert costs == pytest.approx([1, 1, 0], abs=1e-6)
    assert reached((goal,), start)
    assert not reached((PoseGoal(object="thing-1", target=Pose((0.021, 0.0, 0.025))),), start)


@pytest.mark.parametrize("wrong", [{"distance_m": 0.0}, {"angle_deg": -1.0}, {"folds": -1}])
def test_senseless_tolerances_are_refused(wrong):
    with pytest.raises(ActionError):
        PoseGoal(object="a", target=Pose(), **wrong)


def test_goal_of_an_unknown_object_names_those_that_are_there(toy):
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0))
    with pytest.raises(ActionError, match="thing-1"):
        PoseGoal(object="mug-7", target=Pose()).targets(start)


def scene() -> Scene:
    one = Gaussians.from_numpy(
        np.array([[0.0, 0, 0], [0.05, 0.03, 0.02]]), np.tile([1.0, 0, 0, 0], (2, 1)), np.full((2, 3), 0.01), np.ones(2),
        rgb=np.full((2, 3), 0.5),
    )  # fmt: skip
    at = {"thing-1": (0.0, 0.0, 0.025), "thing-2": (0.2, 0.1, 0.025)}
    return Scene(tuple(SceneObject(id=i, category="thing", gaussians=one, world_from_object=Pose(p)) for i, p in at.items()))


def test_edit_becomes_goals_of_what_it_moves_and_of_nothing_else(toy):
    start = toy.situation(toy.cast(toy.block(), toy.block()), (0, 0, 0), (0.2, 0.1, 0))
    before = scene()
    for edit in (Move("thing-2", (0.05, 0.0, 0.0)), Rotate("thing-2", 30.0)):
        (goal,) = EditGoal(before, edit).targets(start)
        assert goal.object == "thing-2"
        assert goal.target == before.apply(edit)["thing-2"].world_from_object


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (Delete("thing-1"), "adds or removes thing-1"),
        (Move("thing-1", (0.0, 0.0, 0.0)), "moves nothing"),
        (Scale("thing-1", 2.0), "another size"),
    ],
)
def test_edit_that_no_motion_achieves_is_no_goal(toy, edit, says):
    start = toy.situation(toy.cast(toy.block(), toy.block()), (0, 0, 0), (0.2, 0.1, 0))
    with pytest.raises(ActionError, match=says):
        EditGoal(scene(), edit).targets(start)
