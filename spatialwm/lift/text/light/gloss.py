"""Highlights: what glossy surfaces mirror, fitted as spherical harmonics over the walkable views."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.light.bake import Cache, Sky
from spatialwm.lift.text.light.rays import Rays
from spatialwm.lift.text.light.smoothing import bilateral, neighbours
from spatialwm.lift.text.light.tone import to_display
from spatialwm.lift.text.surface.cores import over

_RIDGE = np.array([0.03, *[0.5] * 3, *[1.0] * 5])
"""Regularisation per coefficient: what few views do not pin stays near zero and cannot flash elsewhere."""


@nb.njit(cache=True, inline="always")
def _basis(x, y, z, out):
    out[0] = 0.28209479177387814
    out[1], out[2], out[3] = -0.4886025119029199 * y, 0.4886025119029199 * z, -0.4886025119029199 * x
    if len(out) > 4:
        out[4], out[5] = 1.0925484305920792 * x * y, -1.0925484305920792 * y * z
        out[6] = 0.31539156525252005 * (2 * z * z - x * x - y * y)
        out[7], out[8] = -1.0925484305920792 * x * z, 0.5462742152960396 * (x * x - y * y)


@nb.njit(nogil=True, cache=True)
def _mirror(start, stop, points, surface, smooth, roughness, noise, eye, origins, directions, cosine):
    for i in range(start, stop):
        vx, vy, vz = eye[0] - points[i, 0], eye[1] - points[i, 1], eye[2] - points[i, 2]
        length = math.sqrt(vx * vx + vy * vy + vz * vz) + 1e-9
        vx, vy, vz = vx / length, vy / length, vz / length
        c = max(vx * smooth[i, 0] + vy * smooth[i, 1] + vz * smooth[i, 2], 0.02)
        cosine[i] = c
        k = roughness[i] ** 2 * 1.6
        rx = 2 * c * smooth[i, 0] - vx + noise[i, 0] * k
        ry = 2 * c * smooth[i, 1] - vy + noise[i, 1] * k
        rz = 2 * c * smooth[i, 2] - vz + noise[i, 2] * k
        length = math.sqrt(rx * rx + ry * ry + rz * rz) + 1e-9
        rx, ry, rz = rx / length, ry / length, rz / length
        s = rx * surface[i, 0] + ry * surface[i, 1] + rz * surface[i, 2]
        if s < 0.02:
            rx, ry, rz = rx - 1.05 * s * surface[i, 0], ry - 1.05 * s * surface[i, 1], rz - 1.05 * s * surface[i, 2]
        for d in range(3):
            origins[i, d] = points[i, d] + surface[i, d] * 0.004
        directions[i, 0], directions[i, 1], directions[i, 2] = rx, ry, rz


@nb.njit(nogil=True, cache=True)
def _accumulate(start, stop, points, surface, eye, target, moments, sums):
    k = moments.shape[1]
    for i in range(start, stop):
        vx, vy, vz = points[i, 0] - eye[0], points[i, 1] - eye[1], points[i, 2] - eye[2]
        length = math.sqrt(vx * vx + vy * vy + vz * vz) + 1e-9
        vx, vy, vz = vx / length, vy / length, vz / length
        if vx * surface[i, 0] + vy * surface[i, 1] + vz * surface[i, 2] > 0.2:
            continue
        basis = np.empty(k, np.float32)
        _basis(vx, vy, vz, basis)
        for a in range(k):
            for b in range(a + 1):
                moments[i, a, b] += basis[a] * basis[b]
            for c in range(3):
                sums[i, a, c] += basis[a] * target[i, c]


@nb.njit(nogil=True, cache=True)
def _solve(start, stop, moments, sums):
    """Cholesky in place per row; the answer replaces ``sums``."""
    k = moments.shape[1]
    for i in range(start, stop):
        m = moments[i]
        for a in range(k):
            for b in range(a + 1):
                s = m[a, b]
                for c in range(b):
                    s -= m[a, c] * m[b, c]
                m[a, b] = math.sqrt(max(s, 1e-8)) if a == b else s / m[b, b]
        for c in range(3):
            for a in range(k):
                s = sums[i, a, c]
                for b in range(a):
                    s -= m[a, b] * sums[i, b, c]
                sums[i, a, c] = s / m[a, a]
            for a in range(k - 1, -1, -1):
                s = sums[i, a, c]
                for b in range(a + 1, k):
                    s -= m[b, a] * sums[i, b, c]
                sums[i, a, c] = s / m[a, a]


def highlights(
    rays: Rays, cache: Cache, sky: Sky, points: Float[np.ndarray, "n 3"], surface: Float[np.ndarray, "n 3"],
    shading: Float[np.ndarray, "n 3"], gloss: Float[np.ndarray, " n"], roughness: Float[np.ndarray, " n"],
    radiance: Float[np.ndarray, "n 3"], eyes: Float[np.ndarray, "k 3"], exposure: float, degree: int, rng: np.random.Generator,
) -> Float[np.ndarray, "n k 3"]:  # fmt: skip
    """SH of the display-space change that a clear coat makes, degree 1 or 2, to be added to the diffuse colour's SH.

    Fitting after tone mapping is what makes highlights come out right: viewers clamp and never tone-map.
    """
    f, n, k = np.float32, len(points), (degree + 1) ** 2
    if not n:
        return np.zeros((0, k, 3), f)
    points, surface = np.ascontiguousarray(points, f), np.ascontiguousarray(surface, f)
    near = neighbours(points, 10)
    # Bumps scatter single mirror rays into speckle: mostly smooth normals for mirrors.
    smooth = 0.35 * shading + 0.65 * bilateral(*near, surface, shading)
    smooth = np.ascontiguousarray(smooth / (np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-12), f)
    base = to_display(radiance, exposure)
    moments = np.tile(np.diag(_RIDGE[:k]).astype(f), (n, 1, 1))
    sums = np.zeros((n, k, 3), f)
    origins, directions, cosine = np.empty((n, 3), f), np.empty((n, 3), f), np.empty(n, f)
    roughness = np.ascontiguousarray(roughness, f)
    ceiling = f(3.0 / exposure * 2.7)
    for eye in eyes.astype(f):
        over(
            n, _mirror, points, surface, smooth, roughness, rng.standard_normal((n, 3), dtype=f), eye, origins, directions, cosine
        )
        hit = rays.first_hit(origins, directions)
        mirrored = cache.seen[np.maximum(hit, 0)]
        away = np.nonzero(hit < 0)[0]
        if len(away):
            mirrored[away] = sky(directions[away])
        fresnel = ((0.04 + 0.96 * (1 - cosine) ** 5 * (1 - roughness)) * gloss)[:, None]
        target = to_display(radiance * (1 - fresnel) + np.minimum(mirrored, ceiling) * fresnel, exposure) - base
        over(n, _accumulate, points, surface, eye, np.ascontiguousarray(target, f), moments, sums)
    over(n, _solve, moments, sums)
    return bilateral(near[0][:, :8], near[1][:, :8], surface, sums.reshape(n, -1)).reshape(n, k, 3)
