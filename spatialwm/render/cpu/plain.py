"""What ``blocks.py`` does, pixel by pixel in plain loops: the fallback without vectors, and the oracle of the tests."""

from __future__ import annotations

import numpy as np
from numba import njit

from spatialwm.render.cpu.layout import FAST, MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, TILE_PIXELS, TILE_W
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
def blend_pixels(channels, track, planes, best, spans, first, last, x, y, a, slope, schur, opacity, splats, at, name):
    """See ``blocks.blend_blocks``; a block is one pixel."""
    for row in range(first, last + 1):
        dy = F(row) - y
        for column in range(spans[2 * row], spans[2 * row + 1] + 1):
            pixel = row * TILE_W + column
            u = F(column) - x - slope * dy
            alpha = min(opacity * exp(-HALF * (a * u * u + schur * dy * dy)), MAX_ALPHA)
            T = planes[pixel]
            if alpha < MIN_ALPHA or T <= ZERO:
                continue
            weight = alpha * T
            if T - weight <= MIN_TRANSMITTANCE:
                planes[pixel] = -T
                continue
            planes[pixel] = T - weight
            for c in range(len(channels)):
                planes[pixel + TILE_PIXELS * (1 + c)] += weight * splats[at + c]
            if len(track) > 0:
                heaviest = pixel + TILE_PIXELS * (1 + len(channels))
                if weight > planes[heaviest]:
                    planes[heaviest] = weight
                    best[pixel] = name


@njit(**FAST)
def blend_pixels_vjp(channels, absolute, planes, sums, spans, first, last, x, y, a, slope, schur, opacity, b, splats, at):
    """See ``blocks.blend_blocks_vjp``."""
    depth = len(channels)
    sums[:] = ZERO
    for row in range(first, last + 1):
        dy = F(row) - y
        for column in range(spans[2 * row], spans[2 * row + 1] + 1):
            pixel = row * TILE_W + column
            u = F(column) - x - slope * dy
            raw = opacity * exp(-HALF * (a * u * u + schur * dy * dy))
            alpha = min(raw, MAX_ALPHA)
            T = planes[pixel]
            if alpha < MIN_ALPHA or T <= ZERO:
                continue
            weight = alpha * T
            if T - weight <= MIN_TRANSMITTANCE:
                planes[pixel] = -T
                continue
            planes[pixel] = T - weight
            here = ZERO
            for c in range(depth):
                grad = planes[pixel + TILE_PIXELS * (2 + c)]
                here += grad * splats[at + c]
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
                sums[6 + depth] += abs(w * u * a)
                sums[7 + depth] += abs(w * (u * b + schur * dy))
