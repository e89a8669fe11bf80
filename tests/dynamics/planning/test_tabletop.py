"""The pushing task on the simulated table."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.dynamics.planning import Limits, NoOp, PushPlanner, control, make_push_task
from spatialwm.dynamics.planning.goals import reached
from spatialwm.dynamics.planning.tabletop import GOAL_HALF_M, REMEMBERED_STEPS
from spatialwm.dynamics.table import NominalPhysics
from spatialwm.errors import ActionError


def test_tasks_are_unsolved_repeatable_and_within_reach():
    for seed in range(6):
        task, again = make_push_task("push", seed), make_push_task("push", seed)
        assert task.goal == again.goal
        start = task.plant().observe()
        assert not reached((task.goal,), start)
        assert max(map(abs, task.goal.target.position[:2])) <= GOAL_HALF_M
        distance, _ = task.goal.errors(start.past.poses[-1, start.cast.object_ids.index(task.goal.object)])
        assert 0.06 <= distance <= 0.25


def test_round_things_may_face_anywhere():
    tasks = [make_push_task("push", seed) for seed in range(12)]
    assert {t.goal.folds for t in tasks if t.goal.object.startswith("can")} == {0}
    assert {t.goal.folds for t in tasks if not t.goal.object.startswith("can")} == {1}


def test_plant_shows_what_happened_and_forgets_what_is_long_past():
    plant = make_push_task("push", 0).plant()
    at = plant.observe().past.part_poses[-1, 0, :2]
    for i in range(REMEMBERED_STEPS + 5):
        plant.act(np.asarray(at + [0.001 * i, 0.0], float))
    past = plant.observe().past
    assert len(past) == REMEMBERED_STEPS
    assert past.commands[-1] == pytest.approx(at + [0.001 * (REMEMBERED_STEPS + 4), 0])
    assert past.part_poses[-1, 0, 0] > past.part_poses[0, 0, 0]


def test_tasks_that_do_not_fit_are_refused():
    with pytest.raises(ActionError, match="free goal"):
        make_push_task("push", 0, least_m=2.0, most_m=3.0)
    with pytest.raises(ActionError, match="no table"):
        make_push_task("shove", 0)


def test_waiting_solves_nothing():
    task = make_push_task("push", 3)
    assert not control(task.plant(), NoOp(), task.goal, np.random.default_rng(0), Limits(plans=2)).success


def test_thing_of_unknown_mass_friction_and_pusher_is_brought_to_its_goal():
    task = make_push_task("push", 3)
    planner = PushPlanner(forecaster=NominalPhysics(), goal=task.goal)
    outcome = control(task.plant(), planner, task.goal, np.random.default_rng(3), Limits(plans=6))
    assert outcome.success
    assert set(outcome.rests_on) == {"nominal physics"}
