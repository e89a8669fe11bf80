"""House fronts along streets and around squares: plain walls, with everything crisp on them drawn as strands."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.model import Look, Material, Part, Solid, Strands, Surfels
from spatialwm.lift.text.places.place import Piece
from spatialwm.lift.text.places.terrain import Terrain
from spatialwm.lift.text.surface.materials import look
from spatialwm.lift.text.surface.noise import fbm, hash01, linear
from spatialwm.lift.text.surface.solids import join, quad

Array = np.ndarray

STOREY_M, BAY_M = 2.9, 1.9
PANE_M = (0.92, 1.5)
_CITY = ("#9a6248", "#c2ac90", "#8d8a86", "#d0c09e", "#8f5140", "#a8a39a")
_TOWN = ("#e2d6be", "#d6bc98", "#c8b496", "#e6dece", "#d8a888")


def house_fronts(terrain: Terrain, night: bool, rng: np.random.Generator) -> Piece | None:
    """Rows of houses on both sides and behind, each with a base, cornice, door and windows; some are lit, at night most."""
    count = terrain.biome.buildings
    if not count:
        return None
    city = terrain.biome.ground.pattern == "asphalt"
    half = terrain.half_m + 3.5
    walls: list[Solid] = []
    lines: list[tuple[Array, Array, float, Array, Array, Array]] = []
    per_side = max(2, count // 3)
    paints = [linear(c) for c in (_CITY if city else _TOWN)]
    number = 0
    for side in ("west", "east", "north"):
        width = (2 * half + 4) / per_side
        for i in range(per_side):
            storeys = int(rng.integers(3, 6)) if city else int(rng.integers(2, 4))
            height = 0.9 + storeys * STOREY_M
            a = -half - 2 + i * width
            b = a + width - (0.0 if city else float(rng.uniform(0.8, 2.0)))
            depth = half + float(rng.uniform(0, 0.7))
            for s in _block(side, a, b, depth, -0.3, height):
                walls.append(Solid(s.vertices, s.faces, s.vertices + np.array([0, 0, 100.0 * number])))
            lines += _dressing(side, a, b, depth, storeys, paints[(number * 3 + int(rng.integers(2))) % len(paints)], night, rng)
            number += 1
    part = Part(name="fronts", solid=join(walls), material=_plaster(paints), spacing_m=0.26, smooth=False)
    return Piece(
        id="buildings", category="buildings", parts=(part,), strands=_strands(lines), labels=("houses",), material="plaster"
    )


def _block(side: str, a: float, b: float, depth: float, z: float, h: float) -> list[Solid]:
    """Front, two flanks and the top of a block that is 6 m deep."""
    back = depth + 6.0
    if side == "north":
        return [
            quad((a, depth, z), (b - a, 0, 0), (0, 0, h), 0.6),
            quad((a, back, z), (0, depth - back, 0), (0, 0, h), 0.6),
            quad((b, depth, z), (0, back - depth, 0), (0, 0, h), 0.6),
            quad((a, depth, z + h), (b - a, 0, 0), (0, 6.0, 0), 0.6),
        ]
    sign = 1.0 if side == "east" else -1.0
    x, far = sign * depth, sign * back
    front = quad((x, b, z), (0, a - b, 0), (0, 0, h), 0.6) if sign > 0 else quad((x, a, z), (0, b - a, 0), (0, 0, h), 0.6)
    low, high = min(x, far), max(x, far)
    return [
        front,
        quad((low, a, z), (high - low, 0, 0), (0, 0, h), 0.6),
        quad((high, b, z), (low - high, 0, 0), (0, 0, h), 0.6),
        quad((low, a, z + h), (high - low, 0, 0), (0, b - a, 0), 0.6),
    ]


def _dressing(
    side: str, a: float, b: float, depth: float, storeys: int, paint: Array, night: bool, rng: np.random.Generator
) -> list[tuple[Array, Array, float, Array, Array, Array]]:
    """Bars on a front: roots, tips, sigma, colours, glow and normal, in world space."""
    inward = {"north": (0.0, -1.0), "east": (-1.0, 0.0), "west": (1.0, 0.0)}[side]
    normal = np.array([*inward, 0.0])
    bright, stone, dark = np.minimum(1.0, 0.35 * paint + 0.55), linear("#8a857c"), linear("#1c2228")
    warm = linear("#ffbe6e") * (1.5 if night else 0.0)
    out: list[tuple[Array, Array, float, Array, Array, Array]] = []

    def point(u: Array, z: Array, lift: float) -> Array:
        flat = np.full_like(u, depth - lift)
        columns = (u, flat, z) if side == "north" else ((flat, u, z) if side == "east" else (-flat, u, z))
        return np.column_stack(columns)

    def bar(
        u0: float, u1: float, z0: float, z1: float, sigma: float, color: Array, lift: float, glow: Array | None = None
    ) -> None:
        length = math.hypot(u1 - u0, z1 - z0)
        n = max(1, math.ceil(length / max(3.2 * sigma, 0.3)))
        t = np.linspace(0, 1, n + 1)
        u, z = u0 + (u1 - u0) * t, z0 + (z1 - z0) * t
        # Strands overlap by a third, or a row of them reads as beads.
        reach = 0.16 / n
        p = point(u, z, lift)
        step = (p[-1] - p[0]) * reach
        shine = np.zeros(3) if glow is None else glow
        out.append((p[:-1] - step, p[1:] + step, sigma, np.tile(color, (n, 1)), np.tile(shine, (n, 1)), np.tile(normal, (n, 1))))

    width = b - a
    bays = max(2, int(width / BAY_M))
    gap = width / bays
    half_w, tall = PANE_M[0] / 2, PANE_M[1]
    for k in range(3):  # a base of stone, a band above the ground floor, a cornice
        z, sigma, color = ((0.2, 0.16, stone), (0.55 + STOREY_M, 0.07, bright), (0.6 + storeys * STOREY_M, 0.12, bright))[k]
        bar(a + 0.1, b - 0.1, z, z, sigma, color, 0.14)
    door = int(rng.integers(bays))
    for storey in range(storeys):
        for bay in range(bays):
            u = a + (bay + 0.5) * gap
            low = 0.95 + storey * STOREY_M
            lit = warm * rng.uniform(0.7, 1.2) if night and rng.random() < 0.5 else None
            top = low + tall
            if storey == 0 and bay == door:
                low, top, lit = 0.0, 2.35, None
                wood = linear(("#3d4f3a", "#4a2c22", "#2c3a4e")[int(rng.integers(3))])
                fill = wood
            else:
                fill = dark * rng.uniform(0.8, 1.8)
            for c in np.linspace(u - half_w + 0.09, u + half_w - 0.09, 5):
                bar(float(c), float(c), low + 0.1, top - 0.1, 0.11, fill, 0.13, lit)
            for x in (u - half_w, u + half_w):
                bar(x, x, low, top, 0.032, bright, 0.2)
            bar(u - half_w, u + half_w, top, top, 0.04, bright, 0.2)
            if not (storey == 0 and bay == door):
                bar(u - half_w - 0.12, u + half_w + 0.12, low - 0.03, low - 0.03, 0.05, bright, 0.24)
                bar(u, u, low, top, 0.018, bright, 0.22)
                bar(u - half_w, u + half_w, low + 0.62 * tall, low + 0.62 * tall, 0.018, bright, 0.22)
    return out


def _strands(lines: list[tuple[Array, Array, float, Array, Array, Array]]) -> tuple[Strands, ...]:
    """Dull bars and shining ones apart, since only those that shine keep their number at every quality."""
    found = []
    for shining in (False, True):
        some = [x for x in lines if bool(x[4].any()) == shining]
        if some:
            roots, tips, _, colors, glow, normals = (
                np.concatenate([x[i] for x in some]) if i != 2 else np.zeros(0) for i in range(6)
            )
            found.append(
                Strands(
                    roots=roots,
                    tips=tips,
                    width_m=np.concatenate([np.full(len(x[0]), x[2]) for x in some]),
                    albedo=colors,
                    normals=normals,
                    emission=glow,
                    opacity=0.97,
                    thin=0.0,
                )
            )
    return tuple(found)


def _plaster(paints: list[Float[Array, " 3"]]) -> Material:
    def at(s: Surfels) -> Look:
        house = np.floor((s.texture[:, 2] + 50) / 100).astype(int)
        flat = np.abs(s.normals[:, 2]) > 0.7
        tint = np.array(paints)[(hash01(house, 3) * len(paints)).astype(int) % len(paints)]
        stain = 1 + 0.10 * fbm(s.points, 0.7, 3, 4) - 0.12 * np.exp(-np.maximum(s.points[:, 2], 0) / 0.8)
        c = tint * (stain * (0.9 + 0.2 * hash01(house, 5)))[:, None]
        return look(np.where(flat[:, None], linear("#5a5450"), c), None)

    return at
