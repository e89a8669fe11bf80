"""3D Gaussians to splat records: projection, exact visibility, colour.

Source: Zwicker et al. 2001 (EWA splatting) as in gsplat 1.5.3; parity with ``render.reference`` in tests/parity.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spatialwm.render.cpu.layout import (
    CHANNELS,
    DEPTH,
    DET,
    FAST,
    HALF_H,
    HALF_W,
    INV_A,
    MIN_ALPHA,
    OPACITY,
    REACH,
    TILE_H,
    TILE_W,
    A,
    B,
    C,
    X,
    Y,
)  # fmt: skip

F = np.float32
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)
LARGEST = F(3.4e38)
"""``not abs(x) <= LARGEST`` asks for NaN or infinity: isfinite is ``x - x == 0``, which reassociation folds to True."""


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
            antialiased, geometry, tiles):  # fmt: skip
    """Fill ``geometry`` (n, CHANNELS) and the tile rectangle ``tiles`` (n, 4: x0, x1, y0, y1) of Gaussians start..stop.

    ``axis`` is the third row of ``view`` in float64. ``x1 == 0`` marks a Gaussian that no pixel sees. Returns how many have a
    field that is not finite; those are skipped.
    """
    not_finite = 0
    fx, fy, cx, cy = K[0, 0], K[1, 1], K[0, 2], K[1, 2]
    for i in range(start, stop):
        tiles[i, 1] = 0
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
        x, y = fx * px + cx, fy * py + cy
        # Clamped as floats: a huge splat's edge does not fit an integer.
        left, right = max(x - half_w - HALF, ZERO), min(x + half_w - HALF, F(width - 1))
        top, bottom = max(y - half_h - HALF, ZERO), min(y + half_h - HALF, F(height - 1))
        if not (left <= right and top <= bottom):
            continue
        x0, x1, y0, y1 = math.ceil(left), math.floor(right), math.ceil(top), math.floor(bottom)
        if x0 > x1 or y0 > y1:
            continue
        inv = ONE / det
        g = geometry[i]
        g[X], g[Y], g[OPACITY], g[REACH], g[DEPTH] = x, y, opacity, reach, z
        g[A], g[B], g[C], g[INV_A], g[DET] = yy * inv, -xy * inv, xx * inv, det / yy, inv
        g[HALF_W], g[HALF_H] = half_w, half_h
        tiles[i, 0], tiles[i, 1] = x0 // TILE_W, x1 // TILE_W + 1
        tiles[i, 2], tiles[i, 3] = y0 // TILE_H, y1 // TILE_H + 1
    return not_finite


@njit(**FAST)
def gather_geometry(start, stop, order, geometry, splats):
    """Records of visible Gaussians in depth order, so that a tile's list reads memory forwards."""
    for rank in range(start, stop):
        source, target = geometry[order[rank]], splats[rank]
        for j in range(CHANNELS):
            target[j] = source[j]


@njit(**FAST)
def gather_channels(start, stop, order, values, first, count, splats, column):
    """Copy ``values[:, first:first + count]`` into columns; returns how many are not finite."""
    not_finite = 0
    for rank in range(start, stop):
        source, target = values[order[rank]], splats[rank]
        for j in range(count):
            target[column + j] = source[first + j]
            if not abs(source[first + j]) <= LARGEST:
                not_finite += 1
    return not_finite


@njit(**FAST)
def gather_sh(start, stop, order, means, eye, sh, bases, splats, column):
    """Evaluate spherical harmonics seen from ``eye`` into three columns; returns how many are not finite.

    Same basis as ``geometry.sh.sh_basis``.
    """
    not_finite = 0
    basis = np.empty(16, np.float32)
    basis[0] = F(0.28209479177387814)
    for rank in range(start, stop):
        i = order[rank]
        if bases > 1:
            x, y, z = means[i, 0] - eye[0], means[i, 1] - eye[1], means[i, 2] - eye[2]
            k = ONE / max(math.sqrt(x * x + y * y + z * z), F(1e-20))
            x, y, z = x * k, y * k, z * k
            fill_basis(x, y, z, bases, basis)
        for c in range(3):
            value = HALF
            for j in range(bases):
                value += basis[j] * sh[i, j, c]
            if not abs(value) <= LARGEST:
                not_finite += 1
            splats[rank, column + c] = max(value, ZERO)
    return not_finite


@njit(**FAST)
def fill_basis(x, y, z, bases, out):
    """Basis values of degrees 1 to 3 along a unit direction into ``out[1:]``."""
    c1 = F(0.4886025119029199)
    out[1], out[2], out[3] = -c1 * y, c1 * z, -c1 * x
    if bases > 4:
        xx, yy, zz = x * x, y * y, z * z
        c2 = F(1.0925484305920792)
        out[4], out[5], out[7] = c2 * x * y, -c2 * y * z, -c2 * x * z
        out[6], out[8] = F(0.31539156525252005) * (TWO * zz - xx - yy), F(0.5462742152960396) * (xx - yy)
        if bases > 9:
            c3, c4 = F(0.5900435899266435), F(0.4570457994644658)
            out[9], out[15] = -c3 * y * (F(3) * xx - yy), -c3 * x * (xx - F(3) * yy)
            out[11], out[13] = -c4 * y * (F(4) * zz - xx - yy), -c4 * x * (F(4) * zz - xx - yy)
            out[10], out[14] = F(2.890611442640554) * x * y * z, F(1.445305721320277) * z * (xx - yy)
            out[12] = F(0.3731763325901154) * z * (TWO * zz - F(3) * xx - F(3) * yy)
