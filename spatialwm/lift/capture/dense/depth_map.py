"""Depth seen by one view, and views at the size at which depth is worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import View
from spatialwm.lift.pictures.area import area_averaged

LONG_SIDE = 320
"""Pixels of a working view's longer side: depth for a start needs no more, and half the size costs a quarter."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class DepthMap:
    """What one view knows of distances, pixel by pixel."""

    view: int
    """Index into ``Capture.views``."""
    camera: Camera
    """At the size of these arrays."""
    depth: Float[np.ndarray, "h w"]
    """float32 along the optical axis in the capture's unit; 0 where unknown."""
    confidence: Float[np.ndarray, "h w"]
    """0..1; 0 where the depth is unknown."""
    normals: Float[np.ndarray, "h w 3"] | None = None
    """Unit, in the capture's frame, towards the camera; zero where unknown."""

    def inverse_depth(self) -> Float[np.ndarray, "h w"]:
        """float32; 0 where unknown."""
        known = self.depth > 0
        return np.where(known, 1 / np.where(known, self.depth, 1), 0).astype(np.float32)

    def points(self) -> Float[np.ndarray, "h w 3"]:
        """Every pixel's place in the capture's frame; the camera's own centre where the depth is unknown."""
        return self.camera.world_from_cam.apply(pixel_rays(self.camera) * self.depth[..., None])


def pixel_rays(camera: Camera) -> Float[np.ndarray, "h w 3"]:
    """Directions through the pixel centres in the camera's frame, with z = 1."""
    x = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    y = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    return np.stack([*np.meshgrid(x, y), np.ones((camera.height, camera.width))], axis=-1)


def working_camera(camera: Camera, long_side: int) -> Camera:
    """The camera with at most ``long_side`` pixels a side; never enlarged."""
    k = min(1.0, long_side / max(camera.width, camera.height))
    width, height = max(1, round(camera.width * k)), max(1, round(camera.height * k))
    kx, ky = width / camera.width, height / camera.height
    return replace(camera, width=width, height=height,
                   fx=camera.fx * kx, cx=camera.cx * kx, fy=camera.fy * ky, cy=camera.cy * ky)  # fmt: skip


def working_rgb(view: View, camera: Camera) -> Float[np.ndarray, "h w 3"]:
    """The picture averaged down to the camera's size, sRGB in 0..1."""
    return area_averaged(view.rgb, camera.width, camera.height) / np.float32(255)


def working_brightness(view: View, camera: Camera) -> Float[np.ndarray, "h w"]:
    """Luma averaged down without rounding, -0.5..0.5."""
    return area_averaged(view.rgb.astype(np.float32) @ LUMA, camera.width, camera.height) / np.float32(255) - np.float32(0.5)


def working_usable(view: View, camera: Camera) -> np.ndarray:
    """Pixels that show something of the place throughout."""
    if view.usable is None:
        return np.ones((camera.height, camera.width), np.bool_)
    return area_averaged(view.usable, camera.width, camera.height) > 0.99


def transfer(target: Camera, source: Camera) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, " 3"]]:
    """``A, b`` such that a pixel ``p = (u, v, 1)`` of ``source`` at depth z lies at ``z A p + b`` (homogeneous) in ``target``.

    The third component is the depth in ``target``.
    """
    target_from_source = target.world_from_cam.inverse() @ source.world_from_cam
    into = intrinsics(target)
    return into @ target_from_source.rotation() @ np.linalg.inv(intrinsics(source)), into @ np.array(target_from_source.position)


def intrinsics(camera: Camera) -> Float[np.ndarray, "3 3"]:
    """K."""
    return np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])


def centers(cameras: Sequence[Camera]) -> Float[np.ndarray, "n 3"]:
    """Where the cameras stood."""
    return np.array([camera.eye for camera in cameras], np.float64).reshape(-1, 3)
