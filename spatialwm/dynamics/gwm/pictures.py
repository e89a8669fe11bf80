"""Forecasts as pictures, drawn by the rasteriser: a number in latent space says nothing of what one would see."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float

from spatialwm.dynamics.episode import Cast
from spatialwm.dynamics.gwm.template import Template, to_gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.render import choose, psnr

BACKGROUND = (0.78, 0.76, 0.72)
CHANGED = 0.02
"""Of a color channel: pixels that truly change more are the dynamic region."""


def camera_over(poses: Float[np.ndarray, "n 7"], size: int = 128) -> Camera:
    """Looks down aslant at everything that ever stands at ``poses``."""
    low, high = poses[:, :3].min(0), poses[:, :3].max(0)
    middle, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2 + 0.1
    far = radius / math.tan(math.radians(20))
    eye = middle + far * np.array([0.0, -0.6, 0.8])
    return Camera.look_at(tuple(eye.tolist()), tuple(middle.tolist()), size, size, 40.0)


def drawn(cast: Cast, poses: Float[np.ndarray, "k 7"], camera: Camera, backend: str = "auto") -> Float[np.ndarray, "h w 3"]:
    """The objects of a cast at ``poses``, without the actor, sRGB."""
    objects = len(cast.object_ids)
    alone = replace(cast, part_ids=(), part_points=cast.part_points[:0])
    template = Template.of(alone, objects * cast.points.shape[1], objects)
    g = to_gaussians(template.posed(torch.from_numpy(np.asarray(poses, np.float32))[None])[0])
    _, rasterization = choose(backend)
    with torch.no_grad():
        image, _, _ = rasterization(
            g.means, g.quats, g.scales, g.opacities, g.sh, camera.viewmat()[None], camera.K()[None], camera.width, camera.height,
            sh_degree=0, backgrounds=torch.tensor([BACKGROUND]),
        )  # fmt: skip
    return image[0].cpu().numpy()


def dynamic_region(before: Float[np.ndarray, "h w 3"], after: Float[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    """Pixels that truly change."""
    return np.abs(after - before).max(-1) > CHANGED


def region_psnr(
    image: Float[np.ndarray, "h w 3"], truth: Float[np.ndarray, "h w 3"], region: Bool[np.ndarray, "h w"]
) -> float:
    """Decibels over a region."""
    return psnr(image[region].clip(0, 1), truth[region].clip(0, 1))
