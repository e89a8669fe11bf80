"""The seen surface of a picture: where each pixel lies, which way it faces, and where it ends in front of something else."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

from spatialwm.lift.image.layers.fill import nearest
from spatialwm.lift.image.rays import Rays

STEP = 0.04
"""Relative difference of distance between neighbours from which one of them may stand in front of the other."""
_BEND = 0.5
"""Share of that difference by which it must exceed the slope of the surface on either side: a grazing floor has none."""
_RAMP_PX = 12
"""Widest ramp that an estimate draws where one thing ends in front of another."""
_RAMP_SLOPE = 0.04
"""Share of the whole difference by which two neighbours on a ramp differ."""


@dataclass(frozen=True, slots=True, eq=False)
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
        """One over the distance: what a step aside shifts a pixel in proportion to."""
        return np.float32(1) / self.distance

    def points(self) -> Float[np.ndarray, "h w 3"]:
        """float32, metres."""
        return (self.rays.directions * self.distance[..., None]).astype(np.float32)


def normals(points: Float[np.ndarray, "h w 3"], wraps: bool) -> Float[np.ndarray, "h w 3"]:
    """Unit normals towards the camera; at the end of a surface they are its own, not those of the jump behind it."""
    along = _own_difference(points, 1, wraps)
    down = _own_difference(points, 0, False)
    normal = np.cross(down, along)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    outward = -points / np.linalg.norm(points, axis=-1, keepdims=True)
    normal = np.where(length > 1e-12, normal / np.maximum(length, 1e-12), outward)
    return np.where((normal * outward).sum(-1, keepdims=True) < 0, -normal, normal).astype(np.float32)


def _own_difference(points: np.ndarray, axis: int, wraps: bool) -> np.ndarray:
    """The difference to the neighbour on that side on which the surface goes on: the shorter one."""
    ahead = np.roll(points, -1, axis) - points
    behind = np.roll(ahead, 1, axis)
    if not wraps:
        last: list[slice | int] = [slice(None)] * 3
        first = list(last)
        last[axis], first[axis] = -1, 0
        ahead[tuple(last)] = np.roll(ahead, 1, axis)[tuple(last)]
        behind[tuple(first)] = ahead[tuple(first)]
    shorter = (ahead * ahead).sum(-1, keepdims=True) <= (behind * behind).sum(-1, keepdims=True)
    return np.where(shorter, ahead, behind)


def jumps(nearness: Float[np.ndarray, "h w"], wraps: bool, reach: int = 1) -> Bool[np.ndarray, "h w"]:
    """Where something ends in front of something else within ``reach`` pixels.

    Nearness is affine over the picture of any plane, however grazing, so that its second difference tells a jump from a slope.
    """
    mode = ("nearest", "wrap" if wraps else "nearest")
    low = ndimage.minimum_filter(nearness, 2 * reach + 1, mode=mode)
    high = ndimage.maximum_filter(nearness, 2 * reach + 1, mode=mode)
    bend = np.zeros_like(nearness)
    for axis in (0, 1):
        m = min(2 * reach, nearness.shape[axis] - 1)
        pad = [(m, m) if i == axis else (0, 0) for i in (0, 1)]
        # Straight on beyond the border, where a plane must not seem to bend.
        wide = np.pad(nearness, pad, mode="wrap") if wraps and axis else np.pad(nearness, pad, "reflect", reflect_type="odd")
        wide = np.moveaxis(wide, axis, 0)
        second = wide[2 * m :] + wide[: -2 * m] - 2 * wide[m:-m]
        bend = np.maximum(bend, abs(np.moveaxis(second, 0, axis)))
    return (high - low > STEP * high) & (bend > _BEND * (high - low))


def steepened(surface: Surface) -> Surface:
    """Ramps of depth between a thing and what is behind it become steps: each pixel goes to the side it is closer to.

    A ramp would be a sheet of rubber between the two, stretched by the first step aside.
    """
    near, wraps = surface.nearness, surface.rays.wraps
    mode = ("nearest", "wrap" if wraps else "nearest")
    low = ndimage.minimum_filter(near, 2 * _RAMP_PX + 1, mode=mode)
    high = ndimage.maximum_filter(near, 2 * _RAMP_PX + 1, mode=mode)
    slope = ndimage.maximum_filter(near, 3, mode=mode) - ndimage.minimum_filter(near, 3, mode=mode)
    ramp = jumps(near, wraps, _RAMP_PX // 2) & (slope > _RAMP_SLOPE * (high - low))
    front = near > (low + high) / 2
    steep = near.copy()
    for side in (front, ~front):
        own = side & ~ramp
        if own.any() and (side & ramp).any():
            _, row, column = nearest(own, wraps, 2 * _RAMP_PX)
            steep = np.where(side & ramp, near[row, column], steep)
    # The outermost pixels of a thing mix with what is behind it: they go with the thing, or it would leave its outline there.
    steep = np.where(jumps(steep, wraps), ndimage.maximum_filter(steep, 3, mode=mode), steep)
    sky = surface.sky & ~(steep > near)
    return replace(surface, distance=(1 / steep).astype(np.float32), sky=sky)
