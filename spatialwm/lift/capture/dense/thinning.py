"""Fewer points, as evenly spread as the surface allows: darts that keep their distance, each grown to stand for its surroundings.

Means of grid cells are cheaper but leave seams wherever a surface crosses the grid askew; these have none.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numba import njit
from scipy.spatial import KDTree

from spatialwm.render.cpu.cache import kernels_cached_for
from spatialwm.render.cpu.layout import FAST
from spatialwm.render.cpu.threads import machine_threads

with kernels_cached_for(Path(__file__).parent):

    @njit(**FAST)
    def throw(points, radius, cell, bits):
        """Which points to keep, taken in order, so that two are nowhere nearer than the mean of their radii.

        Args:
            cell: at least the largest radius.
            bits: of the size of the table that the cells are hashed into.
        """
        mask = (np.int64(1) << bits) - 1
        head = np.full(mask + 1, -1, np.int64)
        following = np.full(len(points), -1, np.int64)
        kept = np.zeros(len(points), np.bool_)
        for i in range(len(points)):
            a, b, c = math.floor(points[i, 0] / cell), math.floor(points[i, 1] / cell), math.floor(points[i, 2] / cell)
            free = True
            for n in range(27):
                x, y, z = a + n // 9 - 1, b + n // 3 % 3 - 1, c + n % 3 - 1
                j = head[((x * 73856093) ^ (y * 19349663) ^ (z * 83492791)) & mask]
                while j >= 0:
                    dx, dy, dz = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1], points[i, 2] - points[j, 2]
                    reach = 0.5 * (radius[i] + radius[j])
                    if dx * dx + dy * dy + dz * dz < reach * reach:
                        free = False
                        break
                    j = following[j]
                if not free:
                    break
            if free:
                h = ((a * 73856093) ^ (b * 19349663) ^ (c * 83492791)) & mask
                following[i], head[h] = head[h], i
                kept[i] = True
        return kept


def spread(
    points: Float[np.ndarray, "n 3"], radius: Float[np.ndarray, " n"], level: Int[np.ndarray, " n"], order: Int[np.ndarray, " n"]
) -> Int[np.ndarray, " k"]:
    """Rows of points that keep their distance; a coarser one is left out where finer ones lie.

    Args:
        level: of the radius, powers of two; finer levels choose first.
        order: the rows in the order in which they may choose within a level.
    """
    kept = np.zeros(0, np.int64)
    for here in np.unique(level).tolist():
        rows = order[level[order] == here]
        if len(kept):
            reach = 0.75 * radius[rows].max()
            near, _ = KDTree(points[kept]).query(points[rows], distance_upper_bound=reach, workers=machine_threads())
            rows = rows[near > 0.75 * radius[rows]]
        if len(rows):
            bits = min(max(math.ceil(math.log2(len(rows) + 1)), 8), 22)
            chosen = throw(np.ascontiguousarray(points[rows]), radius[rows], float(radius[rows].max()), bits)
            kept = np.concatenate([kept, rows[chosen]])
    return kept
