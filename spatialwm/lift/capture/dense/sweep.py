"""The plane sweep's inner loops: how well each pixel of a view matches its sources at each depth, and which depth wins.

One output row at a time: for every source the row that enters the window is warped, three sums per column (source, its square,
its product with the reference) are moved down by one row, and the 7 columns of each window are added. Nothing larger than a few
rows exists, so a band of rows runs in the L2 cache, and the winner is followed plane by plane without a cost volume. The
pixels that a source sees are one interval per row, because a homography keeps convex sets convex: it is computed, not tested.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numba import njit

from spatialwm.render.cpu.cache import kernels_cached_for
from spatialwm.render.cpu.layout import FAST

F = np.float32
RADIUS = 3
WINDOW = 2 * RADIUS + 1
BAND = 48
"""Rows of one job. Fixed, so that the running sums of a pixel do not depend on the number of threads; a band repeats 6 rows."""
FLAT = F(2e-5)
"""Variance of brightness (0..1) below which a window's correlation fades: 1.1 of 255 levels are noise, not texture to match."""
ZERO, HALF, ONE = F(0), F(0.5), F(1)
_INSIDE = 0.01  # pixels kept from a source's border, so that rounding cannot read beyond it

with kernels_cached_for(Path(__file__).parent):

    @njit(**FAST)
    def seen_interval(row_u, row_v, row_q, step_u, step_v, step_q, width, source_width, source_height):
        """The pixels ``lo <= x < hi`` of a row that a source sees; ``u = (row_u + step_u x) / (row_q + step_q x)``, v alike."""
        lo, hi = 0.0, float(width - 1)
        for k in range(5):
            if k == 0:  # in front of the source
                a, b = row_q - 1e-6, step_q
            elif k == 1:
                a, b = row_u - _INSIDE * row_q, step_u - _INSIDE * step_q
            elif k == 2:
                edge = source_width - 1 - _INSIDE
                a, b = edge * row_q - row_u, edge * step_q - step_u
            elif k == 3:
                a, b = row_v - _INSIDE * row_q, step_v - _INSIDE * step_q
            else:
                edge = source_height - 1 - _INSIDE
                a, b = edge * row_q - row_v, edge * step_q - step_v
            if b > 0.0:
                lo = max(lo, -a / b)
            elif b < 0.0:
                hi = min(hi, -a / b)
            elif a < 0.0:
                return 0, 0
        if not lo <= hi:
            return 0, 0
        return math.ceil(lo), math.floor(hi) + 1

    @njit(**FAST)
    def warp(source, start, source_width, row_u, row_v, row_q, step_u, step_v, step_q, lo, hi, out):
        """Bilinear samples of a flat image at the pixels ``lo .. hi`` of a row, zero elsewhere."""
        out[:lo] = ZERO
        out[hi:] = ZERO
        stride, start = np.uint32(source_width), np.uint32(start)
        wanted = out[lo:hi]
        for k in range(len(wanted)):
            t = F(lo + k)
            inverse = ONE / (row_q + step_q * t)
            u, v = (row_u + step_u * t) * inverse, (row_v + step_v * t) * inverse
            i, j = np.uint32(u), np.uint32(v)
            a, b = u - F(i), v - F(j)
            at = start + j * stride + i
            top = source[at] + a * (source[at + np.uint32(1)] - source[at])
            below = at + stride
            bottom = source[below] + a * (source[below + np.uint32(1)] - source[below])
            wanted[k] = top + b * (bottom - top)

    @njit(**FAST)
    def advance(new, old, fresh, stale, sums):
        """Move the column sums down: ``new`` (reference) and ``fresh`` (source) enter, ``old`` and ``stale`` leave."""
        for x in range(len(new)):
            w, o = fresh[x], stale[x]
            sums[0, x] += w - o
            sums[1, x] += w * w - o * o
            sums[2, x] += w * new[x] - o * old[x]
            stale[x] = w

    @njit(**FAST)
    def correlate(sums, means, inverse_deviations, out):
        """Normalised cross-correlation of the windows of ``out``; ``sums`` has RADIUS columns more at each end."""
        scale = F(1 / WINDOW**2)
        s, ss, sr = sums[0], sums[1], sums[2]
        for x in range(len(out)):
            a = s[x] + s[x + 1] + s[x + 2] + s[x + 3] + s[x + 4] + s[x + 5] + s[x + 6]
            b = ss[x] + ss[x + 1] + ss[x + 2] + ss[x + 3] + ss[x + 4] + ss[x + 5] + ss[x + 6]
            c = sr[x] + sr[x + 1] + sr[x + 2] + sr[x + 3] + sr[x + 4] + sr[x + 5] + sr[x + 6]
            mean = a * scale
            variance = max(b * scale - mean * mean, FLAT)
            out[x] = (c * scale - mean * means[x]) * inverse_deviations[x] / math.sqrt(variance)

    @njit(**FAST)
    def rank(scores, first, second):
        """Keep the two highest scores."""
        for x in range(len(scores)):
            n = scores[x]
            second[x] = max(second[x], min(first[x], n))
            first[x] = max(first[x], n)

    @njit(**FAST)
    def follow(plane, scores, best, before, after, last, winner):
        """Follow the best score of each pixel, and the scores one plane before and behind it."""
        plane = np.int32(plane)
        for x in range(len(scores)):
            n = scores[x]
            after[x] = n if winner[x] == plane - np.int32(1) else after[x]
            better = n > best[x]
            before[x] = last[x] if better else before[x]
            best[x] = n if better else best[x]
            winner[x] = plane if better else winner[x]
            last[x] = n

    @njit(**FAST)
    def sweep_band(first, last, image, means, inverse_deviations, sources, starts, widths, heights, homographies, pair,
                   best, before, after, winner):  # fmt: skip
        """Rows ``first .. last`` of a reference view, all of whose windows lie inside it.

        Args:
            image, means, inverse_deviations: (h, w) float32 of the reference: brightness, and of each window.
            sources: flat float32, the images one after the other; ``starts``, ``widths``, ``heights`` say where and how large.
            homographies: (planes, sources, 3, 3) float64, source pixel from reference pixel, both counted from 0.
            pair: score by the mean of the best two sources, else by the best one.
            best, before, after: written, (h, w) float32 scores; ``winner``: written, (h, w) int32 plane, -1 where none.
        """
        width = image.shape[1]
        count = len(starts)
        rings = np.empty((count, WINDOW, width), np.float32)
        sums = np.empty((count, 3, width), np.float32)
        lows, highs = np.empty((count, WINDOW), np.int64), np.empty((count, WINDOW), np.int64)
        fresh, scores = np.zeros(width, np.float32), np.zeros(width, np.float32)
        one, two = np.empty(width, np.float32), np.empty(width, np.float32)
        previous = np.full((last - first, width), F(-1))
        for y in range(first, last):
            best[y], before[y], after[y], winner[y] = F(-1), F(-1), F(-1), -1
        for plane in range(len(homographies)):
            rings[:], sums[:] = ZERO, ZERO
            for row in range(first - RADIUS, last + RADIUS):
                slot, y = row % WINDOW, row - RADIUS
                leaving = max(row - WINDOW, 0)
                one[:], two[:] = F(-1), F(-1)
                for s in range(count):
                    h = homographies[plane, s]
                    row_u, row_v, row_q = h[0, 1] * row + h[0, 2], h[1, 1] * row + h[1, 2], h[2, 1] * row + h[2, 2]
                    lo, hi = seen_interval(row_u, row_v, row_q, h[0, 0], h[1, 0], h[2, 0], width, widths[s], heights[s])
                    lows[s, slot], highs[s, slot] = lo, hi
                    warp(sources, starts[s], widths[s], F(row_u), F(row_v), F(row_q), F(h[0, 0]), F(h[1, 0]), F(h[2, 0]),
                         lo, hi, fresh)  # fmt: skip
                    advance(image[row], image[leaving], fresh, rings[s, slot], sums[s])
                    if y >= first:
                        for k in range(WINDOW):
                            lo, hi = max(lo, lows[s, k]), min(hi, highs[s, k])
                        a, b = lo + RADIUS, hi - RADIUS
                        if a < b:
                            correlate(sums[s, :, lo:hi], means[y, a:b], inverse_deviations[y, a:b], scores[a:b])
                            rank(scores[a:b], one[a:b], two[a:b])
                if y >= first:
                    if pair:
                        for x in range(width):
                            one[x] = HALF * (one[x] + two[x])
                    follow(plane, one, best[y], before[y], after[y], previous[y - first], winner[y])
