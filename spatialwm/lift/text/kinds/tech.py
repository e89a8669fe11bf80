"""Screens, computers, instruments."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Material, Model, Solid, Surface, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, finish_item
from spatialwm.lift.text.surface.noise import fbm, hash01, linear, mix, ramp, smoothstep
from spatialwm.lift.text.surface.solids import (
    box,
    cylinder,
    disc,
    extrude,
    lathe,
    quad,
    rod,
    rounded_rectangle,
    slab,
    solid,
    sphere,
    tube,
)

TV_M = (1.25, 0.22, 0.78)
MONITOR_M = (0.6, 0.2, 0.46)
LAPTOP_M = (0.34, 0.25, 0.23)
PIANO_M = (1.48, 0.62, 1.2)


def screen(half_x: float, half_z: float, style: str) -> Material:
    """A lit display: a film scene, a desktop with windows, or code; texture x, z are centred metres."""

    def at(s: Surfels) -> Look:
        u, v = s.texture[:, 0] / half_x, s.texture[:, 2] / half_z
        if style == "film":
            flat = np.stack([u, 0 * u, 0 * u], 1)
            c = ramp(v, [(-1.0, "#0d2233"), (-0.25, "#1f5b78"), (-0.2, "#f2b36a"), (0.3, "#d9648a"), (1.0, "#3a3f8a")])
            c = np.where((np.hypot(u * half_x / half_z - 0.5, v + 0.02) < 0.2)[:, None], linear("#ffe9b8"), c)
            c = np.where((v < -0.2 + 0.34 * np.maximum(fbm(flat, 2.3, 3, 5), -0.2))[:, None], linear("#182a3f"), c)
        else:
            c = mix(linear("#1d3a5c"), linear("#3f7fa8"), 0.5 + 0.5 * v)
            inside = (np.abs(u + 0.12) < 0.66) & (np.abs(v - 0.05) < 0.72)
            line = np.floor((v + 1) * 11)
            text = (hash01(line, 3) * 0.9 - 0.7 > u + 0.08) & (np.abs((v + 1) * 11 - line - 0.5) < 0.24) & (u > -0.7)
            page = np.where(
                text[:, None],
                linear(("#7fb0d8", "#d8a86a")[int(half_x * 1000) % 2]),
                linear("#1b1f26") if style == "code" else linear("#e6e8ea"),
            )
            c = np.where(inside[:, None], page, c)
            c = np.where((inside & (v > 0.67))[:, None], linear("#8a93a0"), c)
        return m.look(np.full_like(c, 0.02), None, 0.6, 0.15, emission=c * 0.42)

    return at


def _pane(half_x: float, half_z: float, y: float, z: float) -> Solid:
    made = quad((-half_x, y, z - half_z), (2 * half_x, 0, 0), (0, 0, 2 * half_z), 0.08)
    return solid(made.vertices, made.faces, made.vertices - (0, 0, z))


def tv(item: Item, rng: np.random.Generator) -> Model:
    """A flat television on two feet; switched on."""
    w, d, h = measures(item, TV_M)
    foot = 0.08 * h / 0.78
    body_h = h - foot
    shell = box(w, 0.04, body_h, 0.008, 0.2).moved(0, 0.0, foot + body_h / 2)
    feet = [
        rod((s * w * 0.32, 0, foot + 0.01), (s * w * 0.32, t * d / 2 * 0.9, 0.008), 0.008, sides=8)
        for s in (-1, 1)
        for t in (-1, 1)
    ]
    pane = _pane(w / 2 - 0.012, body_h / 2 - 0.012, -0.0215, foot + body_h / 2)
    return Model(
        kind="tv",
        has_front=True,
        mass_kg=14.0 * w / 1.25,
        color="black",
        material="plastic",
        parts=(
            part("body", [shell, *feet], m.plastic("#17181a"), 0.0125),
            part("screen", pane, screen(w / 2 - 0.012, body_h / 2 - 0.012, "film"), 0.0105, smooth=False, emits=True),
        ),
    )


def monitor(item: Item, rng: np.random.Generator) -> Model:
    """A desktop screen on a stand."""
    w, d, h = measures(item, MONITOR_M)
    body_h = h * 0.74
    z = h - body_h / 2
    shell = box(w, 0.03, body_h, 0.006, 0.15).moved(0, 0.0, z)
    stand = [box(0.06, 0.02, h * 0.5, 0.006).moved(0, 0.03, h * 0.3), slab(w * 0.42, d, 0.014, bevel=0.005)]
    pane = _pane(w / 2 - 0.01, body_h / 2 - 0.01, -0.0162, z)
    return Model(
        kind="monitor",
        has_front=True,
        mass_kg=4.5,
        color="black",
        material="plastic",
        parts=(
            part("body", [shell, *stand], m.plastic("#1f2123"), 0.0095),
            part("screen", pane, screen(w / 2 - 0.01, body_h / 2 - 0.01, "desk"), 0.0068, smooth=False, emits=True),
        ),
    )


def keys(columns: int, rows: int, w: float, d: float, color: str) -> Material:
    """A keyboard's top as a pattern of caps."""
    base, cap = linear(color), linear("#26282b")

    def at(s: Surfels) -> Look:
        u, v = (s.texture[:, 0] / w + 0.5) * columns, (s.texture[:, 1] / d + 0.5) * rows
        edge = np.minimum(0.5 - np.abs(u - np.floor(u) - 0.5), 0.5 - np.abs(v - np.floor(v) - 0.5))
        up = s.normals[:, 2] > 0.7
        k = smoothstep(0.06, 0.14, edge) * up
        return m.look(mix(base, cap, k), 0.001 * k, 0.2, 0.4)

    return at


def laptop(item: Item, rng: np.random.Generator) -> Model:
    """An open notebook computer; the screen leans back and faces -Y."""
    w, d, h = measures(item, LAPTOP_M)
    skin = finish_item(item, "aluminium")
    base = box(w, d * 0.92, 0.014, 0.005, 0.08).moved(0, -d * 0.04, 0.007)
    top_h = h - 0.012
    lid = box(w, 0.008, top_h, 0.003, 0.1).moved(0, 0, top_h / 2)
    pane = _pane(w / 2 - 0.008, top_h / 2 - 0.008, -0.0046, top_h / 2)
    lean, y = -14, d * 0.36
    panel = quad((-w * 0.44, -d * 0.12, 0.0146), (w * 0.88, 0, 0), (0, d * 0.44, 0), 0.05)
    panel = solid(panel.vertices, panel.faces, panel.vertices - (0, d * 0.1, 0))
    return Model(
        kind="laptop",
        has_front=True,
        mass_kg=1.6,
        color=skin.color or "silver",
        material=skin.name,
        parts=(
            part("body", [base, lid.turned(lean, "x").moved(0, y, 0.012)], skin.material, 0.0068),
            part("keys", panel, keys(14, 5, w * 0.88, d * 0.44, "#8d9196"), 0.0042, smooth=False, collides=False),
            part(
                "screen",
                pane.turned(lean, "x").moved(0, y, 0.012),
                screen(w / 2 - 0.008, top_h / 2 - 0.008, "code"),
                0.0052,
                smooth=False,
                emits=True,
                collides=False,
            ),
        ),
    )


def keyboard(item: Item, rng: np.random.Generator) -> Model:
    """A desktop keyboard."""
    w, d, h = measures(item, (0.44, 0.14, 0.024))
    skin = finish_item(item, "plastic", "#c9c6bd")
    return Model(
        kind="keyboard",
        has_front=True,
        mass_kg=0.7,
        color=skin.color,
        material=skin.name,
        parts=(
            part(
                "body", slab(w, d, h, bevel=0.006, segment=0.1), keys(18, 6, w * 0.98, d * 0.95, skin.color or "#c9c6bd"), 0.0045
            ),
        ),
    )


def mouse(item: Item, rng: np.random.Generator) -> Model:
    """A computer mouse."""
    w, d, h = measures(item, (0.062, 0.11, 0.036))
    skin = finish_item(item, "plastic", "#2a2c2f")
    body = sphere(1.0, 3)
    v = body.vertices * (w / 2, d / 2, h)
    v[:, 2] = np.maximum(v[:, 2], 0.0)
    return Model(
        kind="mouse",
        mass_kg=0.1,
        color=skin.color,
        material=skin.name,
        parts=(part("body", solid(v, body.faces), skin.material, 0.0042),),
    )


def phone(item: Item, rng: np.random.Generator) -> Model:
    """A telephone with a dial, or a smartphone lying face up."""
    if says(item, "smart", "cell", "mobile", "iphone"):
        w, d, h = measures(item, (0.075, 0.155, 0.009))
        body = extrude(rounded_rectangle(w / 2, d / 2, 0.01), h, 0.002)
        pane = quad((-w / 2 + 0.004, -d / 2 + 0.004, h + 0.0003), (w - 0.008, 0, 0), (0, d - 0.008, 0), 0.03)
        return Model(
            kind="phone",
            mass_kg=0.2,
            color="black",
            material="glass",
            parts=(
                part("body", body, m.plastic("#141517"), 0.0045),
                part("screen", pane, m.plain("#1c3348", 1.0, 0.1), 0.0045, smooth=False),
            ),
        )
    w, d, h = measures(item, (0.22, 0.2, 0.14))
    skin = finish_item(item, "plastic", "#8a1f1c")
    body = lathe(
        [(1e-4, 0), (w * 0.46, 0), (w / 2, 0.012), (w * 0.34, h * 0.5), (w * 0.24, h * 0.66), (1e-4, h * 0.68)], 40
    ).scaled(1, d / w, 1)
    dial = disc(0.045, 0.0, 32).turned(-58, "x").turned(180, "z").moved(0, -d * 0.27, h * 0.42)
    grip = tube(
        [[-w * 0.5, 0, h * 0.78], [-w * 0.36, 0, h * 0.92], [0, 0, h * 0.95], [w * 0.36, 0, h * 0.92], [w * 0.5, 0, h * 0.78]],
        [0.026, 0.018, 0.013, 0.018, 0.026],
        14,
    )
    return Model(
        kind="phone",
        has_front=True,
        mass_kg=1.3,
        color=skin.color,
        material=skin.name,
        parts=(
            part("body", [body, grip], skin.material, 0.0058),
            part("dial", dial, m.plain("#d9d4c6", 0.5, 0.2), 0.0045, smooth=False, collides=False),
        ),
    )


def piano(item: Item, rng: np.random.Generator) -> Model:
    """An upright piano."""
    w, d, h = measures(item, PIANO_M)
    skin = finish("ebony" if not item.material else "wood", item.color, item.material, along=0, seed=3)
    key_z = 0.72 * h / 1.2
    body = [
        slab(w, d * 0.5, h - 0.03, bevel=0.01).moved(0, d * 0.25),
        slab(w + 0.03, d * 0.54, 0.03, h - 0.03, 0.008).moved(0, d * 0.24),
        slab(w, d * 0.52, 0.09, key_z - 0.09, 0.008).moved(0, -d * 0.24),
        slab(w, d * 0.1, key_z - 0.09, bevel=0.006).moved(0, d * 0.0),
    ]
    body += [slab(0.07, d * 0.5, key_z - 0.08, bevel=0.008).moved(s * (w / 2 - 0.035), -d * 0.24) for s in (-1, 1)]
    body += [slab(0.06, d * 0.42, 0.07, key_z, 0.01).moved(s * (w / 2 - 0.03), -d * 0.26) for s in (-1, 1)]
    white = quad((-w / 2 + 0.07, -d * 0.45, key_z + 0.001), (w - 0.14, 0, 0), (0, 0.15, 0), 0.08)

    def ivory(s: Surfels) -> Look:
        k = (s.texture[:, 0] + w / 2) / 0.0235
        line = smoothstep(0.46, 0.49, np.abs(k - np.floor(k) - 0.5))
        black = (
            (np.abs(k - np.round(k)) < 0.3)
            & (s.texture[:, 1] > -d * 0.45 + 0.055)
            & (np.round(k) % 7 != 0)
            & (np.round(k) % 7 != 3)
        )
        c = mix(linear("#e9e4d4"), linear("#8f8a7e"), line)
        return m.look(np.where(black[:, None], linear("#151515"), c), None, 0.6, 0.2)

    return Model(
        kind="piano",
        has_front=True,
        mass_kg=220.0,
        color=skin.color or "black",
        material=skin.name,
        parts=(part("body", body, skin.material, 0.0135), part("keys", white, ivory, 0.0055, smooth=False, collides=False)),
        surfaces=(Surface(z=h, low=(-w * 0.46, 0.02), high=(w * 0.46, d * 0.46)),),
    )


def guitar(item: Item, rng: np.random.Generator) -> Model:
    """An acoustic guitar standing upright, leaning back a little on its own foot."""
    w, d, h = measures(item, (0.4, 0.16, 1.0))
    top = finish_item(item, "pine", along=2)
    t = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    half = h * 0.25
    y = -half * np.cos(t)
    waist = (
        1
        - 0.30 * np.exp(-(((y - 0.12 * half) / (0.32 * half)) ** 2))
        - 0.16 * (y > 0.2 * half) * np.clip((y / half - 0.2) / 0.3, 0, 1)
    )
    x = w / 2 * np.sqrt(np.clip(1 - (y / half) ** 2 * 0.98, 0, 1)) ** 0.72 * waist
    outline = np.c_[np.where(t < np.pi, 1, -1) * x, y]
    thick = d * 0.6
    body = extrude(outline, thick, 0.006).turned(90, "x").moved(0, thick / 2, half)
    hole = disc(w * 0.12, 0, 32).turned(90, "x").moved(0, -thick / 2 - 0.0015, half * 1.14)
    neck = [
        box(0.05, 0.022, h * 0.4, 0.006).moved(0, -thick / 2 + 0.002, 2 * half + h * 0.14),
        box(0.07, 0.018, h * 0.13, 0.006).moved(0, -thick / 2 + 0.008, h - h * 0.065),
    ]
    bridge = box(w * 0.34, 0.012, 0.026, 0.004).moved(0, -thick / 2 - 0.005, half * 0.62)
    strings = [
        rod((s * 0.006, -thick / 2 - 0.012, half * 0.62), (s * 0.006, -thick / 2 - 0.012, h * 0.93), 0.0012, sides=5)
        for s in (-2.5, -1.5, -0.5, 0.5, 1.5, 2.5)
    ]
    dark = m.wood("mahogany", along=2)
    return Model(
        kind="guitar",
        has_front=True,
        mass_kg=2.2,
        color=top.color,
        material=top.name,
        parts=(
            part("body", body, top.material, 0.0085),
            part("neck", [*neck, bridge], dark, 0.0075),
            part("hole", hole, m.plain("#120c08"), 0.008, smooth=False, collides=False),
            part("strings", strings, m.metal("#c9c2a8"), 0.004, collides=False),
        ),
    )


def radio(item: Item, rng: np.random.Generator) -> Model:
    """A table radio with a cloth grille and a dial; also stands for a loudspeaker or record player."""
    w, d, h = measures(item, (0.36, 0.18, 0.22))
    wood = finish_item(item, "wood", along=0, seed=6)
    body = box(w, d, h, 0.02, 0.08, 3).moved(0, 0, h / 2)
    grille = box(w * 0.56, 0.008, h * 0.7, 0.003, 0.08).moved(-w * 0.15, -d / 2 - 0.001, h / 2)
    dials = [cylinder(0.024, 0.018, 24).turned(90, "x").moved(w * 0.31, -d / 2 + 0.002, z) for z in (h * 0.34, h * 0.66)]
    return Model(
        kind="radio",
        has_front=True,
        mass_kg=3.0,
        color=wood.color,
        material=wood.name,
        parts=(
            part("case", body, wood.material, 0.0072),
            part("grille", grille, m.fabric("#b3a27c", 0.012), 0.0062),
            part("dials", dials, m.metal("#b58a3f"), 0.005),
        ),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="tv",
        synonyms=("television", "flat screen", "tv set", "flatscreen", "screen", "television set", "projector screen"),
        build=tv,
        size_m=TV_M,
        habitat="surface",
        family="indoor",
        hypernyms=("electronics",),
    ),
    Kind(
        name="monitor",
        synonyms=("computer monitor", "computer", "desktop computer", "computer screen", "pc"),
        build=monitor,
        size_m=MONITOR_M,
        habitat="surface",
        family="indoor",
        hypernyms=("electronics", "screen"),
    ),
    Kind(
        name="laptop",
        synonyms=("laptop computer", "notebook computer", "tablet"),
        build=laptop,
        size_m=LAPTOP_M,
        habitat="surface",
        family="indoor",
        hypernyms=("computer", "electronics"),
    ),
    Kind(
        name="keyboard",
        synonyms=("computer keyboard",),
        build=keyboard,
        size_m=(0.44, 0.14, 0.024),
        habitat="surface",
        family="indoor",
        hypernyms=("electronics",),
    ),
    Kind(
        name="mouse",
        synonyms=("computer mouse",),
        build=mouse,
        size_m=(0.062, 0.11, 0.036),
        habitat="surface",
        family="indoor",
        hypernyms=("electronics",),
    ),
    Kind(
        name="phone",
        synonyms=("telephone", "smartphone", "cell phone", "mobile phone", "rotary phone"),
        build=phone,
        size_m=(0.22, 0.2, 0.14),
        habitat="surface",
        family="indoor",
        hypernyms=("electronics",),
    ),
    Kind(
        name="piano",
        synonyms=("upright piano", "grand piano", "organ"),
        build=piano,
        size_m=PIANO_M,
        family="indoor",
        hypernyms=("instrument", "furniture"),
        against_wall=True,
    ),
    Kind(
        name="guitar",
        synonyms=("acoustic guitar", "violin", "cello", "ukulele", "electric guitar"),
        build=guitar,
        size_m=(0.4, 0.16, 1.0),
        family="indoor",
        hypernyms=("instrument",),
        against_wall=True,
    ),
    Kind(
        name="radio",
        synonyms=("speaker", "loudspeaker", "record player", "stereo", "turntable", "boombox"),
        build=radio,
        size_m=(0.36, 0.18, 0.22),
        habitat="surface",
        family="indoor",
        hypernyms=("electronics",),
    ),
)
