"""sRGB transfer curve, luminance and colour names. Arrays of any library: numpy or torch in, the same out."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spatialwm.errors import ShapeError

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Rec. 709 weights of linear RGB."""

COLOR_NAMES: dict[str, str] = {
    "red": "#c02020", "crimson": "#a01830", "scarlet": "#c82a1a", "maroon": "#6a1a20", "blue": "#2a4fc0", "navy": "#1c2a5c",
    "azure": "#3a86d8", "green": "#3a8c3e", "olive": "#6e7030", "lime": "#86c83a", "emerald": "#1f8a5a", "yellow": "#e0c438",
    "lemon": "#ece060", "orange": "#e07a20", "purple": "#7a3a98", "violet": "#7a4ab8", "pink": "#e88ab0", "rose": "#d86a88",
    "magenta": "#c03a9a", "brown": "#6e4426", "chestnut": "#6a3a24", "black": "#18181a", "ebony": "#241e1c", "white": "#f0eee8",
    "ivory": "#ece4d0", "gray": "#808284", "grey": "#808284", "charcoal": "#3a3c40", "gold": "#c89a3a", "golden": "#c89a3a",
    "silver": "#b8bcc2", "cyan": "#38b8c8", "turquoise": "#34b0a8", "teal": "#207a7c", "aqua": "#48c0c8", "beige": "#d8c8a4",
    "tan": "#c4a47a", "cream": "#e8dcc0",
}  # fmt: skip
"""Names people write, as sRGB hex."""


def srgb_to_linear(srgb: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Decode display values in 0..1 to linear light (IEC 61966-2-1)."""
    srgb = np.asarray(srgb)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Encode linear light in 0..1 for display (IEC 61966-2-1)."""
    linear = np.asarray(linear)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055)


def parse_color(text: str) -> Float[np.ndarray, " 3"]:
    """sRGB in 0..1 of a colour name (``"navy"``, ``"dark red"``) or ``#rrggbb``.

    Raises:
        ShapeError: neither a known name nor a hex colour.
    """
    word = text.strip().lower()
    if len(word) == 7 and word[0] == "#":
        try:
            return np.array([int(word[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        except ValueError:
            pass
    tint = {"dark": 0.55, "deep": 0.65, "light": 1.35, "pale": 1.45, "bright": 1.15}
    parts = word.split()
    if parts and parts[-1] in COLOR_NAMES and all(p in tint for p in parts[:-1]):
        rgb = parse_color(COLOR_NAMES[parts[-1]])
        for part in parts[:-1]:
            rgb = np.clip(rgb * tint[part], 0, 1)
        return rgb
    raise ShapeError(f"unknown colour {text!r}: give #rrggbb or one of {', '.join(sorted(COLOR_NAMES))}")


def to_hex(srgb: Float[np.ndarray, " 3"]) -> str:
    """``#rrggbb`` of sRGB values in 0..1."""
    return "#" + "".join(f"{round(float(v) * 255):02x}" for v in np.clip(srgb, 0, 1))
