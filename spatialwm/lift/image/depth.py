"""What every source of depth promises: how far each pixel is, which way is up, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.lift.image.photo import Photo
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Estimate:
    """The geometry of one picture, in its camera's OpenCV frame."""

    distance_m: Float[np.ndarray, "h w"]
    """float32 along each pixel's ray (not the optical axis), finite and positive everywhere, also where ``sky``."""
    sky: Bool[np.ndarray, "h w"]
    """Nothing solid is there."""
    confidence: Float[np.ndarray, "h w"]
    """float32, 0..1."""
    up: Vec3
    """Unit vector against gravity."""
    camera: Camera | None
    """Intrinsics of the whole picture, its pose the identity; None for a panorama."""
    scale: ScaleSource
    """Where its metre comes from."""
    backend: str
    """Who made it, e.g. ``embedded`` or ``depth-anything-v2-small on cpu``."""
    eye_height_m: float | None = None
    """Of the camera above the level ground that the distances follow; None where they follow none."""
    focal_source: str = ""
    """Where the focal length comes from, in a few words."""
    kind: str = ""
    """What the picture was taken for, e.g. ``room``, ``open ground``."""
    notes: tuple[str, ...] = ()
    """What the user should know, a sentence each."""

    def upright(self) -> Pose:
        """Turns the camera's frame so that ``up`` is +Z and the view heads along +Y."""
        up = np.asarray(self.up, np.float64)
        ahead = np.array([0.0, 0.0, 1.0]) - up * up[2]
        if np.linalg.norm(ahead) < 0.05:  # it looks straight down or up: the top or bottom of the picture points ahead
            ahead = np.array([0.0, -np.sign(-up[2]), 0.0])
            ahead -= up * (ahead @ up)
        ahead /= np.linalg.norm(ahead)
        return Pose.from_matrix(np.column_stack([np.stack([np.cross(ahead, up), ahead, up]), np.zeros(3)]))


class DepthBackend(Protocol):
    """Estimates the geometry of a picture."""

    def estimate(self, photo: Photo, progress: Progress = silent) -> Estimate:
        """Depth of a picture at its own size.

        Raises:
            LiftError: it cannot; the message says what would help.
            MissingDependencyError: names what to install, or which weights to put where.
        """
        ...
