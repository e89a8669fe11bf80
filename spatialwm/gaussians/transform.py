"""Carrying Gaussians from one frame to another."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import torch

from spatialwm.gaussians.gaussians import Gaussians
from spatialwm.geometry.se3 import Pose, quat_multiply
from spatialwm.geometry.sh import rotate_sh


def transform(gaussians: Gaussians, out_from_in: Pose) -> Gaussians:
    """Gaussians in the outer frame: centres moved, orientations and view-dependent colour turned, sizes scaled."""
    if out_from_in == Pose():
        return gaussians
    like = gaussians.means
    rotation = torch.from_numpy(out_from_in.rotation()).to(like)
    turns = out_from_in.quat != (1.0, 0.0, 0.0, 0.0)
    means = gaussians.means @ (rotation * out_from_in.scale).T + like.new_tensor(out_from_in.position)
    if not turns:
        return Gaussians(
            means, gaussians.quats, gaussians.scales * out_from_in.scale, gaussians.opacities, gaussians.sh
        )
    return Gaussians(
        means,
        quat_multiply(like.new_tensor(out_from_in.quat), gaussians.quats),
        gaussians.scales * out_from_in.scale,
        gaussians.opacities,
        rotate_sh(gaussians.sh, rotation),
    )
