"""Whether a model knows how sure it may be: interval coverage, and what abstaining buys."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float

NOMINAL = tuple(round(0.05 * i, 2) for i in range(1, 20))
"""Shares of an interval at which coverage is compared."""


def interval_factor(share: float) -> float:
    """By what an expected distance is multiplied to hold a share of all distances.

    Errors are taken to be even in all directions of a plane; distances then follow Rayleigh's distribution; 1.71 for 90 %.
    """
    return math.sqrt(-2 * math.log(1 - share)) / math.sqrt(math.pi / 2)


def covered(error_m: Float[np.ndarray, "*n"], sigma_m: Float[np.ndarray, "*n"], share: float = 0.9) -> Bool[np.ndarray, "*n"]:
    """Which errors lie within the interval that their sigma claims for a share of them."""
    return error_m <= interval_factor(share) * sigma_m


def most_certain(sigma_m: Float[np.ndarray, " n"], share: float) -> Bool[np.ndarray, " n"]:
    """The share with the smallest sigma; of equals the first."""
    kept = np.zeros(len(sigma_m), bool)
    kept[np.argsort(sigma_m, kind="stable")[: round(share * len(sigma_m))]] = True
    return kept


def risk_curve(
    error_m: Float[np.ndarray, " n"], sigma_m: Float[np.ndarray, " n"], shares: Float[np.ndarray, " c"]
) -> Float[np.ndarray, " c"]:
    """Mean error of what a model is most certain of, per share that it answers."""
    return np.array([error_m[most_certain(sigma_m, s)].mean() if round(s * len(error_m)) else np.nan for s in shares])
