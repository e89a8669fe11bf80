"""Derivative-free search in a box: the cross-entropy method and path integrals, on numbers of any meaning."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.errors import ActionError

Objective = Callable[[np.ndarray], np.ndarray]
"""``(s, d)`` parameters to ``(s,)`` costs; infinite where they make no sense."""


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where to search, and how widely at first."""

    low: Float[np.ndarray, " d"]
    high: Float[np.ndarray, " d"]
    mean: Float[np.ndarray, " d"]
    std: Float[np.ndarray, " d"]
    around: Bool[np.ndarray, " d"] | None = None
    """Which parameters go round: their high is their low again."""

    def __post_init__(self) -> None:
        shapes = {x.shape for x in (self.low, self.high, self.mean, self.std)}
        if len(shapes) != 1 or self.low.ndim != 1:
            raise ActionError(f"low, high, mean and std must be of one length; got {sorted(shapes)}")
        if not ((self.low < self.high).all() and (self.std > 0).all()):
            raise ActionError("a search needs low < high and std > 0 in every parameter")

    def inside(self, parameters: Float[np.ndarray, "s d"]) -> Float[np.ndarray, "s d"]:
        """The nearest parameters in the box; those that go round are brought round."""
        clipped = np.clip(parameters, self.low, self.high)
        if self.around is None:
            return clipped
        return np.where(self.around, self.low + np.mod(parameters - self.low, self.high - self.low), clipped)

    def uniform(self, count: int, rng: np.random.Generator) -> Float[np.ndarray, "s d"]:
        """Anywhere in the box."""
        return rng.uniform(self.low, self.high, (count, len(self.low)))


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The best that a search has seen."""

    parameters: Float[np.ndarray, " d"]
    cost: float
    evaluated: int
    best_by_iteration: tuple[float, ...]


@runtime_checkable
class Search(Protocol):
    """Finds parameters of low cost; ``seeds`` are tried first."""

    def minimize(
        self, objective: Objective, space: Space, rng: np.random.Generator, seeds: Float[np.ndarray, "n d"] | None = None
    ) -> Found: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cem:
    """The cross-entropy method (Rubinstein 1999). The defaults are for two processor cores: 320 forecasts."""

    samples: int = 64
    iterations: int = 5
    elites: int = 8
    around: Literal["elites", "mean"] = "elites"
    """Draw around single elites or around their mean; contact has many separate good answers, whose mean is bad."""
    shrink: float = 0.6
    """Of the spread from one iteration to the next, where it is not the elites' own."""

    def __post_init__(self) -> None:
        _check(self.samples, self.iterations)
        if not 1 <= self.elites <= self.samples:
            raise ActionError(f"elites must lie between 1 and the {self.samples} samples; got {self.elites}")

    def minimize(
        self, objective: Objective, space: Space, rng: np.random.Generator, seeds: Float[np.ndarray, "n d"] | None = None
    ) -> Found:
        """See :class:`Search`. The best of all iterations is kept and comes back into every one."""
        tried = _first(space, rng, self.samples, seeds)
        kept, costs = np.zeros((0, len(space.low))), np.zeros(0)
        history: list[float] = []
        for i in range(self.iterations):
            kept, costs = _best(np.concatenate([kept, tried]), np.concatenate([costs, objective(tried)]), self.elites)
            history.append(float(costs[0]))
            if self.around == "elites":
                centers = kept[rng.integers(len(kept), size=self.samples)]
                std = space.std * self.shrink ** (i + 1)
            else:
                centers = kept.mean(0)
                std = np.maximum(kept.std(0), 0.1 * space.std * self.shrink ** (i + 1))
            tried = space.inside(centers + rng.normal(size=(self.samples, len(space.low))) * std)
        return Found(kept[0], float(costs[0]), self.samples * self.iterations, tuple(history))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mppi:
    """Model-predictive path integral search (Williams et al. 2017): the mean moves to the exponentially weighted samples."""

    samples: int = 64
    iterations: int = 5
    temperature: float = 0.3
    """In units of the spread of the better half of the costs."""
    shrink: float = 0.7

    def __post_init__(self) -> None:
        _check(self.samples, self.iterations)
        if not self.temperature > 0:
            raise ActionError(f"temperature must be positive; got {self.temperature}")

    def minimize(
        self, objective: Objective, space: Space, rng: np.random.Generator, seeds: Float[np.ndarray, "n d"] | None = None
    ) -> Found:
        """See :class:`Search`. Returns the best sample seen, which is never worse than the mean's."""
        tried = _first(space, rng, self.samples, seeds)
        best, lowest = tried[0], math.inf
        history: list[float] = []
        for i in range(self.iterations):
            costs = objective(tried)
            if costs.min() < lowest:
                best, lowest = tried[costs.argmin()], float(costs.min())
            history.append(lowest)
            finite = np.isfinite(costs)
            if not finite.any():
                tried = space.uniform(self.samples, rng)
                continue
            scale = np.median(costs[finite]) - costs[finite].min()
            weights = np.where(finite, np.exp(-(np.where(finite, costs, 0) - lowest) / (self.temperature * scale + 1e-9)), 0.0)
            mean = best + _weighted(space, tried - best, weights / max(weights.sum(), 1e-300))
            tried = space.inside(mean + rng.normal(size=(self.samples, len(space.low))) * space.std * self.shrink ** (i + 1))
            tried[0] = best
        return Found(best, lowest, self.samples * self.iterations, tuple(history))


def _check(samples: int, iterations: int) -> None:
    if samples < 1 or iterations < 1:
        raise ActionError(f"a search needs at least one sample and one iteration; got {samples} and {iterations}")


def _first(space: Space, rng: np.random.Generator, samples: int, seeds: np.ndarray | None) -> np.ndarray:
    drawn = space.inside(space.mean + rng.normal(size=(samples, len(space.low))) * space.std)
    if seeds is not None and len(seeds):
        count = min(len(seeds), samples)
        drawn[:count] = space.inside(np.asarray(seeds, np.float64)[:count])
    return drawn


def _best(parameters: np.ndarray, costs: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(np.where(np.isnan(costs), np.inf, costs), kind="stable")[:count]
    return parameters[order], costs[order]


def _weighted(space: Space, differences: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean of differences, the short way round where parameters go round."""
    if space.around is not None:
        period = space.high - space.low
        differences = np.where(space.around, np.mod(differences + period / 2, period) - period / 2, differences)
    return weights @ differences


CPU_PRESET = Cem(samples=64, iterations=5)
"""What two cores can afford within five seconds on a model of one millisecond a step."""
