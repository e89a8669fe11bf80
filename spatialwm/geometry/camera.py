"""Pinhole cameras in the OpenCV frame (+X right, +Y down, +Z forward), and where to put them."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import Pose, Vec3


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera; pixel centres lie at half integers."""

    world_from_cam: Pose
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ShapeError(f"camera image must be at least 1x1 pixels; got {self.width}x{self.height}")
        if not (self.fx > 0 and self.fy > 0 and math.isfinite(self.fx) and math.isfinite(self.fy)):
            raise ShapeError(f"camera focal lengths must be positive and finite; got {self.fx}, {self.fy}")

    @staticmethod
    def look_at(
        eye: Vec3, target: Vec3, width: int, height: int, fov_x_deg: float = 62.0, up: Vec3 = (0.0, 0.0, 1.0)
    ) -> Camera:
        """A camera at ``eye`` that looks at ``target`` with the horizon level.

        Raises:
            ShapeError: ``eye`` equals ``target`` or ``fov_x_deg`` is outside (0, 180).
        """
        if not 0 < fov_x_deg < 180:
            raise ShapeError(f"field of view must lie between 0 and 180 degrees; got {fov_x_deg}")
        forward = np.asarray(target, np.float64) - np.asarray(eye, np.float64)
        length = float(np.linalg.norm(forward))
        if length < 1e-9:
            raise ShapeError(f"camera eye and target are the same point {eye}")
        forward /= length
        right = np.cross(forward, up)
        if np.linalg.norm(right) < 1e-6:  # looking straight up or down: any right will do
            right = np.cross(forward, (0.0, 1.0, 0.0))
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([right, down, forward], axis=1)
        matrix[:3, 3] = eye
        focal = width / 2 / math.tan(math.radians(fov_x_deg) / 2)
        return Camera(Pose.from_matrix(matrix), width, height, focal, focal, width / 2, height / 2)

    def resized(self, width: int, height: int) -> Camera:
        """The same view with another pixel count; the horizontal field of view is kept."""
        k = width / self.width
        return replace(
            self, width=width, height=height, fx=self.fx * k, fy=self.fy * k,
            cx=self.cx * k, cy=self.cy * k + (height - self.height * k) / 2,
        )  # fmt: skip

    @property
    def eye(self) -> Vec3:
        """Camera centre in the world."""
        return self.world_from_cam.position

    @property
    def forward(self) -> Vec3:
        """Unit viewing direction in the world."""
        x, y, z = self.world_from_cam.rotation()[:, 2]
        return (float(x), float(y), float(z))

    def viewmat(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "4 4"]:
        """``cam_from_world``, as the rasterisers take it."""
        return torch.from_numpy(self.world_from_cam.inverse().matrix()).to(dtype)

    def K(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "3 3"]:
        """Intrinsics in pixels."""
        return torch.tensor([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], dtype=dtype)


def orbit(center: Vec3, radius_m: float, height_m: float, frames: int, width: int, height: int,
          fov_x_deg: float = 62.0, start_rad: float = 0.0) -> list[Camera]:  # fmt: skip
    """``frames`` cameras on a level circle around ``center``, first at ``start_rad`` from +X, counter-clockwise."""
    cameras: list[Camera] = []
    for i in range(frames):
        angle = start_rad + 2 * math.pi * i / frames
        eye = (center[0] + radius_m * math.cos(angle), center[1] + radius_m * math.sin(angle), center[2] + height_m)
        cameras.append(Camera.look_at(eye, center, width, height, fov_x_deg))
    return cameras


def interpolate(keys: list[Camera], frames: int) -> list[Camera]:
    """``frames`` cameras along a smooth path through ``keys``: Catmull-Rom centres, slerped rotations."""
    if not keys or frames < 1:
        raise ShapeError(f"a camera path needs at least one key and one frame; got {len(keys)} keys, {frames} frames")
    if len(keys) == 1 or frames == 1:
        return [keys[0]] * frames
    centers = np.array([k.eye for k in keys])
    out: list[Camera] = []
    for t in np.linspace(0, len(keys) - 1, frames):
        i = min(int(t), len(keys) - 2)
        u = float(t) - i
        p0, p1, p2, p3 = (centers[min(max(j, 0), len(keys) - 1)] for j in (i - 1, i, i + 1, i + 2))
        eye = 0.5 * (2 * p1 + (p2 - p0) * u + (2 * p0 - 5 * p1 + 4 * p2 - p3) * u**2 + (3 * p1 - p0 - 3 * p2 + p3) * u**3)
        quat = _slerp(np.array(keys[i].world_from_cam.quat), np.array(keys[i + 1].world_from_cam.quat), u)
        focal = keys[i].fx * (1 - u) + keys[i + 1].fx * u
        x, y, z = (float(v) for v in eye)
        w, a, b, c = (float(v) for v in quat)
        out.append(replace(keys[i], world_from_cam=Pose((x, y, z), (w, a, b, c)), fx=focal, fy=focal))
    return out


def _slerp(a: np.ndarray, b: np.ndarray, u: float) -> np.ndarray:
    dot = float(a @ b)
    if dot < 0:
        b, dot = -b, -dot
    if dot > 0.9995:
        out = a + u * (b - a)
    else:
        theta = math.acos(dot)
        out = (math.sin((1 - u) * theta) * a + math.sin(u * theta) * b) / math.sin(theta)
    return out / np.linalg.norm(out)
