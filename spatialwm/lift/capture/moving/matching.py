"""Where each place of a picture lies in another, by likeness alone: normalised cross-correlation from coarse to fine.

No camera is asked: what moves by itself is found because it is somewhere else than its camera says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from numba import njit
from scipy.ndimage import uniform_filter

from spatialwm.lift.pictures.area import area_averaged
from spatialwm.render.cpu.cache import kernels_cached_for
from spatialwm.render.cpu.layout import FAST

F = np.float32
CELL = 4
"""Pixels of the finest level between places that are matched."""
LEVELS = 4
RADIUS = 3
"""Of the window: 7 x 7 px at every level."""
REACH = 8
"""Pixels of the coarsest level that a place may lie away: at 320 px a fifth of the picture."""
FLAT = 2.0 / 255
"""Standard deviation of brightness in a window, below which nothing can be matched."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A picture at one size, with what correlation needs of every window."""

    brightness: Float[np.ndarray, "h w"]
    means: Float[np.ndarray, "h w"]
    inverse_deviations: Float[np.ndarray, "h w"]
    """0 where the window is flat or does not fit."""


def pyramid(brightness: Float[np.ndarray, "h w"]) -> list[Level]:
    """The finest level first, each half the size of the one before."""
    levels: list[Level] = []
    for level in range(LEVELS):
        height, width = max(1, brightness.shape[0] >> level), max(1, brightness.shape[1] >> level)
        plane = brightness.astype(F) if not level else area_averaged(brightness.astype(F), width, height)
        means, squares = (uniform_filter(p.astype(np.float64), 2 * RADIUS + 1) for p in (plane, plane.astype(np.float64) ** 2))
        deviations = np.sqrt(np.maximum(squares - means**2, 0))
        inverse = np.where(deviations > FLAT, 1 / np.maximum(deviations, FLAT), 0)
        inside = np.zeros(plane.shape, np.bool_)
        inside[RADIUS : height - RADIUS, RADIUS : width - RADIUS] = True
        levels.append(Level(np.ascontiguousarray(plane, F), means.astype(F), np.where(inside, inverse, 0).astype(F)))
    return levels


def match(here: Sequence[Level], there: Sequence[Level]) -> tuple[Float[np.ndarray, "h w 2"], Float[np.ndarray, "h w"]]:
    """How many pixels of the finest level each cell's middle lies away in the other picture, and how alike they are, -1..1."""
    coarse_shape = here[-1].brightness.shape
    flow, likeness = np.zeros((*coarse_shape, 2), F), np.full(coarse_shape, F(-1))
    _search(*_planes(here[-1]), *_planes(there[-1]), REACH, flow, likeness)
    rows, columns = (side // CELL for side in here[0].brightness.shape)
    for level in range(LEVELS - 2, -1, -1):
        before, step = flow, max(1, CELL >> level)
        height, width = here[level].brightness.shape
        shape = (height // step, width // step) if step == 1 else (rows, columns)
        flow, likeness = np.zeros((*shape, 2), F), np.full(shape, F(-1))
        _refine(*_planes(here[level]), *_planes(there[level]), before, step, level == 0, flow, likeness)
    return flow, likeness


def there_and_back(
    forth: Float[np.ndarray, "h w 2"], back: Float[np.ndarray, "h w 2"], within_px: float
) -> Bool[np.ndarray, "h w"]:
    """Which cells come back to where they started, as what is hidden in the other picture does not."""
    rows, columns = np.mgrid[: forth.shape[0], : forth.shape[1]]
    x, y = columns + forth[..., 0] / CELL, rows + forth[..., 1] / CELL
    inside = (x > -0.5) & (y > -0.5) & (x < back.shape[1] - 0.5) & (y < back.shape[0] - 0.5)
    j, i = (np.clip(np.rint(v).astype(np.int64), 0, n - 1) for v, n in ((x, back.shape[1]), (y, back.shape[0])))
    return inside & (np.hypot(*np.moveaxis(forth + back[i, j], -1, 0)) < within_px)


def _planes(level: Level) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return level.brightness, level.means, level.inverse_deviations


with kernels_cached_for(Path(__file__).parent):

    @njit(**FAST)
    def correlation(a, a_mean, a_inverse, y, x, b, b_mean, b_inverse, v, u):
        """Of the windows around two pixels; -1 where one is flat or does not fit."""
        if v < 0 or u < 0 or v >= b.shape[0] or u >= b.shape[1]:
            return F(-1)
        scale = a_inverse[y, x] * b_inverse[v, u]
        if scale == F(0):
            return F(-1)
        total = F(0)
        for dy in range(-RADIUS, RADIUS + 1):
            for dx in range(-RADIUS, RADIUS + 1):
                total += a[y + dy, x + dx] * b[v + dy, u + dx]
        return (total / F((2 * RADIUS + 1) ** 2) - a_mean[y, x] * b_mean[v, u]) * scale

    @njit(**FAST)
    def _search(a, a_mean, a_inverse, b, b_mean, b_inverse, reach, flow, likeness):
        """The best of all places within ``reach``; among equals the nearest."""
        for y in range(a.shape[0]):
            for x in range(a.shape[1]):
                for dy in range(-reach, reach + 1):
                    for dx in range(-reach, reach + 1):
                        found = correlation(a, a_mean, a_inverse, y, x, b, b_mean, b_inverse, y + dy, x + dx)
                        found -= F(1e-3) * F(abs(dx) + abs(dy))
                        if found > likeness[y, x]:
                            likeness[y, x] = found
                            flow[y, x, 0], flow[y, x, 1] = dx, dy

    @njit(**FAST)
    def _refine(a, a_mean, a_inverse, b, b_mean, b_inverse, coarse, step, last, flow, likeness):
        """The best of what the coarser level found here and around, a pixel more or less; between pixels at the last level."""
        scores = np.empty((3, 3), F)
        tried = np.empty((9, 2), np.int64)
        for row in range(flow.shape[0]):
            for column in range(flow.shape[1]):
                y, x = row * step + step // 2, column * step + step // 2
                if a_inverse[y, x] == F(0):
                    continue
                # The coarser level has cells of the same spacing once a cell is more than a pixel, of twice the spacing before.
                if step > 1:
                    top, left = row, column
                else:
                    top, left = row // 2, column // 2
                best_u, best_v, count = 0, 0, 0
                for ci in range(max(top - 1, 0), min(top + 2, coarse.shape[0])):
                    for cj in range(max(left - 1, 0), min(left + 2, coarse.shape[1])):
                        u0, v0 = round(2 * coarse[ci, cj, 0]), round(2 * coarse[ci, cj, 1])
                        known = False  # neighbours mostly agree: four fifths of all work
                        for k in range(count):
                            known = known or (tried[k, 0] == u0 and tried[k, 1] == v0)
                        if known:
                            continue
                        tried[count, 0], tried[count, 1] = u0, v0
                        count += 1
                        for dv in range(-1, 2):
                            for du in range(-1, 2):
                                found = correlation(a, a_mean, a_inverse, y, x, b, b_mean, b_inverse, y + v0 + dv, x + u0 + du)
                                if found > likeness[row, column]:
                                    likeness[row, column] = found
                                    best_u, best_v = u0 + du, v0 + dv
                flow[row, column, 0], flow[row, column, 1] = best_u, best_v
                if last and likeness[row, column] > F(-1):
                    for dv in range(3):
                        for du in range(3):
                            scores[dv, du] = correlation(
                                a, a_mean, a_inverse, y, x, b, b_mean, b_inverse, y + best_v + dv - 1, x + best_u + du - 1
                            )
                    flow[row, column, 0] += _peak(scores[1, 0], scores[1, 1], scores[1, 2])
                    flow[row, column, 1] += _peak(scores[0, 1], scores[1, 1], scores[2, 1])

    @njit(**FAST)
    def _peak(before, middle, after):
        """Where the parabola through three values one apart is highest, within half a step."""
        bend = before - 2 * middle + after
        if before <= F(-1) or after <= F(-1) or bend > F(-1e-6):
            return F(0)
        return min(max(F(0.5) * (before - after) / bend, F(-0.5)), F(0.5))

    @njit(**FAST)
    def likeness_at_rest(
        a, a_mean, a_inverse, ys, xs, b, b_mean, b_inverse, starts, widths, heights, matrices, offsets, inverse, asked, out
    ):
        """How alike other views are at best where a place would lie that does not move, over all its possible depths.

        Args:
            ys, xs: pixels of this view.
            b, b_mean, b_inverse: the other views' planes, flat, one after the other; ``starts``, ``widths``, ``heights``: where.
            matrices, offsets: ``transfer`` from this view into each other.
            inverse: inverse depths that are tried.
            asked: (pixels, views) bool: the views that count for a pixel.
            out: written, mean correlation over the asked views at the best depth; a pixel more or less is forgiven.
        """
        for k in range(len(ys)):
            out[k] = F(-1)
            y, x = ys[k], xs[k]
            for w in inverse:
                total, count = F(0), 0
                for s in range(len(starts)):
                    if not asked[k, s]:
                        continue
                    m, o = matrices[s], offsets[s]
                    px, py = x + 0.5, y + 0.5
                    q = m[2, 0] * px + m[2, 1] * py + m[2, 2] + w * o[2]
                    count += 1
                    best = F(-1)
                    if q > 0:
                        u0 = math.floor((m[0, 0] * px + m[0, 1] * py + m[0, 2] + w * o[0]) / q)
                        v0 = math.floor((m[1, 0] * px + m[1, 1] * py + m[1, 2] + w * o[1]) / q)
                        if -2 < u0 < widths[s] + 1 and -2 < v0 < heights[s] + 1:
                            size = widths[s] * heights[s]
                            bb = b[starts[s] : starts[s] + size].reshape(heights[s], widths[s])
                            bm = b_mean[starts[s] : starts[s] + size].reshape(heights[s], widths[s])
                            bi = b_inverse[starts[s] : starts[s] + size].reshape(heights[s], widths[s])
                            for dv in range(-1, 2):
                                for du in range(-1, 2):
                                    best = max(best, correlation(a, a_mean, a_inverse, y, x, bb, bm, bi, v0 + dv, u0 + du))
                    total += best
                if count > 0 and total / F(count) > out[k]:
                    out[k] = total / F(count)
