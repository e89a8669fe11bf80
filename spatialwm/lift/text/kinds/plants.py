"""Low plants: bushes, flowers, mushrooms, cacti, ferns, pumpkins, hay."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.color import parse_color, to_hex
from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.asked import color_of, says, scale_of
from spatialwm.lift.text.kinds.foliage import UP, crown, fronds
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Material, Model, Part, Solid, Strands, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.noise import fbm, linear, mix, smoothstep
from spatialwm.lift.text.surface.outdoors import bark
from spatialwm.lift.text.surface.solids import join, lathe, sphere, tube

Array = np.ndarray


def _bush(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.3, 1.3, 1.0), 0.2, rng)
    n = 9
    spot = rng.normal(0, 0.24, (n, 3)) * (1, 1, 0.55) + (0, 0, 0.5)
    radii = rng.uniform(0.26, 0.4, (n, 1)) * np.array([1.0, 1.0, 0.85])
    spot[:, 2] = np.clip(spot[:, 2], radii[:, 2], 1.0 - radii[:, 2])
    light = color_of(item, "#7d9a44")
    dark = to_hex(parse_color(light) * 0.42)
    leaves, shade = crown(spot * k, radii * k, rng, 1100, dark=dark, light=light, leaf_m=0.075 * k)
    twigs = join([tube([[0, 0, 0], 0.5 * p * k, p * k], [0.022 * k, 0.014 * k, 0.006 * k], 6) for p in spot])
    parts = (
        Part(name="twigs", solid=twigs, material=bark(), spacing_m=0.05),
        Part(name="shade", solid=shade, material=bark(), spacing_m=1.0, thin=1.0, opacity=0.0),
    )
    strands = [leaves]
    if says(item, "rose", "flower", "berry", "blossom"):
        pick = rng.choice(len(leaves.roots), 60, replace=False)
        spots = leaves.roots[pick] + leaves.normals[pick] * 0.05 * k
        bloom = linear("#b02040" if says(item, "berry") else "#d8466a")
        strands.append(_dots(spots, 0.026 * k, np.tile(bloom, (60, 1)) * rng.uniform(0.7, 1.2, (60, 1)), leaves.normals[pick]))
    return Model(kind="bush", parts=parts, strands=tuple(strands), mass_kg=14 * k**3, color=item.color or "green", movable=False)


BLOOMS: dict[str, tuple[str, str, float, int]] = {
    "rose": ("#b8203a", "#6a1020", 0.030, 14),
    "tulip": ("#d8344a", "#f0c040", 0.040, 6),
    "daisy": ("#f4f2ec", "#e8b830", 0.024, 13),
    "sunflower": ("#f0b820", "#3a2414", 0.085, 20),
    "poppy": ("#d83220", "#201810", 0.036, 5),
    "lavender": ("#8a68c0", "#6a4aa8", 0.020, 6),
    "bluebell": ("#5868c8", "#8088e0", 0.022, 6),
    "daffodil": ("#f4d83a", "#e89020", 0.034, 6),
    "lily": ("#f4eee4", "#e0b040", 0.046, 6),
    "flower": ("#e070a8", "#f0c840", 0.032, 8),
}
"""Petal colour, heart colour, petal length (m) and number of petals by the flower's name."""


def _flower(item: Item, rng: np.random.Generator) -> Model:
    name = next((w for w in BLOOMS if w in item.noun), "flower")
    petal, heart, size, petals = BLOOMS[name]
    tall = name == "sunflower"
    base_height = 1.5 if tall else 0.42
    k = scale_of(item, (0.3, 0.3, base_height), 0.12, rng)
    stems = 1 if tall else 9
    spot = np.column_stack([rng.normal(0, 0.0 if tall else 0.085, (stems, 2)), np.zeros(stems)])
    lean = np.column_stack([rng.normal(0, 0.05 if tall else 0.07, (stems, 2)), np.zeros(stems)])
    height = base_height * rng.uniform(0.72, 1.0, stems) if not tall else np.array([base_height * 0.92])
    head = spot + lean + UP * height[:, None]
    t = np.linspace(0, 1, 5)
    roots, tips = [], []
    for a, b in pairwise(t):
        roots.append(spot + lean * a**2 + UP * (height * a)[:, None])
        tips.append(spot + lean * b**2 + UP * (height * b)[:, None])
    stem = _lines(
        np.concatenate(roots), np.concatenate(tips), 0.010 if tall else 0.0035, np.tile(linear("#4c7a2c"), (4 * stems, 1))
    )
    n = stems * (7 if tall else 8)
    i = np.arange(n) % stems
    az = rng.uniform(0, 2 * np.pi, n)
    base = spot[i] + UP * (height[i] * rng.uniform(0.0, 0.55 if tall else 0.2, n))[:, None]
    reach = (0.26 if tall else 0.19) * rng.uniform(0.7, 1.2, n)
    out = np.column_stack([np.cos(az), np.sin(az), rng.uniform(0.1, 1.2, n) if not tall else rng.uniform(-0.2, 0.3, n)])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    green = linear("#47752a") * rng.uniform(0.7, 1.3, (n, 1))
    blades = _lines(base, base + out * reach[:, None], 0.030 if tall else 0.008, green)
    # Petals open around the head's axis; a sunflower's head looks ahead, all others look up.
    axis = np.tile([0.0, -0.85, 0.5], (stems, 1)) if tall else UP + 1.5 * lean + rng.normal(0, 0.2, (stems, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    u = np.cross(axis, rng.normal(size=(stems, 3)))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(axis, u)
    j = np.repeat(np.arange(stems), petals)
    angle = np.tile(np.arange(petals) * 2 * np.pi / petals, stems)
    cup = 1.6 if name in ("tulip", "rose", "bluebell", "lavender") else 0.3
    way = u[j] * np.cos(angle)[:, None] + v[j] * np.sin(angle)[:, None] + axis[j] * cup
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    tint = linear(color_of(item, petal)) * rng.uniform(0.75, 1.15, (len(j), 1))
    start = head[j] + way * size * (0.35 if tall else 0.12)
    petal_strands = Strands(
        roots=start,
        tips=start + way * size,
        width_m=np.full(len(j), size * (0.2 if petals > 9 else 0.3)),
        albedo=tint,
        normals=axis[j] * 0.8 + way * 0.2,
        thin=0.6,
    )
    hearts = _dots(head + axis * 0.004, size * (0.42 if tall else 0.22), np.tile(linear(heart), (stems, 1)), axis)
    strands = _scaled((stem, blades, petal_strands, hearts), k)
    core = sphere(0.012, 1).moved(z=0.012)
    part = Part(name="root", solid=core, material=m.soil(), spacing_m=0.02)
    return Model(kind=name, parts=(part,), strands=strands, mass_kg=0.2, color=item.color or to_hex(parse_color(petal)))


def _mushroom(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.22, 0.22, 0.24), 0.25, rng)
    cap_color = color_of(item, "#b52a1c")
    t = np.linspace(0, 1, 14)
    cap = lathe(
        [
            (1e-4, 0.128),
            (0.05, 0.126),
            *[(0.104 * np.sin(np.pi / 2 * (1 - 0.99 * s) ** 0.8), 0.122 + 0.098 * s**1.25) for s in t],
        ],
        28,
    )
    stem = lathe([(1e-4, 0), (0.040, 0.0), (0.042, 0.02), (0.030, 0.06), (0.026, 0.10), (0.026, 0.135)], 18)
    base, spot = linear(cap_color), linear("#f2ece0")
    seed = int(rng.integers(0, 1000))

    def speckled(s: Surfels) -> Look:
        dots = smoothstep(0.26, 0.36, fbm(s.texture + seed, 34.0, 2, 5))
        on_top = smoothstep(0.125, 0.14, s.texture[:, 2])
        gills = np.clip(0.6 + 0.3 * np.sin(np.arctan2(s.texture[:, 1], s.texture[:, 0]) * 50), 0, 1)
        albedo = mix(base * 0.85, base, np.clip(0.5 + fbm(s.texture, 20.0, 2, 3), 0, 1))
        albedo = mix(albedo, spot, dots) if cap_color == "#b52a1c" or says(item, "red", "toadstool") else albedo
        return m.look(mix(linear("#d8c8a8") * gills[:, None], albedo, on_top), 0.002 * dots, 0.35, 0.35)

    parts = (
        Part(name="cap", solid=cap.scaled(k), material=speckled, spacing_m=0.009 * max(k, 0.5)),
        Part(
            name="stem",
            solid=stem.scaled(k),
            material=m.plain("#e6dcc6", variation=0.15, frequency=30.0),
            spacing_m=0.011 * max(k, 0.5),
        ),
    )
    return Model(kind="mushroom", parts=parts, mass_kg=0.12 * k**3, color=item.color or "red")


def cactus_body(k: float) -> Solid:
    """A saguaro with two arms, 2.6 m times ``k`` tall."""
    t = np.concatenate([np.linspace(0, 0.86, 12), 1 - 0.14 * (1 - np.linspace(0, 1, 9)[1:]) ** 2])

    def dome(u: Float[Array, " p"]) -> Float[Array, " p"]:
        return np.sqrt(np.clip(1 - np.clip((u - 0.88) / 0.12, 0, 1) ** 2, 0.02, 1))

    columns = [tube(np.column_stack([0 * t, 0 * t, 2.6 * t]), 0.2 * (0.9 + 0.15 * np.sin(np.pi * t)) * dome(t), 44)]
    for side, z0, rise in ((1.0, 1.0, 0.95), (-1.0, 1.35, 0.65)):
        bend = np.clip(t / 0.5, 0, 1)
        x = side * (0.12 + 0.42 * np.sin(np.pi / 2 * bend))
        z = z0 + 0.16 * (1 - np.cos(np.pi / 2 * bend)) + rise * np.clip((t - 0.45) / 0.55, 0, 1)
        columns.append(tube(np.column_stack([x, 0 * t, z]), 0.125 * dome(t), 44))
    return join(columns).scaled(k)


def cactus_skin(color: str) -> Material:
    """Ribbed green for swept solids."""
    dark, light = linear(color) * 0.55, linear(color) * 1.25

    def skin(s: Surfels) -> Look:
        rib = 0.5 + 0.5 * np.cos(np.arctan2(s.texture[:, 1], s.texture[:, 0]) * 14)
        return m.look(mix(dark, light, np.clip(rib + 0.2 * fbm(s.texture, 12.0, 3, 2), 0, 1)), 0.02 * rib)

    return skin


def _cactus(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.3, 0.6, 2.6), 0.15, rng)
    body = cactus_body(k)
    pick = rng.choice(len(body.vertices), 420)
    root = body.vertices[pick]
    arm = np.round(root[:, 0] / (0.54 * k)) * 0.54 * k
    outward = root - np.column_stack([arm, np.zeros(len(root)), root[:, 2]])
    outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-9
    outward += rng.normal(0, 0.35, outward.shape)
    spines = _lines(root, root + outward * 0.05, 0.0022, np.tile(linear("#e8dcb4"), (len(root), 1)))
    part = Part(name="body", solid=body, material=cactus_skin(color_of(item, "#5c7a42")), spacing_m=0.03)
    return Model(kind="cactus", parts=(part,), strands=(spines,), mass_kg=160 * k**3, color=item.color or "green", movable=False)


def _fern(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.9, 0.9, 0.5), 0.2, rng)
    n = 9
    az = np.arange(n) * 2.4 + rng.normal(0, 0.2, n)
    rise = rng.uniform(0.7, 1.1, n)
    way = np.column_stack([np.cos(az) * np.cos(rise), np.sin(az) * np.cos(rise), np.sin(rise)])
    leaves, _ = fronds(
        np.zeros((n, 3)),
        way,
        0.62 * k * rng.uniform(0.8, 1.1, n),
        rng,
        420,
        dark="#2f4d1c",
        light=color_of(item, "#6f8f3a"),
        droop=0.55,
        leaflet=0.24,
    )
    part = Part(name="root", solid=sphere(0.03 * k, 1).moved(z=0.03 * k), material=m.soil(), spacing_m=0.03)
    return Model(kind="fern", parts=(part,), strands=(leaves,), mass_kg=0.6, color=item.color or "green")


def _pumpkin(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.36, 0.36, 0.28), 0.15, rng)
    ball = sphere(0.17, 4)
    v = ball.vertices / 0.17
    rib = np.abs(np.cos(np.arctan2(v[:, 1], v[:, 0]) * 5))
    flat = np.hypot(v[:, 0], v[:, 1])
    r = 0.17 * (0.9 + 0.1 * rib * flat) * (1, 1, 1)[0]
    shape = ball.vertices / 0.17 * r[:, None] * (1.05, 1.05, 0.78)
    shape[:, 2] -= 0.035 * np.exp(-((flat / 0.25) ** 2)) * np.sign(v[:, 2])
    body = type(ball)(shape, ball.faces, shape.copy()).moved(z=0.13)
    stalk = tube([[0, 0, 0.22], [0.01, 0, 0.27], [0.04, 0.01, 0.3]], [0.022, 0.016, 0.014], 8)
    base = linear(color_of(item, "#d8741c"))

    def skin(s: Surfels) -> Look:
        furrow = np.abs(np.cos(np.arctan2(s.texture[:, 1], s.texture[:, 0]) * 5))
        return m.look(base * (0.55 + 0.5 * furrow + 0.12 * fbm(s.texture, 14.0, 3, 2))[:, None], None, 0.4, 0.35)

    parts = (
        Part(name="body", solid=body.scaled(k), material=skin, spacing_m=0.016),
        Part(name="stalk", solid=stalk.scaled(k), material=bark("#4a4a24", "#8a8a4a"), spacing_m=0.01),
    )
    return Model(kind="pumpkin", parts=parts, mass_kg=4 * k**3, color=item.color or "orange")


def _hay(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.2, 1.2, 1.1), 0.1, rng)
    round_ = not says(item, "square")
    body = tube([[-0.55, 0, 0.55], [0, 0, 0.55], [0.55, 0, 0.55]], 0.55, 28)
    straw_dark, straw_light = linear("#8f7434"), linear("#dcc06c")

    def straw(s: Surfels) -> Look:
        n = fbm(s.texture, (50, 50, 8), 3, 4)
        return m.look(mix(straw_dark, straw_light, np.clip(0.5 + 0.6 * n, 0, 1)), 0.01 * n)

    az = rng.uniform(0, 2 * np.pi, 700)
    root = np.column_stack([rng.uniform(-0.54, 0.54, 700), 0.54 * np.cos(az), 0.55 + 0.54 * np.sin(az)])
    out = np.column_stack([rng.normal(0, 0.6, 700), np.cos(az) + rng.normal(0, 0.5, 700), np.sin(az) + rng.normal(0, 0.5, 700)])
    wisps = _lines(root, root + 0.07 * out, 0.004, straw_light * rng.uniform(0.6, 1.1, (700, 1)))
    part = Part(name="bale", solid=body.scaled(k), material=straw, spacing_m=0.035)
    return Model(
        kind="hay bale", parts=(part,), strands=_scaled((wisps,), k), mass_kg=(250 if round_ else 20) * k**3, color="yellow"
    )


def _lines(a: Float[Array, "n 3"], b: Float[Array, "n 3"], width_m: float, albedo: Float[Array, "n 3"]) -> Strands:
    n = len(a)
    return Strands(roots=a, tips=b, width_m=np.full(n, width_m), albedo=albedo, normals=np.tile(UP, (n, 1)), thin=0.6)


def _dots(at: Float[Array, "n 3"], radius: float, albedo: Float[Array, "n 3"], normals: Float[Array, "n 3"]) -> Strands:
    return Strands(
        roots=at - normals * radius,
        tips=at + normals * radius,
        width_m=np.full(len(at), radius * 0.72),
        albedo=albedo,
        normals=normals,
        thin=0.3,
    )


def _scaled(strands: tuple[Strands, ...], k: float) -> tuple[Strands, ...]:
    return tuple(
        Strands(
            roots=s.roots * k,
            tips=s.tips * k,
            width_m=s.width_m * k,
            albedo=s.albedo,
            normals=s.normals,
            emission=s.emission,
            opacity=s.opacity,
            thin=s.thin,
        )
        for s in strands
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="bush",
        synonyms=("shrub", "hedge", "rose bush", "berry bush", "shrubbery"),
        build=_bush,
        size_m=(1.3, 1.3, 1.0),
        habitat="ground",
        family="outdoor",
        hypernyms=("plant",),
    ),
    Kind(
        name="flower",
        synonyms=(*tuple(f for f in BLOOMS if f != "flower"), "wildflower", "flower patch"),
        build=_flower,
        size_m=(0.34, 0.34, 0.42),
        habitat="ground",
        indoors="bouquet",
        family="outdoor",
        hypernyms=("plant",),
    ),
    Kind(
        name="mushroom",
        synonyms=("toadstool",),
        build=_mushroom,
        size_m=(0.22, 0.22, 0.22),
        habitat="ground",
        family="outdoor",
        hypernyms=("fungus", "plant"),
    ),
    Kind(
        name="cactus",
        synonyms=("saguaro", "saguaro cactus", "cacti"),
        build=_cactus,
        size_m=(1.3, 0.45, 2.6),
        habitat="ground",
        indoors="potted cactus",
        family="outdoor",
        hypernyms=("plant",),
    ),
    Kind(name="fern", build=_fern, size_m=(0.9, 0.9, 0.5), habitat="ground", family="outdoor", hypernyms=("plant",)),
    Kind(
        name="pumpkin", synonyms=("gourd",), build=_pumpkin, size_m=(0.36, 0.36, 0.3), habitat="ground", hypernyms=("vegetable",)
    ),
    Kind(
        name="hay bale",
        synonyms=("hay", "haystack", "straw bale", "bale of hay"),
        build=_hay,
        size_m=(1.2, 1.1, 1.1),
        habitat="ground",
        family="outdoor",
    ),
)
