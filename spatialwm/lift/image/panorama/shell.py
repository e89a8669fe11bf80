"""What a panorama needs beside its layers to be walked in: how far, and a whole sky behind everything."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Vec3
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.panorama.sphere import filled, look_up
from spatialwm.lift.image.rays import Rays

VIEW_SIZE, VIEW_FOV_DEG = (1280, 720), 80.0
"""Of the view into a panorama that people are given first."""
_EYE_LEVEL = math.sin(math.radians(12))
_NEAREST = 0.05
_SHARE = 0.3
"""Of the way to the nearest upright things: there a pixel spans 1.4 times as much as it did from the middle."""
_LEAST_M, _MOST_M = 0.25, 2.0
_ROWS = 320
_LOWEST = -math.sin(math.radians(3))


def reach_m(estimate: Estimate) -> float:
    """How far from the middle of a panorama a visitor may hope to walk: a share of the way to what stands nearest around."""
    height, width = estimate.distance_m.shape
    above = Rays.panorama(width, height).directions @ np.asarray(estimate.up)
    around = (np.abs(above) < _EYE_LEVEL) & ~estimate.sky
    if not around.any():
        return _MOST_M
    return float(np.clip(_SHARE * np.quantile(estimate.distance_m[around], _NEAREST), _LEAST_M, _MOST_M))


def view_around(eye: Vec3, turn_rad: float) -> Camera:
    """The view that people are given, with +Z up, turned to the right from +Y."""
    x, y, z = eye
    return Camera.look_at(eye, (x + math.sin(turn_rad), y + math.cos(turn_rad), z), *VIEW_SIZE, VIEW_FOV_DEG)


def dome(
    rgb: Float[np.ndarray, "h w 3"], estimate: Estimate
) -> tuple[Rays, Float[np.ndarray, "r c 3"], Bool[np.ndarray, "r c"]]:
    """The sky continued behind all that stands before it, coarsely: what a step uncovers above the roofs is sky, however far.

    Args:
        rgb: of the panorama, 0..1.

    Returns:
        Rays, colours, and where the dome is needed.
    """
    rows = min(_ROWS, len(rgb))
    rays = Rays.panorama(2 * rows, rows)
    share = look_up(estimate.sky.astype(np.float32), rays.directions)
    sure = share > 0.99
    colours = filled(look_up(rgb, rays.directions), sure)
    return rays, colours, ~sure & (rays.directions @ np.asarray(estimate.up) > _LOWEST)
