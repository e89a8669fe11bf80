"""Farthest points on the processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numba import njit

from spatialwm.render.cpu.cache import kernels_cached_for

with kernels_cached_for(Path(__file__).parent):

    @njit(cache=True, nogil=True, boundscheck=False)
    def farthest(points, order, low, high, size, start, out):
        """Write the indices of points that are each farthest from those before; exact, ties to the lowest index.

        A bucket of near points is skipped while the new point is farther from its box than any of its points is from those
        already chosen. Rounding cannot break this: each step of the distance to the box is a monotone function of the same step
        of the distance to a point inside.

        Args:
            points: (n, 3) float32 in bucket order: bucket b holds ``size`` of them, the last perhaps fewer.
            order: (n,) their original indices.
            low, high: (buckets, 3) boxes.
            start: position of the first point in bucket order.
            out: (count,) int64.
        """
        n, buckets = len(points), len(low)
        left = np.full(n, np.inf, np.float32)  # squared distance to the nearest chosen point; -1 where chosen
        worst = np.empty(buckets, np.float32)  # the greatest of a bucket, and where it is
        place = np.empty(buckets, np.int64)
        chosen = start
        for k in range(len(out)):
            out[k] = order[chosen]
            left[chosen] = -1.0
            x, y, z = points[chosen]
            own = chosen // size
            best, at = np.float32(-2.0), 0
            for b in range(buckets):
                dx = max(max(low[b, 0] - x, x - high[b, 0]), np.float32(0))
                dy = max(max(low[b, 1] - y, y - high[b, 1]), np.float32(0))
                dz = max(max(low[b, 2] - z, z - high[b, 2]), np.float32(0))
                if k == 0 or b == own or dx * dx + dy * dy + dz * dz < worst[b]:
                    first, last = b * size, min((b + 1) * size, n)
                    far, where = np.float32(-2.0), first
                    for i in range(first, last):
                        ex, ey, ez = points[i, 0] - x, points[i, 1] - y, points[i, 2] - z
                        d = min(left[i], ex * ex + ey * ey + ez * ez)
                        left[i] = d
                        if d > far or (d == far and order[i] < order[where]):
                            far, where = d, i
                    worst[b], place[b] = far, where
                if worst[b] > best or (worst[b] == best and order[place[b]] < order[at]):
                    best, at = worst[b], place[b]
            chosen = at
