"""Farm animals on four legs, from one skeleton: horse, cow, sheep, goat, pig, deer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Look, Material, Model, Solid, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish
from spatialwm.lift.text.surface.noise import fbm, linear, mix, smoothstep
from spatialwm.lift.text.surface.solids import ellipsoid, lathe, sphere, tube


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Proportions in metres of a grown animal; it looks along -Y."""

    size: tuple[float, float, float]
    """Width, length, height over all."""
    back: float
    """Height of the back."""
    trunk: float
    """Length of the trunk."""
    girth: float
    """Radius of the trunk."""
    head: float
    """Length of the head."""
    poll: float
    """Height of the top of the neck."""
    coat: str
    muzzle: str
    kilograms: float
    woolly: bool = False
    horns: str = ""
    """``short``, ``swept`` or ``antlers``."""
    mane: bool = False


BUILDS: dict[str, Build] = {
    "horse": Build(size=(0.6, 2.35, 1.95), back=1.5, trunk=1.35, girth=0.31, head=0.6, poll=1.82, coat="#7a4523",
                   muzzle="#3a2417", kilograms=500, mane=True),
    "cow": Build(size=(0.65, 2.3, 1.5), back=1.38, trunk=1.5, girth=0.38, head=0.52, poll=1.38, coat="#e8e2d6", muzzle="#c79a8c",
                 kilograms=600, horns="short"),
    "sheep": Build(size=(0.48, 1.2, 0.92), back=0.78, trunk=0.8, girth=0.25, head=0.27, poll=0.84, coat="#ddd5c2",
                   muzzle="#2c2824", kilograms=70, woolly=True),
    "goat": Build(size=(0.4, 1.15, 0.95), back=0.7, trunk=0.72, girth=0.18, head=0.26, poll=0.86, coat="#cfc2a8",
                  muzzle="#8a7a66", kilograms=50, horns="swept"),
    "pig": Build(size=(0.45, 1.3, 0.72), back=0.7, trunk=0.9, girth=0.24, head=0.34, poll=0.58, coat="#d9a493", muzzle="#c98575",
                 kilograms=110),
    "deer": Build(size=(0.45, 1.6, 1.75), back=1.05, trunk=0.95, girth=0.2, head=0.32, poll=1.36, coat="#8d5b34",
                  muzzle="#33241a", kilograms=90, horns="antlers"),
}  # fmt: skip


def _patches(pale: str, dark: str) -> Material:
    a, b = linear(pale), linear(dark)

    def at(s: Surfels) -> Look:
        blot = smoothstep(0.02, 0.09, fbm(s.texture, 2.1, 2, 11))
        return m.look(mix(a, b, blot) * (1 + 0.06 * fbm(s.texture, 40.0, 2, 3))[:, None], None, 0.2, 0.5)

    return at


def _trunk(b: Build) -> list[Solid]:
    r, half, z = b.girth, b.trunk / 2, b.back - b.girth
    t = np.linspace(0, 1, 13)
    radii = r * np.sqrt(np.clip(1 - np.abs(2 * t - 1) ** 3.2, 0.02, 1))
    radii *= 1.0 - 0.1 * np.sin(np.pi * t) + 0.04 * np.cos(2 * np.pi * t)
    return [tube(np.c_[0 * t, half * 1.08 * (1 - 2 * t), z + 0.05 * r * np.cos(2 * np.pi * t)], radii, 24).scaled(0.86, 1, 1)]


def _legs(b: Build) -> tuple[list[Solid], list[Solid]]:
    r, z = b.girth, b.back - b.girth
    thick = max(0.16 * r, 0.028)
    legs, hooves = [], []
    for sx in (-1, 1):
        for y, bend in ((-b.trunk * 0.36, -0.02), (b.trunk * 0.4, 0.07)):
            x = sx * r * 0.52
            knee = z * 0.5
            path = [[x * 0.9, y, z - 0.1 * r], [x, y + bend * z, knee * 1.15], [x, y + bend * z * 0.6, knee], [x, y, z * 0.07]]
            legs.append(tube(path, [0.5 * r, 1.5 * thick, 1.25 * thick, thick], 14))
            hooves.append(lathe([(1e-4, 0), (1.5 * thick, 0), (1.2 * thick, z * 0.09), (1e-4, z * 0.09)], 16).moved(x, y, 0))
    return legs, hooves


def _head(b: Build) -> tuple[list[Solid], list[Solid], list[Solid], np.ndarray]:
    """Neck and head, muzzle, eyes, and where the poll is."""
    r, z, k = b.girth, b.back - b.girth, b.head
    base = np.array([0, -b.trunk * 0.44, z + 0.25 * r])
    poll = np.array([0, -b.trunk * 0.5 - 0.42 * k - 0.25 * max(b.poll - b.back, 0), b.poll - 0.2 * k])
    nose = poll + k * np.array([0, -0.72, -0.5])
    way = (nose - poll) / np.linalg.norm(nose - poll)
    neck = tube(np.array([base, (base + poll) / 2 + (0, 0.06 * k, -0.02 * k), poll]), [0.66 * r, 0.48 * r, 0.23 * k], 18)
    skull = tube(
        poll + way * np.array([[-0.1], [0.1], [0.35], [0.7], [np.linalg.norm(nose - poll) / k]]) * k,
        [0.12 * k, 0.24 * k, 0.25 * k, 0.17 * k, 0.13 * k], 18,
    ).scaled(0.82, 1, 1)  # fmt: skip
    side = [
        ellipsoid(0.07 * k, 0.05 * k, 0.17 * k, 2).turned(s * 40, "y").moved(s * 0.24 * k, poll[1] + 0.05 * k, poll[2] + 0.19 * k)
        for s in (-1, 1)
    ]
    muzzle = [ellipsoid(0.135 * k, 0.13 * k, 0.13 * k, 3).moved(*(nose - way * 0.02 * k))]
    eye = poll + way * 0.3 * k + np.array([0, 0, 0.1 * k])
    eyes = [sphere(0.035 * k, 2).moved(s * 0.185 * k, eye[1], eye[2]) for s in (-1, 1)]
    return [neck, skull, *side], muzzle, eyes, poll


def _horns(b: Build, poll: np.ndarray) -> list[Solid]:
    k, out = b.head, []
    for s in (-1, 1):
        root = poll + (s * 0.12 * k, 0.02 * k, 0.2 * k)
        if b.horns == "short":
            curve = np.array([(0, 0, 0), (0.2, -0.03, 0.08), (0.26, -0.06, 0.24)]) * (s * k, k, k) + root
            out.append(tube(curve, [0.06 * k, 0.045 * k, 0.012 * k], 10))
        elif b.horns == "swept":
            curve = np.array([(0, 0, 0), (0.05, 0.12, 0.35), (0.12, 0.42, 0.42)]) * (s * k, k, k) + root
            out.append(tube(curve, [0.08 * k, 0.06 * k, 0.012 * k], 10))
        elif b.horns == "antlers":
            beam = np.array([(0, 0, 0), (0.5, 0.35, 0.5), (0.85, 0.3, 1.0), (0.75, -0.1, 1.4)]) * (s * k, k, k) + root
            out.append(tube(beam, [0.07 * k, 0.055 * k, 0.045 * k, 0.015 * k], 10))
            out += [
                tube(p + np.array([(0, 0, 0), (s * 0.1, -0.35, 0.4)]) * k, [0.045 * k, 0.012 * k], 8) for p in (beam[1], beam[2])
            ]
    return out


def _animal(name: str) -> Callable[[Item, np.random.Generator], Model]:
    b = BUILDS[name]

    def build(item: Item, rng: np.random.Generator) -> Model:
        _, _, h = measures(item, b.size)
        k = h / b.size[2]
        coat = finish("wool" if b.woolly else "fur", item.color, None, default_color=b.coat)
        body, hooves = _legs(b)
        neck, muzzle, eyes, poll = _head(b)
        trunk = _trunk(b)
        tail_y, z = b.trunk * 0.53, b.back - 0.6 * b.girth
        hanging = [[0, tail_y * 0.96, z], [0, tail_y + 0.08, z - 0.1], [0, tail_y + 0.06, z - 0.45 * b.back]]
        tail = tube(hanging, [0.04, 0.05, 0.02] if b.mane else [0.022, 0.018, 0.012], 10)
        if name in ("sheep", "goat", "pig", "deer"):
            tail = ellipsoid(0.03, 0.06, 0.07, 2).moved(0, tail_y, z)
        spacing = max(0.011, 0.017 * b.back * k)
        skin = _patches(b.coat, "#1f1a18") if name == "cow" and not item.color else coat.material
        horns = _horns(b, poll) if not says(item, "doe", "foal", "calf", "lamb", "fawn") else []
        bony = m.plain("#cdbfa4" if name != "deer" else "#7a5f42", 0.3)
        dark = m.plain(b.muzzle, 0.4, variation=0.2)
        parts = [
            part("coat", [*trunk, *body, *(neck[:1] if b.woolly else neck)], skin, spacing),
            part("muzzle", muzzle if not b.woolly else [*neck[1:], *muzzle], dark, spacing * 0.7),
            part("hooves", hooves, m.plain("#26201c", 0.4), spacing * 0.7),
            part("eyes", eyes, m.plain("#0d0b0a", 0.9, 0.1), 0.006, collides=False),
            part("tail", tail, m.plain("#1d1714") if b.mane else skin, spacing * 0.7),
        ]
        if horns:
            parts.append(part("horns", horns, bony, spacing * 0.6, collides=False))
        if b.mane:
            base = np.array([0, -b.trunk * 0.4, b.back - 0.05])
            along = poll + (0, 0.1, 0.08) - base
            crest = [ellipsoid(0.035, 0.09, 0.15, 2).moved(*(base + t * along)) for t in np.linspace(0, 1, 8)]
            parts.append(part("mane", crest, m.plain("#1d1714", variation=0.3), spacing * 0.7))
        points = np.concatenate([p.solid.vertices for p in parts])
        low, high = points.min(0), points.max(0)
        middle = (low[:2] + high[:2]) / 2
        k = h / (high[2] - low[2])
        scaled = tuple(
            part(p.name, p.solid.moved(-middle[0], -middle[1], -low[2]).scaled(k), p.material, p.spacing_m, collides=p.collides)
            for p in parts
        )
        return Model(
            kind=name, parts=scaled, has_front=True, mass_kg=b.kilograms * k**3, friction=0.8,
            color=item.color or coat.color, material="wool" if b.woolly else "fur",
        )  # fmt: skip

    return build


_NAMES = {
    "horse": ("pony", "stallion", "mare", "foal", "donkey"), "cow": ("bull", "calf", "cattle", "ox"),
    "sheep": ("lamb", "ram", "ewe"), "goat": ("billy goat",), "pig": ("piglet", "hog"),
    "deer": ("stag", "doe", "fawn", "reindeer"),
}  # fmt: skip

KINDS: tuple[Kind, ...] = tuple(
    Kind(
        name=name, synonyms=_NAMES[name], build=_animal(name), size_m=b.size, habitat="ground",
        family="outdoor", hypernyms=("animal",),
    )
    for name, b in BUILDS.items()
)  # fmt: skip
"""Every farm animal."""
