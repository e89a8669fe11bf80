"""What held-out views look like without any lifting: another picture in their place, warped by its depth, or one colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import View


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A guess at a held-out view."""

    rgb: Float[np.ndarray, "h w 3"]
    """float32 sRGB in 0..1."""
    depth_m: Float[np.ndarray, "h w"] | None = None
    """Along the optical axis, 0 where unknown."""


def nearest(camera: Camera, others: Sequence[View], distance: float) -> View:
    """The view whose picture should differ least: by how far its centre and its direction would move the picture.

    Args:
        distance: of what the views show, typically.
    """

    def apart(view: View) -> float:
        c = view.camera
        turn = float(np.arccos(np.clip(np.dot(c.forward, camera.forward), -1, 1)))
        return turn + float(np.linalg.norm(np.subtract(c.eye, camera.eye))) / distance

    return min(others, key=apart)


def copied(camera: Camera, source: View) -> Picture:
    """The picture as it is, at the size of the other."""
    return Picture(_sized(source.rgb, camera.width, camera.height))


def warped(camera: Camera, source: View, behind: Float[np.ndarray, " 3"]) -> Picture | None:
    """The picture carried by its own depth, the nearest of what lands in a pixel; ``behind`` where nothing does."""
    if source.depth is None:
        return None
    c = source.camera
    v, u = np.nonzero(source.depth > 0)
    z = source.depth[v, u].astype(np.float64)
    place = c.world_from_cam.apply(np.stack([(u + 0.5 - c.cx) / c.fx * z, (v + 0.5 - c.cy) / c.fy * z, z], 1))
    x, y, z = camera.world_from_cam.inverse().apply(place).T
    ahead = z > 1e-6
    column = np.floor(x / np.where(ahead, z, 1) * camera.fx + camera.cx)
    row = np.floor(y / np.where(ahead, z, 1) * camera.fy + camera.cy)
    inside = ahead & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    order = np.flatnonzero(inside)[np.argsort(-z[inside], kind="stable")]  # the nearest is written last
    at = (row[order] * camera.width + column[order]).astype(np.intp)
    depth = np.zeros(camera.width * camera.height, np.float32)
    rgb = np.tile(behind.astype(np.float32), (len(depth), 1))
    depth[at] = z[order]
    rgb[at] = source.rgb[v[order], u[order]] / np.float32(255)
    return Picture(rgb.reshape(camera.height, camera.width, 3), depth.reshape(camera.height, camera.width))


def mean_color(camera: Camera, others: Sequence[View]) -> Picture:
    """One colour for every pixel."""
    color = np.mean([view.rgb.mean((0, 1)) for view in others], axis=0) / 255
    return Picture(np.tile(color.astype(np.float32), (camera.height, camera.width, 1)))


def _sized(rgb: UInt8[np.ndarray, "h w 3"], width: int, height: int) -> Float[np.ndarray, "a b 3"]:
    if rgb.shape[:2] != (height, width):
        rgb = np.asarray(Image.fromarray(rgb).resize((width, height), Image.Resampling.BOX))
    return rgb / np.float32(255)
