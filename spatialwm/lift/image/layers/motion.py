"""How far one may step from where a picture was taken: as far as rendering shows no holes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3, vec3
from spatialwm.lift.image.layers.sharpen import coverage

HOLE_ALPHA = 0.8
"""A pixel that less than this covers is a hole."""
MOST_HOLES = 0.005
"""Share of the pixels."""
_CHECKED_PX = 1280
"""As wide as people see it: a coarser check does not see narrow holes."""
_SHRINK = 0.75
_SIGMAS, _CORNER = 4.0, 1.1
"""How far a Gaussian reaches, and how much farther than its corners a view may look."""
_LEAST = 0.05
"""Of the motion planned: below it the picture is said to allow none."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Reaches from the camera, metres; the region is an ellipsoid with these half axes."""

    aside_m: float
    ahead_m: float

    def scaled(self, k: float) -> Motion:
        """Both reaches times ``k``."""
        return Motion(self.aside_m * k, self.ahead_m * k)

    def extremes(self) -> tuple[Vec3, ...]:
        """In the camera's frame: left, right, up, ahead, back."""
        aside, ahead = self.aside_m, self.ahead_m
        return (-aside, 0.0, 0.0), (aside, 0.0, 0.0), (0.0, -aside, 0.0), (0.0, 0.0, ahead), (0.0, 0.0, -ahead)


def safe_motion(gaussians: Gaussians, looks: Sequence[Camera], planned: Motion) -> tuple[Motion, float]:
    """The largest motion, up to the planned one, at whose extremes no picture has more holes than allowed.

    Args:
        looks: what people see from where the picture was taken, in its camera's frame; steps are along the axes of the first.

    Returns:
        The motion, and the largest share of holes at its extremes.
    """
    small = [_smaller(look, _CHECKED_PX) for look in looks]
    reach_m = max(planned.aside_m, planned.ahead_m)
    visible = [gaussians.select(_may_show(gaussians, look, reach_m)) for look in small]
    views = [(look, chosen, way) for look, chosen in zip(small, visible, strict=True) for way in range(5)]
    k = 1.0
    while k > _LEAST:
        motion = planned.scaled(k)
        steps = motion.extremes()
        holes = 0.0
        for i, (look, chosen, way) in enumerate(views):
            there = Pose(vec3(looks[0].world_from_cam.rotate(np.asarray(steps[way]))))
            holes = max(holes, hole_share(chosen, replace(look, world_from_cam=there @ look.world_from_cam)))
            if holes > MOST_HOLES:
                views.insert(0, views.pop(i))  # the view that fails is the first to look at after the next smaller step
                break
        else:
            return motion, holes
        k *= _SHRINK
    return Motion(0.0, 0.0), max(hole_share(gaussians, look) for look in small)


def _may_show(gaussians: Gaussians, look: Camera, reach_m: float) -> Bool[torch.Tensor, " n"]:
    """Whatever may be seen in a view from up to ``reach_m`` beside its place; the views around each see a fifth of a panorama."""
    away = (gaussians.means.numpy() - np.asarray(look.eye, np.float32)) @ np.asarray(look.forward, np.float32)
    distance = torch.linalg.vector_norm(gaussians.means - torch.tensor(look.eye), dim=1).numpy()
    slack_m = reach_m + _SIGMAS * gaussians.scales.amax(1).numpy()
    off_rad = np.arccos(np.clip(away / np.maximum(distance, 1e-9), -1, 1))
    corner = math.hypot(look.width / look.fx, look.height / look.fy) / 2 * _CORNER
    within_rad = math.atan(corner) + np.arcsin(np.minimum(slack_m / np.maximum(distance, 1e-9), 1))
    return torch.from_numpy((off_rad < within_rad) | (distance <= slack_m))


def moved(camera: Camera, step: Vec3) -> Camera:
    """The camera after a step in its own frame, looking the same way."""
    return replace(camera, world_from_cam=camera.world_from_cam @ Pose(step))


def hole_share(gaussians: Gaussians, camera: Camera) -> float:
    """Of the pixels, through how many one looks past every Gaussian."""
    return float(np.mean(coverage(gaussians, camera) < HOLE_ALPHA))


def _smaller(camera: Camera, longest_px: int) -> Camera:
    k = min(1.0, longest_px / max(camera.width, camera.height))
    width, height = round(camera.width * k), round(camera.height * k)
    return replace(
        camera, width=width, height=height, fx=camera.fx * width / camera.width, fy=camera.fy * height / camera.height,
        cx=camera.cx * width / camera.width, cy=camera.cy * height / camera.height,
    )  # fmt: skip
