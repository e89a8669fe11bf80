"""3D Gaussians to splat records: projection and exact visibility.

Source: Zwicker et al. 2001 (EWA splatting) as in gsplat 1.5.3; parity with ``render.reference`` in tests/parity.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spatialwm.render.cpu.layout import (
    CHANNELS,
    FAST,
    INV_A,
    LARGEST,
    MIN_ALPHA,
    OPACITY,
    REACH,
    SCHUR,
    TILE_H,
    TILE_W,
    WIDEST,
    A,
    B,
    C,
    X,
    Y,
)  # fmt: skip

F = np.float32
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)
LONGEST_REACH = F(2 * math.log(255) * 1.001)
"""Of an opaque Gaussian: squared distance in standard deviations at which alpha falls to 1/255."""


@njit(**FAST)
def rotation(quats, i):
    """Row-major rotation matrix of quaternion ``i``; a zero quaternion is no rotation."""
    w, x, y, z = quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]
    square = w * w + x * x + y * y + z * z
    if square < F(1e-24):
        return ONE, ZERO, ZERO, ZERO, ONE, ZERO, ZERO, ZERO, ONE
    k = ONE / math.sqrt(square)
    w, x, y, z = w * k, x * k, y * k, z * k
    return (
        ONE - TWO * (y * y + z * z), TWO * (x * y - w * z), TWO * (x * z + w * y),
        TWO * (x * y + w * z), ONE - TWO * (x * x + z * z), TWO * (y * z - w * x),
        TWO * (x * z - w * y), TWO * (y * z + w * x), ONE - TWO * (x * x + y * y),
    )  # fmt: skip


@njit(**FAST)
def project(start, stop, means, quats, scales, opacities, view, axis, K, limits, width, height, near, far, eps2d,
            antialiased, index, splats, depths, rects, radii):  # fmt: skip
    """Write what is visible of Gaussians start..stop, densely and in order, from row ``start`` of the outputs on.

    Args:
        axis: the third row of ``view`` in float64.
        index: (n,), written: which Gaussian a row is.
        splats: (n, stride) records; the columns up to CHANNELS are written.
        depths: (n,), written.
        rects: (n, 4) int16, written: the tiles x0, x1, y0, y1 of its bounding box, ends exclusive.
        radii: (n, 2) int32, written: half sizes of that box, rounded up, px.

    Returns:
        How many are visible, and how many were skipped because a field is not finite.
    """
    not_finite = 0
    row = start
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    for i in range(start, stop):
        mx, my, mz, opacity = means[i, 0], means[i, 1], means[i, 2], min(opacities[i], ONE)
        s0, s1, s2 = scales[i, 0], scales[i, 1], scales[i, 2]
        total = mx + my + mz + opacities[i] + s0 + s1 + s2 + quats[i, 0] + quats[i, 1] + quats[i, 2] + quats[i, 3]
        if not abs(total) <= LARGEST:
            not_finite += 1
            continue
        # In float64 and rounded once, so that every backend sorts near-equal depths alike: 86 -> 101 dB at 100k splats.
        z = F(axis[0] * mx + axis[1] * my + axis[2] * mz + axis[3])
        if z < near or z > far or opacity < MIN_ALPHA:
            continue
        px = (view[0, 0] * mx + view[0, 1] * my + view[0, 2] * mz + view[0, 3]) / z
        py = (view[1, 0] * mx + view[1, 1] * my + view[1, 2] * mz + view[1, 3]) / z
        tx, ty = min(limits[1], max(limits[0], px)), min(limits[3], max(limits[2], py))
        jx, jy = fx / z, fy / z
        kx, ky = -jx * tx, -jy * ty
        # Rows of J @ R_view, then of the 2x3 square root M of the image covariance M M^T.
        a0, b0 = jx * view[0, 0] + kx * view[2, 0], jy * view[1, 0] + ky * view[2, 0]
        a1, b1 = jx * view[0, 1] + kx * view[2, 1], jy * view[1, 1] + ky * view[2, 1]
        a2, b2 = jx * view[0, 2] + kx * view[2, 2], jy * view[1, 2] + ky * view[2, 2]
        # What is out of sight even as a ball of its longest axis needs no rotation, root or logarithm: most that is out of sight.
        x, y, longest = fx * px + cx, fy * py + cy, max(s0, max(s1, s2)) ** 2
        beyond_x, beyond_y = max(-x, max(x - F(width), ZERO)), max(-y, max(y - F(height), ZERO))
        if beyond_x * beyond_x > LONGEST_REACH * ((a0 * a0 + a1 * a1 + a2 * a2) * longest + eps2d):
            continue
        if beyond_y * beyond_y > LONGEST_REACH * ((b0 * b0 + b1 * b1 + b2 * b2) * longest + eps2d):
            continue
        r00, r01, r02, r10, r11, r12, r20, r21, r22 = rotation(quats, i)
        m0, n0 = (a0 * r00 + a1 * r10 + a2 * r20) * s0, (b0 * r00 + b1 * r10 + b2 * r20) * s0
        m1, n1 = (a0 * r01 + a1 * r11 + a2 * r21) * s1, (b0 * r01 + b1 * r11 + b2 * r21) * s1
        m2, n2 = (a0 * r02 + a1 * r12 + a2 * r22) * s2, (b0 * r02 + b1 * r12 + b2 * r22) * s2
        xx, xy, yy = m0 * m0 + m1 * m1 + m2 * m2, m0 * n0 + m1 * n1 + m2 * n2, n0 * n0 + n1 * n1 + n2 * n2
        # det(M M^T) as |m x n|^2 (Lagrange): xx * yy - xy * xy cancels for long thin splats and goes negative in float32.
        c0, c1, c2 = m1 * n2 - m2 * n1, m2 * n0 - m0 * n2, m0 * n1 - m1 * n0
        sharp = c0 * c0 + c1 * c1 + c2 * c2
        det = sharp + eps2d * (xx + yy + eps2d)
        xx, yy = xx + eps2d, yy + eps2d
        if antialiased:
            opacity *= math.sqrt(sharp / det)
            if opacity < MIN_ALPHA:
                continue
        if not (det > ZERO and det <= LARGEST):
            continue
        reach = TWO * math.log(opacity / MIN_ALPHA)
        half_w, half_h = math.sqrt(reach * xx), math.sqrt(reach * yy)
        # Clamped as floats: a huge splat's edge does not fit an integer.
        left, right = max(x - half_w - HALF, ZERO), min(x + half_w - HALF, F(width - 1))
        top, bottom = max(y - half_h - HALF, ZERO), min(y + half_h - HALF, F(height - 1))
        if not (left <= right and top <= bottom):
            continue
        x0, x1, y0, y1 = math.ceil(left), math.floor(right), math.ceil(top), math.floor(bottom)
        if x0 > x1 or y0 > y1:
            continue
        inv = ONE / det
        a = yy * inv
        g = splats[row]
        g[X], g[Y], g[A], g[B], g[C] = x, y, a, -xy * inv, xx * inv
        g[OPACITY], g[REACH], g[INV_A], g[SCHUR] = opacity, reach, ONE / a, inv / a
        g[WIDEST] = half_w * xy / xx
        rects[row, 0], rects[row, 1] = x0 // TILE_W, x1 // TILE_W + 1
        rects[row, 2], rects[row, 3] = y0 // TILE_H, y1 // TILE_H + 1
        radii[row, 0], radii[row, 1] = np.int32(math.ceil(min(half_w, F(1e9)))), np.int32(math.ceil(min(half_h, F(1e9))))
        index[row], depths[row] = i, z
        row += 1
    return row - start, not_finite


@njit(**FAST)
def close_gap(source, target, count, index, splats, depths, rects, radii):
    """Move rows source..source + count down to ``target``."""
    for k in range(count):
        a, b = source + k, target + k
        for j in range(CHANNELS):
            splats[b, j] = splats[a, j]
        for j in range(4):
            rects[b, j] = rects[a, j]
        for j in range(2):
            radii[b, j] = radii[a, j]
        index[b], depths[b] = index[a], depths[a]
