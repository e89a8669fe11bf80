"""Which tiles see which splats, nearest first: one radix sort by depth, then a stable counting scatter.

Sorting n splats once and scattering in that order beats sorting each tile's list, since a splat lies in several tiles.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spatialwm.render.cpu.layout import FAST, INV_A, REACH, SCHUR, TILE_H, TILE_W, WIDEST, B, X, Y

F = np.float32
ZERO, HALF = F(0), F(0.5)


@njit(**FAST)
def depth_order(depths):
    """Rows, nearest first; equal depths keep their order.

    Positive floats sort like their bits: three stable radix passes of 11 bits. Key and row travel in one 64-bit word.
    """
    n = len(depths)
    bits = depths.view(np.uint32)
    histogram = np.zeros((3, 2048), np.int64)
    low = np.uint64(2047)
    words, spare = np.empty(n, np.uint64), np.empty(n, np.uint64)
    for i in range(n):
        key = np.uint64(bits[i])
        words[i] = (key << np.uint64(32)) | np.uint64(i)
        histogram[0, key & low] += 1
        histogram[1, (key >> np.uint64(11)) & low] += 1
        histogram[2, key >> np.uint64(22)] += 1
    for digit in range(3):
        running = 0
        for j in range(2048):
            count = histogram[digit, j]
            histogram[digit, j] = running
            running += count
        shift = np.uint64(32 + 11 * digit)
        for i in range(n):
            d = (words[i] >> shift) & low
            spare[histogram[digit, d]] = words[i]
            histogram[digit, d] += 1
        words, spare = spare, words
    order = np.empty(n, np.int32)
    for i in range(n):
        order[i] = np.int32(words[i] & np.uint64(0xFFFFFFFF))
    return order


@njit(**FAST)
def band_span(s, top, bottom):
    """Leftmost and rightmost x of the visible ellipse between two heights ``dy`` from its centre; left > right: it is outside."""
    dy_right, dy_left = min(bottom, max(top, s[WIDEST])), min(bottom, max(top, -s[WIDEST]))
    room_right = (s[REACH] - s[SCHUR] * dy_right * dy_right) * s[INV_A]
    room_left = (s[REACH] - s[SCHUR] * dy_left * dy_left) * s[INV_A]
    if room_right < ZERO and room_left < ZERO:
        return F(1), ZERO
    slope = -s[B] * s[INV_A]
    left = s[X] + slope * dy_left - math.sqrt(max(room_left, ZERO))
    return left, s[X] + slope * dy_right + math.sqrt(max(room_right, ZERO))


@njit(**FAST)
def tile_span(s, rect, tile_y, width):
    """Tiles ``x0..x1`` of one tile row that the visible ellipse truly touches (its bounding box touches more)."""
    top = F(tile_y * TILE_H) + HALF - s[Y]
    left, right = band_span(s, top, top + F(TILE_H - 1))
    if left > right or left - HALF > F(width - 1) or right < HALF:
        return 0, 0
    x0, x1 = math.ceil(max(left - HALF, ZERO)), math.floor(min(right - HALF, F(width - 1)))
    if x0 > x1:
        return 0, 0
    return max(rect[0], x0 // TILE_W), min(rect[1], x1 // TILE_W + 1)


@njit(**FAST)
def count_tiles(start, stop, order, splats, rects, width, tiles_x, counts, touched):
    """Add to ``counts`` (tiles,) how many splats of ranks start..stop touch each tile; ``touched`` (n,) gets their tiles."""
    for rank in range(start, stop):
        row = order[rank]
        rect = rects[row]
        many = rect[1] - rect[0] > 1 and rect[3] - rect[2] > 1
        total = 0
        for ty in range(rect[2], rect[3]):
            x0, x1 = tile_span(splats[row], rect, ty, width) if many else (np.intp(rect[0]), np.intp(rect[1]))
            for tx in range(x0, x1):
                counts[ty * tiles_x + tx] += 1
                total += 1
        touched[row] = total


@njit(**FAST)
def tile_starts(counts):
    """Turn per-part counts (parts, tiles) into write positions; returns where each tile's list starts, and the total."""
    parts, n = counts.shape
    starts = np.empty(n + 1, np.int64)
    running = 0
    for tile in range(n):
        starts[tile] = running
        for part in range(parts):
            count = counts[part, tile]
            counts[part, tile] = running
            running += count
    starts[n] = running
    return starts


@njit(**FAST)
def scatter_tiles(start, stop, order, splats, rects, width, tiles_x, cursor, lists, first_slot, slots):
    """Write ranks start..stop into their tiles' lists; parts in order keep every list sorted by depth.

    ``slots``, unless empty, gets a number per list entry, consecutive over the entries of a splat from ``first_slot`` on.
    """
    for rank in range(start, stop):
        row = order[rank]
        rect = rects[row]
        many = rect[1] - rect[0] > 1 and rect[3] - rect[2] > 1
        slot = first_slot[row] if len(slots) else 0
        for ty in range(rect[2], rect[3]):
            x0, x1 = tile_span(splats[row], rect, ty, width) if many else (np.intp(rect[0]), np.intp(rect[1]))
            for tx in range(x0, x1):
                tile = ty * tiles_x + tx
                at = cursor[tile]
                lists[at] = row
                if len(slots):
                    slots[at] = slot
                    slot += 1
                cursor[tile] = at + 1
