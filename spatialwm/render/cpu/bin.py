"""Which tiles see which splats, nearest first: one radix sort by depth, then a stable counting scatter.

Sorting n splats once and scattering in that order beats sorting each tile's list, since a splat lies in several tiles.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spatialwm.render.cpu.layout import DEPTH, DET, FAST, HALF_W, INV_A, REACH, TILE_H, TILE_W, A, B, C, X, Y

F = np.float32
ZERO, HALF = F(0), F(0.5)


@njit(**FAST)
def depth_order(geometry, tiles):
    """Indices of the visible Gaussians, nearest first; equal depths keep their order.

    Positive floats sort like their bits: three stable radix passes of 11 bits. Key and index travel in one 64-bit word.
    """
    n = len(geometry)
    bits = geometry[:, DEPTH].copy().view(np.uint32)
    histogram = np.zeros((3, 2048), np.int64)
    low = np.uint64(2047)
    words = np.empty(n, np.uint64)
    visible = 0
    for i in range(n):
        if tiles[i, 1] > 0:
            key = np.uint64(bits[i])
            words[visible] = (key << np.uint64(32)) | np.uint64(i)
            visible += 1
            histogram[0, key & low] += 1
            histogram[1, (key >> np.uint64(11)) & low] += 1
            histogram[2, key >> np.uint64(22)] += 1
    words = words[:visible]
    spare = np.empty(visible, np.uint64)
    for digit in range(3):
        running = 0
        for j in range(2048):
            count = histogram[digit, j]
            histogram[digit, j] = running
            running += count
        shift = np.uint64(32 + 11 * digit)
        for i in range(visible):
            d = (words[i] >> shift) & low
            spare[histogram[digit, d]] = words[i]
            histogram[digit, d] += 1
        words, spare = spare, words
    order = np.empty(visible, np.int32)
    for i in range(visible):
        order[i] = np.int32(words[i] & np.uint64(0xFFFFFFFF))
    return order


@njit(**FAST)
def tile_span(s, rect, tile_y, width):
    """Tiles ``x0..x1`` of one tile row that the visible ellipse truly touches (its bounding box touches more)."""
    if rect[1] - rect[0] == 1:  # most splats are smaller than a tile
        return rect[0], rect[1]
    top = F(tile_y * TILE_H) + HALF - s[Y]
    bottom = top + F(TILE_H - 1)
    # Height at which the ellipse is widest to the right; widest to the left is its mirror. Clamped into this band.
    widest = -s[B] / s[C] * s[HALF_W]
    dy_right, dy_left = min(bottom, max(top, widest)), min(bottom, max(top, -widest))
    d_right = s[REACH] * s[A] - s[DET] * dy_right * dy_right
    d_left = s[REACH] * s[A] - s[DET] * dy_left * dy_left
    if d_right < ZERO and d_left < ZERO:
        return 0, 0
    right = s[X] + (-s[B] * dy_right + math.sqrt(max(d_right, ZERO))) * s[INV_A]
    left = s[X] + (-s[B] * dy_left - math.sqrt(max(d_left, ZERO))) * s[INV_A]
    x0 = math.ceil(max(left - HALF, ZERO))
    x1 = math.floor(min(right - HALF, F(width - 1)))
    if left - HALF > F(width - 1) or right < HALF or x0 > x1:
        return 0, 0
    return max(rect[0], x0 // TILE_W), min(rect[1], x1 // TILE_W + 1)


@njit(**FAST)
def count_tiles(start, stop, order, splats, tiles, width, tiles_x, counts):
    """Add to ``counts`` (tiles,) how many splats of ranks start..stop touch each tile."""
    for rank in range(start, stop):
        rect = tiles[order[rank]]
        for ty in range(rect[2], rect[3]):
            x0, x1 = tile_span(splats[rank], rect, ty, width)
            for tx in range(x0, x1):
                counts[ty * tiles_x + tx] += 1


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
def scatter_tiles(start, stop, order, splats, tiles, width, tiles_x, cursor, lists):
    """Write ranks start..stop into their tiles' lists; parts in order keep every list sorted by rank."""
    for rank in range(start, stop):
        rect = tiles[order[rank]]
        for ty in range(rect[2], rect[3]):
            x0, x1 = tile_span(splats[rank], rect, ty, width)
            for tx in range(x0, x1):
                tile = ty * tiles_x + tx
                lists[cursor[tile]] = rank
                cursor[tile] += 1
