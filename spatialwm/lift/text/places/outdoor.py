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
from spatialwm.scene import Environment

Array = np.ndarray

EYE_M = 1.6
FOV_X_DEG = 66.0
SIZE = (1280, 720)

_FACTOR: dict[Quality, float] = {"draft": 0.34, "standard": 1.0, "high": 2.6}
"""Gaussians of the surroundings relative to standard."""

GRASS = 46000
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
    sun = Sun(
        direction=tuple(float(v) for v in sky.sun_direction), irradiance=sky.sun, angle_rad=0.014 if max(sky.sun) > 2 else 0.03, samples=2
    )  # pyright: ignore[reportArgumentType]
    lights: tuple[Light, ...] = (sun,)
    shown = graph.time or ("night" if night else None)
    return Place(
        shell=Shell(
            low=(-half, -half), high=(half, half), ceiling_m=None, ground_height=empty.at, walkable=_octagon(half), entry=entry,
            keep_clear=(((-1.0, -half), (1.0, -half + 2.2)),),
        ),
        pieces=(),
        environment=Environment(kind=graph.place, time=shown, weather=graph.weather, background=_background(sky)),
        lights=lights,
        sky=sky.illumination,
        eyes=eyes,
        exposure=sky.exposure,
        mirrored=sky.gradient,
        veil=lambda points, radiance: _veil(sky, center, points, radiance),
        dress=dress,
        finish=lambda lit: mirror(lit, dressed[0].lakes if dressed else (), eyes, 0.3, seed),
        spawn=lambda bounds: outdoor_view(half, bounds),
    )


def _dress(terrain: Terrain, sky: Sky, factor: float, seed: int, eye: Float[Array, " 3"]) -> tuple[Piece, ...]:
    rng = np.random.default_rng((seed, 17))
    look = terrain.material()
    sheets = terrain.sheets()
    blades = grass(terrain, (0.0, -0.45 * terrain.half_m), int(GRASS * factor), rng)
    specks = blossoms(terrain, (0.0, -0.45 * terrain.half_m), int(1500 * factor**0.5), rng)
    ground = Piece(
        id="ground", category="ground", labels=("terrain", "floor"), friction=0.8, colliders=(_slab(terrain.half_m + 3.0),),
        material={"natural": "grass", "paving": "stone"}.get(terrain.biome.ground.pattern, terrain.biome.ground.pattern),
        parts=tuple(Part(name=n, solid=s, material=look, spacing_m=d) for n, s, d in sheets),
        strands=tuple(s for s in (blades, specks) if s is not None),
    )  # fmt: skip
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
    """Half side of the arranged square: room for every footprint three times over."""
    area = 0.0
    for item in graph.items:
        kind = kinds.get(item.kind)
        if kind is not None:
            width, depth, _ = kind.size_m
            area += (width + 0.8) * (depth + 0.8) * (1.9 if item.size == "large" else 1.0)
    return float(np.clip(0.5 * math.sqrt(3.0 * area) + 1.5, 6.5, 17.0))


def _eyes(half: float) -> Float[Array, "k 3"]:
    g = np.linspace(-0.82 * half, 0.82 * half, 4)
    x, y = np.meshgrid(g, g)
    return np.column_stack([x.ravel(), y.ravel(), np.full(x.size, EYE_M)])


def _octagon(half: float) -> tuple[tuple[float, float], ...]:
    a, b = half + 1.5, 0.55 * half
    return ((-b, -a), (b, -a), (a, -b), (a, b), (b, a), (-b, a), (-a, b), (-a, -b))


def _slab(half: float) -> Mesh:
    """A thick convex block under the level ground, for physics."""
    v = np.array([[x, y, z] for z in (-0.5, 0.0) for x, y in ((-half, -half), (half, -half), (half, half), (-half, half))], np.float32)
    f = [[0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4], [1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7]]
    return Mesh(v, np.array(f, np.int32))


def _veil(sky: Sky, eye: Float[Array, " 3"], points: Array, radiance: Array) -> Array:
    """Fog on everything but the sky itself, which holds it already."""
    far = np.linalg.norm(points, axis=1) > 0.9 * surroundings.SKY_M
    return np.where(far[:, None], radiance, sky.fogged(points, radiance, eye)).astype(np.float32)


def _background(sky: Sky) -> tuple[float, float, float]:
    r, g, b = (float(v) for v in to_display(sky.horizon()[None].astype(np.float32), 0.9)[0])
    return (r, g, b)


def outdoor_view(half: float, bounds: Float[Array, "m 2 3"]) -> Camera:
    """An establishing view from the south: what was asked for in the middle, ground before it, the open side behind."""
    if not len(bounds):
        return Camera.look_at((0.3, -0.9 * half, 1.7), (0.6, half, 1.5), *SIZE, FOV_X_DEG)
    low, high = bounds[:, 0].min(0), bounds[:, 1].max(0)
    size = np.linalg.norm(bounds[:, 1] - bounds[:, 0], axis=1)
    weights = np.clip(size, 0.3, 3.0)
    focus = np.average(bounds.mean(1), axis=0, weights=weights)
    focus[:2] = 0.5 * focus[:2] + 0.25 * (low[:2] + high[:2])
    tan_x = math.tan(math.radians(FOV_X_DEG / 2)) * 0.86
    tan_y = math.tan(math.radians(FOV_X_DEG / 2)) * SIZE[1] / SIZE[0] * 0.86
    pick = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners = np.stack([bounds[:, pick[:, a], a] for a in range(3)], -1).reshape(-1, 3)
    best, chosen = -math.inf, None
    eye_z = float(np.clip(0.75 + 0.5 * (high[2] - 0.2), 0.8, 1.75))
    for turn in np.radians([0.0, -9.0, 9.0, -18.0, 18.0, -28.0, 28.0]):
        way = np.array([math.sin(turn), math.cos(turn), 0.0])
        right = np.array([way[1], -way[0], 0.0])
        rel = corners - focus
        # As near as everything still fits, within the clearing and a step beyond.
        depth = np.maximum(np.abs(rel @ right) / tan_x, (corners[:, 2] - eye_z) / tan_y) - rel @ way
        distance = float(np.clip(depth.max(), 2.0, 1.5 * half + abs(float(focus[1]))))
        eye = focus[:2] - way[:2] * distance
        eye = np.clip(eye, -half - 1.2, half + 1.2)
        inside = ((bounds[:, 0, :2] - 0.5 < eye) & (eye < bounds[:, 1, :2] + 0.5)).all(1)
        gap = np.maximum(np.maximum(bounds[:, 0, :2] - eye, eye - bounds[:, 1, :2]), 0)
        nearest = float(np.hypot(gap[:, 0], gap[:, 1]).min())
        score = -abs(turn) * 0.6 - 4.0 * inside.any() - 1.5 * max(0.0, 1.2 - nearest) - 0.02 * distance
        if score > best:
            best, chosen = score, (eye, distance)
    assert chosen is not None
    eye, distance = chosen
    target_z = float(np.clip(eye_z - 0.035 * distance + 0.12 * (high[2] - eye_z), 0.3, eye_z + 1.8))
    return Camera.look_at((float(eye[0]), float(eye[1]), eye_z), (float(focus[0]), float(focus[1]), target_z), *SIZE, FOV_X_DEG)
