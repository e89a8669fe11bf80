"""Words become materials: ``red`` + ``leather``, ``oak``, ``brass``, or nothing but what the kind usually is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spatialwm.errors import ShapeError
from spatialwm.geometry.color import LUMINANCE, parse_color
from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.model import Material
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface.noise import linear

_ALIASES: dict[str, str] = {
    "wooden": "wood", "timber": "wood", "log": "wood", "metallic": "metal", "woollen": "wool", "woolen": "wool",
    "knitted": "wool",
    "cotton": "fabric", "linen": "fabric", "cloth": "fabric", "canvas": "fabric", "denim": "fabric", "polyester": "fabric",
    "upholstered": "fabric", "textile": "fabric", "silk": "satin", "suede": "velvet", "corduroy": "velvet", "felt": "wool",
    "rattan": "wicker", "cane": "wicker", "straw": "wicker", "porcelain": "ceramic", "china": "ceramic", "enamel": "ceramic",
    "clay": "terracotta", "earthenware": "terracotta", "crystal": "glass", "granite": "stone", "concrete": "stone",
    "slate": "stone", "cement": "stone", "brick": "bricks", "tiled": "tiles", "furry": "fur", "fluffy": "fur", "plush": "fur",
    "cardboard": "paper", "rubber": "plastic", "acrylic": "plastic", "vinyl": "plastic", "foam": "plastic", "leathery": "leather",
    "wrought-iron": "wrought iron", "stainless": "stainless steel", "wax": "plain", "painted": "painted wood",
}  # fmt: skip

_USUAL: dict[str, str] = {
    "leather": "#8a4a26", "fabric": "#8d8a7c", "velvet": "#5d2b3a", "wool": "#b9a98a", "satin": "#b8a7a0", "fur": "#9a7650",
    "plastic": "#c9c6bd", "ceramic": "#d8d4c8", "terracotta": "#a5583a", "glass": "#b9d4d2", "stone": "#86837c",
    "marble": "#e4e0d8", "bricks": "#8c4630", "tiles": "#d9dbd6", "paper": "#d9c69c", "wicker": "#b08a52", "plain": "#cfc8b8",
    "plaster": "#d9d3c4", "painted wood": "#dcd6c8",
}  # fmt: skip
"""Colour of each material when none was asked for."""

_MAKERS: dict[str, Callable[[m.Color], Material]] = {
    "leather": m.leather, "fabric": m.fabric, "velvet": m.velvet, "wool": m.wool, "fur": m.fur, "plastic": m.plastic,
    "ceramic": m.ceramic, "terracotta": m.terracotta, "glass": m.glass, "stone": m.stone, "marble": m.marble, "bricks": m.bricks,
    "tiles": m.tiles, "paper": m.paper, "wicker": m.wicker, "plain": m.plain, "plaster": m.plaster,
    "painted wood": m.painted_wood,
    "satin": lambda c: m.plain(c, gloss=0.6, roughness=0.35),
}  # fmt: skip

_CLOTH = {"fabric", "velvet", "wool", "satin", "leather", "fur"}

MATERIAL_WORDS: frozenset[str] = frozenset({*_ALIASES, *_USUAL, *m.SPECIES, *m.METALS})
"""Every word :func:`finish` understands as a material."""


@dataclass(frozen=True, slots=True, eq=False)
class Finish:
    """A material, and the words for it."""

    material: Material
    color: str | None
    name: str


def canonical(word: str | None) -> str | None:
    """The material's own name: ``wooden`` -> ``wood``; None for what is no material."""
    if not word:
        return None
    key = word.strip().lower()
    key = _ALIASES.get(key, key)
    return key if key in _USUAL or key in m.SPECIES or key in m.METALS else None


def known_color(word: str | None) -> str | None:
    """The word when it is a colour that can be parsed, else None."""
    try:
        parse_color(word or "")
    except ShapeError:
        return None
    return word


def stain(color: m.Color) -> tuple[np.ndarray, np.ndarray]:
    """Dark and light tone of wood stained in a colour."""
    c = linear(color)
    return c * 0.55, np.minimum(c * 1.45 + 0.005, 1.0)


def finish(
    default: str, color: str | None = None, material: str | None = None, *, default_color: str | None = None,
    adjectives: tuple[str, ...] = (), along: int = 0, seed: int = 0, scale: float = 0.75,
) -> Finish:  # fmt: skip
    """The material that words ask for.

    Args:
        default: material when ``material`` names none.
        color: colour word or hex; None or unknown words fall back to ``default_color``, then to the material's own colour.
        along: texture axis of the fibres, for wood.
        scale: frequency of the wood grain.
    """
    name = canonical(material) or default
    asked = known_color(color)
    shown = asked or (default_color if canonical(material) in (None, default) else None)
    if name in m.SPECIES:
        if shown is None:
            return Finish(m.wood(name, along, seed, 0.5, scale), None, name)
        if is_wooden(shown):
            return Finish(m.wood(stain(shown), along, seed, 0.5, scale), shown, name)
        return Finish(m.painted_wood(shown, along, seed), shown, name)
    if name in m.METALS:
        tint = shown or m.METALS[name]
        dull = name in ("iron", "wrought iron", "tin", "pewter") or asked is not None
        return Finish(m.metal(tint, 0.35 if dull else 0.22), shown, name)
    tint = shown or _USUAL[name]
    if name in _CLOTH and name != "leather":
        pattern = _pattern(tint, adjectives)
        if pattern is not None:
            return Finish(pattern, shown, name)
    return Finish(_MAKERS[name](tint), shown, name)


def finish_item(item: Item, default: str, default_color: str | None = None, *, along: int = 0, seed: int = 0) -> Finish:
    """:func:`finish` for the words of an item."""
    return finish(
        default, item.color, item.material, default_color=default_color, adjectives=item.adjectives, along=along, seed=seed
    )  # fmt: skip


def is_wooden(color: str) -> bool:
    """True for colours that bare or stained wood can have: warm, not vivid, or nearly black."""
    r, g, b = parse_color(color)
    value, chroma = max(r, g, b), max(r, g, b) - min(r, g, b)
    return value < 0.2 or (r >= g >= b and 0.08 < chroma < 0.42 and r < 0.85)


def _pattern(color: str, adjectives: tuple[str, ...]) -> Material | None:
    luminance = float(linear(color) @ LUMINANCE)
    second = "#e8dcc0" if luminance < 0.45 else "#4a6a80"
    for word in adjectives:
        if word in ("striped", "stripy"):
            return m.striped(color, second)
        if word in ("checkered", "checked", "plaid", "tartan", "chequered"):
            return m.checked(color, second)
        if word in ("dotted", "polka-dot", "spotted", "speckled"):
            return m.dotted(color, second)
        if word in ("patterned", "floral", "flowery"):
            return m.dotted(color, second, 0.13)
    return None
