"""What hangs in the air: mist, rain, snowflakes, smoke, the glow around a flame."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.kinds.foliage import UP
from spatialwm.lift.text.model import Strands
from spatialwm.lift.text.places.place import Piece
from spatialwm.lift.text.places.sky import Sky
from spatialwm.lift.text.places.terrain import Terrain
from spatialwm.lift.text.surface.noise import fbm, linear, smoothstep

Array = np.ndarray


def air(terrain: Terrain, sky: Sky, quality: float, rng: np.random.Generator) -> Piece | None:
    """All of it as one backdrop piece that shines by itself; None in clear air without fires."""
    strands = [
        s
        for s in (_mist(terrain, sky, quality, rng), _snowfall(terrain, sky, quality, rng), _rain(terrain, sky, quality, rng))
        if s
    ]
    for s in terrain.standing:
        if s.kind == "campfire":
            k = max(s.extent) / 1.5
            x, y = (s.low[0] + s.high[0]) / 2, (s.low[1] + s.high[1]) / 2
            strands.append(_smoke((x, y, 1.0 * k), 3.4, 0.07, 0.42, 0.022, sky, rng))
            strands.append(_halo((x, y, 0.5 * k), k, night=sky.stars > 0))
        if s.kind == "log cabin":
            k = s.extent[0] / 5.7
            top = s.world_from_object.apply(np.array([[1.35 * k, 0.75 * k, 4.55 * k]]))[0]
            strands.append(_smoke((float(top[0]), float(top[1]), float(top[2])), 4.5, 0.1, 0.6, 0.045, sky, rng))
    if not strands:
        return None
    return Piece(id="air", category="mist", strands=tuple(strands), role="backdrop")


def _blobs(at: Float[Array, "n 3"], half: Float[Array, "n 3"], width: Float[Array, " n"], glow: Array, opacity: float) -> Strands:
    n = len(at)
    return Strands(
        roots=at - half,
        tips=at + half,
        width_m=width,
        albedo=np.full((n, 3), 0.002),
        normals=np.tile(UP, (n, 1)),
        emission=np.broadcast_to(np.asarray(glow, np.float64), (n, 3)),
        opacity=opacity,
        thin=1.0,
    )


def _mist(terrain: Terrain, sky: Sky, quality: float, rng: np.random.Generator) -> Strands | None:
    """Level wisps beyond the clearing, brighter towards the sun."""
    if sky.fog_per_m < 0.007 or sky.snowing or sky.raining:
        return None
    n = int(260 * min(quality, 1.5) ** 0.5)
    r = terrain.half_m * 0.7 + 46 * rng.random(n) ** 1.3
    a = rng.uniform(0, 2 * np.pi, n)
    x, y = r * np.cos(a), r * np.sin(a)
    z = np.maximum(terrain.height(x, y), -0.1) + rng.uniform(0.15, 1.5, n) * (1 + r / 40)
    ray = np.column_stack([x, y, np.zeros(n)])
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    toward = np.clip(ray @ sky.sun_direction, 0, 1)[:, None]
    glow = sky.air() * 1.05 + np.array(sky.glow) * 0.5 * toward**4
    way = rng.uniform(0, np.pi, n)
    reach = rng.uniform(2.0, 5.0, n) * (1 + r / 40)
    half = np.column_stack([np.cos(way), np.sin(way), np.zeros(n)]) * reach[:, None]
    return _blobs(np.column_stack([x, y, z]), half, rng.uniform(0.3, 0.8, n) * (1 + r / 50), glow, 0.035)


def _snowfall(terrain: Terrain, sky: Sky, quality: float, rng: np.random.Generator) -> Strands | None:
    if not sky.snowing:
        return None
    n = int(2600 * min(quality, 1.5))
    reach = terrain.half_m + 9
    at = np.column_stack([rng.uniform(-reach, reach, (n, 2)), 9.0 * rng.random(n) + 0.1])
    drift = np.array([0.35, 0.1, -1.0]) * 0.012
    return _blobs(at, np.tile(drift, (n, 1)), rng.uniform(0.006, 0.014, n), sky.horizon() * 1.5 + 0.15, 0.85)


def _rain(terrain: Terrain, sky: Sky, quality: float, rng: np.random.Generator) -> Strands | None:
    if not sky.raining:
        return None
    n = int(3400 * min(quality, 1.5))
    reach = terrain.half_m + 7
    at = np.column_stack([rng.uniform(-reach, reach, (n, 2)), 7.0 * rng.random(n) + 0.2])
    fall = np.array([0.07, 0.02, -0.36])
    return _blobs(at, np.tile(fall, (n, 1)), np.full(n, 0.0022), sky.horizon() * 1.5 + 0.04, 0.22)


def _smoke(
    at: tuple[float, float, float], rise: float, thin: float, wide: float, opacity: float, sky: Sky, rng: np.random.Generator
) -> Strands:
    n = 110
    t = rng.random(n) ** 0.8
    x = at[0] + 0.25 * rise * t**1.4 + rng.normal(0, 1, n) * (0.05 + 0.13 * t)
    y = at[1] + 0.08 * rise * t + rng.normal(0, 1, n) * (0.05 + 0.13 * t)
    size = (thin + (wide - thin) * t) * rng.uniform(0.7, 1.3, n)
    half = UP * (size * 1.4)[:, None] + np.array([0.3, 0.1, 0.0]) * (size * t)[:, None]
    light = sky.air() * 1.1 + np.array(sky.sun) * 0.03
    return _blobs(np.column_stack([x, y, at[2] + rise * t]), half, size, light, opacity)


def _halo(at: tuple[float, float, float], k: float, night: bool) -> Strands:
    """Light that the warm air scatters around a flame."""
    size = np.array([0.28, 0.65, 1.3]) * k
    glow = np.stack([linear("#ffb058") * 1.6, linear("#ff9a40") * 1.1, linear("#ff8a34") * 0.8])
    half = UP * (size / 0.72)[:, None]
    return _blobs(np.tile(np.array(at), (3, 1)), half, size, glow * (1.0 if night else 0.7), 0.075 if night else 0.05)


def reflected_sea(terrain: Terrain, sky: Sky, eye: Float[Array, " 3"], quality: float) -> Strands | None:
    """The sea as it mirrors the sky towards ``eye``: swell, glitter under the sun, foam at the beach."""
    if not terrain.biome.sea:
        return None
    start = terrain.half_m + 4.0
    rows: list[Array] = []
    y, density = start - 3.0, 1.15 / math.sqrt(min(max(quality, 0.3), 2.0))
    sizes: list[Array] = []
    while y < 560:
        distance = y - eye[1]
        step = 0.022 * distance * density
        width = 0.055 * distance * density
        half = 0.5 * min(900.0, 2.4 * distance + 30)
        x = np.arange(-half, half, width) + (len(rows) % 2) * width / 2
        rows.append(np.column_stack([x, np.full(len(x), y), np.zeros(len(x))]))
        sizes.append(np.tile([width, step], (len(x), 1)))
        y += step
    at, size = np.concatenate(rows), np.concatenate(sizes)
    rng = np.random.default_rng(terrain.seed)
    at[:, :2] += rng.uniform(-0.25, 0.25, (len(at), 2)) * size
    level = -0.16
    swell = fbm(at, (0.12, 0.5, 1.0), 3, 81)
    chop = fbm(at, (0.9, 2.4, 1.0), 3, 82)
    normal = np.column_stack([0.10 * chop, 0.10 * swell + 0.14 * chop + 0.05, np.ones(len(at))])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    ray = at - eye
    ray[:, 2] = level - eye[2]
    distance = np.linalg.norm(ray, axis=1)
    ray /= distance[:, None]
    bounce = ray - 2 * (ray * normal).sum(1, keepdims=True) * normal
    bounce[:, 2] = np.abs(bounce[:, 2])
    facing = np.clip(-(ray * normal).sum(1), 0, 1)
    fresnel = (0.03 + 0.97 * (1 - facing) ** 5)[:, None]
    deep = linear("#12485a") * (0.08 + 0.9 * float(sky.air().mean()))
    shallow = linear("#3f9c98") * (0.08 + 0.7 * float(sky.air().mean()))
    depth = smoothstep(start - 3, start + 22, at[:, 1])[:, None]
    body = shallow * (1 - depth) + deep * depth
    sun = np.clip(bounce @ sky.sun_direction, 0, 1)[:, None] ** 160 * np.array(sky.sun) * 0.5
    glow = body * (1 - fresnel) + sky.gradient(bounce) * fresnel * 0.9 + sun
    shoreline = at[:, 1] + 1.4 * fbm(at, (0.16, 0.3, 1.0), 3, 83) - start
    foam = np.zeros(len(at))
    for offset, wide in ((0.3, 0.5), (3.2, 0.35), (7.0, 0.3)):
        foam = np.maximum(foam, smoothstep(wide, 0.0, np.abs(shoreline - offset)) * (0.5 + 0.5 * fbm(at, 1.6, 3, 84)))
    foam = np.clip(foam, 0, 1)[:, None]
    glow = glow * (1 - 0.85 * foam) + 0.85 * foam * (sky.horizon() * 0.65 + np.array(sky.sun) * 0.018)
    at[:, 2] = level + 0.03 * swell
    half = np.column_stack([size[:, 0] * 1.5, np.zeros(len(at)), np.zeros(len(at))])
    keep = shoreline > -1.2
    return Strands(
        roots=(at - half)[keep],
        tips=(at + half)[keep],
        width_m=(size[:, 1] * 0.85)[keep],
        albedo=np.full((int(keep.sum()), 3), 0.002),
        normals=np.tile(UP, (int(keep.sum()), 1)),
        emission=glow[keep],
        opacity=0.96,
        thin=0.0,
    )
