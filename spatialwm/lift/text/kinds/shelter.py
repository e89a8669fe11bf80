"""Houses and tents: a log cabin, a cottage, a barn, a tent, a kennel."""

from __future__ import annotations

import math

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.asked import color_of, says, scale_of
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Emitter, Material, Model, Part, Solid
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.noise import hash01
from spatialwm.lift.text.surface.outdoors import boards, canvas, glowing, log, shingles, stone
from spatialwm.lift.text.surface.solids import box, ellipsoid, extrude, join, rock, rod, sheet, slab, solid, tube

CABIN_M = (5.7, 5.2, 4.6)
WARM = "#ffb45c"


def roof(half_x: float, half_y: float, rise_m: float, z: float, overhang: float = 0.5) -> tuple[Solid, Solid]:
    """A ridge along x: shingled rows (texture for :func:`shingles`) and the dark underside.

    Args:
        half_x: half length of the ridge.
        half_y: half depth of the walls; the slope reaches ``overhang`` past them.
        rise_m: ridge height over the wall top at ``z``.
    """
    reach = half_y + overhang
    slope = math.hypot(reach, rise_m * reach / half_y)
    rows = int(slope / 0.22) + 1
    top: list[Solid] = []
    for side in (-1.0, 1.0):
        for j in range(rows):
            a, b = j / rows, min(1.0, (j + 1.25) / rows)

            def row(u: np.ndarray, v: np.ndarray, side: float = side, a: float = a, b: float = b, j: int = j) -> tuple:
                t = a + (b - a) * (v if side < 0 else 1 - v)
                lift = 0.05 * (1 - (t - a) / (b - a)) + 0.012 * hash01(np.floor(u * 36) + j * 50, 3)
                return (u - 0.5) * 2 * half_x, side * reach * (1 - t), z + rise_m * (1 - reach * (1 - t) / half_y) + 0.16 + lift

            s = sheet(row, 37, 3)
            down = np.clip((s.vertices[:, 1] * -side + reach) / reach * rows - j, 0, 1.24) / 1.25
            top.append(
                solid(
                    s.vertices, s.faces, np.column_stack([s.vertices[:, 0], 0.22 * (j + 0.99 * down), np.full(len(down), side)])
                )
            )
    under = []
    for side in (-1.0, 1.0):
        s = sheet(
            lambda u, v, side=side: (
                (u - 0.5) * 2 * half_x,
                side * reach * (1 - v),
                z + rise_m * (1 - reach * (1 - v) / half_y) + 0.08,
            ),
            12,
            6,
        )
        under.append(solid(s.vertices, s.faces if side > 0 else s.faces[:, ::-1]))
    return join(top), join(under)


def window(width: float, height: float, mullions: bool = True) -> tuple[Solid, Solid]:
    """Frame and pane in the xz plane, centred at the origin, looking along -Y."""
    w, h = width / 2, height / 2
    bars = [box(0.07, 0.09, height + 0.12, 0.008).moved(x) for x in (-w - 0.02, w + 0.02)]
    bars += [box(width + 0.14, 0.1, 0.07, 0.008).moved(z=z) for z in (-h - 0.02, h + 0.02)]
    if mullions:
        bars += [box(0.045, 0.06, height, 0.006), box(width, 0.06, 0.045, 0.006)]
    return join(bars), box(width, 0.02, height, 0.0).moved(y=0.02)


def _log_walls(w: float, d: float, floor: float, rows: int, r: float, rise: float) -> Solid:
    """Round logs with crossed ends, leaving a door and a window free in front and one window at the right."""
    logs: list[Solid] = []

    def lay(a: tuple[float, float], b: tuple[float, float], z: float) -> None:
        length = math.dist(a, b)
        if length < 0.12:
            return
        n = max(3, int(length / 0.3))
        t = np.linspace(0, 1, n)[:, None]
        path = np.column_stack([np.array(a) + (np.array(b) - np.array(a)) * t, np.full(n, z)])
        logs.append(tube(path, r * (1 + 0.04 * np.sin(np.arange(n) * 1.7 + len(logs))), 12).retextured((0, 0, 20.0 * len(logs))))

    past = 0.26
    for i in range(rows):
        z = floor + r + i * 2 * r * 0.94
        cuts = [(-1.27, -0.33)] if z < floor + 1.98 else []
        cuts += [(0.43, 1.47)] if floor + 0.84 < z < floor + 1.72 else []
        marks = [-w - past, *[x for cut in cuts for x in cut], w + past]
        for a, b in zip(marks[::2], marks[1::2], strict=True):
            lay((a, -d), (b, -d), z)
        lay((-w - past, d), (w + past, d), z)
        z += r * 0.94
        lay((-w, -d - past), (-w, d + past), z)
        if floor + 0.84 < z < floor + 1.72:
            lay((w, -d - past), (w, -0.52), z)
            lay((w, 0.52), (w, d + past), z)
        else:
            lay((w, -d - past), (w, d + past), z)
    top = floor + rows * 2 * r * 0.94
    for i in range(int(rise / (1.88 * r))):
        z = top + r + i * 2 * r * 0.94
        half = (d + 0.02) * (1 - (z - top) / rise)
        if half > 0.15:
            lay((-w, -half), (-w, half), z)
            lay((w, -half), (w, half), z)
    return join(logs)


def _cabin(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, CABIN_M)
    w, d, floor, r, rows, rise = 2.3, 1.8, 0.28, 0.118, 10, 1.45
    top = floor + rows * 2 * r * 0.94
    walls = _log_walls(w, d, floor, rows, r, rise)
    cover, under = roof(w + 0.5, d, rise, top, 0.55)
    frame, pane = window(0.98, 0.84)
    trim = [frame.moved(0.95, -d - 0.07, floor + 1.27), frame.turned(90).moved(w + 0.07, 0, floor + 1.27)]
    trim += [box(0.1, 0.1, 2.05, 0.01).moved(x, -d - 0.07, floor + 1.0) for x in (-1.28, -0.32)]
    trim += [box(1.06, 0.1, 0.1, 0.01).moved(-0.8, -d - 0.07, floor + 2.0)]
    for side in (-1, 1):
        low = top + rise * (1 - (d + 0.6) / d) + 0.1
        trim += [
            rod((sx * (w + 0.48), side * (d + 0.6), low), (sx * (w + 0.48), 0, top + rise + 0.13), 0.06, sides=8)
            for sx in (-1, 1)
        ]
    trim += [rod((-w - 0.55, 0, top + rise + 0.22), (w + 0.55, 0, top + rise + 0.22), 0.07, sides=10)]
    trim += [slab(2.9, 1.1, 0.1, floor - 0.11).moved(-0.3, -d - 0.75), slab(1.2, 0.4, 0.14, 0.0).moved(-0.8, -d - 1.45)]
    trim += [rod((x, -d - 1.2, 0), (x, -d - 1.2, top - 0.33), 0.07) for x in (-1.65, 1.05)]
    trim += [rod((-1.85, -d - 1.2, top - 0.33), (1.3, -d - 1.2, top - 0.33), 0.075)]
    porch = sheet(lambda u, v: (-1.95 + u * 3.3, -d - 1.45 + v * 1.5, top - 0.26 + v * 0.46), 20, 8)
    porch = solid(porch.vertices, porch.faces, porch.vertices * (1, -1, 1))
    chimney = []
    for i in range(13):
        for j in range(8):
            a = j * np.pi / 4 + 0.4 * (i % 2)
            x, y = (0.27 * np.sign(c) * min(1.0, abs(c) * 1.4) for c in (math.cos(a), math.sin(a)))
            chimney.append(rock(0.165, 300 + i * 8 + j, 2, 0.22, 0.75).moved(1.35 + x, 0.75 + y, top + 0.35 + i * 0.145))
    lamp = (-0.15, -d - 0.42, floor + 1.62)
    snow = 0.9 if says(item, "snow") else 0.0
    dark, light = ("#4a2f1c", "#a3744a") if not item.color else _tones(item.color)
    parts = (
        Part(name="walls", solid=walls.scaled(k), material=log(dark, light), spacing_m=0.055),
        Part(name="roof", solid=cover.scaled(k), material=shingles(snow=snow), spacing_m=0.058, smooth=False),
        Part(name="under roof", solid=under.scaled(k), material=m.plain("#241912"), spacing_m=0.11, thin=0.01, smooth=False),
        Part(name="trim", solid=join(trim).scaled(k), material=boards(), spacing_m=0.042),
        Part(name="porch roof", solid=porch.scaled(k), material=shingles(snow=snow), spacing_m=0.055, thin=0.01, smooth=False),
        Part(
            name="foundation",
            solid=slab(2 * w + 0.1, 2 * d + 0.1, 0.34, -0.06).scaled(k),
            material=stone("#4c4946", "#8f877c", 33, 0.2),
            spacing_m=0.06,
        ),
        Part(
            name="inside",
            solid=slab(2 * w - 0.1, 2 * d - 0.1, 2.2, 0.3, 0.0).scaled(k),
            material=m.plain("#1a110b"),
            spacing_m=0.14,
        ),
        Part(
            name="door",
            solid=box(0.92, 0.06, 1.95, 0.01).moved(-0.8, -d - 0.03, floor + 0.98).scaled(k),
            material=boards("#4e2c19", "#8f5a34", 0.15),
            spacing_m=0.03,
        ),
        Part(
            name="knob",
            solid=ellipsoid(0.035, 0.035, 0.035, 2).moved(-0.45, -d - 0.09, floor + 0.95).scaled(k),
            material=m.metal("#a8843f"),
            spacing_m=0.014,
        ),
        Part(
            name="windows",
            solid=join([pane.moved(0.95, -d - 0.06, floor + 1.27), pane.turned(90).moved(w + 0.02, 0, floor + 1.27)]).scaled(k),
            material=glowing(WARM, 1.5),
            spacing_m=0.045,
            emits=True,
        ),
        Part(name="chimney", solid=join(chimney).scaled(k), material=stone("#55504b", "#9a9186", 31), spacing_m=0.05),
        Part(
            name="porch lamp",
            solid=ellipsoid(0.05, 0.05, 0.075, 2).moved(*lamp).scaled(k),
            material=m.emitting("#ffdba0", 3.4),
            spacing_m=0.016,
            casts_shadow=False,
            emits=True,
        ),
        Part(
            name="lamp cap",
            solid=join([slab(0.13, 0.13, 0.02, z).moved(lamp[0], lamp[1]) for z in (lamp[2] + 0.08, lamp[2] - 0.1)]).scaled(k),
            material=m.metal("#1a1512", 0.4),
            spacing_m=0.016,
            smooth=False,
        ),
    )
    glow = Emitter(center=(lamp[0] * k, lamp[1] * k, lamp[2] * k), radius_m=0.06 * k, power=(1.65, 0.95, 0.4))
    spill = Emitter(center=(0.95 * k, (-d - 0.35) * k, (floor + 1.2) * k), radius_m=0.12 * k, power=(0.9, 0.5, 0.2))
    return Model(
        kind="log cabin",
        parts=parts,
        emitters=(glow, spill),
        has_front=True,
        mass_kg=9000,
        color=item.color or "brown",
        material="wood",
        movable=False,
    )


def _house(item: Item, rng: np.random.Generator) -> Model:
    """A gabled cottage; stone, brick, timber or plaster walls."""
    k = scale_of(item, (6.6, 5.4, 5.2))
    barn = item.kind == "barn"
    w, d, h, rise = 2.9, 2.2, 2.6, 2.1
    wall_color = color_of(item, "#9a2a20" if barn else "#d8ccb4")
    timber = barn or says(item, "wood", "timber", "half-timbered", "medieval")
    wall: Material
    if item.material == "stone" or says(item, "stone"):
        wall = stone("#6a665e", "#aca392", 11)
    elif item.material == "brick" or says(item, "brick"):
        wall = m.bricks(color_of(item, "#8c4630"))
    elif barn or (timber and not says(item, "half-timbered", "medieval")):
        wall = boards(*_tones(wall_color), width_m=0.18)
    else:
        wall = m.plaster(wall_color)
    body = slab(2 * w, 2 * d, h, 0.0, 0.02, 0.4)
    gables = []
    for side in (-1.0, 1.0):
        g = sheet(
            lambda u, v, side=side: (np.full_like(u, side * w * 0.995), (u - 0.5) * 2 * d * (1 - v * 0.985), h + v * rise), 14, 10
        )
        gables.append(solid(g.vertices, g.faces if side > 0 else g.faces[:, ::-1]))
    cover, under = roof(w + 0.4, d, rise, h - 0.1, 0.45)
    frame, pane = window(0.8, 0.95)
    spots = [(1.5, -d, 1.45, 0.0), (-1.75, -d, 1.45, 0.0), (w, 0.8, 1.45, 90.0), (w, -0.9, 1.45, 90.0), (-w, 0.0, 1.45, -90.0)]
    frames, panes = [], []
    for x, y, z, turn in spots:
        out = 0.03
        px, py = (x, y - out) if turn == 0 else (x + math.copysign(out, x), y)
        frames.append(frame.turned(turn).moved(px, py, z))
        panes.append(pane.turned(turn).moved(px - (0 if turn == 0 else math.copysign(0.02, x)), py, z))
    beams = list(frames)
    if says(item, "half-timbered", "medieval", "timber") or (timber and not barn):
        beams += [box(0.16, 0.1, h, 0.01).moved(x, -d - 0.02, h / 2) for x in (-w + 0.08, -0.8, 0.8, w - 0.08)]
        beams += [box(2 * w, 0.1, 0.16, 0.01).moved(0, -d - 0.02, z) for z in (0.9, h - 0.08)]
        beams += [box(0.1, 2 * d, 0.16, 0.01).moved(s * (w + 0.02), 0, z) for s in (-1, 1) for z in (0.9, h - 0.08)]
    door_w, door_h = (2.0, 2.2) if barn else (0.95, 2.0)
    beams += [box(0.1, 0.12, door_h, 0.01).moved(s * (door_w / 2 + 0.03), -d - 0.03, door_h / 2) for s in (-1, 1)]
    beams += [box(door_w + 0.2, 0.12, 0.1, 0.01).moved(0, -d - 0.03, door_h + 0.02)]
    if barn:
        for s in (-1, 1):
            tilt = math.degrees(math.atan2(door_h, door_w / 2))
            brace = (
                box(math.hypot(door_w / 2, door_h) * 0.94, 0.05, 0.1, 0.006)
                .turned(s * tilt, "y")
                .moved(s * door_w / 4, -d - 0.07, door_h / 2)
            )
            beams.append(brace)
    chimney = slab(0.6, 0.6, 1.7, h + 0.7).moved(-1.5, 0.5)
    snow = 0.95 if says(item, "snow") else 0.0
    roof_tones = (
        ("#5c5c62", "#a2a2a8") if barn else ("#5a2c20", "#a85a40") if not says(item, "thatched") else ("#7a6434", "#c8ac68")
    )
    parts = [
        Part(name="walls", solid=join([body, *gables]).scaled(k), material=wall, spacing_m=0.085, smooth=False),
        Part(
            name="roof", solid=cover.scaled(k), material=shingles(*roof_tones, moss=0.25, snow=snow), spacing_m=0.07, smooth=False
        ),
        Part(name="under roof", solid=under.scaled(k), material=m.plain("#241912"), spacing_m=0.12, thin=0.01, smooth=False),
        Part(
            name="beams",
            solid=join(beams).scaled(k),
            material=boards("#e8e4dc", "#f4f0e8") if barn else boards(),
            spacing_m=0.045,
            smooth=False,
        ),
        Part(
            name="door",
            solid=box(door_w, 0.06, door_h, 0.01).moved(0, -d - 0.03, door_h / 2).scaled(k),
            material=boards(*_tones("#5c3a22" if not barn else wall_color), 0.17),
            spacing_m=0.045,
        ),
        Part(name="windows", solid=join(panes).scaled(k), material=glowing(WARM, 0.75), spacing_m=0.06, smooth=False, emits=True),
    ]
    if not barn:
        parts.append(Part(name="chimney", solid=chimney.scaled(k), material=m.bricks("#7a4030"), spacing_m=0.06, smooth=False))
    spill = Emitter(center=(1.5 * k, (-d - 0.4) * k, 1.4 * k), radius_m=0.14 * k, power=(0.9, 0.5, 0.2))
    return Model(
        kind="barn" if barn else "house",
        parts=tuple(parts),
        emitters=(spill,),
        has_front=True,
        mass_kg=30000,
        color=item.color or ("red" if barn else "beige"),
        material=item.material or ("wood" if timber else "plaster"),
        movable=False,
    )


def _tent(item: Item, rng: np.random.Generator) -> Model:
    """A ridge tent with open flaps and guy lines."""
    k = scale_of(item, (2.6, 2.4, 1.6))
    cloth = canvas(color_of(item, "#b9985a"))
    half, length, height = 1.1, 2.2, 1.5

    def side(sign: float) -> Solid:
        def shape(u: np.ndarray, v: np.ndarray) -> tuple:
            sag = 0.05 * np.sin(np.pi * u) * np.sin(np.pi * v)
            return (sign * (half * (1 - v) - sag), (u - 0.5) * length, height * v - 0.03 * np.sin(np.pi * u) * v - sag)

        s = sheet(shape, 22, 16)
        return solid(s.vertices, s.faces[:, ::-1] if sign < 0 else s.faces)

    back = sheet(lambda u, v: ((u - 0.5) * 2 * half * (1 - v), np.full_like(u, length / 2 - 0.02), height * v), 12, 12)
    flaps = []
    for sign in (-1.0, 1.0):
        f = sheet(
            lambda u, v, sign=sign: (
                sign * (half * (1 - v) - (1 - u) * half * (1 - v) * 0.62),
                -length / 2 - 0.22 * (1 - u) * (1 - v),
                height * v,
            ),
            10,
            12,
        )
        flaps.append(solid(f.vertices, f.faces))
    skins = join([side(1.0), side(-1.0), solid(back.vertices, back.faces[:, ::-1]), *flaps])
    poles = [rod((0, y, 0), (0, y, height + 0.06), 0.02, sides=8) for y in (-length / 2, length / 2)]
    poles += [rod((0, -length / 2, height + 0.05), (0, length / 2, height + 0.05), 0.018, sides=8)]
    lines = [
        rod((s * half * 0.4, y, height * 0.62), (s * (half + 0.42), y * 1.15, 0.0), 0.006, sides=5)
        for s in (-1, 1)
        for y in (-1.0, 1.0)
    ]
    pegs = [
        rod((s * (half + 0.42), y * 1.15, 0.1), (s * (half + 0.46), y * 1.15, -0.05), 0.012, sides=6)
        for s in (-1, 1)
        for y in (-1.0, 1.0)
    ]
    floor = slab(2 * half * 0.96, length * 0.96, 0.02, 0.0)
    bed = slab(0.65, 1.7, 0.09, 0.02, 0.04).moved(-0.3, 0.1)
    parts = (
        Part(name="cloth", solid=skins.scaled(k), material=cloth, spacing_m=0.042, thin=0.35),
        Part(name="poles", solid=join([*poles, *pegs]).scaled(k), material=m.wood("pine", 2), spacing_m=0.03),
        Part(name="lines", solid=join(lines).scaled(k), material=m.plain("#d8d0bc"), spacing_m=0.012, collides=False),
        Part(name="floor", solid=floor.scaled(k), material=m.fabric("#4a4438"), spacing_m=0.07),
        Part(name="bedroll", solid=bed.scaled(k), material=m.fabric("#6a3a30"), spacing_m=0.05),
    )
    return Model(
        kind="tent", parts=parts, has_front=True, mass_kg=14, color=item.color or "tan", material="fabric", movable=False
    )


def _kennel(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.9, 1.1, 1.0))
    w, d, h, rise = 0.4, 0.5, 0.55, 0.34
    cover, under = roof(d + 0.08, w, rise, h - 0.08, 0.1)
    walls = slab(2 * w, 2 * d, h, 0.0, 0.008)
    gables = [
        solid(
            *(lambda s: (s.vertices, s.faces if y < 0 else s.faces[:, ::-1]))(
                sheet(lambda u, v, y=y: ((u - 0.5) * 2 * w * (1 - 0.98 * v), np.full_like(u, y), h + rise * v), 8, 8)
            )
        )
        for y in (-d + 0.005, d - 0.005)
    ]
    a = np.linspace(0, np.pi, 10)
    hole = np.concatenate([[[0.17, 0.05]], np.column_stack([0.17 * np.cos(a), 0.34 + 0.17 * np.sin(a)]), [[-0.17, 0.05]]])
    door = extrude(hole, 0.01).turned(90, "x").moved(y=-d + 0.002)
    parts = (
        Part(
            name="walls",
            solid=join([walls, *gables]).scaled(k),
            material=boards(*_tones(color_of(item, "#9a5a34")), 0.11, 2),
            spacing_m=0.03,
            smooth=False,
        ),
        Part(name="roof", solid=cover.turned(90).scaled(k), material=shingles("#4a2018", "#8a4434", 0.0), spacing_m=0.03),
        Part(name="under roof", solid=under.turned(90).scaled(k), material=m.plain("#241912"), spacing_m=0.06, thin=0.01),
        Part(name="doorway", solid=door.scaled(k), material=m.plain("#120c08"), spacing_m=0.03),
    )
    return Model(kind="dog house", parts=parts, has_front=True, mass_kg=35, color=item.color or "brown", material="wood")


def _tones(color: str) -> tuple[np.ndarray, np.ndarray]:
    return m.shade(color, 0.55), m.shade(color, 1.12)


KINDS: tuple[Kind, ...] = (
    Kind(
        name="log cabin",
        synonyms=("cabin", "wooden cabin", "hut", "wood cabin", "lodge"),
        build=_cabin,
        size_m=CABIN_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("house", "building"),
    ),
    Kind(
        name="house",
        synonyms=("cottage", "farmhouse", "timber house", "home", "hotel", "shop"),
        build=_house,
        size_m=(6.6, 5.4, 5.2),
        habitat="ground",
        family="outdoor",
        hypernyms=("building",),
    ),
    Kind(
        name="barn",
        synonyms=("shed", "stable"),
        build=_house,
        size_m=(6.6, 5.4, 5.2),
        habitat="ground",
        family="outdoor",
        hypernyms=("building",),
    ),
    Kind(
        name="tent",
        synonyms=("camping tent", "marquee", "teepee"),
        build=_tent,
        size_m=(2.6, 2.5, 1.6),
        habitat="ground",
        family="outdoor",
        hypernyms=("shelter",),
    ),
    Kind(
        name="dog house",
        synonyms=("doghouse", "kennel"),
        build=_kennel,
        size_m=(0.9, 1.15, 1.0),
        habitat="ground",
        family="outdoor",
    ),
)
