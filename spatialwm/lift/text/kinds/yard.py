"""Built things that stand in the open: benches, fences, wells, signs, lamps, barrels, a snowman."""

from __future__ import annotations

import math

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.asked import color_of, scale_of
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Emitter, Model, Part, Solid, Surface
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish_item
from spatialwm.lift.text.surface.outdoors import bark, boards, shingles, snow_pack, stone
from spatialwm.lift.text.surface.solids import (
    box,
    cylinder,
    ellipsoid,
    join,
    lathe,
    ring,
    rock,
    rod,
    sheet,
    slab,
    solid,
    sphere,
    tube,
)

BENCH_M = (1.6, 0.62, 0.85)


def _board(x: float, y: float, z: float, n: int) -> Solid:
    """A plank whose grain differs from its neighbours'."""
    s = box(x, y, z, 0.008)
    return s.retextured((0.37 * n, 0.61 * n, 0.23 * n))


def _bench(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, BENCH_M)
    look = finish_item(item, "wood", "#8a5a34")
    slats = [_board(1.6, 0.085, 0.035, i).moved(0, -0.22 + 0.105 * i, 0.44) for i in range(5)]
    slats += [_board(1.6, 0.03, 0.085, 7 + i).turned(-14, "x").moved(0, 0.245 + 0.03 * i, 0.56 + 0.115 * i) for i in range(3)]
    iron = []
    for x in (-0.66, 0.66):
        iron += [
            tube([[x, -0.24, 0.0], [x, -0.22, 0.22], [x, -0.2, 0.42]], 0.024, 8),
            tube([[x, 0.24, 0.0], [x, 0.2, 0.22], [x, 0.21, 0.42]], 0.024, 8),
        ]
        iron += [rod((x, -0.25, 0.42), (x, 0.22, 0.42), 0.02, sides=8), rod((x, 0.2, 0.42), (x, 0.31, 0.85), 0.02, sides=8)]
        t = np.linspace(0, 1, 9)
        iron.append(tube(np.column_stack([np.full(9, x), -0.25 + 0.48 * t, 0.62 + 0.03 * np.sin(np.pi * t)]), 0.02, 8))
        iron.append(rod((x, -0.25, 0.42), (x, -0.25, 0.63), 0.016, sides=8))
    parts = (
        Part(name="slats", solid=join(slats).scaled(k), material=look.material, spacing_m=0.028),
        Part(name="frame", solid=join(iron).scaled(k), material=m.metal("#2b2c2e", 0.4), spacing_m=0.022),
    )
    seat = Surface(z=0.458 * k, low=(-0.75 * k, -0.24 * k), high=(0.75 * k, 0.2 * k), clearance_m=10.0, name="seat")
    return Model(
        kind="bench",
        parts=parts,
        surfaces=(seat,),
        has_front=True,
        mass_kg=38 * k**2,
        color=look.color or "brown",
        material=look.name,
    )


def _picnic_table(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.8, 1.5, 0.75))
    look = finish_item(item, "pine", "#9a6a3e")
    planks = [_board(1.8, 0.14, 0.04, i).moved(0, -0.3 + 0.15 * i, 0.73) for i in range(5)]
    for side in (-1, 1):
        planks += [_board(1.8, 0.135, 0.04, 9 + i).moved(0, side * (0.58 + 0.145 * i), 0.44) for i in range(2)]
    for x in (-0.62, 0.62):
        planks += [rod_board((x, s * 0.2, 0.7), (x, s * 0.62, 0.0)) for s in (-1, 1)]
        planks += [_board(0.045, 1.46, 0.09, 21).moved(x, 0, 0.38), _board(0.045, 0.68, 0.09, 22).moved(x, 0, 0.67)]
    part = Part(name="table", solid=join(planks).scaled(k), material=look.material, spacing_m=0.032)
    top = Surface(z=0.75 * k, low=(-0.88 * k, -0.36 * k), high=(0.88 * k, 0.36 * k))
    return Model(
        kind="picnic table", parts=(part,), surfaces=(top,), mass_kg=60 * k**2, color=look.color or "brown", material=look.name
    )


def rod_board(
    start: tuple[float, float, float], end: tuple[float, float, float], width: float = 0.1, depth: float = 0.045
) -> Solid:
    """A straight plank in a plane of constant x, from ``start`` to ``end``."""
    a, b = np.array(start), np.array(end)
    length = float(np.linalg.norm(b - a))
    tilt = math.degrees(math.atan2(b[1] - a[1], -(b[2] - a[2])))
    return box(depth, width, length, 0.008).turned(tilt, "x").moved(*((a + b) / 2))


def _fence(item: Item, rng: np.random.Generator) -> Model:
    """Two rustic bays, or pickets when painted white."""
    k = scale_of(item, (4.0, 0.2, 1.1))
    if item.color or "picket" in item.noun:
        look = finish_item(item, "pine", color_of(item, "#f0eee8"))
        pickets = []
        for i in range(21):
            h = 0.95 + 0.02 * rng.normal()
            pickets.append(box(0.09, 0.022, h, 0.006).retextured((0.3 * i, 0, 0)).moved(-1.9 + 0.19 * i, 0.0, h / 2))
            pickets.append(box(0.064, 0.02, 0.064, 0.004).turned(45, "y").moved(-1.9 + 0.19 * i, 0.0, h))
        rails = [box(4.0, 0.04, 0.08, 0.006).moved(0, 0.035, z) for z in (0.25, 0.75)]
        part = Part(name="fence", solid=join([*pickets, *rails]).scaled(k), material=look.material, spacing_m=0.032)
        return Model(kind="fence", parts=(part,), mass_kg=40, color=item.color or "white", material="wood", movable=False)
    logs = [tube([[x, 0, 0], [x, 0, 0.5], [x, 0, 1.1]], [0.075, 0.07, 0.066], 12) for x in (-1.95, 0.0, 1.95)]
    for z in (0.42, 0.86):
        for a, b in ((-2.0, 0.05), (-0.05, 2.0)):
            t = np.linspace(0, 1, 7)
            wobble = rng.normal(0, 0.014, (7, 2))
            path = np.column_stack([a + (b - a) * t, 0.02 * np.sign(a) + wobble[:, 0], z + wobble[:, 1]])
            logs.append(tube(path, 0.046 * (1 + 0.08 * rng.normal(size=7)), 10))
    part = Part(name="rails", solid=join(logs).scaled(k), material=bark("#4a3b2e", "#a58d72", 0.5), spacing_m=0.034)
    return Model(kind="fence", parts=(part,), mass_kg=60, color="brown", material="wood", movable=False)


def _gate(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (2.2, 0.4, 1.9))
    look = finish_item(item, "wrought iron")
    bars = [rod((x, 0, 0.12), (x, 0, 1.25 + 0.35 * (1 - (x / 0.75) ** 2)), 0.014, sides=8) for x in np.linspace(-0.72, 0.72, 13)]
    bars += [rod((-0.76, 0, z), (0.76, 0, z), 0.018, sides=8) for z in (0.2, 1.2)]
    tips = [ellipsoid(0.02, 0.02, 0.05, 1).moved(x, 0, 1.29 + 0.35 * (1 - (x / 0.75) ** 2)) for x in np.linspace(-0.72, 0.72, 13)]
    posts = [slab(0.34, 0.34, 1.7).moved(x) for x in (-0.95, 0.95)] + [slab(0.42, 0.42, 0.1, 1.7).moved(x) for x in (-0.95, 0.95)]
    parts = (
        Part(name="bars", solid=join([*bars, *tips]).scaled(k), material=look.material, spacing_m=0.02),
        Part(
            name="posts", solid=join(posts).scaled(k), material=stone("#55534f", "#a09a90", 8, 0.3), spacing_m=0.036, smooth=False
        ),
    )
    return Model(
        kind="gate", parts=parts, has_front=True, mass_kg=400, color=item.color or "black", material=look.name, movable=False
    )


def _well(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.5, 1.5, 2.3))
    stones = []
    for row in range(5):
        for i in range(15):
            a = (i + 0.5 * (row % 2)) * 2 * math.pi / 15
            s = rock(0.135, 10 * row + i, 2, 0.16, 0.62)
            stones.append(s.moved(0.58 * math.cos(a), 0.58 * math.sin(a), 0.08 + 0.155 * row))
    rim = ring(0.58, 0.11, 36, 8).scaled(1, 1, 0.5).moved(z=0.8)
    wood = [slab(0.1, 0.1, 1.85).moved(x) for x in (-0.66, 0.66)]
    wood += [
        rod((-0.75, 0, 1.42), (0.75, 0, 1.42), 0.05),
        rod((0.7, 0, 1.42), (0.86, 0, 1.42), 0.015),
        rod((0.86, 0, 1.42), (0.86, 0, 1.22), 0.015),
    ]
    slopes = []
    for side in (-1.0, 1.0):
        s = sheet(lambda u, v, side=side: ((u - 0.5) * 1.8, side * 0.68 * (1 - v), 1.78 + 0.5 * v), 22, 10)
        tex = np.column_stack([s.vertices[:, 0], 0.22 * 3.8 * (s.vertices[:, 2] - 1.78) / 0.5, np.full(len(s.vertices), side)])
        slopes.append(solid(s.vertices, s.faces[:, ::-1] if side > 0 else s.faces, tex))
        slopes.append(solid(s.vertices - (0, 0, 0.04), s.faces if side > 0 else s.faces[:, ::-1], tex))
    rope = rod((0, 0, 1.4), (0, 0, 0.98), 0.012, sides=6)
    bucket = cylinder(0.1, 0.22, 18, top_radius=0.13).moved(z=0.76)
    water = lathe([(0.52, 0.35), (1e-4, 0.35)], 24)
    parts = (
        Part(name="wall", solid=join([*stones, rim]).scaled(k), material=stone("#5d5a55", "#a39c90", 3, 0.4), spacing_m=0.032),
        Part(name="posts", solid=join(wood).scaled(k), material=boards(), spacing_m=0.03),
        Part(name="roof", solid=join(slopes).scaled(k), material=shingles(), spacing_m=0.034),
        Part(name="bucket", solid=join([rope, bucket]).scaled(k), material=boards("#5b3d22", "#9a7048", 0.05), spacing_m=0.02),
        Part(name="water", solid=water.scaled(k), material=m.plain("#14202a", gloss=0.9, roughness=0.1), spacing_m=0.06),
    )
    return Model(kind="well", parts=parts, mass_kg=1500, color=item.color or "gray", material="stone", movable=False)


def _signpost(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.0, 0.2, 2.0))
    arrows = []
    for z, turn, side in ((1.75, 12.0, 1), (1.45, -20.0, -1), (1.16, 6.0, 1)):
        length = 0.72
        board = box(length, 0.035, 0.2, 0.006).moved(side * length / 2 * 0.72)
        point = box(0.142, 0.033, 0.142, 0.004).turned(45, "y").moved(side * length * 0.86)
        arrows.append(join([board, point]).retextured((z, 0, 0)).moved(y=-0.07).turned(turn).moved(z=z))
    parts = (
        Part(
            name="post",
            solid=tube([[0, 0, 0], [0, 0, 1.0], [0, 0, 2.0]], 0.05, 12).scaled(k),
            material=bark("#4a3828", "#8f7558", 0.5),
            spacing_m=0.028,
        ),
        Part(name="boards", solid=join(arrows).scaled(k), material=boards("#7a5230", "#b88a58", 0.2, 2), spacing_m=0.024),
    )
    return Model(
        kind="signpost", parts=parts, has_front=True, mass_kg=22, color=item.color or "brown", material="wood", movable=False
    )


def _street_lamp(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.5, 0.5, 3.4))
    look = finish_item(item, "iron", "#24272a")
    post = lathe(
        [
            (1e-4, 0),
            (0.17, 0),
            (0.17, 0.12),
            (0.12, 0.2),
            (0.1, 0.5),
            (0.06, 0.62),
            (0.045, 1.6),
            (0.04, 2.75),
            (0.07, 2.8),
            (0.09, 2.86),
            (1e-4, 2.87),
        ],
        20,
    )
    cage = [
        rod((0.09 * c, 0.09 * s, 2.86), (0.15 * c, 0.15 * s, 3.2), 0.012, sides=6) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))
    ]
    hood = lathe([(1e-4, 3.2), (0.2, 3.2), (0.2, 3.23), (0.1, 3.34), (0.03, 3.38), (0.02, 3.45), (1e-4, 3.46)], 20)
    lamp = ellipsoid(0.085, 0.085, 0.13, 2).moved(z=3.03)
    parts = (
        Part(name="post", solid=join([post, *cage, hood]).scaled(k), material=look.material, spacing_m=0.028),
        Part(
            name="lamp", solid=lamp.scaled(k), material=m.emitting("#ffdf9e", 4.0), spacing_m=0.03, casts_shadow=False, emits=True
        ),
    )
    light = Emitter(center=(0.0, 0.0, 3.03 * k), radius_m=0.11 * k, power=(5.2, 3.4, 1.6))
    return Model(
        kind="street lamp",
        parts=parts,
        emitters=(light,),
        mass_kg=90,
        color=look.color or "black",
        material=look.name,
        movable=False,
    )


def _barrel(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.62, 0.62, 0.85))
    t = np.linspace(0, 1, 13)
    bulge = 0.25 + 0.055 * np.sin(np.pi * t)
    body = lathe(
        [
            (1e-4, 0.02),
            (0.22, 0.02),
            *[(float(r), 0.85 * float(s)) for r, s in zip(bulge, t, strict=True)],
            (0.235, 0.85),
            (0.23, 0.81),
            (1e-4, 0.81),
        ],
        40,
    )
    angle = np.arctan2(body.vertices[:, 1], body.vertices[:, 0])
    staves = solid(
        body.vertices,
        body.faces,
        np.column_stack([angle * 0.28, np.hypot(body.vertices[:, 0], body.vertices[:, 1]), body.vertices[:, 2]]),
    )
    hoops = [
        ring(0.25 + 0.055 * math.sin(math.pi * z / 0.85) + 0.004, 0.016, 40, 6).scaled(1, 1, 1.5).moved(z=z)
        for z in (0.1, 0.26, 0.59, 0.75)
    ]
    brown = color_of(item, "#8a5c34")
    look = boards(m.shade(brown, 0.55), m.shade(brown, 1.2), 0.11)
    parts = (
        Part(name="staves", solid=staves.scaled(k), material=look, spacing_m=0.026),
        Part(name="hoops", solid=join(hoops).scaled(k), material=m.metal("#3a3a3c", 0.4), spacing_m=0.018),
    )
    top = Surface(z=0.85 * k, low=(-0.2 * k, -0.2 * k), high=(0.2 * k, 0.2 * k))
    return Model(kind="barrel", parts=parts, surfaces=(top,), mass_kg=45 * k**3, color=item.color or "brown", material="wood")


def _snowman(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.0, 1.0, 1.75))

    def ball(radius: float, z: float, seed: int) -> Solid:
        s = rock(radius, seed, 4, 0.05, 0.94)
        mean = float(np.linalg.norm(s.vertices / (1, 1, 0.94), axis=1).mean())
        return s.scaled(radius / mean).moved(z=z)

    body = join([ball(0.5, 0.42, 1), ball(0.36, 1.05, 2), ball(0.25, 1.5, 3)])
    coal = [(0.085 * s, -0.222, 1.56) for s in (-1, 1)] + [(0, -0.355 + 0.02 * abs(i), 1.06 + 0.13 * i) for i in (-1, 0, 1)]
    coal += [(0.025 * i * 2, -0.235 + 0.006 * abs(i), 1.42 + 0.012 * i * i) for i in (-2, -1, 0, 1, 2)]
    stones = [sphere(0.03 if n < 5 else 0.016, 1).moved(c[0], c[1], c[2]) for n, c in enumerate(coal)]
    nose = rod((0, -0.22, 1.49), (0.01, -0.5, 1.47), 0.036, 0.006, 12)
    scarf = [ring(0.235, 0.055, 36, 10).moved(z=1.28), box(0.11, 0.05, 0.4, 0.02).turned(8, "x").moved(0.14, -0.315, 1.07)]
    hat = [lathe([(1e-4, 1.69), (0.3, 1.69), (0.3, 1.715), (0.19, 1.725), (0.18, 1.98), (1e-4, 1.985)], 28)]
    arms = []
    for s in (-1, 1):
        arms.append(tube([[0.3 * s, 0, 1.12], [0.56 * s, -0.04, 1.28], [0.8 * s, -0.06, 1.42]], [0.022, 0.018, 0.012], 8))
        arms += [rod((0.74 * s, -0.06, 1.38), (0.9 * s, -0.1 + 0.06 * f, 1.5 + 0.05 * f), 0.011, 0.005, 6) for f in (-1, 1)]
    parts = (
        Part(name="body", solid=body.scaled(k), material=snow_pack(), spacing_m=0.04),
        Part(name="coal", solid=join(stones).scaled(k), material=m.plain("#161616"), spacing_m=0.012, collides=False),
        Part(name="nose", solid=nose.scaled(k), material=m.plain("#e0701c", variation=0.2), spacing_m=0.013, collides=False),
        Part(name="scarf", solid=join(scarf).scaled(k), material=m.wool(color_of(item, "#b8282c")), spacing_m=0.022),
        Part(name="hat", solid=join(hat).scaled(k), material=m.wool("#26262a"), spacing_m=0.024),
        Part(name="arms", solid=join(arms).scaled(k), material=bark(), spacing_m=0.016, collides=False),
    )
    return Model(kind="snowman", parts=parts, has_front=True, mass_kg=180 * k**3, color="white", material="snow")


KINDS: tuple[Kind, ...] = (
    Kind(
        name="bench",
        synonyms=("park bench", "garden bench", "wooden bench"),
        build=_bench,
        size_m=BENCH_M,
        habitat="ground",
        hypernyms=("seat", "furniture"),
    ),
    Kind(
        name="picnic table",
        build=_picnic_table,
        size_m=(1.8, 1.5, 0.75),
        habitat="ground",
        family="outdoor",
        hypernyms=("table", "furniture"),
    ),
    Kind(
        name="fence",
        synonyms=("wooden fence", "picket fence", "railing"),
        build=_fence,
        size_m=(4.0, 0.2, 1.1),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="gate",
        synonyms=("iron gate", "garden gate"),
        build=_gate,
        size_m=(2.3, 0.42, 1.8),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="well",
        synonyms=("stone well", "water well", "wishing well"),
        build=_well,
        size_m=(1.8, 1.4, 2.3),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="signpost",
        synonyms=("sign", "wooden sign", "road sign", "guidepost"),
        build=_signpost,
        size_m=(1.3, 0.3, 2.0),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="street lamp",
        synonyms=("lamp post", "lamppost", "streetlight", "street light", "lantern post"),
        build=_street_lamp,
        size_m=(0.4, 0.4, 3.45),
        habitat="ground",
        family="outdoor",
        hypernyms=("lamp", "light"),
    ),
    Kind(name="barrel", synonyms=("cask", "keg", "wooden barrel"), build=_barrel, size_m=(0.62, 0.62, 0.85), habitat="ground"),
    Kind(name="snowman", build=_snowman, size_m=(1.0, 1.0, 1.95), habitat="ground", family="outdoor"),
)
