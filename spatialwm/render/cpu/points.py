"""Farthest points, and points in Morton order, on the processor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numba import njit

from spatialwm.render.cpu.cache import kernels_cached_for

_BUCKET = 128  # points; of 16 to 256 the quickest, at 100k points and at a million

with kernels_cached_for(Path(__file__).parent):

    @njit(cache=True, nogil=True)
    def morton_codes(points, low, scale, out):
        """Write the bits of each point's place in a box, ten per axis, interleaved.

        Args:
            low: the box's least corner; ``scale``: cells per metre along each axis.

        Source: Morton 1966; bits spread as in Warren 2012, "Hacker's Delight".
        """
        for i in range(len(points)):
            code = 0
            for axis in range(3):
                v = int(min(max((points[i, axis] - low[axis]) * scale[axis], 0.0), 1023.0))
                v = (v | (v << 16)) & 0x030000FF
                v = (v | (v << 8)) & 0x0300F00F
                v = (v | (v << 4)) & 0x030C30C3
                v = (v | (v << 2)) & 0x09249249
                code |= v << axis
            out[i] = code

    @njit(cache=True, nogil=True)
    def boxes(points, size, low, high):
        """Write the box around every ``size`` points."""
        for b in range(len(low)):
            low[b], high[b] = points[b * size], points[b * size]
            for i in range(b * size + 1, min((b + 1) * size, len(points))):
                for axis in range(3):
                    low[b, axis] = min(low[b, axis], points[i, axis])
                    high[b, axis] = max(high[b, axis], points[i, axis])

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


def morton_order(points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
    """An order in which neighbours in memory are neighbours in space."""
    if len(points) == 0:
        return np.zeros(0, np.int64)
    low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
    codes = np.empty(len(points), np.int64)
    morton_codes(points, low, 1024 / np.maximum(high - low, np.finfo(np.float32).tiny), codes)
    return np.argsort(codes)


def sample(points: Float[np.ndarray, "n 3"], count: int, start: int) -> Int[np.ndarray, " count"]:
    """Indices of farthest points; see :func:`spatialwm.render.points.farthest_points`, which checks the arguments."""
    order = morton_order(points)
    points = points[order]
    buckets = -(-len(points) // _BUCKET)
    low, high, out = np.empty((buckets, 3), np.float32), np.empty((buckets, 3), np.float32), np.empty(count, np.int64)
    boxes(points, _BUCKET, low, high)
    farthest(points, order, low, high, _BUCKET, int(np.argmax(order == start)), out)
    return out
