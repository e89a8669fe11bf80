"""Things on wheels that stand outdoors."""

from __future__ import annotations

import math

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.asked import color_of, says, scale_of
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Part, Solid, Surface
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.outdoors import boards
from spatialwm.lift.text.surface.solids import box, cylinder, disc, ellipsoid, grid_faces, join, ring, rod, slab, solid

CAR_M = (1.78, 4.1, 1.45)


def spoked_wheel(radius: float, width: float, spokes: int = 10) -> Solid:
    """A wooden wheel around the x axis, centred at the origin."""
    rim = ring(radius * 0.93, width / 2, 36, 8)
    bars = [
        rod((0, 0, 0), (radius * 0.92 * math.cos(a), radius * 0.92 * math.sin(a), 0), width * 0.32, sides=6)
        for a in np.arange(spokes) * 2 * math.pi / spokes
    ]
    hub = cylinder(radius * 0.16, width * 1.9, 16).moved(z=-width * 0.95)
    return join([rim, *bars, hub]).turned(90, "y")


def _cart(item: Item, rng: np.random.Generator) -> Model:
    """A two-wheeled farm cart; its shafts rest ahead of it."""
    k = scale_of(item, (1.6, 2.9, 1.2))
    brown = color_of(item, "#80552f")
    wood = boards(m.shade(brown, 0.55), m.shade(brown, 1.2), 0.15, 0)
    bed = [box(1.15, 1.7, 0.06, 0.01).moved(0, 0.3, 0.72)]
    bed += [box(0.05, 1.7, 0.12, 0.008).moved(s * 0.58, 0.3, z) for s in (-1, 1) for z in (0.84, 1.0)]
    bed += [box(1.15, 0.05, 0.12, 0.008).moved(0, y, z) for y in (-0.52, 1.12) for z in (0.84, 1.0)]
    bed += [rod((s * 0.58, y, 0.68), (s * 0.6, y, 1.12), 0.03, sides=8) for s in (-1, 1) for y in (-0.5, 0.3, 1.1)]
    shafts = [rod((s * 0.4, -0.5, 0.68), (s * 0.36, -1.75, 0.1), 0.035, 0.028, 8) for s in (-1, 1)]
    axle = rod((-0.76, 0.3, 0.5), (0.76, 0.3, 0.5), 0.04, sides=10)
    wheels = [spoked_wheel(0.5, 0.07).moved(s * 0.7, 0.3, 0.5) for s in (-1, 1)]
    parts = [
        Part(name="bed", solid=join([*bed, *shafts, axle]).scaled(k), material=wood, spacing_m=0.036),
        Part(name="wheels", solid=join(wheels).scaled(k), material=m.wood("walnut", 2), spacing_m=0.026),
    ]
    top = Surface(z=0.75 * k, low=(-0.5 * k, -0.45 * k), high=(0.5 * k, 1.05 * k), name="bed")
    return Model(
        kind="cart",
        parts=tuple(parts),
        surfaces=(top,),
        has_front=True,
        mass_kg=120 * k**3,
        color=item.color or "brown",
        material="wood",
    )


def _body(stations: list[tuple[float, float, float, float, float]], sides: int = 36) -> Solid:
    """A shell through rounded cross-sections ``(y, half width, bottom, top, roundness)`` along Y."""
    rings_ = []
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    for y, w, low, high, power in stations:
        c, s = np.cos(a), np.sin(a)
        x = w * np.sign(c) * np.abs(c) ** (2 / power)
        z = (low + high) / 2 + (high - low) / 2 * np.sign(s) * np.abs(s) ** (2 / power)
        rings_.append(np.column_stack([x, np.full(sides, y), z]))
    first, last = rings_[0].mean(0, keepdims=True), rings_[-1].mean(0, keepdims=True)
    layers = [first + (rings_[0] - first) * 1e-3, *rings_, last + (rings_[-1] - last) * 1e-3]
    return solid(np.concatenate(layers), grid_faces(len(layers), sides, wrap_v=True))


def _car(item: Item, rng: np.random.Generator) -> Model:
    """A small saloon that looks along -Y."""
    k = scale_of(item, CAR_M)
    taxi = says(item, "taxi", "cab")
    paint = color_of(item, "#e8b820" if taxi else "#a8282c")
    lower = _body(
        [
            (-2.05, 0.66, 0.38, 0.62, 5),
            (-1.98, 0.78, 0.28, 0.74, 6),
            (-1.6, 0.86, 0.24, 0.82, 7),
            (-0.9, 0.89, 0.22, 0.90, 7),
            (0.0, 0.89, 0.22, 0.93, 7),
            (0.9, 0.89, 0.22, 0.94, 7),
            (1.6, 0.86, 0.24, 0.93, 7),
            (1.95, 0.78, 0.3, 0.88, 6),
            (2.05, 0.68, 0.4, 0.78, 5),
        ]
    )
    cabin = _body(
        [
            (-0.95, 0.74, 0.86, 0.9, 6),
            (-0.3, 0.70, 0.86, 1.40, 5),
            (0.1, 0.69, 0.86, 1.45, 5),
            (0.8, 0.69, 0.86, 1.44, 5),
            (1.35, 0.70, 0.86, 1.2, 5),
            (1.7, 0.74, 0.86, 0.94, 6),
        ]
    )
    roof = _body(
        [(-0.32, 0.62, 1.37, 1.41, 5), (0.1, 0.66, 1.36, 1.475, 5), (0.8, 0.66, 1.36, 1.465, 5), (1.12, 0.62, 1.32, 1.36, 5)]
    )
    pillars = [rod((s * 0.74, -0.9, 0.9), (s * 0.64, -0.3, 1.4), 0.03, sides=8) for s in (-1, 1)]
    pillars += [rod((s * 0.73, 1.66, 0.92), (s * 0.64, 1.1, 1.38), 0.035, sides=8) for s in (-1, 1)]
    pillars += [rod((s * 0.745, 0.32, 0.9), (s * 0.68, 0.32, 1.42), 0.03, sides=8) for s in (-1, 1)]
    tyres, caps = [], []
    for s in (-1, 1):
        for y in (-1.3, 1.3):
            tyres.append(cylinder(0.32, 0.2, 32, 0.03).moved(z=-0.1).turned(90, "y").moved(s * 0.8, y, 0.32))
            caps.append(disc(0.2, 0, 24, 4).turned(90 * s, "y").moved(s * 0.905, y, 0.32))
    lamps = [ellipsoid(0.13, 0.05, 0.085, 2).moved(s * 0.6, -1.98, 0.64) for s in (-1, 1)]
    tails = [box(0.22, 0.05, 0.12, 0.015).moved(s * 0.6, 2.0, 0.74) for s in (-1, 1)]
    bumpers = [box(1.4, 0.1, 0.12, 0.03).moved(0, y, 0.36) for y in (-2.04, 2.04)]
    parts = [
        Part(
            name="body",
            solid=join([lower, roof, *pillars]).scaled(k),
            material=m.plain(paint, gloss=1.0, roughness=0.16, variation=0.02),
            spacing_m=0.05,
        ),
        Part(name="windows", solid=cabin.scaled(k), material=m.plain("#1a2226", gloss=1.0, roughness=0.08), spacing_m=0.05),
        Part(name="tyres", solid=join(tyres).scaled(k), material=m.plain("#161616", variation=0.2), spacing_m=0.036),
        Part(name="wheels", solid=join(caps).scaled(k), material=m.metal("#b4b8bc"), spacing_m=0.03),
        Part(name="lights", solid=join(lamps).scaled(k), material=m.plain("#f4f0e0", gloss=1.0), spacing_m=0.022),
        Part(name="tail lights", solid=join(tails).scaled(k), material=m.plain("#8a1414", gloss=0.8), spacing_m=0.022),
        Part(name="bumpers", solid=join(bumpers).scaled(k), material=m.metal("#8d9196", 0.3), spacing_m=0.035),
    ]
    if taxi:
        parts.append(
            Part(
                name="sign",
                solid=slab(0.4, 0.16, 0.14, 1.46).scaled(k),
                material=m.emitting("#ffe9a8", 1.8),
                spacing_m=0.03,
                emits=True,
            )
        )
    return Model(
        kind="taxi" if taxi else "car",
        parts=tuple(parts),
        has_front=True,
        mass_kg=1200,
        friction=0.9,
        color=item.color or ("yellow" if taxi else "red"),
        material="metal",
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="cart",
        synonyms=("wagon", "wooden cart", "hay cart", "handcart"),
        build=_cart,
        size_m=(1.6, 2.9, 1.2),
        habitat="ground",
        family="outdoor",
        hypernyms=("vehicle",),
    ),
    Kind(
        name="car",
        synonyms=("automobile", "taxi", "cab", "sedan"),
        build=_car,
        size_m=CAR_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("vehicle",),
    ),
)
