"""The gradient of ``project.py``: from the 2D splats back to the Gaussians and the camera."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from spatialwm.render.cpu.layout import FAST, A, B, C
from spatialwm.render.cpu.project import rotation

F = np.float32
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)


@njit(**FAST)
def project_vjp(start, stop, index, splats, means, quats, scales, opacities, view, K, limits, eps2d, antialiased,
                v_means2d, v_conics, v_opacities2d, v_depths, v_means, v_quats, v_scales, v_opacities, v_view):  # fmt: skip
    """Gradients of rows start..stop.

    Args:
        v_means2d, v_conics, v_opacities2d, v_depths: gradients of the projected splats, per row.
        v_means, v_quats, v_scales, v_opacities: added to, at the Gaussians' indices.
        v_view: (3, 4) float64, added to.
    """
    fx, fy = K[0, 0], K[1, 1]
    for row in range(start, stop):
        i, g = index[row], splats[row]
        mx, my, mz = means[i, 0], means[i, 1], means[i, 2]
        s0, s1, s2 = scales[i, 0], scales[i, 1], scales[i, 2]
        z = view[2, 0] * mx + view[2, 1] * my + view[2, 2] * mz + view[2, 3]
        rz = ONE / z
        px = (view[0, 0] * mx + view[0, 1] * my + view[0, 2] * mz + view[0, 3]) * rz
        py = (view[1, 0] * mx + view[1, 1] * my + view[1, 2] * mz + view[1, 3]) * rz
        tx, ty = min(limits[1], max(limits[0], px)), min(limits[3], max(limits[2], py))
        jx, jy = fx * rz, fy * rz
        kx, ky = -jx * tx, -jy * ty
        a0, b0 = jx * view[0, 0] + kx * view[2, 0], jy * view[1, 0] + ky * view[2, 0]
        a1, b1 = jx * view[0, 1] + kx * view[2, 1], jy * view[1, 1] + ky * view[2, 1]
        a2, b2 = jx * view[0, 2] + kx * view[2, 2], jy * view[1, 2] + ky * view[2, 2]
        r00, r01, r02, r10, r11, r12, r20, r21, r22 = rotation(quats, i)
        ar0, ar1, ar2 = a0 * r00 + a1 * r10 + a2 * r20, a0 * r01 + a1 * r11 + a2 * r21, a0 * r02 + a1 * r12 + a2 * r22
        br0, br1, br2 = b0 * r00 + b1 * r10 + b2 * r20, b0 * r01 + b1 * r11 + b2 * r21, b0 * r02 + b1 * r12 + b2 * r22
        m0, m1, m2, n0, n1, n2 = ar0 * s0, ar1 * s1, ar2 * s2, br0 * s0, br1 * s1, br2 * s2

        # The conic is the inverse Q of the covariance: v_cov = -Q v_Q Q.
        qa, qb, qc = g[A], g[B], g[C]
        va, vb, vc = v_conics[row, 0], HALF * v_conics[row, 1], v_conics[row, 2]
        e00, e01, e10, e11 = va * qa + vb * qb, va * qb + vb * qc, vb * qa + vc * qb, vb * qb + vc * qc
        v00, v01, v11 = -(qa * e00 + qb * e10), -(qa * e01 + qb * e11), -(qb * e01 + qc * e11)
        v_opacity = v_opacities2d[row]
        if antialiased:
            xx, xy, yy = m0 * m0 + m1 * m1 + m2 * m2, m0 * n0 + m1 * n1 + m2 * n2, n0 * n0 + n1 * n1 + n2 * n2
            c0, c1, c2 = m1 * n2 - m2 * n1, m2 * n0 - m0 * n2, m0 * n1 - m1 * n0
            sharp = c0 * c0 + c1 * c1 + c2 * c2
            det = sharp + eps2d * (xx + yy + eps2d)
            compensation = math.sqrt(max(sharp / det, F(1e-20)))
            # Derivatives of sharp / det, with det - sharp = eps2d (xx + yy + eps2d) put in: no difference of large numbers.
            k = v_opacity * min(opacities[i], ONE) / (TWO * compensation) * eps2d / (det * det)
            if sharp <= F(1e-20) * det:
                k = ZERO
            v00 += k * (yy * yy + xy * xy + eps2d * yy)
            v11 += k * (xx * xx + xy * xy + eps2d * xx)
            v01 -= k * xy * (xx + yy + eps2d)
            v_opacity *= compensation
        if opacities[i] <= ONE:
            v_opacities[i] += v_opacity

        # cov = M M^T with rows m and n; M = (rows a, b of J @ R_view) @ R(quat) @ diag(scales).
        vm0, vm1, vm2 = TWO * (v00 * m0 + v01 * n0), TWO * (v00 * m1 + v01 * n1), TWO * (v00 * m2 + v01 * n2)
        vn0, vn1, vn2 = TWO * (v01 * m0 + v11 * n0), TWO * (v01 * m1 + v11 * n1), TWO * (v01 * m2 + v11 * n2)
        v_scales[i, 0] += vm0 * ar0 + vn0 * br0
        v_scales[i, 1] += vm1 * ar1 + vn1 * br1
        v_scales[i, 2] += vm2 * ar2 + vn2 * br2
        vm0, vm1, vm2, vn0, vn1, vn2 = vm0 * s0, vm1 * s1, vm2 * s2, vn0 * s0, vn1 * s1, vn2 * s2
        va0, va1, va2 = vm0 * r00 + vm1 * r01 + vm2 * r02, vm0 * r10 + vm1 * r11 + vm2 * r12, vm0 * r20 + vm1 * r21 + vm2 * r22
        vb0, vb1, vb2 = vn0 * r00 + vn1 * r01 + vn2 * r02, vn0 * r10 + vn1 * r11 + vn2 * r12, vn0 * r20 + vn1 * r21 + vn2 * r22
        quat_vjp(quats, i, v_quats,
                 vm0 * a0 + vn0 * b0, vm1 * a0 + vn1 * b0, vm2 * a0 + vn2 * b0,
                 vm0 * a1 + vn0 * b1, vm1 * a1 + vn1 * b1, vm2 * a1 + vn2 * b1,
                 vm0 * a2 + vn0 * b2, vm1 * a2 + vn1 * b2, vm2 * a2 + vn2 * b2)  # fmt: skip

        v_jx = va0 * view[0, 0] + va1 * view[0, 1] + va2 * view[0, 2]
        v_kx = va0 * view[2, 0] + va1 * view[2, 1] + va2 * view[2, 2]
        v_jy = vb0 * view[1, 0] + vb1 * view[1, 1] + vb2 * view[1, 2]
        v_ky = vb0 * view[2, 0] + vb1 * view[2, 1] + vb2 * view[2, 2]
        v_px, v_py = fx * v_means2d[row, 0], fy * v_means2d[row, 1]
        if limits[0] <= px <= limits[1]:
            v_px -= jx * v_kx
        if limits[2] <= py <= limits[3]:
            v_py -= jy * v_ky
        v_x, v_y = v_px * rz, v_py * rz
        v_z = v_depths[row] - v_x * px - v_y * py - ((v_jx - tx * v_kx) * jx + (v_jy - ty * v_ky) * jy) * rz
        v_means[i, 0] += view[0, 0] * v_x + view[1, 0] * v_y + view[2, 0] * v_z
        v_means[i, 1] += view[0, 1] * v_x + view[1, 1] * v_y + view[2, 1] * v_z
        v_means[i, 2] += view[0, 2] * v_x + view[1, 2] * v_y + view[2, 2] * v_z
        v_view[0, 0] += jx * va0 + v_x * mx
        v_view[0, 1] += jx * va1 + v_x * my
        v_view[0, 2] += jx * va2 + v_x * mz
        v_view[0, 3] += v_x
        v_view[1, 0] += jy * vb0 + v_y * mx
        v_view[1, 1] += jy * vb1 + v_y * my
        v_view[1, 2] += jy * vb2 + v_y * mz
        v_view[1, 3] += v_y
        v_view[2, 0] += kx * va0 + ky * vb0 + v_z * mx
        v_view[2, 1] += kx * va1 + ky * vb1 + v_z * my
        v_view[2, 2] += kx * va2 + ky * vb2 + v_z * mz
        v_view[2, 3] += v_z


@njit(**FAST)
def quat_vjp(quats, i, v_quats, r0, r1, r2, r3, r4, r5, r6, r7, r8):
    """Add the gradient of ``project.rotation``, from that of its nine entries."""
    w, x, y, z = quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]
    square = w * w + x * x + y * y + z * z
    if square < F(1e-24):
        return
    k = ONE / math.sqrt(square)
    w, x, y, z = w * k, x * k, y * k, z * k
    v_w = TWO * (x * (r7 - r5) + y * (r2 - r6) + z * (r3 - r1))
    v_x = TWO * (w * (r7 - r5) + y * (r1 + r3) + z * (r2 + r6) - TWO * x * (r4 + r8))
    v_y = TWO * (w * (r2 - r6) + x * (r1 + r3) + z * (r5 + r7) - TWO * y * (r0 + r8))
    v_z = TWO * (w * (r3 - r1) + x * (r2 + r6) + y * (r5 + r7) - TWO * z * (r0 + r4))
    along = v_w * w + v_x * x + v_y * y + v_z * z  # the length of a quaternion turns nothing
    v_quats[i, 0] += (v_w - along * w) * k
    v_quats[i, 1] += (v_x - along * x) * k
    v_quats[i, 2] += (v_y - along * y) * k
    v_quats[i, 3] += (v_z - along * z) * k
