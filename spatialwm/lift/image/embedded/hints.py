"""Distances that the user gave at some places correct the whole picture's scale, and what lies around them locally."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.photo import Px

_REACH = 0.12
"""Of the diagonal: standard deviation of a correction's reach over like colours."""
_COLOUR = 14.0
"""L*a*b* units over which a correction fades."""
_REST = 0.02
"""Weight of the common factor beside the corrections."""


def corrected(
    distance_m: Float[np.ndarray, "h w"], look: Look, depths: Sequence[tuple[Px, float]]
) -> tuple[Float[np.ndarray, "h w"], float]:
    """Distances that hold at the given places, and the relative spread of the corrections about their median.

    The median ratio scales everything; what is left at a place fades with the distance and the difference of colour from it.
    """
    height, width = distance_m.shape
    cols = np.array([min(max(int(x * width), 0), width - 1) for (x, _), _ in depths])
    rows = np.array([min(max(int(y * height), 0), height - 1) for (_, y), _ in depths])
    ratios = np.log([d for _, d in depths]) - np.log(distance_m[rows, cols])
    common = float(np.median(ratios))
    v, u = np.mgrid[0:height, 0:width]
    total, weights = np.zeros((height, width)), np.full((height, width), _REST)
    reach = _REACH * math.hypot(height, width)
    for row, col, ratio in zip(rows, cols, ratios, strict=True):
        squared = ((u - col) ** 2 + (v - row) ** 2) / reach**2
        squared = squared + ((look.lab - look.lab[row, col]) ** 2).sum(-1) / _COLOUR**2
        weight = np.exp(-0.5 * squared)
        total += weight * (ratio - common)
        weights += weight
    return distance_m * np.exp(common + total / weights), float(np.std(ratios))
