"""A camp: fire, logs, stumps, firewood, lanterns, torches."""

from __future__ import annotations

import math

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.asked import color_of, scale_of
from spatialwm.lift.text.kinds.foliage import UP
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Emitter, Look, Model, Part, Solid, Strands, Surface, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish_item
from spatialwm.lift.text.surface.noise import fbm, hash01, linear, ramp, smoothstep
from spatialwm.lift.text.surface.outdoors import bark, cut_wood, stone
from spatialwm.lift.text.surface.solids import cylinder, disc, ellipsoid, join, rock, tube

FIRE_M = (1.5, 1.5, 1.1)


def flames(height_m: float, radius_m: float, rng: np.random.Generator, count: int = 240, tongues: int = 7) -> Strands:
    """Upright licks of fire: white-hot at the foot, red where they tear off."""
    t = rng.random(count) ** 0.8
    tongue = rng.integers(0, tongues, count)
    turn = tongue * 2 * math.pi / tongues
    reach = radius_m * (1 - t) ** 0.9 * np.sqrt(rng.random(count))
    az = rng.uniform(0, 2 * np.pi, count)
    z = height_m * (0.06 + t * (0.55 + 0.42 * hash01(tongue, 4)))
    sway = 0.16 * radius_m
    x = 0.5 * radius_m * np.cos(turn) * (1 - 0.4 * t) + reach * np.cos(az) + sway * np.sin(9 * z / height_m + tongue)
    y = 0.5 * radius_m * np.sin(turn) * (1 - 0.4 * t) + reach * np.sin(az) + sway * np.cos(8 * z / height_m + 2 * tongue)
    root = np.column_stack([x, y, z])
    length = height_m * 0.24 * (1.25 - 0.6 * t) * rng.uniform(0.7, 1.3, count)
    lean = np.column_stack([-x, -y, np.zeros(count)]) * 0.25
    glow = ramp(t, [(0, "#ffe6a8"), (0.2, "#ffc050"), (0.5, "#ff8420"), (0.8, "#f04c10"), (1, "#b82c08")])
    return Strands(
        roots=root,
        tips=root + UP * length[:, None] + lean,
        width_m=height_m * 0.034 * (1.2 - t),
        albedo=np.full((count, 3), 0.02),
        normals=np.tile(UP, (count, 1)),
        emission=glow * (1.5 - 0.7 * t)[:, None],
        opacity=0.42,
        thin=1.0,
    )


def _campfire(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, FIRE_M)
    stones = []
    for i in range(12):
        a = i * 2 * math.pi / 12 + rng.normal(0, 0.05)
        s = rock(rng.uniform(0.155, 0.2), 200 + i + int(rng.integers(0, 40)), 3, 0.3, 0.8)
        stones.append(s.moved(0.60 * math.cos(a), 0.60 * math.sin(a), 0.1))
    sticks = []
    for i in range(8):
        a = i * 2 * math.pi / 8 + 0.3
        c, s = math.cos(a), math.sin(a)
        path = np.array([[0.42 * c, 0.42 * s, 0.03], [0.2 * c, 0.2 * s, 0.28], [-0.05 * c, -0.05 * s, 0.54]])
        sticks.append(tube(path, [0.052, 0.047, 0.035], 12))
    char = linear("#1d130d")

    def charred(s: Surfels) -> Look:
        heat = smoothstep(0.05, 0.5, fbm(s.points / k, 18.0, 3, 8) + 0.25)
        heat = heat * smoothstep(0.4, 0.1, np.hypot(s.points[:, 0], s.points[:, 1]) / k)
        return m.look(
            char * (1 + 0.6 * fbm(s.texture, 30.0, 3, 3))[:, None],
            0.004 * heat,
            emission=np.array([1.5, 0.30, 0.04]) * heat[:, None],
        )

    def embers(s: Surfels) -> Look:
        near = smoothstep(0.42, 0.1, np.hypot(s.points[:, 0], s.points[:, 1]) / k)
        spots = smoothstep(0.0, 0.5, fbm(s.points / k, 22.0, 3, 5)) * near
        ash = linear("#2a2624") * (1 + 0.4 * fbm(s.points, 15.0, 3, 6))[:, None]
        return m.look(ash, emission=np.array([2.4, 0.6, 0.09]) * spots[:, None])

    parts = (
        Part(name="stones", solid=join(stones).scaled(k), material=stone("#3a3734", "#857c72", 21), spacing_m=0.027),
        Part(name="logs", solid=join(sticks).scaled(k), material=charred, spacing_m=0.021),
        Part(name="embers", solid=disc(0.5, 0.02).scaled(k), material=embers, spacing_m=0.03, collides=False),
    )
    strand = flames(1.0 * k, 0.24 * k, rng)
    strand = Strands(
        roots=strand.roots + UP * 0.08 * k,
        tips=strand.tips + UP * 0.08 * k,
        width_m=strand.width_m,
        albedo=strand.albedo,
        normals=strand.normals,
        emission=strand.emission,
        opacity=strand.opacity,
        thin=strand.thin,
    )
    n = 40
    z = rng.uniform(0.8, 2.2, n)
    spark = np.column_stack([rng.normal(0, 0.11, n) * z, rng.normal(0, 0.11, n) * z, z]) * k
    sparks = Strands(
        roots=spark - UP * 0.008,
        tips=spark + UP * 0.008,
        width_m=np.full(n, 0.0045),
        albedo=np.full((n, 3), 0.02),
        normals=np.tile(UP, (n, 1)),
        emission=np.tile(linear("#ff9a3a") * 3.0, (n, 1)),
        opacity=0.95,
        thin=1.0,
    )
    fire = Emitter(center=(0.0, 0.0, 0.5 * k), radius_m=0.16 * k, power=(3.6 * k, 1.7 * k, 0.62 * k))
    return Model(
        kind="campfire",
        parts=parts,
        strands=(strand, sparks),
        emitters=(fire,),
        mass_kg=70 * k**3,
        color=item.color or "orange",
        material="wood",
        movable=False,
    )


def _round_log(length: float, radius: float, rng: np.random.Generator) -> tuple[Solid, Solid]:
    n = max(6, int(length / 0.15))
    x = np.linspace(-length / 2, length / 2, n)
    bump = radius * (1 + 0.05 * np.sin(np.arange(n) * 2.0 + rng.uniform(0, 6)))
    path = np.column_stack([x, 0.02 * np.sin(np.arange(n) * 0.7), np.full(n, radius)])
    body = tube(path, bump, 22, cap=False)
    ends = [
        disc(float(bump[i]) * 0.99, 0, 22, 5).turned(90 * s, "y").moved(float(x[i]), float(path[i, 1]), radius)
        for i, s in ((0, -1), (-1, 1))
    ]
    return body, join(ends)


def _log(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.6, 0.4, 0.38), 0.08, rng)
    body, ends = _round_log(1.6 * k, 0.19 * k, rng)
    parts = (
        Part(name="bark", solid=body, material=bark("#2e2018", "#7a5c43"), spacing_m=0.032),
        Part(name="ends", solid=ends, material=cut_wood(), spacing_m=0.025, smooth=False),
    )
    seat = Surface(z=0.38 * k, low=(-0.7 * k, -0.12 * k), high=(0.7 * k, 0.12 * k))
    return Model(
        kind="log", parts=parts, surfaces=(seat,), mass_kg=110 * k**3, friction=0.7, color=item.color or "brown", material="wood"
    )


def _stump(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.75, 0.75, 0.5), 0.1, rng)
    t = np.linspace(0, 1, 7)
    r = 0.26 * (1 + 0.42 * (1 - t) ** 3)
    body = tube(np.column_stack([0 * t, 0 * t, 0.5 * t]), r, 32, cap=False)
    angle = np.arctan2(body.vertices[:, 1], body.vertices[:, 0])
    v = body.vertices.copy()
    root = 1 + 0.22 * (1 - v[:, 2] / 0.5) ** 2 * np.maximum(np.sin(5 * angle + 1), -0.2)
    v[:, :2] *= root[:, None]
    body = Solid(v, body.faces, body.texture).scaled(k)
    parts = (
        Part(name="bark", solid=body, material=bark("#2e2018", "#7a5c43"), spacing_m=0.028),
        Part(name="top", solid=disc(0.26 * k, 0.5 * k, 32, 6), material=cut_wood(), spacing_m=0.02, smooth=False),
    )
    top = Surface(z=0.5 * k, low=(-0.17 * k, -0.17 * k), high=(0.17 * k, 0.17 * k))
    return Model(
        kind="tree stump",
        parts=parts,
        surfaces=(top,),
        mass_kg=120 * k**3,
        color=item.color or "brown",
        material="wood",
        movable=False,
    )


def _firewood(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (1.3, 0.5, 0.75), 0.0)
    bodies, ends = [], []
    for row in range(5):
        count = 8 - (row % 2)
        for i in range(count):
            r = 0.078 * rng.uniform(0.88, 1.08)
            body, end = _round_log(0.48, r, rng)
            x = (i - (count - 1) / 2) * 0.16
            place = (x, rng.normal(0, 0.012), 0.135 * row)
            bodies.append(body.turned(90).moved(*place))
            ends.append(end.turned(90).moved(*place))
    parts = (
        Part(name="bark", solid=join(bodies).scaled(k), material=bark(), spacing_m=0.03),
        Part(name="ends", solid=join(ends).scaled(k), material=cut_wood(), spacing_m=0.022, smooth=False),
    )
    return Model(kind="firewood", parts=parts, has_front=True, mass_kg=180 * k**3, color="brown", material="wood")


def _lantern(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.17, 0.17, 0.34), 0.0)
    iron = finish_item(item, "iron", "#2a2623")
    base = [cylinder(0.075, 0.03), cylinder(0.08, 0.02).moved(z=0.21), cylinder(0.05, 0.05, top_radius=0.02).moved(z=0.23)]
    bars = [
        tube([[0.062 * c, 0.062 * s, 0.03], [0.062 * c, 0.062 * s, 0.21]], 0.005, 6)
        for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))
    ]
    a = np.linspace(0, np.pi, 13)
    handle = tube(np.column_stack([0.055 * np.cos(a), 0 * a, 0.26 + 0.075 * np.sin(a)]), 0.004, 6)
    parts = (
        Part(name="frame", solid=join([*base, *bars, handle]).scaled(k), material=iron.material, spacing_m=0.011),
        Part(
            name="flame",
            solid=ellipsoid(0.03, 0.03, 0.06, 2).moved(z=0.115).scaled(k),
            material=m.emitting("#ffdc9a", 4.0),
            spacing_m=0.011,
            casts_shadow=False,
            emits=True,
        ),
    )
    light = Emitter(center=(0.0, 0.0, 0.12 * k), radius_m=0.045 * k, power=(1.5 * k, 0.86 * k, 0.36 * k))
    return Model(
        kind="lantern", parts=parts, emitters=(light,), mass_kg=1.4 * k**3, color=iron.color or "black", material=iron.name
    )


def _torch(item: Item, rng: np.random.Generator) -> Model:
    k = scale_of(item, (0.16, 0.16, 1.6), 0.0)
    pole = tube([[0, 0, 0], [0, 0, 0.7], [0, 0, 1.3]], [0.03, 0.026, 0.03], 12)
    cup = cylinder(0.045, 0.12, 16, top_radius=0.075).moved(z=1.26)
    fire = flames(0.36, 0.06, rng, 90, 4)
    fire = Strands(
        roots=(fire.roots + UP * 1.34) * k,
        tips=(fire.tips + UP * 1.34) * k,
        width_m=fire.width_m * k,
        albedo=fire.albedo,
        normals=fire.normals,
        emission=fire.emission,
        opacity=fire.opacity,
        thin=fire.thin,
    )
    parts = (
        Part(name="pole", solid=pole.scaled(k), material=bark(), spacing_m=0.02),
        Part(name="cup", solid=cup.scaled(k), material=m.metal("#2a2623", 0.4), spacing_m=0.015),
    )
    light = Emitter(center=(0.0, 0.0, 1.5 * k), radius_m=0.08 * k, power=(2.0 * k, 0.85 * k, 0.26 * k))
    return Model(
        kind="torch", parts=parts, strands=(fire,), emitters=(light,), mass_kg=4, color=color_of(item, "brown"), material="wood"
    )


KINDS: tuple[Kind, ...] = (
    Kind(
        name="campfire",
        synonyms=("bonfire", "camp fire", "fire", "fire pit", "firepit"),
        build=_campfire,
        size_m=FIRE_M,
        habitat="ground",
        family="outdoor",
    ),
    Kind(
        name="log",
        synonyms=("tree trunk", "fallen log", "wooden log", "fallen tree"),
        build=_log,
        size_m=(1.6, 0.4, 0.38),
        habitat="ground",
        family="outdoor",
        hypernyms=("seat",),
    ),
    Kind(name="tree stump", synonyms=("stump",), build=_stump, size_m=(0.75, 0.75, 0.5), habitat="ground"),
    Kind(
        name="firewood",
        synonyms=("wood pile", "woodpile", "pile of wood", "stack of firewood", "log pile"),
        build=_firewood,
        size_m=(1.3, 0.5, 0.7),
        habitat="ground",
    ),
    Kind(
        name="lantern",
        synonyms=("oil lamp", "oil lantern", "storm lantern"),
        build=_lantern,
        size_m=(0.17, 0.17, 0.34),
        habitat="surface",
        hypernyms=("light",),
    ),
    Kind(name="torch", synonyms=("tiki torch",), build=_torch, size_m=(0.16, 0.16, 1.7), habitat="ground", hypernyms=("light",)),
)
