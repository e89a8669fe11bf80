"""Trees: firs, broadleaves, birches, palms, bare ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spatialwm.geometry.color import parse_color, to_hex
from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.asked import color_of, says, scale_of
from spatialwm.lift.text.kinds.foliage import UP, conifer, crown, fronds, skeleton
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Material, Model, Part, Solid, Strands
from spatialwm.lift.text.surface.materials import plain
from spatialwm.lift.text.surface.noise import linear
from spatialwm.lift.text.surface.outdoors import bark, birch_bark
from spatialwm.lift.text.surface.solids import tube


def mean_color(leaves: Strands | None) -> np.ndarray:
    """Mean linear colour of the leaves, so that a mesh of the stand-in looks right."""
    return leaves.albedo.mean(0) if leaves is not None else linear("#4a5a2a")


PINE_M = (4.2, 4.2, 10.0)
OAK_M = (7.5, 7.5, 8.0)
BIRCH_M = (3.6, 3.6, 8.5)
PALM_M = (4.4, 4.4, 6.5)
DEAD_M = (3.6, 3.6, 5.5)
OLIVE_M = (4.2, 4.2, 4.2)
BLOSSOM_M = (4.6, 4.6, 4.8)


def tree_model(
    kind: str, wood: Solid, bark_of: Material, leaves: Strands | None, shade: Solid | None, height_m: float, color: str | None
) -> Model:
    """Wood, leaves, and sheets that are never drawn but throw the leaves' shadow."""
    parts = [Part(name="wood", solid=wood, material=bark_of, spacing_m=0.05 + 0.003 * height_m)]
    if shade is not None:
        parts.append(
            Part(
                name="shade",
                solid=shade,
                material=plain(mean_color(leaves)),
                spacing_m=1.0,
                thin=1.0,
                opacity=0.0,
                collides=False,
            )
        )
    return Model(
        kind=kind,
        parts=tuple(parts),
        strands=(leaves,) if leaves else (),
        mass_kg=18 * height_m**2,
        color=color,
        material="wood",
        movable=False,
    )


def pine(item: Item, rng: np.random.Generator, needles: int = 2800, snow: float = 0.0) -> Model:
    """A fir, drawn with needle sprays."""
    height = PINE_M[2] * scale_of(item, PINE_M, 0.18, rng)
    snow = max(snow, 0.8 if says(item, "snow") else 0.0)
    tint = color_of(item, "#5b7a3c")
    g = conifer(height, rng, needles, tint=tint, snow=snow)
    return tree_model("pine tree", g.wood, bark("#2a1d16", "#6d5140"), g.leaves, g.shade, height, item.color or "green")


def broadleaf(
    kind: str,
    height_m: float,
    spread_m: float,
    rng: np.random.Generator,
    leaves: int,
    dark: str,
    light: str,
    trunk: float = 0.3,
    girth: float = 0.028,
    forks: int = 5,
    clump: float = 0.2,
    snow: float = 0.0,
    leaf_m: float = 0.17,
    bark_of: Material | None = None,
) -> Model:
    """A trunk with forking branches and leaves in clumps around the twigs."""
    wood, tips = skeleton(height_m, spread_m, rng, trunk=trunk, girth=girth, forks=forks)
    tips = tips + UP * (0.02 * height_m)
    size = clump * spread_m * rng.uniform(0.7, 1.15, (len(tips), 1)) * np.array([1.0, 1.0, 0.72])
    over = tips[:, 2] + size[:, 2] - height_m
    tips = tips - UP * np.maximum(over, 0)[:, None]
    # A leaf spray keeps its share of the crown, else large trees look plucked.
    leaf_m *= 1.3 * max(1.0, spread_m / OAK_M[0])
    foliage, shade = crown(tips, size, rng, leaves, dark=dark, light=light, snow=snow, leaf_m=leaf_m)
    return tree_model(kind, wood, bark_of or bark("#33261c", "#8a715a", 0.6), foliage, shade, height_m, None)


def _oak(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, OAK_M, 0.12, rng)
    autumn = says(item, "autumn", "fall", "maple")
    light = color_of(item, "#c8742c" if autumn else "#7f9a3c")
    dark = "#7a2f16" if autumn else "#2c4318"
    if item.color:
        dark = to_hex(parse_color(light) * 0.4)
    leaves = int(6500 * np.clip(k, 0.6, 1.6))
    model = broadleaf("oak tree", OAK_M[2] * k, OAK_M[0] * k, rng, leaves, dark, light)
    return replace(model, color=item.color or "green")


def _tree(item: Item, rng: np.random.Generator) -> Model:
    if says(item, "dead", "bare", "leafless", "withered"):
        return _dead(item, rng)
    model = _oak(item, rng)
    return replace(model, kind="tree")


def _birch(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, BIRCH_M, 0.15, rng)
    model = broadleaf(
        "birch tree",
        BIRCH_M[2] * k,
        BIRCH_M[0] * k,
        rng,
        3000,
        "#4a5f22",
        color_of(item, "#a8b84e"),
        trunk=0.42,
        girth=0.013,
        forks=4,
        clump=0.24,
        leaf_m=0.13,
        bark_of=birch_bark(),
    )
    return replace(model, color=item.color or "green")


def _olive(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, OLIVE_M, 0.12, rng)
    model = broadleaf(
        "olive tree",
        OLIVE_M[2] * k,
        OLIVE_M[0] * k,
        rng,
        3200,
        "#3d4a34",
        "#9aa886",
        trunk=0.3,
        girth=0.055,
        clump=0.21,
        leaf_m=0.12,
    )
    return replace(model, color="green")


def _blossom(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, BLOSSOM_M, 0.12, rng)
    light = color_of(item, "#f6cbd8")
    dark = "#8f5a68" if not item.color else "#5a4a4a"
    model = broadleaf("cherry tree", BLOSSOM_M[2] * k, BLOSSOM_M[0] * k, rng, 4200, dark, light, leaf_m=0.14)
    return replace(model, color=item.color or "pink")


def _fruit(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, BLOSSOM_M, 0.12, rng)
    model = broadleaf("apple tree", BLOSSOM_M[2] * k, BLOSSOM_M[0] * k, rng, 4200, "#2e4a1c", "#86a444", leaf_m=0.15)
    leaves = model.strands[0]
    pick = rng.choice(len(leaves.roots), 70, replace=False)
    spot = leaves.tips[pick] + leaves.normals[pick] * 0.05
    fruit = Strands(
        roots=spot - UP * 0.05,
        tips=spot + UP * 0.05,
        width_m=np.full(70, 0.036),
        normals=leaves.normals[pick],
        albedo=np.tile(linear("#c8281e"), (70, 1)) * rng.uniform(0.8, 1.1, (70, 1)),
        thin=0.2,
    )
    return replace(model, strands=(leaves, fruit), color="green")


def _palm(item: Item, rng: np.random.Generator) -> Model:
    height = PALM_M[2] * scale_of(item, PALM_M, 0.15, rng)
    lean = rng.uniform(0.08, 0.2) * height
    turn = rng.uniform(0, 2 * np.pi)
    t = np.linspace(0, 1, 12)
    crown_z = height * 0.86
    path = np.column_stack([np.cos(turn) * lean * t**1.7, np.sin(turn) * lean * t**1.7, crown_z * t])
    path[:, :2] -= 0.45 * path[-1, :2]
    radius = 0.021 * height * (1.25 - 0.5 * t + 0.35 * np.exp(-9 * t)) * (1 + 0.05 * (np.arange(12) % 2))
    k = 18
    azimuth = np.arange(k) * 2.39996 + rng.normal(0, 0.15, k)
    climb = np.linspace(1.05, -0.15, k) + rng.normal(0, 0.06, k)
    way = np.column_stack([np.cos(azimuth) * np.cos(climb), np.sin(azimuth) * np.cos(climb), np.sin(climb)])
    lengths = 0.34 * height * rng.uniform(0.85, 1.08, k)
    leaves, shade = fronds(
        np.repeat(path[-1:], k, 0),
        way,
        lengths,
        rng,
        1900,
        dark="#2f4f1c",
        light=color_of(item, "#87a040"),
        droop=0.62,
        leaflet=0.26,
    )
    nuts = path[-1] + np.column_stack([0.16 * np.cos(np.arange(5) * 1.3), 0.16 * np.sin(np.arange(5) * 1.3), np.full(5, -0.2)])
    coconut = Strands(
        roots=nuts - UP * 0.09,
        tips=nuts + UP * 0.09,
        width_m=np.full(5, 0.07),
        albedo=np.tile(linear("#4a3220"), (5, 1)),
        normals=np.tile([0.0, 0.0, 1.0], (5, 1)),
        thin=0.0,
    )
    model = tree_model(
        "palm tree", tube(path, radius, 12), bark("#5a4634", "#a58a68", 0.35), leaves, shade, height, item.color or "green"
    )
    return replace(model, strands=(leaves, coconut))


def _dead(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, DEAD_M, 0.15, rng)
    wood, _ = skeleton(DEAD_M[2] * k, DEAD_M[0] * k, rng, trunk=0.32, girth=0.03, forks=4, levels=3, twist=0.7)
    return tree_model("dead tree", wood, bark("#2b2622", "#7b7067", 0.7), None, None, DEAD_M[2] * k, item.color or "gray")


def _cypress(item: Item, rng: np.random.Generator) -> Model:
    height = 7.0 * scale_of(item, (1.6, 1.6, 7.0), 0.12, rng)
    z = np.linspace(0.14, 0.93, 12) * height
    fat = np.sin(np.pi * np.clip(np.linspace(0.16, 1.0, 12), 0, 1)) ** 0.7 * 0.11 * height
    centers = np.column_stack([rng.normal(0, 0.02 * height, (12, 2)), z])
    radii = np.column_stack([fat, fat, np.full(12, 0.1 * height)])
    leaves, shade = crown(centers, radii, rng, 2600, dark="#1c3018", light=color_of(item, "#4f6e34"), leaf_m=0.16)
    wood = tube([[0, 0, 0], [0, 0, height * 0.4], [0, 0, height * 0.85]], [0.14, 0.1, 0.03], 10)
    return tree_model("cypress", wood, bark(), leaves, shade, height, item.color or "green")


KINDS: tuple[Kind, ...] = (
    Kind(
        name="pine tree",
        synonyms=("pine", "fir", "fir tree", "spruce", "spruce tree", "conifer", "evergreen", "christmas tree"),
        build=pine,
        size_m=PINE_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("tree", "plant"),
    ),
    Kind(
        name="oak tree",
        synonyms=("oak", "maple", "maple tree", "linden", "chestnut tree", "beech", "beech tree", "willow"),
        build=_oak,
        size_m=OAK_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("tree", "plant"),
    ),
    Kind(
        name="tree",
        synonyms=("deciduous tree", "shade tree", "leafy tree"),
        build=_tree,
        size_m=OAK_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("plant",),
    ),
    Kind(
        name="birch tree",
        synonyms=("birch", "aspen", "poplar"),
        build=_birch,
        size_m=BIRCH_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("tree", "plant"),
    ),
    Kind(
        name="palm tree",
        synonyms=("palm", "coconut tree", "coconut palm", "date palm"),
        build=_palm,
        size_m=PALM_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("tree", "plant"),
    ),
    Kind(
        name="dead tree",
        synonyms=("bare tree", "withered tree", "leafless tree"),
        build=_dead,
        size_m=DEAD_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("tree",),
    ),
    Kind(
        name="olive tree",
        synonyms=("olive",),
        build=_olive,
        size_m=OLIVE_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("tree", "plant"),
    ),
    Kind(
        name="cherry tree",
        synonyms=("cherry blossom tree", "blossom tree", "cherry blossom", "magnolia"),
        build=_blossom,
        size_m=BLOSSOM_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("tree", "plant"),
    ),
    Kind(
        name="apple tree",
        synonyms=("fruit tree", "orange tree", "lemon tree", "pear tree"),
        build=_fruit,
        size_m=BLOSSOM_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("tree", "plant"),
    ),
    Kind(
        name="cypress",
        synonyms=("cypress tree",),
        build=_cypress,
        size_m=(1.6, 1.6, 7.0),
        habitat="ground",
        family="outdoor",
        hypernyms=("tree", "plant"),
    ),
)
