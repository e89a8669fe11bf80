"""Front-to-back blending, one tile at a time: a tile's planes stay in the L1 cache while its splats pass by."""

from __future__ import annotations

import numpy as np
from numba import njit

from spatialwm.render.cpu.blocks import blend_blocks
from spatialwm.render.cpu.layout import BLOCK_W, FAST, TILE_H, TILE_PIXELS, TILE_W
from spatialwm.render.cpu.plain import blend_pixels
from spatialwm.render.cpu.tiles import store_tile
from spatialwm.render.cpu.vectors import prefetch

F = np.float32
ZERO, ONE = F(0), F(1)
CHECK_EVERY = 64
"""Splats between looks for full blocks; a look costs about one splat."""
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
def open_pixels(lanes, planes, columns, rows):
    """Full transmittance inside the image, closed outside."""
    planes[:TILE_PIXELS] = ONE
    if columns < TILE_W or rows < TILE_H:
        for y in range(TILE_H):
            for x in range(TILE_W):
                if x >= columns or y >= rows:
                    planes[plane_index(lanes, x, y)] = -ONE


@njit(**FAST)
def find_open(lanes, planes, open_blocks):
    """Mark the blocks (in plain loops: the rows) that have an open pixel; False when there is none."""
    bw, bh = block_shape(lanes)
    across = TILE_W // bw if bw > 1 else 1
    size = TILE_W * bh // across
    any_open = False
    for strip in range(TILE_H // bh):
        bits = np.uint8(0)
        for column in range(across):
            top = -ONE
            for i in range(size):
                top = max(top, planes[(strip * across + column) * size + i])
            if top > ZERO:
                bits |= np.uint8(1 << column)
                any_open = True
        open_blocks[strip] = bits
    return any_open


@njit(**FAST)
def blend_tile(lanes, channels, track, tile, starts, lists, splats, planes, best, open_blocks, width, height, tiles_x):
    """Composite one tile's splats into ``planes``."""
    x0, y0 = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
    left, top = F(x0), F(y0)
    planes[:] = ZERO
    best[:] = -1
    open_pixels(lanes, planes, width - x0, height - y0)
    find_open(lanes, planes, open_blocks)
    flat, stride = splats.reshape(-1), splats.shape[1]
    begin, end = starts[tile], starts[tile + 1]
    for e in range(begin, end):
        prefetch(flat, np.intp(lists[min(e + AHEAD, end - 1)]) * stride)  # pyright: ignore[reportCallIssue]
        row = lists[e]
        if len(lanes) == 1:
            blend_pixels(channels, track, planes, open_blocks, flat, np.intp(row) * stride, left, top, best, row)
        else:
            blend_blocks(lanes, channels, track, planes, open_blocks, flat, np.intp(row) * stride, left, top, best, row)  # pyright: ignore[reportCallIssue]
        if (e + 1 - begin) % CHECK_EVERY == 0 and not find_open(lanes, planes, open_blocks):
            break


@njit(**FAST)
def store_pixels(lanes, planes, left, top, background, first, count, image, alpha):
    """Write the picture under a tile, as ``tiles.store_tile`` does for tiles that lie wholly inside it."""
    height, width = alpha.shape
    for y in range(top, min(top + TILE_H, height)):
        for x in range(left, min(left + TILE_W, width)):
            pixel = plane_index(lanes, x - left, y - top)
            T = abs(planes[pixel])
            alpha[y, x] = ONE - T
            for c in range(count):
                image[y, x, first + c] = planes[pixel + TILE_PIXELS * (1 + c)] + T * background[first + c]


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
    open_blocks = np.empty(TILE_H, np.uint8)
    for tile in range(part, len(starts) - 1, parts):
        blend_tile(lanes, channels, track, tile, starts, lists, splats, planes, best, open_blocks, width, height, tiles_x)
        left, top = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        whole = left + TILE_W <= width and top + TILE_H <= height
        if len(lanes) > 1 and len(channels) == image.shape[2] and whole:
            store_tile(lanes, channels, planes, top * width + left, width, background, image, alpha)  # pyright: ignore[reportCallIssue]
        else:
            store_pixels(lanes, planes, left, top, background, first, count, image, alpha)
        if len(track) > 0:
            for y in range(top, min(top + TILE_H, height)):
                for x in range(left, min(left + TILE_W, width)):
                    row = best[plane_index(lanes, x - left, y - top)]
                    ids[y, x] = index[row] if row >= 0 else -1
