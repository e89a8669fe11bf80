"""What an item's wishes mean for the thing built: a scale, a colour."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.surface.finish import known_color

Size = tuple[float, float, float]


def scale_of(item: Item, usual_m: Size, spread: float = 0.0, rng: np.random.Generator | None = None) -> float:
    """Factor on a kind's usual size: measures first, then large or small, then ``spread`` of natural variation."""
    width, depth, height = usual_m
    if item.height_m:
        return item.height_m / height
    if item.width_m:
        return item.width_m / width
    if item.length_m:
        return item.length_m / max(width, depth)
    if item.size:
        return 1.4 if item.size == "large" else 0.65
    return 1.0 if rng is None or spread == 0 else float(rng.uniform(1 - spread, 1 + spread))


def color_of(item: Item, usual: str) -> str:
    """The wanted colour, or the usual one when none is stated or the word is not a colour."""
    return known_color(item.color) or usual


def says(item: Item, *words: str) -> bool:
    """True when the noun or an adjective contains one of the words."""
    text = " ".join((item.noun, *item.adjectives, item.material or "")).lower()
    return any(w in text for w in words)
