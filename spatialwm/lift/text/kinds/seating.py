"""Sofas, armchairs, chairs, stools, benches."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, round_legs, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Solid, Surface
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, finish_item
from spatialwm.lift.text.surface.solids import box, cushion, cylinder, join, ring, rod, rounded_rectangle, tube

SOFA_M = (2.1, 0.92, 0.86)
ARMCHAIR_M = (0.95, 0.9, 0.9)
CHAIR_M = (0.46, 0.5, 0.92)
OFFICE_CHAIR_M = (0.62, 0.62, 1.05)
STOOL_M = (0.38, 0.38, 0.48)
BAR_STOOL_M = (0.4, 0.4, 0.74)
BENCH_M = (1.3, 0.4, 0.46)
OTTOMAN_M = (0.6, 0.5, 0.42)
ROCKING_M = (0.6, 0.85, 1.05)


def _piping(x: float, y: float, radius: float, steps: int = 6) -> np.ndarray:
    outline = rounded_rectangle(x, y, radius, steps)
    return np.concatenate([outline, outline[:1]])


def _upholstered(
    width: float, depth: float, height: float, seats: int
) -> tuple[list[Solid], list[Solid], list[Solid], float, float]:
    """Body, piping and legs of a sofa with ``seats`` cushions; also seat height and inner half width."""
    arm = 0.11 * min(width, 1.75) / 1.1 + 0.03
    inner = width - 2 * arm
    leg = 0.15 * height / 0.86
    seat_top = 0.48 * height / 0.86
    pad = inner / seats
    base_h = seat_top - 0.17 - leg
    body = [box(inner + 0.06, depth - 0.06, base_h, 0.03, 0.12).moved(0, 0, leg + base_h / 2)]
    front, back = -depth / 2, depth / 2
    seat_depth = depth - 0.20
    piping = []
    for k in range(seats):
        x = (k - (seats - 1) / 2) * pad
        body.append(
            cushion(pad - 0.015, seat_depth, 0.17, 0.03)
            .retextured((k * 3.0, 1, 0))
            .moved(x, front + 0.02 + seat_depth / 2, seat_top - 0.085)
        )
        back_h = height - seat_top + 0.02
        tilted = cushion(pad - 0.02, 0.2, back_h, 0.05, axis=1).retextured((k * 3.0, 5, 2)).turned(-11, "x")
        body.append(tilted.moved(x, back - 0.24, seat_top + back_h / 2 - 0.02))
        rim = _piping(pad / 2 - 0.012, seat_depth / 2 - 0.005, 0.05)
        for z in (seat_top - 0.02, seat_top - 0.15):
            piping.append(tube(np.c_[rim + [x, front + 0.02 + seat_depth / 2], np.full(len(rim), z)], 0.007, 7, cap=False))
    arm_top = seat_top + 0.12
    for s in (-1, 1):
        r = arm / 2 + 0.012
        roll = tube(
            [[0, front - 0.005, 0], [0, front + 0.005, 0], [0, 0, 0], [0, back - 0.03, 0], [0, back - 0.02, 0]],
            [r * 0.85, r, r, r, r * 0.85],
            24,
        )
        upright = box(arm - 0.02, depth - 0.02, arm_top - leg, 0.04, 0.08, 4).moved(0, 0, (leg + arm_top) / 2)
        side = join([upright, roll.moved(0, 0, arm_top)]).retextured()
        body.append(side.retextured((s * 7.0, 0, 0)).moved(s * (width - arm) / 2, 0, 0))
    body.append(
        box(width - arm, 0.16, height - leg - 0.14, 0.05, 0.1).turned(-6, "x").moved(0, back - 0.10, (leg + height - 0.14) / 2)
    )
    legs = [
        rod(
            (sx * (width / 2 - 0.1), sy * (depth / 2 - 0.09), 0),
            (sx * (width / 2 - 0.12), sy * (depth / 2 - 0.1), leg + 0.02),
            0.018,
            0.03,
            14,
        )
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    return body, piping, legs, seat_top, inner / 2


def sofa(item: Item, rng: np.random.Generator) -> Model:
    """A rolled-arm sofa; the number of seats follows its width."""
    usual = (1.6, 0.92, 0.86) if says(item, "loveseat", "two-seat", "love seat") else SOFA_M
    w, d, h = measures(item, usual)
    seats = max(1, round((w - 0.4) / 0.85))
    cover = finish_item(item, "fabric", "#7d8791")
    return _sofa_model("sofa", w, d, h, seats, cover, 42.0)


def armchair(item: Item, rng: np.random.Generator) -> Model:
    """A wide single seat in the sofa's manner."""
    w, d, h = measures(item, ARMCHAIR_M)
    return _sofa_model("armchair", w, d, h, 1, finish_item(item, "fabric", "#8a6f52"), 24.0)


def _sofa_model(kind: str, w: float, d: float, h: float, seats: int, cover, kilograms: float) -> Model:
    body, piping, legs, seat_z, half = _upholstered(w, d, h, seats)
    trim = m.plain(m.shade(cover.color or "#555555", 0.5), 0.4, 0.35) if cover.color else cover.material
    dark = m.wood(("#2a170b", "#5a351b"), along=2, seed=4)
    return Model(
        kind=kind,
        has_front=True,
        mass_kg=kilograms * w * d / (SOFA_M[0] * SOFA_M[1]) + 6,
        color=cover.color,
        material=cover.name,
        surfaces=(Surface(z=seat_z + 0.02, low=(-half, -d / 2 + 0.05), high=(half, d / 2 - 0.34), clearance_m=0.9, name="seat"),),
        parts=(
            part("upholstery", body, cover.material, 0.0108),
            part("piping", piping, trim, 0.0075, collides=False),
            part("legs", legs, dark, 0.0095),
        ),
    )


def chair(item: Item, rng: np.random.Generator) -> Model:
    """A dining chair: four legs, slatted back, optionally cushioned by its material."""
    w, d, h = measures(item, CHAIR_M)
    seat_z = 0.46 * h / 0.92
    soft = (item.material or "") in ("leather", "fabric", "velvet", "linen", "suede", "cotton", "wool")
    frame = finish("wood", None if soft else item.color, None if soft else item.material, default_color=None, along=2, seed=3)
    front, back = -d / 2, d / 2
    legs = [
        rod((s * (w / 2 - 0.02), front + 0.02, 0), (s * (w / 2 - 0.035), front + 0.04, seat_z - 0.02), 0.014, 0.02)
        for s in (-1, 1)
    ]
    posts = [
        tube(
            [
                [s * (w / 2 - 0.02), back - 0.015, 0],
                [s * (w / 2 - 0.03), back - 0.05, seat_z * 0.6],
                [s * (w / 2 - 0.03), back - 0.06, seat_z],
                [s * (w / 2 - 0.035), back - 0.02, h - 0.03],
            ],
            [0.014, 0.02, 0.02, 0.016],
            12,
        )
        for s in (-1, 1)
    ]
    rails = [box(w - 0.06, 0.02, 0.05, 0.005).moved(0, y, seat_z - 0.045) for y in (front + 0.04, back - 0.06)]
    rails += [box(0.02, d - 0.1, 0.05, 0.005).moved(s * (w / 2 - 0.035), 0, seat_z - 0.045) for s in (-1, 1)]
    rails += [
        rod((s * (w / 2 - 0.025), front + 0.03, seat_z * 0.4), (s * (w / 2 - 0.025), back - 0.04, seat_z * 0.4), 0.009)
        for s in (-1, 1)
    ]
    back_h = h - seat_z
    slats = []
    for k, z in enumerate((seat_z + back_h * 0.36, seat_z + back_h * 0.62, h - 0.055)):
        high = 0.085 if k == 2 else 0.05
        bow = box(w - 0.04, 0.018, high, 0.006, 0.06)
        v = bow.vertices.copy()
        v[:, 1] += 0.035 * (1 - (v[:, 0] / (w / 2)) ** 2)
        slats.append(Solid(v, bow.faces, bow.texture).moved(0, back - 0.055 + 0.035 * (z - seat_z) / back_h, z))
    parts = [part("frame", [*legs, *posts, *rails], frame.material, 0.0095)]
    seat = cushion(w - 0.01, d - 0.05, 0.05, 0.02, bevel=0.022).moved(0, -0.01, seat_z - 0.005)
    if soft:
        cover = finish_item(item, "fabric")
        parts += [part("seat", seat, cover.material, 0.0095), part("back", slats, cover.material, 0.0095)]
        color, material = cover.color, cover.name
    else:
        board = box(w, d - 0.04, 0.028, 0.012, 0.09).moved(0, -0.01, seat_z - 0.008)
        grain = finish("wood", item.color, item.material, along=0, seed=9)
        parts += [part("seat", board, grain.material, 0.0085), part("slats", slats, grain.material, 0.009)]
        color, material = frame.color, frame.name
    return Model(
        kind="chair",
        has_front=True,
        mass_kg=5.5,
        color=color,
        material=material,
        parts=tuple(parts),
        surfaces=(
            Surface(
                z=seat_z + 0.008,
                low=(-w / 2 + 0.03, front + 0.03),
                high=(w / 2 - 0.03, back - 0.08),
                clearance_m=0.45,
                name="seat",
            ),
        ),
    )


def office_chair(item: Item, rng: np.random.Generator) -> Model:
    """A swivel chair on a five-star base."""
    w, d, h = measures(item, OFFICE_CHAIR_M)
    k = h / 1.05
    seat_z = 0.48 * k
    cover = finish_item(item, "fabric", "#2c3036")
    star = [
        rod((0, 0, 0.1 * k), (0.28 * w / 0.62 * np.cos(a), 0.28 * w / 0.62 * np.sin(a), 0.065 * k), 0.022, 0.014)
        for a in np.arange(5) * 2 * np.pi / 5 + 0.3
    ]
    wheels = [
        cylinder(0.028, 0.03, 16).turned(90, "x").moved(0.28 * w / 0.62 * np.cos(a), 0.28 * w / 0.62 * np.sin(a) + 0.015, 0.028)
        for a in np.arange(5) * 2 * np.pi / 5 + 0.3
    ]
    column = [cylinder(0.03, seat_z - 0.12 * k, 20).moved(0, 0, 0.07 * k)]
    arms = [
        tube(
            [[s * w * 0.36, 0.05, seat_z - 0.02], [s * w * 0.47, 0.05, seat_z + 0.02], [s * w * 0.47, 0.03, seat_z + 0.2]],
            0.014,
            10,
        )
        for s in (-1, 1)
    ]
    rests = [box(0.06, 0.26, 0.03, 0.013, 0.05, 3).moved(s * w * 0.47, 0, seat_z + 0.21) for s in (-1, 1)]
    spine = [tube([[0, 0.1, seat_z - 0.05], [0, d * 0.42, seat_z + 0.02], [0, d * 0.44, seat_z + 0.3 * k]], 0.018, 10)]
    pads = [
        cushion(w * 0.8, d * 0.8, 0.07, 0.02, bevel=0.03).moved(0, 0, seat_z),
        cushion(w * 0.74, 0.06, h - seat_z - 0.12, 0.03, axis=1, bevel=0.028)
        .turned(-8, "x")
        .moved(0, d * 0.38, (seat_z + 0.12 + h) / 2),
    ]
    return Model(
        kind="office chair",
        has_front=True,
        mass_kg=12.0,
        color=cover.color,
        material=cover.name,
        parts=(
            part("pads", pads, cover.material, 0.0105),
            part("frame", [*star, *column, *arms, *spine], m.metal("#6d7175", 0.3), 0.009),
            part("rests", [*rests, *wheels], m.plastic("#1d1e20"), 0.009),
        ),
        surfaces=(Surface(z=seat_z + 0.05, low=(-w * 0.3, -d * 0.3), high=(w * 0.3, d * 0.2), clearance_m=0.4, name="seat"),),
    )


def stool(item: Item, rng: np.random.Generator) -> Model:
    """A round stool with splayed legs; tall ones get a foot ring."""
    w, d, h = measures(item, BAR_STOOL_M if says(item, "bar", "tall", "high") else STOOL_M)
    wood = finish_item(item, "wood", along=0)
    top = cylinder(w / 2, 0.035, 40, 0.012).moved(0, 0, h - 0.035)
    legs = round_legs(w * 0.26, d * 0.26, h - 0.03, 0.02, 0.5)
    rung_z = h * 0.36
    hoop = ring(w * 0.345, 0.009, 40, 8).moved(0, 0, rung_z)
    stem = finish("wood", item.color, item.material, along=2, seed=5)
    return Model(
        kind="stool",
        mass_kg=3.0 + h * 2,
        color=wood.color,
        material=wood.name,
        parts=(part("seat", top, wood.material, 0.0085), part("legs", [*legs, hoop], stem.material, 0.009)),
        surfaces=(Surface(z=h, low=(-w * 0.3, -w * 0.3), high=(w * 0.3, w * 0.3), name="seat"),),
    )


def bench(item: Item, rng: np.random.Generator) -> Model:
    """A plank bench on board ends."""
    w, d, h = measures(item, BENCH_M)
    wood = finish_item(item, "wood", along=0, seed=2)
    slats = [
        box(w, d / 3 - 0.012, 0.04, 0.008, 0.12).retextured((0, k * 1.7, 0)).moved(0, (k - 1) * d / 3, h - 0.02) for k in range(3)
    ]
    ends = [box(0.05, d * 0.9, h - 0.04, 0.008, 0.12).moved(s * w * 0.38, 0, (h - 0.04) / 2) for s in (-1, 1)]
    beam = [box(w * 0.76, 0.05, 0.08, 0.006, 0.12).moved(0, 0, h * 0.5)]
    up = finish("wood", item.color, item.material, along=2, seed=6)
    return Model(
        kind="pew",
        mass_kg=14.0 * w / BENCH_M[0],
        color=wood.color,
        material=wood.name,
        parts=(part("seat", slats, wood.material, 0.0095), part("frame", [*ends, *beam], up.material, 0.011)),
        surfaces=(Surface(z=h, low=(-w / 2 + 0.04, -d / 2 + 0.04), high=(w / 2 - 0.04, d / 2 - 0.04), name="seat"),),
    )


def ottoman(item: Item, rng: np.random.Generator) -> Model:
    """A padded footstool, round when asked; also a pouf or bean bag."""
    w, d, h = measures(item, OTTOMAN_M)
    cover = finish_item(item, "fabric", "#a3896a")
    if says(item, "round", "pouf", "bean"):
        r = max(w, d) / 2
        body = cushion(2 * r, 2 * r, h - 0.04, 0.02, bevel=0.14)
        v = body.vertices.copy()
        flat = np.maximum(np.linalg.norm(v[:, :2], axis=1), 1e-9)
        square = np.abs(v[:, :2]).max(1)
        v[:, :2] *= (square / flat)[:, None]
        solids = [Solid(v, body.faces, v.copy()).moved(0, 0, h / 2)]
        feet: list[Solid] = []
    else:
        solids = [cushion(w, d, h - 0.12, 0.02, bevel=0.04).moved(0, 0, 0.08 + (h - 0.12) / 2)]
        feet = round_legs(w / 2 - 0.06, d / 2 - 0.06, 0.1, 0.022, 0.02)
    parts = [part("pad", solids, cover.material, 0.0108)]
    if feet:
        parts.append(part("feet", feet, m.wood("walnut", along=2), 0.009))
    return Model(
        kind="ottoman",
        mass_kg=7.0,
        color=cover.color,
        material=cover.name,
        parts=tuple(parts),
        surfaces=(Surface(z=h - 0.005, low=(-w * 0.38, -d * 0.38), high=(w * 0.38, d * 0.38)),),
    )


def rocking_chair(item: Item, rng: np.random.Generator) -> Model:
    """A slatted chair with arms on two bows."""
    w, d, h = measures(item, ROCKING_M)
    seat_z = 0.43 * h / 1.05
    wood = finish_item(item, "wood", along=2, seed=8)
    t = np.linspace(-1, 1, 12)
    bows = [tube(np.c_[np.full(12, s * w * 0.4), t * d / 2, 0.018 + 0.09 * t**2], 0.016, 10) for s in (-1, 1)]
    legs = [
        rod((s * w * 0.4, y, 0.04), (s * w * 0.4, y * 0.92, seat_z + (0.2 if y < 0 else 0)), 0.016, 0.016)
        for s in (-1, 1)
        for y in (-d * 0.26, d * 0.24)
    ]
    lean = 0.16 * (h - seat_z)
    posts = [rod((s * w * 0.38, d * 0.22, seat_z), (s * w * 0.36, d * 0.22 + lean, h - 0.02), 0.017) for s in (-1, 1)]
    slats = [rod((x, d * 0.22, seat_z), (x, d * 0.22 + lean, h - 0.04), 0.009) for x in np.linspace(-w * 0.28, w * 0.28, 6)]
    top = [box(w * 0.84, 0.024, 0.11, 0.01, 0.06).moved(0, d * 0.22 + lean, h - 0.055)]
    seat = [box(w * 0.86, d * 0.56, 0.035, 0.014, 0.08).moved(0, 0, seat_z)]
    arms = [box(0.06, d * 0.52, 0.025, 0.01, 0.08).moved(s * w * 0.42, -0.01, seat_z + 0.21) for s in (-1, 1)]
    return Model(
        kind="rocking chair",
        has_front=True,
        mass_kg=9.0,
        color=wood.color,
        material=wood.name,
        parts=(part("frame", [*bows, *legs, *posts, *slats, *top, *seat, *arms], wood.material, 0.0095),),
        surfaces=(Surface(z=seat_z + 0.018, low=(-w * 0.3, -d * 0.24), high=(w * 0.3, d * 0.16), clearance_m=0.5, name="seat"),),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="sofa",
        synonyms=("couch", "settee", "loveseat", "love seat", "divan", "sectional", "chesterfield", "futon"),
        build=sofa,
        size_m=SOFA_M,
        family="indoor",
        hypernyms=("seat", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="armchair",
        synonyms=("easy chair", "lounge chair", "reading chair", "recliner", "club chair", "wing chair", "wingback chair"),
        build=armchair,
        size_m=ARMCHAIR_M,
        family="indoor",
        hypernyms=("seat", "furniture", "chair"),
    ),
    Kind(
        name="chair",
        synonyms=("dining chair", "side chair", "wooden chair", "seat", "folding chair", "high chair", "kitchen chair"),
        build=chair,
        size_m=CHAIR_M,
        hypernyms=("seat", "furniture"),
    ),
    Kind(
        name="office chair",
        synonyms=("desk chair", "swivel chair", "gaming chair", "computer chair", "task chair"),
        build=office_chair,
        size_m=OFFICE_CHAIR_M,
        family="indoor",
        hypernyms=("chair", "seat", "furniture"),
    ),
    Kind(
        name="rocking chair",
        synonyms=("rocker",),
        build=rocking_chair,
        size_m=ROCKING_M,
        hypernyms=("chair", "seat", "furniture"),
    ),
    Kind(
        name="stool",
        synonyms=("bar stool", "barstool", "step stool", "milking stool"),
        build=stool,
        size_m=STOOL_M,
        hypernyms=("seat", "furniture"),
    ),
    Kind(
        name="pew", synonyms=("church bench", "seat bench"), build=bench, size_m=BENCH_M, hypernyms=("bench", "seat", "furniture")
    ),
    Kind(
        name="ottoman",
        synonyms=("footstool", "pouf", "pouffe", "bean bag", "beanbag", "bean bag chair", "footrest"),
        build=ottoman,
        size_m=OTTOMAN_M,
        family="indoor",
        hypernyms=("seat", "furniture"),
    ),
)
