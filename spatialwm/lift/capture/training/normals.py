"""Splats lie flat on the surface they show: their thinnest axes are held to the way the surface faces."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.lift.capture.dense.consistency import fit_planes

FEWEST = 20
"""Samples of 81 around one that must lie on its surface."""
SAME_SURFACE = 0.04
"""Relative difference of depth up to which neighbours are of one surface: a Kinect's step at 3 m is a hundredth."""


def facing(
    means: Float[Tensor, "n 3"], quats: Float[Tensor, "n 4"], scales: Float[Tensor, "n 3"], viewmat: Float[Tensor, "4 4"]
) -> Float[Tensor, "n 3"]:
    """The thinnest axis of each Gaussian in the camera's frame, towards the camera; differentiable in ``quats`` only."""
    thinnest = scales.detach().argmin(1)
    axes = quat_to_matrix(torch.nn.functional.normalize(quats, dim=1))[torch.arange(len(quats)), :, thinnest]
    turn, shift = viewmat[:3, :3].detach(), viewmat[:3, 3].detach()
    normals = axes @ turn.T
    away = (normals.detach() * (means.detach() @ turn.T + shift)).sum(1) > 0
    return torch.where(away[:, None], -normals, normals)


def normals_loss(
    shown: Float[Tensor, "h w 3"], alphas: Float[Tensor, "h w"], target: Float[Tensor, "h w 3"]
) -> Float[Tensor, ""]:
    """One minus the cosine between each splat's axis and the surface, blended as the splats are; 0 where the target is zero."""
    known = (target * target).sum(-1) > 0.5
    return ((alphas - (shown * target).sum(-1)) * known).sum() / known.sum().clamp(min=1)


def normals_of(camera: Camera, depth: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w 3"]:
    """How measured surfaces face, in the camera's frame and towards it; zero where that is not known.

    From planes fitted to every other sample: the noise of a sensor's single steps would turn a wall by 30 degrees.
    """
    half = np.ascontiguousarray(depth[::2, ::2], np.float32)
    inverse = np.where(half > 0, 1 / np.where(half > 0, half, 1), 0).astype(np.float32)
    smooth, normals = np.empty_like(inverse), np.empty((*inverse.shape, 3), np.float32)
    fit_planes(inverse, 0.0, SAME_SURFACE, FEWEST, camera.fx / 2, camera.fy / 2, camera.cx / 2, camera.cy / 2, smooth, normals)
    whole = normals.repeat(2, axis=0).repeat(2, axis=1)[: depth.shape[0], : depth.shape[1]]
    return np.where((depth > 0)[..., None], whole, np.float32(0))


def normals_shown(depth: Float[Tensor, "h w"], K: Float[Tensor, "3 3"]) -> Float[Tensor, "h w 3"]:
    """How a rendered depth map faces, in the camera's frame and towards it; zero at its edges and jumps. No gradient."""
    depth = depth.detach()
    height, width = depth.shape
    x = (torch.arange(width, device=depth.device) + 0.5 - K[0, 2]) / K[0, 0]
    y = (torch.arange(height, device=depth.device) + 0.5 - K[1, 2]) / K[1, 1]
    places = torch.stack([x[None] * depth, y[:, None] * depth, depth], -1)
    across, down = places[1:-1, 2:] - places[1:-1, :-2], places[2:, 1:-1] - places[:-2, 1:-1]
    middle = depth[1:-1, 1:-1]
    smooth = (middle > 0) & (across[..., 2].abs() < SAME_SURFACE * middle) & (down[..., 2].abs() < SAME_SURFACE * middle)
    normals = torch.nn.functional.normalize(torch.linalg.cross(down, across), dim=-1) * smooth[..., None]
    return torch.nn.functional.pad(normals, (0, 0, 1, 1, 1, 1))
