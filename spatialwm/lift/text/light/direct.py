"""Light that arrives straight from a source: stratified shadow rays to areas, drums, balls and the sun."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.light.lights import Ball, Drum, Light, Sun
from spatialwm.lift.text.light.rays import Rays
from spatialwm.lift.text.surface.cores import over

OFFSET_M = 0.004
"""Rays start this far off their surface, and sources may be this much nearer than what hides them."""

_SUN, _BALL, _DRUM, _PORTAL = 0, 1, 2, 3


def sequence(count: int, shift: float) -> Float[np.ndarray, "count 2"]:
    """Points of the R2 sequence (Roberts 2018): evenly spread over the unit square for every count."""
    return (np.arange(1, count + 1)[:, None] * np.array([0.7548776662, 0.5698402910]) + shift) % 1


def _parameters(light: Light) -> tuple[int, np.ndarray, np.ndarray]:
    """Kind, 12 numbers of geometry, and the strength that multiplies cosines and inverse squares."""
    if isinstance(light, Sun):
        d = np.array(light.direction, np.float64)
        d /= np.linalg.norm(d)
        t = np.cross(d, [0, 0, 1.0] if abs(d[2]) < 0.9 else [1.0, 0, 0])
        t /= np.linalg.norm(t)
        return _SUN, np.array([*d, *t, *np.cross(d, t), light.angle_rad, 0, 0]), np.array(light.irradiance)
    if isinstance(light, Ball):
        return _BALL, np.array([*light.center, light.radius_m, *[0.0] * 8]), np.array(light.intensity)
    if isinstance(light, Drum):
        # Samples on a drum count by how much they face the point; the mean of that cosine over all sides is 1/pi.
        return _DRUM, np.array([*light.center, light.radius_m, light.height_m, *[0.0] * 7]), np.pi * np.array(light.intensity)
    u, v = np.array(light.edge_u), np.array(light.edge_v)
    area = float(np.linalg.norm(np.cross(u, v)))
    return _PORTAL, np.array([*light.origin, *u, *v, *light.normal]), area * np.array(light.radiance)


@nb.njit(nogil=True, cache=True)
def _aim(start, stop, kind, g, points, surface, shading, thin, jitter, q0, q1, origins, directions, reach, weight):
    for i in range(start, stop):
        u, v = (q0 + jitter[i, 0]) % 1.0, (q1 + jitter[i, 1]) % 1.0
        px = points[i, 0] + surface[i, 0] * OFFSET_M
        py = points[i, 1] + surface[i, 1] * OFFSET_M
        pz = points[i, 2] + surface[i, 2] * OFFSET_M
        fall, far = 1.0, 1e4
        if kind == 0:
            r, a = math.sqrt(u) * g[9], 2 * math.pi * v
            cx, cy = r * math.cos(a), r * math.sin(a)
            dx, dy, dz = g[0] + cx * g[3] + cy * g[6], g[1] + cx * g[4] + cy * g[7], g[2] + cx * g[5] + cy * g[8]
        elif kind == 1:
            z = 1 - 2 * u
            a, r = 2 * math.pi * v, math.sqrt(max(0.0, 1 - z * z))
            dx = g[0] + g[3] * r * math.cos(a) - px
            dy = g[1] + g[3] * r * math.sin(a) - py
            dz = g[2] + g[3] * z - pz
        elif kind == 2:
            a = 2 * math.pi * u
            dx = g[0] + g[3] * math.cos(a) - px
            dy = g[1] + g[3] * math.sin(a) - py
            dz = g[2] + (v - 0.5) * g[4] - pz
        else:
            dx = g[0] + u * g[3] + v * g[6] - px
            dy = g[1] + u * g[4] + v * g[7] - py
            dz = g[2] + u * g[5] + v * g[8] - pz
        d2 = dx * dx + dy * dy + dz * dz
        length = math.sqrt(d2) + 1e-9
        dx, dy, dz = dx / length, dy / length, dz / length
        if kind != 0:
            far = length
            fall = 1.0 / max(d2, 0.06)  # a lamp would burn its own foot white
        if kind == 2:
            fall *= max(0.0, -(math.cos(2 * math.pi * u) * dx + math.sin(2 * math.pi * u) * dy))
        elif kind == 3:
            fall *= max(0.0, -(g[9] * dx + g[10] * dy + g[11] * dz))
        c = shading[i, 0] * dx + shading[i, 1] * dy + shading[i, 2] * dz
        side = surface[i, 0] * dx + surface[i, 1] * dy + surface[i, 2] * dz
        t = thin[i]
        w = max(c, 0.0) * (1 - 0.5 * t) + max(-c, 0.0) * 0.5 * t
        if t == 0 and side <= 0:
            w = 0.0
        s = OFFSET_M if side >= 0 or t == 0 else -OFFSET_M
        extra = 0.012 if t > 0 else 0.0
        origins[i, 0] = points[i, 0] + surface[i, 0] * s + dx * extra
        origins[i, 1] = points[i, 1] + surface[i, 1] * s + dy * extra
        origins[i, 2] = points[i, 2] + surface[i, 2] * s + dz * extra
        directions[i, 0], directions[i, 1], directions[i, 2] = dx, dy, dz
        reach[i] = far - 0.024
        weight[i] = w * fall


def direct(
    rays: Rays, points: Float[np.ndarray, "n 3"], surface: Float[np.ndarray, "n 3"], shading: Float[np.ndarray, "n 3"],
    thin: Float[np.ndarray, " n"], lights: tuple[Light, ...], rng: np.random.Generator, effort: float = 1.0,
) -> Float[np.ndarray, "n 3"]:  # fmt: skip
    """Irradiance from the lights alone.

    Args:
        surface: unit normals of the geometry; rays leave on their side.
        shading: unit normals that cosines are taken with.
        effort: factor on each light's own number of samples.
    """
    n, f = len(points), np.float32
    total = np.zeros((n, 3), f)
    points, surface, shading, thin = (np.ascontiguousarray(a, f) for a in (points, surface, shading, thin))
    origins, directions = np.empty((n, 3), f), np.empty((n, 3), f)
    reach, weight = np.empty(n, f), np.empty(n, f)
    for light in lights:
        kind, geometry, strength = _parameters(light)
        count = max(1, round(light.samples * effort))
        jitter = rng.random((n, 2), dtype=f)
        for q0, q1 in sequence(count, 0.3):
            over(n, _aim, kind, geometry, points, surface, shading, thin, jitter, q0, q1, origins, directions, reach, weight)
            # What adds less than this is invisible beside any lit surface; far lamps and fires then cost nothing.
            reachable = np.nonzero(weight > max(1e-6, 1.5e-3 / float(strength.max())))[0]
            if not len(reachable):
                continue
            open_ = reachable[~rays.blocked(origins[reachable], directions[reachable], reach[reachable])]
            total[open_] += weight[open_, None] * (strength / count).astype(f)
    return total
