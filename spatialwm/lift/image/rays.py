"""The directions in which the pixels of a picture look: a pinhole photo, or a panorama all around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.errors import ShapeError
from spatialwm.geometry.camera import Camera


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """One ray per pixel, all from one place, in the camera's OpenCV frame."""

    directions: Float[np.ndarray, "h w 3"]
    """Unit, float64, through the pixel centres."""
    pitch_rad: Float[np.ndarray, "h w 2"]
    """Angle between neighbouring rays, along the row and along the column."""
    wraps: bool
    """Whether the last column looks next to the first."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.directions.shape[1], self.directions.shape[0]

    @staticmethod
    def pinhole(camera: Camera) -> Rays:
        """Those of a camera; where it stands does not matter."""
        v, u = np.mgrid[0.5 : camera.height, 0.5 : camera.width]
        x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
        squared = 1 + x * x + y * y
        # A step of one pixel moves the point at z = 1 by 1/f; across the ray that is foreshortened.
        along = np.sqrt(1 + y * y) / (camera.fx * squared)
        down = np.sqrt(1 + x * x) / (camera.fy * squared)
        directions = np.stack([x, y, np.ones_like(x)], -1) / np.sqrt(squared)[..., None]
        return Rays(directions, np.stack([along, down], -1), False)

    @staticmethod
    def panorama(width: int, height: int) -> Rays:
        """An equirectangular picture: the middle column looks along +Z, the top row up (-Y); columns turn to the right.

        Raises:
            ShapeError: it is not twice as wide as high.
        """
        if width != 2 * height:
            raise ShapeError(f"an equirectangular panorama is twice as wide as high; got {width}x{height}")
        azimuth = (np.arange(width) + 0.5) / width * 2 * np.pi - np.pi
        polar = (np.arange(height) + 0.5)[:, None] / height * np.pi
        level = np.sin(polar)
        ones = np.ones_like(azimuth)
        directions = np.stack([level * np.sin(azimuth), -np.cos(polar) * ones, level * np.cos(azimuth)], -1)
        pitch = np.stack([2 * np.pi / width * level * ones, np.full((height, width), np.pi / height)], -1)
        return Rays(directions, pitch, True)
