"""Pictures whose geometry is known exactly."""

from __future__ import annotations

import numpy as np

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.image.layers.surface import Surface
from spatialwm.lift.image.rays import Rays

WIDTH, HEIGHT = 96, 64
CAMERA = Camera(Pose(), WIDTH, HEIGHT, 80.0, 80.0, WIDTH / 2, HEIGHT / 2)
RAYS = Rays.pinhole(CAMERA)


def surface(distance: np.ndarray, sky: np.ndarray | None = None, rays: Rays = RAYS) -> Surface:
    shape = distance.shape
    return Surface(
        rays, np.full((*shape, 3), 0.5, np.float32), distance.astype(np.float32), np.zeros(shape, bool) if sky is None else sky,
        np.ones(shape, np.float32), np.ones(shape, bool),
    )  # fmt: skip


def plane(normal: tuple[float, float, float], offset_m: float) -> np.ndarray:
    """Distances to a plane in front of the camera."""
    return (offset_m / (RAYS.directions @ np.asarray(normal))).astype(np.float32)


GRAZING = (0.05, 0.85, 0.52)
