"""What ``blocks.py`` does, pixel by pixel in plain loops: the fallback without vectors, and the oracle of the tests."""

from __future__ import annotations

import numpy as np
from numba import njit

from spatialwm.render.cpu.bin import band_span
from spatialwm.render.cpu.layout import (
    CHANNELS,
    FAST,
    INV_A,
    MAX_ALPHA,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
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
from spatialwm.render.cpu.vectors import EXP_FLOOR, EXP_POLY

F = np.float32
ZERO, HALF, ONE = F(0), F(0.5), F(1)
FLOOR = F(EXP_FLOOR / 8)
P0, P1, P2, P3, P4, P5 = (F(c) for c in EXP_POLY)


@njit(**FAST)
def exp(x):
    """exp on (-inf, 0], see ``vectors.EXP_POLY``."""
    y = max(x * F(0.125), FLOOR)
    p = ((((P0 * y + P1) * y + P2) * y + P3) * y + P4) * y + P5
    p = p * p
    p = p * p
    return p * p


@njit(**FAST)
def row_span(s, y, left, top, open_rows):
    """First and last pixel of row ``y`` of a tile that the visible ellipse touches; first > last: none."""
    if open_rows[y] == 0:
        return 0, -1
    dy = top + F(y) + HALF - s[Y]
    x0, x1 = band_span(s, dy, dy)
    # Truncation then rounds x0 up and x1 down, a hundredth of a pixel generously.
    x0, x1 = max(x0 - left + F(0.49), ZERO), min(x1 - left - F(0.49), F(TILE_W - 1))
    if x0 >= F(TILE_W) or x1 < ZERO:
        return 0, -1
    return int(x0), int(x1)


@njit(**FAST)
def advance(planes, pixel, alpha):
    """Let a pixel's transmittance pass a splat; returns the splat's weight, 0 where it does not blend."""
    T = planes[pixel]
    if alpha < MIN_ALPHA or T <= ZERO:
        return ZERO
    weight = alpha * T
    if T - weight <= MIN_TRANSMITTANCE:
        planes[pixel] = -T
        return ZERO
    planes[pixel] = T - weight
    return weight


@njit(**FAST)
def blend_pixels(channels, track, planes, open_rows, splats, at, left, top, best, name):
    """See ``blocks.blend_blocks``; ``open_rows`` are not zero where a row has an open pixel."""
    s = splats[at : at + CHANNELS + len(channels)]
    x, y, slope = s[X] - left - HALF, s[Y] - top - HALF, -s[B] * s[INV_A]
    for row in range(TILE_H):
        dy = F(row) - y
        first, last = row_span(s, row, left, top, open_rows)
        for column in range(first, last + 1):
            pixel = row * TILE_W + column
            u = F(column) - x - slope * dy
            alpha = min(s[OPACITY] * exp(-HALF * (s[A] * u * u + s[SCHUR] * dy * dy)), MAX_ALPHA)
            weight = advance(planes, pixel, alpha)
            if weight == ZERO:
                continue
            for c in range(len(channels)):
                planes[pixel + TILE_PIXELS * (1 + c)] += weight * s[CHANNELS + c]
            if len(track) > 0:
                heaviest = pixel + TILE_PIXELS * (1 + len(channels))
                if weight > planes[heaviest]:
                    planes[heaviest] = weight
                    best[pixel] = name


@njit(**FAST)
def blend_pixels_vjp(channels, absolute, planes, open_rows, splats, at, left, top, sums):
    """See ``blocks.blend_blocks_vjp``."""
    depth = len(channels)
    s = splats[at : at + CHANNELS + depth]
    x, y, slope = s[X] - left - HALF, s[Y] - top - HALF, -s[B] * s[INV_A]
    sums[:] = ZERO
    for row in range(TILE_H):
        dy = F(row) - y
        first, last = row_span(s, row, left, top, open_rows)
        for column in range(first, last + 1):
            pixel = row * TILE_W + column
            u = F(column) - x - slope * dy
            raw = s[OPACITY] * exp(-HALF * (s[A] * u * u + s[SCHUR] * dy * dy))
            alpha = min(raw, MAX_ALPHA)
            T = planes[pixel]
            weight = advance(planes, pixel, alpha)
            if weight == ZERO:
                continue
            here = ZERO
            for c in range(depth):
                grad = planes[pixel + TILE_PIXELS * (2 + c)]
                here += grad * s[CHANNELS + c]
                sums[6 + c] += weight * grad
            rest = planes[pixel + TILE_PIXELS] - weight * here
            planes[pixel + TILE_PIXELS] = rest
            if raw >= MAX_ALPHA:
                continue
            w = alpha * (T * here - rest / (ONE - alpha))
            sums[0] += w
            sums[1] += w * u
            sums[2] += w * u * u
            sums[3] += w * dy
            sums[4] += w * u * dy
            sums[5] += w * dy * dy
            if len(absolute) > 0:
                sums[6 + depth] += abs(w * u * s[A])
                sums[7 + depth] += abs(w * (u * s[B] + s[SCHUR] * dy))
