"""Playthings and simple bodies: balls, blocks, bears, ducks, robots, cones."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Material, Model, Solid, Surface, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish, finish_item, known_color
from spatialwm.lift.text.surface.noise import fbm, linear, smoothstep
from spatialwm.lift.text.surface.solids import (
    box,
    cylinder,
    ellipsoid,
    extrude,
    lathe,
    ring,
    rod,
    rounded_rectangle,
    slab,
    sphere,
    tube,
)


def _panels(color: str, second: str, style: str) -> Material:
    a, b = linear(color), linear(second)

    def at(s: Surfels) -> Look:
        d = s.texture / (np.linalg.norm(s.texture, axis=1, keepdims=True) + 1e-9)
        if style == "beach":
            wedge = np.floor((np.arctan2(d[:, 1], d[:, 0]) / (2 * np.pi) + 0.5) * 6)
            c = np.where((wedge % 2 == 0)[:, None], a, b)
            c = np.where((np.abs(d[:, 2]) > 0.95)[:, None], linear("#ece4d0"), c)
        elif style == "basket":
            seam = np.minimum.reduce(
                [np.abs(d[:, 0]), np.abs(d[:, 1]), np.abs(np.abs(d[:, 2]) - 0.55 * (1 - 0.4 * d[:, 0] ** 2))]
            )
            c = np.where((seam < 0.022)[:, None], linear("#1a1512"), a)
        elif style == "soccer":
            phi = (1 + 5**0.5) / 2
            centers = np.array(
                [(0, i, j * phi) for i in (-1, 1) for j in (-1, 1)]
                + [(i, j * phi, 0) for i in (-1, 1) for j in (-1, 1)]
                + [(j * phi, 0, i) for i in (-1, 1) for j in (-1, 1)]
            )
            near = (d @ (centers / np.linalg.norm(centers, axis=1, keepdims=True)).T).max(1)
            c = np.where((near > np.cos(0.33))[:, None], linear("#1b1c1e"), linear("#eceae4"))
        else:
            c = a * (1 - 0.35 * smoothstep(0.03, 0.015, np.abs(d[:, 2])))[:, None]
        return m.look(c * (1 + 0.05 * fbm(s.texture, 60.0, 2, 3))[:, None], None, 0.5, 0.3)

    return at


def ball(item: Item, rng: np.random.Generator) -> Model:
    """A ball: beach, basket, soccer, tennis or plain rubber by the words."""
    kinds = (
        ("basket", "basket", 0.24, "#b5602a", 0.6),
        ("soccer", "soccer", 0.22, "#eceae4", 0.43),
        ("football", "soccer", 0.22, "#eceae4", 0.43),
        ("tennis", "plain", 0.067, "#c6d23c", 0.06),
        ("beach", "beach", 0.36, "#c0392b", 0.12),
        ("bowling", "plain", 0.22, "#22262e", 5.0),
    )
    style, usual, color, mass = next(
        ((s, d, c, kg) for word, s, d, c, kg in kinds if says(item, word)), ("plain", 0.22, "#b8322a", 0.35)
    )
    w = measures(item, (usual, usual, usual))[2]
    hue = known_color(item.color) or color
    body = sphere(w / 2, 4)
    return Model(
        kind="ball",
        mass_kg=mass * (w / usual) ** 2,
        friction=0.5,
        color=known_color(item.color),
        material=item.material or "rubber",
        parts=(
            part(
                "ball",
                body.moved(0, 0, w / 2),
                finish("plastic", hue, item.material).material if item.material else _panels(hue, "#ece4d0", style),
                max(0.0025, 0.036 * w),
            ),
        ),
    )


def cube(item: Item, rng: np.random.Generator) -> Model:
    """A toy block, a die, or any plain cube."""
    w, d, h = measures(item, (0.06, 0.06, 0.06))
    skin = finish_item(item, "painted wood" if item.color else "wood", None, seed=int(rng.integers(0, 50)))
    return Model(
        kind="cube",
        mass_kg=650 * w * d * h + 0.01,
        color=skin.color,
        material="wood" if skin.name == "painted wood" else skin.name,
        parts=(part("cube", box(w, d, h, 0.05 * h, h / 3, 3).moved(0, 0, h / 2), skin.material, max(0.0022, 0.055 * h)),),
        surfaces=(Surface(z=h, low=(-w * 0.42, -d * 0.42), high=(w * 0.42, d * 0.42)),),
    )


def blocks(item: Item, rng: np.random.Generator) -> Model:
    """A tower of four coloured blocks."""
    h = measures(item, (0.09, 0.09, 0.24))[2]
    each = h / 4
    parts = [
        part(
            f"block{k}",
            box(each * 0.98, each * 0.98, each, each * 0.06, each / 3)
            .turned(float(rng.uniform(-12, 12)))
            .moved(0, 0, each * (k + 0.5)),
            m.painted_wood(known_color(item.color) or ("#c0392b", "#2d6fb3", "#d8b02e", "#3f8f4f")[k], seed=k),
            0.0042,
        )
        for k in range(4)
    ]
    return Model(kind="blocks", mass_kg=0.4, color=known_color(item.color), material="wood", parts=tuple(parts))


def teddy(item: Item, rng: np.random.Generator) -> Model:
    """A sitting bear."""
    _w, _d, h = measures(item, (0.3, 0.26, 0.36))
    plush = finish("fur", item.color, item.material, default_color="#9a6a3c")
    pale = m.fur(m.shade(plush.color or "#9a6a3c", 1.5))
    k = h / 0.36

    def lump(x: float, y: float, z: float, a: float, b: float, c: float) -> Solid:
        return ellipsoid(a * k, b * k, c * k, 3).moved(x * k, y * k, z * k)

    body = [lump(0, 0.02, 0.115, 0.085, 0.075, 0.115), lump(0, 0.0, 0.265, 0.078, 0.07, 0.072)]
    body += [lump(s * 0.062, 0.005, 0.328, 0.03, 0.016, 0.03) for s in (-1, 1)]
    body += [
        ellipsoid(0.035 * k, 0.035 * k, 0.075 * k, 3)
        .turned(s * 38, "y")
        .turned(18, "x")
        .moved(s * 0.105 * k, -0.02 * k, 0.145 * k)
        for s in (-1, 1)
    ]
    body += [
        ellipsoid(0.042 * k, 0.085 * k, 0.042 * k, 3).turned(-s * 22).moved(s * 0.075 * k, -0.08 * k, 0.042 * k) for s in (-1, 1)
    ]
    soft = [lump(0, -0.056, 0.247, 0.038, 0.03, 0.03), lump(0, -0.037, 0.125, 0.055, 0.03, 0.075)] + [
        ellipsoid(0.03 * k, 0.012 * k, 0.03 * k, 2).turned(-s * 22).moved(s * 0.108 * k, -0.155 * k, 0.045 * k) for s in (-1, 1)
    ]
    dark = [sphere(0.0095 * k, 2).moved(s * 0.03 * k, -0.064 * k, 0.285 * k) for s in (-1, 1)] + [
        ellipsoid(0.014 * k, 0.01 * k, 0.01 * k, 2).moved(0, -0.086 * k, 0.256 * k)
    ]
    bow = [
        ellipsoid(0.03 * k, 0.014 * k, 0.018 * k, 2).turned(s * 14, "y").moved(s * 0.027 * k, -0.062 * k, 0.2 * k)
        for s in (-1, 1)
    ]
    return Model(
        kind="teddy bear",
        has_front=True,
        mass_kg=0.4,
        friction=0.9,
        color=plush.color or "brown",
        material="plush",
        parts=(
            part("fur", body, plush.material, 0.0062),
            part("pale", soft, pale, 0.006),
            part("eyes", dark, m.plastic("#151210"), 0.0035),
            part("bow", bow, m.velvet("#a3242c"), 0.0045, collides=False),
        ),
    )


def duck(item: Item, rng: np.random.Generator) -> Model:
    """A rubber duck."""
    _w, _d, h = measures(item, (0.08, 0.1, 0.09))
    skin = finish("plastic", item.color, item.material, default_color="yellow")
    k = h / 0.09
    body = [
        ellipsoid(0.037 * k, 0.047 * k, 0.03 * k, 3).moved(0, 0.004 * k, 0.029 * k),
        sphere(0.025 * k, 3).moved(0, -0.02 * k, 0.065 * k),
        ellipsoid(0.012 * k, 0.022 * k, 0.012 * k, 2).turned(35, "x").moved(0, 0.046 * k, 0.043 * k),
    ]
    body += [ellipsoid(0.01 * k, 0.026 * k, 0.016 * k, 2).moved(s * 0.034 * k, 0.008 * k, 0.034 * k) for s in (-1, 1)]
    beak = ellipsoid(0.013 * k, 0.016 * k, 0.006 * k, 2).moved(0, -0.046 * k, 0.06 * k)
    eyes = [sphere(0.0038 * k, 2).moved(s * 0.011 * k, -0.041 * k, 0.073 * k) for s in (-1, 1)]
    return Model(
        kind="rubber duck",
        has_front=True,
        mass_kg=0.08,
        color=skin.color,
        material="rubber",
        parts=(
            part("body", body, skin.material, 0.0034),
            part("beak", beak, m.plastic("#d9701e"), 0.0028),
            part("eyes", eyes, m.plastic("#121212"), 0.002, collides=False),
        ),
    )


def robot(item: Item, rng: np.random.Generator) -> Model:
    """A friendly upright robot with a lit visor."""
    usual = (0.16, 0.12, 0.28) if says(item, "toy") else (0.62, 0.42, 1.4)
    _w, _d, h = measures(item, usual)
    skin = finish("metal", item.color, item.material, default_color="#9fb0b8")
    k = h / 1.4

    def b(x: float, y: float, z: float, px: float, py: float, pz: float, r: float = 0.03) -> Solid:
        return box(x * k, y * k, z * k, r * k, 0.12 * k, 3).moved(px * k, py * k, pz * k)

    shell = [b(0.42, 0.28, 0.48, 0, 0, 0.76, 0.06), b(0.3, 0.26, 0.24, 0, 0, 1.2, 0.06)] + [
        b(0.13, 0.24, 0.09, s * 0.11, -0.03, 0.045) for s in (-1, 1)
    ]
    joints = [rod((s * 0.11 * k, 0, 0.08 * k), (s * 0.11 * k, 0, 0.54 * k), 0.045 * k, 0.05 * k) for s in (-1, 1)]
    joints += [rod((s * 0.25 * k, 0, 0.94 * k), (s * 0.29 * k, -0.03 * k, 0.55 * k), 0.042 * k, 0.034 * k) for s in (-1, 1)]
    joints += [sphere(0.055 * k, 3).moved(s * 0.29 * k, -0.03 * k, 0.53 * k) for s in (-1, 1)] + [
        cylinder(0.06 * k, 0.1 * k, 24).moved(0, 0, 0.99 * k)
    ]
    joints += [rod((0, 0, 1.3 * k), (0, 0, 1.38 * k), 0.008 * k), sphere(0.02 * k, 2).moved(0, 0, 1.38 * k)]
    visor = b(0.22, 0.02, 0.075, 0, -0.13, 1.22, 0.008)
    light = b(0.09, 0.02, 0.09, 0, -0.14, 0.84, 0.01)
    return Model(
        kind="robot",
        has_front=True,
        mass_kg=45.0 * k**3,
        color=skin.color,
        material=skin.name,
        parts=(
            part("shell", shell, skin.material, max(0.0036, 0.0105 * k)),
            part("joints", joints, m.metal("#43484d", 0.35), max(0.0032, 0.0095 * k)),
            part("visor", [visor, light], m.emitting("#58d8ff", 0.55), max(0.0028, 0.0075 * k), emits=True),
        ),
    )


def cone(item: Item, rng: np.random.Generator) -> Model:
    """A traffic cone with a white band."""
    w, _, h = measures(item, (0.38, 0.38, 0.5))
    hue = linear(known_color(item.color) or "#d9581e")

    def at(s: Surfels) -> Look:
        z = s.texture[:, 2] / h
        band = ((z > 0.42) & (z < 0.62)) | ((z > 0.76) & (z < 0.84))
        return m.look(
            np.where(band[:, None], linear("#e9e6df"), hue) * (1 + 0.06 * fbm(s.texture, 9.0, 3, 3))[:, None], None, 0.3, 0.4
        )

    body = lathe([(1e-4, 0.03), (w * 0.36, 0.03), (w * 0.34, 0.05), (w * 0.07, h - 0.006), (w * 0.05, h), (1e-4, h)], 40)
    base = extrude(rounded_rectangle(w / 2, w / 2, 0.03), 0.035, 0.006)
    return Model(
        kind="cone",
        mass_kg=2.0,
        color=known_color(item.color) or "orange",
        material="plastic",
        parts=(part("cone", [body, base], at, 0.0085),),
    )


def telescope(item: Item, rng: np.random.Generator) -> Model:
    """A refractor on a tripod."""
    w, d, h = measures(item, (0.9, 0.9, 1.5))
    tint = finish("brass", item.color, item.material)
    hub = 0.62 * h
    legs = [
        rod((w * 0.42 * np.cos(a), d * 0.42 * np.sin(a), 0), (0.04 * np.cos(a), 0.04 * np.sin(a), hub), 0.014, 0.018)
        for a in np.arange(3) * 2 * np.pi / 3 + np.pi / 6
    ]
    a, b = np.array([0, 0.34 * d, hub + 0.06]), np.array([0, -0.42 * d, h - 0.07])
    tubes = [
        rod(a, b, 0.042),
        rod(b - (b - a) * 0.06, b + (b - a) * 0.05, 0.052),
        rod(a - (b - a) * 0.14, a + (b - a) * 0.02, 0.02),
    ]
    meet = float(a[2] + (b[2] - a[2]) * a[1] / (a[1] - b[1]))
    knob = [sphere(0.04, 3).moved(0, 0, hub + 0.02), rod((0, 0, hub), (0, 0, meet), 0.02)]
    return Model(
        kind="telescope",
        has_front=True,
        mass_kg=7.0,
        color=tint.color,
        material=tint.name,
        parts=(part("tripod", [*legs, *knob], m.wood("walnut", along=2), 0.0085), part("tube", tubes, tint.material, 0.0085)),
    )


def train(item: Item, rng: np.random.Generator) -> Model:
    """A toy car or engine on four wheels."""
    w, d, h = measures(item, (0.1, 0.2, 0.1))
    skin = finish("painted wood", item.color, item.material, default_color="#b8322a")
    low = h * 0.22
    body = [slab(w * 0.84, d, h * 0.36, low, 0.012), slab(w * 0.72, d * 0.5, h * 0.42, low + h * 0.34, 0.014).moved(0, d * 0.04)]
    panes = [slab(w * 0.74, d * 0.4, h * 0.22, low + h * 0.44, 0.006).moved(0, d * 0.04)]
    wheels = [
        cylinder(h * 0.22, w * 0.12, 28, 0.003).turned(90, "y").moved(s * w * 0.5 - w * 0.06 - 0.0, y, h * 0.22)
        for s in (-1, 1)
        for y in (-d * 0.3, d * 0.3)
    ]
    return Model(
        kind="toy car",
        has_front=True,
        mass_kg=0.3,
        friction=0.4,
        color=skin.color,
        material="wood",
        parts=(
            part("body", body, skin.material, 0.0042),
            part("panes", panes, m.glass("#9fc0cc"), 0.004, collides=False),
            part("wheels", wheels, m.plain("#1c1c1e", 0.3), 0.0038),
        ),
    )


def umbrella(item: Item, rng: np.random.Generator) -> Model:
    """A closed umbrella in its stand."""
    w, _, h = measures(item, (0.24, 0.24, 0.9))
    cloth = finish("fabric", item.color, None, default_color="#7a2320")
    stand = [
        lathe([(1e-4, 0), (w / 2, 0), (w / 2, 0.02), (w * 0.42, 0.03), (1e-4, 0.03)], 36),
        ring(w * 0.3, 0.008, 32, 8).moved(0, 0, h * 0.42),
    ]
    stand += [
        rod((w * 0.3 * np.cos(a), w * 0.3 * np.sin(a), 0.02), (w * 0.3 * np.cos(a), w * 0.3 * np.sin(a), h * 0.42), 0.006)
        for a in np.arange(4) * np.pi / 2
    ]
    body = lathe(
        [(1e-4, 0.06), (0.008, 0.06), (0.02, 0.2), (0.045, h * 0.62), (0.04, h * 0.7), (0.012, h * 0.74), (1e-4, h * 0.74)], 24
    )
    t = np.linspace(0, np.pi, 12)
    crook = tube(
        np.concatenate(
            [
                [[0, 0, h * 0.72], [0, 0, h * 0.86]],
                np.c_[0.045 - 0.045 * np.cos(t), 0 * t, h * 0.9 + (h * 0.1 - 0.01) * np.sin(t)],
            ]
        ),
        0.009,
        10,
    )
    return Model(
        kind="umbrella",
        mass_kg=2.0,
        color=cloth.color,
        material="fabric",
        parts=(
            part("stand", stand, m.metal("#3a3632", 0.4), 0.0085),
            part("cloth", body, cloth.material, 0.0085),
            part("crook", crook, m.wood("walnut", along=2), 0.006),
        ),
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="ball",
        synonyms=(
            "soccer ball",
            "basketball",
            "tennis ball",
            "beach ball",
            "football",
            "toy ball",
            "rubber ball",
            "bowling ball",
            "volleyball",
            "sphere",
        ),
        build=ball,
        size_m=(0.22, 0.22, 0.22),
        hypernyms=("toy",),
    ),
    Kind(
        name="cube",
        synonyms=("toy block", "wooden block", "block", "building block", "toy cube", "dice", "die", "toy"),
        build=cube,
        size_m=(0.06, 0.06, 0.06),
        habitat="surface",
        hypernyms=("toy",),
    ),
    Kind(
        name="blocks",
        synonyms=("tower of blocks", "stack of blocks", "toy blocks", "building blocks"),
        build=blocks,
        size_m=(0.09, 0.09, 0.24),
        habitat="surface",
        hypernyms=("toy",),
    ),
    Kind(
        name="teddy bear",
        synonyms=("teddy", "stuffed bear", "stuffed animal", "plush toy", "plush bear", "stuffed toy", "doll", "plushie"),
        build=teddy,
        size_m=(0.3, 0.26, 0.36),
        hypernyms=("toy",),
    ),
    Kind(
        name="rubber duck",
        synonyms=("duck", "toy duck", "rubber ducky"),
        build=duck,
        size_m=(0.08, 0.1, 0.09),
        habitat="surface",
        hypernyms=("toy",),
    ),
    Kind(name="robot", synonyms=("android", "toy robot", "humanoid robot"), build=robot, size_m=(0.62, 0.42, 1.4)),
    Kind(name="cone", synonyms=("traffic cone", "safety cone"), build=cone, size_m=(0.38, 0.38, 0.5)),
    Kind(name="telescope", build=telescope, size_m=(0.9, 0.9, 1.5), hypernyms=("instrument",)),
    Kind(
        name="toy car", synonyms=("toy train", "toy truck", "wooden car"), build=train, size_m=(0.1, 0.2, 0.1), hypernyms=("toy",)
    ),
    Kind(name="umbrella", synonyms=("umbrella stand",), build=umbrella, size_m=(0.24, 0.24, 0.9), family="indoor"),
)
