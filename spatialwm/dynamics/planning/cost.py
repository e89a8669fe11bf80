"""From a world model and a goal to the cost of actions, in the form that planners of this field share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.dynamics.episode import Forecast, Forecaster, Situation
from spatialwm.dynamics.planning.goals import DISTANCE_M, Goal, index_of
from spatialwm.errors import ActionError

ABSTAINED = 1e3
"""Added to the cost of what the model would not answer for: such actions come last, but still compare among themselves."""


@runtime_checkable
class Costable(Protocol):
    """What a planner asks; stable-worldmodel's solvers call the same method, so either side can be exchanged."""

    def get_cost(self, info: Mapping[str, Any], actions: Float[Tensor, "b s t a"]) -> Float[Tensor, "b s"]:
        """The cost of S action sequences of T steps for each of B problems; less is better."""
        ...


@dataclass(frozen=True, slots=True)
class CostModel:
    """Costs by forecast: ``info["situation"]`` holds the present of each problem.

    It is one :class:`Situation`, B of them, or (B, S) of them where every candidate starts from its own, as nested sequences or
    an object array. ``info["goal"]``, if given, replaces the goal: one, or B of them.
    """

    forecaster: Forecaster
    goal: Goal
    caution: float = 0.0
    """Cost of one goal tolerance (2 cm) of expected model error at the end, for the objects that the goal names."""
    calm: float = 0.1
    """Cost of moving every other object by one tolerance."""

    def get_cost(self, info: Mapping[str, Any], actions: Float[Tensor, "b s t a"]) -> Float[Tensor, "b s"]:
        """See :class:`Costable`.

        Raises:
            ActionError: actions of another shape, not finite, or no situation to start from.
        """
        if actions.ndim != 4:
            raise ActionError(f"actions must be (problems, samples, steps, values); got {tuple(actions.shape)}")
        b, s, t, a = actions.shape
        situations = _situations(info, b, s)
        goals = _goals(info.get("goal", self.goal), b)
        commands = actions.detach().to("cpu", torch.float64).numpy().reshape(b * s, t, a)
        forecasts = self.forecaster.forecast([x for row in situations for x in row], commands)
        costs = np.stack([self.judge(goals[i], situations[i][0], forecasts[i * s : (i + 1) * s]) for i in range(b)])
        return torch.from_numpy(costs).to(actions)

    def judge(self, goal: Goal, situation: Situation, forecasts: Sequence[Forecast]) -> Float[np.ndarray, " s"]:
        """The cost of each forecast of one problem."""
        costs = goal.costs(situation, forecasts)
        named = [index_of(situation, t.object) for t in goal.targets(situation)]
        others = np.setdiff1d(np.arange(len(situation.cast.object_ids)), named)
        ends = np.stack([f.poses[-1] for f in forecasts])
        if self.calm and len(others):
            away = np.linalg.norm(ends[:, others, :3] - situation.past.poses[-1, others, :3], axis=-1)
            costs = costs + self.calm * away.sum(1) / DISTANCE_M
        if self.caution:
            costs = costs + self.caution * np.stack([f.sigma_m[-1, named].max() for f in forecasts]) / DISTANCE_M
        return costs + ABSTAINED * np.array([f.trusted == "abstain" for f in forecasts])


def _situations(info: Mapping[str, Any], b: int, s: int) -> list[list[Situation]]:
    given = info.get("situation")
    if isinstance(given, Situation):
        return [[given] * s] * b
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, Sequence) or len(given) != b:
        raise ActionError(f'info["situation"] must hold one Situation for each of {b} problems; got {type(given).__name__}')
    rows = [[row] * s if isinstance(row, Situation) else list(row) for row in given]
    if any(len(row) != s or not all(isinstance(x, Situation) for x in row) for row in rows):
        raise ActionError(f'info["situation"] must hold one Situation for each problem, or for each of its {s} samples')
    return rows


def _goals(given: Any, b: int) -> list[Any]:
    if not isinstance(given, (Sequence, np.ndarray)):
        return [given] * b
    if len(given) != b:
        raise ActionError(f'info["goal"] must be one goal, or one for each of {b} problems; got {len(given)}')
    return list(given)
