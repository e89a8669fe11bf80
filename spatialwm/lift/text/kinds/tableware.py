"""Small things that stand on tables: mugs, bowls, bottles, books, fruit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Model, Part, Surface, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, finish_item, known_color
from spatialwm.lift.text.surface.noise import fbm, linear, mix
from spatialwm.lift.text.surface.solids import box, cylinder, disc, join, lathe, rod, slab, sphere, tube

MUG_M = (0.115, 0.085, 0.097)
BOOK_M = (0.24, 0.17, 0.03)
BINDINGS = ("#274060", "#8a3b24", "#3f5a3a", "#6b2420", "#3b2a3f", "#8a6a2e", "#1f4a50")


def mug(item: Item, rng: np.random.Generator) -> Model:
    """A mug with a handle at +X and coffee in it."""
    w, d, h = measures(item, MUG_M)
    r = d / 2
    glaze = finish_item(item, "ceramic", "#d8d4c8")
    k = h / 0.097
    body = lathe(
        [
            (1e-4, 0.004),
            (r * 0.7, 0.004),
            (r * 0.8, 0),
            (r * 0.9, 0.004),
            (r * 0.965, 0.02 * k),
            (r * 0.99, 0.06 * k),
            (r, 0.094 * k),
            (r * 0.965, h),
            (r * 0.9, 0.094 * k),
            (r * 0.89, 0.06 * k),
            (r * 0.87, 0.015 * k),
            (1e-4, 0.010),
        ],
        40,
    )
    a = np.linspace(-1.25, 1.25, 14)
    reach = w - d
    handle = tube(
        np.c_[r * 0.93 + reach * (np.cos(a) - np.cos(1.25)) / (1 - np.cos(1.25)), 0 * a, 0.52 * h + 0.32 * h * np.sin(a)],
        0.0055 * k,
        10,
    )
    x = -(w - d) / 2
    return Model(
        kind="mug",
        mass_kg=0.35,
        color=glaze.color or "white",
        material=glaze.name,
        parts=(
            part("body", [body.moved(x), handle.moved(x)], glaze.material, 0.0030),
            part(
                "coffee", disc(r * 0.89, h * 0.82, 32).moved(x), m.plain("#2a140a", 0.8, 0.1), 0.004, smooth=False, collides=False
            ),
        ),
    )


def cup(item: Item, rng: np.random.Generator) -> Model:
    """A tea cup on its saucer; a straight drinking glass when of glass."""
    if item.material in ("glass", "crystal") or says(item, "glass", "wine"):
        return drinking_glass(item, rng)
    w, _, h = measures(item, (0.14, 0.14, 0.075))
    glaze = finish_item(item, "ceramic", "#dcd8cd")
    r = w * 0.3
    saucer = lathe(
        [(1e-4, 0), (w * 0.28, 0), (w * 0.48, 0.012), (w / 2, 0.016), (w * 0.47, 0.017), (w * 0.26, 0.007), (1e-4, 0.007)], 40
    )
    z = 0.008
    bowl = lathe(
        [
            (1e-4, z),
            (r * 0.55, z),
            (r * 0.6, z + 0.006),
            (r * 0.9, z + (h - z) * 0.45),
            (r, h),
            (r * 0.95, h),
            (r * 0.84, z + (h - z) * 0.45),
            (r * 0.5, z + 0.012),
            (1e-4, z + 0.012),
        ],
        36,
    )
    a = np.linspace(-1.2, 1.2, 12)
    handle = tube(np.c_[r * 0.9 + 0.02 * np.cos(a), 0 * a, z + (h - z) * 0.55 + 0.018 * np.sin(a)], 0.003, 8)
    return Model(
        kind="cup",
        mass_kg=0.25,
        color=glaze.color or "white",
        material=glaze.name,
        parts=(
            part("cup", [saucer, bowl, handle], glaze.material, 0.0032),
            part("tea", disc(r * 0.88, h * 0.85, 28), m.plain("#6b3413", 0.8, 0.1), 0.004, smooth=False, collides=False),
        ),
    )


def drinking_glass(item: Item, rng: np.random.Generator) -> Model:
    """A tumbler, or a stemmed wine glass."""
    wine = says(item, "wine", "champagne", "goblet", "chalice")
    w, _, h = measures(item, (0.085, 0.085, 0.21) if wine else (0.075, 0.075, 0.12))
    skin = finish("glass", item.color, item.material if item.material not in ("glass", None) else None)
    r = w / 2
    if wine:
        profile = [
            (1e-4, 0),
            (r * 0.85, 0),
            (r * 0.8, 0.005),
            (0.006, 0.014),
            (0.004, h * 0.42),
            (r * 0.55, h * 0.5),
            (r, h * 0.7),
            (r * 0.85, h),
            (r * 0.81, h),
            (r * 0.94, h * 0.7),
            (r * 0.5, h * 0.52),
            (1e-4, h * 0.5),
        ]
    else:
        profile = [(1e-4, 0), (r * 0.82, 0), (r * 0.86, 0.005), (r, h), (r * 0.95, h), (r * 0.82, 0.012), (1e-4, 0.012)]
    parts = [part("glass", lathe(profile, 36), skin.material, 0.0036, opacity=0.72)]
    if wine:
        parts.append(
            part("wine", disc(r * 0.88, h * 0.68, 28), m.plain("#4a0d18", 0.8, 0.1), 0.004, smooth=False, collides=False)
        )
    return Model(kind="glass", mass_kg=0.2, color=skin.color, material="glass", parts=tuple(parts))


def bowl(item: Item, rng: np.random.Generator) -> Model:
    """A footed bowl; with fruit in it when the words say so."""
    w, _, h = measures(item, (0.26, 0.26, 0.09))
    glaze = finish_item(item, "ceramic", "#5d7f86")
    r = w / 2
    body = lathe(
        [
            (1e-4, 0),
            (r * 0.45, 0),
            (r * 0.48, 0.008),
            (r * 0.75, h * 0.35),
            (r, h),
            (r * 0.95, h),
            (r * 0.7, h * 0.38),
            (r * 0.4, 0.016),
            (1e-4, 0.016),
        ],
        44,
    )
    parts = [part("bowl", body, glaze.material, 0.0055)]
    if says(item, "fruit", "apple", "orange", "lemon", "food", "salad"):
        for k in range(6):
            a, q = k * 2.4, 0.0 if k == 0 else r * 0.42
            parts.append(
                part(
                    "fruit",
                    sphere(0.036, 3).scaled(1, 1, 0.92).moved(q * np.cos(a), q * np.sin(a), h * (0.95 if k == 0 else 0.72)),
                    _skin(("#b3261e", "#d9832b", "#c9b83a", "#7f9f3a")[k % 4]),
                    0.0058,
                )
            )
    return Model(
        kind="bowl",
        mass_kg=0.7,
        color=glaze.color,
        material=glaze.name,
        parts=tuple(parts),
        surfaces=(Surface(z=0.02, low=(-r * 0.4, -r * 0.4), high=(r * 0.4, r * 0.4), clearance_m=0.12, name="inside"),),
    )


def plate(item: Item, rng: np.random.Generator) -> Model:
    """A dinner plate with a coloured rim."""
    w, _, h = measures(item, (0.27, 0.27, 0.024))
    glaze = finish_item(item, "ceramic", "#e2ded2")
    r = w / 2
    body = lathe(
        [
            (1e-4, 0),
            (r * 0.58, 0),
            (r * 0.62, 0.004),
            (r * 0.98, h * 0.85),
            (r, h),
            (r * 0.96, h),
            (r * 0.66, h * 0.45),
            (r * 0.6, h * 0.3),
            (1e-4, h * 0.3),
        ],
        52,
    )
    return Model(
        kind="plate",
        mass_kg=0.5,
        color=glaze.color or "white",
        material=glaze.name,
        parts=(part("plate", body, glaze.material, 0.0055),),
        surfaces=(Surface(z=h * 0.32, low=(-r * 0.4, -r * 0.4), high=(r * 0.4, r * 0.4)),),
    )


def bottle(item: Item, rng: np.random.Generator) -> Model:
    """A wine bottle with a label and a capsule."""
    w, _, h = measures(item, (0.08, 0.08, 0.3))
    r = w / 2
    skin = finish("glass", item.color, item.material, default_color="#1f3a24")
    body = lathe(
        [
            (1e-4, 0.004),
            (r * 0.8, 0),
            (r, 0.008),
            (r, h * 0.58),
            (r * 0.9, h * 0.66),
            (r * 0.42, h * 0.76),
            (r * 0.36, h * 0.8),
            (r * 0.36, h * 0.97),
            (r * 0.4, h * 0.975),
            (r * 0.36, h),
            (1e-4, h),
        ],
        36,
    )
    label = lathe([(r * 1.012, h * 0.2), (r * 1.012, h * 0.34), (r * 1.012, h * 0.48)], 40)

    def print_(s: Surfels) -> Look:
        z = s.texture[:, 2] / h
        ink = ((np.abs(z - 0.36) < 0.014) | (np.abs(z - 0.3) < 0.006)) & (
            np.abs(np.arctan2(s.texture[:, 0], -s.texture[:, 1])) < 0.7
        )
        return m.look(np.where(ink[:, None], linear("#5a2320"), linear("#e6dcc4")))

    return Model(
        kind="bottle",
        mass_kg=1.1,
        color=skin.color,
        material=skin.name,
        parts=(
            part("bottle", body, skin.material, 0.005),
            part("label", label, print_, 0.0042, collides=False),
            part("capsule", cylinder(r * 0.42, h * 0.1, 24, 0.002).moved(0, 0, h * 0.901), m.plain("#6b1d22", 0.5), 0.005),
        ),
    )


def teapot(item: Item, rng: np.random.Generator) -> Model:
    """A round-bellied pot: spout at +X, handle at -X."""
    w, _, h = measures(item, (0.26, 0.16, 0.17))
    glaze = finish_item(item, "steel" if says(item, "kettle") else "ceramic", "#5f7f6d" if not says(item, "kettle") else None)
    r = w * 0.31
    body = lathe(
        [
            (1e-4, 0),
            (r * 0.6, 0),
            (r * 0.65, 0.006),
            (r * 0.97, h * 0.28),
            (r, h * 0.42),
            (r * 0.8, h * 0.68),
            (r * 0.5, h * 0.78),
            (r * 0.46, h * 0.8),
            (r * 0.2, h * 0.87),
            (1e-4, h * 0.88),
        ],
        40,
    )
    knob = sphere(0.013, 2).moved(0, 0, h - 0.013)
    spout = tube([[r * 0.75, 0, h * 0.3], [r * 1.15, 0, h * 0.42], [w * 0.52, 0, h * 0.74]], [0.02, 0.014, 0.009], 12)
    a = np.linspace(-1.4, 1.4, 14)
    handle = tube(np.c_[-r * 0.8 - (w * 0.48 - r * 0.8) * np.cos(a), 0 * a, h * 0.45 + h * 0.24 * np.sin(a)], 0.007, 10)
    return Model(
        kind="teapot",
        mass_kg=0.8,
        color=glaze.color,
        material=glaze.name,
        parts=(part("pot", [body, knob, spout, handle], glaze.material, 0.0048),),
    )


def _one_book(w: float, d: float, t: float, color: str) -> tuple[list[Part], float]:
    covers = [box(w, d, 0.004, 0).moved(0, 0, s * (t / 2 - 0.002)) for s in (-1, 1)] + [
        box(0.004, d, t, 0).moved(-w / 2 + 0.002, 0, 0)
    ]
    pages = box(w - 0.012, d - 0.010, t - 0.008, 0).moved(0.004, 0, 0)
    return [
        part("cover", join(covers).retextured(), m.book_cover(color, w, d), 0.0044, smooth=False),
        part("pages", pages, m.paper(edges=True), 0.0048, smooth=False),
    ], t


def _book_stack(kind: str, item: Item, sizes: list[tuple[float, float, float, str, float]], spread: float) -> Model:
    parts: list[Part] = []
    z = 0.0
    for w, d, t, color, turn in sizes:
        made, thick = _one_book(w, d, t, color)
        parts += [replace(p, solid=p.solid.turned(turn).moved(0, 0, z + thick / 2)) for p in made]
        z += thick
    w, d = sizes[0][0], sizes[0][1]
    return Model(
        kind=kind,
        mass_kg=0.45 * len(sizes),
        color=known_color(item.color),
        material="paper",
        parts=tuple(parts),
        friction=0.5,
        surfaces=(Surface(z=z, low=(-w * 0.3, -d * 0.3), high=(w * 0.3, d * 0.3)),),
    )


def book(item: Item, rng: np.random.Generator) -> Model:
    """A closed book with a gilt cover, lying."""
    w, d, t = measures(item, BOOK_M)
    color = known_color(item.color) or BINDINGS[int(rng.integers(0, len(BINDINGS)))]
    return _book_stack("book", item, [(w, d, t, color, 0.0)], 0.0)


def books(item: Item, rng: np.random.Generator) -> Model:
    """A stack of three to five books, each turned a little."""
    w, d, h = measures(item, (0.28, 0.21, 0.115))
    n = 4 if not says(item, "tall", "big") else 6
    start = int(rng.integers(0, len(BINDINGS)))
    sizes = []
    for k in range(n):
        s = 1 - 0.09 * k
        sizes.append(
            (
                w * 0.92 * s,
                d * 0.92 * s,
                h / n,
                known_color(item.color) or BINDINGS[(start + k) % len(BINDINGS)],
                float(rng.uniform(-16, 16)) if k else 0.0,
            )
        )
    return _book_stack("stack of books", item, sizes, 16.0)


def _skin(color: str):
    base = linear(color)

    def at(s: Surfels) -> Look:
        blush = fbm(s.texture, 22.0, 3, 3)
        return m.look(mix(base, np.minimum(base * 1.5 + 0.03, 1), np.clip(0.4 + 0.7 * blush, 0, 1)), None, 0.6, 0.25)

    return at


def fruit(item: Item, rng: np.random.Generator) -> Model:
    """An apple, or an orange, lemon or pear by name."""
    name = next((n for n in ("orange", "lemon", "lime", "pear", "peach", "tomato", "banana", "egg") if says(item, n)), "apple")
    hue = {
        "orange": "#d9832b",
        "lemon": "#d8c23a",
        "lime": "#86a83a",
        "pear": "#a9b04a",
        "peach": "#e0a070",
        "tomato": "#c0302a",
        "banana": "#d8b83a",
        "egg": "#e6d5bc",
        "apple": "#b3261e",
    }[name]
    w, _, h = measures(item, (0.08, 0.08, 0.085))
    hue = known_color(item.color) or hue
    r = w / 2
    if name == "banana":
        a = np.linspace(-0.9, 0.9, 12)
        parts = [
            part(
                "fruit",
                tube(
                    np.c_[0.1 * np.sin(a), 0.1 * (1 - np.cos(a)), np.full(12, 0.019)],
                    0.019 * np.sqrt(np.clip(1 - (a / 1.0) ** 4, 0.1, 1)),
                    14,
                ),
                _skin(hue),
                0.005,
            )
        ]
    elif name == "pear":
        parts = [
            part(
                "fruit",
                lathe(
                    [
                        (1e-4, 0.003),
                        (r * 0.5, 0),
                        (r, h * 0.28),
                        (r * 0.92, h * 0.42),
                        (r * 0.5, h * 0.66),
                        (r * 0.36, h * 0.82),
                        (1e-4, h * 0.9),
                    ],
                    36,
                ),
                _skin(hue),
                0.005,
            )
        ]
    else:
        squash = {"lemon": 0.9, "egg": 1.2}.get(name, 0.94)
        rr = h * 0.94 / 2 / squash if name != "apple" else r
        body = lathe(
            [
                (
                    rr * np.sin(t) * (1 + 0.06 * np.cos(t)) + 1e-4,
                    r * squash
                    - r * squash * np.cos(t)
                    + (
                        0.012 * np.exp(-((t / 0.5) ** 2)) - 0.016 * np.exp(-(((np.pi - t) / 0.45) ** 2)) if name == "apple" else 0
                    ),
                )
                for t in np.linspace(0.02, np.pi - 0.02, 22)
            ],
            40,
        )
        low = body.vertices[:, 2].min()
        parts = [part("fruit", body.moved(0, 0, -low), _skin(hue), 0.005)]
        if name == "apple":
            parts.append(
                part("stem", rod((0, 0, h * 0.78), (0.006, 0, h), 0.0022, sides=8), m.plain("#4a3018"), 0.004, collides=False)
            )
    return Model(
        kind=name,
        mass_kg=0.17,
        color=known_color(item.color)
        or {"apple": "red", "tomato": "red", "lemon": "yellow", "banana": "yellow", "lime": "green", "pear": "green"}.get(
            name, name if name == "orange" else "beige"
        ),
        material="organic",
        parts=tuple(parts),
    )


def cake(item: Item, rng: np.random.Generator) -> Model:
    """A layer cake on a stand."""
    w, _, h = measures(item, (0.26, 0.26, 0.16))
    icing = known_color(item.color) or "#e9d9cf"
    r = w / 2
    stand = lathe(
        [(1e-4, 0), (r * 0.5, 0), (r * 0.45, 0.012), (0.02, 0.02), (0.02, 0.035), (r, 0.045), (r, 0.052), (1e-4, 0.052)], 44
    )
    body = cylinder(r * 0.82, h - 0.052, 48, 0.012).moved(0, 0, 0.052)
    beads = [sphere(0.011, 2).moved(r * 0.74 * np.cos(a), r * 0.74 * np.sin(a), h) for a in np.arange(16) * 2 * np.pi / 16]
    cherries = [sphere(0.013, 2).moved(r * 0.4 * np.cos(a), r * 0.4 * np.sin(a), h + 0.006) for a in np.arange(6) * 2 * np.pi / 6]
    return Model(
        kind="cake",
        mass_kg=1.4,
        color=known_color(item.color),
        material="organic",
        parts=(
            part("stand", stand, m.ceramic("#e6e3da"), 0.0058),
            part("cake", [body, *beads], m.plain(icing, 0.2, 0.5, 0.08, 30.0), 0.0058),
            part("cherries", cherries, _skin("#9a1420"), 0.0045),
        ),
    )


def tray(item: Item, rng: np.random.Generator) -> Model:
    """A serving tray with two grips."""
    w, d, h = measures(item, (0.44, 0.3, 0.05))
    wood = finish_item(item, "wood", along=0, seed=6)
    rims = [slab(w, 0.014, h, bevel=0.004).moved(0, s * (d / 2 - 0.007)) for s in (-1, 1)] + [
        slab(0.014, d - 0.028, h, bevel=0.004).moved(s * (w / 2 - 0.007)) for s in (-1, 1)
    ]
    return Model(
        kind="tray",
        mass_kg=0.9,
        color=wood.color,
        material=wood.name,
        parts=(part("tray", [slab(w - 0.02, d - 0.02, 0.012, bevel=0.002), *rims], wood.material, 0.0065),),
        surfaces=(Surface(z=0.012, low=(-w * 0.42, -d * 0.4), high=(w * 0.42, d * 0.4)),),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="mug",
        synonyms=("coffee mug", "coffee cup", "beer mug", "cup of coffee"),
        build=mug,
        size_m=MUG_M,
        habitat="surface",
        hypernyms=("cup", "dish"),
    ),
    Kind(
        name="cup",
        synonyms=("teacup", "tea cup", "cup of tea"),
        build=cup,
        size_m=(0.14, 0.14, 0.075),
        habitat="surface",
        hypernyms=("dish",),
    ),
    Kind(
        name="glass",
        synonyms=("wine glass", "drinking glass", "glass of water", "glass of wine", "tumbler", "goblet", "champagne glass"),
        build=drinking_glass,
        size_m=(0.075, 0.075, 0.12),
        habitat="surface",
        hypernyms=("cup",),
    ),
    Kind(
        name="bowl",
        synonyms=("fruit bowl", "bowl of fruit", "basin", "dish"),
        build=bowl,
        size_m=(0.26, 0.26, 0.09),
        habitat="surface",
        hypernyms=("dish",),
    ),
    Kind(
        name="plate",
        synonyms=("dinner plate", "saucer", "platter"),
        build=plate,
        size_m=(0.27, 0.27, 0.024),
        habitat="surface",
        hypernyms=("dish",),
    ),
    Kind(
        name="bottle",
        synonyms=("wine bottle", "glass bottle", "flask", "bottle of wine", "water bottle", "beer bottle"),
        build=bottle,
        size_m=(0.08, 0.08, 0.3),
        habitat="surface",
    ),
    Kind(
        name="teapot",
        synonyms=("kettle", "coffee pot", "tea pot", "tea kettle"),
        build=teapot,
        size_m=(0.26, 0.16, 0.17),
        habitat="surface",
    ),
    Kind(
        name="book",
        synonyms=("novel", "notebook", "dictionary", "magazine", "diary", "journal", "open book"),
        build=book,
        size_m=BOOK_M,
        habitat="surface",
    ),
    Kind(
        name="stack of books",
        synonyms=("books", "book stack", "pile of books"),
        build=books,
        size_m=(0.28, 0.21, 0.115),
        habitat="surface",
        hypernyms=("book",),
    ),
    Kind(
        name="apple",
        synonyms=("fruit", "lemon", "pear", "peach", "tomato", "banana", "lime", "red apple", "egg"),
        build=fruit,
        size_m=(0.08, 0.08, 0.085),
        habitat="surface",
        hypernyms=("fruit", "food"),
    ),
    Kind(
        name="cake",
        synonyms=("birthday cake", "pie", "cheesecake"),
        build=cake,
        size_m=(0.26, 0.26, 0.16),
        habitat="surface",
        hypernyms=("food",),
    ),
    Kind(
        name="tray",
        synonyms=("serving tray", "breadboard", "cutting board", "chopping board"),
        build=tray,
        size_m=(0.44, 0.3, 0.05),
        habitat="surface",
    ),
)
