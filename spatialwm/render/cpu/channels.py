"""What splats carry into the picture: spherical-harmonic colour, plain channels; and their gradients.

Same basis as ``geometry.sh.sh_basis``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spatialwm.render.cpu.layout import CHANNELS, FAST, LARGEST

F = np.float32
ZERO, HALF, ONE, TWO, THREE = F(0), F(0.5), F(1), F(2), F(3)
C0, C1, C2 = F(0.28209479177387814), F(0.4886025119029199), F(1.0925484305920792)
C20, C22 = F(0.31539156525252005), F(0.5462742152960396)
C30, C31, C32, C33, C36 = (
    F(0.3731763325901154), F(0.4570457994644658), F(2.890611442640554), F(0.5900435899266435), F(1.445305721320277)
)  # fmt: skip


@njit(**FAST)
def copy_in(start, stop, index, values, channels, column):
    """Rows of ``values`` (n, d) into ``channels[:, column:]``; returns how many numbers are not finite."""
    not_finite = 0
    for row in range(start, stop):
        i = index[row]
        for j in range(values.shape[1]):
            value = values[i, j]
            channels[row, column + j] = value
            if not abs(value) <= LARGEST:
                not_finite += 1
    return not_finite


@njit(**FAST)
def copy_out(start, stop, index, channels, column, values):
    """The transpose of :func:`copy_in`, for gradients: adds."""
    for row in range(start, stop):
        i = index[row]
        for j in range(values.shape[1]):
            values[i, j] += channels[row, column + j]


@njit(**FAST)
def load(start, stop, channels, first, count, splats):
    """Columns ``first .. first + count`` into the records; unused columns of the records become zero."""
    for row in range(start, stop):
        for j in range(splats.shape[1] - CHANNELS):
            splats[row, CHANNELS + j] = channels[row, first + j] if j < count else ZERO


@njit(**FAST)
def direction(means, i, eye):
    """Unit vector from the eye to Gaussian ``i``, and one over the distance."""
    x, y, z = means[i, 0] - eye[0], means[i, 1] - eye[1], means[i, 2] - eye[2]
    k = ONE / max(math.sqrt(x * x + y * y + z * z), F(1e-20))
    return x * k, y * k, z * k, k


@njit(**FAST)
def fill_basis(x, y, z, bases, out):
    """Basis values along a unit direction."""
    out[0] = C0
    if bases > 1:
        out[1], out[2], out[3] = -C1 * y, C1 * z, -C1 * x
    if bases > 4:
        xx, yy, zz = x * x, y * y, z * z
        out[4], out[5], out[7] = C2 * x * y, -C2 * y * z, -C2 * x * z
        out[6], out[8] = C20 * (TWO * zz - xx - yy), C22 * (xx - yy)
        if bases > 9:
            out[9], out[15] = -C33 * y * (THREE * xx - yy), -C33 * x * (xx - THREE * yy)
            out[11], out[13] = -C31 * y * (F(4) * zz - xx - yy), -C31 * x * (F(4) * zz - xx - yy)
            out[10], out[14] = C32 * x * y * z, C36 * z * (xx - yy)
            out[12] = C30 * z * (TWO * zz - THREE * xx - THREE * yy)


@njit(**FAST)
def basis_vjp(x, y, z, bases, v):
    """Gradient to the direction of ``sum(v * basis)``."""
    gx, gy, gz = -C1 * v[3], -C1 * v[1], C1 * v[2]
    if bases > 4:
        gx += C2 * (y * v[4] - z * v[7]) - TWO * C20 * x * v[6] + TWO * C22 * x * v[8]
        gy += C2 * (x * v[4] - z * v[5]) - TWO * C20 * y * v[6] - TWO * C22 * y * v[8]
        gz += -C2 * (y * v[5] + x * v[7]) + F(4) * C20 * z * v[6]
    if bases > 9:
        xx, yy, zz, xy, yz, xz = x * x, y * y, z * z, x * y, y * z, x * z
        gx += -F(6) * C33 * xy * v[9] + C32 * yz * v[10] + TWO * C31 * xy * v[11] - F(6) * C30 * xz * v[12]
        gx += -C31 * (F(4) * zz - THREE * xx - yy) * v[13] + TWO * C36 * xz * v[14] - THREE * C33 * (xx - yy) * v[15]
        gy += -THREE * C33 * (xx - yy) * v[9] + C32 * xz * v[10] - C31 * (F(4) * zz - xx - THREE * yy) * v[11]
        gy += -F(6) * C30 * yz * v[12] + TWO * C31 * xy * v[13] - TWO * C36 * yz * v[14] + F(6) * C33 * xy * v[15]
        gz += C32 * xy * v[10] - F(8) * C31 * yz * v[11] + C30 * (F(6) * zz - THREE * xx - THREE * yy) * v[12]
        gz += -F(8) * C31 * xz * v[13] + C36 * (xx - yy) * v[14]
    return gx, gy, gz


@njit(**FAST)
def shade(start, stop, index, means, eye, sh, bases, channels):
    """Spherical harmonics seen from ``eye`` into three columns; returns how many are not finite."""
    not_finite = 0
    basis = np.empty(16, np.float32)
    basis[0] = C0
    for row in range(start, stop):
        i = index[row]
        if bases > 1:
            x, y, z, _ = direction(means, i, eye)
            fill_basis(x, y, z, bases, basis)
        for c in range(3):
            value = HALF
            for j in range(bases):
                value += basis[j] * sh[i, j, c]
            if not abs(value) <= LARGEST:
                not_finite += 1
            channels[row, c] = max(value, ZERO)
    return not_finite


@njit(**FAST)
def shade_vjp(start, stop, index, means, eye, sh, bases, channels, v_channels, v_sh, v_means, v_eye):
    """Gradients of :func:`shade`: added to ``v_sh``, ``v_means`` and ``v_eye`` (3,) float64."""
    basis, v_basis = np.empty(16, np.float32), np.empty(16, np.float32)
    basis[0] = C0
    for row in range(start, stop):
        i = index[row]
        x, y, z, k = direction(means, i, eye)
        fill_basis(x, y, z, bases, basis)
        v_basis[:] = ZERO
        for c in range(3):
            v = v_channels[row, c] if channels[row, c] > ZERO else ZERO
            for j in range(bases):
                v_sh[i, j, c] += basis[j] * v
                v_basis[j] += sh[i, j, c] * v
        if bases > 1:
            gx, gy, gz = basis_vjp(x, y, z, bases, v_basis)
            along = gx * x + gy * y + gz * z
            gx, gy, gz = (gx - along * x) * k, (gy - along * y) * k, (gz - along * z) * k
            v_means[i, 0] += gx
            v_means[i, 1] += gy
            v_means[i, 2] += gz
            v_eye[0] -= gx
            v_eye[1] -= gy
            v_eye[2] -= gz
