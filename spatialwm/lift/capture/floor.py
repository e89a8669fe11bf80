"""Where the floor is, and how much of it may be walked, once up is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial import ConvexHull, QhullError

_THICKNESS = 0.01
"""Of the median distance: how far a floor's points scatter."""
_CELLS = 4.0
"""A cell of floor is so many thicknesses wide: areas are compared, because textured things have more points than plain floors."""
_LARGE = 0.2
"""Share of the largest level area that the floor must have at least; less is a shelf, or a reflection below the floor."""
_LEAST_CELLS = 12
_LOWEST = 0.02
"""Without a floor, this share of the points may lie below it."""
_WIDER = (0.3, 0.15, 1.0)
"""Metres at least, share of the extent of the path, metres at most: how far beyond the path one may walk."""


@dataclass(frozen=True, slots=True)
class Floor:
    """A height along up, in the unit of the points."""

    height: float
    seen: bool
    """False where no level area lies below the cameras and the lowest points stand for it."""
    thickness: float


def find_floor(points: Float[np.ndarray, "n 3"], eyes: Float[np.ndarray, "m 3"], distance: float) -> Floor | None:
    """The lowest large level area below the cameras; None when nothing lies below them.

    Args:
        points: with +Z up.
        distance: median distance of the points from the cameras.
    """
    thickness = _THICKNESS * distance
    below = points[points[:, 2] < float(np.quantile(eyes[:, 2], 0.25)) - 3 * thickness]
    if len(below) < 20:
        return None
    lowest = float(np.quantile(below[:, 2], 0.001))
    slab = np.floor((below[:, 2] - lowest) / thickness).astype(np.int64)
    cells = np.floor(below[:, :2] / (_CELLS * thickness)).astype(np.int64)
    # Slabs overlap by half, so that a floor on their border is whole in one of them.
    filled = np.concatenate([np.column_stack([slab, cells]), np.column_stack([slab - 1, cells])])
    areas = np.bincount(np.unique(filled[filled[:, 0] >= 0], axis=0)[:, 0])
    large = np.nonzero(areas >= max(_LARGE * areas.max(), _LEAST_CELLS))[0]
    spread_out = areas[areas > 0]
    if not len(large) or areas.max() < 2.5 * float(np.median(spread_out)):
        return Floor(float(np.quantile(points[:, 2], _LOWEST)), False, thickness)
    at = int(large[0])
    while at + 1 < len(areas) and areas[at + 1] > areas[at]:  # climb from its foot to its middle
        at += 1
    middle = lowest + (at + 1) * thickness
    for _ in range(10):
        near = below[np.abs(below[:, 2] - middle) < 2 * thickness]
        middle = float(np.median(near[:, 2]))
    return Floor(middle, True, thickness)


def walkable_floor(
    eyes: Float[np.ndarray, "m 3"], floor_points: Float[np.ndarray, "n 2"]
) -> tuple[tuple[float, float], ...]:
    """A convex polygon, metres, counter-clockwise: the hull of the cameras' feet, widened as far as floor was seen.

    Where the cameras were one can stand, whether its floor was seen or not; only the widening is clipped.
    """
    feet = np.asarray(eyes[:, :2], np.float64)
    extent = float(np.linalg.norm(np.ptp(feet, axis=0)))
    radius = min(max(_WIDER[0], _WIDER[1] * extent), _WIDER[2])
    around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    disc = np.stack([np.cos(around), np.sin(around)], 1)
    wide = _hull((feet[:, None] + radius * disc).reshape(-1, 2))
    if len(floor_points) >= 20:
        middle = np.median(floor_points, axis=0)
        off = np.linalg.norm(floor_points - middle, axis=1)
        wide = _clipped(wide, _hull(floor_points[off <= np.quantile(off, 0.98)]))
        stood = (feet[:, None] + min(_WIDER[0], radius) * disc).reshape(-1, 2)
        wide = _hull(np.concatenate([wide, stood]))
    return tuple((float(x), float(y)) for x, y in wide)


def _hull(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    try:
        return points[ConvexHull(points).vertices]
    except QhullError:  # all on one line
        return np.zeros((0, 2))


def _clipped(polygon: Float[np.ndarray, "n 2"], window: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, "k 2"]:
    """The part of a convex polygon inside another, both counter-clockwise.

    Source: Sutherland and Hodgman 1974.
    """
    for a, b in zip(window, np.roll(window, -1, axis=0), strict=True):
        if not len(polygon):
            break
        edge = b - a
        side = edge[0] * (polygon[:, 1] - a[1]) - edge[1] * (polygon[:, 0] - a[0])
        kept: list[np.ndarray] = []
        for i in range(len(polygon)):
            j = (i + 1) % len(polygon)
            if side[i] >= 0:
                kept.append(polygon[i])
            if (side[i] >= 0) != (side[j] >= 0):
                kept.append(polygon[i] + (polygon[j] - polygon[i]) * side[i] / (side[i] - side[j]))
        polygon = np.array(kept).reshape(-1, 2)
    return polygon
