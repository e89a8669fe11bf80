"""A scene seen by a camera, where every pixel knows its Gaussian; and what a known set of Gaussians looks like from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.render import render_scene
from spatialwm.scene import Flattened

LONGEST_PX = 384
"""Of the pictures that are looked at; objects larger than a fifth of the picture keep 75 pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What one camera sees."""

    camera: Camera
    rgb: Float[np.ndarray, "h w 3"]
    depth_m: Float[np.ndarray, "h w"]
    row: Int[np.ndarray, "h w"]
    """Of the Gaussian that weighs most in a pixel; -1 where nothing covers."""

    def project(self, points: Float[np.ndarray, "n 3"]) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
        """Pixels and depths of world points; those behind the camera have pixels far outside."""
        camera = self.camera
        p = camera.world_from_cam.inverse().apply(points)
        z = np.maximum(p[:, 2], 1e-9)
        pixels = np.stack([camera.fx * p[:, 0] / z + camera.cx, camera.fy * p[:, 1] / z + camera.cy], 1)
        pixels[p[:, 2] <= 1e-6] = -1e9
        return pixels, p[:, 2]

    def sees(self, points: Float[np.ndarray, "n 3"], slack_m: Float[np.ndarray, " n"] | float) -> Bool[np.ndarray, " n"]:
        """Which world points lie in the picture and at most ``slack_m`` behind what is seen there."""
        pixels, depth = self.project(points)
        inside = np.all((pixels >= 0) & (pixels < np.array([self.camera.width, self.camera.height])), axis=1)
        u, v = np.where(inside[:, None], pixels, 0).astype(int).T
        front = self.depth_m[v, u]
        return inside & (front > 0) & (depth <= front + slack_m)

    def at(self, mask: Bool[np.ndarray, "h w"], points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, " n"]:
        """Which world points fall on a mask of this picture."""
        pixels, _ = self.project(points)
        inside = np.all((pixels >= 0) & (pixels < np.array([self.camera.width, self.camera.height])), axis=1)
        u, v = np.where(inside[:, None], pixels, 0).astype(int).T
        return inside & mask[v, u]

    def places(self) -> Float[np.ndarray, "h w 3"]:
        """The world point seen by each pixel."""
        c = self.camera
        v, u = np.mgrid[0.5 : c.height, 0.5 : c.width]
        rays = np.stack([(u - c.cx) / c.fx, (v - c.cy) / c.fy, np.ones_like(u)], -1)
        return c.world_from_cam.apply(rays * self.depth_m[..., None])


def look(gaussians: Gaussians, camera: Camera) -> Sight:
    """See world-frame Gaussians from a camera."""
    rows = Flattened(gaussians, torch.arange(len(gaussians), dtype=torch.int32), ())
    frame = render_scene(rows, camera, background=(0.5, 0.5, 0.5))
    return Sight(camera, frame.rgb, frame.depth_m, frame.object_index)


def thumbnail(camera: Camera, longest_px: int = LONGEST_PX) -> Camera:
    """The same view with fewer pixels; never more."""
    k = min(1.0, longest_px / max(camera.width, camera.height))
    return camera.resized(max(1, round(camera.width * k)), max(1, round(camera.height * k)))
