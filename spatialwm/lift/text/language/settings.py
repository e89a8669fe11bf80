"""Kinds of place a sentence may name, and what usually fills them. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A kind of place."""

    name: str
    synonyms: tuple[str, ...] = ()
    family: Literal["indoor", "outdoor"]
    signs: tuple[str, ...] = ()
    """Kinds that give the place away when nobody names it."""
    usual: tuple[tuple[str, int], ...] = ()
    """Kinds that belong there, most essential first, with how many."""


def _in(name: str, synonyms: str = "", usual: str = "", signs: str = "") -> Setting:
    return _make(name, "indoor", synonyms, usual, signs)


def _out(name: str, synonyms: str = "", usual: str = "", signs: str = "") -> Setting:
    return _make(name, "outdoor", synonyms, usual, signs)


def _make(name: str, family: Literal["indoor", "outdoor"], synonyms: str, usual: str, signs: str) -> Setting:
    counted = tuple((k.rstrip("0123456789 ").strip(),
    int("".join(c for c in k if c.isdigit()) or 1)) for k in usual.split("|") if k)
    return Setting(
        name=name, family=family, usual=counted,
        synonyms=tuple(s for s in synonyms.split("|") if s), signs=tuple(s for s in signs.split("|") if s),
    )  # fmt: skip


SETTINGS: tuple[Setting, ...] = (
    _in("living room", "lounge|sitting room|family room|den|drawing room|parlor|apartment|flat|house interior|loft",
        "sofa|coffee table|rug|floor lamp|picture|plant|bookshelf", "sofa|armchair|fireplace|coffee table|tv"),
    _in("bedroom", "guest room|master bedroom|hotel room|dorm room|dorm|guest bedroom",
        "bed|nightstand 2|rug|picture|wardrobe|table lamp 2|plant", "bed|nightstand|wardrobe"),
    _in("kids room", "kid room|nursery|playroom|children room|child room|child bedroom|kids bedroom|boy room|girl room",
        "bed|rug|teddy|ball|picture|bookshelf"),
    _in("kitchen", "kitchenette", "stove|fridge|sink|cabinet|table|chair 2|pendant lamp", "stove|fridge"),
    _in("dining room", "dining area", "table|chair 4|rug|pendant lamp|picture|cabinet"),
    _in("bathroom", "washroom|restroom|shower room|toilet room", "bathtub|sink|toilet|mirror|plant", "bathtub|toilet"),
    _in("office", "study|home office|workspace|workplace|work room|cubicle",
        "desk|chair|bookshelf|laptop|rug|plant|picture", "desk|monitor|keyboard|laptop"),
    _in("library", "reading room|library reading room", "bookshelf 3|table|chair 2|rug|floor lamp|globe"),
    _in("classroom", "schoolroom|school room|lecture room", "desk 4|chair 4|globe|clock"),
    _in("cafe", "coffee shop|coffeehouse|bistro|tea room|diner|restaurant|bar|pub|tavern",
        "table 2|chair 4|plant|picture|pendant lamp"),
    _in("cabin", "log cabin|cottage|hut|lodge|chalet|farmhouse", "sofa|rug|coffee table|bookshelf|floor lamp|picture"),
    _in("hallway",
        "corridor|hall|entryway|foyer|lobby|spaceship corridor|museum hall|museum|gallery|art gallery|exhibition hall",
        "rug|bench|picture|plant"),
    _in("attic", "loft room|basement|cellar", "box 3|crate|rug|floor lamp"),
    _in("workshop", "studio|art studio|artist studio|lab|laboratory|shed", "table|stool|cabinet|crate"),
    _in("warehouse", "storeroom|storage room|stockroom|depot|factory|hangar", "crate 4|box 3"),
    _in("garage", "", "crate|box 2|cabinet"),
    _in("laundry room", "utility room", "cabinet|sink"),
    _in("greenhouse", "glasshouse|conservatory|sunroom|winter garden", "plant 5|table|stool"),
    _in("dungeon", "dungeon cell|prison cell|cell|crypt|vault", "bench|candle 2|barrel"),
    _in("throne room", "castle hall|great hall|church|chapel|temple hall|ballroom", "chandelier|rug|bench 2"),
    _in("shop", "store|bookstore|bookshop|boutique|bakery|market hall", "bookshelf 2|table|cabinet|plant"),
    _in("room", "interior|chamber|empty room", "rug|picture|plant"),
    _out("forest clearing", "clearing|glade|forest glade|woodland clearing|campsite|camp|camping site|campground",
         "pine tree 9|bush 4|rock 3|mushroom 3|log", "campfire|tent|mushroom|log"),
    _out("forest", "wood|woods|woodland|pine forest|pinewood|jungle|rainforest|oak forest|grove|low poly forest",
         "pine tree 12|bush 5|rock 4|mushroom 4|log", "pine tree"),
    _out("lakeside", "lake shore|lakeshore|lake side|riverbank|riverside|mountain lake|shore|waterside|pond side",
         "lake|pine tree 8|rock 4|bush 3", "lake|boat"),
    _out("meadow", "field|grassland|prairie|hill|hillside|valley|pasture|plain|steppe|countryside",
        "flower 6|bush 3|oak tree 3|rock 2", "oak tree"),
    _out("garden", "backyard|yard|back yard|front yard|lawn|courtyard|patio|terrace|orchard", "bush 4|flower 6|oak tree 2|path",
         "flower|bench|fence"),
    _out("park", "city park|public park", "oak tree 5|bench 2|bush 3|path|flower 4", "oak tree|bench|street lamp"),
    _out("mountain", "mountains|mountainside|alpine meadow|mountain valley|mountain pass", "rock 6|pine tree 6|bush 2"),
    _out("village", "hamlet|medieval village|town|town square|market square|square|market|medieval market|plaza",
        "cabin 2|well|barrel 2|oak tree 3"),
    _out("farm", "farmyard|ranch|barnyard", "fence|cabin|barrel|oak tree 3|bush 2"),
    _out("beach", "seaside|coast|seashore|shoreline", "rock 4|boat"),
    _out("desert", "dunes|mars|moon|mars surface|wasteland|canyon|savanna", "rock 6"),
    _out("street",
        "city street|road|city|alley|neighborhood|suburb|gas station|petrol station|bus stop|train station|parking lot",
        "lantern 3|bench|oak tree 2"),
    _out("graveyard", "cemetery|churchyard", "oak tree 2|rock 5|fence|bush 2"),
    _out("playground", "", "bench 2|oak tree 3|bush 3"),
    _out("harbor", "port|dock|pier side|marina|quay", "lake|boat 2|barrel 3|rock 3"),
    _out("swamp", "marsh|bog", "lake|bush 5|log 2|oak tree 3"),
    _out("snowfield", "tundra|winter landscape|winter wonderland", "pine tree 6|rock 3"),
    _out("balcony", "rooftop|roof terrace|veranda|deck", "plant 2|lantern"),
    _out("landscape", "outdoor scene|outdoors|nature|wilderness", "oak tree 4|bush 3|rock 3|flower 4"),
)  # fmt: skip
"""Indoor places first; earlier rows win ties when a place is guessed from its things."""

GREEN = frozenset({"meadow", "garden", "mountain", "forest clearing", "forest", "lakeside", "landscape"})
"""Places whose usual flowers and leafy bushes have no place in snow."""

DEFAULT = {"indoor": "room", "outdoor": "meadow"}
