"""What furniture makers share: measures from wishes, legs, part shorthands, weights."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.model import Material, Part, Solid
from spatialwm.lift.text.surface.solids import join, rod

Size = tuple[float, float, float]


def measures(item: Item, usual_m: Size) -> Size:
    """Width, depth, height of the thing to build.

    Explicit metres scale their own axis and, where no other was given, the rest moderately with it; ``large`` and ``small`` scale
    all three by 1.35 and 0.7.
    """
    width, depth, height = usual_m
    k = {"large": 1.35, "small": 0.7, None: 1.0}[item.size]
    asked_w = item.width_m
    asked_d = None
    if item.length_m:  # the length is the longer horizontal side
        if width >= depth:
            asked_w = asked_w or item.length_m
        else:
            asked_d = item.length_m
    asked_h = item.height_m
    if asked_w or asked_d or asked_h:
        ratios = [a / b for a, b in ((asked_w, width), (asked_d, depth), (asked_h, height)) if a]
        k = float(np.prod(ratios)) ** (1 / len(ratios))
        k = min(max(k, 0.45), 2.2)
        return (asked_w or width * k, asked_d or depth * k, asked_h or height * k)
    if "tall" in item.adjectives or "high" in item.adjectives:
        height *= 1.25
    if "low" in item.adjectives or "short" in item.adjectives:
        height *= 0.75
    if "long" in item.adjectives or "wide" in item.adjectives:
        if width >= depth:
            width *= 1.35
        else:
            depth *= 1.35
    if "narrow" in item.adjectives or "slim" in item.adjectives:
        width *= 0.75
    return (width * k, depth * k, height * k)


def part(name: str, solids: Solid | Iterable[Solid], material: Material, spacing_m: float, **options: object) -> Part:
    """A part from one or many solids."""
    body = solids if isinstance(solids, Solid) else join(solids)
    return Part(name=name, solid=body, material=material, spacing_m=spacing_m, **options)  # pyright: ignore[reportArgumentType]


def round_legs(half_x: float, half_y: float, height: float, thick: float = 0.022, splay: float = 0.06) -> list[Solid]:
    """Four tapered legs from the floor to ``height`` whose tops stand at the half extents, splayed outwards below."""
    return [
        rod((sx * half_x * (1 + splay), sy * half_y * (1 + splay), 0), (sx * half_x, sy * half_y, height), thick * 0.6, thick)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]


def says(item: Item, *words: str) -> bool:
    """True when the noun or an adjective is or contains one of the words."""
    text = " ".join((item.noun, *item.adjectives)).lower()
    return any(w in text for w in words)
