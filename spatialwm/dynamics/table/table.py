"""TablePush-3D: things on a table and a pusher that lags, some of it known and some of it not."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from spatialwm.dynamics.table.shapes import FAMILIARS, STRANGERS, Part, half_height, reach

REACH_M = 0.32
"""The pusher's commands stay within this of the middle, each way."""
DENSITY_KG_M3, FRICTION, DAMPING = 900.0, 0.5, 0.3
"""What is believed of a thing that was only looked at."""

Joint = Literal["free", "slide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One object: its shape is seen, the rest must be guessed or found out."""

    id: str
    category: str
    parts: tuple[Part, ...]
    position: tuple[float, float, float]
    """Of the origin in the world, metres."""
    yaw_rad: float
    color: tuple[float, float, float]
    mass_kg: float
    friction: float = FRICTION
    center_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Centre of mass, away from that of an even filling."""
    damping: float = DAMPING
    """Newtons per m/s, and a thousandth of it N m per rad/s."""
    joint: Joint = "free"
    """A drawer slides along its own x axis."""
    travel_m: float = 0.0
    """How far a slide opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pusher:
    """An upright rod on two crossed rails, driven to where it is told by a spring and a damper, late."""

    start: tuple[float, float]
    radius_m: float = 0.02
    stiffness: float = 2000.0
    """N/m."""
    damping: float = 90.0
    """N s/m; critical for its kilogram at the nominal stiffness."""
    late: int = 0
    """Quarters of a control step until a command takes effect."""
    friction: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All that a simulation needs; a believed table and the true one differ in what cannot be seen."""

    things: tuple[Thing, ...]
    pusher: Pusher
    fixed: tuple[Thing, ...] = ()
    """What never moves: the case of a drawer."""

    def believed(self) -> Table:
        """The same table as it looks: masses from volumes, even fillings, usual friction, a pusher that obeys."""
        usual = {"friction": FRICTION, "center_m": (0.0, 0.0, 0.0), "damping": DAMPING}
        things = tuple(replace(t, mass_kg=DENSITY_KG_M3 * sum(p.volume for p in t.parts), **usual) for t in self.things)
        return replace(self, things=things, pusher=Pusher(start=self.pusher.start, radius_m=self.pusher.radius_m))


def unseen(table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Masses ``(k,)``, frictions ``(k,)``, centres ``(k, 3)`` and dampings ``(k,)`` as the table has them."""
    masses, frictions, dampings = (np.array([getattr(t, f) for t in table.things]) for f in ("mass_kg", "friction", "damping"))
    return masses, frictions, np.array([t.center_m for t in table.things]).reshape(-1, 3), dampings


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A distribution of tables."""

    things: tuple[int, int] = (3, 3)
    shapes: dict[str, object] = field(default_factory=lambda: dict(FAMILIARS))
    mass_factor: tuple[float, float] = (0.35, 2.5)
    """Of what is believed, log-uniform."""
    friction: tuple[float, float] = (0.25, 0.8)
    off_center: tuple[float, float] = (0.0, 0.4)
    """Distance of the centre of mass from the middle, as a share of the smaller half extent of the foot print."""
    damping: tuple[float, float] = (0.0, 1.0)
    noise_m: float = 0.0
    """Of the surface points through which shapes are known; above 0, solids are hulls around them."""
    layout: Literal["spread", "stack", "drawer"] = "spread"


VARIANTS = {
    "push": Variant(),
    "six": Variant(things=(6, 6)),
    "shapes": Variant(shapes=dict(STRANGERS)),
    "heavy": Variant(mass_factor=(2.5, 5.0), friction=(0.8, 1.0)),
    "slippery": Variant(mass_factor=(0.15, 0.35), friction=(0.12, 0.25)),
    "center": Variant(off_center=(0.55, 0.8)),
    "lifted": Variant(off_center=(0.55, 0.8), noise_m=0.003),
    "stack": Variant(things=(3, 4), layout="stack"),
    "drawer": Variant(things=(3, 3), layout="drawer"),
}
"""By name: ``push`` is what models learn from; the others ask what they make of it."""

_COLORS = ("#c8553d", "#e0a458", "#588b8b", "#3d5a80", "#8d6a9f", "#6a994e", "#bc4749", "#457b9d")


def sample_table(variant: Variant, rng: np.random.Generator) -> Table:
    """A true table of a variant."""
    count = int(rng.integers(variant.things[0], variant.things[1] + 1))
    things: list[Thing] = []
    fixed: tuple[Thing, ...] = ()
    taken: list[tuple[float, float, float]] = []
    colors = rng.permutation(len(_COLORS))
    if variant.layout == "drawer":
        drawer, case = _drawer(rng)
        things.append(_filled(drawer, variant, rng))
        fixed = (case,)
        taken.append((case.position[0], case.position[1], 0.14))
    while len(things) < count:
        number = len(things)
        category = str(rng.choice(list(variant.shapes)))
        parts: tuple[Part, ...] = variant.shapes[category](rng)  # type: ignore[operator]
        place = _free_place(reach(parts), taken, 0.2 if count < 5 else 0.27, rng)
        below = 0.0
        if variant.layout == "stack" and number % 2 == 1:
            base = things[-1]
            place, below = (base.position[0], base.position[1]), 2 * half_height(base.parts)
        elif place is None:
            continue
        else:
            taken.append((*place, reach(parts)))
        hexa = _COLORS[colors[number % len(_COLORS)]]
        thing = Thing(
            id=f"{category}-{number + 1}", category=category, parts=parts, position=(*place, below + half_height(parts)),
            yaw_rad=float(rng.uniform(-math.pi, math.pi)), mass_kg=1.0,
            color=(int(hexa[1:3], 16) / 255, int(hexa[3:5], 16) / 255, int(hexa[5:7], 16) / 255),
        )  # fmt: skip
        things.append(_filled(thing, variant, rng))
    start = _free_place(0.03, taken, 0.3, rng)
    while start is None:
        start = _free_place(0.03, taken, 0.3, rng)
    pusher = Pusher(
        start=start, stiffness=float(rng.uniform(350, 700)), damping=float(rng.uniform(40, 60)),
        late=int(rng.integers(3, 6)), friction=float(rng.uniform(0.15, 0.45)),
    )  # fmt: skip
    return Table(things=tuple(things), pusher=pusher, fixed=fixed)


def _filled(thing: Thing, variant: Variant, rng: np.random.Generator) -> Thing:
    """What cannot be seen of it, drawn."""
    low, high = np.log(variant.mass_factor)
    believed = DENSITY_KG_M3 * sum(p.volume for p in thing.parts)
    foot = np.array([p.size[:2] if p.kind == "box" else (p.size[0],) * 2 for p in thing.parts]).max(0).min()
    away, angle = rng.uniform(*variant.off_center) * foot, rng.uniform(0, 2 * math.pi)
    return replace(
        thing, mass_kg=float(believed * np.exp(rng.uniform(low, high))), friction=float(rng.uniform(*variant.friction)),
        center_m=(float(away * math.cos(angle)), float(away * math.sin(angle)), 0.0),
        damping=float(rng.uniform(*variant.damping)),
    )  # fmt: skip


def _free_place(
    radius: float, taken: list[tuple[float, float, float]], half: float, rng: np.random.Generator
) -> tuple[float, float] | None:
    for _ in range(60):
        x, y = rng.uniform(-half, half, 2)
        if all(math.hypot(x - a, y - b) > radius + r + 0.005 for a, b, r in taken):
            return float(x), float(y)
    if taken:
        return None
    return (0.0, 0.0)


def _drawer(rng: np.random.Generator) -> tuple[Thing, Thing]:
    """A drawer with a knob in its case, opening towards the middle of the table."""
    wide, deep, high = (float(v) for v in (rng.uniform(0.05, 0.07), rng.uniform(0.05, 0.07), 0.03))
    side = float(rng.uniform(-math.pi, math.pi))
    x, y = -0.2 * math.cos(side), -0.2 * math.sin(side)
    inner = (
        Part("box", (deep, wide, 0.004), (0.0, 0.0, -high + 0.006)),
        Part("box", (0.004, wide, high - 0.004), (deep, 0.0, 0.0)),
        Part("box", (0.004, wide, high - 0.008), (-deep, 0.0, 0.0)),
        Part("box", (0.03, 0.006, high - 0.006), (deep + 0.03, 0.0, 0.0)),
        Part("box", (0.006, 0.03, high - 0.006), (deep + 0.06, 0.0, 0.0)),
    )
    shell = tuple(
        Part("box", size, place)
        for size, place in (
            ((deep, 0.005, high), (0.0, wide + 0.008, 0.0)), ((deep, 0.005, high), (0.0, -wide - 0.008, 0.0)),
            ((0.005, wide + 0.013, high), (-deep - 0.012, 0.0, 0.0)),
            ((deep + 0.005, wide + 0.013, 0.004), (0.0, 0.0, high + 0.006)),
        )
    )  # fmt: skip
    wood, dark = (0.72, 0.55, 0.36), (0.45, 0.33, 0.22)
    open_m = float(rng.uniform(0.0, 0.06))
    at = (x + open_m * math.cos(side), y + open_m * math.sin(side), high)
    drawer = Thing(
        id="drawer-1", category="drawer", parts=inner, position=at, yaw_rad=side, color=wood, mass_kg=1.0, joint="slide",
        travel_m=2 * deep - 0.01 - open_m,
    )  # fmt: skip
    return drawer, Thing(
        id="case-1", category="case", parts=shell, position=(x, y, high), yaw_rad=side, color=dark, mass_kg=1.0
    )
