"""Unit quaternions without their largest component, as three formats pack them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, Int, Integer

_OTHERS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])


def expand(small: Float[np.ndarray, "n 3"], largest: Integer[np.ndarray, " n"]) -> Float64[np.ndarray, "n 4"]:
    """The quaternions, largest component positive, in whatever order ``largest`` counts."""
    rows = np.arange(len(small))[:, None]
    quats = np.empty((len(small), 4))
    quats[rows, _OTHERS[largest]] = small
    quats[rows[:, 0], largest] = np.sqrt(np.maximum(0.0, 1.0 - (np.asarray(small, np.float64) ** 2).sum(1)))
    return quats


def reduce(quats: Float[np.ndarray, "n 4"]) -> tuple[Float[np.ndarray, "n 3"], Int[np.ndarray, " n"]]:
    """The three smaller components, signed for a positive largest one, and which was largest."""
    rows = np.arange(len(quats))
    largest = np.abs(quats).argmax(1)
    flip = np.where(quats[rows, largest] < 0, -1, 1).astype(quats.dtype)
    return quats[rows[:, None], _OTHERS[largest]] * flip[:, None], largest
