"""Places under the sky: a level clearing, what grows and rises around it, and its light."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

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
from spatialwm.lift.text.places.fronts import house_fronts
from spatialwm.lift.text.places.mirror import mirror
from spatialwm.lift.text.places.place import Piece, Place, Standing
from spatialwm.lift.text.places.shell import Shell
from spatialwm.lift.text.places.sky import Sky, sky_for
from spatialwm.lift.text.places.terrain import LAKE_KINDS, Lake, Terrain
from spatialwm.lift.text.places.vantage import outdoor_view
from spatialwm.lift.text.surface.noise import linear
from spatialwm.scene import Environment

Array = np.ndarray

EYE_M = 1.6
TREES = ("tree", "cypress")
"""Last words of the kinds that one may stand beneath."""

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
    if biome.buildings and sky.elevation_deg > 20:  # houses on three sides: the sun comes in over the open one
        sky = replace(sky, azimuth_deg=-76.0, elevation_deg=max(sky.elevation_deg, 50.0))
    half = _half_side(graph, kinds)
    factor = _FACTOR[quality]
    empty = Terrain(biome=biome, half_m=half, seed=seed)
    entry = (0.0, -half + 0.6)
    eyes = _eyes(half)
    center = np.array([0.0, -0.35 * half, EYE_M])

    dressed: list[Terrain] = []
    first: list[Camera] = []

    def dress(standing: tuple[Standing, ...]) -> tuple[Piece, ...]:
        first[:] = [_first_view(half, standing)]
        x, y, _ = (float(v) for v in first[0].world_from_cam.position)
        forward = first[0].world_from_cam.rotate(np.array([0.0, 0.0, 1.0]))
        flat = forward[:2] / np.linalg.norm(forward[:2])
        viewed = (x, y, float(flat[0]), float(flat[1]))
        dressed[:] = [Terrain(biome=biome, half_m=half, seed=seed, standing=standing, viewed=viewed)]
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
        finish=lambda lit: mirror(lit, dressed[0].lakes if dressed else (), eyes, 0.22, seed, factor),
        spawn=lambda bounds, others: first[0] if first else outdoor_view(half, bounds, others),
    )


def _first_view(half: float, standing: Sequence[Standing]) -> Camera:
    """The establishing view of what stands here; what was asked for counts, or everything when nothing was."""
    asked = [s for s in standing if s.stated] or list(standing)
    rest = [s for s in standing if not any(s is a for a in asked) and s.rise_m[1] > 0.5]
    lakes = [Lake(s) for s in standing if s.kind in LAKE_KINDS]

    def boxes(of: Sequence[Standing]) -> Float[Array, "m 2 3"]:
        return np.array([((*s.low, s.rise_m[0]), (*s.high, s.rise_m[1])) for s in of], np.float64).reshape(-1, 2, 3)

    def wet(x: float, y: float) -> bool:
        return any(float(lake.reach(np.array([x]), np.array([y]))[0]) < 1.1 for lake in lakes)

    trunks = boxes(rest)
    for row, s in zip(trunks, rest, strict=True):
        if _is_tree(s):
            row[0, :2], row[1, :2] = row[0, :2] + 0.42 * (row[1, :2] - row[0, :2]), row[1, :2] - 0.42 * (row[1, :2] - row[0, :2])
    fronts = np.array([s.world_from_object.rotate(np.array([0.0, -1.0, 0.0]))[:2] * s.has_front for s in asked]).reshape(-1, 2)
    return outdoor_view(half, boxes(asked), trunks, np.array([_is_tree(s) for s in asked], np.bool_), fronts, wet)


def _is_tree(s: Standing) -> bool:
    return s.kind.split()[-1] in TREES


def _dress(terrain: Terrain, sky: Sky, factor: float, seed: int, eye: Float[Array, " 3"]) -> tuple[Piece, ...]:
    rng = np.random.default_rng((seed, 17))
    x, y, dx, dy = terrain.viewed or (0.0, -0.7 * terrain.half_m, 0.0, 1.0)
    blades = grass(terrain, (x + 1.5 * dx, y + 1.5 * dy), int(GRASS * factor), rng)
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
    pieces.append(house_fronts(terrain, sky.stars > 0, rng))
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
    return float(np.clip(max(0.5 * math.sqrt(2.3 * area) + 1.5, min(1.15 * tallest, 12.0)), 6.5, 16.0))


def _eyes(half: float) -> Float[Array, "k 3"]:
    g = np.linspace(-0.82 * half, 0.82 * half, 4)
    x, y = np.meshgrid(g, g)
    return np.column_stack([x.ravel(), y.ravel(), np.full(x.size, EYE_M)])


def _octagon(half: float) -> tuple[tuple[float, float], ...]:
    a, b, south = half + 1.5, 0.55 * half, half + 3.0
    return ((-b, -south), (b, -south), (a, -b), (a, b), (b, a), (-b, a), (-a, b), (-a, -b))


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
