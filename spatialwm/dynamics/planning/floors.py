"""Planners that know nothing: what any planner must beat by far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatialwm.dynamics.episode import Situation
from spatialwm.dynamics.planning.approach import paced
from spatialwm.dynamics.planning.plan import Plan
from spatialwm.dynamics.planning.pushes import SPEED_M_S, PushPlanner


@dataclass(frozen=True, slots=True)
class NoOp:
    """Waits."""

    steps: int = 24

    def plan(self, situation: Situation, rng: np.random.Generator, last: Plan | None = None) -> Plan:
        """The pusher stays where it is."""
        at = situation.past.part_poses[-1, 0, :2].astype(np.float64)
        return Plan(np.repeat(at[None], self.steps, 0), float("nan"), "nothing")


@dataclass(frozen=True, slots=True)
class RandomPush:
    """Pushes the right object from a random side, in a random direction, randomly far: all that planning has but the choice."""

    like: PushPlanner

    def plan(self, situation: Situation, rng: np.random.Generator, last: Plan | None = None) -> Plan:
        """Any push that can be begun."""
        pushes, _ = self.like.pushes(situation)
        tried = pushes.space.uniform(256, rng)
        fine = tried[pushes.possible(tried)]
        if not len(fine):
            return Plan(np.zeros((0, 2)), float("nan"), "nothing", note="no side of the object can be reached")
        start = pushes.lines(fine[:1])[0]
        approach = paced(pushes.free.way_to(start[0]), SPEED_M_S * situation.past.dt_s)
        return Plan(np.concatenate([approach, np.repeat(start, 2, 0), pushes.commands(fine[:1])[0]]), float("nan"), "nothing")


@dataclass(frozen=True, slots=True)
class RandomWalk:
    """Goes from one random place to another, as far as the pusher reaches."""

    low: tuple[float, float] = (-0.32, -0.32)
    high: tuple[float, float] = (0.32, 0.32)

    def plan(self, situation: Situation, rng: np.random.Generator, last: Plan | None = None) -> Plan:
        """A straight way to any place."""
        at = situation.past.part_poses[-1, 0, :2].astype(np.float64)
        way = np.stack([at, rng.uniform(self.low, self.high)])
        return Plan(paced(way, SPEED_M_S * situation.past.dt_s), float("nan"), "nothing")
