"""Baked light: direct, then two bounces through a radiosity cache on clusters of triangles, then edge-aware smoothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numba as nb
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree

from spatialwm.lift.text.light.direct import direct, sequence
from spatialwm.lift.text.light.lights import Light
from spatialwm.lift.text.light.rays import Rays
from spatialwm.lift.text.light.smoothing import bilateral, neighbours
from spatialwm.lift.text.surface.cores import over
from spatialwm.lift.text.surface.splats import Splats

COARSE_M = 0.018
"""Gaussians wider than this are few and large on screen: their noise shows, so they get more rays; not so leaves and blades."""

CLUSTER_M = 0.12
"""Triangles of one solid within such a cell and facing alike share one radiosity value."""

FACING_M = 0.2
"""A right angle between normals counts as this many metres times the square root of two when light is interpolated."""

Sky = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much work light gets."""

    direct: float = 1.0
    """Factor on every light's shadow rays."""
    gather_rays: int = 56
    gather_share: float = 0.25
    """Share of the Gaussians that gather indirect light; the others interpolate, as it varies slowly."""
    cache_rays: int = 20


@dataclass(frozen=True, slots=True, eq=False)
class Cache:
    """Outgoing radiance per triangle."""

    gathered: Float[np.ndarray, "f 3"]
    """What diffuse gathering sees: lamps left out, since they are sampled as lights."""
    seen: Float[np.ndarray, "f 3"]
    """What mirrors see."""
    back: Float[np.ndarray, " f"]
    """Factor on the radiance of back sides."""


@dataclass(frozen=True, slots=True, eq=False)
class Baked:
    """Linear light on every Gaussian."""

    direct: Float[np.ndarray, "n 3"]
    indirect: Float[np.ndarray, "n 3"]
    cache: Cache

    def radiance(self, splats: Splats) -> Float[np.ndarray, "n 3"]:
        """Diffuse outgoing radiance, emission included."""
        return splats.albedo * (self.direct + self.indirect) / np.float32(np.pi) + splats.emission


def bake(
    splats: Splats, rays: Rays, glows: Bool[np.ndarray, " s"], lights: tuple[Light, ...], sky: Sky, effort: Effort,
    rng: np.random.Generator, near: tuple[np.ndarray, np.ndarray],
) -> Baked:  # fmt: skip
    """Light all Gaussians.

    Args:
        glows: per solid of ``rays``, True when its emission stands for a light and must not be gathered again.
        near: ``neighbours`` of the means.
    """
    cache = _radiosity(splats, rays, glows, lights, sky, effort, rng)
    straight = direct(rays, splats.means, splats.normals, splats.shading, splats.thin, lights, rng, effort.direct)
    coarse = np.nonzero((splats.scales[:, :2].max(1) > COARSE_M) & (splats.emission.sum(1) == 0) & (splats.thin == 0))[0]
    if len(coarse):
        some = splats.select(coarse)
        straight[coarse] = direct(rays, some.means, some.normals, some.shading, some.thin, lights, rng, effort.direct * 4)
    straight = bilateral(near[0][:, :8], near[1][:, :8], splats.shading, straight)
    return Baked(straight, _indirect(splats, rays, cache, sky, effort, rng), cache)


def _clusters(rays: Rays) -> tuple[Int[np.ndarray, " f"], Int[np.ndarray, " c"]]:
    """Cluster of each triangle, and the largest triangle of each cluster."""
    cell = np.floor(rays.centers / CLUSTER_M).astype(np.int64) & 0x3FF
    axis = np.abs(rays.normals).argmax(1)
    facing = axis * 2 + (np.take_along_axis(rays.normals, axis[:, None], 1)[:, 0] > 0)
    key = ((((rays.solid.astype(np.int64) * 8 + facing) << 30) | (cell[:, 0] << 20)) | (cell[:, 1] << 10)) | cell[:, 2]
    order = np.lexsort((-rays.areas, key))
    first = np.concatenate([[True], key[order][1:] != key[order][:-1]])
    cluster = np.empty(len(key), np.int64)
    cluster[order] = np.cumsum(first) - 1
    return cluster, order[first]


def _radiosity(splats: Splats, rays: Rays, glows: np.ndarray, lights: tuple[Light, ...], sky: Sky, effort: Effort,
               rng: np.random.Generator) -> Cache:  # fmt: skip
    cluster, face = _clusters(rays)
    centers, normals, thin = rays.centers[face], rays.normals[face], rays.thin[face]
    _, index = KDTree(splats.means).query(centers, k=min(4, len(splats)), workers=-1)
    index = index.reshape(len(face), -1)
    albedo, emission = splats.albedo[index].mean(1), splats.emission[index].mean(1)
    gathered_emission = np.where(glows[rays.solid[face]][:, None], 0, emission)
    back = np.where(rays.thin > 0, 0.7, 0.25).astype(np.float32)
    straight = direct(rays, centers, normals, normals, thin, lights, rng, 0.5)
    once = (albedo * straight / np.pi + gathered_emission).astype(np.float32)
    first = Cache(once[cluster], once[cluster], back)
    bounced = gather(rays, centers, normals, normals, thin, first, sky, effort.cache_rays, rng)
    if len(face) > 12:
        near = neighbours(centers, 10)
        bounced = bilateral(*near, normals, bounced, 2)
    full = (albedo * (straight + bounced) / np.pi).astype(np.float32)
    return Cache((full + gathered_emission)[cluster].astype(np.float32), (full + emission)[cluster].astype(np.float32), back)


@nb.njit(nogil=True, cache=True)
def _spread(start, stop, points, surface, shading, thin, jitter, q0, q1, origins, directions):
    """Cosine-distributed directions; a third of those of thin matter leave on its back."""
    for i in range(start, stop):
        u, v = (q0 + jitter[i, 0]) % 1.0 * 0.999, (q1 + jitter[i, 1]) % 1.0
        nx, ny, nz = shading[i, 0], shading[i, 1], shading[i, 2]
        if abs(nz) < 0.9:
            tx, ty, tz = -ny, nx, 0.0
        else:
            tx, ty, tz = 0.0, -nz, ny
        length = math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-12
        tx, ty, tz = tx / length, ty / length, tz / length
        bx, by, bz = ny * tz - nz * ty, nz * tx - nx * tz, nx * ty - ny * tx
        r, a, c = math.sqrt(u), 2 * math.pi * v, math.sqrt(1 - u)
        ca, sa = r * math.cos(a), r * math.sin(a)
        dx, dy, dz = tx * ca + bx * sa + nx * c, ty * ca + by * sa + ny * c, tz * ca + bz * sa + nz * c
        if thin[i] > 0 and (v * 7.3) % 1.0 < 0.35:
            dx, dy, dz = -dx, -dy, -dz
        side = dx * surface[i, 0] + dy * surface[i, 1] + dz * surface[i, 2]
        if side < 0 and thin[i] == 0:  # a bumped normal looked below the horizon: mirror it up
            dx, dy, dz = dx - 2 * side * surface[i, 0], dy - 2 * side * surface[i, 1], dz - 2 * side * surface[i, 2]
            side = -side
        s = 0.004 if side >= 0 else -0.004
        extra = 0.016 if thin[i] > 0 else 0.0
        origins[i, 0] = points[i, 0] + surface[i, 0] * s + dx * extra
        origins[i, 1] = points[i, 1] + surface[i, 1] * s + dy * extra
        origins[i, 2] = points[i, 2] + surface[i, 2] * s + dz * extra
        directions[i, 0], directions[i, 1], directions[i, 2] = dx, dy, dz


@nb.njit(nogil=True, cache=True)
def _collect(start, stop, hit, directions, normals, values, back, clamp, total):
    for i in range(start, stop):
        j = hit[i]
        if j < 0:
            continue
        s = directions[i, 0] * normals[j, 0] + directions[i, 1] * normals[j, 1] + directions[i, 2] * normals[j, 2]
        k = back[j] if s > 0 else 1.0
        for c in range(3):
            total[i, c] += min(values[j, c] * k, clamp)


def gather(
    rays: Rays, points: Float[np.ndarray, "n 3"], surface: Float[np.ndarray, "n 3"], shading: Float[np.ndarray, "n 3"],
    thin: Float[np.ndarray, " n"], cache: Cache, sky: Sky, count: int, rng: np.random.Generator,
) -> Float[np.ndarray, "n 3"]:  # fmt: skip
    """Irradiance from all other surfaces and the sky, ``count`` rays a point.

    Single bright hits are clamped at 12 times the mean radiance: the energy lost is small, the speckle saved is not.
    """
    n, f = len(points), np.float32
    points, surface, shading, thin = (np.ascontiguousarray(a, f) for a in (points, surface, shading, thin))
    origins, directions = np.empty((n, 3), f), np.empty((n, 3), f)
    total = np.zeros((n, 3), f)
    jitter = rng.random((n, 2), dtype=f)
    mean = float(np.average(cache.gathered.mean(1), weights=rays.areas + 1e-12)) if len(rays) else 0.0
    clamp = f(max(12 * mean, 1e-6))
    for q0, q1 in sequence(count, 0.1):
        over(n, _spread, points, surface, shading, thin, jitter, q0, q1, origins, directions)
        hit = rays.first_hit(origins, directions)
        over(n, _collect, hit, directions, rays.normals, cache.gathered, cache.back, clamp, total)
        away = np.nonzero(hit < 0)[0]
        if len(away):
            total[away] += sky(directions[away]).astype(f)
    return total * f(np.pi / count)


@nb.njit(nogil=True, cache=True)
def _interpolate(start, stop, index, distance, normals, known_normals, known, out):
    for i in range(start, stop):
        last = max(distance[i, index.shape[1] - 1], 1e-6)
        total = 1e-9
        r, g, b = 0.0, 0.0, 0.0
        for k in range(index.shape[1]):
            j = index[i, k]
            d = normals[i, 0] * known_normals[j, 0] + normals[i, 1] * known_normals[j, 1] + normals[i, 2] * known_normals[j, 2]
            x = distance[i, k] / last
            w = max(d, 0.02) ** 6 * math.exp(-2.5 * x * x)
            total += w
            r, g, b = r + w * known[j, 0], g + w * known[j, 1], b + w * known[j, 2]
        out[i, 0], out[i, 1], out[i, 2] = r / total, g / total, b / total


def _faced(splats: Splats) -> Float[np.ndarray, "n 6"]:
    return np.concatenate([splats.means, splats.normals * np.float32(FACING_M)], axis=1)


def _indirect(splats: Splats, rays: Rays, cache: Cache, sky: Sky, effort: Effort, rng: np.random.Generator) -> np.ndarray:
    n = len(splats)
    chosen = np.sort(rng.permutation(n)[: max(min(n, 2000), int(n * effort.gather_share))])
    some = splats.select(chosen)
    light = gather(rays, some.means, some.normals, some.shading, some.thin, cache, sky, effort.gather_rays, rng)
    near = neighbours(some.means, 14)
    light = bilateral(*near, some.normals, light, 3)
    if len(chosen) == n:
        return light
    # Nearest in place and facing together: beside a finely sampled window frame, the six nearest in place may all face elsewhere.
    distance, index = KDTree(_faced(some)).query(_faced(splats), k=min(6, len(chosen)), workers=-1)
    out = np.empty((n, 3), np.float32)
    over(n, _interpolate, index.reshape(n, -1), distance.reshape(n, -1), splats.normals, some.normals, light, out)
    return out
