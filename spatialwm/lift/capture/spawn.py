"""From where a visitor first sees a captured place: one of the pictures, and the one that tells most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.camera import Camera

WINDOW = (1280, 720)
_MOST_POINTS = 4000
_TILTED_RAD = math.radians(12.0)
"""Cameras held further off level make a visitor, who stands upright, see something else."""


def spawn_camera(cameras: Sequence[Camera], points: Float[np.ndarray, "n 3"]) -> Camera:
    """The window-shaped camera at the picture that shows most of what all the pictures show together.

    Args:
        cameras: upright, +Z up.
        points: places on the surfaces, in the same frame.
    """
    points = points[:: max(1, len(points) // _MOST_POINTS)]
    seen = np.stack([_sees(camera, points) for camera in cameras])
    # What many pictures show is what they were taken for: the object in the middle, the room rather than one corner.
    weight = seen.sum(0, dtype=np.float64)
    told = np.array([_sees(window(camera), points) @ weight for camera in cameras])
    level = np.array([1 / (1 + (camera_roll_rad(camera) / _TILTED_RAD) ** 2) for camera in cameras])
    return window(cameras[int(np.argmax(told * level))])


def window(camera: Camera) -> Camera:
    """The same view as wide as the window; a picture that is taller keeps its height."""
    width, height = WINDOW
    wide = camera.resized(width, height)
    if camera.height / camera.width <= height / width:
        return wide
    focal = camera.fy * height / camera.height
    return replace(wide, fx=focal, fy=focal, cx=width / 2, cy=height / 2)


def camera_roll_rad(camera: Camera) -> float:
    """How far the picture's rows are off level, for +Z up."""
    return math.asin(min(1.0, abs(float(camera.world_from_cam.rotation()[2, 0]))))


def _sees(camera: Camera, points: Float[np.ndarray, "n 3"]) -> np.ndarray:
    x, y, z = camera.world_from_cam.inverse().apply(points).T
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v = x / z * camera.fx + camera.cx, y / z * camera.fy + camera.cy
        return (z > 0) & (u > 0) & (u < camera.width) & (v > 0) & (v < camera.height)
