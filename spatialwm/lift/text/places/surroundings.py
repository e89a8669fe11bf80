"""What stands around a clearing: trees in three degrees of detail, stones, peaks, house fronts, the sky."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.kinds.foliage import conifer, crown, fronds, joined, skeleton
from spatialwm.lift.text.kinds.plants import cactus_body, cactus_skin
from spatialwm.lift.text.kinds.rocks import boulder
from spatialwm.lift.text.model import Look, Material, Part, Solid, Strands, Surfels
from spatialwm.lift.text.places.biomes import Biome
from spatialwm.lift.text.places.place import Piece
from spatialwm.lift.text.places.sky import Sky
from spatialwm.lift.text.places.terrain import Terrain
from spatialwm.lift.text.surface.materials import look
from spatialwm.lift.text.surface.noise import fbm, linear, mix, smoothstep
from spatialwm.lift.text.surface.outdoors import bark, birch_bark, stone
from spatialwm.lift.text.surface.solids import grid_faces, join, solid, tube

Array = np.ndarray
SKY_M = 600.0
"""Radius of the sky dome."""

VIEW_RAD = 0.33
"""Half width of the opening towards +Y that far trees leave free."""


def trees(terrain: Terrain, quality: float, rng: np.random.Generator) -> list[Piece]:
    """A ring of trees around the level ground and woods behind; the view ahead stays open.

    Args:
        quality: factor on the number of Gaussians.
    """
    biome = terrain.biome
    if not biome.trees:
        return []
    near: list[tuple[float, float]] = _stand(
        terrain, biome.tree_count, terrain.half_m + 1.0, terrain.half_m + 17.0, 1.9, rng, near=True
    )
    far = _stand(terrain, biome.woods, terrain.half_m + 17.0, 78.0, 3.2, rng, near=False)
    pieces: list[Piece] = []
    for name, spots, each, role in (("trees", near, 38000.0, "structure"), ("woods", far, 10000.0, "backdrop")):
        if not spots:
            continue
        strands: dict[str, list[Strands]] = {}
        wood: dict[str, list[Solid]] = {}
        shade: list[Solid] = []
        species = rng.choice(len(biome.trees), len(spots), p=_shares(biome))
        for (x, y), s in zip(spots, species, strict=True):
            share = float(np.clip((terrain.half_m + 4) / math.hypot(x, y + 0.5 * terrain.half_m), 0.4, 1.1))
            count = min(each / len(spots), 14.0 * each**0.5) * share * quality
            grown = _tree(biome.trees[s][0], max(40, int(count)), rng, biome.snow)
            z = terrain.at(x, y)
            skin, trunk, leaves, cover = grown
            wood.setdefault(skin, []).append(trunk.moved(x, y, z - 0.1))
            if leaves is not None:
                strands.setdefault("leaves", []).append(_moved(leaves, (x, y, z)))
            if cover is not None:
                shade.append(cover.moved(x, y, z))
        spacing = 0.2 if name == "trees" else 1.1
        parts = [
            Part(name=f"wood {skin}", solid=join(solids), material=_BARK[skin], spacing_m=spacing, collides=False)
            for skin, solids in wood.items()
        ]
        if shade:
            parts.append(
                Part(
                    name="shade", solid=join(shade), material=_BARK["brown"], spacing_m=1.0, thin=1.0, opacity=0.0, collides=False
                )
            )
        merged = tuple(joined(s) for s in strands.values())
        pieces.append(
            Piece(
                id=name,
                category="trees",
                parts=tuple(parts),
                strands=merged,
                role="structure" if role == "structure" else "backdrop",
                color="green",
                material="wood",
            )
        )
    return pieces


_BARK: dict[str, Material] = {
    "brown": bark("#2a1d16", "#6d5140"),
    "birch": birch_bark(),
    "grey": bark("#3a332c", "#857565", 0.6),
    "cactus": cactus_skin("#5c7a42"),
}

_BROADLEAF: dict[str, tuple[str, str, str]] = {
    "oak": ("#2c4318", "#7f9a3c", "grey"),
    "birch": ("#4a5f22", "#a8b84e", "birch"),
    "blossom": ("#8f5a68", "#f6cbd8", "grey"),
    "autumn": ("#7a2f16", "#d88a34", "grey"),
}


def _tree(species: str, leaves: int, rng: np.random.Generator, snow: float) -> tuple[str, Solid, Strands | None, Solid | None]:
    if species == "pine":
        g = conifer(rng.uniform(8.0, 15.5), rng, leaves, snow=0.75 * snow)
        return "brown", g.wood, g.leaves, g.shade
    if species == "palm":
        height = rng.uniform(5.0, 8.5)
        t = np.linspace(0, 1, 9)
        az, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.2) * height
        path = np.column_stack([np.cos(az) * lean * t**1.7, np.sin(az) * lean * t**1.7, height * 0.88 * t - 0.1])
        k = 13
        turn, climb = np.arange(k) * 2.4, np.linspace(1.0, -0.15, k)
        way = np.column_stack([np.cos(turn) * np.cos(climb), np.sin(turn) * np.cos(climb), np.sin(climb)])
        green, cover = fronds(
            np.repeat(path[-1:], k, 0),
            way,
            0.33 * height * rng.uniform(0.85, 1.05, k),
            rng,
            max(150, int(leaves * 0.7)),
            dark="#2f4f1c",
            light="#87a040",
            droop=0.62,
            leaflet=0.26,
        )
        return "grey", tube(path, 0.02 * height * (1.2 - 0.5 * t), 8), green, cover
    if species == "cactus":
        return "cactus", cactus_body(rng.uniform(0.7, 1.25)).turned(float(rng.uniform(0, 180))), None, None
    if species == "shrub":
        centers = rng.normal(0, 0.28, (5, 3)) * (1, 1, 0.4) + (0, 0, 0.3)
        green, cover = crown(
            centers, np.full((5, 3), 0.22), rng, max(160, leaves // 3), dark="#5a5630", light="#a09a5c", leaf_m=0.05
        )
        return "brown", tube([[0, 0, -0.1], [0, 0, 0.1], [0, 0, 0.3]], 0.02, 5), green, cover
    if species == "dead":
        wood, _ = skeleton(
            rng.uniform(4.5, 8.0), rng.uniform(3.0, 5.0), rng, trunk=0.32, girth=0.028, forks=4, levels=2, twist=0.7
        )
        return "grey", wood, None, None
    dark, light, skin = _BROADLEAF[species]
    height = rng.uniform(6.5, 10.5)
    slim = species == "birch"
    spread = height * (0.45 if slim else 0.85)
    wood, tips = skeleton(height, spread, rng, trunk=0.4 if slim else 0.3, girth=0.014 if slim else 0.03, levels=2, forks=5)
    size = 0.24 * spread * rng.uniform(0.75, 1.15, (len(tips), 1)) * np.array([1.0, 1.0, 0.75])
    green, cover = crown(tips, size, rng, int(leaves * 1.35), dark=dark, light=light, leaf_m=0.22, snow=0.7 * snow)
    return skin, wood, green, cover


def _shares(biome: Biome) -> Float[Array, " k"]:
    w = np.array([share for _, share in biome.trees])
    return w / w.sum()


def _stand(
    terrain: Terrain, count: int, inner: float, outer: float, apart: float, rng: np.random.Generator, near: bool
) -> list[tuple[float, float]]:
    """Spots for trees, dense just outside the clearing, none in the opening ahead, in water, or among what stands there."""
    spots: list[tuple[float, float]] = []
    half, biome = terrain.half_m, terrain.biome
    for _ in range(count * 14):
        if len(spots) >= count:
            break
        a = rng.uniform(0, 2 * np.pi)
        r = inner + (outer - inner) * rng.random() ** (1.5 if near else 1.1)
        x, y = r * np.cos(a), r * np.sin(a)
        if max(abs(x), abs(y)) < half + 0.8:
            continue
        bearing = np.arctan2(x, y + half)
        opening = VIEW_RAD if not near else 0.8 * VIEW_RAD
        if y > 0 and abs(bearing - 0.12) < opening and (not near or y < 60):
            continue
        if biome.sea and y > half - 2:
            continue
        if near and -half - 6 < y < -0.55 * half and abs(x) < half + 5:  # visitors stand here, and shade would fall on them
            continue
        if any((x - u) ** 2 + (y - v) ** 2 < apart**2 for u, v in spots):
            continue
        if terrain.covered(np.array([x]), np.array([y]), 1.6)[0] < 0:
            continue
        spots.append((float(x), float(y)))
    return spots


def stones(terrain: Terrain, rng: np.random.Generator) -> Piece | None:
    """Scattered stones outside the arranged ground, and along shores."""
    rocks: list[Solid] = []
    half = terrain.half_m
    for i in range(terrain.biome.stones):
        a, r = rng.uniform(0, 2 * np.pi), half + rng.uniform(0.6, 14.0)
        x, y = r * np.cos(a), r * np.sin(a)
        if max(abs(x), abs(y)) < half + 0.5:
            continue
        size = rng.uniform(0.3, 0.9) * (1.0 if rng.random() < 0.8 else 2.0)
        rocks.append(boulder(size, 40 + i, 0.7, 3).turned(float(rng.uniform(0, 360))).moved(x, y, terrain.at(x, y) - 0.1 * size))
    for lake in terrain.lakes:
        for i in range(40):
            a, q = rng.uniform(0, 2 * np.pi), rng.uniform(1.0, 1.14)
            x, y = lake.point(a, q)
            if (
                terrain.covered(np.array([x]), np.array([y]), 0.3, tuple({s.kind for s in terrain.standing} - {"lake", "pond"}))[
                    0
                ]
                < 0
            ):
                continue
            size = rng.uniform(0.14, 0.5) * (1.0 if rng.random() < 0.85 else 1.7)
            rocks.append(
                boulder(size, 100 + i, 0.7, 3).turned(float(rng.uniform(0, 360))).moved(x, y, terrain.at(x, y) - 0.05 * size)
            )
    if not rocks:
        return None
    sandy = terrain.biome.ground.pattern == "sand"
    tones = terrain.biome.peak if sandy else ("#4c4b4a", "#8f8a82")
    look_ = stone(*tones, seed=9, moss=0.0 if sandy or terrain.biome.snow else 0.7, snow=0.9 * terrain.biome.snow)
    part = Part(name="stones", solid=join(rocks), material=look_, spacing_m=0.075)
    return Piece(id="stones", category="stones", parts=(part,), color="gray", material="stone", friction=0.8)


def mountains(biome: Biome, seed: int) -> Piece | None:
    """Two ranges of peaks, lower straight ahead so that the light can come through."""
    if biome.mountains_m <= 0:
        return None
    parts = []
    for k, (inner, outer, share, cells, spacing) in enumerate(
        ((105.0, 230.0, 0.62, (150, 34), 3.6), (220.0, 430.0, 1.5, (150, 34), 7.5))
    ):
        u, v = (a.ravel() for a in np.meshgrid(np.linspace(0, 1, cells[0]), np.linspace(0, 1, cells[1]), indexing="ij"))
        bearing = (u - 0.5) * 5.4 + 0.15
        r = inner + (outer - inner) * v
        x, y = r * np.sin(bearing), r * np.cos(bearing)
        flat = np.column_stack([x, y, np.full(len(x), 13.7 * (seed % 83))])
        crest = fbm(flat, 0.013 if k == 0 else 0.0085, 6, 5 + 3 * k, ridged=True)
        mass = fbm(flat, 0.008 if k == 0 else 0.005, 2, 14)
        pass_ = 1 - 0.68 * np.exp(-(((bearing - 0.26) / 0.2) ** 2))
        z = -3 + biome.mountains_m * share * np.sin(np.pi * v) ** 1.1 * pass_ * np.clip(0.46 + 0.55 * crest + 0.5 * mass, 0.03, 2)
        s = solid(np.column_stack([x, y, z]), grid_faces(*cells)[:, ::-1])
        up = np.cross(
            s.vertices[s.faces[:, 1]] - s.vertices[s.faces[:, 0]], s.vertices[s.faces[:, 2]] - s.vertices[s.faces[:, 0]]
        )[:, 2].mean()
        s = Solid(s.vertices, s.faces if up > 0 else s.faces[:, ::-1], s.texture)
        parts.append(
            Part(
                name=f"range {k + 1}",
                solid=s,
                material=_peak(biome, biome.mountains_m * share),
                spacing_m=spacing,
                casts_shadow=False,
                collides=False,
            )
        )
    return Piece(id="mountains", category="mountains", parts=tuple(parts), role="backdrop", material="stone")


def _peak(biome: Biome, height: float) -> Material:
    def at(s: Surfels) -> Look:
        p = s.points
        broad, fine = fbm(p, 0.12, 4, 3), fbm(p, 0.6, 3, 4)
        strata = fbm(p, (0.02, 0.02, 0.35), 3, 6)
        c = mix(linear(biome.peak[0]), linear(biome.peak[1]), np.clip(0.5 + 0.45 * broad + 0.3 * fine + 0.3 * strata, 0, 1))
        wood = mix(linear(biome.foothill[0]), linear(biome.foothill[1]), np.clip(0.5 + fine, 0, 1))
        tree_line = 0.34 * height
        c = mix(
            c,
            wood,
            smoothstep(
                tree_line * 1.3, tree_line * 0.6, p[:, 2] + 0.12 * height * broad - 0.4 * height * (0.75 - s.normals[:, 2])
            ),
        )
        line = biome.snow_line * height
        snow = smoothstep(
            line - 0.08 * height, line + 0.1 * height, p[:, 2] + 0.13 * height * broad + 0.35 * height * (s.normals[:, 2] - 0.72)
        )
        c = mix(c, linear("#dfe4ee"), snow)
        return look(c, 0.9 * fine * (1 - 0.7 * snow))

    return at


def dome(sky: Sky, count: int) -> Piece:
    """The sky as Gaussians that shine, from a little below the horizon up; sun or moon, its halo and stars among them.

    Args:
        count: Gaussians over the sphere's upper part; more show finer clouds.
    """
    low = -0.16
    i = np.arange(count)
    z = low + (1 - low) * (i + 0.5) / count
    # Points crowd towards the horizon, where clouds are small and pictures look.
    z = low + (1 - low) * ((z - low) / (1 - low)) ** 1.35
    a = i * np.pi * (3 - np.sqrt(5))
    r = np.sqrt(1 - z * z)
    d = np.column_stack([r * np.cos(a), r * np.sin(a), z])
    density = np.gradient(z) * 2 * np.pi
    sigma = SKY_M * np.sqrt(np.abs(density)) * 1.0
    strands = [_glow(d, sigma, sky.radiance(d), 0.97)]
    if sky.disc_deg > 0:
        s = sky.sun_direction[None]
        size = SKY_M * np.radians(sky.disc_deg)
        bright = np.array(sky.sun) / max(sky.sun)
        night = sky.stars > 300
        for k, gain, opacity in (
            (0.75, 2.6 if night else 6.0, 0.97),
            (1.7, 1.2 if night else 3.0, 0.35),
            (4.5, 0.7 if night else 1.7, 0.14),
        ):
            strands.append(
                _glow(s * (1 - 0.012), np.array([size * k]), bright[None] * gain * (1.0 if not night else 0.9), opacity)
            )
    if sky.stars:
        rng = np.random.default_rng(5)
        d = rng.normal(size=(sky.stars * 3, 3))
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        d = d[d[:, 2] > 0.04][: sky.stars]
        power = 0.12 + 2.4 * rng.random(len(d)) ** 7
        tint = mix(np.array([0.75, 0.85, 1.0]), np.array([1.0, 0.9, 0.75]), rng.random(len(d)))
        strands.append(_glow(d * 0.985, SKY_M * 0.0007 * (0.7 + 0.9 * rng.random(len(d))), tint * power[:, None], 0.95))
    return Piece(id="sky", category="sky", strands=tuple(strands), role="backdrop")


def _glow(directions: Float[Array, "n 3"], sigma: Float[Array, " n"], radiance: Float[Array, "n 3"], opacity: float) -> Strands:
    """Round Gaussians on the sky; a strand's sigma along is 0.36 of its length."""
    n = len(directions)
    side = np.cross(directions, (0.0, 0.0, 1.0))
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    half = side * (sigma / 0.72)[:, None]
    at = directions * SKY_M
    return Strands(
        roots=at - half,
        tips=at + half,
        width_m=np.broadcast_to(sigma, (n,)).copy(),
        albedo=np.full((n, 3), 0.002),
        normals=-directions,
        emission=np.asarray(radiance, np.float64),
        opacity=opacity,
        thin=0.0,
    )


def _moved(s: Strands, by: tuple[float, float, float]) -> Strands:
    return Strands(
        roots=s.roots + by,
        tips=s.tips + by,
        width_m=s.width_m,
        albedo=s.albedo,
        normals=s.normals,
        emission=s.emission,
        opacity=s.opacity,
        thin=s.thin,
    )
