"""Pushing to a pose, closed loop, with a model that is not the plant; and what happens when the model does not know."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from spatialwm.dynamics.episode import Situation, Track
from spatialwm.dynamics.planning import (
    Cem,
    EditGoal,
    KnotPlanner,
    Knots,
    Limits,
    Mppi,
    NoOp,
    PoseGoal,
    PushPlanner,
    QuasiStatic,
    RandomPush,
    RandomWalk,
    Trust,
    control,
)  # fmt: skip
from spatialwm.errors import ActionError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, SceneObject
from spatialwm.scene.edits import Move

SMALL = Cem(samples=16, iterations=3, elites=4)


@dataclass(frozen=True)
class Unsure:
    """A model that gives no answer, or a very rough one."""

    trusted: str = "abstain"
    sigma_m: float = 0.0
    name: str = "unsure"

    def forecast(self, situations, commands):
        out = QuasiStatic().forecast(situations, commands)
        return [replace(f, trusted=self.trusted, sigma_m=f.sigma_m + self.sigma_m) for f in out]


def goal_at(x: float, y: float, degrees: float) -> PoseGoal:
    return PoseGoal(object="thing-1", target=Pose.about_axis((0.0, 0.0, 1.0), float(np.radians(degrees)), (x, y, 0.025)))


GOALS = [(0.12, 0.05, 60.0), (-0.1, 0.1, -120.0), (0.0, -0.15, 10.0), (0.06, 0.0, 175.0), (-0.14, -0.05, 90.0)]


@pytest.mark.parametrize("goal", GOALS)
def test_goal_is_met_though_the_plant_is_not_the_model(toy, goal):
    plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0)))
    wanted = goal_at(*goal)
    planner = PushPlanner(forecaster=QuasiStatic(), goal=wanted, search=SMALL)
    outcome = control(plant, planner, wanted, np.random.default_rng(0))
    assert outcome.success
    assert outcome.distances_m["thing-1"] <= 0.02
    assert outcome.angles_deg["thing-1"] <= 10
    assert 1 <= outcome.plans <= 8
    assert outcome.rests_on == ("quasi-static",) * outcome.plans
    assert len(outcome.plan_seconds) == outcome.plans
    assert np.abs(np.array(plant.commands)).max() <= 0.32 + 1e-9
    assert np.linalg.norm(np.diff(plant.commands, axis=0), axis=1).max() < 0.025  # 0.25 m/s


def test_knowing_nothing_fails(toy):
    for seed, goal in enumerate(GOALS[:3]):
        wanted = goal_at(*goal)
        for ignorant in (NoOp(), RandomWalk(), RandomPush(PushPlanner(forecaster=QuasiStatic(), goal=wanted))):
            plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0)))
            assert not control(plant, ignorant, wanted, np.random.default_rng(seed), Limits(plans=6)).success


def test_same_generator_gives_the_same_run(toy):
    wanted = goal_at(*GOALS[0])
    runs = []
    for _ in range(2):
        plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0)))
        control(plant, PushPlanner(forecaster=QuasiStatic(), goal=wanted, search=SMALL), wanted, np.random.default_rng(5))
        runs.append(np.array(plant.commands))
    assert np.array_equal(*runs)


def test_solved_start_needs_no_plan_and_no_motion(toy):
    plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0)))
    wanted = goal_at(0.01, 0.0, 5.0)
    outcome = control(plant, PushPlanner(forecaster=QuasiStatic(), goal=wanted), wanted, np.random.default_rng(0))
    assert outcome.success
    assert (outcome.plans, outcome.steps) == (0, 0)


def test_edit_of_the_scene_steers(toy):
    still, size = np.array([[1.0, 0, 0, 0]]), np.full((1, 3), 0.01)
    one = Gaussians.from_numpy(np.zeros((1, 3)), still, size, np.ones(1), rgb=np.full((1, 3), 0.5))
    scene = Scene((SceneObject(id="thing-1", category="thing", gaussians=one, world_from_object=Pose((0.0, 0.0, 0.025))),))
    goal = EditGoal(scene, Move("thing-1", (0.1, -0.08, 0.0)))
    plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0)))
    assert control(plant, PushPlanner(forecaster=QuasiStatic(), goal=goal, search=SMALL), goal, np.random.default_rng(0)).success


@pytest.mark.parametrize("unsure", [Unsure(), Unsure(trusted="", sigma_m=0.5)])
def test_unsure_model_is_not_followed_without_another(toy, unsure):
    wanted = goal_at(*GOALS[0])
    plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0)))
    outcome = control(plant, PushPlanner(forecaster=unsure, goal=wanted, search=SMALL), wanted, np.random.default_rng(0))
    assert not outcome.success
    assert outcome.rests_on == ("nothing",)
    assert not plant.commands
    assert outcome.notes[0].startswith("unsure was not followed: it ")


def test_unsure_model_gives_way_to_the_prior_which_says_so(toy):
    wanted = goal_at(*GOALS[0])
    plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0)))
    planner = PushPlanner(forecaster=Unsure(), goal=wanted, search=SMALL, trust=Trust(fallback=QuasiStatic()))
    outcome = control(plant, planner, wanted, np.random.default_rng(0))
    assert outcome.success
    assert set(outcome.rests_on) == {"quasi-static"}
    assert all("unsure was not followed" in n for n in outcome.notes)


def test_object_that_cannot_be_reached_stops_the_planner(toy):
    ring = [(0.11 * np.cos(a), 0.11 * np.sin(a), a + np.pi / 2) for a in np.linspace(0, 2 * np.pi, 8, endpoint=False)]
    start = toy.situation(toy.cast(*(toy.block() for _ in range(9))), (0, 0, 0), *ring, rod=(-0.25, -0.25))
    plan = PushPlanner(forecaster=QuasiStatic(), goal=goal_at(0.1, 0.0, 0.0), search=SMALL).plan(start, np.random.default_rng(0))
    assert not len(plan.commands)
    assert "reached" in plan.note


def test_knots_are_smooth_begin_now_and_keep_within_bounds():
    knots = Knots(low=np.array([-0.1, -0.1]), high=np.array([0.1, 0.1]), steps=20, every=5)
    rng = np.random.default_rng(0)
    paths = knots.commands(np.zeros(2), rng.uniform(-0.1, 0.1, (50, 8)))
    assert paths.shape == (50, 20, 2)
    assert np.abs(paths).max() <= 0.1
    jumps = np.abs(np.diff(np.concatenate([np.zeros((50, 1, 2)), paths], 1), axis=1))
    assert jumps.max() < 0.08  # of 0.2: no knot is reached in one step
    held = knots.commands(np.array([0.05, 0.0]), np.tile([0.05, 0.0], 4)[None])
    assert np.allclose(held, [0.05, 0.0])


@pytest.mark.parametrize("search", [Cem(samples=64, iterations=5), Mppi(samples=64, iterations=5)])
def test_knots_push_straight_ahead_with_a_warm_start(toy, search):
    wanted = goal_at(0.1, 0.0, 0.0)
    plant = toy.SlidingPlant(toy.situation(toy.cast(toy.block()), (0, 0, 0), rod=(-0.09, 0.0)), off_m=(0.0, 0.0))
    knots = Knots(low=np.full(2, -0.2), high=np.full(2, 0.2), steps=12, every=4, std=0.12)
    planner = KnotPlanner(forecaster=QuasiStatic(), goal=wanted, knots=knots, act_steps=4, search=search)
    outcome = control(plant, planner, wanted, np.random.default_rng(0), Limits(plans=8))
    assert outcome.success


def test_proposals_are_tried_first(toy):
    wanted = goal_at(0.06, 0.0, 0.0)
    start = toy.situation(toy.cast(toy.block()), (0, 0, 0), rod=(-0.09, 0.0))
    knots = Knots(low=np.full(2, -0.2), high=np.full(2, 0.2), steps=10, every=5, std=0.01)
    right = np.array([[-0.05, 0.0, -0.01, 0.0]])
    planner = KnotPlanner(
        forecaster=QuasiStatic(), goal=wanted, knots=knots, search=Cem(samples=2, iterations=1, elites=1),
        propose=lambda s, r: right,
    )
    plan = planner.plan(start, np.random.default_rng(0))
    assert plan.parameters is not None
    assert plan.cost < 0.2


@pytest.mark.parametrize("wrong", [{"every": 0}, {"every": 40}, {"low": np.ones(2)}, {"steps": 0}])
def test_senseless_knots_are_refused(wrong):
    fields = {"low": np.full(2, -0.2), "high": np.full(2, 0.2), "steps": 12, "every": 4, **wrong}
    with pytest.raises(ActionError):
        Knots(**fields)


def test_way_out_of_an_object_follows_the_object(toy):
    """Carried half round, the pusher must leave by the side it came in on, which now faces elsewhere."""
    who = toy.cast(toy.block())
    states = [(0.0, 0.0, a) for a in np.linspace(0, np.pi / 2, 7)]
    rods = [(-0.12, 0.0), (-0.08, 0.0), *((-0.06 * np.cos(a), -0.06 * np.sin(a)) for _, _, a in states[2:])]
    seen = [toy.situation(who, s, rod=r).past for s, r in zip(states, rods, strict=True)]
    poses, parts = (np.concatenate([getattr(t, n) for t in seen]) for n in ("poses", "part_poses"))
    start = Situation(who, Track(poses, np.zeros_like(poses[..., :6]), parts, np.zeros((6, 2), np.float32), 0.1))
    pushes, _ = PushPlanner(forecaster=QuasiStatic(), goal=goal_at(0.1, 0.0, 0.0)).pushes(start)
    assert pushes.free.out is not None
    assert pushes.free.out[0] == pytest.approx(rods[-1], abs=1e-6)
    assert np.hypot(*pushes.free.start) > 0.07
    assert abs(pushes.free.start[0]) < 0.03  # out towards -y, where the side it came in on has gone
    assert pushes.free.start[1] < -0.07
