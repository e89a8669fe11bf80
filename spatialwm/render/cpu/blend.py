"""Front-to-back blending, one tile at a time: a tile's planes stay in the L1 cache while its splats pass by."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spatialwm.render.cpu.layout import (
    CHANNELS,
    DET,
    FAST,
    HALF_H,
    INV_A,
    MAX_ALPHA,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
    OPACITY,
    REACH,
    TILE_H,
    TILE_PIXELS,
    TILE_W,
    A,
    B,
    X,
    Y,
)  # fmt: skip
from spatialwm.render.cpu.vectors import EXP_FLOOR, EXP_POLY, vector_row

F = np.float32
ZERO, HALF, ONE = F(0), F(0.5), F(1)
FLOOR = F(EXP_FLOOR / 8)
P0, P1, P2, P3, P4, P5 = (F(c) for c in EXP_POLY)
CHECK_EVERY = 64
"""Splats between looks for full rows; a look costs about one splat."""


@njit(**FAST)
def exp(x):
    """exp on (-inf, 0], see ``vectors.EXP_POLY``."""
    y = max(x * F(0.125), FLOOR)
    p = ((((P0 * y + P1) * y + P2) * y + P3) * y + P4) * y + P5
    p = p * p
    p = p * p
    return p * p


@njit(**FAST)
def plain_row(channels, track, planes, best, first, count, u, curvature, peak, splats, at, rank):
    """What ``vectors.vector_row`` does, pixel by pixel: fallback and oracle."""
    for j in range(count):
        x = u + F(j)
        alpha = min(peak * exp(curvature * (x * x)), MAX_ALPHA)
        T = planes[first + j]
        if alpha < MIN_ALPHA or T <= ZERO:
            continue
        weight = alpha * T
        if T - weight <= MIN_TRANSMITTANCE:
            planes[first + j] = -T
            continue
        planes[first + j] = T - weight
        for c in range(len(channels)):
            planes[first + j + TILE_PIXELS * (1 + c)] += weight * splats[at + c]
        if len(track) > 0:
            heaviest = first + j + TILE_PIXELS * (1 + len(channels))
            if weight > planes[heaviest]:
                planes[heaviest] = weight
                best[first + j] = rank


@njit(**FAST)
def close_full_rows(planes, closed, rows):
    """Mark rows without an open pixel; True while any row is open."""
    any_open = False
    for y in range(rows):
        if closed[y] == 0:
            top = -ONE
            for x in range(TILE_W):
                top = max(top, planes[y * TILE_W + x])
            if top > ZERO:
                any_open = True
            else:
                closed[y] = 1
    return any_open


@njit(**FAST)
def blend_tile(lanes, channels, track, tile, starts, lists, splats, stride, planes, best, closed, width, height, tiles_x):
    """Composite one tile's splats into ``planes``; ``splats`` is flat with ``stride`` floats per record."""
    left, top = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
    columns, rows = min(TILE_W, width - left), min(TILE_H, height - top)
    planes[:] = ZERO
    best[:] = -1
    closed[:] = 0
    for i in range(TILE_PIXELS):
        planes[i] = ONE if i % TILE_W < columns else -ONE
    seen = 0
    for e in range(starts[tile], starts[tile + 1]):
        rank = lists[e]
        s = rank * stride
        x, y, a, inv_a, det = splats[s + X] - F(left), splats[s + Y] - F(top), splats[s + A], splats[s + INV_A], splats[s + DET]
        reach_a, half_h = splats[s + REACH] * a, splats[s + HALF_H]
        slope = -splats[s + B] * inv_a
        y0 = math.ceil(max(y - half_h - HALF, ZERO))
        y1 = math.floor(min(y + half_h - HALF, F(rows - 1)))
        for row in range(y0, y1 + 1):
            if closed[row] != 0:
                continue
            dy = F(row) + HALF - y
            room = reach_a - det * dy * dy
            if room < ZERO:
                continue
            # In this row the exponent is -a/2 (px - vertex)^2 - det/(2a) dy^2, whose terms do not cancel each other.
            vertex = x + slope * dy - HALF
            half = math.sqrt(room) * inv_a
            # Truncation then rounds lo up and hi down, a hundredth of a pixel generously.
            lo, hi = max(vertex - half + F(0.99), ZERO), min(vertex + half + F(0.01), F(TILE_W - 1))
            if lo >= F(TILE_W) or hi < ZERO:
                continue
            x0, x1 = int(lo), int(hi)
            if x0 > x1:
                continue
            peak = splats[s + OPACITY] * exp(-HALF * det * inv_a * dy * dy)
            if len(lanes) == 1:
                plain_row(channels, track, planes, best, row * TILE_W + x0, x1 + 1 - x0, F(x0) - vertex,
                          -HALF * a, peak, splats, s + CHANNELS, rank)  # fmt: skip
            else:
                v0 = x0 // len(lanes)
                vector_row(lanes, channels, track, planes, best, row * TILE_W + v0 * len(lanes), x1 // len(lanes) + 1 - v0,  # pyright: ignore[reportCallIssue]
                           F(v0 * len(lanes)) - vertex, -HALF * a, peak, splats, s + CHANNELS, rank)  # fmt: skip
        seen += 1
        if seen % CHECK_EVERY == 0 and not close_full_rows(planes, closed, rows):
            break


@njit(**FAST)
def blend(lanes, channels, track, part, parts, starts, lists, order, splats, background, image, alpha, ids):
    """Render every ``parts``-th tile, from ``part`` on.

    Args:
        lanes, channels, track: tuples whose lengths are compile-time constants, see ``vectors``.
        starts, lists: per tile, the ranks it sees, nearest first.
        order: rank to index of the Gaussian.
        splats: (visible, stride) records.
        background: (channels,).
        image, alpha: written, (h, w, channels) and (h, w).
        ids: written when tracking, (h, w): the Gaussian of greatest weight or -1.
    """
    height, width = alpha.shape
    tiles_x = (width + TILE_W - 1) // TILE_W
    stride = splats.shape[1]
    flat = splats.reshape(-1)
    planes = np.empty((2 + len(channels)) * TILE_PIXELS, np.float32)
    best = np.empty(TILE_PIXELS, np.int32)
    closed = np.empty(TILE_H, np.uint8)
    for tile in range(part, len(starts) - 1, parts):
        blend_tile(lanes, channels, track, tile, starts, lists, flat, stride, planes, best, closed, width, height, tiles_x)
        left, top = (tile % tiles_x) * TILE_W, (tile // tiles_x) * TILE_H
        for y in range(min(TILE_H, height - top)):
            for x in range(min(TILE_W, width - left)):
                pixel = y * TILE_W + x
                T = abs(planes[pixel])
                alpha[top + y, left + x] = ONE - T
                for c in range(len(channels)):
                    image[top + y, left + x, c] = planes[pixel + TILE_PIXELS * (1 + c)] + T * background[c]
                if len(track) > 0:
                    rank = best[pixel]
                    ids[top + y, left + x] = order[rank] if rank >= 0 else -1
