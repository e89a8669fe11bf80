"""How rooms of each sort look: walls, floor, size. Data, with the choice by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from spatialwm.lift.text.surface.finish import canonical, known_color
from spatialwm.lift.text.surface.materials import SPECIES

WallFinish = Literal["plaster", "bricks", "planks", "tiles", "stone", "paneling"]
FloorFinish = Literal["planks", "tiles", "chess", "carpet", "stone", "concrete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomStyle:
    """Surfaces and proportions of one sort of room."""

    wall: str
    wall_finish: WallFinish = "plaster"
    floor: str = "oak"
    """A wood for planks, else a colour."""
    floor_finish: FloorFinish = "planks"
    ceiling: str = "#e9e3d6"
    trim: str = "#e8e2d4"
    curtain: str | None = "#b58a5a"
    size_m: tuple[float, float] = (5.4, 4.8)
    height_m: float = 2.65
    window: bool = True


STYLES: dict[str, RoomStyle] = {
    "living room": RoomStyle(wall="#a3ad97", floor="dark oak"),
    "bedroom": RoomStyle(wall="#8e9db4", floor="oak", curtain="#c9b9a4", size_m=(5.0, 4.6)),
    "kitchen": RoomStyle(wall="#d9cba6", floor="#d7d2c6", floor_finish="chess", curtain=None, size_m=(4.8, 4.4)),
    "bathroom": RoomStyle(
        wall="#bcd0d0", wall_finish="tiles", floor="#6f7f86", floor_finish="chess", curtain=None, size_m=(4.0, 3.6)
    ),
    "dining room": RoomStyle(wall="#a8674f", floor="dark oak", curtain="#d8c7a2", size_m=(5.4, 4.8)),
    "office": RoomStyle(wall="#8a978f", floor="oak", curtain=None, size_m=(5.0, 4.4)),
    "study": RoomStyle(wall="#44584c", floor="dark oak", curtain="#7a3a2a", size_m=(4.8, 4.4)),
    "library": RoomStyle(wall="#3d5146", floor="dark oak", curtain="#6a2622", size_m=(6.0, 5.2), height_m=3.1),
    "classroom": RoomStyle(wall="#d8d3b8", floor="oak", curtain=None, size_m=(7.2, 6.2), height_m=3.0),
    "cafe": RoomStyle(wall="#8c4c36", wall_finish="bricks", floor="dark oak", curtain=None, size_m=(6.4, 5.4), height_m=3.0),
    "restaurant": RoomStyle(wall="#7c3b35", floor="dark oak", curtain="#c8b184", size_m=(6.8, 5.8), height_m=3.0),
    "hallway": RoomStyle(wall="#c6b89a", floor="oak", curtain=None, size_m=(4.0, 6.0)),
    "cabin": RoomStyle(wall="teak", wall_finish="planks", floor="oak", ceiling="#8a6238", curtain="#9a3b2c", trim="#5a3b20"),
    "attic": RoomStyle(wall="pine", wall_finish="planks", floor="oak", ceiling="#b08a58", curtain=None, trim="#7a5730"),
    "nursery": RoomStyle(wall="#e2b9ae", floor="oak", curtain="#e8dcc0", size_m=(4.6, 4.2)),
    "garage": RoomStyle(
        wall="#b4b0a6", floor="#85837d", floor_finish="concrete", curtain=None, size_m=(6.4, 5.6), trim="#9a978e"
    ),
    "basement": RoomStyle(
        wall="#8d8a84", wall_finish="stone", floor="#77756f", floor_finish="concrete", curtain=None, trim="#6a6862"
    ),
    "gallery": RoomStyle(wall="#e4e1da", floor="oak", curtain=None, size_m=(7.0, 6.0), height_m=3.4),
    "workshop": RoomStyle(wall="#9a5a40", wall_finish="bricks", floor="#85827a", floor_finish="concrete", curtain=None,
                          size_m=(6.0, 5.2)),
    "castle": RoomStyle(wall="#8a8378", wall_finish="stone", floor="#6d685f", floor_finish="stone", curtain="#6a1f1f",
                        size_m=(7.0, 6.2), height_m=3.8, trim="#5c564c"),
    "shop": RoomStyle(wall="#cfd3c4", floor="#b9b4a6", floor_finish="tiles", curtain=None, size_m=(6.6, 5.6), height_m=3.0),
    "gym": RoomStyle(wall="#c4c8cb", floor="oak", curtain=None, size_m=(8.0, 7.0), height_m=3.6),
    "room": RoomStyle(wall="#bcae90", floor="oak"),
}  # fmt: skip

_MEANS: dict[str, str] = {
    "lounge": "living room", "sitting room": "living room", "parlor": "living room", "parlour": "living room", "den": "study",
    "apartment": "living room", "studio apartment": "living room", "loft": "cafe", "restroom": "bathroom",
    "washroom": "bathroom", "coffee shop": "cafe", "coffeehouse": "cafe", "café": "cafe", "bar": "restaurant",
    "pub": "restaurant",
    "diner": "restaurant", "bistro": "restaurant", "home office": "office", "workspace": "office", "meeting room": "office",
    "conference room": "office", "corridor": "hallway", "hall": "castle", "lobby": "gallery", "lodge": "cabin",
    "log cabin": "cabin",
    "kids room": "nursery", "children's room": "nursery", "playroom": "nursery", "child's bedroom": "nursery",
    "cellar": "basement",
    "dungeon": "castle", "throne room": "castle", "museum": "gallery", "art gallery": "gallery", "exhibition": "gallery",
    "art studio": "workshop", "studio": "workshop", "lab": "office", "laboratory": "office", "store": "shop",
    "bookstore": "library",
    "bookshop": "library", "supermarket": "shop", "bakery": "shop", "school": "classroom", "lecture hall": "classroom",
    "warehouse": "garage", "barn": "cabin", "cottage": "cabin", "hotel room": "bedroom", "guest room": "bedroom",
    "reading room": "library", "reading nook": "library", "chapel": "castle", "church": "castle", "greenhouse": "shop",
    "entryway": "hallway", "foyer": "hallway", "laundry room": "bathroom", "pantry": "kitchen", "hospital room": "shop",
}  # fmt: skip


_WALLS: dict[str, WallFinish] = {"bricks": "bricks", "stone": "stone", "tiles": "tiles", "marble": "tiles", "plaster": "plaster"}
_FLOORS: dict[str, FloorFinish] = {"tiles": "tiles", "marble": "tiles", "stone": "stone", "wool": "carpet", "fabric": "carpet"}


def finished(style: RoomStyle, finishes: tuple[tuple[str, str], ...]) -> RoomStyle:
    """The style with wishes about its surfaces: ``("wall", "brick")``, ``("floor", "oak")``, ``("wall", "blue")``."""
    for where, wish in finishes:
        word = wish.lower().strip()
        color, material = known_color(word), canonical("wool" if word == "carpet" else word)
        if where.startswith("wall"):
            if material in SPECIES:
                style = replace(style, wall=material, wall_finish="planks")
            elif material in _WALLS:
                kept = {"bricks": "#8c4630", "stone": "#8a8378", "tiles": "#d9dbd6", "marble": "#e4e0d8"}.get(
                    material, style.wall
                )
                style = replace(style, wall=kept, wall_finish=_WALLS[material])
            elif color:
                plain = "plaster" if style.wall_finish == "planks" else style.wall_finish
                style = replace(style, wall=color, wall_finish=plain)
        elif where.startswith("floor"):
            if material in SPECIES:
                style = replace(style, floor=material, floor_finish="planks")
            elif material in _FLOORS:
                base = "#b9a98a" if _FLOORS[material] == "carpet" else "#b9b4a6"
                style = replace(style, floor=base, floor_finish=_FLOORS[material])
            elif word == "concrete":
                style = replace(style, floor="#85837d", floor_finish="concrete")
            elif color:
                style = replace(
                    style, floor=color, floor_finish="carpet" if style.floor_finish == "planks" else style.floor_finish
                )
        elif where.startswith("ceiling") and color:
            style = replace(style, ceiling=color)
        elif where.startswith("curtain") and color:
            style = replace(style, curtain=color)
    return style


def style_of(place: str) -> RoomStyle:
    """The style whose name, or a name that means it, is contained in ``place``; a plain room otherwise."""
    words = place.lower().strip()
    for name in (words, *sorted({*STYLES, *_MEANS}, key=len, reverse=True)):
        if name in words and (name in STYLES or name in _MEANS):
            return STYLES[_MEANS.get(name, name)]
    return STYLES["room"]
