"""The gradient of ``blend.py``: every tile once more, front to back, then each splat collects from its tiles.

No atomics: a splat has one slot per tile that lists it, and sums its slots in a fixed order, so that gradients are the same to
the last bit on any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from spatialwm.render.cpu.blend import AHEAD, CHECK_EVERY, find_open, open_pixels, plane_index
from spatialwm.render.cpu.blocks import blend_blocks_vjp
from spatialwm.render.cpu.layout import FAST, INV_A, OPACITY, TILE_H, TILE_PIXELS, TILE_W, A, B, C
from spatialwm.render.cpu.plain import blend_pixels_vjp
from spatialwm.render.cpu.tiles import load_tile
from spatialwm.render.cpu.vectors import prefetch

F = np.float32
ZERO, HALF = F(0), F(0.5)

# Columns of a gradient: of the centre, the conic, the opacity, then of each channel, then (absolute) |centre|.
V_X, V_Y, V_A, V_B, V_C, V_OPACITY, V_CHANNELS = 0, 1, 2, 3, 4, 5, 6


@njit(**FAST)
def open_gradients(lanes, channels, tile, first, count, image, alpha, v_image, v_alpha, planes, tiles_x):
    """Load a tile: ``rest`` (see ``blocks.blend_blocks_vjp``) and the gradient of each channel."""
    height, width = alpha.shape
    left, top = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
    whole = left + TILE_W <= width and top + TILE_H <= height
    if len(lanes) > 1 and len(channels) == image.shape[2] and whole:
        load_tile(lanes, channels, planes, top * width + left, width, image, alpha, v_image, v_alpha)  # pyright: ignore[reportCallIssue]
        return
    planes[TILE_PIXELS:] = ZERO
    open_pixels(lanes, planes, width - left, height - top)
    for y in range(top, min(top + TILE_H, height)):
        for x in range(left, min(left + TILE_W, width)):
            pixel = plane_index(lanes, x - left, y - top)
            # The background needs no term of its own: image = colours + T * background, and both scale with what is behind.
            rest = -(F(1) - alpha[y, x]) * v_alpha[y, x] if first == 0 else ZERO
            for c in range(count):
                v = v_image[y, x, first + c]
                planes[pixel + TILE_PIXELS * (2 + c)] = v
                rest += v * image[y, x, first + c]
            planes[pixel + TILE_PIXELS] = rest


@njit(**FAST)
def blend_tile_vjp(lanes, channels, absolute, tile, starts, lists, slots, splats, planes, sums, open_blocks, tiles_x, by_slot):
    """Write the gradients of one tile's splats into their slots."""
    left, top = F((tile % tiles_x) * TILE_W), F((tile // tiles_x) * TILE_H)
    flat, stride = splats.reshape(-1), splats.shape[1]
    depth = len(channels)
    begin, end = starts[tile], starts[tile + 1]
    done = end
    find_open(lanes, planes, open_blocks)
    for e in range(begin, end):
        prefetch(flat, np.intp(lists[min(e + AHEAD, end - 1)]) * stride)  # pyright: ignore[reportCallIssue]
        row = lists[e]
        s, v = splats[row], by_slot[slots[e]]
        if len(lanes) == 1:
            blend_pixels_vjp(channels, absolute, planes, open_blocks, flat, np.intp(row) * stride, left, top, sums)
        else:
            blend_blocks_vjp(lanes, channels, absolute, planes, open_blocks, flat, np.intp(row) * stride, left, top, sums)  # pyright: ignore[reportCallIssue]
        # From moments about the crest (u) to moments about the centre: dx = u + slope dy.
        slope = -s[B] * s[INV_A]
        w, w_dy, w_dydy = sums[0], sums[3], sums[5]
        w_dx, w_dxdy = sums[1] + slope * w_dy, sums[4] + slope * w_dydy
        w_dxdx = sums[2] + slope * (sums[4] + w_dxdy)
        v[V_X], v[V_Y] = s[A] * w_dx + s[B] * w_dy, s[B] * w_dx + s[C] * w_dy
        v[V_A], v[V_B], v[V_C], v[V_OPACITY] = -HALF * w_dxdx, -w_dxdy, -HALF * w_dydy, w / s[OPACITY]
        for c in range(depth + 2 * len(absolute)):
            v[V_CHANNELS + c] = sums[6 + c]
        if (e + 1 - begin) % CHECK_EVERY == 0 and not find_open(lanes, planes, open_blocks):
            done = e + 1
            break
    for e in range(done, end):
        by_slot[slots[e]] = ZERO


@njit(**FAST)
def blend_vjp(lanes, channels, absolute, part, parts, starts, lists, slots, splats, first, count, image, alpha, v_image, v_alpha,
              by_slot):  # fmt: skip
    """Gradients of channels ``first .. first + count`` (and, with the first, of alpha) of every ``parts``-th tile.

    Args:
        absolute: tuple of length 1 to find absolute gradients of the centre too.
        v_image, v_alpha: (h, w, all channels) and (h, w).
        by_slot: (slots, V_CHANNELS + channels [+ 2]), written.
    """
    tiles_x = (alpha.shape[1] + TILE_W - 1) // TILE_W
    planes = np.empty((2 + len(channels)) * TILE_PIXELS, np.float32)
    sums = np.empty(V_CHANNELS + len(channels) + 2 + 8, np.float32)  # written eight at a time
    open_blocks = np.empty(TILE_H, np.uint8)
    for tile in range(part, len(starts) - 1, parts):
        open_gradients(lanes, channels, tile, first, count, image, alpha, v_image, v_alpha, planes, tiles_x)
        blend_tile_vjp(lanes, channels, absolute, tile, starts, lists, slots, splats, planes, sums, open_blocks, tiles_x, by_slot)


@njit(**FAST)
def collect(start, stop, first_slot, by_slot, size, first, count, geometry, v_channels, absolute):
    """Sum the slots of rows start..stop: added to ``geometry`` (m, 6) and ``absolute`` (m, 2 or 0), written to ``v_channels``."""
    for row in range(start, stop):
        for c in range(count):
            v_channels[row, first + c] = ZERO
        for slot in range(first_slot[row], first_slot[row + 1]):
            v = by_slot[slot]
            for j in range(V_CHANNELS):
                geometry[row, j] += v[j]
            for c in range(count):
                v_channels[row, first + c] += v[V_CHANNELS + c]
            for j in range(absolute.shape[1]):
                absolute[row, j] += v[V_CHANNELS + size + j]
