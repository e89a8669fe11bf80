"""Where the ground meets what stands on it, in every direction: the best closed line around the viewer."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int

from spatialwm.lift.image.panorama.regions import Regions

_FARTHEST_RAD, _NEAREST_RAD = math.radians(1.2), math.radians(50.0)
_JUMP, _JUMP_MOST = 0.5, 4.0
"""Cost of a step of one row between neighbouring columns, and of any step: corners of houses do jump."""
_EDGE = 1.5
"""Worth of a clear edge along the line."""


def find_contact(
    regions: Regions, light: Float[np.ndarray, "h w"], farthest_rad: float = _FARTHEST_RAD
) -> Float[np.ndarray, " w"]:
    """Angle below eye level of the ground's far end, per column, radians; at least ``farthest_rad``, which may be negative.

    The line that divides what is likelier ground from what is likelier not, with few jumps; it closes behind the viewer.
    """
    height, width = light.shape
    step_rad = math.pi / height
    first = height // 2 + round(farthest_rad / step_rad)
    last = height // 2 + round(_NEAREST_RAD / step_rad)
    # cost[r]: rows before r stand, rows from r on are ground.
    below = slice(first, last)
    standing = -np.log(np.clip(regions.upright[below] + regions.sky[below], 0.02, 1))
    ground = -np.log(np.clip(regions.ground[below], 0.02, 1))
    above = np.concatenate([np.zeros((1, width)), np.cumsum(standing, 0)])
    under = np.concatenate([np.cumsum(ground[::-1], 0)[::-1], np.zeros((1, width))])
    cost = above + under
    edge = np.abs(light[first - 1 : last] - light[first : last + 1])
    cost -= _EDGE * np.minimum(edge / max(float(np.quantile(edge, 0.95)), 1e-3), 1)
    rows = closed_path(cost, _JUMP, _JUMP_MOST)
    return (rows + first - height / 2) * step_rad


def closed_path(cost: Float[np.ndarray, "r w"], jump: float, most: float) -> Int[np.ndarray, " w"]:
    """The cheapest row per column when every jump costs and the last column is next to the first.

    Two turns more than needed are walked: in the middle one nothing is left of where it began.
    """
    rows, width = cost.shape
    step = np.minimum(jump * np.abs(np.subtract.outer(np.arange(rows), np.arange(rows))), most)
    total = np.zeros(rows)
    came = np.empty((3 * width, rows), np.int32)
    for column in range(3 * width):
        reach = total[None, :] + step
        came[column] = reach.argmin(1)
        total = reach[np.arange(rows), came[column]] + cost[:, column % width]
        total -= total.min()
    path = np.empty(3 * width, np.int64)
    path[-1] = total.argmin()
    for column in range(3 * width - 1, 0, -1):
        path[column - 1] = came[column][path[column]]
    return path[width : 2 * width]
