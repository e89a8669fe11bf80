"""Planning with smooth paths of commands, for any forecaster: a few knots, and a spline between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from spatialwm.dynamics.episode import Forecaster, Situation
from spatialwm.dynamics.planning.cost import CostModel
from spatialwm.dynamics.planning.goals import Goal
from spatialwm.dynamics.planning.plan import Plan
from spatialwm.dynamics.planning.search import CPU_PRESET, Search, Space
from spatialwm.dynamics.planning.trust import ALWAYS_CHECKED, Trust, first_trusted
from spatialwm.errors import ActionError

Propose = Callable[[Situation, np.random.Generator], np.ndarray]
"""Knots worth trying first, ``(n, knots * a)``."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Knots:
    """Commands between bounds, free at every ``every`` steps and smooth in between; they begin at ``now``."""

    low: Float[np.ndarray, " a"]
    high: Float[np.ndarray, " a"]
    steps: int = 30
    every: int = 5
    std: float = 0.25
    """First spread, as a share of the range."""

    def __post_init__(self) -> None:
        if self.low.shape != self.high.shape or self.low.ndim != 1 or not (self.low < self.high).all():
            raise ActionError(f"commands need low < high in each of their values; got {self.low} and {self.high}")
        if self.steps < 1 or not 1 <= self.every <= self.steps:
            raise ActionError(f"knots need 1 <= every <= steps; got every {self.every} of {self.steps} steps")

    @property
    def count(self) -> int:
        """Knots after the present."""
        return -(-self.steps // self.every)

    def space(self, around: Float[np.ndarray, "k a"]) -> Space:
        """The box of all knots, searched around some first."""
        low, high = (np.tile(x, self.count) for x in (self.low, self.high))
        return Space(low, high, np.clip(around.reshape(-1), low, high), self.std * (high - low))

    def commands(self, now: Float[np.ndarray, " a"], knots: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n t a"]:
        """The paths through the knots. Monotone cubics: no path leaves the range of its knots, so the bounds hold everywhere."""
        n, a = len(knots), len(self.low)
        through = np.concatenate([np.broadcast_to(now, (n, 1, a)), knots.reshape(n, self.count, a)], 1)
        at = np.arange(self.count + 1) * self.every
        return np.clip(PchipInterpolator(at, through, axis=1)(np.arange(1, self.steps + 1)), self.low, self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnotPlanner:
    """The whole path of commands at once, searched for over a world model; acted out for ``act_steps``, then planned anew."""

    forecaster: Forecaster
    goal: Goal
    knots: Knots
    act_steps: int = 10
    search: Search = CPU_PRESET
    propose: Propose | None = None
    trust: Trust = ALWAYS_CHECKED
    caution: float = 0.0
    calm: float = 0.1

    def plan(self, situation: Situation, rng: np.random.Generator, last: Plan | None = None) -> Plan:
        """The first ``act_steps`` of the best path found; the search starts at the rest of the last plan."""
        begun = time.perf_counter()
        now = _now(situation, len(self.knots.low))
        k, a = self.knots.count, len(self.knots.low)
        around = np.tile(now, (k, 1))
        seeds = [around.reshape(1, -1)]
        if last is not None and last.parameters is not None and last.parameters.size == k * a:
            gone = round(self.act_steps / self.knots.every)
            around = np.concatenate([last.parameters.reshape(k, a), np.tile(last.parameters[-a:], (gone, 1))])[gone : gone + k]
            seeds.append(around.reshape(1, -1))
        if self.propose is not None:
            seeds.append(self.propose(situation, rng))
        first = np.concatenate(seeds)
        plan = first_trusted(self.forecaster, self.trust, lambda m: self._plan_with(m, situation, now, around, first, rng))
        return replace(plan, seconds=time.perf_counter() - begun)

    def _plan_with(
        self, model: Forecaster, situation: Situation, now: np.ndarray, around: np.ndarray, seeds: np.ndarray,
        rng: np.random.Generator,
    ) -> Plan:  # fmt: skip
        costs = CostModel(model, self.goal, self.caution, self.calm)

        def objective(tried: np.ndarray) -> np.ndarray:
            actions = torch.from_numpy(self.knots.commands(now, tried))[None]
            return costs.get_cost({"situation": situation}, actions)[0].numpy()

        found = self.search.minimize(objective, self.knots.space(around), rng, seeds)
        commands = self.knots.commands(now, found.parameters[None])
        whole = model.forecast([situation], commands)[0]
        acted = commands[0, : self.act_steps]
        expected = replace(whole, poses=whole.poses[: len(acted)], sigma_m=whole.sigma_m[: len(acted)])
        return Plan(acted, found.cost, model.name, expected, found.parameters, found.evaluated + 1)


def _now(situation: Situation, width: int) -> np.ndarray:
    """The command that changes nothing: the last one given, or where the actor's first part is."""
    past = situation.past
    if past.commands.shape[1] != width:
        raise ActionError(f"each command has {past.commands.shape[1]} values here; the knots have {width}")
    if len(past.commands):
        return past.commands[-1].astype(np.float64)
    at = past.part_poses[-1, 0] if past.part_poses.shape[1] else np.zeros(7)
    return np.resize(at.astype(np.float64), width)
