"""Beds and cribs."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Solid, Surface
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, known_color
from spatialwm.lift.text.surface.solids import box, cushion, join, pillow, rod, sheet, slab

BED_M = (1.65, 2.1, 1.05)
SINGLE_M = (1.0, 2.05, 0.95)
CRIB_M = (0.7, 1.3, 0.95)
BUNK_M = (1.05, 2.1, 1.7)


def _cover(w: float, length: float, top: float, drop: float) -> Solid:
    """A duvet over the foot three quarters of a mattress, hanging at both sides and the foot, gently rumpled."""
    half = w / 2 + 0.03

    def shape(u: np.ndarray, v: np.ndarray) -> tuple:
        run = (u - 0.5) * 2 * (half + drop)
        over = np.clip(np.abs(run) - half, 0, None)
        x = np.sign(run) * np.minimum(np.abs(run), half + 0.02 * np.sin(np.minimum(over / 0.06, np.pi / 2)))
        z = top + 0.05 - over * 0.98
        y_run = v * (length * 0.72 + drop)
        beyond = np.clip(y_run - length * 0.72, 0, None)
        y = length / 2 - 0.02 - length * 0.28 * 0 - (length * 0.28 + np.minimum(y_run, length * 0.72))
        z = z - beyond * 0.98
        flat = (over <= 0) & (beyond <= 0)
        rumple = 0.012 * np.sin(9 * run + 3 * np.sin(4 * y_run)) * np.sin(5 * y_run + run)
        edge = np.minimum(np.clip((half - np.abs(run)) / 0.1, 0, 1), 1)
        z = z + np.where(flat, rumple * edge + 0.025 * edge * np.clip(y_run / 0.15, 0, 1), 0)
        x = x + np.where(over > 0, 0.012 * np.sin(18 * y_run) * np.clip(over / 0.1, 0, 1) * np.sign(run), 0)
        y = y - np.where(beyond > 0, 0.02 + 0.010 * np.sin(16 * run), 0)
        return (x, y, z)

    made = sheet(shape, 64, 56)
    a, b, c = (made.vertices[made.faces[len(made.faces) // 4, k]] for k in range(3))
    return made if np.cross(b - a, c - a)[2] > 0 else Solid(made.vertices, made.faces[:, ::-1], made.texture)


def bed(item: Item, rng: np.random.Generator) -> Model:
    """A made bed, head at +Y: frame, mattress, sheet, duvet, pillows.

    The colour asked for is the bedding's, the material the frame's.
    """
    single = says(item, "single", "twin", "child", "kid", "small")
    w, d, h = measures(item, SINGLE_M if single else BED_M)
    frame = finish("wood", None, item.material, along=0, seed=14)
    posts = finish("wood", None, item.material, along=2, seed=15)
    bedding = known_color(item.color) or ("#7f93a8", "#a8675a", "#6f8a76", "#b59a6a")[int(rng.integers(0, 4))]
    side_z, top = 0.30, 0.52
    rails = [box(0.03, d - 0.08, 0.16, 0.008, 0.14).moved(s * (w / 2 - 0.02), 0, side_z) for s in (-1, 1)]
    foot = [box(w, 0.045, 0.26, 0.012, 0.12).moved(0, -d / 2 + 0.025, side_z - 0.02)]
    head = [box(w, 0.05, h - 0.34, 0.02, 0.12).moved(0, d / 2 - 0.03, 0.3 + (h - 0.34) / 2)]
    legs = [
        box(0.07, 0.07, 0.3, 0.01, 0.12).moved(sx * (w / 2 - 0.045), sy * (d / 2 - 0.045), 0.15)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    legs += [box(0.07, 0.06, h - 0.02, 0.012, 0.14).moved(s * (w / 2 - 0.035), d / 2 - 0.03, (h - 0.02) / 2) for s in (-1, 1)]
    mattress = cushion(w - 0.07, d - 0.12, top - side_z - 0.02, 0.012, bevel=0.06).moved(0, 0, side_z + (top - side_z) / 2)
    count = 1 if w < 1.2 else 2
    each = min(0.66, (w - 0.16) / count)
    pillows = [
        pillow(each, 0.42, 0.17)
        .turned(14, "x")
        .retextured((k * 2.0, 0, 0))
        .moved((k - (count - 1) / 2) * (each + 0.03), d / 2 - 0.31, top + 0.085)
        for k in range(count)
    ]
    duvet = _cover(w - 0.07, d - 0.12, top, 0.2)
    fold = cushion(w - 0.02, 0.22, 0.05, 0.012, bevel=0.02).moved(0, d / 2 - 0.06 - (d - 0.12) * 0.28 - 0.1, top + 0.055)
    cloth = finish("fabric", bedding, None, adjectives=item.adjectives).material
    return Model(
        kind="bed",
        has_front=True,
        mass_kg=70.0 * w * d / (BED_M[0] * BED_M[1]),
        color=known_color(item.color),
        material=posts.name,
        parts=(
            part("frame", [*rails, *foot, *head], frame.material, 0.012),
            part("posts", legs, posts.material, 0.012),
            part("mattress", mattress, m.fabric("#ddd8cc"), 0.0155),
            part("pillows", pillows, m.drapery("#e4dfd3"), 0.0125),
            part("duvet", duvet, cloth, 0.0145, collides=False),
            part("fold", fold, m.drapery("#e2dccf"), 0.014, collides=False),
        ),
        surfaces=(Surface(z=top + 0.075, low=(-w / 2 + 0.12, -d / 2 + 0.15), high=(w / 2 - 0.12, d / 2 - 0.75), name="duvet"),),
    )


def crib(item: Item, rng: np.random.Generator) -> Model:
    """A slatted cot."""
    w, d, h = measures(item, CRIB_M)
    wood = finish("wood", item.color, item.material, default_color="#e4ded0", along=2, seed=3)
    posts = [
        rod((sx * (w / 2 - 0.025), sy * (d / 2 - 0.025), 0), (sx * (w / 2 - 0.025), sy * (d / 2 - 0.025), h), 0.022)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    rails = [box(w - 0.05, 0.025, 0.04, 0.006, 0.12).moved(0, s * (d / 2 - 0.025), z) for s in (-1, 1) for z in (h - 0.06, 0.3)]
    rails += [box(0.025, d - 0.05, 0.04, 0.006, 0.12).moved(s * (w / 2 - 0.025), 0, z) for s in (-1, 1) for z in (h - 0.06, 0.3)]
    bars = [
        rod((s * (w / 2 - 0.025), y, 0.3), (s * (w / 2 - 0.025), y, h - 0.06), 0.008, sides=10)
        for s in (-1, 1)
        for y in np.linspace(-d / 2 + 0.1, d / 2 - 0.1, 12)
    ]
    bars += [
        rod((x, s * (d / 2 - 0.025), 0.3), (x, s * (d / 2 - 0.025), h - 0.06), 0.008, sides=10)
        for s in (-1, 1)
        for x in np.linspace(-w / 2 + 0.1, w / 2 - 0.1, 6)
    ]
    mattress = cushion(w - 0.08, d - 0.08, 0.1, 0.01, bevel=0.03).moved(0, 0, 0.37)
    base = slab(w - 0.05, d - 0.05, 0.03, 0.29, 0.004)
    return Model(
        kind="crib",
        mass_kg=22.0,
        color=wood.color,
        material=wood.name,
        parts=(
            part("frame", [*posts, *rails, *bars, base], wood.material, 0.0105),
            part("mattress", mattress, m.drapery("#d9e2e4"), 0.013),
        ),
        surfaces=(Surface(z=0.43, low=(-w * 0.35, -d * 0.4), high=(w * 0.35, d * 0.4), clearance_m=0.5, name="mattress"),),
    )


def bunk_bed(item: Item, rng: np.random.Generator) -> Model:
    """Two single beds above each other, with a ladder."""
    w, d, h = measures(item, BUNK_M)
    wood = finish("wood", None, item.material, along=2, seed=9)
    bedding = known_color(item.color) or "#4f7396"
    posts = [
        box(0.07, 0.07, h, 0.01, 0.15).moved(sx * (w / 2 - 0.035), sy * (d / 2 - 0.035), h / 2)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    rails, mats, covers, pillows = [], [], [], []
    for z in (0.32, h * 0.7):
        rails += [box(0.03, d - 0.1, 0.16, 0.008, 0.14).moved(s * (w / 2 - 0.035), 0, z) for s in (-1, 1)]
        rails += [box(w - 0.1, 0.03, 0.16, 0.008, 0.14).moved(0, s * (d / 2 - 0.035), z) for s in (-1, 1)]
        mats.append(cushion(w - 0.1, d - 0.1, 0.16, 0.01, bevel=0.05).moved(0, 0, z + 0.06))
        covers.append(cushion(w - 0.08, d * 0.68, 0.06, 0.014, bevel=0.028).moved(0, -d * 0.13, z + 0.15))
        pillows.append(pillow(0.6, 0.38, 0.14).turned(10, "x").moved(0, d / 2 - 0.3, z + 0.2))
    rails += [box(0.025, d - 0.4, 0.06, 0.006, 0.14).moved(s * (w / 2 - 0.035), 0.1, h - 0.06) for s in (-1, 1)]
    rungs = [rod((w / 2 + 0.0, -d / 2 + 0.12, z), (w / 2 + 0.0, -d / 2 + 0.46, z), 0.014) for z in np.linspace(0.25, h - 0.2, 5)]
    ladder = [rod((w / 2, y, 0), (w / 2, y, h - 0.04), 0.017) for y in (-d / 2 + 0.12, -d / 2 + 0.46)]
    return Model(
        kind="bunk bed",
        has_front=False,
        mass_kg=85.0,
        color=known_color(item.color),
        material=wood.name,
        parts=(
            part("frame", join([*posts, *rails, *rungs, *ladder]), wood.material, 0.013),
            part("mattress", mats, m.fabric("#ddd8cc"), 0.0165),
            part("covers", covers, finish("fabric", bedding).material, 0.014),
            part("pillows", pillows, m.drapery("#e6e1d6"), 0.0125),
        ),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="bed",
        synonyms=(
            "double bed",
            "queen bed",
            "king bed",
            "single bed",
            "twin bed",
            "canopy bed",
            "four-poster bed",
            "mattress",
            "hospital bed",
            "daybed",
        ),
        build=bed,
        size_m=BED_M,
        family="indoor",
        hypernyms=("furniture",),
        against_wall=True,
    ),
    Kind(
        name="crib",
        synonyms=("cot", "cradle", "baby bed", "playpen"),
        build=crib,
        size_m=CRIB_M,
        family="indoor",
        hypernyms=("bed", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="bunk bed",
        synonyms=("bunk", "bunkbed"),
        build=bunk_bed,
        size_m=BUNK_M,
        family="indoor",
        hypernyms=("bed", "furniture"),
        against_wall=True,
    ),
)
