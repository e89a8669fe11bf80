"""What covers the ground close up: blades of grass, small flowers, pebbles."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.kinds.foliage import UP
from spatialwm.lift.text.model import Strands
from spatialwm.lift.text.places.terrain import Terrain
from spatialwm.lift.text.surface.noise import fbm, linear, mix, smoothstep

Array = np.ndarray

REACH_M = 20.0
"""Blades farther from the clearing's middle than this past its edge are not worth their number."""


def _spread(terrain: Terrain, eye: tuple[float, float], count: int, rng: np.random.Generator) -> Float[Array, "n 2"]:
    """Places thinning out with the distance from where visitors walk."""
    r = (terrain.half_m + REACH_M) * rng.random(count) ** 1.05
    a = rng.uniform(0, 2 * np.pi, count)
    return np.column_stack([eye[0] + r * np.cos(a), eye[1] + r * np.sin(a)])


def grass(terrain: Terrain, eye: tuple[float, float], count: int, rng: np.random.Generator) -> Strands | None:
    """Blades in tufts, kept off footprints, paths, fire and water; farther ones are fewer, wider and taller."""
    biome = terrain.biome
    count = int(count * min(biome.grass, 1.3))
    if count < 50:
        return None
    tufts = _spread(terrain, eye, int(count / 5), rng)
    flat = np.column_stack([tufts, np.zeros(len(tufts))])
    lush = fbm(flat, 0.8, 3, 31) + 0.3 * rng.normal(size=len(tufts))
    keep = lush > 0.24 - 0.62 * terrain.biome.ground.cover
    if biome.ground.pattern in ("sand", "snow"):
        keep = lush > 0.25
    x, y = tufts[:, 0], tufts[:, 1]
    wobble = 0.12 * fbm(flat, 2.0, 2, 8)
    solid_kinds = tuple({s.kind for s in terrain.standing} - _AMONG_GRASS - {"campfire", "path", "lake", "pond"})
    keep &= terrain.covered(x, y, 0.0, ("campfire",)) > 0.35 + wobble
    keep &= terrain.covered(x, y, 0.0, ("path",)) > 0.02 + wobble
    keep &= terrain.covered(x, y, 0.02, solid_kinds) > 0
    keep &= terrain.covered(x, y, 0.0, ("lake", "pond")) > 0.12
    if biome.sea:
        keep &= y < terrain.half_m - 1
    tufts, lush = tufts[keep], lush[keep]
    if not len(tufts):
        return None
    blades = 7
    k = np.repeat(np.arange(len(tufts)), blades)
    n = len(k)
    distance = np.hypot(tufts[k, 0] - eye[0], tufts[k, 1] - eye[1])
    spread = 0.035 + 0.0085 * distance
    root = tufts[k] + rng.normal(0, 1, (n, 2)) * spread[:, None]
    tall = smoothstep(-0.25, 0.45, fbm(np.column_stack([root, np.zeros(n)]), 0.5, 2, 41))
    height = biome.grass_m * (0.35 + 0.85 * tall) * rng.uniform(0.45, 1.15, n) * (1 + 0.012 * distance)
    az = rng.uniform(0, 2 * np.pi, n)
    lean = height * rng.uniform(0.08, 0.6, n)
    z = terrain.height(root[:, 0], root[:, 1])
    roots = np.column_stack([root, z - 0.012])
    tips = roots + np.column_stack([lean * np.cos(az), lean * np.sin(az), height])
    tone = np.clip(0.42 + 0.26 * rng.normal(size=n) + 0.45 * fbm(roots * (1, 1, 0), 0.6, 2, 51) + 0.12 * tall, 0, 1)
    normals = UP + rng.normal(0, 0.12, (n, 3))
    return Strands(
        roots=roots,
        tips=tips,
        width_m=(0.0034 + 0.00062 * distance) * rng.uniform(0.75, 1.3, n),
        albedo=mix(linear(biome.grass_dark), linear(biome.grass_light), tone).astype(np.float64),
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        opacity=0.94,
        thin=0.85,
    )


_AMONG_GRASS = frozenset(
    {
        "bush",
        "flower",
        "mushroom",
        "fern",
        "pine tree",
        "oak tree",
        "tree",
        "birch tree",
        "palm tree",
        "dead tree",
        "olive tree",
        "cherry tree",
        "apple tree",
        "cypress",
        "fence",
        "bench",
        "picnic table",
        "signpost",
        "street lamp",
        "gate",
        "rock",
        "tree stump",
        "tombstone",
        "cactus",
    }
)
"""Things that grass grows up to or between: their footprint is not bare."""


def blossoms(terrain: Terrain, eye: tuple[float, float], count: int, rng: np.random.Generator) -> Strands | None:
    """Specks of wild flowers over the grass, in drifts of one colour."""
    count = int(count * terrain.biome.flowers)
    if count < 8:
        return None
    at = _spread(terrain, eye, count, rng)
    drift = fbm(np.column_stack([at, np.zeros(count)]), 0.35, 2, 61)
    keep = (drift + 0.25 * rng.normal(size=count) > -0.02) & (terrain.covered(at[:, 0], at[:, 1], 0.15) > 0)
    at, drift = at[keep], drift[keep]
    n = len(at)
    if not n:
        return None
    colors = np.array([linear(c) for c in ("#f2eef4", "#e2a8d6", "#f2d060", "#e8604a", "#9a8ae0")])
    pick = np.clip(
        (fbm(np.column_stack([at, np.zeros(n)]), 0.22, 2, 63) * 0.5 + 0.5) * 5 + rng.normal(0, 0.5, n), 0, 4.99
    ).astype(int)
    z = terrain.height(at[:, 0], at[:, 1]) + terrain.biome.grass_m * rng.uniform(0.7, 1.25, n)
    spot = np.column_stack([at, z])
    distance = np.hypot(at[:, 0] - eye[0], at[:, 1] - eye[1])
    size = (0.011 + 0.0007 * distance) * rng.uniform(0.8, 1.3, n)
    return Strands(
        roots=spot - UP * size[:, None],
        tips=spot + UP * size[:, None],
        width_m=size,
        albedo=colors[pick] * rng.uniform(0.8, 1.1, (n, 1)),
        normals=np.tile(UP, (n, 1)),
        opacity=0.95,
        thin=0.5,
    )
