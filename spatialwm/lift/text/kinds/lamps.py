"""Things that give light."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Emitter, Look, Material, Model, Part, Solid, Strands, Surface, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, known_color
from spatialwm.lift.text.surface.noise import fbm, linear
from spatialwm.lift.text.surface.solids import box, cylinder, join, lathe, ring, rod, slab, sphere, tube

FLOOR_M = (0.47, 0.47, 1.74)
TABLE_M = (0.34, 0.34, 0.52)
DESK_LAMP_M = (0.2, 0.42, 0.46)
PENDANT_M = (0.42, 0.42, 0.8)
CHANDELIER_M = (0.86, 0.86, 0.9)
CANDLE_M = (0.08, 0.08, 0.2)
FIREPLACE_M = (1.4, 0.42, 1.2)
WARM = np.array([0.62, 0.33, 0.135])


def shade(color: str | None, low: float, high: float, strength: float = 1.0) -> Material:
    """A lit cloth lampshade between two heights: brightest around the bulb, with faint ribs."""
    tint = linear(color) if color else np.ones(3, np.float32)
    peak = np.maximum(tint / max(float(tint.max()), 1e-3), 0.12) * WARM if color else WARM
    middle = low + 0.45 * (high - low)

    def at(s: Surfels) -> Look:
        z, angle = s.texture[:, 2], np.arctan2(s.texture[:, 1], s.texture[:, 0])
        bulb = np.exp(-(((z - middle) / (0.32 * (high - low))) ** 2))
        ribs = 1 + 0.05 * np.sin(angle * 90) + 0.05 * fbm(s.texture, (60.0, 60.0, 8.0), 2, 3)
        emission = peak * ((0.35 + 0.9 * bulb) * ribs * strength)[:, None]
        return m.look(np.tile(linear(color or "#e8d3a8"), (len(z), 1)), emission=emission)

    return at


def _shade_parts(low: float, high: float, r_low: float, r_high: float, color: str | None, strength: float = 1.0) -> list[Part]:
    cone = lathe([(r_low, low), ((r_low + r_high) / 2, (low + high) / 2), (r_high, high)], 48)
    rims = [ring(r, 0.0045, 40, 6).moved(0, 0, z) for r, z in ((r_low, low), (r_high, high))]
    trim = m.plain(m.shade(color, 0.7) if color else "#c9a878")
    return [
        part("shade", cone, shade(color, low, high, strength), 0.012, thin=1.0, emits=True),
        part("rims", rims, trim, 0.008, collides=False, casts_shadow=False),
        part(
            "bulb",
            sphere(0.035, 2).moved(0, 0, low + 0.55 * (high - low)),
            m.emitting(np.array([1.0, 0.7, 0.36]), 14.0),
            0.012,
            casts_shadow=False,
            emits=True,
            collides=False,
        ),
    ]


def _emitters(low: float, high: float, radius: float, strength: float = 1.0) -> tuple[Emitter, ...]:
    z = (low + high) / 2
    return (
        Emitter(center=(0, 0, low + 0.55 * (high - low)), radius_m=0.035, power=_scaled((3.06, 2.07, 1.17), strength)),
        Emitter(center=(0, 0, z), radius_m=radius + 0.01, height_m=high - low, power=_scaled((0.54, 0.34, 0.175), strength)),
    )


def _scaled(color: tuple[float, float, float], k: float) -> tuple[float, float, float]:
    return (color[0] * k, color[1] * k, color[2] * k)


def floor_lamp(item: Item, rng: np.random.Generator) -> Model:
    """A stem with a cloth shade; a stated colour is the shade's, a stated metal the stem's."""
    w, _, h = measures(item, FLOOR_M)
    k = h / FLOOR_M[2]
    stem = finish("brass", None, item.material)
    low, high, r_low, r_high = h - 0.32 * k, h, w / 2, w * 0.36
    r_base = min(0.155, w * 0.4)
    base = lathe(
        [(1e-4, 0), (r_base * 0.97, 0), (r_base, 0.008), (r_base * 0.97, 0.022), (0.03, 0.03), (0.013, 0.05), (1e-4, 0.052)], 36
    )
    pole = [
        tube([[0, 0, 0.04], [0, 0, h * 0.45], [0, 0, low + 0.08]], 0.011, 12),
        tube([[0, 0, low + 0.06], [0, 0, low + 0.1], [0, 0, low + 0.18 * k]], 0.02, 12),
    ]
    return Model(
        kind="floor lamp",
        mass_kg=5.5,
        color=known_color(item.color),
        material=stem.name,
        parts=(
            part("stem", [base, *pole], stem.material, 0.009),
            *_shade_parts(low, high, r_low, r_high, known_color(item.color)),
        ),
        emitters=_emitters(low, high, r_low),
    )


def table_lamp(item: Item, rng: np.random.Generator) -> Model:
    """A turned ceramic or metal body under a shade."""
    w, _, h = measures(item, TABLE_M)
    body = finish("ceramic", item.color if item.material else None, item.material, default_color="#58706e")
    split = h * 0.56
    r = w * 0.27
    vase = lathe(
        [
            (1e-4, 0),
            (r * 0.75, 0),
            (r * 0.8, 0.012),
            (r * 0.62, 0.03),
            (r, split * 0.38),
            (r * 0.86, split * 0.62),
            (r * 0.3, split * 0.84),
            (r * 0.22, split * 0.9),
            (1e-4, split * 0.9),
        ],
        36,
    )
    neck = rod((0, 0, split * 0.85), (0, 0, split + 0.09), 0.009)
    color = None if item.material else known_color(item.color)
    return Model(
        kind="table lamp",
        mass_kg=1.8,
        color=known_color(item.color),
        material=body.name,
        parts=(
            part("body", vase, body.material, 0.0075),
            part("neck", neck, m.metal("#b58a3f"), 0.007),
            *_shade_parts(split, h, w / 2, w * 0.34, color),
        ),
        emitters=_emitters(split, h, w / 2, 0.55),
    )


def desk_lamp(item: Item, rng: np.random.Generator) -> Model:
    """An articulated arm with a metal head."""
    w, d, h = measures(item, DESK_LAMP_M)
    tint = finish("metal", item.color, item.material, default_color="#2f4f4a")
    base = cylinder(w / 2 - 0.01, 0.022, 36, 0.006).moved(0, d * 0.25, 0)
    elbow, head = (0.0, d * 0.42, h * 0.62), (0.0, -d * 0.14, h - 0.06)
    arms = [rod((0, d * 0.25, 0.02), elbow, 0.008), rod(elbow, head, 0.008), sphere(0.016, 2).moved(*elbow)]
    hood = (
        lathe([(0.085, -0.055), (0.07, 0.0), (0.03, 0.045), (0.015, 0.06), (1e-4, 0.062)], 32)
        .turned(-24, "x")
        .moved(0, head[1] - 0.02, head[2])
    )
    bulb = sphere(0.028, 2).moved(0, head[1] - 0.036, head[2] - 0.03)
    return Model(
        kind="desk lamp",
        has_front=True,
        mass_kg=1.4,
        color=tint.color,
        material=tint.name,
        parts=(
            part("frame", [base, *arms, hood], tint.material, 0.0075, thin=0.0),
            part(
                "bulb", bulb, m.emitting(np.array([1.0, 0.78, 0.45]), 12.0), 0.009, casts_shadow=False, emits=True, collides=False
            ),
        ),
        emitters=(Emitter(center=(0, head[1] - 0.04, head[2] - 0.05), radius_m=0.03, power=(1.3, 0.95, 0.55)),),
    )


def pendant_lamp(item: Item, rng: np.random.Generator) -> Model:
    """A shade on a cord; the origin is the lowest point, the ceiling rose the top."""
    w, _, h = measures(item, PENDANT_M)
    metal = item.material is not None and finish("metal", None, item.material).name in m.METALS
    drop = 0.24 * w / 0.42
    cord = [rod((0, 0, drop), (0, 0, h - 0.02), 0.004), cylinder(0.05, 0.024, 28).moved(0, 0, h - 0.024)]
    if metal or says(item, "industrial"):
        skin = finish("metal", item.color, item.material, default_color="#2c2f33")
        hood = lathe([(w / 2, 0), (w * 0.46, drop * 0.35), (w * 0.3, drop * 0.7), (0.05, drop * 0.95), (1e-4, drop)], 44)
        parts = [
            part("hood", hood, skin.material, 0.009),
            part(
                "bulb",
                sphere(0.04, 2).moved(0, 0, 0.06),
                m.emitting(np.array([1.0, 0.74, 0.4]), 12.0),
                0.011,
                casts_shadow=False,
                emits=True,
            ),
        ]
        emitters = (Emitter(center=(0, 0, 0.02), radius_m=0.05, power=(4.2, 2.9, 1.7)),)
        color, material = skin.color, skin.name
    else:
        parts = _shade_parts(0.0, drop, w / 2, w * 0.34, known_color(item.color))
        emitters = _emitters(0.0, drop, w / 2, 1.25)
        color, material = known_color(item.color), "fabric"
    return Model(
        kind="pendant lamp",
        mass_kg=1.6,
        color=color,
        material=material,
        movable=False,
        emitters=emitters,
        parts=(part("cord", cord, m.metal("#2c2b2a", 0.4), 0.006, collides=False), *parts),
    )


def chandelier(item: Item, rng: np.random.Generator) -> Model:
    """Curved arms with candle bulbs around a turned column, crystal drops below."""
    w, _, h = measures(item, CHANDELIER_M)
    skin = finish(
        "brass",
        None if item.material in ("crystal", "glass") else item.color,
        None if item.material in ("crystal", "glass") else item.material,
    )
    z0 = 0.125
    column = lathe(
        [
            (1e-4, z0 - 0.12),
            (0.03, z0 - 0.1),
            (0.05, z0 - 0.05),
            (0.025, z0),
            (0.055, z0 + 0.06),
            (0.02, z0 + 0.14),
            (0.012, z0 + 0.24),
            (1e-4, z0 + 0.24),
        ],
        28,
    )
    arms, cups, candles, flames, drops = [], [], [], [], []
    emitters = []
    for a in np.arange(8) * 2 * np.pi / 8:
        c, s = np.cos(a), np.sin(a)
        t = np.linspace(0, 1, 12)
        r = 0.04 + (w / 2 - 0.075) * t
        arms.append(tube(np.c_[r * c, r * s, z0 + 0.02 - 0.11 * np.sin(np.pi * t * 0.95) + 0.07 * t**2], 0.007, 8))
        x, y, z = r[-1] * c, r[-1] * s, z0 + 0.08
        cups.append(lathe([(1e-4, 0), (0.02, 0), (0.034, 0.016), (1e-4, 0.017)], 20).moved(x, y, z))
        candles.append(cylinder(0.011, 0.07, 14, 0.003).moved(x, y, z + 0.014))
        flames.append(sphere(1.0, 2).scaled(0.012, 0.012, 0.026).moved(x, y, z + 0.105))
        drops += [sphere(1.0, 1).scaled(0.008, 0.008, 0.019).moved(x * k, y * k, z - 0.05 - 0.03 * k) for k in (0.55, 0.8, 1.0)]
    for a in np.arange(4) * np.pi / 2 + np.pi / 8:
        emitters.append(
            Emitter(
                center=(0.34 * w * float(np.cos(a)), 0.34 * w * float(np.sin(a)), z0 + 0.19),
                radius_m=0.05,
                power=(1.5, 1.05, 0.62),
            )
        )
    chain = [rod((0, 0, z0 + 0.2), (0, 0, h - 0.03), 0.007), cylinder(0.06, 0.03, 28).moved(0, 0, h - 0.03)]
    return Model(
        kind="chandelier",
        mass_kg=9.0,
        color=skin.color,
        material=item.material or skin.name,
        movable=False,
        emitters=tuple(emitters),
        parts=(
            part("frame", [column, *arms, *cups, *chain], skin.material, 0.0075),
            part("candles", candles, m.plain("#e9dfc8", 0.2), 0.007, collides=False),
            part(
                "flames",
                flames,
                m.emitting(np.array([1.0, 0.72, 0.36]), 12.0),
                0.007,
                casts_shadow=False,
                emits=True,
                collides=False,
            ),
            part("drops", drops, m.glass("#d6e4ea"), 0.006, collides=False),
        ),
    )


def candle(item: Item, rng: np.random.Generator) -> Model:
    """A lit candle on a small holder."""
    w, _, h = measures(item, CANDLE_M)
    wax = finish("plain", item.color, None, default_color="#e8dcc0")
    r = w * 0.3
    plate = lathe(
        [(1e-4, 0), (w * 0.46, 0), (w / 2, 0.006), (w * 0.48, 0.012), (r * 1.2, 0.008), (r * 1.15, 0.02), (1e-4, 0.02)], 32
    )
    top = h - 0.035
    flame = sphere(1.0, 2).scaled(0.007, 0.007, 0.018).moved(0, 0, top + 0.02)
    return Model(
        kind="candle",
        mass_kg=0.3,
        color=wax.color,
        material="wax",
        parts=(
            part("holder", plate, m.metal("#b58a3f"), 0.005),
            part("wax", cylinder(r, top - 0.012, 28, 0.004).moved(0, 0, 0.012), wax.material, 0.005),
            part(
                "flame",
                flame,
                m.emitting(np.array([1.0, 0.66, 0.26]), 9.0),
                0.004,
                casts_shadow=False,
                emits=True,
                collides=False,
            ),
        ),
        emitters=(Emitter(center=(0, 0, top + 0.03), radius_m=0.012, power=(0.55, 0.36, 0.17)),),
    )


def fireplace(item: Item, rng: np.random.Generator) -> Model:
    """A mantelpiece around a burning hearth."""
    w, d, h = measures(item, FIREPLACE_M)
    skin = finish("bricks", item.color, item.material)
    jamb, open_h = w * 0.2, h * 0.6
    body: list[Solid] = [slab(jamb, d, h - 0.07, bevel=0.004).moved(s * (w - jamb) / 2) for s in (-1, 1)]
    body.append(slab(w - 2 * jamb, d, h - 0.07 - open_h, open_h, bevel=0.004))
    back = slab(w - 2 * jamb, 0.06, open_h, bevel=0.0).moved(0, d / 2 - 0.03)
    hearth = slab(w + 0.1, d + 0.0, 0.05, bevel=0.006)
    mantel = slab(w + 0.12, d + 0.04, 0.07, h - 0.07, 0.012)
    logs = [
        rod((-0.2 * w, -0.02, 0.1), (0.2 * w, 0.04, 0.1), 0.045, 0.04),
        rod((-0.18 * w, 0.05, 0.11), (0.17 * w, -0.06, 0.12), 0.04, 0.045),
        rod((-0.12 * w, 0.0, 0.19), (0.15 * w, 0.02, 0.18), 0.04, 0.035),
    ]
    n = 420
    x = rng.normal(0, 0.09 * w, n)
    base = np.c_[x, rng.normal(0, 0.03, n), rng.uniform(0.1, 0.2, n)]
    reach = 0.34 * open_h * np.exp(-((x / (0.13 * w)) ** 2)) * rng.uniform(0.35, 1.25, n) + 0.03
    start = base + np.c_[np.zeros((n, 2)), reach * rng.uniform(0, 0.6, n)]
    tip = start + np.c_[rng.normal(0, 0.02, n) - 0.25 * x * reach, rng.normal(0, 0.012, n), reach * 0.6]
    heat = np.clip((tip[:, 2] - 0.12) / (0.5 * open_h), 0, 1)[:, None]
    fire = (1 - heat) * np.array([1.0, 0.5, 0.12]) + heat * np.array([0.75, 0.15, 0.02])
    flames = Strands(
        roots=start,
        tips=tip,
        width_m=rng.uniform(0.006, 0.016, n) * (1.15 - heat[:, 0]),
        albedo=np.full((n, 3), 0.02),
        normals=np.tile([0.0, -1.0, 0.0], (n, 1)),
        emission=fire,
        opacity=0.5,
    )
    return Model(
        kind="fireplace",
        has_front=True,
        mass_kg=420.0,
        color=skin.color,
        material=skin.name,
        movable=False,
        strands=(flames,),
        parts=(
            part("surround", body, skin.material, 0.0125),
            part("hearth", hearth, m.stone("#5d5a55"), 0.014),
            part("mantel", mantel, m.wood("dark oak", along=0, seed=3), 0.0105),
            part("back", back, m.bricks("#2a211d", "#1d1917"), 0.014),
            part("logs", logs, m.soil("#2a190f"), 0.011),
        ),
        emitters=(Emitter(center=(0, -d / 2 - 0.12, 0.36), radius_m=0.12, power=(3.0, 1.4, 0.5)),),
        surfaces=(Surface(z=h, low=(-w * 0.46, -d * 0.42), high=(w * 0.46, d * 0.4), name="mantel"),),
    )


def wall_lamp(item: Item, rng: np.random.Generator) -> Model:
    """A bracket with a small shade, on a wall behind it."""
    w, d, h = measures(item, (0.2, 0.24, 0.32))
    skin = finish("brass", None, item.material)
    plate = box(0.09, 0.016, 0.15, 0.006).moved(0, d / 2 - 0.008, 0.075)
    arm = tube([[0, d / 2 - 0.01, 0.075], [0, d * 0.1, 0.05], [0, -d * 0.08, h * 0.34], [0, -d * 0.08, h * 0.5]], 0.008, 10)
    parts = _shade_parts(h * 0.5, h, w / 2, w * 0.34, known_color(item.color))
    moved = [
        Part(
            name=p.name,
            solid=p.solid.moved(0, -d * 0.08, 0),
            material=p.material,
            spacing_m=p.spacing_m,
            thin=p.thin,
            emits=p.emits,
            casts_shadow=p.casts_shadow,
            collides=p.collides,
        )
        for p in parts
    ]
    return Model(
        kind="wall lamp",
        has_front=True,
        mass_kg=1.2,
        color=known_color(item.color),
        material=skin.name,
        movable=False,
        parts=(part("bracket", join([plate, arm]), skin.material, 0.0075), *moved),
        emitters=(Emitter(center=(0, -d * 0.08, h * 0.78), radius_m=0.03, power=(1.5, 1.0, 0.55)),),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="floor lamp",
        synonyms=("standing lamp", "tall lamp", "reading lamp", "torchiere"),
        build=floor_lamp,
        size_m=FLOOR_M,
        family="indoor",
        hypernyms=("lamp", "light", "furniture"),
    ),
    Kind(
        name="table lamp",
        synonyms=("bedside lamp", "night lamp", "small lamp", "lava lamp", "nightlight"),
        build=table_lamp,
        size_m=TABLE_M,
        habitat="surface",
        family="indoor",
        hypernyms=("lamp", "light"),
    ),
    Kind(
        name="desk lamp",
        synonyms=("architect lamp", "study lamp", "work lamp"),
        build=desk_lamp,
        size_m=DESK_LAMP_M,
        habitat="surface",
        family="indoor",
        hypernyms=("lamp", "light"),
    ),
    Kind(
        name="pendant lamp",
        synonyms=("ceiling lamp", "hanging lamp", "pendant light", "ceiling light", "hanging light", "pendant", "overhead light"),
        build=pendant_lamp,
        size_m=PENDANT_M,
        habitat="ceiling",
        family="indoor",
        hypernyms=("lamp", "light"),
    ),
    Kind(
        name="chandelier", build=chandelier, size_m=CHANDELIER_M, habitat="ceiling", family="indoor", hypernyms=("lamp", "light")
    ),
    Kind(
        name="wall lamp",
        synonyms=("sconce", "wall light", "wall sconce"),
        build=wall_lamp,
        size_m=(0.2, 0.24, 0.32),
        habitat="wall",
        family="indoor",
        hypernyms=("lamp", "light"),
    ),
    Kind(
        name="candle",
        synonyms=("candlestick", "tea light", "candelabra", "lit candle"),
        build=candle,
        size_m=CANDLE_M,
        habitat="surface",
        hypernyms=("light",),
    ),
    Kind(
        name="fireplace",
        synonyms=("hearth", "chimney", "stone fireplace", "wood stove", "wood-burning stove"),
        build=fireplace,
        size_m=FIREPLACE_M,
        family="indoor",
        hypernyms=("furniture",),
        against_wall=True,
    ),
)
