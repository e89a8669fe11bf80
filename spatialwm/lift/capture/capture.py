"""What every source of photographs ends as: undistorted views with cameras, and a few points."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from spatialwm.errors import ShapeError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Vec3
from spatialwm.scene import ScaleSource


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One photograph without lens distortion, and the camera that took it (``world_from_cam`` is in the capture's frame)."""

    name: str
    camera: Camera
    rgb: UInt8[np.ndarray, "h w 3"]
    """sRGB."""
    depth: Float[np.ndarray, "h w"] | None = None
    """float32 distance along the optical axis in the capture's unit; 0 where unknown."""
    usable: Bool[np.ndarray, "h w"] | None = None
    """False where something moved or the picture shows nothing of the place; None: all of it."""
    time_s: float | None = None
    """In the video it came from."""

    def __post_init__(self) -> None:
        size = (self.camera.height, self.camera.width)
        for name, value in (("rgb", self.rgb), ("depth", self.depth), ("usable", self.usable)):
            if value is not None and value.shape[:2] != size:
                got = value.shape[:2]
                raise ShapeError(f"{name} of view {self.name} must be {size} px (height, width) as its camera; got {got}")


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Places that several views saw, as structure from motion finds them."""

    means: Float[np.ndarray, "n 3"]
    """float64, in the capture's frame."""
    rgb: UInt8[np.ndarray, "n 3"]
    tracks: Int[np.ndarray, "k 2"]
    """Pairs of point and view (index into ``Capture.views``), sorted by point."""

    def __len__(self) -> int:
        return len(self.means)

    @staticmethod
    def none() -> Points:
        """No points."""
        return Points(np.zeros((0, 3)), np.zeros((0, 3), np.uint8), np.zeros((0, 2), np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """Views in one frame of reference, whose unit and upward direction may be unknown."""

    views: tuple[View, ...]
    points: Points = field(default_factory=Points.none)
    scale: ScaleSource = ScaleSource()  # noqa: RUF009 - frozen
    """How well the unit is a metre."""
    up: Vec3 | None = None
    """Unit vector against gravity in the capture's frame, where the source knows it; None: to be found."""
    given: int = 0
    """How many pictures the source had; those that found no place among the views are missing from them."""
    notes: tuple[str, ...] = ()
    """What the user should know, a sentence each."""
