"""What makes a room lived in: rugs, plants, pictures, pillows, vases, clocks, mirrors, globes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Material, Model, Part, Solid, Strands, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, finish_item, known_color
from spatialwm.lift.text.surface.noise import fbm, hash01, linear, mix, ramp, smoothstep
from spatialwm.lift.text.surface.solids import (
    box,
    disc,
    ellipsoid,
    extrude,
    join,
    lathe,
    leaf,
    pillow,
    quad,
    ring,
    rod,
    sheet,
    slab,
    solid,
    sphere,
    tube,
)

RUG_M = (2.6, 1.84, 0.014)
PLANT_M = (0.75, 0.75, 1.25)
PICTURE_M = (0.77, 0.04, 0.56)
MIRROR_M = (0.7, 0.04, 1.1)
PILLOW_M = (0.44, 0.44, 0.15)
VASE_M = (0.16, 0.16, 0.3)
CLOCK_M = (0.34, 0.05, 0.34)
GLOBE_M = (0.26, 0.26, 0.36)


def rug(item: Item, rng: np.random.Generator) -> Model:
    """A carpet with fringe; round when asked; patterned like a Persian one unless plain, striped or modern."""
    round_ = says(item, "round", "circular", "oval")
    w, d, h = measures(item, (2.0, 2.0, 0.014) if round_ else RUG_M)
    h = max(min(h, 0.03), 0.01)
    fluffy = says(item, "fluffy", "shag", "fur", "plush", "fuzzy") or item.material in ("fur", "wool")
    style = (
        "round"
        if round_
        else "plain"
        if says(item, "plain", "simple", "yoga") or fluffy
        else "modern"
        if says(item, "modern", "abstract")
        else "persian"
    )
    color = known_color(item.color) or "#7a2320"
    if says(item, "striped"):
        made = m.striped(color, "#e0d4ba", 0.24, (1.0, 0.0, 0.0))
    elif style == "plain":
        made = m.wool(color)
    else:
        made = m.rug(color, w / 2, d / 2, style)
    if round_:
        t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        body = extrude(np.c_[w / 2 * np.cos(t), d / 2 * np.sin(t)], h, 0.004)
        body = join([body, quad((-0.01, -0.01, h - 1e-4), (0.02, 0, 0), (0, 0.02, 0), 0.05)]).retextured()
        strands: tuple[Strands, ...] = ()
    else:
        body = slab(w, d, h, bevel=0.005, segment=0.1)
        strands = (_fringe(w, d, h, rng),) if style == "persian" else ()
    return Model(
        kind="rug",
        mass_kg=4.0 * w * d / 4.8 + 0.5,
        friction=0.9,
        color=known_color(item.color),
        material="wool",
        strands=strands,
        parts=(part("pile", body, made, 0.0098),),
        movable=True,
    )


def _fringe(w: float, d: float, h: float, rng: np.random.Generator) -> Strands:
    n = int(480 * d)
    side = rng.choice([-1, 1], n)
    y = rng.uniform(-d / 2, d / 2, n)
    roots = np.c_[side * w / 2, y, np.full(n, h * 0.8)]
    tips = roots + np.c_[side * rng.uniform(0.05, 0.085, n), rng.normal(0, 0.008, n), np.full(n, -h * 0.6)]
    tint = linear("#cdbb95") * rng.uniform(0.7, 1.1, (n, 1))
    return Strands(
        roots=roots, tips=tips, width_m=np.full(n, 0.0022), albedo=tint, normals=np.tile([0.0, 0.0, 1.0], (n, 1)), thin=0.0
    )


# -- on walls --------------------------------------------------------------------------------------------------------------


def painting(seed: int, half_x: float, half_z: float, tint: str | None) -> Material:
    """A picture in a mount: landscape, seascape, abstract circles, or a field of colour; texture x, z are centred metres."""
    style = seed % 4
    accent = linear(tint or "#b5533c")

    def at(s: Surfels) -> Look:
        u, v = s.texture[:, 0] / half_x, s.texture[:, 2] / half_z
        flat = np.stack([u * half_x, 0 * u, 0 * u], 1)
        if style == 0:
            c = ramp(v, [(-0.8, "#c98f5a"), (0.0, "#e2b184"), (0.8, "#5c7f97")])
            c = np.where((np.hypot((u - 0.3) * half_x, (v - 0.35) * half_z) < 0.16 * half_z)[:, None], linear("#f3d9a0"), c)
            for low, amp, freq, hue in ((-0.05, 0.35, 3.0, "#4d6a78"), (-0.3, 0.3, 5.0, "#23402f")):
                c = np.where((v < low + amp * fbm(flat, freq, 4, seed))[:, None], linear(hue), c)
        elif style == 1:
            c = ramp(v, [(-1.0, "#17405a"), (-0.1, "#3f7f92"), (-0.02, "#e8d9b8"), (0.1, "#d9b48f"), (0.9, "#7f9fb8")])
            foam = fbm(s.texture, (9.0, 1.0, 60.0), 2, seed)
            c = np.where((v < -0.05)[:, None], mix(c, linear("#a9c4c8"), 0.7 * smoothstep(0.2, 0.5, foam)), c)
            sail = (np.abs(u - 0.25) < 0.16 * (0.42 - v)) & (v > -0.06) & (v < 0.42)
            c = np.where(sail[:, None], linear("#f4efe2"), c)
        elif style == 2:
            c = np.tile(linear("#e0d4bd"), (len(u), 1))
            for k, hue in enumerate(("#2f4858", "#d9a441", "#7a8f6a", "#b5533c")):
                a, b = hash01(k, seed) * 2 - 1, hash01(k, seed + 9) * 2 - 1
                inside = np.hypot((u - a * 0.4) * half_x, (v - b * 0.4) * half_z) < (0.2 + 0.22 * hash01(k, seed + 4)) * min(
                    half_x, half_z
                )
                c = np.where(inside[:, None], linear(hue), c)
        else:
            flow = fbm(s.texture, (4.0, 1.0, 4.0), 4, seed)
            c = ramp(v + 0.5 * flow, [(-1.0, "#22303c"), (-0.2, "#4f6d7a"), (0.1, "#c0d6df"), (0.5, "#e8dab2"), (0.9, "#dd6e42")])
        if tint:
            c = np.where((fbm(s.texture, 2.2, 3, seed + 3) > 0.15)[:, None], 0.25 * c + 0.75 * accent, c)
        mount = np.maximum(np.abs(u), np.abs(v)) > 0.8
        return m.look(np.where(mount[:, None], linear("#e9e2d2"), c) * (1 + 0.06 * fbm(s.texture, 60.0, 2, 3))[:, None])

    return at


def _frame(w: float, h: float, width: float, depth: float) -> list[Solid]:
    # Sharp edges: a bevel finer than the Gaussians would hide the border that they are fitted to, and fray the silhouette.
    bars = [box(w, depth, width, 0.0, 0.15).moved(0, 0, z) for z in (width / 2, h - width / 2)]
    return bars + [box(width, depth, h - 2 * width, 0.0, 0.15).moved(s * (w - width) / 2, 0, h / 2) for s in (-1, 1)]


def picture(item: Item, rng: np.random.Generator) -> Model:
    """A framed picture whose back touches the wall at +Y."""
    usual = (0.5, 0.03, 0.75) if says(item, "poster", "portrait", "map", "tapestry") else PICTURE_M
    w, d, h = measures(item, usual)
    d = min(d, 0.05)
    rim = min(0.035, 0.08 * min(w, h))
    wood = finish("wood", None, item.material, along=0, seed=41) if item.material else None
    frame = wood.material if wood else m.wood(("#20140b", "#4b2f18"), 0, 41)
    canvas = quad((-w / 2 + rim * 0.7, -0.001, rim * 0.7), (w - 1.4 * rim, 0, 0), (0, 0, h - 1.4 * rim), 0.12)
    canvas = solid(canvas.vertices, canvas.faces, canvas.vertices - (0, 0, h / 2))
    # Behind a canvas that wide Gaussians would shine through, the board is there for physics only.
    back = box(w - rim, d * 0.2, h - rim, 0.0, 0.3).moved(0, d * 0.38, h / 2)
    seed = int(rng.integers(0, 4096))
    return Model(
        kind="picture",
        has_front=True,
        mass_kg=2.0,
        color=known_color(item.color),
        material="wood",
        movable=True,
        parts=(
            part("frame", _frame(w, h, rim, d), frame, 0.0065, smooth=False),
            part("canvas", canvas, painting(seed, w / 2 - rim, h / 2 - rim, known_color(item.color)), 0.0052, smooth=False),
            part("back", back, m.paper("#8a7350"), 0.011, opacity=0.0),
        ),
    )


def mirror(item: Item, rng: np.random.Generator) -> Model:
    """A framed looking-glass, as mirror-like as soft highlights allow."""
    w, d, h = measures(item, (0.7, 0.04, 0.7) if says(item, "round", "circular") else MIRROR_M)
    d = min(d, 0.06)
    trim = finish_item(item, "gold" if says(item, "ornate", "antique", "golden", "gilded") else "wood", seed=5)

    def silver(s: Surfels) -> Look:
        z = s.texture[:, 2] / h
        c = ramp(z + 0.08 * fbm(s.texture, 1.5, 2, 3), [(0.0, "#6d7577"), (0.45, "#a9b3b5"), (1.0, "#ccd3d4")])
        return m.look(c, None, 1.0, 0.06)

    if says(item, "round", "circular", "oval"):
        hoop = ring(0.5, 0.03, 56, 10).turned(90, "x").scaled(w - 0.03, d / 0.06, h - 0.03).moved(0, 0, h / 2)
        pane = disc(0.49, 0.0, 56, 6).turned(90, "x").scaled(w - 0.02, 1, h - 0.02).moved(0, -0.002, h / 2).retextured()
        frame: list[Solid] = [hoop]
    else:
        frame = _frame(w, h, 0.05, d)
        pane = quad((-w / 2 + 0.04, -0.002, 0.04), (w - 0.08, 0, 0), (0, 0, h - 0.08), 0.12)
    back = box(w * 0.68, d * 0.5, h * 0.68, 0.0, 0.3).moved(0, d * 0.24, h / 2)
    return Model(
        kind="mirror",
        has_front=True,
        mass_kg=8.0,
        color=trim.color,
        material=trim.name,
        parts=(
            part("frame", frame, trim.material, 0.0075),
            part("glass", pane, silver, 0.012, smooth=False),
            part("back", back, m.paper("#6b5a40"), 0.013, opacity=0.0),
        ),
    )


def clock(item: Item, rng: np.random.Generator) -> Model:
    """A round wall clock at ten past ten."""
    w, d, h = measures(item, CLOCK_M)
    d, r = min(d, 0.08), min(w, h) / 2
    rim = finish("wood", item.color, item.material, seed=12)
    case = lathe([(1e-4, 0), (r, 0), (r, d * 0.8), (r * 0.94, d), (r * 0.87, d * 0.75), (1e-4, d * 0.75)], 56)

    def dial(s: Surfels) -> Look:
        x, y = s.texture[:, 0], s.texture[:, 1]
        q, a = np.hypot(x, y) / r, np.arctan2(x, y)
        hour = np.abs(((a / (2 * np.pi) * 12) % 1 + 0.5) % 1 - 0.5) * (2 * np.pi / 12) * q * r
        ink = (q > 0.68) & (q < 0.8) & (hour < 0.02 * r)
        for angle, length, wide in ((np.radians(302), 0.42, 0.03), (np.radians(62), 0.64, 0.022)):
            along = x * np.sin(angle) + y * np.cos(angle)
            ink |= (np.abs(x * np.cos(angle) - y * np.sin(angle)) < wide * r) & (along > -0.1 * r) & (along < length * r)
        ink |= q < 0.045
        return m.look(np.where(ink[:, None], linear("#1c1a18"), linear("#efe8d6")), None, 0.3, 0.3)

    face = disc(r * 0.88, d * 0.76, 56, 8)
    parts = [part("case", case, rim.material, 0.007), part("dial", face, dial, 0.0042, smooth=False)]
    # Built lying, face up; stood up so that the face looks along -Y and its twelve points up.
    stood = [replace(p, solid=p.solid.turned(90, "x").moved(0, d / 2, r)) for p in parts]
    return Model(kind="clock", has_front=True, mass_kg=1.5, color=rim.color, material=rim.name, parts=tuple(stood))


# -- soft and small ----------------------------------------------------------------------------------------------------------


def cushion_pillow(item: Item, rng: np.random.Generator) -> Model:
    """A throw pillow lying flat, or a wide bed pillow."""
    usual = (0.66, 0.42, 0.16) if says(item, "bed pillow", "sleeping") else PILLOW_M
    w, d, h = measures(item, usual)
    cover = finish_item(
        item, "fabric", ("#c08a2c", "#27515a", "#8c4a3c", "#d9c9ab")[int(rng.integers(0, 4))] if not item.color else None
    )
    return Model(
        kind="pillow",
        mass_kg=0.5,
        friction=0.8,
        color=cover.color,
        material=cover.name,
        parts=(part("pillow", pillow(w, d, h).moved(0, 0, h / 2), cover.material, 0.009),),
    )


def blanket(item: Item, rng: np.random.Generator) -> Model:
    """A folded throw: three soft layers."""
    w, d, h = measures(item, (0.5, 0.36, 0.1))
    cover = finish_item(item, "wool", "#c4ad86")
    layers = [
        box(w * (1 - 0.02 * k), d * (1 - 0.015 * k), h / 3 - 0.002, h / 6.5, 0.05, 4)
        .retextured((k * 1.3, 0, 0))
        .moved(0.004 * k, 0, h / 3 * (k + 0.5))
        for k in range(3)
    ]
    return Model(
        kind="blanket",
        mass_kg=1.2,
        friction=0.8,
        color=cover.color,
        material=cover.name,
        parts=(part("cloth", layers, cover.material, 0.0095),),
    )


def vase(item: Item, rng: np.random.Generator) -> Model:
    """A glazed vase; with flowers or branches when the words ask for them."""
    w, _, h = measures(item, VASE_M)
    glaze = finish("ceramic", item.color, item.material, default_color="#4a7a78")
    flowers = says(item, "flower", "rose", "tulip", "bouquet", "sunflower", "daisy", "orchid")
    body_h, r = (h * 0.55, w * 0.5) if flowers else (h, w / 2)
    r_body = r if not flowers else min(r, body_h * 0.32)
    body = lathe(
        [
            (1e-4, 0),
            (r_body * 0.62, 0),
            (r_body * 0.68, 0.006),
            (r_body, body_h * 0.3),
            (r_body * 0.93, body_h * 0.52),
            (r_body * 0.4, body_h * 0.8),
            (r_body * 0.36, body_h * 0.88),
            (r_body * 0.5, body_h),
            (r_body * 0.42, body_h * 0.99),
            (r_body * 0.3, body_h * 0.86),
            (1e-4, body_h * 0.7),
        ],
        36,
    )
    parts = [part("vase", body, glaze.material, 0.0065)]
    if flowers:
        parts += _bouquet(body_h, h, w / 2, rng, known_color(item.color) if not item.material else None)
    return Model(kind="vase", mass_kg=0.9, color=glaze.color, material=glaze.name, parts=tuple(parts))


def _bouquet(start: float, top: float, reach: float, rng: np.random.Generator, color: str | None) -> list[Part]:
    stems, petals, hearts, leaves = [], [], [], []
    for i in range(7):
        turn, out = i * 2.4, reach * rng.uniform(0.25, 0.72) * (i > 0)
        x, y, z = out * np.cos(turn), out * np.sin(turn), top - rng.uniform(0.02, 0.25) * (top - start)
        stems.append(tube([[0, 0, start * 0.6], [x * 0.3, y * 0.3, start], [x, y, z]], 0.0022, 6))
        size = reach * 0.36
        for k in range(9):
            blade = leaf(size * 0.34, size, -0.9, 0.35, i * 9 + k, 7, 5)
            petals.append(blade.turned(-24, "y").turned(40 * k).moved(x, y, z - 0.004))
        hearts.append(ellipsoid(size * 0.24, size * 0.24, size * 0.14, 2).moved(x, y, z + 0.004))
        leaves.append(
            leaf(0.018, 0.09, 0.9, 0.25, i)
            .turned(-30, "y")
            .turned(np.degrees(turn))
            .moved(x * 0.45, y * 0.45, start + (z - start) * 0.4)
        )
    hue = color or ("#d8506a", "#e6b53a", "#e9e4dc", "#8a5ab0")[int(rng.integers(0, 4))]
    return [
        part("stems", stems, m.plain("#3f6a2e"), 0.005, collides=False),
        part("petals", petals, m.foliage(m.shade(hue, 0.7), hue, m.shade(hue, 1.4), 5, 0.1), 0.0042, thin=1.0, collides=False),
        part("hearts", hearts, m.plain("#b5852a", variation=0.3, frequency=160.0), 0.004, collides=False),
        part("leaves", leaves, m.foliage(), 0.006, thin=1.0, collides=False),
    ]


def flowers(item: Item, rng: np.random.Generator) -> Model:
    """A bouquet in a glass or ceramic vase; the colour asked for is the flowers'."""
    w, _, h = measures(item, (0.28, 0.28, 0.42))
    body_h, r = h * 0.5, w * 0.2
    jar = lathe(
        [
            (1e-4, 0),
            (r * 0.8, 0),
            (r * 0.85, 0.006),
            (r, body_h * 0.4),
            (r * 0.7, body_h * 0.85),
            (r * 0.8, body_h),
            (r * 0.68, body_h * 0.98),
            (1e-4, body_h * 0.6),
        ],
        32,
    )
    glaze = finish("ceramic", None, item.material, default_color="#c9d2d0")
    made = [part("vase", jar, glaze.material, 0.0065), *_bouquet(body_h, h * 0.93, w / 2 * 1.2, rng, known_color(item.color))]
    return replace(Model(kind="bouquet", parts=tuple(made), mass_kg=0.8), color=known_color(item.color), material=glaze.name)


def globe(item: Item, rng: np.random.Generator) -> Model:
    """A terrestrial globe on a turned foot."""
    w, _, h = measures(item, GLOBE_M)
    r = min(w / 2, h * 0.36)
    z = h - r

    def earth(s: Surfels) -> Look:
        land = fbm(s.texture, 1.2 / r, 4, 3) > 0.0
        c = np.where(land[:, None], linear("#9a7a44"), linear(known_color(item.color) or "#2f5870"))
        return m.look(c * (1 + 0.12 * fbm(s.texture, 60.0, 2, 3))[:, None], None, 0.6, 0.3)

    foot = lathe([(1e-4, 0), (r * 0.7, 0), (r * 0.6, 0.02), (0.014, 0.035), (0.014, z - r), (1e-4, z - r)], 28)
    t = np.linspace(-np.pi / 2, np.pi / 2, 20)
    arc = tube(np.c_[r * 1.06 * np.cos(t), 0 * t, z + r * 1.06 * np.sin(t)], 0.005, 8)
    return Model(
        kind="globe",
        mass_kg=1.6,
        color=known_color(item.color),
        material="paper",
        parts=(
            part("ball", sphere(r, 4).moved(0, 0, z).retextured(), earth, 0.0062),
            part("stand", [foot, arc], m.metal("#b58a3f"), 0.006),
        ),
    )


def curtain(item: Item, rng: np.random.Generator) -> Model:
    """A pair of hanging drapes on a rod, their back to the wall at +Y."""
    w, _, h = measures(item, (1.9, 0.14, 2.35))
    cover = finish_item(item, "fabric", "#b58a5a")

    def drape(side: int) -> Solid:
        def shape(u: np.ndarray, v: np.ndarray) -> tuple:
            x = side * (w / 2 - 0.05 - u * w * 0.24)
            return (x, 0.045 * np.sin(u * 2 * np.pi * 7 + side) * (0.6 + 0.4 * (1 - v)), 0.01 + v * (h - 0.06))

        return sheet(shape, 80, 22)

    bar = rod((-w / 2, 0, h - 0.03), (w / 2, 0, h - 0.03), 0.014)
    ends = [sphere(0.028, 2).moved(s * w / 2, 0, h - 0.03) for s in (-1, 1)]
    return Model(
        kind="curtain",
        mass_kg=3.0,
        color=cover.color,
        material=cover.name,
        movable=False,
        has_front=True,
        parts=(
            part("cloth", [drape(-1), drape(1)], m.drapery(cover.color or "#b58a5a"), 0.018, thin=1.0, collides=False),
            part("rod", [bar, *ends], m.plain("#3a2a1a", 0.6, 0.3), 0.011),
        ),
    )


def basket(item: Item, rng: np.random.Generator) -> Model:
    """A round woven basket, open on top."""
    w, _, h = measures(item, (0.4, 0.4, 0.32))
    cane = finish_item(item, "wicker")
    r = w / 2
    body = lathe(
        [
            (1e-4, 0),
            (r * 0.78, 0),
            (r * 0.86, h * 0.1),
            (r, h * 0.6),
            (r * 0.97, h),
            (r * 0.92, h),
            (r * 0.94, h * 0.6),
            (r * 0.8, h * 0.08),
            (1e-4, 0.02),
        ],
        48,
    )
    hoop = ring(r * 0.955, 0.014, 48, 8).moved(0, 0, h - 0.006)
    return Model(
        kind="basket",
        mass_kg=0.9,
        color=cane.color,
        material=cane.name,
        parts=(part("basket", [body, hoop], cane.material, 0.0075),),
    )


def statue(item: Item, rng: np.random.Generator) -> Model:
    """A statue: an abstract torso of turned stone on a plinth."""
    w, _, h = measures(item, (0.36, 0.36, 0.9))
    skin = finish_item(item, "marble")
    base_h = h * 0.28
    figure = lathe(
        [
            (1e-4, base_h),
            (w * 0.3, base_h),
            (w * 0.24, base_h + h * 0.1),
            (w * 0.3, base_h + h * 0.24),
            (w * 0.36, base_h + h * 0.36),
            (w * 0.2, base_h + h * 0.46),
            (w * 0.1, base_h + h * 0.5),
            (w * 0.16, base_h + h * 0.57),
            (w * 0.18, base_h + h * 0.63),
            (w * 0.12, h * 0.985),
            (1e-4, h),
        ],
        36,
    )
    return Model(
        kind="statue",
        mass_kg=900 * w * w * h,
        color=skin.color,
        material=skin.name,
        parts=(
            part("plinth", slab(w, w, base_h, bevel=0.008), skin.material, 0.011),
            part("figure", figure.scaled(1, 0.78, 1), skin.material, 0.0085),
        ),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="rug",
        synonyms=("carpet", "mat", "area rug", "doormat", "yoga mat", "persian rug"),
        build=rug,
        size_m=RUG_M,
        family="indoor",
        hypernyms=("furnishing",),
    ),
    Kind(
        name="picture",
        synonyms=(
            "painting",
            "picture frame",
            "framed picture",
            "photo",
            "photograph",
            "poster",
            "artwork",
            "portrait",
            "framed photo",
            "wall art",
            "map",
            "canvas",
            "tapestry",
            "drawing",
        ),
        build=picture,
        size_m=PICTURE_M,
        habitat="wall",
        family="indoor",
        hypernyms=("decoration",),
    ),
    Kind(
        name="mirror", synonyms=("wall mirror", "looking glass"), build=mirror, size_m=MIRROR_M, habitat="wall", family="indoor"
    ),
    Kind(name="clock", synonyms=("wall clock",), build=clock, size_m=CLOCK_M, habitat="wall", family="indoor"),
    Kind(
        name="pillow",
        synonyms=("cushion", "throw pillow", "sofa cushion"),
        build=cushion_pillow,
        size_m=PILLOW_M,
        habitat="surface",
        family="indoor",
    ),
    Kind(
        name="blanket",
        synonyms=("throw", "throw blanket", "towel", "folded towel", "quilt", "duvet"),
        build=blanket,
        size_m=(0.5, 0.36, 0.1),
        habitat="surface",
        family="indoor",
    ),
    Kind(
        name="vase",
        synonyms=("flower vase", "pitcher", "jug", "urn", "amphora", "jar"),
        build=vase,
        size_m=VASE_M,
        habitat="surface",
    ),
    Kind(
        name="bouquet",
        synonyms=("bouquet of flowers", "vase of flowers", "vase with flowers", "cut flowers"),
        build=flowers,
        size_m=(0.28, 0.28, 0.42),
        habitat="surface",
        family="indoor",
    ),
    Kind(name="globe", synonyms=("world globe",), build=globe, size_m=GLOBE_M, habitat="surface", family="indoor"),
    Kind(
        name="curtain",
        synonyms=("drape", "drapes", "curtains", "window curtain"),
        build=curtain,
        size_m=(1.9, 0.14, 2.35),
        family="indoor",
        against_wall=True,
    ),
    Kind(
        name="basket",
        synonyms=("wicker basket", "laundry basket", "woven basket", "picnic basket"),
        build=basket,
        size_m=(0.4, 0.4, 0.32),
    ),
    Kind(name="statue", synonyms=("sculpture", "bust", "figurine"), build=statue, size_m=(0.36, 0.36, 0.9)),
)
