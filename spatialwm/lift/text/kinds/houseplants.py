"""Potted plants: fig, palm, fern, snake plant, cactus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Material, Model, Part, Solid, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, known_color
from spatialwm.lift.text.surface.noise import fbm, linear, mix, smoothstep
from spatialwm.lift.text.surface.solids import disc, lathe, leaf, sheet, solid, tube

PLANT_M = (0.75, 0.75, 1.25)


def _pot(r: float, h: float, cover: Material) -> list[Part]:
    body = lathe(
        [
            (1e-4, 0),
            (r * 0.72, 0),
            (r * 0.74, 0.01),
            (r * 0.97, h * 0.86),
            (r * 1.06, h * 0.87),
            (r * 1.06, h),
            (r * 0.94, h),
            (r * 0.9, h * 0.88),
            (1e-4, h * 0.88),
        ],
        44,
    )
    return [part("pot", body, cover, 0.0105), part("soil", disc(r * 0.9, h * 0.9, 30), m.soil(), 0.013, collides=False)]


def plant(item: Item, rng: np.random.Generator) -> Model:
    """A potted plant: fig, palm, snake plant, monstera or succulent by the words used, a fig otherwise."""
    small = says(item, "succulent", "small", "herb", "bonsai") or item.size == "small"
    usual = (
        (0.28, 0.28, 0.5)
        if says(item, "cactus")
        else (0.26, 0.26, 0.32)
        if small and not item.height_m
        else (0.45, 0.45, 1.0)
        if says(item, "snake", "sansevieria", "aloe")
        else PLANT_M
    )
    w, _, h = measures(_plain_size(item) if small and not says(item, "cactus") else item, usual)
    cover = finish("terracotta", item.color, item.material, default_color="#c7b299" if not small else "#a5583a")
    pot_r = min(0.19, w * 0.27) if h > 0.4 else w * 0.3
    pot_h = min(0.34, h * 0.3) if h > 0.4 else h * 0.38
    grow: Callable[..., list[Part]]
    if says(item, "cactus"):
        grow = _cactus
    elif says(item, "snake", "sansevieria", "aloe") or (small and says(item, "succulent")):
        grow = _blades
    elif says(item, "palm"):
        grow = _palm
    elif says(item, "fern"):
        grow = _fern
    else:
        grow = _fig
    parts = [*_pot(pot_r, pot_h, cover.material), *grow(w, h, pot_r, pot_h, rng)]
    kind = "cactus" if says(item, "cactus") else "plant"
    return Model(
        kind=kind,
        mass_kg=3.0 + 120 * pot_r**2 * pot_h,
        color=known_color(item.color),
        material=cover.name,
        parts=tuple(_fit(parts, h)),
    )


def _plain_size(item: Item) -> Item:
    return replace(item, size=None)


def _fit(parts: list[Part], height: float) -> list[Part]:
    """Stretch what grows above the pot so that the whole reaches the height asked for."""
    top = max(float(p.solid.vertices[:, 2].max()) for p in parts)
    start = float(parts[0].solid.vertices[:, 2].max())
    k = (height - start) / max(top - start, 1e-6)
    out = list(parts[:2])
    for p in parts[2:]:
        v = p.solid.vertices.copy()
        v[:, 2] = start + (v[:, 2] - start) * k
        out.append(replace(p, solid=Solid(v, p.solid.faces, p.solid.texture)))
    return out


def _fig(w: float, h: float, pot_r: float, pot_h: float, rng: np.random.Generator) -> list[Part]:
    leaves, stems = [], []
    rise = h - pot_h
    k = h / 1.25
    for i in range(5 if h > 0.5 else 4):
        turn, reach, lean = i * 2.4, rise * rng.uniform(0.68, 0.95), w * rng.uniform(0.12, 0.28)
        t = np.linspace(0, 1, 10)
        path = np.c_[lean * np.cos(turn) * t**1.6, lean * np.sin(turn) * t**1.6, pot_h * 0.85 + reach * t]
        stems.append(tube(path, np.linspace(0.011, 0.006, 10) * k, 7))
        for j in range(9):
            u = 0.25 + 0.75 * j / 8
            long = w * rng.uniform(0.28, 0.42) * (1.1 - 0.35 * u)
            blade = leaf(long * 0.3, long, rng.uniform(0.6, 1.4), 0.25, i * 10 + j)
            leaves.append(
                blade.turned(-rng.uniform(15, 50), "y").turned(np.degrees(j * 2.4 + i)).moved(*path[min(9, int(u * 9))])
            )
    return [
        part("stems", stems, m.plain("#5a4a2a"), 0.010, collides=False),
        part("leaves", leaves, m.foliage(), 0.0105 if h > 0.5 else 0.007, thin=1.0, collides=False),
    ]


def _blades(w: float, h: float, pot_r: float, pot_h: float, rng: np.random.Generator) -> list[Part]:
    blades = []
    for i in range(17):
        reach, half, phase = (h - pot_h) * rng.uniform(0.5, 1.0), w * rng.uniform(0.055, 0.08), rng.uniform(0, 0.3)
        out, turn = pot_r * 0.5 * rng.uniform(0, 1), rng.uniform(0, 2 * np.pi)

        def shape(u: np.ndarray, v: np.ndarray, reach: float = reach, half: float = half, phase: float = phase) -> tuple:
            s = v * 2 - 1
            wide = half * np.minimum(1, (1 - u) * 4) ** 0.7 * (0.75 + 0.25 * np.sin(np.pi * u))
            twist = 0.5 * u + phase
            return (wide * s * np.cos(twist) + 0.16 * u**2 * reach, wide * s * np.sin(twist) + 0.02 * np.abs(s) * wide, u * reach)

        made = sheet(shape, 22, 5)
        uv = np.stack(np.meshgrid(np.linspace(0, 1, 22), np.linspace(-1, 1, 5), indexing="ij"), -1).reshape(-1, 2)
        made = solid(made.vertices, made.faces, np.c_[uv, np.full(len(uv), i)])
        blades.append(made.turned(np.degrees(turn)).moved(out * np.cos(turn), out * np.sin(turn), pot_h * 0.88))

    def at(s: Surfels) -> Look:
        t = s.texture
        bands = np.sin(t[:, 0] * 42 + 3 * fbm(t, (9.0, 2.0, 3.0), 2, 2) + t[:, 2]) * 0.3 + 0.3 * fbm(t, (30.0, 2.0, 1.0), 2, 4)
        c = mix(linear("#1d3a22"), linear("#5f8a55"), smoothstep(-0.05, 0.15, bands))
        return m.look(np.where((np.abs(t[:, 1]) > 0.72)[:, None], linear("#b9b04e"), c), None, 0.4, 0.35)

    return [part("blades", blades, at, 0.0085 if h > 0.5 else 0.005, thin=1.0, collides=False)]


def _palm(w: float, h: float, pot_r: float, pot_h: float, rng: np.random.Generator) -> list[Part]:
    fronds, ribs = [], []
    base = pot_h * 0.9
    for i in range(13):
        turn, up, out = i * 2.4, (h - pot_h) * rng.uniform(0.55, 1.0), w * 0.5 * rng.uniform(0.6, 1.0)
        t = np.linspace(0, 1, 12)
        path = np.c_[out * t**1.4 * np.cos(turn), out * t**1.4 * np.sin(turn), base + up * np.sin(t * 1.75) / np.sin(1.571)]
        ribs.append(tube(path, np.linspace(0.006, 0.0025, 12), 6))
        for j in range(4, 12):
            for s in (-1, 1):
                blade = leaf(0.012 * h, 0.17 * h * (1.2 - 0.06 * j), 0.7, 0.3, i * 30 + j, 8, 5)
                fronds.append(blade.turned(-20, "y").turned(np.degrees(turn) + s * (75 - 4 * j)).moved(*path[j]))
    return [
        part("ribs", ribs, m.plain("#6a7a3a"), 0.008, collides=False),
        part("fronds", fronds, m.foliage("#1d4a20", "#5b9442"), 0.0095, thin=1.0, collides=False),
    ]


def _fern(w: float, h: float, pot_r: float, pot_h: float, rng: np.random.Generator) -> list[Part]:
    fronds = []
    for i in range(26):
        turn, up, out = rng.uniform(0, 2 * np.pi), (h - pot_h) * rng.uniform(0.5, 1.0), w * 0.5 * rng.uniform(0.6, 1.0)
        t = np.linspace(0, 1, 10)
        path = np.c_[out * t * np.cos(turn), out * t * np.sin(turn), pot_h * 0.9 + up * np.sin(t * 2.3)]
        for j in range(1, 10):
            for s in (-1, 1):
                blade = leaf(0.02 * w + 0.004, 0.16 * w * (1.1 - 0.08 * j), 0.5, 0.2, i * 20 + j, 6, 5)
                fronds.append(blade.turned(np.degrees(turn) + s * 70).moved(*path[j]))
    return [part("fronds", fronds, m.foliage("#20501f", "#66a24a"), 0.008, thin=1.0, collides=False)]


def _cactus(w: float, h: float, pot_r: float, pot_h: float, rng: np.random.Generator) -> list[Part]:
    def column(r: float, start: float, top: float) -> Solid:
        profile = [
            (1e-4, start),
            (r * 0.8, start),
            *[(r, start + (top - start) * t) for t in np.linspace(0.05, 0.85, 8)],
            *[(r * np.cos(a), top - r + r * np.sin(a)) for a in np.linspace(0.1, 1.5, 6)],
            (1e-4, top),
        ]
        made = lathe(profile, 48)
        v = made.vertices.copy()
        angle = np.arctan2(v[:, 1], v[:, 0])
        v[:, :2] *= (1 + 0.10 * np.cos(12 * angle))[:, None]
        return Solid(v, made.faces, made.texture)

    r = pot_r * 0.55
    body = [column(r, pot_h * 0.85, h)]
    for s, z in ((1, 0.45), (-1, 0.6)):
        start = pot_h + (h - pot_h) * z * 0.7
        body.append(
            tube(
                [
                    [s * r * 0.6, 0, start],
                    [s * r * 1.9, 0, start + 0.02],
                    [s * r * 2.2, 0, start + r],
                    [s * r * 2.2, 0, start + (h - pot_h) * 0.28],
                ],
                [r * 0.5, r * 0.5, r * 0.5, r * 0.3],
                14,
            )
        )
    return [part("cactus", body, m.fur("#3d7040"), 0.008)]


def _named(item: Item, word: str) -> Item:
    return replace(item, noun=f"{item.noun} {word}")


KINDS: tuple[Kind, ...] = (
    Kind(
        name="plant",
        synonyms=(
            "potted plant",
            "houseplant",
            "house plant",
            "pot plant",
            "fig tree",
            "snake plant",
            "monstera",
            "succulent",
            "indoor plant",
            "ficus",
            "aloe",
            "bonsai",
            "potted palm",
            "potted fern",
            "plant pot",
            "fern in a pot",
        ),
        build=plant,
        size_m=PLANT_M,
        family="indoor",
    ),
    Kind(
        name="potted cactus",
        synonyms=("cactus in a pot",),
        build=lambda item, rng: replace(plant(_named(item, "cactus"), rng), kind="potted cactus"),
        size_m=(0.28, 0.28, 0.5),
        hypernyms=("plant",),
    ),
)
