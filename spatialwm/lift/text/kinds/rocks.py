"""Stones of every size, and what is cut from them."""

from __future__ import annotations

import numpy as np

from spatialwm.geometry.color import linear_to_srgb, to_hex
from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.asked import color_of, says, scale_of
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Part, Solid, Surface
from spatialwm.lift.text.surface.materials import shade
from spatialwm.lift.text.surface.noise import linear
from spatialwm.lift.text.surface.outdoors import stone
from spatialwm.lift.text.surface.solids import box, extrude, join, lathe, rock

ROCK_M = (0.8, 0.7, 0.55)
BOULDER_M = (1.9, 1.7, 1.3)


def boulder(size_m: float, seed: int, flat: float = 0.72, subdivisions: int = 4) -> Solid:
    """A stone ``size_m`` across with a broad flat underside, so that it sits instead of balancing."""
    s = rock(size_m / 2, seed, subdivisions, 0.35, flat)
    z = s.vertices[:, 2]
    floor = float(z.min()) + 0.26 * float(np.ptp(z))
    return Solid(np.column_stack([s.vertices[:, :2], np.maximum(z, floor) - floor]), s.faces, s.texture)


def tones(color: str | None, dark: str = "#4c4b4a", light: str = "#8f8a82") -> tuple[str, str]:
    """Dark and light stone of a colour."""
    if color is None:
        return dark, light
    base = linear(color)
    return to_hex(linear_to_srgb(shade(base, 0.5))), to_hex(linear_to_srgb(np.minimum(shade(base, 1.3), 1)))


def _stone_model(kind: str, item: Item, solid: Solid, spacing_m: float, k: float, seed: int, moss: float) -> Model:
    dark, light = tones(color_of(item, "") or None)
    moss = 0.0 if item.color else (0.9 if says(item, "moss") else moss)
    part = Part(name="stone", solid=solid, material=stone(dark, light, seed, moss), spacing_m=spacing_m)
    low, high = solid.vertices.min(0), solid.vertices.max(0)
    volume = float(np.prod(high - low)) * 0.45
    top = Surface(z=float(high[2]), low=(-0.2 * k, -0.2 * k), high=(0.2 * k, 0.2 * k))
    return Model(
        kind=kind,
        parts=(part,),
        surfaces=(top,),
        mass_kg=2500 * volume,
        friction=0.8,
        color=item.color or "gray",
        material="stone",
        movable=volume < 0.2,
    )


def _rock(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, ROCK_M, 0.25, rng)
    seed = int(rng.integers(0, 90))
    return _stone_model("rock", item, boulder(0.75 * k, seed), 0.035 * min(1.0, max(k, 0.4)), k, seed, 0.4)


def _boulder(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, BOULDER_M, 0.15, rng)
    seed = int(rng.integers(0, 90))
    return _stone_model("boulder", item, boulder(1.75 * k, seed, 0.76), 0.05, 2.4 * k, seed, 0.6)


def _cairn(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.8, 0.8, 0.9), 0.1, rng)
    stones, z = [], 0.0
    for i, size in enumerate((0.7, 0.56, 0.46, 0.36, 0.26, 0.17)):
        s = rock(size / 2, i + int(rng.integers(0, 50)), 3, 0.18, 0.5)
        s = s.moved(z=z - float(s.vertices[:, 2].min()) - (0.05 if i else 0.02)).moved(*rng.normal(0, 0.02, 2))
        z = float(s.vertices[:, 2].max())
        stones.append(s)
    part = Part(name="stones", solid=join(stones).scaled(k), material=stone("#55534f", "#a49d92", 5, 0.15), spacing_m=0.024)
    return Model(kind="cairn", parts=(part,), mass_kg=180 * k**3, friction=0.8, color=item.color or "gray", material="stone")


def _tombstone(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.6, 0.22, 0.95), 0.08, rng)
    a = np.linspace(0, np.pi, 13)
    outline = np.concatenate([[[0.27, 0.0]], np.column_stack([0.27 * np.cos(a), 0.58 + 0.27 * np.sin(a)]), [[-0.27, 0.0]]])
    slab = extrude(outline, 0.12, 0.012).turned(90, "x").moved(y=0.06)
    slab = slab.turned(float(rng.normal(0, 2.0)), "y").retextured()
    solid = join([slab.moved(z=0.1), box(0.66, 0.26, 0.14, 0.015).moved(z=0.07)]).scaled(k)
    dark, light = tones(color_of(item, "") or None, "#4a4b4c", "#96958f")
    part = Part(name="stone", solid=solid, material=stone(dark, light, int(rng.integers(0, 90)), 0.5), spacing_m=0.026)
    return Model(
        kind="tombstone",
        parts=(part,),
        has_front=True,
        mass_kg=190 * k**3,
        friction=0.8,
        color=item.color or "gray",
        material="stone",
    )


def _column(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.9, 0.9, 4.0), 0.0)
    t = np.linspace(0, 1, 12)
    shaft = [(0.33 - 0.05 * s**1.4, 0.3 + 3.3 * s) for s in t]
    body = lathe([(1e-4, 0.18), (0.40, 0.18), (0.41, 0.24), (0.36, 0.3), *shaft, (0.36, 3.66), (0.42, 3.76), (1e-4, 3.76)], 40)
    angle = np.arctan2(body.vertices[:, 1], body.vertices[:, 0])
    fluted = body.vertices.copy()
    inside = (fluted[:, 2] > 0.32) & (fluted[:, 2] < 3.6)
    fluted[inside, :2] *= (1 - 0.03 * np.abs(np.sin(10 * angle[inside])))[:, None]
    column = Solid(fluted, body.faces, fluted.copy())
    solid = join([box(0.9, 0.9, 0.2, 0.02).moved(z=0.1), column, box(0.88, 0.88, 0.24, 0.02).moved(z=3.88)])
    if says(item, "fallen", "toppled"):
        solid = solid.turned(90, "y").moved(x=-2.0, z=0.45)
    dark, light = tones(color_of(item, "") or None, "#a8a498", "#e8e4d8")
    part = Part(name="column", solid=solid.scaled(k), material=stone(dark, light, 4, 0.1), spacing_m=0.05)
    return Model(
        kind="column",
        parts=(part,),
        mass_kg=2200 * k**3,
        color=item.color or "white",
        material=item.material or "marble",
        movable=False,
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="rock",
        synonyms=("stone", "pebble", "mossy rock"),
        build=_rock,
        size_m=ROCK_M,
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="boulder",
        synonyms=("large rock", "big rock", "crag"),
        build=_boulder,
        size_m=BOULDER_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("rock", "stone"),
    ),
    Kind(
        name="cairn",
        synonyms=("stone pile", "pile of stones", "rock pile"),
        build=_cairn,
        size_m=(0.8, 0.8, 0.9),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="tombstone",
        synonyms=("gravestone", "headstone", "grave"),
        build=_tombstone,
        size_m=(0.66, 0.26, 0.95),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="column",
        synonyms=("pillar", "marble column", "stone column"),
        build=_column,
        size_m=(0.9, 0.9, 4.0),
        habitat="ground",
    ),
)
