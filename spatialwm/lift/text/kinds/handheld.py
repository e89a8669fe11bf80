"""What a hand holds: cutlery, pens, simple tools. They lie flat, their working end towards +Y."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Part
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish_item
from spatialwm.lift.text.surface.solids import box, ellipsoid, extrude, rod, tube

Build = Callable[[Item, np.random.Generator], Model]

CUTLERY_M = (0.024, 0.2, 0.012)
PEN_M = (0.011, 0.145, 0.011)
HAMMER_M = (0.12, 0.32, 0.035)
SCREWDRIVER_M = (0.03, 0.23, 0.03)


def _model(kind: str, item: Item, kilograms: float, material: str, *parts: Part) -> Model:
    return Model(kind=kind, parts=parts, mass_kg=kilograms, friction=0.45, color=item.color, material=material)


def cutlery(item: Item, rng: np.random.Generator) -> Model:
    """A fork, a knife or a spoon by the words."""
    w, d, _ = measures(item, CUTLERY_M)
    steel = finish_item(item, "steel")
    y = d / 2
    handle = tube([[0, -y, 0.004], [0, -0.1 * y, 0.005], [0, 0.25 * y, 0.007]], [0.0055, 0.004, 0.003], 12).scaled(1, 1, 0.7)
    if says(item, "fork"):
        root = ellipsoid(w * 0.45, 0.17 * d, 0.0028, 3).moved(0, 0.22 * d, 0.006)
        tines = [tube([[x, 0.24 * d, 0.006], [x, 0.4 * d, 0.006], [x, y, 0.009]], [0.0022, 0.002, 0.001], 8)
                 for x in np.linspace(-0.36, 0.36, 4) * w]  # fmt: skip
        return _model("fork", item, 0.05, steel.name, part("fork", [handle, root, *tines], steel.material, 0.0036))
    if says(item, "spoon", "ladle"):
        bowl = ellipsoid(w * 0.75, 0.14 * d, 0.005, 3).moved(0, 0.36 * d, 0.006)
        return _model("spoon", item, 0.05, steel.name, part("spoon", [handle, bowl], steel.material, 0.0036))
    outline = [(-0.3 * w, 0), (0.3 * w, 0), (0.5 * w, 0.34 * d), (0.1 * w, 0.52 * d), (-0.3 * w, 0.5 * d)]
    blade = extrude(outline, 0.0022).moved(0, -0.02 * d, 0.003)
    grip = box(w * 0.75, 0.5 * d, 0.011, 0.004).moved(0, -0.25 * d, 0.006)
    dark = m.wood("walnut", along=1) if says(item, "chef", "kitchen", "bread", "carving") else steel.material
    edge = part("blade", blade, m.metal("#b9bdc0"), 0.0036)
    return _model("knife", item, 0.09, steel.name, edge, part("grip", grip, dark, 0.0036))


def pen(item: Item, rng: np.random.Generator) -> Model:
    """A pen or, by the words, a pencil or brush, lying on its side."""
    w, d, _ = measures(item, PEN_M)
    barrel = finish_item(item, "plastic", "#d9a521" if says(item, "pencil") else "#20355c")
    r, y = w / 2, d / 2
    tip = rod((0, 0.8 * y, r), (0, y, r), 0.7 * r, 0.15 * r)
    end = m.wood("pine", along=1) if says(item, "pencil") else m.metal("#b9bdc0")
    clip = [] if says(item, "pencil") else [box(0.002, 0.3 * d, 0.002, 0).moved(0, -0.3 * d, 2 * r)]
    body = part("barrel", [rod((0, -y, r), (0, 0.82 * y, r), r, r), *clip], barrel.material, 0.003)
    return _model("pen", item, 0.012, barrel.name, body, part("tip", tip, end, 0.0025))


def hammer(item: Item, rng: np.random.Generator) -> Model:
    """A claw hammer on its side."""
    w, d, _ = measures(item, HAMMER_M)
    grip = finish_item(item, "wood", along=1)
    z = 0.0175
    handle = tube([[0, -d / 2, z], [0, -0.1 * d, z], [0, 0.42 * d, z]], [0.0155, 0.012, 0.011], 14)
    y = 0.42 * d
    head = [rod((-0.1 * w, y, z), (0.45 * w, y, z), 0.013), rod((0.4 * w, y, z), (0.5 * w, y, z), 0.017)]
    head += [tube([[-0.08 * w, 0.42 * d, z + s], [-0.35 * w, 0.41 * d, z + 1.1 * s], [-0.5 * w, 0.36 * d, z + 1.3 * s]],
                  [0.009, 0.007, 0.003], 10) for s in (-0.006, 0.006)]  # fmt: skip
    iron = part("head", head, m.metal("#75797d"), 0.0045)
    return _model("hammer", item, 0.6, "steel", part("handle", handle, grip.material, 0.005), iron)


def screwdriver(item: Item, rng: np.random.Generator) -> Model:
    """A screwdriver on its side."""
    w, d, _ = measures(item, SCREWDRIVER_M)
    grip = finish_item(item, "plastic", "#b3261e")
    r = w / 2
    handle = tube([[0, -d / 2, r], [0, -0.42 * d, r], [0, -0.15 * d, r], [0, -0.06 * d, r]], [0.7 * r, r, 0.85 * r, 0.5 * r], 16)
    shaft = [rod((0, -0.08 * d, r), (0, 0.45 * d, r), 0.0035), box(0.008, 0.06 * d, 0.002, 0).moved(0, 0.47 * d, r)]
    blade = part("shaft", shaft, m.metal("#b0b4b8"), 0.003)
    return _model("screwdriver", item, 0.15, "steel", part("handle", handle, grip.material, 0.004), blade)


def _kind(name: str, build: Build, size: tuple[float, float, float], *synonyms: str, broader: tuple[str, ...]) -> Kind:
    return Kind(name=name, synonyms=synonyms, build=build, size_m=size, habitat="surface", hypernyms=broader)


KINDS: tuple[Kind, ...] = (
    _kind("fork", cutlery, CUTLERY_M, broader=("cutlery", "utensil")),
    _kind("knife", cutlery, CUTLERY_M, "kitchen knife", "chef knife", broader=("cutlery", "utensil")),
    _kind("spoon", cutlery, CUTLERY_M, "teaspoon", "ladle", broader=("cutlery", "utensil")),
    _kind("pen", pen, PEN_M, "pencil", "marker", "crayon", "ballpoint pen", broader=("stationery",)),
    _kind("hammer", hammer, HAMMER_M, "claw hammer", "mallet", broader=("tool",)),
    _kind("screwdriver", screwdriver, SCREWDRIVER_M, broader=("tool",)),
)
"""Every hand-held kind."""
