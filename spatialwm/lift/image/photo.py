"""What one picture brings along: its pixels, what the camera wrote, and what the user knows about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from spatialwm.errors import LiftError

Px = tuple[float, float]
"""Place in the upright picture, in shares of its width and height, from its top left corner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a user may draw on a picture to help; all optional."""

    focal_mm: float | None = None
    """35 mm equivalent."""
    horizon: tuple[Px, Px] | None = None
    """Two places on the line of eye height."""
    corners: tuple[Px, ...] = ()
    """Where floor and walls of a room meet, in order along the floor line."""
    depths: tuple[tuple[Px, float], ...] = ()
    """Places and their distances from the camera, metres."""
    indoors: bool | None = None
    """Whether it shows a room; None: found out."""

    def __post_init__(self) -> None:
        if self.focal_mm is not None and not 5 <= self.focal_mm <= 1200:
            raise LiftError(f"focal_mm is the 35 mm equivalent, between 5 and 1200; got {self.focal_mm:g}")
        places = [*(self.horizon or ()), *self.corners, *(place for place, _ in self.depths)]
        for x, y in places:
            if not (-1 <= x <= 2 and -1 <= y <= 2):
                raise LiftError(f"places in a picture are shares of its width and height, near 0..1; got {x:g}, {y:g}")
        for _, distance_m in self.depths:
            if not 0 < distance_m < 1e5:
                raise LiftError(f"a distance from the camera must be positive metres; got {distance_m:g}")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Photo:
    """One upright picture."""

    name: str
    rgb: UInt8[np.ndarray, "h w 3"]
    """sRGB, undistorted as far as anyone knows."""
    focal_px: float | None = None
    """As the camera wrote it, in pixels of ``rgb``; None where it did not."""
    panorama: bool = False
    """Equirectangular, all around."""
    hints: Hints = Hints()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.rgb.shape[1], self.rgb.shape[0]
