"""Front-to-back blending, one tile at a time: a tile's planes stay in the L1 cache while its splats pass by."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spatialwm.render.cpu.bin import band_span
from spatialwm.render.cpu.blocks import blend_blocks
from spatialwm.render.cpu.layout import (
    BLOCK_W,
    CHANNELS,
    FAST,
    HALF_H,
    INV_A,
    OPACITY,
    SCHUR,
    TILE_H,
    TILE_PIXELS,
    TILE_W,
    A,
    B,
    X,
    Y,
)  # fmt: skip
from spatialwm.render.cpu.plain import blend_pixels
from spatialwm.render.cpu.vectors import prefetch

F = np.float32
ZERO, HALF, ONE = F(0), F(0.5), F(1)
CHECK_EVERY = 64
"""Splats between looks for full strips; a look costs about one splat."""
AHEAD = 8
"""Splats whose records are fetched early: a list names records in random order, and each would be a miss."""


@njit(**FAST)
def block_shape(lanes):
    """Width and height of a block in px."""
    if len(lanes) == 1:
        return 1, 1
    return BLOCK_W, len(lanes) // BLOCK_W


@njit(**FAST)
def plane_index(lanes, x, y):
    """Where a pixel of the tile lies in a plane: planes are rows of blocks."""
    bw, bh = block_shape(lanes)
    return ((y // bh) * (TILE_W // bw) + x // bw) * len(lanes) + (y % bh) * bw + x % bw


@njit(**FAST)
def open_pixels(lanes, planes, columns):
    """Full transmittance inside the image, closed outside."""
    for y in range(TILE_H):
        for x in range(TILE_W):
            planes[plane_index(lanes, x, y)] = ONE if x < columns else -ONE


@njit(**FAST)
def close_full_strips(lanes, planes, closed, strips):
    """Mark strips without an open pixel; True while any strip is open."""
    any_open = False
    size = TILE_W * block_shape(lanes)[1]
    for strip in range(strips):
        if closed[strip] == 0:
            top = -ONE
            for i in range(size):
                top = max(top, planes[strip * size + i])
            if top > ZERO:
                any_open = True
            else:
                closed[strip] = 1
    return any_open


@njit(**FAST)
def find_blocks(lanes, s, left, top, rows, closed, spans):
    """Blocks of a tile that the visible ellipse touches: first and last of each strip into ``spans``; returns the strips."""
    bw, bh = block_shape(lanes)
    first = max(math.ceil(s[Y] - top - s[HALF_H] - HALF), 0)
    last = min(math.floor(s[Y] - top + s[HALF_H] - HALF), rows - 1)
    if first > last:
        return 0, -1
    first, last = first // bh, last // bh
    for strip in range(first, last + 1):
        spans[2 * strip], spans[2 * strip + 1] = 0, -1
        if closed[strip] != 0:
            continue
        dy = top + F(strip * bh) + HALF - s[Y]
        x0, x1 = band_span(s, dy, dy + F(bh - 1))
        # Truncation then rounds x0 up and x1 down, a hundredth of a pixel generously.
        x0, x1 = max(x0 - left + F(0.49), ZERO), min(x1 - left - F(0.49), F(TILE_W - 1))
        if x0 < F(TILE_W) and x1 >= ZERO and int(x0) <= int(x1):
            spans[2 * strip], spans[2 * strip + 1] = int(x0) // bw, int(x1) // bw
    return first, last


@njit(**FAST)
def blend_tile(lanes, channels, track, tile, starts, lists, splats, planes, best, closed, spans, width, height, tiles_x):
    """Composite one tile's splats into ``planes``."""
    left, top = F((tile % tiles_x) * TILE_W), F((tile // tiles_x) * TILE_H)
    rows = min(TILE_H, height - (tile // tiles_x) * TILE_H)
    strips = (rows - 1) // block_shape(lanes)[1] + 1
    planes[:] = ZERO
    best[:] = -1
    closed[:] = 0
    open_pixels(lanes, planes, width - (tile % tiles_x) * TILE_W)
    flat, stride = splats.reshape(-1), splats.shape[1]
    begin, end = starts[tile], starts[tile + 1]
    for e in range(begin, end):
        prefetch(flat, np.intp(lists[min(e + AHEAD, end - 1)]) * stride)
        row = lists[e]
        s = splats[row]
        first, last = find_blocks(lanes, s, left, top, rows, closed, spans)
        x, y, slope = s[X] - left - HALF, s[Y] - top - HALF, -s[B] * s[INV_A]
        if len(lanes) == 1:
            blend_pixels(channels, track, planes, best, spans, first, last, x, y, s[A], slope, s[SCHUR], s[OPACITY],
                         flat, row * stride + CHANNELS, row)  # fmt: skip
        else:
            blend_blocks(  # pyright: ignore[reportCallIssue]
                         lanes, channels, track, planes, best, spans, first, last, x, y, s[A], slope, s[SCHUR], s[OPACITY],
                         flat, row * stride + CHANNELS, row)  # fmt: skip
        if (e + 1 - begin) % CHECK_EVERY == 0 and not close_full_strips(lanes, planes, closed, strips):
            break


@njit(**FAST)
def blend(lanes, channels, track, part, parts, starts, lists, index, splats, background, first, count, image, alpha, ids):
    """Render channels ``first .. first + count`` of every ``parts``-th tile, from ``part`` on.

    Args:
        lanes, channels, track: tuples whose lengths are compile-time constants, see ``vectors``.
        starts, lists: per tile, the rows of the splats it sees, nearest first.
        index: row to index of the Gaussian.
        splats: (visible, stride) records.
        background: (all channels,).
        image, alpha: written, (h, w, all channels) and (h, w).
        ids: written when tracking, (h, w): the Gaussian of greatest weight or -1.
    """
    height, width = alpha.shape
    tiles_x = (width + TILE_W - 1) // TILE_W
    planes = np.empty((2 + len(channels)) * TILE_PIXELS, np.float32)
    best = np.empty(TILE_PIXELS, np.int32)
    closed, spans = np.empty(TILE_H, np.uint8), np.empty(2 * TILE_H, np.intp)
    for tile in range(part, len(starts) - 1, parts):
        blend_tile(lanes, channels, track, tile, starts, lists, splats, planes, best, closed, spans, width, height, tiles_x)
        left, top = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        for y in range(min(TILE_H, height - top)):
            for x in range(min(TILE_W, width - left)):
                pixel = plane_index(lanes, x, y)
                T = abs(planes[pixel])
                alpha[top + y, left + x] = ONE - T
                for c in range(count):
                    image[top + y, left + x, first + c] = planes[pixel + TILE_PIXELS * (1 + c)] + T * background[first + c]
                if len(track) > 0:
                    row = best[pixel]
                    ids[top + y, left + x] = index[row] if row >= 0 else -1
