"""What lies behind the ends of things: the background goes on, as far as a step aside may show it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from spatialwm.lift.image.layers.fill import diffused, nearest
from spatialwm.lift.image.layers.surface import STEP, Surface, jumps

_MIXED_PX = 2
"""Pixels next to a thing hold some of its color."""
_SPARE_PX = 4
_NARROW_PX = 4.0
"""Openings that a step aside makes narrower than this are filled after the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """A surface that is defined where ``where`` is true."""

    surface: Surface
    where: Bool[np.ndarray, "h w"]
    behind_px: Float[np.ndarray, "h w"]
    """How far into the unseen."""


def behind(surface: Surface, shift_px: float, nearest_m: float) -> Hidden:
    """The background continued behind the foreground.

    Args:
        shift_px: by how much the nearest things may move over the farthest.
        nearest_m: how far those nearest things are.
    """
    near, wraps = surface.nearness, surface.rays.wraps
    mode: Any = ("nearest", "wrap" if wraps else "nearest")  # one for each axis, which the stubs of scipy do not know
    drop = ndimage.maximum_filter(near, 3, mode=mode) - near
    ends = jumps(near, wraps) & (drop > STEP * near)
    opening = shift_px * nearest_m * drop
    where, there, away = np.zeros(near.shape, bool), near, np.zeros(near.shape, np.float32)
    # Wide openings first: an estimate is wavy where things end, and small steps would come before the large one.
    for kind in (ends & (opening >= _NARROW_PX), ends & (opening < _NARROW_PX)):
        if not kind.any():
            continue
        off, row, column = nearest(kind, wraps, int(shift_px) + 8)
        far = ndimage.minimum_filter(near, 5, mode=mode)[row, column]
        reach = shift_px * nearest_m * (near - far) + _SPARE_PX
        new = ~where & (near > far * (1 + STEP)) & (off <= reach)
        there, away, where = np.where(new, far, there), np.where(new, off, away), where | new
    if not where.any():
        return Hidden(surface, where, away)
    # What is nearer than half way is the thing itself, beyond where a step aside sees behind it.
    _, row, column = nearest(where, wraps, int(2 * shift_px) + 8)
    background = ~where & (near < ((near + there) / 2)[row, column])
    if not background.any():
        background = ~where
    clean = background & np.logical_not(ndimage.binary_dilation(where, iterations=_MIXED_PX))
    source = clean if clean.any() else background  # mixed pixels are not asked for their colour
    _, row, column = nearest(source, wraps, int(2 * shift_px) + 8)
    sky = np.where(where, surface.sky[row, column], surface.sky)
    solid = source & ~surface.sky
    smooth = diffused(near[..., None], solid, wraps)[..., 0] if solid.any() else near
    filled = np.minimum(smooth, near / (1 + STEP))  # never in front of what hides it
    rgb = _painted(surface, source, where, row, column)
    distance = np.where(where, surface.at(np.maximum(filled, 1e-9)), surface.distance)
    if surface.sky.any():
        distance = np.where(where & sky, surface.distance[surface.sky].mean(), distance)
    fade = np.exp(-away / max(shift_px, 1)).astype(np.float32)
    confidence = np.where(where, 0.5 * fade * surface.confidence[row, column], surface.confidence).astype(np.float32)
    layer = replace(surface, rgb=rgb, distance=distance, sky=sky, confidence=confidence, seen=surface.seen & ~where)
    return Hidden(layer, where, np.where(where, away, 0).astype(np.float32))


def sky_behind(surface: Surface, reach_px: float) -> Hidden:
    """The sky continued behind everything that stands before it, whatever the estimate says about how far that is."""
    away, _, _ = nearest(surface.sky, surface.rays.wraps, int(reach_px) + 8)
    where = ~surface.sky & (away <= reach_px + _SPARE_PX)
    clean = surface.sky & np.logical_not(ndimage.binary_dilation(where, iterations=_MIXED_PX))
    source = clean if clean.any() else surface.sky
    _, row, column = nearest(source, surface.rays.wraps, int(reach_px) + 8)
    confidence = np.where(where, 0.5 * surface.confidence[row, column], surface.confidence).astype(np.float32)
    layer = replace(
        surface, rgb=_painted(surface, source, where, row, column), sky=surface.sky | where, confidence=confidence,
        distance=np.where(where, surface.distance[surface.sky].mean(), surface.distance), seen=surface.seen & ~where,
    )  # fmt: skip
    return Hidden(layer, where, np.where(where, away, 0).astype(np.float32))


def _painted(surface: Surface, source: np.ndarray, where: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Smooth colour of the background around, with its grain, mirrored at the edge of the unknown."""
    wraps = surface.rays.wraps
    height, width = where.shape
    smooth = diffused(surface.rgb, source, wraps)
    weight = source.astype(np.float32)
    blur = ndimage.gaussian_filter(surface.rgb * weight[..., None], (4, 4, 0)) / np.maximum(
        ndimage.gaussian_filter(weight, 4)[..., None], 1e-3
    )
    grain = np.where(source[..., None], surface.rgb - blur, 0)
    here_row, here_column = np.nonzero(where)
    mirrored_row = np.clip(2 * row[where] - here_row, 0, height - 1)
    mirrored_column = 2 * column[where] - here_column
    mirrored_column = mirrored_column % width if wraps else np.clip(mirrored_column, 0, width - 1)
    rgb = surface.rgb.copy()
    rgb[where] = (smooth[where] + grain[mirrored_row, mirrored_column]).clip(0, 1)
    return rgb
