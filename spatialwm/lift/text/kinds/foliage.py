"""Trees as skeletons that carry leaves: each needle, leaf or leaflet spray is one long Gaussian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.model import Solid, Strands
from spatialwm.lift.text.surface.noise import linear
from spatialwm.lift.text.surface.solids import join, tube

Array = np.ndarray
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Growth:
    """Wood, what hangs on it, and a coarse stand-in for the shade it throws."""

    wood: Solid
    leaves: Strands
    shade: Solid
    """Sheets that roughly cover what the leaves cover; strands themselves cast no shadow."""


def conifer(height_m: float, rng: np.random.Generator, needles: int, *, tint: str | None = None, snow: float = 0.0) -> Growth:
    """A fir: whorls of drooping branches, each a feather of needle sprays.

    Args:
        needles: number of sprays; fewer are drawn longer and wider, so that the outline stays closed.
        tint: colour of the young needles.
        snow: 0..1 share of the upper sides that is white.
    """
    whorls = int(np.clip(height_m * 2.4, 14, 30))
    per_whorl = 7 if needles > 1500 else 6
    z = np.linspace(0.09, 0.985, whorls) * height_m + rng.uniform(-0.1, 0.1, whorls)
    spread = 0.2 * height_m * rng.uniform(0.88, 1.15)
    level = z / height_m
    reach = spread * (1 - level) ** 0.85 * np.where(level > 0.2, 1.0, 0.6 + 2 * level) * rng.uniform(0.82, 1.1, whorls) + 0.12
    azimuth = (rng.uniform(0, 2 * np.pi, (whorls, 1)) + np.arange(per_whorl) * 2 * np.pi / per_whorl).ravel()
    azimuth += rng.normal(0, 0.2, azimuth.size)
    level, base_z = np.repeat(level, per_whorl), np.repeat(z, per_whorl)
    length = np.repeat(reach, per_whorl) * rng.uniform(0.72, 1.1, azimuth.size)
    rise = 0.25 - 0.55 * (1 - level) + rng.normal(0, 0.06, azimuth.size)
    outward = np.column_stack([np.cos(azimuth), np.sin(azimuth), np.zeros(azimuth.size)])
    start = np.column_stack([np.zeros((azimuth.size, 2)), base_z])
    end = start + outward * length[:, None] + UP * (0.7 * rise * length)[:, None]

    share = length + 0.25
    b = np.repeat(np.arange(azimuth.size), np.maximum(1, np.round(needles * share / share.sum())).astype(int))
    n = len(b)
    u = 0.1 + 0.9 * rng.random(n) ** 0.85
    side = np.cross(UP, outward)[b] * rng.choice([-1.0, 1.0], n)[:, None]
    angle = rng.uniform(0.35, 1.05, n)[:, None]
    fewer = (4500 / max(needles, 60)) ** 0.42
    roots = start[b] + (end - start)[b] * u[:, None] - UP * (0.1 * length[b] * np.sin(u * np.pi))[:, None]
    heading = outward[b] + UP * (0.5 * rise[b])[:, None]
    heading = heading * np.cos(angle) + side * np.sin(angle) + UP * rng.normal(-0.08, 0.2, n)[:, None]
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    sprays = (0.17 + 0.2 * length[b] * (1 - u)) * rng.uniform(0.7, 1.2, n) * fewer
    young = np.clip(0.62 * u + 0.3 * rng.random(n), 0, 1)[:, None]
    albedo = linear("#17301c") * (1 - young) + linear(tint or "#5b7a3c") * young
    albedo *= rng.uniform(0.75, 1.15, (n, 1))
    normals = outward[b] * 0.7 + UP * 0.75 + rng.normal(0, 0.22, (n, 3))
    if snow > 0:
        white = (rng.random(n) < snow * (0.35 + 0.5 * u))[:, None]
        albedo = np.where(white, 0.82 * rng.uniform(0.9, 1.05, (n, 1)), albedo)
        roots = roots + np.where(white, UP * 0.03, 0.0)
    leaves = Strands(
        roots=roots,
        tips=roots + heading * sprays[:, None],
        width_m=0.0125 * fewer * rng.uniform(0.75, 1.3, n) * (height_m / 11) ** 0.5,
        albedo=albedo,
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        opacity=0.94,
        thin=0.8,
    )
    radius = 0.016 * height_m
    lean = rng.normal(0, 0.004 * height_m, 2)
    path = np.array([[0, 0, 0], [lean[0], lean[1], height_m * 0.5], [0, 0, height_m * 0.98]])
    half = np.cross(UP, outward) * (0.28 * length)[:, None]
    middle = start + 0.6 * (end - start)
    corners = np.stack([start, middle + half, end, middle - half], axis=1)[:: 1 if needles > 1500 else 2]
    return Growth(wood=tube(path, [radius, radius * 0.62, 0.02], 10), leaves=leaves, shade=_quads(corners))


def skeleton(
    height_m: float,
    spread_m: float,
    rng: np.random.Generator,
    *,
    trunk: float = 0.35,
    girth: float = 0.03,
    levels: int = 3,
    forks: int = 5,
    twist: float = 0.25,
) -> tuple[Solid, Float[Array, "n 3"]]:
    """A broadleaf's wood, and the ends of its twigs.

    Args:
        trunk: share of the height below the first fork.
        girth: trunk radius over height.
        levels: generations of branches above the trunk.
        forks: branches of the first generation; later ones have three.
        twist: sideways wander of each branch, in its own lengths.
    """
    tubes: list[Solid] = []
    ends: list[Float[Array, " 3"]] = []
    base = np.array([0.0, 0.0, 0.0])
    top = np.array([*rng.normal(0, 0.012 * height_m, 2), height_m * trunk])

    def limb(a: Float[Array, " 3"], b: Float[Array, " 3"], r0: float, r1: float, sides: int) -> None:
        t = np.linspace(0, 1, 5)[:, None]
        sway = rng.normal(0, twist * 0.3 * np.linalg.norm(b - a), 3) * (1, 1, 0.4)
        tubes.append(tube(a + (b - a) * t + sway * np.sin(t * np.pi) * 0.6, r0 + (r1 - r0) * t[:, 0] ** 0.8, sides))

    def grow(a: Float[Array, " 3"], radius: float, reach: float, level: int, heading: Float[Array, " 3"]) -> None:
        count = forks if level == 1 else 3
        turn = rng.uniform(0, 2 * np.pi)
        for k in range(count):
            az = turn + k * 2 * np.pi / count + rng.normal(0, 0.25)
            steep = rng.uniform(0.25, 1.0) if level == 1 else rng.uniform(0.1, 0.7)
            way = heading * (0.9 if level > 1 else 0.35) + np.array([np.cos(az), np.sin(az), steep]) * (0.8 if level > 1 else 1.0)
            way /= np.linalg.norm(way)
            scale = np.array([spread_m / 2, spread_m / 2, height_m * (1 - trunk)]) * reach
            b = a + way * scale * rng.uniform(0.8, 1.15)
            r1 = radius * 0.5
            limb(a, b, radius * 0.8, r1, 8 if level == 1 else 6)
            if level < levels:
                grow(b, r1, reach * 0.55, level + 1, way)
            else:
                ends.append(b)
        if level == 1:
            b = a + np.array([*rng.normal(0, 0.05 * spread_m, 2), height_m * (1 - trunk) * 0.55])
            limb(a, b, radius * 0.85, radius * 0.45, 8)
            grow(b, radius * 0.45, reach * 0.6, 2, UP)

    radius = girth * height_m
    t = np.linspace(0, 1, 6)
    flare = radius * (1 - 0.25 * t + 0.45 * np.exp(-9 * t))
    tubes.append(
        tube(
            base + (top - base) * t[:, None] + np.outer(np.sin(t * np.pi), rng.normal(0, 0.008 * height_m, 3) * (1, 1, 0)),
            flare,
            12,
        )
    )
    grow(top, radius * 0.75, 0.5, 1, UP)
    return join(tubes), np.array(ends)


def crown(
    centers: Float[Array, "k 3"],
    radii: Float[Array, "k 3"],
    rng: np.random.Generator,
    leaves: int,
    *,
    dark: str,
    light: str,
    leaf_m: float = 0.16,
    width: float = 0.36,
    snow: float = 0.0,
) -> tuple[Strands, Solid]:
    """Leaves over ellipsoidal clumps, shaded as the clumps are, and sheets for their shade.

    Args:
        centers: clump middles, metres.
        radii: clump half axes, metres.
        leaf_m: length of a leaf spray when there are about 4000.
        width: sigma across over length.
        snow: 0..1 share of leaves that look up and are white.
    """
    area = np.prod(radii, axis=1) ** (2 / 3)
    k = rng.choice(len(centers), leaves, p=area / area.sum())
    way = rng.normal(size=(leaves, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    way[:, 2] = np.where(way[:, 2] < -0.55, -way[:, 2], way[:, 2])  # few leaves hang on the shaded underside
    depth = 1 - 0.45 * rng.random(leaves) ** 1.6
    points = centers[k] + way * radii[k] * depth[:, None]
    middle = centers.mean(0) - (0, 0, 0.4 * np.ptp(centers[:, 2]))
    outer = points - middle
    outer /= np.linalg.norm(outer, axis=1, keepdims=True) + 1e-9
    normals = 0.55 * way + 0.45 * outer + rng.normal(0, 0.16, (leaves, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    along = np.cross(normals, rng.normal(size=(leaves, 3)))
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    along = along + 0.25 * way - 0.12 * UP
    length = leaf_m * (4000 / max(leaves, 60)) ** 0.47 * rng.uniform(0.7, 1.3, leaves)
    tone = np.clip(
        0.30
        + 0.42 * (depth - 0.55) / 0.45 * (0.5 + 0.5 * way[:, 2])
        + 0.36 * rng.random(leaves)
        + 0.12 * rng.normal(size=len(centers))[k],
        0,
        1,
    )
    albedo = linear(dark) * (1 - tone[:, None]) + linear(light) * tone[:, None]
    if snow > 0:
        white = (rng.random(leaves) < snow * np.clip(normals[:, 2] + 0.15, 0, 1))[:, None]
        albedo = np.where(white, 0.85, albedo)
    strands = Strands(
        roots=points - along * length[:, None] * 0.5,
        tips=points + along * length[:, None] * 0.5,
        width_m=width * 0.5 * length,
        albedo=albedo,
        normals=normals,
        opacity=0.93,
        thin=0.7,
    )
    return strands, _octahedra(centers, radii * 0.72)


def fronds(
    tops: Float[Array, "k 3"],
    headings: Float[Array, "k 3"],
    lengths_m: Float[Array, " k"],
    rng: np.random.Generator,
    leaflets: int,
    *,
    dark: str,
    light: str,
    droop: float = 0.75,
    leaflet: float = 0.3,
) -> tuple[Strands, Solid]:
    """Feathered leaves (palm, fern) that start at ``tops`` and bend over.

    Args:
        headings: unit start directions.
        leaflets: total number of leaflet strands.
        droop: fall at the end, in lengths.
        leaflet: length of the middle leaflets over the frond's.
    """
    k = np.repeat(np.arange(len(tops)), max(4, leaflets // len(tops)))
    n = len(k)
    u = np.tile(np.linspace(0.08, 1.0, n // len(tops)), len(tops))
    length = lengths_m[k]
    spine = tops[k] + headings[k] * (u * length)[:, None] - UP * (droop * length * u**2.2)[:, None]
    tangent = headings[k] - UP * (2.2 * droop * u**1.2)[:, None]
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    across = np.cross(tangent, UP)
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    sign = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)[:, None]
    reach = leaflet * length * np.sin(np.pi * np.clip(0.1 + 0.86 * u, 0, 1)) ** 0.8 * rng.uniform(0.85, 1.1, n)
    way = across * sign * 0.85 + tangent * 0.6 - UP * 0.25 + rng.normal(0, 0.05, (n, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    normals = np.cross(across, tangent) + sign * across * 0.3
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    normals *= np.sign(normals[:, 2:] + 1e-9)
    tone = np.clip(0.2 + 0.6 * rng.random(n) + 0.2 * u, 0, 1)[:, None]
    strands = Strands(
        roots=spine,
        tips=spine + way * reach[:, None],
        width_m=length * leaflet * 0.62 * len(tops) / max(n, 1) * 2.0,
        albedo=linear(dark) * (1 - tone) + linear(light) * tone,
        normals=normals,
        opacity=0.94,
        thin=0.75,
    )
    w = (across[:: max(1, n // len(tops))][: len(tops)]) * (leaflet * 0.6 * lengths_m)[:, None]
    mid = tops + headings * (0.55 * lengths_m)[:, None] - UP * (droop * lengths_m * 0.27)[:, None]
    end = tops + headings * lengths_m[:, None] - UP * (droop * lengths_m)[:, None]
    return strands, _quads(np.stack([tops, mid + w, end, mid - w], axis=1))


def joined(strands: list[Strands]) -> Strands:
    """One set; opacity and thinness are the first's."""
    first = strands[0]
    glows = [s.emission if s.emission is not None else np.zeros_like(s.albedo) for s in strands]
    return Strands(
        roots=np.concatenate([s.roots for s in strands]),
        tips=np.concatenate([s.tips for s in strands]),
        width_m=np.concatenate([s.width_m for s in strands]),
        albedo=np.concatenate([s.albedo for s in strands]),
        normals=np.concatenate([s.normals for s in strands]),
        emission=np.concatenate(glows) if any(s.emission is not None for s in strands) else None,
        opacity=first.opacity,
        thin=first.thin,
    )


def _quads(corners: Float[Array, "n 4 3"]) -> Solid:
    vertices = corners.reshape(-1, 3).astype(np.float64)
    q = np.arange(len(corners))[:, None] * 4
    faces = np.concatenate([q + np.array([0, 1, 2]), q + np.array([0, 2, 3])]).astype(np.int64)
    return Solid(vertices=vertices, faces=faces, texture=vertices.copy())


def _octahedra(centers: Float[Array, "k 3"], radii: Float[Array, "k 3"]) -> Solid:
    corner = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float64)
    face = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
    vertices = (centers[:, None] + corner * radii[:, None]).reshape(-1, 3)
    faces = (np.arange(len(centers))[:, None, None] * 6 + face).reshape(-1, 3).astype(np.int64)
    return Solid(vertices=vertices, faces=faces, texture=vertices.copy())
