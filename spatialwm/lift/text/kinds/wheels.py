"""Things pushed, pedalled or climbed: bicycle, wheelbarrow, ladder; and the market stall they lead to."""

from __future__ import annotations

import math

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Solid, Surface
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish_item, known_color
from spatialwm.lift.text.surface.solids import box, ellipsoid, ring, rod, sheet, slab, tube

BICYCLE_M = (0.58, 1.75, 1.05)
BARROW_M = (0.62, 1.4, 0.62)
LADDER_M = (0.46, 0.75, 2.1)
STALL_M = (2.2, 1.3, 2.35)


def _wheel(radius: float, thick: float, y: float, spokes: int) -> tuple[Solid, list[Solid]]:
    tyre = ring(radius - thick, thick, 48, 10).turned(90, "y").moved(0, y, radius)
    rays = [
        rod((0, y, radius), (0, y + math.cos(a) * (radius - thick), radius + math.sin(a) * (radius - thick)), 0.0035, sides=6)
        for a in np.arange(spokes) * 2 * math.pi / spokes
    ]
    return tyre, rays


def bicycle(item: Item, rng: np.random.Generator) -> Model:
    """A city bicycle standing upright, riding towards -Y."""
    w, d, h = measures(item, BICYCLE_M)
    paint = finish_item(item, "plastic", "#2f6f73")
    r = 0.335
    front, back, seat, crank, head = (0, -0.53, r), (0, 0.53, r), (0, 0.24, 0.9), (0, 0.06, 0.29), (0, -0.4, 0.86)
    tube_m = 0.017
    joints = ((crank, seat), (crank, (0, -0.42, 0.72)), ((0, 0.22, 0.8), head), ((0, -0.42, 0.7), head))
    frame = [rod(a, b, tube_m) for a, b in joints]
    frame += [tube([[s * 0.045, *front[1:]], [s * 0.045, -0.46, 0.6], [0, -0.41, 0.74]], 0.011, 8) for s in (-1, 1)]
    frame += [rod((s * 0.05, *back[1:]), p, 0.01, sides=8) for s in (-1, 1) for p in ((0, 0.2, 0.78), crank)]
    bar = [[-w / 2, -0.25, 1.0], [-0.2, -0.38, 1.03], [0, -0.4, 0.97], [0.2, -0.38, 1.03], [w / 2, -0.25, 1.0]]
    steel = [tube(bar, 0.011, 10), rod(head, (0, -0.4, 0.98), 0.013), rod(seat, (0, 0.25, 0.95), 0.013)]
    steel.append(ring(0.09, 0.006, 32, 8).turned(90, "y").moved(0.03, 0.06, 0.29))
    steel += [rod((s * 0.05, 0.06, 0.29), (s * 0.07, 0.06 + s * 0.15, 0.2), 0.009, sides=8) for s in (-1, 1)]
    wheels = [_wheel(r, 0.02, y, 14) for y in (-0.53, 0.53)]
    saddle = [ellipsoid(0.085, 0.13, 0.035, 3).moved(0, 0.28, 0.965)]
    saddle += [box(0.085, 0.04, 0.02, 0.006).moved(s * 0.1, 0.06 + s * 0.15, 0.2) for s in (-1, 1)]
    k = (1.0, d / BICYCLE_M[1], h / BICYCLE_M[2])
    return Model(
        kind="bicycle", has_front=True, mass_kg=14.0, color=paint.color, material="metal",
        parts=(
            part("frame", [s.scaled(*k) for s in frame], paint.material, 0.011),
            part("steel", [s.scaled(*k) for s in steel], m.metal("#a9adb1"), 0.0095),
            part("tyres", [t.scaled(*k) for t, _ in wheels], m.plain("#171717", 0.2), 0.012),
            part("spokes", [s.scaled(*k) for _, rays in wheels for s in rays], m.metal("#b9bdc0"), 0.0075, collides=False),
            part("saddle", [s.scaled(*k) for s in saddle], m.plain("#3a2416", 0.5), 0.011),
        ),
    )  # fmt: skip


def wheelbarrow(item: Item, rng: np.random.Generator) -> Model:
    """A single-wheeled barrow, its handles towards +Y."""
    w, d, h = measures(item, BARROW_M)
    tray = finish_item(item, "plastic", "#3f6b46")

    def basin(u: np.ndarray, v: np.ndarray) -> tuple:
        a, s = 2 * math.pi * u, np.minimum(v, 0.5) * 2
        rise = np.maximum(v - 0.5, 0) * 2
        grow = (0.62 + 0.38 * rise) * s
        square = np.maximum(np.abs(np.cos(a)), np.abs(np.sin(a))) ** 0.75
        return (grow * w / 2 * np.cos(a) / square, -0.1 * d + grow * 0.33 * d * np.sin(a) / square, h * 0.5 + rise * h * 0.46)

    tyre, _ = _wheel(0.17, 0.04, -0.36 * d, 3)
    bars = [tube([[s * 0.05, -0.36 * d, 0.17], [s * w * 0.3, -0.05 * d, h * 0.48], [s * w * 0.42, d / 2, h * 0.78]], 0.016, 10)
            for s in (-1, 1)]  # fmt: skip
    bars += [tube([[s * w * 0.32, 0.02 * d, h * 0.5], [s * w * 0.34, 0.14 * d, 0.016]], 0.014, 10) for s in (-1, 1)]
    bars.append(rod((-0.06, -0.36 * d, 0.17), (0.06, -0.36 * d, 0.17), 0.014))
    grips = [rod((s * w * 0.4, 0.42 * d, h * 0.745), (s * w * 0.42, d / 2, h * 0.785), 0.021) for s in (-1, 1)]
    return Model(
        kind="wheelbarrow", has_front=True, mass_kg=15.0, color=tray.color, material="metal",
        surfaces=(Surface(z=h * 0.51, low=(-w * 0.25, -0.25 * d), high=(w * 0.25, 0.05 * d)),),
        parts=(
            part("tray", sheet(basin, 64, 24), tray.material, 0.016, thin=0.01),
            part("bars", bars, m.metal("#4a4d50", 0.4), 0.013),
            part("tyre", tyre, m.plain("#191919", 0.2), 0.016),
            part("grips", grips, m.plain("#191919", 0.2), 0.012),
        ),
    )  # fmt: skip


def ladder(item: Item, rng: np.random.Generator) -> Model:
    """A stepladder, open."""
    w, d, h = measures(item, LADDER_M)
    wood = finish_item(item, "pine", along=2)
    n = max(3, round(h / 0.3))

    def rail(s: int, y: float) -> Solid:
        return rod((s * w / 2, y, 0.0), (s * w * 0.36, 0.0, h), 0.024, sides=10)

    steps = []
    for i in range(1, n):
        t = i / n
        steps.append(slab(w * (1 - 0.28 * t), 0.09, 0.026, h * t - 0.026, 0.004).moved(0, -d / 2 * (1 - t), 0))
    top = slab(w * 0.82, 0.2, 0.03, h - 0.03, 0.004)
    brace = [rod((-w * 0.45, d * 0.3, h * 0.4), (w * 0.45, d * 0.3, h * 0.4), 0.014, sides=8)]
    treads = finish_item(item, "pine", along=0, seed=4)
    return Model(
        kind="ladder", has_front=True, mass_kg=8.0, color=wood.color, material=wood.name,
        surfaces=(Surface(z=h, low=(-w * 0.3, -0.08), high=(w * 0.3, 0.08)),),
        parts=(
            part("rails", [rail(s, y) for s in (-1, 1) for y in (-d / 2, d / 2)], wood.material, 0.014),
            part("steps", [*steps, top, *brace], treads.material, 0.013),
        ),
    )  # fmt: skip


def stall(item: Item, rng: np.random.Generator) -> Model:
    """A market stall: counter, four posts, a striped awning; goods may stand on the counter."""
    w, d, h = measures(item, STALL_M)
    wood = finish_item(item, "oak") if item.material else None
    tint = known_color(item.color) or ("#b3372c", "#2f6a4f", "#2e5c8a", "#c08a2a")[int(rng.integers(4))]
    top = 0.92

    def awning(u: np.ndarray, v: np.ndarray) -> tuple:
        sag = 0.035 * np.sin(np.pi * v)
        scallop = np.where(v < 0.02, 0.06 * np.abs(np.sin(u * 8 * np.pi)), 0.0)
        return ((u - 0.5) * w * 1.06, (v - 0.5) * d * 1.1, h - 0.5 + 0.48 * v - sag + scallop)

    rows = ((-d * 0.45, h - 0.5), (d * 0.45, h - 0.06))
    posts = [rod((s * w * 0.48, y, 0), (s * w * 0.48, y, z), 0.032) for s in (-1, 1) for y, z in rows]
    board, skirt = slab(w * 0.98, 0.62, 0.035, top - 0.035), slab(w * 0.94, 0.03, 0.72, 0.14)
    planks = [board.moved(0, -d * 0.18, 0), skirt.moved(0, -d * 0.36, 0)]
    stripes = m.striped(tint, "#ece4d2", 0.26, (1.0, 0.0, 0.0))
    timber = wood.material if wood else m.wood("oak", along=0)
    return Model(
        kind="market stall", has_front=True, mass_kg=90.0, movable=False, color=tint, material="wood",
        surfaces=(
            Surface(z=top, low=(-w * 0.46, -d * 0.18 - 0.28), high=(w * 0.46, -d * 0.18 + 0.28), clearance_m=0.7, name="counter"),
        ),
        parts=(
            part("posts", posts, m.wood("oak", along=2), 0.022),
            part("counter", planks, timber, 0.02),
            part("awning", sheet(awning, 72, 24), stripes, 0.024, thin=1.0, collides=False),
        ),
    )  # fmt: skip


KINDS: tuple[Kind, ...] = (
    Kind(name="bicycle", synonyms=("bike", "mountain bike", "cycle"), build=bicycle, size_m=BICYCLE_M, habitat="ground",
         hypernyms=("vehicle",)),
    Kind(name="wheelbarrow", synonyms=("barrow",), build=wheelbarrow, size_m=BARROW_M, habitat="ground"),
    Kind(name="ladder", synonyms=("stepladder", "step ladder"), build=ladder, size_m=LADDER_M),
    Kind(name="market stall", synonyms=("stall", "food stall", "fruit stand", "vendor stall"), build=stall, size_m=STALL_M,
         habitat="ground", family="outdoor"),
)  # fmt: skip
"""Everything on wheels or rungs, and the stall."""
