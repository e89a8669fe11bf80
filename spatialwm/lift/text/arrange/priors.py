"""What interior designers and foresters would do when nobody says: pairs, heights, homes, free space. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habit:
    """``subject`` usually stands so with respect to ``object``."""

    subject: str
    relation: str
    """A key of ``predicates.PAIR``, or ``head`` or ``foot`` of a bed."""
    object: str
    weight: float = 4.0


ROLES: dict[str, str] = {
    "log cabin": "cabin", "house": "cabin", "barn": "cabin", "boulder": "rock", "cairn": "rock", "tree stump": "log",
    "console table": "cabinet",
    "counter": "cabinet", "dresser": "cabinet", "office chair": "chair", "dining chair": "chair", "rocking chair": "armchair",
    "ottoman": "stool", "cypress": "pine tree", "fern": "bush", "cactus": "bush", "desk lamp": "table lamp", "cup": "mug",
    "glass": "mug",
    "stack of books": "book", "picnic table": "table", "dining table": "table", "pond": "lake", "teddy bear": "teddy",
    "wardrobe": "wardrobe",
}  # fmt: skip
"""Kinds that behave like another one that the tables below know."""


def role(kind: str) -> str:
    """The name under which the tables below know a kind."""
    if kind in ROLES:
        return ROLES[kind]
    if kind.split()[-1] == "tree" and kind != "pine tree":
        return "oak tree"
    return kind


HABITS: tuple[Habit, ...] = tuple(
    Habit(*(p.strip() for p in row.split(",")))  # pyright: ignore[reportArgumentType]
    for row in """
    coffee table, centered, sofa | coffee table, centered, armchair | rug, beneath, coffee table | rug, beneath, table
    rug, beside_bed, bed | rug, before, sofa | rug, beside_bed, desk | armchair, around, coffee table
    armchair, around, fireplace | armchair, near, sofa | sofa, aside, fireplace | sofa, screen, tv | cabinet, screen, sofa
    floor lamp, next_to, sofa | floor lamp, next_to, armchair | floor lamp, near, bed | floor lamp, near, desk
    nightstand, flank, bed | chair, seat, desk | chair, seat, table | stool, seat, table | stool, seat, desk
    bench, seat, table | picture, over, sofa | picture, over, bed | picture, over, fireplace | picture, over, desk
    picture, over, cabinet | mirror, over, sink | mirror, over, cabinet | clock, over, fireplace | clock, over, desk
    mirror, over, fireplace | curtain, near, window | pendant lamp, over, table | pendant lamp, over, coffee table
    chandelier, over, table | pillow, head, bed | teddy, head, bed | blanket, foot, bed | keyboard, before, monitor
    keyboard, before, laptop | mouse, right_of, keyboard | side table, flank, sofa | side table, flank, armchair
    side table, near, bed | firewood, near, campfire | stool, near, armchair | log, around, campfire
    bench, around, campfire | chair, around, campfire | tent, camp, campfire | cabin, camp, campfire | lantern, near, tent
    lantern, near, bench | bench, near, lake | boat, on_top, lake | barrel, next_to, cabin | well, camp, cabin
    mushroom, near, log | mushroom, near, rock | mushroom, near, pine tree | flower, near, rock | flower, near, bush
    bush, near, pine tree | bush, near, oak tree | signpost, near, path | bench, near, path | rock, near, lake
    dog, near, sofa | cat, near, rug | ball, near, rug | toilet, near, sink | stove, flank, sink | cabinet, flank, stove
    fridge, flank, cabinet | fridge, flank, stove
    """.replace("\n", "|").split("|")
    if row.count(",") == 2
)
"""Earlier rows of one subject win; each subject follows the first habit whose object is there."""

CORNERS = {"plant": 3.0, "floor lamp": 1.0, "bookshelf": 0.6, "wardrobe": 0.8, "barrel": 1.0, "crate": 1.0, "box": 1.0}
"""Kinds drawn to corners, and how strongly."""

WALL_HEIGHT_M = {
    "picture": 1.55, "mirror": 1.5, "clock": 1.85, "window": 1.5, "curtain": 1.25, "tv": 1.3, "candle": 1.7, "lantern": 1.7,
    "torch": 1.7, "wall lamp": 1.75,
    "bookshelf": 1.5, "cabinet": 1.7,
}  # fmt: skip
"""Height of the middle of what hangs on a wall; 1.6 otherwise."""

HOMES: dict[str, tuple[str, ...]] = {
    "monitor": ("desk", "table"), "laptop": ("desk", "table", "coffee table"), "keyboard": ("desk", "table"),
    "mouse": ("desk", "table"),
    "table lamp": ("nightstand", "desk", "cabinet", "table"), "tv": ("cabinet", "table"), "pillow": ("bed", "sofa",
    "armchair", "chair"),
    "blanket": ("bed", "sofa", "armchair"), "teddy": ("bed", "chair", "armchair"), "book": ("coffee table", "bookshelf",
    "nightstand"),
    "globe": ("desk", "bookshelf", "table"), "teapot": ("coffee table", "table", "stove"), "candle": ("coffee table", "table"),
    "vase": ("table", "coffee table", "cabinet", "nightstand"), "clock": ("nightstand", "cabinet"), "bowl": ("table",
    "coffee table"),
}  # fmt: skip
"""Where small things go when nobody says, best first."""
TABLEWARE = frozenset({"mug", "bowl", "plate", "bottle", "apple", "teapot", "vase", "book", "candle", "laptop"})
"""What is put on a table even outdoors."""
ANY_HOME = ("table", "coffee table", "side table", "desk", "cabinet", "nightstand", "bookshelf", "stove", "bench", "crate",
"log", "rock")

SPOTS: dict[str, tuple[float, float]] = {
    "monitor": (0.0, 0.75), "laptop": (0.0, 0.0), "keyboard": (0.0, -0.35), "mouse": (0.45, -0.35), "table lamp": (-0.8, 0.7),
    "tv": (0.0, 0.2), "vase": (0.0, 0.0), "pillow": (0.0, 0.9), "globe": (0.8, 0.7), "teapot": (-0.2, 0.1), "bowl": (0.1, 0.0),
    "plant": (0.8, 0.6), "clock": (0.6, 0.5), "candle": (0.3, 0.1),
}  # fmt: skip
"""Favourite place on a surface: right and back as -1..1 from its middle, seen by who uses it."""

ANCHORS = frozenset({"sofa", "bed", "desk", "fireplace", "bathtub", "stove"})
"""They give a room its axis: in the middle of a wall, looking at who comes in."""

FRONT_SPACE_M = {
    "sofa": 0.45, "bed": 0.5, "wardrobe": 0.7, "fridge": 0.8, "stove": 0.8, "sink": 0.6, "toilet": 0.6, "bathtub": 0.6,
    "desk": 0.7,
    "bookshelf": 0.6, "cabinet": 0.6, "fireplace": 1.0, "armchair": 0.4, "door": 0.9, "tent": 1.2, "cabin": 2.0,
}  # fmt: skip
"""Free floor wanted before the front."""

FLAT = frozenset({"rug", "path", "lake"})
"""Others may stand on them or beside, but they take no room."""
WET = frozenset({"lake"})
"""Flat, but nothing stands in it unasked."""
CROWNS = {"pine tree": 0.3, "oak tree": 0.3}
"""Share of the footprint that is solid near the ground."""
SCENERY = frozenset({"bush", "rock", "mushroom", "flower", "fence", "log"}) | {"pine tree", "oak tree"}
EDGE_OF_CLEARING = {"pine tree": 1.0, "oak tree": 1.0, "bush": 0.75, "rock": 0.55, "fence": 0.95, "lake": 0.8, "cabin": 0.6}
"""Wanted distance from the middle, as a share of the half extent: the forest frames the clearing."""
RING_GAP_M = {"campfire": 0.7, "well": 1.0, "lake": 0.4}
"""Free space between a centre and those around it; 0.06 for tables."""

ROOMS_M: dict[str, tuple[float, float, float]] = {
    "living room": (5.0, 4.6, 2.7), "bedroom": (4.4, 4.2, 2.6), "kitchen": (4.4, 4.0, 2.6), "bathroom": (3.4, 3.2, 2.5),
    "office": (4.2, 3.8, 2.6), "library": (6.0, 5.5, 3.2), "classroom": (8.0, 7.0, 3.0), "cafe": (7.0, 6.0, 3.0),
    "warehouse": (12.0, 10.0, 5.0), "garage": (7.0, 6.5, 2.8), "hallway": (7.0, 4.0, 3.0), "throne room": (10.0, 8.0, 5.0),
}  # fmt: skip
"""Usual width, length and height of rooms; (4.4, 4.2, 2.6) otherwise."""
