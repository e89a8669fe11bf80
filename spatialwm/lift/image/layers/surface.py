"""The seen surface of a picture: where each pixel lies, which way it faces, and where it ends in front of something else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from spatialwm.lift.image.layers.fill import nearest
from spatialwm.lift.image.rays import Rays

STEP = 0.04
"""Relative difference of distance between neighbours from which one of them may stand in front of the other."""
_STEEPER = 2.0
"""How many times steeper than the surfaces on both sides the way from one to the other is."""
_RAMP_PX = 12
"""Widest ramp that an estimate draws where one thing ends in front of another."""
_RAMP_SLOPE = 0.04
"""Share of the whole difference by which two neighbours on a ramp differ."""


@dataclass(frozen=True, eq=False)
class Surface:
    """One layer of a picture, pixel by pixel, in the camera's frame."""

    rays: Rays
    rgb: Float[np.ndarray, "h w 3"]
    """float32 sRGB in 0..1."""
    distance: Float[np.ndarray, "h w"]
    """float32, metres along the rays."""
    sky: Bool[np.ndarray, "h w"]
    confidence: Float[np.ndarray, "h w"]
    seen: Bool[np.ndarray, "h w"]
    """False where the picture was continued beyond its border."""

    @property
    def nearness(self) -> Float[np.ndarray, "h w"]:
        """What a step aside shifts a pixel in proportion to: one over the distance, in a photo over that along the optical axis.

        Of a plane in a photo it is affine over the picture, however grazing the plane.
        """
        return 1 / (self.distance * self._ahead)

    def at(self, nearness: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
        """Distances, metres, of a nearness."""
        return (1 / (nearness * self._ahead)).astype(np.float32)

    @property
    def _ahead(self) -> Float[np.ndarray, "h w"] | np.float32:
        return np.float32(1) if self.rays.wraps else self.rays.directions[..., 2].astype(np.float32)

    @cached_property
    def points(self) -> Float[np.ndarray, "h w 3"]:
        """float32, metres."""
        return self.rays.directions.astype(np.float32) * self.distance[..., None]

    @cached_property
    def normals(self) -> Float[np.ndarray, "h w 3"]:
        """Unit, towards the camera."""
        return normals(self.points, self.rays.wraps)


def normals(points: Float[np.ndarray, "h w 3"], wraps: bool) -> Float[np.ndarray, "h w 3"]:
    """Unit normals towards the camera; at the end of a surface they are its own, not those of the jump behind it."""
    normal = np.cross(_own_difference(points, 0, False), _own_difference(points, 1, wraps))
    length = np.sqrt(dot(normal, normal))
    towards = np.where(dot(normal, points) > 0, np.float32(-1), np.float32(1)) / np.maximum(length, 1e-20)
    outward = points * (-1 / np.sqrt(dot(points, points)))[..., None]
    return np.where((length > 1e-12)[..., None], normal * towards[..., None], outward)


def dot(a: Float[np.ndarray, "*n 3"], b: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
    """Scalar products; ``sum(-1)`` over three values takes several times as long."""
    return np.einsum("...i,...i->...", a, b)


def _own_difference(points: np.ndarray, axis: int, wraps: bool) -> np.ndarray:
    """The difference to the neighbour on that side on which the surface goes on: the shorter one."""
    ahead = np.roll(points, -1, axis) - points
    behind = np.roll(ahead, 1, axis)
    if not wraps:
        last: list[slice | int] = [slice(None)] * 3
        first = list(last)
        last[axis], first[axis] = -1, 0
        ahead[tuple(last)] = behind[tuple(last)]
        behind[tuple(first)] = ahead[tuple(first)]
    return np.where((dot(ahead, ahead) <= dot(behind, behind))[..., None], ahead, behind)


def jumps(nearness: Float[np.ndarray, "h w"], wraps: bool) -> Bool[np.ndarray, "h w"]:
    """The pixels on both sides of every place where something ends in front of something else."""
    found = np.zeros(nearness.shape, bool)
    for axis in (0, 1):
        step, steeper = _steps(nearness, axis, wraps, 1)
        least = np.minimum(nearness, np.roll(nearness, -1, axis))
        found |= _both(steeper & (step > STEP * least), axis)
    return found


def _steps(nearness: np.ndarray, axis: int, wraps: bool, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Differences to the next pixel, and whether they are steeper than the surfaces before and behind.

    A grazing floor is as steep as itself, and where it meets a wall as steep as on its own side: neither ends there.
    """
    step = abs(np.roll(nearness, -1, axis) - nearness)
    around = wraps and axis == 1
    if not around:
        np.moveaxis(step, axis, 0)[-1] = np.moveaxis(step, axis, 0)[-2]
    usual = ndimage.minimum_filter1d(step, 2 * reach + 1, axis, mode="wrap" if around else "nearest")
    pad = [(reach + 1, reach + 1) if i == axis else (0, 0) for i in (0, 1)]
    wide = np.moveaxis(np.pad(usual, pad, mode="wrap" if around else "edge"), axis, 0)
    before, behind = wide[: -2 * (reach + 1)], wide[2 * (reach + 1) :]
    steeper = step > _STEEPER * np.moveaxis(np.maximum(before, behind), 0, axis)
    if not around:
        np.moveaxis(steeper, axis, 0)[-1] = False
    return step, steeper


def _both(pairs: np.ndarray, axis: int) -> np.ndarray:
    return pairs | np.roll(pairs, 1, axis)


def steepened(surface: Surface) -> Surface:
    """Ramps of depth between a thing and what is behind it become steps: each pixel goes to the side it is closer to.

    A ramp would be a sheet of rubber between the two, stretched by the first step aside.
    """
    near, wraps = surface.nearness, surface.rays.wraps
    mode: Any = ("nearest", "wrap" if wraps else "nearest")  # one for each axis, which the stubs of scipy do not know
    low = ndimage.minimum_filter(near, 2 * _RAMP_PX + 1, mode=mode)
    high = ndimage.maximum_filter(near, 2 * _RAMP_PX + 1, mode=mode)
    ramp = np.zeros(near.shape, bool)
    for axis in (0, 1):
        step, steeper = _steps(near, axis, wraps, _RAMP_PX // 2)
        ramp |= _both(steeper & (step > _RAMP_SLOPE * (high - low)), axis)
    ramp &= high - low > STEP * low
    front = near > (low + high) / 2
    steep = near.copy()
    for side in (front, ~front):
        own = side & ~ramp
        if own.any() and (side & ramp).any():
            _, row, column = nearest(own, wraps, 2 * _RAMP_PX)
            steep = np.where(side & ramp, near[row, column], steep)
    # The outermost pixels of a thing mix with what is behind it: they go with the thing, or it would leave its outline there.
    steep = np.where(jumps(steep, wraps), ndimage.maximum_filter(steep, 3, mode=mode), steep)
    sky = surface.sky & (steep <= near * (1 + STEP))
    return replace(surface, distance=np.where(sky | (steep == near), surface.distance, surface.at(steep)), sky=sky)
