"""Shelves, cupboards, drawers, boxes."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Solid, Surface
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, finish_item
from spatialwm.lift.text.surface.noise import hash01
from spatialwm.lift.text.surface.solids import box, ellipsoid, extrude, lathe, rod, slab, sphere, tube

SHELF_M = (1.2, 0.3, 1.9)
WARDROBE_M = (1.2, 0.6, 2.0)
CABINET_M = (0.9, 0.42, 0.9)
DRESSER_M = (1.1, 0.48, 0.85)
SIDEBOARD_M = (1.5, 0.42, 0.6)
CRATE_M = (0.5, 0.36, 0.3)
BOX_M = (0.42, 0.34, 0.3)
CHEST_M = (0.95, 0.5, 0.5)
SPINES = (
    "#6b2420",
    "#23405c",
    "#2e4a33",
    "#8a6a2e",
    "#3b2a3f",
    "#a08a66",
    "#7a3a1e",
    "#1f2d30",
    "#94703a",
    "#552233",
    "#c2b08a",
    "#40505f",
)


def _books(
    low: float, high: float, z: float, y: float, rng: np.random.Generator, first: int, tallest: float
) -> tuple[list[Solid], int]:
    """Standing books along x from ``low`` to ``high``; returns them and the next number."""
    out: list[Solid] = []
    x, number = low, first
    while x < high - 0.06:
        if rng.random() < 0.07:
            x += rng.uniform(0.04, 0.14)
            continue
        thick = rng.uniform(0.018, 0.048)
        height = min(0.17 + 0.11 * float(hash01(number, 7)), tallest)
        deep = rng.uniform(0.13, 0.18)
        if x + thick > high - 0.02:
            break
        made = box(thick, deep, height, 0.0045, 0.2).retextured((0, 0, 10 * number)).moved(0, 0, height / 2)
        lean = 0.0
        if rng.random() < 0.1:
            lean = float(rng.uniform(5, 10))
            made = made.turned(lean, "y")
        shift = height * float(np.sin(np.radians(lean)))
        out.append(made.moved(x + thick / 2, y + rng.uniform(-0.012, 0.012), z + 0.001))
        x += thick + 0.0015 + shift
        number += 1
    return out, number


def bookshelf(item: Item, rng: np.random.Generator) -> Model:
    """A bookcase full of books, or bare shelves when empty ones are asked for."""
    w, d, h = measures(item, SHELF_M)
    wood = finish_item(item, "dark oak" if not item.material else "wood", along=2, seed=31)
    levels = max(2, round((h - 0.1) / 0.36))
    sides = [box(0.025, d, h, 0, 0.2).moved(s * (w / 2 - 0.0125), 0, h / 2) for s in (-1, 1)]
    back = [box(w - 0.02, 0.012, h - 0.04, 0.0, 0.2).moved(0, d / 2 - 0.008, h / 2)]
    zs = np.linspace(0.07, h - 0.03, levels + 1)
    boards = [box(w - 0.045, d - 0.012, 0.024, 0, 0.2).moved(0, -0.004, z) for z in zs[:-1]] + [
        box(w + 0.03, d + 0.02, 0.03, 0, 0.2).moved(0, 0, h - 0.015)
    ]
    parts = [part("case", [*sides, *back, *boards], wood.material, 0.0125, smooth=False)]
    surfaces = [Surface(z=h, low=(-w * 0.46, -d * 0.42), high=(w * 0.46, d * 0.4))]
    gap = float(zs[1] - zs[0])
    if says(item, "empty", "bare"):
        surfaces += [
            Surface(
                z=float(z) + 0.012,
                low=(-w * 0.45, -d * 0.42),
                high=(w * 0.45, d * 0.38),
                clearance_m=gap - 0.04,
                name=f"shelf {k}",
            )
            for k, z in enumerate(zs[:-1])
        ]
    else:
        number, volumes = 1, []
        for z in zs[:-1]:
            stop = w / 2 - 0.03 - (rng.uniform(0.1, 0.35) if rng.random() < 0.5 else 0)
            row, number = _books(-w / 2 + 0.03, stop, float(z) + 0.012, -0.02, rng, number, gap - 0.045)
            volumes += row
        parts.append(part("books", volumes, m.book_spines(SPINES), 0.0078))
    return Model(
        kind="bookshelf",
        has_front=True,
        mass_kg=30 + 55 * w * h / 2.3,
        color=wood.color,
        material=wood.name,
        parts=tuple(parts),
        surfaces=tuple(surfaces),
    )


def wall_shelf(item: Item, rng: np.random.Generator) -> Model:
    """A board on two brackets, its back to the wall at +Y."""
    w, d, h = measures(item, (0.9, 0.22, 0.16))
    wood = finish_item(item, "wood", along=0, seed=8)
    board = box(w, d, 0.028, 0.004, 0.12).moved(0, 0, h - 0.014)
    irons = [box(0.02, 0.012, h - 0.03, 0.003).moved(s * w * 0.33, d / 2 - 0.006, (h - 0.03) / 2) for s in (-1, 1)]
    irons += [rod((s * w * 0.33, d / 2 - 0.01, 0.01), (s * w * 0.33, -d * 0.28, h - 0.03), 0.007) for s in (-1, 1)]
    return Model(
        kind="wall shelf",
        has_front=True,
        mass_kg=4.0,
        movable=False,
        color=wood.color,
        material=wood.name,
        parts=(part("board", board, wood.material, 0.0085), part("brackets", irons, m.metal("#26272a", 0.4), 0.008)),
        surfaces=(Surface(z=h, low=(-w * 0.47, -d * 0.42), high=(w * 0.47, d * 0.4)),),
    )


def _fronts(
    columns: int, rows: int, w: float, h: float, y: float, bottom: float, knob_at: str
) -> tuple[list[Solid], list[Solid]]:
    """A grid of framed fronts in the plane ``y`` and their knobs."""
    fronts, knobs = [], []
    cw, ch = w / columns, h / rows
    for i in range(columns):
        for j in range(rows):
            x, z = (i - (columns - 1) / 2) * cw, bottom + (j + 0.5) * ch
            fw, fh = cw - 0.014, ch - 0.014
            fronts.append(box(fw, 0.018, fh, 0.005, 0.14).moved(x, y - 0.006, z).retextured((i * 0.9, 0, j * 0.7)))
            if fh > 0.3:
                fronts.append(
                    box(fw * 0.68, 0.012, fh * 0.78, 0.005, 0.16).moved(x, y - 0.015, z).retextured((i * 0.9 + 3, 0, j * 0.7))
                )
            if knob_at == "middle":
                knobs += [sphere(0.014, 2).moved(x + s * fw * 0.22, y - 0.03, z) for s in ((-1, 1) if fw > 0.6 else (0,))]
            else:
                side = (1 if i < columns / 2 else -1) if columns > 1 else 1
                knobs.append(ellipsoid(0.011, 0.014, 0.03, 2).moved(x + side * (fw / 2 - 0.04), y - 0.034, z))
    return fronts, knobs


def _case(
    item: Item, kind: str, usual: tuple[float, float, float], columns: int, rows: int, knob_at: str, kilograms: float, leg: float
) -> Model:
    w, d, h = measures(item, usual)
    wood = finish_item(item, "wood", along=0 if knob_at == "middle" else 2, seed=17)
    top = finish("wood", item.color, item.material, along=0, seed=19)
    body = box(w - 0.02, d - 0.03, h - leg - 0.025, 0.004, 0.16).moved(0, 0.008, leg + (h - leg - 0.025) / 2)
    slab_ = box(w + 0.0, d, 0.028, 0.008, 0.12).moved(0, 0, h - 0.014)
    feet = [
        rod((sx * (w / 2 - 0.07), sy * (d / 2 - 0.07), 0), (sx * (w / 2 - 0.08), sy * (d / 2 - 0.08), leg + 0.01), 0.014, 0.024)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    if leg < 0.07:
        feet = [slab(w - 0.06, d - 0.08, leg, bevel=0.0)]
    fronts, knobs = _fronts(columns, rows, w - 0.04, h - leg - 0.04, -(d - 0.03) / 2 + 0.008, leg + 0.005, knob_at)
    return Model(
        kind=kind,
        has_front=True,
        mass_kg=kilograms * w * d * h / (usual[0] * usual[1] * usual[2]),
        color=wood.color,
        material=wood.name,
        parts=(
            part("case", [body, *feet], wood.material, 0.0135),
            part("top", slab_, top.material, 0.0095),
            part("fronts", fronts, wood.material, 0.0105),
            part("knobs", knobs, m.metal("#b58a3f"), 0.007),
        ),
        surfaces=(Surface(z=h, low=(-w * 0.46, -d * 0.44), high=(w * 0.46, d * 0.44)),),
    )


def wardrobe(item: Item, rng: np.random.Generator) -> Model:
    """Tall, two or three doors."""
    w = measures(item, WARDROBE_M)[0]
    return _case(item, "wardrobe", WARDROBE_M, 3 if w > 1.5 else 2, 1, "edge", 75.0, 0.06)


def cabinet(item: Item, rng: np.random.Generator) -> Model:
    """A cupboard with two doors."""
    return _case(item, "cabinet", CABINET_M, 2, 1, "edge", 32.0, 0.09)


def dresser(item: Item, rng: np.random.Generator) -> Model:
    """A chest of drawers."""
    return _case(item, "dresser", DRESSER_M, 2, 3, "middle", 45.0, 0.1)


def sideboard(item: Item, rng: np.random.Generator) -> Model:
    """Low and long: a TV stand or buffet."""
    return _case(item, "sideboard", SIDEBOARD_M, 3, 1, "edge", 40.0, 0.12)


def crate(item: Item, rng: np.random.Generator) -> Model:
    """An open slatted crate."""
    w, d, h = measures(item, CRATE_M)
    wood = finish_item(item, "pine", along=0, seed=int(rng.integers(0, 40)))
    rows = 3
    gap = h / rows
    slats = [
        box(w, 0.012, gap * 0.82, 0.002, 0.14).retextured((0, k * 0.7, s)).moved(0, s * (d / 2 - 0.006), gap * (k + 0.5))
        for k in range(rows)
        for s in (-1, 1)
    ]
    slats += [
        box(0.012, d - 0.024, gap * 0.82, 0.002, 0.14).retextured((5, k * 0.7, s)).moved(s * (w / 2 - 0.018), 0, gap * (k + 0.5))
        for k in range(rows)
        for s in (-1, 1)
    ]
    floor = [box(w - 0.03, (d - 0.03) / 3 - 0.01, 0.012, 0.002, 0.14).moved(0, (k - 1) * (d - 0.03) / 3, 0.007) for k in range(3)]
    posts = [
        box(0.03, 0.03, h, 0.003, 0.14).moved(sx * (w / 2 - 0.03), sy * (d / 2 - 0.028), h / 2)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    return Model(
        kind="crate",
        mass_kg=4.5,
        color=wood.color,
        material=wood.name,
        parts=(part("crate", [*slats, *floor, *posts], wood.material, 0.0088),),
        surfaces=(Surface(z=0.014, low=(-w * 0.38, -d * 0.36), high=(w * 0.38, d * 0.36), clearance_m=1.5, name="inside"),),
    )


def carton(item: Item, rng: np.random.Generator) -> Model:
    """A closed box of cardboard with a strip of tape, or a wrapped present."""
    w, d, h = measures(item, BOX_M)
    gift = says(item, "gift", "present")
    skin = finish("paper", item.color, item.material, default_color="#c0392b" if gift else "#b08a5c")
    body = box(w, d, h, 0.004, 0.12).moved(0, 0, h / 2)
    ribbon = finish("plain", None, None, default_color="#d8b25a").material if gift else m.plain("#cdb488", 0.4, 0.3)
    strips = [box(0.05 if not gift else 0.035, d + 0.003, h + 0.003, 0.004, 0.12).moved(0, 0, h / 2 + 0.0)]
    if gift:
        strips.append(box(w + 0.003, 0.035, h + 0.003, 0.004, 0.12).moved(0, 0, h / 2))
        strips += [ellipsoid(0.06, 0.022, 0.03, 2).turned(s * 25).moved(s * 0.05, 0, h + 0.026) for s in (-1, 1)]
    strips = [s.moved(0, 0, 0.0015) for s in strips]
    return Model(
        kind="box",
        mass_kg=2.5,
        color=skin.color,
        material="cardboard" if skin.name == "paper" else skin.name,
        parts=(part("box", body, skin.material, 0.0092), part("tape", strips, ribbon, 0.0092, collides=False)),
        surfaces=(Surface(z=h, low=(-w * 0.44, -d * 0.44), high=(w * 0.44, d * 0.44)),),
    )


def chest(item: Item, rng: np.random.Generator) -> Model:
    """A domed wooden chest with iron bands."""
    w, d, h = measures(item, CHEST_M)
    wood = finish_item(item, "wood", along=0, seed=13)
    low = h * 0.62
    body = slab(w, d, low, bevel=0.008)
    t = np.linspace(0, np.pi, 15)
    profile = np.c_[d / 2 * np.cos(t), low + (h - low) * np.sin(t)]
    lid = extrude(profile, w, 0.004).turned(90, "x").turned(90, "z")
    v = lid.vertices
    lid = Solid(np.stack([v[:, 0] - (v[:, 0].max() + v[:, 0].min()) / 2, v[:, 1], v[:, 2]], 1), lid.faces, lid.texture)
    bands = [slab(0.045, d + 0.012, low + 0.004, bevel=0.003).moved(s * w * 0.34) for s in (-1, 1)]
    lock = box(0.08, 0.02, 0.1, 0.006).moved(0, -d / 2 - 0.008, low - 0.02)
    return Model(
        kind="chest",
        has_front=True,
        mass_kg=26.0,
        color=wood.color,
        material=wood.name,
        parts=(
            part("body", body, wood.material, 0.0105),
            part("lid", lid, wood.material, 0.0105),
            part("iron", [*bands, lock], m.metal("#3a3632", 0.4), 0.0095),
        ),
    )


def suitcase(item: Item, rng: np.random.Generator) -> Model:
    """A hard case standing on its long side, with straps and a grip."""
    w, d, h = measures(item, (0.62, 0.22, 0.44))
    skin = finish_item(item, "leather", "#7a4a2a")
    body = box(w, d, h - 0.03, 0.035, 0.08, 4).moved(0, 0, (h - 0.03) / 2)
    straps = [box(0.04, d + 0.006, h - 0.03, 0.036, 0.08, 4).moved(s * w * 0.28, 0, (h - 0.03) / 2) for s in (-1, 1)]
    a = np.linspace(0, np.pi, 12)
    grip = tube(np.c_[0.07 * np.cos(a), 0 * a, h - 0.035 + 0.028 * np.sin(a)], 0.008, 10)
    return Model(
        kind="suitcase",
        mass_kg=6.0,
        color=skin.color,
        material=skin.name,
        parts=(part("case", body, skin.material, 0.0095), part("straps", [*straps, grip], m.leather("#3a2216"), 0.0085)),
    )


def trash_can(item: Item, rng: np.random.Generator) -> Model:
    """A round bin, open on top."""
    w, _, h = measures(item, (0.3, 0.3, 0.4))
    skin = finish_item(item, "metal" if not says(item, "bucket") else "steel", "#6f757a")
    r = w / 2
    body = lathe([(1e-4, 0), (r * 0.8, 0), (r * 0.82, 0.01), (r, h), (r * 0.96, h), (r * 0.8, 0.02), (1e-4, 0.02)], 44)
    hoops = [
        lathe([(r * k, z - 0.008), (r * k + 0.006, z), (r * k, z + 0.008)], 44) for k, z in ((0.995, h - 0.012), (0.9, h * 0.45))
    ]
    return Model(
        kind="bin", mass_kg=1.2, color=skin.color, material=skin.name, parts=(part("bin", [body, *hoops], skin.material, 0.009),)
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="bookshelf",
        synonyms=("bookcase", "shelf", "book shelf", "shelves", "shelving", "shelving unit", "rack", "display shelf"),
        build=bookshelf,
        size_m=SHELF_M,
        family="indoor",
        hypernyms=("storage", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="wall shelf",
        synonyms=("floating shelf", "wall-mounted shelf"),
        build=wall_shelf,
        size_m=(0.9, 0.22, 0.16),
        habitat="wall",
        family="indoor",
        hypernyms=("shelf",),
    ),
    Kind(
        name="wardrobe",
        synonyms=("closet", "armoire", "locker"),
        build=wardrobe,
        size_m=WARDROBE_M,
        family="indoor",
        hypernyms=("storage", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="cabinet",
        synonyms=("cupboard", "kitchen cabinet", "display cabinet", "filing cabinet", "hutch", "china cabinet", "cabinets"),
        build=cabinet,
        size_m=CABINET_M,
        family="indoor",
        hypernyms=("storage", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="dresser",
        synonyms=("chest of drawers", "drawers", "drawer", "commode", "bureau"),
        build=dresser,
        size_m=DRESSER_M,
        family="indoor",
        hypernyms=("storage", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="sideboard",
        synonyms=("tv stand", "media console", "credenza", "buffet", "tv cabinet", "tv unit", "entertainment center"),
        build=sideboard,
        size_m=SIDEBOARD_M,
        family="indoor",
        hypernyms=("storage", "furniture", "cabinet"),
        against_wall=True,
    ),
    Kind(
        name="crate",
        synonyms=("wooden crate", "wooden box", "milk crate"),
        build=crate,
        size_m=CRATE_M,
        hypernyms=("box", "container"),
    ),
    Kind(
        name="box",
        synonyms=("cardboard box", "carton", "package", "parcel", "gift", "present", "gift box", "moving box"),
        build=carton,
        size_m=BOX_M,
        hypernyms=("container",),
    ),
    Kind(
        name="chest",
        synonyms=("trunk", "treasure chest", "toy chest", "toy box", "blanket chest"),
        build=chest,
        size_m=CHEST_M,
        hypernyms=("storage", "furniture", "container"),
    ),
    Kind(
        name="suitcase",
        synonyms=("luggage", "briefcase", "travel case", "guitar case"),
        build=suitcase,
        size_m=(0.62, 0.22, 0.44),
        hypernyms=("container",),
    ),
    Kind(
        name="bin",
        synonyms=("trash can", "garbage can", "waste basket", "wastebasket", "dustbin", "bucket", "pail", "trash bin"),
        build=trash_can,
        size_m=(0.3, 0.3, 0.4),
        hypernyms=("container",),
    ),
)
