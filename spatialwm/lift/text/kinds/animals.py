"""Cats and dogs as simple, pleasing figures: sitting, lying or standing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds.furniture import measures, part, says
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Part, Solid
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.finish import finish
from spatialwm.lift.text.surface.solids import ellipsoid, lathe, sphere, tube


def _blob(x: float, y: float, z: float, a: float, b: float, c: float, tilt: float = 0.0) -> Solid:
    return ellipsoid(a, b, c, 3).turned(tilt, "x").moved(x, y, z)


def _face(z: float, y: float, r: float, muzzle: float, ears: str) -> tuple[list[Solid], list[Solid], list[Solid]]:
    """Head in fur, pale muzzle, and dark eyes and nose, looking along -Y."""
    fur = [ellipsoid(r, r * 0.95, r * 0.9, 3).moved(0, y, z)]
    if ears == "cat":
        fur += [
            lathe([(1e-4, 0), (r * 0.42, 0), (r * 0.2, r * 0.5), (1e-4, r * 0.8)], 16)
            .scaled(1, 0.5, 1)
            .turned(s * 16, "y")
            .moved(s * r * 0.56, y, z + r * 0.58)
            for s in (-1, 1)
        ]
    else:
        fur += [
            ellipsoid(r * 0.22, r * 0.4, r * 0.66, 3).turned(s * 20, "y").moved(s * r * 0.98, y + r * 0.1, z - r * 0.08)
            for s in (-1, 1)
        ]
    pale = [ellipsoid(r * 0.46, muzzle, r * 0.36, 3).moved(0, y - r * 0.72, z - r * 0.26)]
    dark = [sphere(r * 0.13, 2).moved(s * r * 0.38, y - r * 0.84, z + r * 0.14) for s in (-1, 1)]
    dark.append(ellipsoid(r * 0.17, r * 0.11, r * 0.12, 2).moved(0, y - r * 0.72 - muzzle * 0.95, z - r * 0.14))
    return fur, pale, dark


def _animal(item: Item, kind: str, usual: tuple[float, float, float], color: str, ears: str, kilograms: float) -> Model:
    lying = says(item, "sleeping", "lying", "curled", "resting", "napping")
    standing = says(item, "standing", "walking", "running")
    tall = usual if not lying else (usual[0] * 1.3, usual[1], usual[2] * 0.5)
    w, d, h = measures(item, tall)
    coat = finish("fur", item.color, None, default_color=color)
    pale = m.fur(m.shade(coat.color or color, 1.7))
    r = h * (0.2 if ears == "cat" else 0.19) if not lying else h * 0.36
    muzzle = r * (0.34 if ears == "cat" else 0.62)
    fur: list[Solid]
    if lying:
        fur = [
            _blob(0, 0.02 * d, h * 0.42, w * 0.46, d * 0.4, h * 0.42),
            _blob(w * 0.22, 0.1 * d, h * 0.44, w * 0.26, d * 0.3, h * 0.44),
        ]
        head, light, dark = _face(h * 0.62, -d * 0.2, r, muzzle, ears)
        moved = [[s.moved(-w * 0.26, 0, -h * 0.05) for s in group] for group in (head, light, dark)]
        fur += moved[0]
        light, dark = moved[1], moved[2]
        a = np.linspace(-0.3, 2.1, 14)
        fur.append(
            tube(
                np.c_[w * 0.46 * np.cos(a), -d * 0.4 * np.sin(a), np.full(14, h * 0.14)], np.linspace(h * 0.14, h * 0.08, 14), 12
            )
        )
        fur += [_blob(s, -d * 0.36, h * 0.12, w * 0.07, d * 0.14, h * 0.12) for s in (-w * 0.3, -w * 0.12)]
    elif standing:
        z = h * 0.56
        fur = [_blob(0, 0.04 * d, z, w * 0.34, d * 0.36, h * 0.18), _blob(0, -d * 0.16, z + h * 0.02, w * 0.36, d * 0.2, h * 0.2)]
        fur += [
            tube(
                [[sx * w * 0.22, y, h * 0.02], [sx * w * 0.22, y, h * 0.25], [sx * w * 0.2, y * 0.9, z]],
                [h * 0.05, h * 0.045, h * 0.08],
                14,
            )
            for sx in (-1, 1)
            for y in (-d * 0.2, d * 0.28)
        ]
        fur.append(tube([[0, -d * 0.2, z], [0, -d * 0.3, h * 0.78]], [h * 0.13, h * 0.12], 16))
        head, light, dark = _face(h - r * 1.1, -d * 0.33, r, muzzle, ears)
        fur += head
        fur.append(
            tube(
                [[0, d * 0.38, z + h * 0.06], [0, d * 0.48, h * 0.72], [0, d * 0.5, h * 0.9]], [h * 0.05, h * 0.04, h * 0.022], 12
            )
        )
    else:
        fur = [
            _blob(0, d * 0.12, h * 0.27, w * 0.44, d * 0.34, h * 0.27),
            _blob(0, -d * 0.02, h * 0.42, w * 0.34, d * 0.23, h * 0.28, -14),
        ]
        fur += [
            tube(
                [[s * w * 0.18, -d * 0.26, h * 0.03], [s * w * 0.18, -d * 0.22, h * 0.22], [s * w * 0.15, -d * 0.1, h * 0.46]],
                [h * 0.055, h * 0.05, h * 0.085],
                14,
            )
            for s in (-1, 1)
        ]
        fur += [_blob(s * w * 0.18, -d * 0.31, h * 0.04, w * 0.11, d * 0.1, h * 0.04) for s in (-1, 1)]
        fur += [_blob(s * w * 0.36, -d * 0.06, h * 0.05, w * 0.12, d * 0.22, h * 0.05) for s in (-1, 1)]
        head, light, dark = _face(h - r * (1.55 if ears == "cat" else 0.95), -d * 0.13, r, muzzle, ears)
        fur += head
        light.append(_blob(0, -d * 0.19, h * 0.42, w * 0.18, d * 0.1, h * 0.15, -14))
        a = np.linspace(0.2, 2.4, 14)
        fur.append(
            tube(
                np.c_[w * 0.5 * np.sin(a), d * 0.2 + d * 0.28 * np.cos(a), np.full(14, h * 0.06)],
                np.linspace(h * 0.055, h * 0.03, 14),
                12,
            )
        )
    parts = _grounded(
        [
            part("fur", fur, coat.material, 0.0072 * max(1.0, h / 0.45)),
            part("pale", light, pale, 0.0065 * max(1.0, h / 0.45)),
            part("eyes", dark, m.plain("#100d0b", 0.9, 0.12), 0.0035, collides=False),
        ],
        h,
    )
    return Model(
        kind=kind,
        has_front=True,
        mass_kg=kilograms * (h / tall[2]) ** 3,
        friction=0.8,
        color=coat.color or {"cat": "orange", "dog": "brown"}[kind],
        material="fur",
        parts=tuple(parts),
    )


def _grounded(parts: list[Part], height: float) -> list[Part]:
    """Set on the floor and scaled upright to the height asked for."""
    points = np.concatenate([p.solid.vertices for p in parts])
    low, high = points.min(0), points.max(0)
    k = height / (high[2] - low[2])
    middle = (low[:2] + high[:2]) / 2
    return [replace(p, solid=p.solid.moved(-middle[0], -middle[1], -low[2]).scaled(1, 1, k)) for p in parts]


def cat(item: Item, rng: np.random.Generator) -> Model:
    """A cat, sitting unless the words say otherwise."""
    return _animal(item, "cat", (0.24, 0.42, 0.42), "#b8763a", "cat", 4.2)


def dog(item: Item, rng: np.random.Generator) -> Model:
    """A dog, sitting unless the words say otherwise."""
    return _animal(item, "dog", (0.36, 0.7, 0.72), "#8a5f38", "dog", 18.0)


KINDS: tuple[Kind, ...] = (
    Kind(
        name="cat",
        synonyms=("kitten", "kitty", "tabby", "black cat"),
        build=cat,
        size_m=(0.24, 0.42, 0.42),
        hypernyms=("animal", "pet"),
    ),
    Kind(
        name="dog",
        synonyms=("puppy", "golden retriever", "labrador", "hound"),
        build=dog,
        size_m=(0.36, 0.7, 0.72),
        hypernyms=("animal", "pet"),
    ),
)
