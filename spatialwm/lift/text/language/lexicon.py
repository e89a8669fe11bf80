"""Closed classes of English and the descriptive words a scene needs. Data only; the grammar lives elsewhere."""

from __future__ import annotations

from typing import Literal

from spatialwm.geometry.color import COLOR_NAMES


def words(text: str) -> frozenset[str]:
    """A set, written as it is read."""
    return frozenset(text.split())

COLORS = frozenset(COLOR_NAMES)
TINTS = frozenset({"dark", "deep", "light", "pale", "bright"})

MATERIALS: dict[str, str] = {
    **dict.fromkeys(words("wood wooden timber oak pine walnut birch cherry mahogany teak plywood bamboo"), "wood"),
    "metal": "metal", "metallic": "metal", "steel": "steel", "iron": "iron", "brass": "brass", "copper": "copper",
    "bronze": "bronze", "aluminium": "aluminium", "aluminum": "aluminium", "chrome": "chrome", "tin": "tin",
    "stone": "stone", "marble": "marble", "granite": "granite", "limestone": "limestone", "sandstone": "sandstone",
    "slate": "slate", "concrete": "concrete", "brick": "brick", "clay": "clay", "ceramic": "ceramic", "porcelain": "porcelain",
    "terracotta": "terracotta", "glass": "glass", "crystal": "crystal", "plastic": "plastic", "rubber": "rubber",
    "leather": "leather", "fabric": "fabric", "cloth": "fabric", "velvet": "velvet", "linen": "linen", "cotton": "cotton",
    "wool": "wool", "woolen": "wool", "silk": "silk", "canvas": "canvas", "denim": "denim", "suede": "suede",
    "paper": "paper", "cardboard": "cardboard", "wicker": "wicker", "rattan": "rattan", "straw": "straw", "rope": "rope",
}  # fmt: skip
"""Written word -> material. Tree names such as ``oak`` are materials only in front of another noun."""

PROPORTIONS: dict[str, tuple[str, float]] = {
    "tall": ("height", 1.2), "high": ("height", 1.15), "low": ("height", 0.75), "short": ("height", 0.8), "long": ("length",
    1.3),
    "wide": ("width", 1.25), "narrow": ("width", 0.75), "king": ("width", 1.15), "queen": ("width", 1.05),
    "single": ("width", 0.7),
}  # fmt: skip
"""Adjectives that change one dimension, and by what factor of the usual."""

FINE_WOODS = frozenset({"oak", "pine", "walnut", "birch", "cherry", "mahogany", "teak", "bamboo"})
"""Woods worth keeping by name."""

SIZES: dict[str, Literal["large", "small"]] = {
    **dict.fromkeys(words("large big huge giant enormous massive gigantic oversized great"), "large"),
    **dict.fromkeys(words("small little tiny mini miniature compact petite"), "small"),
}  # type: ignore[dict-item]

ADJECTIVES = words(
    """
    round square rectangular oval circular long short tall low high wide narrow thin thick flat curved bent slim deep striped
    floral checkered plaid patterned dotted spotted plain colorful colourful shiny glossy matte polished worn weathered old
    new ancient antique vintage retro modern contemporary minimalist rustic classic classical traditional victorian gothic
    medieval futuristic industrial scandinavian japanese chinese greek roman persian moroccan french english art deco baroque
    cozy cosy comfortable comfy soft plush fluffy fuzzy hard warm cold cool hot bright dim dark light heavy empty full open
    closed broken ruined abandoned dusty dirty clean tidy messy neat elegant simple fancy ornate decorative luxurious
    beautiful pretty lovely nice cute charming quaint quiet calm peaceful serene lush dense sparse wild magical mystical
    enchanted spooky creepy gloomy moody dramatic romantic festive bustling busy crowded lonely sleepy sleeping sunny rainy
    snowy foggy misty cloudy stormy frozen icy wet dry mossy grassy leafy dead fallen green bare single double twin queen king
    triple folding freestanding standing hanging floating rocking sliding swivel adjustable built potted framed painted carved
    woven knitted lit glowing burning flickering illuminated golden silvery various different matching identical similar
    assorted random whole half upside spare main front rear left right upper lower top bottom back inner outer middle central
    far near nearby other stylish sleek tired huge spacious airy tropical autumnal wintry summery low-poly realistic detailed
    cinematic photorealistic typical usual certain own same personal favorite favourite fresh ripe juicy cracked rusty rusted
    tattered faded cheerful happy sad angry friendly fat skinny upright vertical horizontal diagonal proper good great perfect
    bad real fake tiny wall-mounted ceiling-mounted cast wrought
    """
)

NUMBER_WORDS: dict[str, float] = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100, "thousand": 1000, "million": 1_000_000,
}  # fmt: skip
MULTIPLIERS = frozenset({"hundred", "thousand", "million"})

VAGUE_COUNTS: dict[tuple[str, ...], int] = {
    ("a", "pair", "of"): 2, ("pair", "of"): 2, ("a", "couple", "of"): 2, ("couple", "of"): 2, ("a", "couple"): 2,
    ("a", "trio", "of"): 3, ("trio", "of"): 3, ("a", "few"): 3, ("few",): 3, ("some",): 3, ("several",): 4,
    ("a", "handful", "of"): 4, ("a", "number", "of"): 4, ("multiple",): 4, ("various",): 4, ("many",): 6, ("lots", "of"): 6,
    ("a", "lot", "of"): 6, ("plenty", "of"): 6, ("loads", "of"): 6, ("numerous",): 6, ("countless",): 10,
    ("half", "a", "dozen"): 6, ("a", "half", "dozen"): 6, ("a", "dozen"): 12, ("dozen",): 12, ("dozens", "of"): 24,
    ("both",): 2, ("twin",): 2,
}  # fmt: skip
"""Counts that are not numbers. ``of`` may follow any of them."""

PLURAL_COUNT = 3
"""How many a bare plural (``chairs``) stands for."""

COLLECTIVES: dict[str, tuple[str, int]] = {
    "row": ("in_row", 3), "line": ("in_row", 3), "column": ("in_row", 3), "circle": ("in_circle", 5), "ring": ("in_circle", 5),
    "stack": ("stacked", 3), "pile": ("stacked", 3), "tower": ("stacked", 3), "group": ("", 3), "set": ("", 3),
    "cluster": ("", 4), "bunch": ("", 3), "collection": ("", 4), "family": ("", 3), "herd": ("", 4), "flock": ("", 4),
    "grove": ("", 5), "array": ("", 4), "gathering": ("", 3), "assortment": ("", 4), "patch": ("", 4), "bed": ("", 5),
}  # fmt: skip
"""Before ``of``: the relation that its members share, and how many they are when nobody says."""

DEFINITE = words(
    """
    the this that these those its his her their my your our both said
    """
)
INDEFINITE = frozenset({"a", "an"})
ANOTHER = frozenset({"another", "other", "additional", "extra", "more"})
EACH = frozenset({"each", "every", "all"})
PRONOUNS = frozenset({"it", "them", "him", "her", "they", "itself", "themselves", "one", "ones"})
ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "last": -1}
NEGATIONS = frozenset({"no", "without", "neither", "never", "lacking", "minus", "excluding", "except"})
NEGATIONS_AFTER = frozenset({"nor"})

HAS = words(
    """
    with has have having had contains contain containing holds holding hold includes include including featuring features
    carrying carries boasts bearing supporting full filled decorated furnished equipped selling sells
    """
)
"""Words after which comes what the thing before them has."""

FULL_COUNT = 6
"""How many ``full of plants`` stands for."""

VERBS = words(
    """
    is are be was were being been am do does did stand stands stood standing sit sits sat sitting seated lie lies lying laid
    lay laying hang hangs hung hanging rest rests resting rested lean leans leaning leant leaned place placed places put set
    sets setting park parked mount mounted attach attached arrange arranged arranges mark marks marking sleep sleeps asleep
    grow grows growing run runs running walk walks walking play plays playing float floats floating swim swims swimming fly
    flies flying moor moored anchored tied sell sells graze grazes grazing look looks looking watch watches watching wait
    waits waiting make makes made create creates created build builds built generate show shows showing shown give gives need
    needs want wants like likes would should could can may might must will shall let lets add adds imagine picture see seen
    find found located situated positioned lined line scattered spread surrounded go goes going come comes coming keep keeps
    feel feels pick burn burns shine shines shining glow glows fall falls falling rise rises rising stay stays appear appears
    seem seems become occupies occupy dominates dominate overlooks overlook use uses used using wear wears wearing draw drawn
    paint render design describe perched nestled tucked propped balanced crouches crouching crouched naps napping dozing dozes
    curled rises moves remains remain runs gathered hidden hides hide remove move change swap turn delete replace insert
    please dont isnt arent thats theres
    """
)

FILLERS = words(
    """
    i'd i'm i'll i've we'd we're you're they're don't isn't aren't doesn't can't won't let's
    a an the and there here very really quite so just only too also even still already maybe perhaps about around roughly
    approximately exactly nearly almost that which who whose where when while as if i me my we us our you your he she his him
    to for from of at in on by into onto up down off out over not please scene image picture-of photo view style styled
    setting atmosphere vibe mood feeling look kind sort type bit lot something anything everything nothing someone anywhere
    everywhere nowhere somewhere together apart again now then once always often sometimes usually neatly obviously clearly
    slightly directly immediately right ok okay hello hi thanks thank yes but however though although because since until than
    such much more most less least own any some many few several other others etc eg ie s t
    """
)

ABSTRACT = words(
    """
    scene image picture photo view style setting atmosphere vibe mood feeling feel look kind sort type bit lot thing stuff
    something everything nothing place space area spot region part piece side end edge corner middle center centre front back
    top bottom left right background foreground distance outside inside inch meter metre foot cm m mm ft height width length
    tall size color colour shape material theme design decor decoration interior exterior world environment render art day
    night morning evening afternoon dusk dawn noon midnight sunset sunrise time hour twilight season winter summer spring
    autumn fall rain snow fog mist weather storm sunshine sunlight moonlight starlight daylight light shadow air breeze wind
    sky cloud smoke ground floor ceiling wall roof grass sand dirt room way order arrangement row line circle ring grid stack
    pile group pair couple dozen number layout center-piece sense touch hint mix variety version setup people person somebody
    level story one two poly star sun minute second moment use home scenery landscape horizon
    """
)
"""Nouns that ask for no object of their own."""

STRUCTURE = words(
    """
    wall floor ceiling ground room corner center middle roof grass sand sky
    """
)
"""Parts of the place that things relate to."""

WEATHERS: dict[str, str] = {
    **dict.fromkeys(words("rain rainy raining drizzle drizzling downpour rainstorm"), "rain"),
    **dict.fromkeys(words("snow snowy snowing snowfall blizzard snowstorm winter wintry"), "snow"),
    **dict.fromkeys(words("fog foggy mist misty haze hazy"), "fog"),
    **dict.fromkeys(words("storm stormy thunderstorm thunder lightning"), "storm"),
    **dict.fromkeys(words("overcast cloudy clouded gray-sky"), "overcast"),
    **dict.fromkeys(words("sunny clear sunshine sunlit"), "clear"),
}  # fmt: skip
TIMES: dict[str, str] = {
    **dict.fromkeys(words("night nighttime midnight moonlit moonlight starry starlit nocturnal"), "night"),
    **dict.fromkeys(words("dawn sunrise daybreak"), "dawn"), "morning": "morning",
    **dict.fromkeys(words("noon midday daytime"), "day"), "afternoon": "afternoon",
    **dict.fromkeys(words("sunset sundown"), "sunset"), **dict.fromkeys(words("dusk twilight"), "dusk"), "evening": "evening",
}  # fmt: skip

IRREGULAR_PLURALS: dict[str, str] = {
    "knives": "knife", "shelves": "shelf", "leaves": "leaf", "loaves": "loaf", "wolves": "wolf", "mice": "mouse",
    "geese": "goose",
    "teeth": "tooth", "feet": "foot", "children": "child", "men": "man", "women": "woman", "dice": "die", "people": "person",
    "axes": "axe", "buses": "bus", "pies": "pie", "ties": "tie", "cookies": "cookie", "scarves": "scarf", "halves": "half",
    "cacti": "cactus", "cactuses": "cactus",
    "oxen": "ox", "tomatoes": "tomato", "tomatos": "tomato", "potatoes": "potato", "mangoes": "mango",
    "torches": "torch", "canoes": "canoe", "shoes": "shoe", "movies": "movie", "lenses": "lens", "houses": "house",
    "horses": "horse",
    "vases": "vase", "roses": "rose", "cases": "case", "bookcases": "bookcase", "fireplaces": "fireplace", "sheep": "sheep",
    "snowmen": "snowman", "candies": "candy", "axis": "axis", "calves": "calf", "dominoes": "domino", "volcanoes": "volcano",
}  # fmt: skip
UNCOUNTED_S = words(
    """
    grass glass moss bus gas lens compass canvas couscous iris chess dress mattress mars paris christmas its this his always
    has is was does less plus yes across stairs scissors pants jeans headphones binoculars
    """
)
SPELLINGS: dict[str, str] = {
    "gray": "grey", "harbour": "harbor", "theatre": "theater", "centre": "center", "colour": "color", "cosy": "cozy",
    "coffe": "coffee",
    "parlour": "parlor", "armour": "armor", "plough": "plow", "telly": "tv", "television": "tv", "tellies": "tv",
    "cofee": "coffee",
    "refridgerator": "refrigerator", "matress": "mattress", "chandalier": "chandelier", "pillar": "column",
}  # fmt: skip
"""Other spellings -> the one the tables use."""
