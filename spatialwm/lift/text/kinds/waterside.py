"""Water and what belongs to it: lakes, paths of stone, boats, piers, bridges, fountains."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.asked import color_of, says, scale_of
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Model, Part, Solid, Strands, Surface, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish_item
from spatialwm.lift.text.surface.noise import fbm, linear, mix, smoothstep
from spatialwm.lift.text.surface.outdoors import boards, stone
from spatialwm.lift.text.surface.solids import box, grid_faces, join, lathe, rock, rod, solid, tube

Array = np.ndarray
LAKE_M = (9.0, 6.0, 0.12)


def shore(angle: Float[Array, " n"]) -> Float[Array, " n"]:
    """Outline of every lake as a factor on its half axes: one smooth, uneven curve."""
    return 1 - 0.12 + 0.10 * np.sin(3 * angle + 1) + 0.05 * np.sin(5 * angle)


def _lake(item: Item, rng: np.random.Generator) -> Model:
    """A sheet of water; the place digs its basin and mirrors the surroundings in it."""
    small = says(item, "pond", "puddle", "pool")
    k = scale_of(item, LAKE_M) * (0.6 if small and not (item.width_m or item.length_m) else 1.0)
    half_x, half_y = LAKE_M[0] / 2 * k, LAKE_M[1] / 2 * k
    a, r = np.meshgrid(np.linspace(0, 2 * np.pi, 73)[:-1], np.linspace(1e-3, 1, 14), indexing="ij")
    a, r = a.T.ravel(), r.T.ravel()
    edge = shore(a) * r
    v = np.column_stack([half_x * edge * np.cos(a), half_y * edge * np.sin(a), np.zeros(len(a))])
    frozen = says(item, "frozen", "ice", "icy")
    surface = solid(v, grid_faces(14, 72, wrap_v=True))

    def wet(s: Surfels) -> Look:
        ripple = fbm(s.texture, (1.0, 3.2, 1.0), 4, 71)
        deep, light = linear(color_of(item, "#1d3440")), linear("#4c6c78")
        return m.look(mix(deep, light, np.clip(0.4 + 0.5 * ripple, 0, 1)), 0.004 * ripple, 0.9, 0.12)

    def icy(s: Surfels) -> Look:
        veins = smoothstep(0.55, 0.85, fbm(s.texture, 0.8, 4, 72, ridged=True))
        tone = np.clip(0.5 + 0.5 * fbm(s.texture, 0.9, 3, 73), 0, 1)
        return m.look(mix(mix(linear("#a8c4d4"), linear("#d8e6ee"), tone), linear("#f4f8fa"), 0.7 * veins), None, 0.8, 0.2)

    part = Part(
        name="water",
        solid=surface,
        material=icy if frozen else wet,
        spacing_m=0.16 if frozen else 0.2,
        casts_shadow=False,
        opacity=0.97 if frozen else 0.34,
        collides=frozen,
    )
    level = Surface(z=0.0, low=(-0.6 * half_x, -0.6 * half_y), high=(0.6 * half_x, 0.6 * half_y), name="water")
    return Model(
        kind="pond" if small else "lake",
        parts=(part,),
        surfaces=(level,),
        mass_kg=1e5,
        friction=0.1 if frozen else 0.6,
        color=item.color or "blue",
        material="ice" if frozen else "water",
        movable=False,
    )


def _path(item: Item, rng: np.random.Generator) -> Model:
    """Stepping stones in a gentle bend, along +Y."""
    k = scale_of(item, (1.1, 5.0, 0.08))
    stones = []
    for i, t in enumerate(np.arange(0, 1.0, 0.058)):
        for s in (-1, 1):
            x = 0.26 * math.sin(2 * math.pi * t * 0.8) + s * rng.uniform(0.16, 0.3) + rng.normal(0, 0.03)
            y = (t - 0.5) * 4.8 + rng.normal(0, 0.05)
            size = rng.uniform(0.15, 0.24)
            flat = rock(size, 2 * i + s + int(rng.integers(0, 50)), 3, 0.22, 0.26).turned(float(rng.uniform(0, 360)))
            stones.append(flat.moved(x, y, 0.022))
    color = color_of(item, "")
    look = stone("#5d5a55", "#a39c90", 3, 0.35) if not color else m.stone(color)
    part = Part(name="stones", solid=join(stones).scaled(k, k, 1.0), material=look, spacing_m=0.04, collides=False)
    return Model(
        kind="path", parts=(part,), mass_kg=900, friction=0.8, color=item.color or "gray", material="stone", movable=False
    )


def _boat(item: Item, rng: np.random.Generator) -> Model:
    """A rowing boat along Y with thwarts and oars."""
    k = scale_of(item, (1.3, 3.4, 0.6))
    look_color = color_of(item, "#8a5a32")

    def hull(inset: float, flip: bool) -> Solid:
        nu, nv = 30, 15
        u, v = (a.ravel() for a in np.meshgrid(np.linspace(0, 1, nu), np.linspace(-1, 1, nv), indexing="ij"))
        beam = (0.64 - inset) * np.clip(np.sin(np.pi * np.clip(0.12 + 0.88 * u, 0, 1)), 0, 1) ** 0.55
        depth = 0.5 + 0.22 * (2 * u - 1) ** 2
        x = beam * np.sign(v) * np.abs(v) ** 0.75
        z = inset + (depth - inset * 0.2) * np.abs(v) ** 2.4 + 0.16 * np.clip(2 * u - 1.2, 0, 1) ** 2
        s = solid(np.column_stack([x, (u - 0.5) * (3.4 - 2 * inset), z]), grid_faces(nu, nv))
        return solid(
            s.vertices,
            s.faces[:, ::-1] if flip else s.faces,
            np.column_stack([s.vertices[:, 1], np.abs(v) * 0.7, s.vertices[:, 0]]),
        )

    t = np.linspace(0, 1, 30)
    rims = []
    for s in (-1.0, 1.0):
        beam = 0.64 * np.clip(np.sin(np.pi * np.clip(0.12 + 0.88 * t, 0, 1)), 0, 1) ** 0.55
        rims.append(
            tube(
                np.column_stack(
                    [s * beam, (t - 0.5) * 3.4, 0.5 + 0.22 * (2 * t - 1) ** 2 + 0.16 * np.clip(2 * t - 1.2, 0, 1) ** 2]
                ),
                0.032,
                8,
            )
        )
    seats = [
        box(w, 0.24, 0.04, 0.006).moved(0, y, 0.36).retextured((y, 0, 0)) for y, w in ((-0.9, 0.98), (0.05, 1.16), (0.9, 0.86))
    ]
    oars = []
    for s in (-1.0, 1.0):
        oars.append(rod((s * 0.12, -1.2, 0.44), (s * 0.34, 1.1, 0.52), 0.022, sides=8))
        oars.append(box(0.13, 0.5, 0.02, 0.008).turned(-5.5 * s).moved(s * 0.37, 1.32, 0.525))
    parts = (
        Part(
            name="hull",
            solid=hull(0.0, False).scaled(k),
            material=boards(m.shade(look_color, 0.6), m.shade(look_color, 1.15), 0.13, 1),
            spacing_m=0.036,
        ),
        Part(name="inside", solid=hull(0.03, True).scaled(k), material=boards("#5b3d24", "#a87c4e", 0.12, 1), spacing_m=0.038),
        Part(
            name="rim",
            solid=join([*rims, *seats]).scaled(k),
            material=m.wood("walnut" if item.color is None else "oak", 1),
            spacing_m=0.028,
        ),
        Part(name="oars", solid=join(oars).scaled(k), material=m.wood("pine", 1), spacing_m=0.022),
    )
    return Model(kind="boat", parts=parts, has_front=False, mass_kg=90 * k**3, color=item.color or "brown", material="wood")


def _pier(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.7, 5.5, 0.6))
    planks = [
        box(1.6, 0.17, 0.045, 0.008).moved(rng.normal(0, 0.015), -2.65 + 0.185 * i, 0.55).retextured((0.4 * i, 0, 0))
        for i in range(30)
    ]
    posts = [tube([[x, y, 0.0], [x, y, 0.4], [x, y, 0.86]], 0.085, 12) for x in (-0.78, 0.78) for y in (-2.4, -0.8, 0.8, 2.4)]
    beams = [box(0.1, 5.4, 0.14, 0.01).moved(x, 0, 0.46) for x in (-0.6, 0.6)]
    grey = ("#5d5144", "#a8998a")
    parts = (
        Part(name="planks", solid=join([*planks, *beams]).scaled(k), material=m.wood(grey, 0), spacing_m=0.042),
        Part(name="posts", solid=join(posts).scaled(k), material=m.wood(grey, 2), spacing_m=0.04),
    )
    deck = Surface(z=0.572 * k, low=(-0.75 * k, -2.6 * k), high=(0.75 * k, 2.6 * k))
    return Model(
        kind="pier", parts=parts, surfaces=(deck,), mass_kg=800, color=item.color or "gray", material="wood", movable=False
    )


def _bridge(item: Item, rng: np.random.Generator) -> Model:
    """An arched footbridge along Y."""
    k = scale_of(item, (1.5, 5.0, 1.6))
    look = finish_item(item, "wood", "#8a5a34")
    half, rise = 2.45, 0.62

    def arch(y: np.ndarray | float) -> np.ndarray:
        return 0.1 + rise * (1 - (np.asarray(y) / half) ** 2)

    planks = []
    for i, y in enumerate(np.linspace(-half, half, 30)):
        tilt = math.degrees(math.atan(-2 * rise * y / half**2))
        planks.append(
            box(1.3, 0.155, 0.05, 0.008).retextured((0.37 * i, 0, 0)).turned(tilt, "x").moved(0, float(y), float(arch(y)))
        )
    ys = np.linspace(-half, half, 24)
    beams = [
        tube(np.column_stack([np.full(24, x), ys, arch(ys) + dz]), r, 8)
        for x in (-0.66, 0.66)
        for dz, r in ((-0.07, 0.07), (0.82, 0.045), (0.45, 0.028))
    ]
    posts = [
        rod((x, y, float(arch(y)) - 0.1), (x, y, float(arch(y)) + 0.9), 0.045)
        for x in (-0.66, 0.66)
        for y in (-2.3, -1.15, 0.0, 1.15, 2.3)
    ]
    part = Part(name="bridge", solid=join([*planks, *beams, *posts]).scaled(k), material=look.material, spacing_m=0.04)
    return Model(kind="bridge", parts=(part,), mass_kg=600, color=look.color or "brown", material=look.name, movable=False)


def _fountain(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (2.8, 2.8, 2.0))
    bowl = lathe(
        [
            (1e-4, 0),
            (1.4, 0),
            (1.4, 0.08),
            (1.3, 0.14),
            (1.28, 0.42),
            (1.38, 0.48),
            (1.38, 0.54),
            (1.2, 0.54),
            (1.18, 0.2),
            (1e-4, 0.2),
        ],
        56,
    )
    stem = lathe(
        [
            (0.3, 0.2),
            (0.2, 0.32),
            (0.13, 0.6),
            (0.16, 0.9),
            (0.3, 1.02),
            (0.62, 1.12),
            (0.68, 1.18),
            (0.6, 1.2),
            (0.3, 1.1),
            (0.1, 1.12),
            (0.07, 1.45),
            (0.13, 1.6),
            (0.05, 1.7),
            (1e-4, 1.72),
        ],
        40,
    )
    pools = join([lathe([(1.19, 0.44), (0.6, 0.445), (1e-4, 0.45)], 40), lathe([(0.6, 1.165), (1e-4, 1.17)], 32)])
    n = 420
    az = rng.uniform(0, 2 * np.pi, n)
    t = rng.random(n)
    high = rng.random(n) < 0.4
    # Jets follow parabolas: from the tip into the upper bowl, from its rim into the basin.
    r0, r1 = np.where(high, 0.0, 0.66), np.where(high, 0.5, 0.98)
    z0, z1, up = np.where(high, 1.72, 1.18), np.where(high, 1.17, 0.45), np.where(high, 0.75, 0.25)
    az = np.where(high, az, np.round(az / (np.pi / 8)) * np.pi / 8 + rng.normal(0, 0.02, n))

    def at(s: np.ndarray) -> np.ndarray:
        r = r0 + (r1 - r0) * s
        return np.column_stack([r * np.cos(az), r * np.sin(az), z0 + (z1 - z0) * s + 4 * up * s * (1 - s) * 0.5]) * k

    spray = Strands(
        roots=at(t),
        tips=at(np.minimum(t + 0.09, 1.02)),
        width_m=np.full(n, 0.009 * k),
        albedo=np.full((n, 3), 0.8),
        normals=np.tile([0.0, 0.0, 1.0], (n, 1)),
        opacity=0.5,
        thin=1.0,
    )
    look = stone("#77726a", "#c4bcae", 4, 0.15) if not item.color and not item.material else finish_item(item, "stone").material
    parts = (
        Part(name="stone", solid=join([bowl, stem]).scaled(k), material=look, spacing_m=0.042),
        Part(
            name="water",
            solid=pools.scaled(k),
            material=m.plain("#3d6470", gloss=0.9, roughness=0.1),
            spacing_m=0.07,
            collides=False,
        ),
    )
    return Model(
        kind="fountain",
        parts=parts,
        strands=(spray,),
        mass_kg=2500,
        color=item.color or "gray",
        material=item.material or "stone",
        movable=False,
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="lake",
        synonyms=("pond", "small lake", "lagoon", "frozen lake", "frozen pond", "pool of water", "puddle"),
        build=_lake,
        size_m=LAKE_M,
        habitat="ground",
        family="outdoor",
        hypernyms=("water",),
    ),
    Kind(
        name="path",
        synonyms=("stone path", "stepping stones", "footpath", "trail", "walkway", "garden path", "gravel path"),
        build=_path,
        size_m=(1.1, 5.0, 0.08),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="boat",
        synonyms=("rowboat", "rowing boat", "canoe", "fishing boat", "dinghy"),
        build=_boat,
        size_m=(1.3, 3.5, 0.75),
        habitat="ground",
        family="outdoor",
        hypernyms=("vehicle",),
    ),
    Kind(
        name="pier",
        synonyms=("dock", "jetty", "wooden pier", "wooden dock"),
        build=_pier,
        size_m=(1.75, 5.5, 0.86),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="bridge",
        synonyms=("footbridge", "wooden bridge"),
        build=_bridge,
        size_m=(1.45, 5.0, 1.6),
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="fountain",
        synonyms=("stone fountain", "water fountain"),
        build=_fountain,
        size_m=(2.8, 2.8, 2.1),
        habitat="ground",
        family="outdoor",
    ),
)
