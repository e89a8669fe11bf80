"""Tables, desks, nightstands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import Size, measures, part, round_legs, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Part, Solid, Surface
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import Finish, finish, finish_item
from spatialwm.lift.text.surface.solids import box, cylinder, ellipsoid, lathe, rod, sphere

COFFEE_M = (1.1, 0.6, 0.43)
DINING_M = (1.6, 0.9, 0.75)
SIDE_M = (0.48, 0.48, 0.55)
DESK_M = (1.35, 0.68, 0.75)
NIGHTSTAND_M = (0.46, 0.4, 0.55)
CONSOLE_M = (1.2, 0.35, 0.8)


def _top(w: float, d: float, h: float, thick: float, round_: bool) -> Solid:
    if round_:
        disc = cylinder(0.5, thick, 56, 0.01)
        return disc.scaled(w, d, 1).retextured().moved(0, 0, h - thick)
    return box(w, d, thick, min(0.012, thick * 0.4), 0.09).retextured().moved(0, 0, h - thick / 2)


def _fine(item: Item, default: str = "wood") -> tuple[Finish, Finish]:
    """The same wish along x for tops and along z for legs."""
    top = finish_item(item, default, along=0, seed=21)
    return top, finish(default, item.color, item.material, along=2, seed=23)


def _pedestal(h: float, spread: float) -> Solid:
    return lathe(
        [
            (1e-4, 0),
            (spread * 0.9, 0),
            (spread, 0.012),
            (spread * 0.96, 0.03),
            (spread * 0.4, 0.06),
            (0.05, 0.14),
            (0.042, h * 0.5),
            (0.06, h * 0.62),
            (0.045, h * 0.72),
            (0.06, h - 0.05),
            (0.14, h - 0.012),
            (1e-4, h - 0.012),
        ],
        40,
    )


def _table(item: Item, kind: str, usual: Size, shelf: bool, kilograms: float) -> Model:
    w, d, h = measures(item, usual)
    round_ = says(item, "round", "circular", "oval", "bistro", "pedestal")
    if round_ and not says(item, "oval"):
        w = d = max(item.width_m or 0, item.length_m or 0) or (w + d) / 2 if abs(w - d) > 0.3 else w
    top, leg = _fine(item)
    thick = 0.038 if h > 0.4 else 0.03
    parts: list[Part] = []
    clear = top.name in ("glass", "crystal")
    if clear:
        thick = 0.014
        leg = finish("steel", None, None)
    parts.append(part("top", _top(w, d, h, thick, round_), top.material, 0.0078))
    if round_ and kind != "coffee table" and max(w, d) < 1.4:
        parts.append(part("pedestal", _pedestal(h - thick + 0.012, min(w, d) * 0.3), leg.material, 0.0095))
    else:
        x, y = (w * 0.34, d * 0.34) if round_ else (w / 2 - 0.07, d / 2 - 0.06)
        legs = round_legs(x, y, h - thick, 0.028 if h > 0.6 else 0.025, 0.1 if kind == "coffee table" else 0.03)
        rails = []
        if not round_:
            rail = min(0.08, h * 0.12)
            rails = [box(w - 0.14, 0.024, rail, 0.004, 0.12).moved(0, s * (d / 2 - 0.06), h - thick - rail / 2) for s in (-1, 1)]
            rails += [box(0.024, d - 0.12, rail, 0.004, 0.12).moved(s * (w / 2 - 0.07), 0, h - thick - rail / 2) for s in (-1, 1)]
        if shelf and not round_:
            rails.append(box(w * 0.8, d * 0.76, 0.02, 0.006, 0.12).moved(0, 0, h * 0.38))
        parts.append(part("legs", [*legs, *rails], leg.material, 0.0095))
    k = 0.35 if round_ else 0.47
    surfaces = [Surface(z=h, low=(-w * k, -d * k), high=(w * k, d * k))]
    if shelf and not round_:
        surfaces.append(
            Surface(z=h * 0.38 + 0.01, low=(-w * 0.36, -d * 0.34), high=(w * 0.36, d * 0.34), clearance_m=h * 0.5, name="shelf")
        )
    return Model(
        kind=kind,
        mass_kg=kilograms * w * d / (usual[0] * usual[1]),
        color=top.color,
        material=top.name,
        parts=tuple(parts),
        surfaces=tuple(surfaces),
    )


def coffee_table(item: Item, rng: np.random.Generator) -> Model:
    """Low, splayed legs, a shelf below."""
    return _table(item, "coffee table", COFFEE_M, True, 16.0)


def table(item: Item, rng: np.random.Generator) -> Model:
    """A dining table; round ones up to 1.4 m stand on a pedestal."""
    return _table(item, "table", DINING_M, False, 32.0)


def side_table(item: Item, rng: np.random.Generator) -> Model:
    """Small, round unless said otherwise."""
    if not says(item, "square", "rectangular", "end table"):
        item = _also(item, "round")
    return _table(item, "side table", SIDE_M, False, 5.0)


def _also(item: Item, adjective: str) -> Item:
    return replace(item, adjectives=(*item.adjectives, adjective))


def console_table(item: Item, rng: np.random.Generator) -> Model:
    """Narrow, for a hallway or behind a sofa."""
    return _table(item, "console table", CONSOLE_M, True, 15.0)


def _drawer(w: float, h: float, y: float, x: float, z: float) -> tuple[Solid, Solid]:
    front = box(w, 0.02, h, 0.006, 0.12).moved(x, y - 0.008, z)
    knob = sphere(0.014, 2).moved(x, y - 0.03, z)
    return front, knob


def desk(item: Item, rng: np.random.Generator) -> Model:
    """A writing desk: a drawer pedestal on the right, legs on the left."""
    w, d, h = measures(item, DESK_M)
    top, leg = _fine(item, "wood")
    body = [box(0.4, d - 0.06, h - 0.1, 0.006, 0.14).moved(w / 2 - 0.23, 0, 0.06 + (h - 0.1) / 2)]
    fronts, knobs = zip(
        *(
            _drawer(0.36, (h - 0.16) / 3 - 0.012, -(d - 0.06) / 2, w / 2 - 0.23, 0.09 + (h - 0.16) / 3 * (k + 0.5))
            for k in range(3)
        ),
        strict=True,
    )
    legs = [
        rod((-w / 2 + 0.06, s * (d / 2 - 0.07), 0), (-w / 2 + 0.07, s * (d / 2 - 0.08), h - 0.03), 0.016, 0.026) for s in (-1, 1)
    ]
    legs += [box(0.36, 0.5 * d, 0.06, 0.004, 0.12).moved(w / 2 - 0.23, 0, 0.03)]
    apron = [box(w - 0.46, 0.022, 0.09, 0.004, 0.12).moved(-0.2, s * (d / 2 - 0.06), h - 0.075) for s in (-1, 1)]
    slim, knob = _drawer(w * 0.4, 0.07, -(d / 2 - 0.055), -0.2, h - 0.075)
    return Model(
        kind="desk",
        has_front=True,
        mass_kg=34.0,
        color=top.color,
        material=top.name,
        parts=(
            part("top", _top(w, d, h, 0.032, False), top.material, 0.0078),
            part("body", [*body, *legs, *apron, slim.moved(0, 0, 0)], leg.material, 0.0105),
            part("drawers", fronts, top.material, 0.0095),
            part("knobs", [*knobs, knob], m.metal("#a8843f"), 0.007),
        ),
        surfaces=(Surface(z=h, low=(-w * 0.47, -d * 0.45), high=(w * 0.47, d * 0.45)),),
    )


def nightstand(item: Item, rng: np.random.Generator) -> Model:
    """A bedside cabinet: a drawer over an open shelf."""
    w, d, h = measures(item, NIGHTSTAND_M)
    top, leg = _fine(item)
    leg_h = 0.12 * h / 0.55
    sides = [
        box(0.02, d - 0.02, h - leg_h - 0.02, 0.003, 0.12).moved(s * (w / 2 - 0.02), 0, leg_h + (h - leg_h - 0.02) / 2)
        for s in (-1, 1)
    ]
    inner_h = h - leg_h - 0.02
    boards = [box(w - 0.06, d - 0.03, 0.018, 0.003, 0.12).moved(0, 0, z) for z in (leg_h + 0.009, leg_h + inner_h * 0.5)]
    boards.append(box(w - 0.05, 0.012, inner_h, 0.002, 0.12).moved(0, d / 2 - 0.02, leg_h + inner_h / 2))
    front, knob = _drawer(w - 0.07, inner_h * 0.42, -(d / 2 - 0.02), 0, leg_h + inner_h * 0.75)
    feet = round_legs(w / 2 - 0.05, d / 2 - 0.05, leg_h, 0.018, 0.1)
    return Model(
        kind="nightstand",
        has_front=True,
        mass_kg=11.0,
        color=top.color,
        material=top.name,
        parts=(
            part("top", _top(w, d, h, 0.022, False), top.material, 0.0078),
            part("case", [*sides, *boards, *feet], leg.material, 0.0095),
            part("drawer", front, top.material, 0.0085),
            part("knob", knob, m.metal("#a8843f"), 0.006),
        ),
        surfaces=(
            Surface(z=h, low=(-w * 0.45, -d * 0.45), high=(w * 0.45, d * 0.45)),
            Surface(
                z=leg_h + 0.018, low=(-w * 0.4, -d * 0.4), high=(w * 0.4, d * 0.35), clearance_m=inner_h * 0.45, name="shelf"
            ),
        ),
    )


def stone_table(item: Item, rng: np.random.Generator) -> Model:
    """A kitchen island or counter: a heavy body under a stone slab."""
    w, d, h = measures(item, (1.8, 0.7, 0.92))
    body = finish("painted wood", item.color, item.material, default_color="#5f7268")
    doors = [
        box(w / 3 - 0.03, 0.018, h * 0.62, 0.006, 0.14).moved((k - 1) * (w - 0.1) / 3, -(d - 0.08) / 2 - 0.006, h * 0.48)
        for k in range(3)
    ]
    knobs = [
        ellipsoid(0.01, 0.012, 0.03, 2).moved((k - 1) * (w - 0.1) / 3 + 0.1, -(d - 0.08) / 2 - 0.03, h * 0.66) for k in range(3)
    ]
    return Model(
        kind="counter",
        has_front=True,
        mass_kg=90.0,
        color=body.color,
        material=body.name,
        parts=(
            part("slab", box(w, d, 0.04, 0.006, 0.12).moved(0, 0, h - 0.02), m.marble(), 0.0085),
            part(
                "body",
                [
                    box(w - 0.08, d - 0.08, h - 0.12, 0.004, 0.16).moved(0, 0, 0.08 + (h - 0.12) / 2),
                    box(w - 0.16, d - 0.18, 0.08, 0, 0.2).moved(0, 0, 0.04),
                    *doors,
                ],
                body.material,
                0.012,
            ),
            part("knobs", knobs, m.metal("#b58a3f"), 0.006),
        ),
        surfaces=(Surface(z=h, low=(-w * 0.47, -d * 0.45), high=(w * 0.47, d * 0.45)),),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="coffee table",
        synonyms=("cocktail table", "low table", "tea table"),
        build=coffee_table,
        size_m=COFFEE_M,
        family="indoor",
        hypernyms=("table", "furniture"),
    ),
    Kind(
        name="table",
        synonyms=(
            "dining table",
            "kitchen table",
            "work table",
            "worktable",
            "trestle table",
            "bistro table",
            "conference table",
            "workbench",
            "dinner table",
            "pool table",
        ),
        build=table,
        size_m=DINING_M,
        hypernyms=("furniture",),
    ),
    Kind(
        name="side table",
        synonyms=("end table", "accent table", "pedestal table", "small table", "lamp table"),
        build=side_table,
        size_m=SIDE_M,
        family="indoor",
        hypernyms=("table", "furniture"),
    ),
    Kind(
        name="console table",
        synonyms=("console", "hall table", "sideboard table", "entry table"),
        build=console_table,
        size_m=CONSOLE_M,
        family="indoor",
        hypernyms=("table", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="desk",
        synonyms=("writing desk", "computer desk", "office desk", "school desk", "study table", "writing table", "vanity"),
        build=desk,
        size_m=DESK_M,
        family="indoor",
        hypernyms=("table", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="nightstand",
        synonyms=("bedside table", "night stand", "night table", "bedside cabinet"),
        build=nightstand,
        size_m=NIGHTSTAND_M,
        family="indoor",
        hypernyms=("table", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="counter",
        synonyms=("kitchen island", "kitchen counter", "countertop", "island", "bar counter", "bar", "worktop"),
        build=stone_table,
        size_m=(1.8, 0.7, 0.92),
        family="indoor",
        hypernyms=("furniture",),
    ),
)
