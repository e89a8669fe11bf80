"""Places under the sky: a level clearing, what grows and rises around it, and its light."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.mesh import Mesh
from spatialwm.lift.lifter import Quality
from spatialwm.lift.text.graph import SceneGraph
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.light.lights import Light, Sun
from spatialwm.lift.text.light.tone import to_display
from spatialwm.lift.text.model import Part
from spatialwm.lift.text.places import surroundings
from spatialwm.lift.text.places.air import air, reflected_sea
from spatialwm.lift.text.places.biomes import biome_of
from spatialwm.lift.text.places.cover import blossoms, grass
from spatialwm.lift.text.places.mirror import mirror
from spatialwm.lift.text.places.place import Piece, Place, Standing
from spatialwm.lift.text.places.shell import Shell
from spatialwm.lift.text.places.sky import Sky, sky_for
from spatialwm.lift.text.places.terrain import Terrain
from spatialwm.lift.text.surface.noise import linear
from spatialwm.scene import Environment

Array = np.ndarray

EYE_M = 1.6
FOV_X_DEG = 66.0
SIZE = (1280, 720)

_FACTOR: dict[Quality, float] = {"draft": 0.22, "standard": 1.0, "high": 2.6}
"""Gaussians of the surroundings relative to standard."""

GRASS = 44000
DOME = 5200


def outdoor_place(graph: SceneGraph, kinds: dict[str, Kind], seed: int, quality: Quality) -> Place:
    """The place of an outdoor graph.

    Args:
        kinds: what is known of the kinds of the graph's items; their sizes decide how wide the clearing is.
    """
    biome = biome_of(graph)
    sky = sky_for(graph.time, graph.weather)
    half = _half_side(graph, kinds)
    factor = _FACTOR[quality]
    empty = Terrain(biome=biome, half_m=half, seed=seed)
    entry = (0.0, -half + 0.6)
    eyes = _eyes(half)
    center = np.array([0.0, -0.35 * half, EYE_M])

    dressed: list[Terrain] = []

    def dress(standing: tuple[Standing, ...]) -> tuple[Piece, ...]:
        dressed[:] = [Terrain(biome=biome, half_m=half, seed=seed, standing=standing)]
        return _dress(dressed[0], sky, factor, seed, center)

    night = sky.stars > 300
    to_sun = sky.sun_direction
    sun = Sun(
        direction=(float(to_sun[0]), float(to_sun[1]), float(to_sun[2])),
        irradiance=sky.sun,
        angle_rad=0.014 if max(sky.sun) > 2 else 0.03,
        samples=2,
    )
    lights: tuple[Light, ...] = (sun,)
    shown = graph.time or ("night" if night else None)
    return Place(
        shell=Shell(
            low=(-half, -half),
            high=(half, half),
            ceiling_m=None,
            ground_height=empty.at,
            walkable=_octagon(half),
            entry=entry,
            keep_clear=(((-1.0, -half), (1.0, -half + 2.2)),),
        ),
        pieces=(),
        environment=Environment(
            kind=graph.place, time=shown, weather=graph.weather, background=_background(terrain=empty, sky=sky)
        ),
        lights=lights,
        sky=sky.illumination,
        eyes=eyes,
        exposure=sky.exposure,
        mirrored=sky.gradient,
        veil=lambda points, radiance: _veil(sky, center, points, radiance),
        dress=dress,
        finish=lambda lit: mirror(lit, dressed[0].lakes if dressed else (), eyes, 0.22, seed),
        spawn=lambda bounds, _others: outdoor_view(half, bounds),
    )


def _dress(terrain: Terrain, sky: Sky, factor: float, seed: int, eye: Float[Array, " 3"]) -> tuple[Piece, ...]:
    rng = np.random.default_rng((seed, 17))
    blades = grass(terrain, (0.0, -0.7 * terrain.half_m), int(GRASS * factor), rng)
    specks = blossoms(terrain, (0.0, -0.5 * terrain.half_m), int(1500 * factor**0.5), rng)
    ground = Piece(
        id="ground",
        category="ground",
        labels=("terrain", "floor"),
        friction=0.8,
        colliders=(_slab(terrain.half_m + 3.0),),
        material={"natural": "grass", "paving": "stone"}.get(terrain.biome.ground.pattern, terrain.biome.ground.pattern),
        parts=tuple(Part(name=n, solid=s, material=terrain.material(k), spacing_m=d) for n, s, d, k in terrain.sheets()),
        strands=tuple(s for s in (blades, specks) if s is not None),
    )
    pieces: list[Piece | None] = [ground, surroundings.stones(terrain, rng)]
    pieces += surroundings.trees(terrain, factor, rng)
    pieces.append(surroundings.house_fronts(terrain, sky.stars > 0, rng))
    pieces.append(surroundings.mountains(terrain.biome, seed))
    sea = reflected_sea(terrain, sky, eye, factor)
    if sea is not None:
        pieces.append(Piece(id="sea", category="sea", labels=("ocean", "water"), strands=(sea,), role="backdrop", color="blue"))
    pieces.append(surroundings.dome(sky, int(DOME * max(0.6, factor**0.7))))
    pieces.append(air(terrain, sky, factor, rng))
    return tuple(p for p in pieces if p is not None)


def _half_side(graph: SceneGraph, kinds: dict[str, Kind]) -> float:
    """Half side of the arranged square: room for every footprint twice over."""
    area, tallest = 0.0, 0.0
    for item in graph.items:
        kind = kinds.get(item.kind)
        if kind is not None:
            width, depth, height = kind.size_m
            if item.provenance == "stated":
                tallest = max(tallest, height * (1.4 if item.size == "large" else 1.0))
            trunk = 0.35 if "tree" in (kind.name, *kind.hypernyms) else 1.0  # crowns may overlap what stands below
            area += (trunk * width + 0.6) * (trunk * depth + 0.6) * (1.9 if item.size == "large" else 1.0)
    return float(np.clip(max(0.5 * math.sqrt(2.3 * area) + 1.5, min(0.85 * tallest, 9.5)), 6.5, 16.0))


def _eyes(half: float) -> Float[Array, "k 3"]:
    g = np.linspace(-0.82 * half, 0.82 * half, 4)
    x, y = np.meshgrid(g, g)
    return np.column_stack([x.ravel(), y.ravel(), np.full(x.size, EYE_M)])


def _octagon(half: float) -> tuple[tuple[float, float], ...]:
    a, b = half + 1.5, 0.55 * half
    return ((-b, -a), (b, -a), (a, -b), (a, b), (b, a), (-b, a), (-a, b), (-a, -b))


def _slab(half: float) -> Mesh:
    """A thick convex block under the level ground, for physics."""
    v = np.array(
        [[x, y, z] for z in (-0.5, 0.0) for x, y in ((-half, -half), (half, -half), (half, half), (-half, half))], np.float32
    )
    f = [
        [0, 2, 1],
        [0, 3, 2],
        [4, 5, 6],
        [4, 6, 7],
        [0, 1, 5],
        [0, 5, 4],
        [1, 2, 6],
        [1, 6, 5],
        [2, 3, 7],
        [2, 7, 6],
        [3, 0, 4],
        [3, 4, 7],
    ]
    return Mesh(v, np.array(f, np.int32))


def _veil(sky: Sky, eye: Float[Array, " 3"], points: Array, radiance: Array) -> Array:
    """Fog on everything but the sky itself, which holds it already."""
    far = np.linalg.norm(points, axis=1) > 0.9 * surroundings.SKY_M
    return np.where(far[:, None], radiance, sky.fogged(points, radiance, eye)).astype(np.float32)


def _background(terrain: Terrain, sky: Sky) -> tuple[float, float, float]:
    """Colour of sunlit ground: what a gap between near Gaussians should show, as the sky has its own."""
    ground = terrain.biome.ground
    albedo = 0.5 * (linear(ground.dark) + linear(ground.light)) * (1 - ground.cover) + linear(ground.patch_dark) * ground.cover
    light = np.array(sky.sun) * math.sin(math.radians(sky.elevation_deg)) + math.pi * sky.air() * sky.fill
    r, g, b = (float(v) for v in to_display((albedo * light / math.pi)[None].astype(np.float32), 0.7 * sky.exposure)[0])
    return (r, g, b)


def outdoor_view(half: float, bounds: Float[Array, "m 2 3"]) -> Camera:
    """An establishing view from the south: what was asked for in the middle, ground before it, the open side behind.

    The camera stands as near as everything still fits sideways; tall things may leave the picture at the top, feet never do.
    """
    if not len(bounds):
        return Camera.look_at((0.3, -0.9 * half, 1.7), (0.6, half, 1.5), *SIZE, FOV_X_DEG)
    size = bounds[:, 1] - bounds[:, 0]
    middle = bounds.mean(1)
    weights = np.clip(np.linalg.norm(size, axis=1), 0.3, 3.0)
    # The outer half of a wide crown may be cut off; so may what rises above a cottage's ridge.
    reach = np.where(size[:, :2] > 4.0, 0.6 * size[:, :2] + 1.6, size[:, :2]) / 2
    top = np.minimum(bounds[:, 1, 2], 7.0)
    corners = np.array(
        [
            (m[0] + i * r[0], m[1] + j * r[1], z)
            for m, r, a, b in zip(middle, reach, bounds[:, 0, 2], top, strict=True)
            for i in (-1, 1)
            for j in (-1, 1)
            for z in (a, b)
        ]
    )
    focus = 0.5 * np.average(middle[:, :2], axis=0, weights=weights) + 0.25 * (corners[:, :2].min(0) + corners[:, :2].max(0))
    eye_z = float(np.clip(0.6 + 0.5 * top.max(), 0.65, 1.7))
    tan_x = math.tan(math.radians(FOV_X_DEG / 2))
    half_y = math.atan(tan_x * SIZE[1] / SIZE[0])
    best, chosen = -math.inf, None
    for turn in np.radians([0.0, -9.0, 9.0, -18.0, 18.0, -28.0, 28.0]):
        way = np.array([math.sin(turn), math.cos(turn)])
        along, across = (corners[:, :2] - focus) @ way, (corners[:, :2] - focus) @ (way[1], -way[0])
        wanted = np.maximum(np.abs(across) / (0.84 * tan_x), np.abs(corners[:, 2] - eye_z) / (0.9 * math.tan(half_y))) - along
        eye = focus - way * float(np.clip(1.15 * wanted.max() + 0.4, 1.6, 2.2 * half))
        eye = np.clip(eye, -half - 0.8, half + 0.8)
        inside = ((middle[:, :2] - reach - 0.5 < eye) & (eye < middle[:, :2] + reach + 0.5)).all(1).any()
        score = -0.6 * abs(turn) - 4.0 * inside - 0.02 * float(np.linalg.norm(eye - focus))
        if score > best:
            best, chosen = score, (eye, way)
    assert chosen is not None
    eye, way = chosen
    flat = np.maximum((corners[:, :2] - eye) @ way, 0.5)
    angle = np.arctan2(corners[:, 2] - eye_z, flat)
    feet = float(angle.min())
    pitch = float(np.clip(0.5 * (feet + float(angle.max())), feet + 0.5 * half_y, feet + 0.84 * half_y))
    distance = max(float(np.linalg.norm(focus - eye)), 1.0)
    ahead = focus if np.linalg.norm(focus - eye) > 0.5 else eye + way
    target = (float(ahead[0]), float(ahead[1]), eye_z + distance * math.tan(min(pitch, math.radians(8))))
    return Camera.look_at((float(eye[0]), float(eye[1]), eye_z), target, *SIZE, FOV_X_DEG)
