"""Straight line segments: pixels whose gradients agree grow into regions, thin regions are lines.

Source: after von Gioi, Jakubowicz, Morel and Randall, PAMI 2010, "LSD: a fast line segment detector"; regions are accepted by
length and straightness instead of by their number of false alarms.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numba import njit

from spatialwm.render.cpu.cache import kernels_cached_for

_TOLERANCE_RAD = math.radians(22.5)
_WEAKEST = 0.9
"""Gradient in L* per pixel below which its direction is noise."""
_SHORTEST = 0.022
"""Of the picture's diagonal."""
_THICKEST_PX = 1.6
"""Standard deviation of a region across its line."""


def line_segments(gradient: Float[np.ndarray, "h w 2"]) -> Float[np.ndarray, "n 4"]:
    """Ends ``x0 y0 x1 y1`` of the straight edges of a picture, px, longest first; pixel centres at half integers."""
    height, width = gradient.shape[:2]
    strength = np.hypot(gradient[..., 0], gradient[..., 1])
    strong = np.flatnonzero(strength > _WEAKEST)
    order = strong[np.argsort(-strength.ravel()[strong], kind="stable")]
    angle = np.arctan2(gradient[..., 1], gradient[..., 0])
    shortest = max(8.0, _SHORTEST * math.hypot(width, height))
    found = _grow(angle, strength, order, _WEAKEST, _TOLERANCE_RAD, shortest, _THICKEST_PX)
    length = np.hypot(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1])
    return found[np.argsort(-length, kind="stable")]


with kernels_cached_for(Path(__file__).parent):

    @njit(cache=True, nogil=True)
    def _grow(angle, strength, order, weakest, tolerance, shortest, thickest):
        """Regions of like gradient direction, strongest pixel first, as the lines along their main axes."""
        height, width = angle.shape
        used = np.zeros((height, width), np.bool_)
        queue = np.empty((height * width, 2), np.int32)
        out = np.empty((len(order), 4))
        count = 0
        for start in order:
            row, col = start // width, start % width
            if used[row, col]:
                continue
            used[row, col] = True
            queue[0, 0], queue[0, 1] = row, col
            size, head = 1, 0
            cosine, sine = math.cos(angle[row, col]), math.sin(angle[row, col])
            while head < size:
                r, c = queue[head]
                head += 1
                mean = math.atan2(sine, cosine)
                for dr in range(-1, 2):
                    for dc in range(-1, 2):
                        y, x = r + dr, c + dc
                        if y < 0 or x < 0 or y >= height or x >= width or used[y, x] or strength[y, x] < weakest:
                            continue
                        off = abs(angle[y, x] - mean)
                        if min(off, 2 * math.pi - off) < tolerance:
                            used[y, x] = True
                            queue[size, 0], queue[size, 1] = y, x
                            size += 1
                            cosine += math.cos(angle[y, x])
                            sine += math.sin(angle[y, x])
            if size < shortest:
                continue
            total, mx, my = 0.0, 0.0, 0.0
            for i in range(size):
                w = strength[queue[i, 0], queue[i, 1]]
                total += w
                mx += w * queue[i, 1]
                my += w * queue[i, 0]
            mx /= total
            my /= total
            xx, yy, xy = 0.0, 0.0, 0.0
            for i in range(size):
                w = strength[queue[i, 0], queue[i, 1]] / total
                dx, dy = queue[i, 1] - mx, queue[i, 0] - my
                xx += w * dx * dx
                yy += w * dy * dy
                xy += w * dx * dy
            root = math.hypot(xx - yy, 2 * xy)
            if math.sqrt(max(0.0, (xx + yy - root) / 2)) > thickest:
                continue
            theta = 0.5 * math.atan2(2 * xy, xx - yy)
            dx, dy = math.cos(theta), math.sin(theta)
            low, high = 0.0, 0.0
            for i in range(size):
                t = (queue[i, 1] - mx) * dx + (queue[i, 0] - my) * dy
                low, high = min(low, t), max(high, t)
            if high - low >= shortest:
                out[count, 0], out[count, 1] = mx + low * dx + 0.5, my + low * dy + 0.5
                out[count, 2], out[count, 3] = mx + high * dx + 0.5, my + high * dy + 0.5
                count += 1
        return out[:count]
