"""Planning with single straight pushes: from behind the object, by how much and which way; the way there is free."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float

from spatialwm.dynamics.episode import Forecaster, Situation, Track
from spatialwm.dynamics.planning import quasistatic
from spatialwm.dynamics.planning.approach import FreeSpace, paced
from spatialwm.dynamics.planning.cost import CostModel
from spatialwm.dynamics.planning.goals import Goal, PoseGoal, index_of
from spatialwm.dynamics.planning.plan import Plan
from spatialwm.dynamics.planning.quasistatic import Slider
from spatialwm.dynamics.planning.search import Cem, Search, Space
from spatialwm.dynamics.planning.trust import ALWAYS_CHECKED, Trust, first_trusted

GAP_M = 0.012
"""Between pusher and object where a push begins."""
LONGEST_M = 0.18
WIDEST_RAD = 0.8
"""Angle of a push from the outline's normal; beyond it the pusher slips off."""
SPEED_M_S = 0.2
"""On the way to a push."""

PUSH_PRESET = Cem(samples=32, iterations=4, elites=6)
"""After scouting, 128 simulated pushes end within a tenth of the best of 320, at 40 % of the price."""

Propose = Callable[[Situation, PoseGoal, "PushSpace", np.random.Generator], np.ndarray]
"""Pushes worth trying first, ``(n, 3)``, best first."""


@dataclass(frozen=True, eq=False)
class PushSpace:
    """All straight pushes of one object: where on its outline (0..1 round), angle from the normal (rad), distance (m)."""

    situation: Situation
    object: str
    slider: Slider
    free: FreeSpace
    radius_m: float
    moving_steps: int
    hold_steps: int

    @property
    def space(self) -> Space:
        """The box of the three parameters."""
        return Space(
            np.array([0.0, -WIDEST_RAD, 0.004]), np.array([1.0, WIDEST_RAD, LONGEST_M]), np.array([0.5, 0.0, 0.06]),
            np.array([0.05, 0.2, 0.03]), np.array([True, False, False]),
        )  # fmt: skip

    def lines(self, pushes: Float[np.ndarray, "n 3"]) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2"]]:
        """Where the pusher's middle starts and ends."""
        contact, normal = self.slider.at(pushes[:, 0])
        cos, sin = np.cos(pushes[:, 1]), np.sin(pushes[:, 1])
        along = np.stack([cos * normal[:, 0] - sin * normal[:, 1], sin * normal[:, 0] + cos * normal[:, 1]], 1)
        touching = self.slider.center + contact - normal * self.radius_m
        return touching - along * GAP_M, touching + along * pushes[:, 2:]

    def possible(self, pushes: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        """Whose start can be reached and whose end is in the pusher's range."""
        starts, ends = self.lines(pushes)
        out = self.free.reachable(starts)
        return out & ((ends >= self.free.low) & (ends <= self.free.high)).all(1)

    def commands(self, pushes: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n t 2"]:
        """From the start to the end at an even pace, then waiting there for a late pusher."""
        starts, ends = self.lines(pushes)
        share = np.minimum(np.arange(1, self.moving_steps + self.hold_steps + 1) / self.moving_steps, 1.0)
        return starts[:, None] + (ends - starts)[:, None] * share[:, None]

    def begun(self, pushes: Float[np.ndarray, "n 3"]) -> list[Situation]:
        """The present, but with the pusher waiting at each start."""
        return [_waiting(self.situation, start) for start in self.lines(pushes)[0]]


def _waiting(situation: Situation, at: np.ndarray) -> Situation:
    """Nothing moves and the pusher has been waiting at a place, long enough for its lag to be over."""
    past, steps = situation.past, 2
    parts = np.repeat(past.part_poses[-1:], steps + 1, 0)
    parts[:, 0, :2] = at
    commands = np.repeat(at[None].astype(past.commands.dtype), steps, 0)
    poses = np.repeat(past.poses[-1:], steps + 1, 0)
    return replace(situation, past=Track(poses, np.zeros_like(poses[..., :6]), parts, commands, past.dt_s))


def scouted(situation: Situation, target: PoseGoal, pushes: PushSpace, rng: np.random.Generator) -> np.ndarray:
    """Pushes that the coarse mechanics of :mod:`quasistatic` likes: a thousandth of the price of a simulated one."""
    slider = pushes.slider
    now = situation.past.poses[-1, index_of(situation, target.object)].astype(np.float64)
    here = np.array([*slider.center, 0.0])
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def objective(tried: np.ndarray) -> np.ndarray:
        costs = np.full(len(tried), np.inf)
        fine = pushes.possible(tried)
        if fine.any():
            starts, ends = pushes.lines(tried[fine])
            after = quasistatic.push(slider, np.repeat(here[None], int(fine.sum()), 0), starts, ends, pushes.radius_m)
            distance, angle = target.errors(quasistatic.poses_after(now, here, after))
            costs[fine] = np.hypot(distance / target.distance_m, angle / target.angle_deg)
        seen.append((tried, costs))
        return costs

    space = pushes.space
    SCOUT.minimize(objective, space, rng, space.uniform(SCOUT.samples, rng))
    tried, costs = (np.concatenate(x) for x in zip(*seen, strict=True))
    chosen: list[np.ndarray] = []
    for push in tried[np.argsort(costs)[: int(np.isfinite(costs).sum())]]:
        if all(_apart(push, other, space) for other in chosen):
            chosen.append(push)
            if len(chosen) == SEEDS:
                break
    return np.array(chosen).reshape(-1, 3)


SCOUT = Cem(samples=512, iterations=4, elites=64)
SEEDS = 40
"""Pushes of the first iteration that come from scouting."""


def _apart(a: np.ndarray, b: np.ndarray, space: Space) -> bool:
    difference = np.abs(a - b)
    difference[0] = min(difference[0], 1 - difference[0])
    return bool((difference > 0.25 * space.std).any())


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlanner:
    """One push at a time towards the goal, each found by a search over a world model and judged where it comes to rest.

    Commands are positions (x, y) of the pusher, the actor's first part; every step is one command.
    """

    forecaster: Forecaster
    goal: Goal
    low: tuple[float, float] = (-0.32, -0.32)
    high: tuple[float, float] = (0.32, 0.32)
    """The pusher's range, metres."""
    search: Search = PUSH_PRESET
    propose: Propose = scouted
    trust: Trust = ALWAYS_CHECKED
    moving_steps: int = 10
    hold_steps: int = 4
    caution: float = 0.0
    calm: float = 0.1

    def plan(self, situation: Situation, rng: np.random.Generator, last: Plan | None = None) -> Plan:
        """The way to the start of the best push found, and the push."""
        begun = time.perf_counter()
        pushes, target = self.pushes(situation)
        seeds = self.propose(situation, target, pushes, rng)
        plan = first_trusted(self.forecaster, self.trust, lambda model: self._plan_with(model, situation, pushes, seeds, rng))
        return replace(plan, seconds=time.perf_counter() - begun)

    def pushes(self, situation: Situation) -> tuple[PushSpace, PoseGoal]:
        """The pushes to choose from: of the object that is farthest from its goal."""
        targets = self.goal.targets(situation)
        target = max(targets, key=lambda t: _far(t, situation))
        poses, points = situation.past.poses[-1], situation.cast.points
        sliders: Sequence[Slider] = [quasistatic.slider_of(p, pose) for p, pose in zip(points, poses, strict=True)]
        at, radius = quasistatic.pusher_of(situation)
        free = FreeSpace(np.array(self.low), np.array(self.high), radius, sliders, at)
        touched = int(np.argmin([FreeSpace(free.low, free.high, radius, [s], at).gap(at[None])[0] for s in sliders]))
        free = free.retreated(_way_back(situation, touched))
        slider = sliders[index_of(situation, target.object)]
        return PushSpace(situation, target.object, slider, free, radius, self.moving_steps, self.hold_steps), target

    def _plan_with(
        self, model: Forecaster, situation: Situation, pushes: PushSpace, seeds: np.ndarray, rng: np.random.Generator
    ) -> Plan:
        costs = CostModel(model, self.goal, self.caution, self.calm)
        asked = 0

        def objective(tried: np.ndarray) -> np.ndarray:
            nonlocal asked
            out = np.full(len(tried), np.inf)
            fine = pushes.possible(tried)
            if fine.any():
                actions = torch.from_numpy(pushes.commands(tried[fine]))[None]
                out[fine] = costs.get_cost({"situation": [pushes.begun(tried[fine])]}, actions)[0].numpy()
                asked += int(fine.sum())
            return out

        found = self.search.minimize(objective, pushes.space, rng, seeds)
        if not np.isfinite(found.cost):
            return Plan(np.zeros((0, 2)), found.cost, model.name, note="no side of the object can be reached")
        best = found.parameters[None]
        expected = model.forecast(pushes.begun(best), pushes.commands(best))[0]
        step_m = SPEED_M_S * situation.past.dt_s
        approach = paced(pushes.free.way_to(pushes.lines(best)[0][0]), step_m)
        # A late pusher must have arrived before the push begins.
        approach = np.concatenate([approach, np.repeat(pushes.lines(best)[0], 2, 0)])
        commands = np.concatenate([approach, pushes.commands(best)[0]])
        return Plan(commands, found.cost, model.name, expected, found.parameters, asked + 1)


def _way_back(situation: Situation, index: int) -> np.ndarray:
    """Where the pusher has been, latest first, as an object would tell it, laid out from where the object is now.

    A pusher in the hollow of an object came in along this way, however far it has carried the object since.
    """
    poses, rods = situation.past.poses[::-1, index].astype(np.float64), situation.past.part_poses[::-1, 0, :2].astype(np.float64)
    turn = 2 * (np.arctan2(poses[0, 6], poses[0, 3]) - np.arctan2(poses[:, 6], poses[:, 3]))
    cos, sin = np.cos(turn), np.sin(turn)
    x, y = (rods - poses[:, :2]).T
    return poses[0, :2] + np.stack([cos * x - sin * y, sin * x + cos * y], 1)


def _far(target: PoseGoal, situation: Situation) -> float:
    distance, angle = target.errors(situation.past.poses[-1, index_of(situation, target.object)])
    return float(np.hypot(distance / target.distance_m, angle / target.angle_deg))
