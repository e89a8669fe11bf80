"""How far a mean may be trusted: episodes are drawn anew, whole, since what happens within one is not independent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval; NaN where there was nothing to measure."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """The sign is certain."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A statistic of the data as they are, and of every resample of them."""

    value: float
    draws: Float[np.ndarray, " b"]

    def estimate(self, scale: float = 1.0) -> Estimate:
        """With a percentile interval."""
        draws = self.draws[np.isfinite(self.draws)]
        if not (np.isfinite(self.value) and len(draws)):
            return Estimate(float("nan"), float("nan"), float("nan"))
        low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Estimate(scale * self.value, scale * float(low), scale * float(high))

    def ratio_to(self, other: Drawn) -> Drawn:
        """This over another of the same resamples: what both share cancels."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return Drawn(float(np.divide(self.value, other.value)), np.divide(self.draws, other.draws))

    def below(self, other: Drawn) -> Drawn:
        """By what share this lies below another: 0.2 is 20 % below."""
        ratio = self.ratio_to(other)
        return Drawn(1 - ratio.value, 1 - ratio.draws)


class Resamples:
    """The same draws of episodes for every statistic, so that differences between models are paired.

    With several trained seeds of a model these are drawn too: the interval then holds for a training, not for one network.

    Source: Cameron, Gelbach, Miller 2008 (cluster bootstrap); Owen and Eckles 2012 (both factors drawn independently).
    """

    def __init__(self, episodes: int, count: int = 1000, seed: int = 0) -> None:
        self._seed = seed
        drawn = np.random.default_rng(seed).multinomial(episodes, np.full(episodes, 1 / episodes), count)
        self.weights = drawn.astype(np.float64)
        """``(count, episodes)``: how often each episode was drawn."""

    def mean(
        self, values: Float[np.ndarray, "s n"], episode: Int[np.ndarray, " n"], counted: Bool[np.ndarray, "s n"]
    ) -> Drawn:
        """Mean over what is counted of all seeds; every value weighs the same, as in the data."""
        episodes, seeds = self.weights.shape[1], len(values)
        sums, counts = np.zeros((seeds, episodes)), np.zeros((seeds, episodes))
        for s in range(seeds):
            kept = counted[s]
            sums[s] = np.bincount(episode[kept], values[s][kept], episodes)
            counts[s] = np.bincount(episode[kept], minlength=episodes)
        of_seed = self._seed_weights(seeds)
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.divide(sums.sum(), counts.sum())
            draws = np.einsum("bs,be,se->b", of_seed, self.weights, sums, optimize=True) / np.einsum(
                "bs,be,se->b", of_seed, self.weights, counts, optimize=True
            )
        return Drawn(float(value), draws)

    def median(
        self, values: Float[np.ndarray, "s n"], episode: Int[np.ndarray, " n"], counted: Bool[np.ndarray, "s n"]
    ) -> Drawn:
        """As :meth:`mean`; half of the drawn weight lies at or below it."""
        seed_of, place = np.nonzero(counted)
        if not len(place):
            return Drawn(float("nan"), np.full(len(self.weights), np.nan))
        flat = values[seed_of, place]
        order = np.argsort(flat, kind="stable")
        flat, of_seed, of_episode = flat[order], seed_of[order], episode[place[order]]
        seeds = self._seed_weights(len(values))
        draws = np.empty(len(self.weights))
        for b, weights in enumerate(self.weights):
            reached = np.cumsum(weights[of_episode] * seeds[b, of_seed])
            draws[b] = flat[np.searchsorted(reached, reached[-1] / 2)] if reached[-1] > 0 else np.nan
        return Drawn(float(np.median(flat)), draws)

    def _seed_weights(self, seeds: int) -> Float[np.ndarray, "b s"]:
        if seeds == 1:
            return np.ones((len(self.weights), 1))
        rng = np.random.default_rng([self._seed, seeds])
        return rng.multinomial(seeds, np.full(seeds, 1 / seeds), len(self.weights)).astype(np.float64)
