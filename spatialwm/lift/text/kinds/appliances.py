"""Kitchen and bathroom fixtures, and openings: fridge, stove, sink, bathtub, toilet, door, window."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Emitter, Look, Model, Solid, Surface, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, finish_item
from spatialwm.lift.text.surface.noise import fbm, linear, ramp
from spatialwm.lift.text.surface.solids import (
    box,
    cylinder,
    disc,
    extrude,
    grid_faces,
    join,
    lathe,
    quad,
    ring,
    rod,
    rounded_rectangle,
    slab,
    solid,
    sphere,
    tube,
)

FRIDGE_M = (0.72, 0.68, 1.75)
STOVE_M = (0.6, 0.62, 0.9)
SINK_M = (0.6, 0.48, 1.1)
TUB_M = (1.77, 0.75, 0.8)
TOILET_M = (0.38, 0.66, 0.78)


def fridge(item: Item, rng: np.random.Generator) -> Model:
    """Freezer above, fridge below, bar handles."""
    w, d, h = measures(item, FRIDGE_M)
    skin = (
        finish("plain", item.color, item.material, default_color="#d8d9d6")
        if item.material
        else finish("satin", item.color, None, default_color="#d5d8d6")
    )
    split = h * 0.66
    body = slab(w - 0.01, d - 0.06, h - 0.03, 0.03, 0.02).moved(0, 0.03)
    doors = [
        box(w, 0.06, split - 0.06, 0.022, 0.2, 3).moved(0, -d / 2 + 0.03, 0.05 + (split - 0.06) / 2),
        box(w, 0.06, h - split - 0.01, 0.022, 0.2, 3).moved(0, -d / 2 + 0.03, split + (h - split - 0.01) / 2),
    ]
    bars = [
        tube(
            [
                [-w * 0.4, -d / 2, z0],
                [-w * 0.4, -d / 2 - 0.04, z0 + 0.02],
                [-w * 0.4, -d / 2 - 0.04, z1 - 0.02],
                [-w * 0.4, -d / 2, z1],
            ],
            0.011,
            10,
        )
        for z0, z1 in ((split - 0.42, split - 0.06), (split + 0.05, split + 0.3))
    ]
    feet = slab(w - 0.08, d - 0.14, 0.03, bevel=0.0)
    return Model(
        kind="fridge",
        has_front=True,
        mass_kg=65.0,
        color=skin.color if item.color else "white",
        material=skin.name,
        parts=(
            part("body", body, skin.material, 0.0185),
            part("doors", doors, skin.material, 0.0145),
            part("handles", bars, m.metal("#b9bdc0"), 0.008),
            part("base", feet, m.plain("#222325"), 0.02),
        ),
        surfaces=(Surface(z=h, low=(-w * 0.42, -d * 0.36), high=(w * 0.42, d * 0.42)),),
    )


def stove(item: Item, rng: np.random.Generator) -> Model:
    """A cooker: oven with a window, four burners, knobs."""
    w, d, h = measures(item, STOVE_M)
    skin = finish("satin", item.color, None, default_color="#d8d9d5") if not item.material else finish_item(item, "steel")
    body = slab(w, d - 0.03, h - 0.03, bevel=0.008).moved(0, 0.015)
    top = slab(w, d, 0.03, h - 0.03, 0.008)
    door = [
        box(w - 0.03, 0.03, h * 0.52, 0.01, 0.16).moved(0, -d / 2 + 0.01, h * 0.44),
        box(w - 0.03, 0.025, 0.11, 0.008, 0.16).moved(0, -d / 2 + 0.012, 0.09),
    ]
    window = box(w * 0.6, 0.008, h * 0.26, 0.003, 0.12).moved(0, -d / 2 - 0.006, h * 0.44)
    handle = tube(
        [
            [-w * 0.36, -d / 2, h * 0.66],
            [-w * 0.36, -d / 2 - 0.045, h * 0.665],
            [w * 0.36, -d / 2 - 0.045, h * 0.665],
            [w * 0.36, -d / 2, h * 0.66],
        ],
        0.01,
        10,
    )
    knobs = [
        cylinder(0.021, 0.028, 20).turned(90, "x").moved(x, -d / 2 + 0.004, h - 0.085)
        for x in np.linspace(-w * 0.36, w * 0.36, 5)
    ]
    burners = []
    for x in (-w * 0.24, w * 0.24):
        for y in (-d * 0.2, d * 0.22):
            burners += [
                ring(0.085, 0.008, 30, 8).moved(x, y, h + 0.012),
                ring(0.045, 0.007, 24, 8).moved(x, y, h + 0.010),
                cylinder(0.03, 0.012, 20).moved(x, y, h),
            ]
    return Model(
        kind="stove",
        has_front=True,
        mass_kg=55.0,
        color=skin.color if item.color else "white",
        material=skin.name,
        parts=(
            part("body", [body, top, *door], skin.material, 0.0135),
            part("window", window, m.glass("#16181b"), 0.011),
            part("burners", burners, m.metal("#1f2022", 0.4), 0.0075),
            part("fittings", [handle, *knobs], m.metal("#a9adb1"), 0.0075),
        ),
        surfaces=(Surface(z=h + 0.02, low=(-w * 0.4, -d * 0.36), high=(w * 0.4, d * 0.36)),),
    )


def _tap(x: float, y: float, z: float, reach: float) -> Solid:
    a = np.linspace(np.pi, 0, 12)
    arc = np.c_[np.full(12, x), y - reach / 2 - reach / 2 * np.cos(np.pi - a), z + 0.16 + 0.07 * np.sin(a)]
    return join(
        [
            rod((x, y, z), (x, y, z + 0.17), 0.012),
            tube(arc, 0.011, 10),
            cylinder(0.018, 0.02, 16).moved(x + 0.06, y, z),
            cylinder(0.018, 0.02, 16).moved(x - 0.06, y, z),
        ]
    )


def _basin(w: float, d: float, depth: float, z: float) -> Solid:
    """A rounded bowl let into a slab top at height ``z``: rim, wall and floor as one open surface that looks up."""
    loops = []
    for s, down in ((1.0, 0.0), (0.96, -0.01), (0.9, -depth * 0.6), (0.75, -depth * 0.95), (0.3, -depth), (0.02, -depth)):
        outline = rounded_rectangle(w / 2 * s, d / 2 * s, min(w, d) * 0.3 * s, 5)
        loops.append(np.c_[outline, np.full(len(outline), z + down)])
    n = len(loops[0])
    return solid(np.concatenate(loops), grid_faces(len(loops), n, wrap_v=True)[:, ::-1])


def sink(item: Item, rng: np.random.Generator) -> Model:
    """A washbasin in a cabinet, or on a pedestal in bathrooms."""
    w, d, full = measures(item, SINK_M)
    h = full - 0.24
    white = finish("ceramic", item.color, item.material, default_color="#dfe2df")
    rim = extrude(rounded_rectangle(w / 2, d / 2, 0.06), 0.03, 0.006)
    frame_w, frame_d = w * 0.74, d * 0.62
    outer = rounded_rectangle(w / 2, d / 2, 0.06, 5)
    inner = rounded_rectangle(frame_w / 2, frame_d / 2, frame_w * 0.2, 5) + [0, -0.03]
    n = len(outer)
    top = solid(
        np.concatenate([np.c_[outer, np.full(n, h)], np.c_[inner, np.full(n, h - 0.004)]]), grid_faces(2, n, wrap_v=True)[:, ::-1]
    )
    side = solid(
        np.concatenate([np.c_[outer, np.full(n, h - 0.14)], np.c_[outer, np.full(n, h)]]), grid_faces(2, n, wrap_v=True)[:, ::-1]
    )
    under = rim.moved(0, 0, h - 0.17)
    bowl = _basin(frame_w, frame_d, 0.12, h - 0.004).moved(0, -0.03)
    tap = _tap(0, d / 2 - 0.06, h, d * 0.3)
    if says(item, "kitchen"):
        stand: list[Solid] = [slab(w - 0.02, d - 0.04, h - 0.17, bevel=0.006)]
        below = finish("painted wood", None, None, default_color="#5f7268").material
    else:
        stand = [
            lathe([(1e-4, 0), (0.13, 0), (0.12, 0.03), (0.075, 0.14), (0.07, h * 0.5), (0.1, h - 0.16), (1e-4, h - 0.16)], 32)
        ]
        below = white.material
    return Model(
        kind="sink",
        has_front=True,
        mass_kg=24.0,
        color=white.color or "white",
        material=white.name,
        movable=False,
        parts=(
            part("basin", [top, side, under, bowl], white.material, 0.0105),
            part("stand", stand, below, 0.0125),
            part("tap", tap, m.metal("#c4c9cd", 0.15), 0.0065),
        ),
    )


def bathtub(item: Item, rng: np.random.Generator) -> Model:
    """A free-standing tub with a rolled rim and water in it."""
    full_w, d, full = measures(item, TUB_M)
    w, h = full_w - 0.12, full - 0.22
    white = finish("ceramic", item.color, item.material, default_color="#e2e4e1")
    loops = []
    for s, z in (
        (0.80, 0.06),
        (0.84, 0.07),
        (0.9, h * 0.4),
        (0.97, h * 0.88),
        (1.0, h - 0.03),
        (1.0, h - 0.008),
        (0.985, h),
        (0.95, h - 0.004),
        (0.93, h - 0.03),
        (0.86, h * 0.5),
        (0.76, 0.14),
        (0.5, 0.12),
        (0.02, 0.12),
    ):
        outline = rounded_rectangle(w / 2 * s, d / 2 * s - (1 - s) * 0.0, d * 0.46 * s, 9)
        loops.append(np.c_[outline, np.full(len(outline), z)])
    shell = solid(np.concatenate(loops), grid_faces(len(loops), len(loops[0]), wrap_v=True)[:, ::-1])
    water = extrude(rounded_rectangle(w / 2 * 0.885, d / 2 * 0.885, d * 0.4, 9), 0.004).moved(0, 0, h * 0.66)
    feet = [sphere(0.045, 2).moved(sx * w * 0.32, sy * d * 0.28, 0.045) for sx in (-1, 1) for sy in (-1, 1)]
    tap = _tap(0, 0, 0, 0.16).turned(90, "z").moved(w / 2 - 0.05, 0, h - 0.02)
    return Model(
        kind="bathtub",
        has_front=True,
        mass_kg=95.0,
        color=white.color or "white",
        material=white.name,
        movable=False,
        parts=(
            part("tub", shell, white.material, 0.0125),
            part("water", water, m.plain("#8fb7bd", 1.0, 0.08), 0.014, collides=False),
            part("fittings", [*feet, tap], m.metal("#b58a3f"), 0.008),
        ),
    )


def toilet(item: Item, rng: np.random.Generator) -> Model:
    """Bowl, seat, lid up against the cistern at +Y."""
    w, d, h = measures(item, TOILET_M)
    white = finish("ceramic", item.color, item.material, default_color="#e2e4e1")
    seat_z = 0.41 * h / 0.78
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    oval = np.c_[w / 2 * np.cos(t), d * 0.33 * np.sin(t)]
    loops = [
        (0.62, 0.0),
        (0.6, 0.05),
        (0.56, seat_z * 0.45),
        (0.86, seat_z * 0.8),
        (0.98, seat_z - 0.02),
        (0.97, seat_z),
        (0.7, seat_z),
        (0.6, seat_z - 0.08),
        (0.3, seat_z - 0.16),
        (0.02, seat_z - 0.16),
    ]
    body = solid(
        np.concatenate([np.c_[oval * s, np.full(40, z)] for s, z in loops]), grid_faces(len(loops), 40, wrap_v=True)[:, ::-1]
    ).moved(0, -d * 0.16)
    seat = ring(0.5, 0.06, 44, 8).scaled(w * 0.86, d * 0.56, 0.22).moved(0, -d * 0.16, seat_z + 0.012)
    tank = box(w * 1.0, d * 0.26, h - seat_z, 0.025, 0.1, 3).moved(0, d * 0.36, seat_z + (h - seat_z) / 2)
    lid = box(w * 1.04, d * 0.28, 0.03, 0.012, 0.1).moved(0, d * 0.36, h - 0.012)
    base = box(w * 0.5, d * 0.4, seat_z, 0.03, 0.1, 3).moved(0, d * 0.22, seat_z / 2)
    flush = cylinder(0.018, 0.012, 20).moved(0, d * 0.36, h)
    return Model(
        kind="toilet",
        has_front=True,
        mass_kg=32.0,
        color=white.color or "white",
        material=white.name,
        movable=False,
        parts=(
            part("bowl", [body, base], white.material, 0.0098),
            part("tank", [tank, lid, seat], white.material, 0.0105),
            part("button", flush, m.metal("#c4c9cd"), 0.006, collides=False),
        ),
    )


def washing_machine(item: Item, rng: np.random.Generator) -> Model:
    """A front loader; also a dishwasher or dryer."""
    w, d, h = measures(item, (0.6, 0.6, 0.85))
    skin = finish("satin", item.color, item.material, default_color="#dcdedb")
    body = slab(w, d, h, bevel=0.015)
    hoop = ring(w * 0.29, 0.02, 44, 10).turned(90, "x").moved(0, -d / 2, h * 0.46)
    pane = disc(w * 0.28, 0, 40).turned(90, "x").moved(0, -d / 2 - 0.004, h * 0.46)
    knobs = [
        cylinder(0.026, 0.02, 22).turned(90, "x").moved(w * 0.3, -d / 2, h - 0.08),
        box(0.2, 0.006, 0.05, 0.002).moved(-w * 0.2, -d / 2 - 0.002, h - 0.08),
    ]
    return Model(
        kind="washing machine",
        has_front=True,
        mass_kg=62.0,
        color=skin.color if item.color else "white",
        material=skin.name,
        parts=(
            part("body", body, skin.material, 0.0145),
            part("door", hoop, m.metal("#b9bdc0"), 0.0085),
            part("glass", pane, m.glass("#39434a"), 0.0105, smooth=False, collides=False),
            part("panel", knobs, m.plastic("#4a4f55"), 0.0085),
        ),
        surfaces=(Surface(z=h, low=(-w * 0.45, -d * 0.45), high=(w * 0.45, d * 0.45)),),
    )


# -- openings as objects --------------------------------------------------------------------------------------------------


def door(item: Item, rng: np.random.Generator) -> Model:
    """A closed panel door in its casing; the back lies on the wall at +Y."""
    w, d, h = measures(item, (1.06, 0.14, 2.12))
    d *= 0.57  # the rest is the knob's
    skin = finish("painted wood", item.color, item.material, default_color="#e0d9c9", along=2)
    leaf = [box(w - 0.16, d * 0.5, h - 0.08, 0.006, 0.2).moved(0, d * 0.1, (h - 0.08) / 2)]
    leaf += [
        box((w - 0.16) * 0.34, d * 0.3, h * 0.36, 0.012, 0.2).moved(s * (w - 0.16) * 0.22, -d * 0.22, z)
        for s in (-1, 1)
        for z in (h * 0.26, h * 0.7)
    ]
    casing = [box(0.09, d, h, 0.008, 0.2).moved(s * (w - 0.09) / 2, 0, h / 2) for s in (-1, 1)] + [
        box(w, d, 0.09, 0.008, 0.2).moved(0, 0, h - 0.045)
    ]
    knob = sphere(0.028, 2).moved(w / 2 - 0.16, -d / 2 - 0.03, 1.0 * h / 2.12)
    return Model(
        kind="door",
        has_front=True,
        mass_kg=32.0,
        movable=False,
        color=skin.color,
        material=skin.name,
        parts=(part("leaf", [*leaf, *casing], skin.material, 0.0165), part("knob", knob, m.metal("#a8843f"), 0.008)),
    )


def window(item: Item, rng: np.random.Generator) -> Model:
    """A window that shows a bright sky and lights the room; the back lies on the wall at +Y."""
    w, d, h = measures(item, (1.4, 0.14, 1.3))
    w, d = w - 0.1, d * 0.57  # the sill reaches further
    trim = finish("painted wood", item.color, item.material, default_color="#e8e2d4")
    bars = [box(0.07, d, h, 0.004, 0.15).moved(s * (w - 0.07) / 2, 0, h / 2) for s in (-1, 1)] + [
        box(w, d, 0.07, 0.004, 0.15).moved(0, 0, z) for z in (0.035, h - 0.035)
    ]
    bars += [
        box(0.03, d * 0.6, h - 0.1, 0.003, 0.15).moved(0, 0, h / 2),
        box(w - 0.1, d * 0.6, 0.03, 0.003, 0.15).moved(0, 0, h * 0.55),
    ]
    bars.append(box(w + 0.1, d + 0.06, 0.03, 0.004, 0.15).moved(0, -0.03, 0.0 + 0.015))
    pane = quad((-w / 2 + 0.05, 0.0, 0.05), (w - 0.1, 0, 0), (0, 0, h - 0.1), 0.15)
    pane = solid(pane.vertices, pane.faces, pane.vertices - (0, 0, h / 2))

    def outside(s: Surfels) -> Look:
        v = s.texture[:, 2] / (h / 2)
        c = ramp(v, [(-1.0, "#5c7a4a"), (-0.45, "#7c9a62"), (-0.38, "#dfe8ea"), (0.2, "#b4d0ea"), (1.0, "#6f9fd4")])
        trees = v < -0.35 + 0.3 * fbm(s.texture * (1, 0, 0), 3.5, 3, 4)
        c = np.where(trees[:, None], linear("#3f5f35") * (1 + 0.4 * fbm(s.texture, 14.0, 3, 2))[:, None], c)
        return m.look(np.full_like(c, 0.02), emission=c * 0.6)

    return Model(
        kind="window",
        has_front=True,
        mass_kg=25.0,
        movable=False,
        color=trim.color,
        material="glass" if not item.material else trim.name,
        parts=(part("frame", bars, trim.material, 0.0115), part("glass", pane, outside, 0.0155, smooth=False, emits=True)),
        emitters=(Emitter(center=(0, -0.35, h / 2), radius_m=min(w, h) * 0.3, power=(2.6, 2.9, 3.4)),),
    )


def stairs(item: Item, rng: np.random.Generator) -> Model:
    """A straight wooden flight that climbs towards +Y."""
    w, d, h = measures(item, (1.0, 2.6, 2.2))
    wood = finish_item(item, "wood", along=0)
    n = max(3, round(h / 0.19))
    steps = [slab(w, d / n + 0.03, 0.04, (k + 1) * h / n - 0.04, 0.006).moved(0, -d / 2 + (k + 0.5) * d / n) for k in range(n)]
    risers = [slab(w - 0.04, 0.02, h / n, k * h / n, 0.0).moved(0, -d / 2 + k * d / n + 0.01) for k in range(n)]
    return Model(
        kind="stairs",
        has_front=True,
        mass_kg=150.0,
        movable=False,
        color=wood.color,
        material=wood.name,
        parts=(part("steps", steps, wood.material, 0.0165), part("risers", risers, m.plain("#d9d2c2"), 0.0195)),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="fridge",
        synonyms=("refrigerator", "freezer", "vending machine"),
        build=fridge,
        size_m=FRIDGE_M,
        family="indoor",
        hypernyms=("appliance",),
        against_wall=True,
    ),
    Kind(
        name="stove",
        synonyms=("oven", "cooker", "range", "microwave", "gas stove"),
        build=stove,
        size_m=STOVE_M,
        family="indoor",
        hypernyms=("appliance",),
        against_wall=True,
    ),
    Kind(
        name="sink",
        synonyms=("washbasin", "wash basin", "kitchen sink", "bathroom sink", "washstand"),
        build=sink,
        size_m=SINK_M,
        family="indoor",
        hypernyms=("fixture",),
        against_wall=True,
    ),
    Kind(
        name="bathtub",
        synonyms=("bath", "tub", "bath tub", "clawfoot tub", "hot tub"),
        build=bathtub,
        size_m=TUB_M,
        family="indoor",
        hypernyms=("fixture",),
        against_wall=True,
    ),
    Kind(
        name="toilet",
        synonyms=("toilet bowl", "lavatory"),
        build=toilet,
        size_m=TOILET_M,
        family="indoor",
        hypernyms=("fixture",),
        against_wall=True,
    ),
    Kind(
        name="washing machine",
        synonyms=("washer", "dishwasher", "dryer", "tumble dryer"),
        build=washing_machine,
        size_m=(0.6, 0.6, 0.85),
        family="indoor",
        hypernyms=("appliance",),
        against_wall=True,
    ),
    Kind(
        name="door",
        synonyms=("wooden door", "doorway", "front door"),
        build=door,
        size_m=(1.06, 0.14, 2.12),
        habitat="floor",
        family="indoor",
        against_wall=True,
    ),
    Kind(
        name="window",
        synonyms=("windows", "bay window", "skylight"),
        build=window,
        size_m=(1.4, 0.14, 1.3),
        habitat="wall",
        family="indoor",
    ),
    Kind(
        name="stairs",
        synonyms=("staircase", "stairway", "steps"),
        build=stairs,
        size_m=(1.0, 2.6, 2.2),
        family="indoor",
        against_wall=True,
    ),
)
