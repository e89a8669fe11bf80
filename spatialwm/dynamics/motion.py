"""Batched rigid motion: poses as ``(*, 7)`` xyz + wxyz, twists as ``(*, 6)`` translation and rotation vector, world axes."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.geometry.se3 import matrix_to_quat, quat_multiply, quat_to_matrix


def rotation_vector(quats: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 3"]:
    """Axis times angle in radians, at most pi long."""
    w, v = quats[..., :1], quats[..., 1:]
    v = torch.where(w < 0, -v, v)
    sine = v.norm(dim=-1, keepdim=True)
    angle = 2 * torch.atan2(sine, w.abs())
    return v * torch.where(sine > 1e-8, angle / sine.clamp_min(1e-12), torch.full_like(sine, 2.0))


def quat_of(rotation_vectors: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 4"]:
    """Unit quaternion of an axis times angle; differentiable at zero."""
    squared = (rotation_vectors**2).sum(-1, keepdim=True)
    angle = torch.sqrt(squared + 1e-24)
    scale = torch.where(squared > 1e-12, torch.sin(angle / 2) / angle, 0.5 - squared / 48)
    return torch.cat([torch.cos(angle / 2), rotation_vectors * scale], -1)


def inverse_quat(quats: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """The opposite turn."""
    return torch.cat([quats[..., :1], -quats[..., 1:]], -1)


def twist_between(before: Float[Tensor, "*n 7"], after: Float[Tensor, "*n 7"]) -> Float[Tensor, "*n 6"]:
    """Displacement of the origin and the turn about it that lead from one pose to the next."""
    turn = quat_multiply(after[..., 3:], inverse_quat(before[..., 3:]))
    return torch.cat([after[..., :3] - before[..., :3], rotation_vector(turn)], -1)


def moved(poses: Float[Tensor, "*n 7"], twists: Float[Tensor, "*n 6"]) -> Float[Tensor, "*n 7"]:
    """The inverse of :func:`twist_between`."""
    quats = quat_multiply(quat_of(twists[..., 3:]), poses[..., 3:])
    return torch.cat([poses[..., :3] + twists[..., :3], quats / quats.norm(dim=-1, keepdim=True)], -1)


def points_at(points: Float[Tensor, "*#n p 3"], poses: Float[Tensor, "*#n 7"]) -> Float[Tensor, "*n p 3"]:
    """Points of rigid bodies in the world."""
    return points @ quat_to_matrix(poses[..., 3:]).transpose(-1, -2) + poses[..., None, :3]


def mean_pose(poses: Float[Tensor, "m *n 7"]) -> Float[Tensor, "*n 7"]:
    """The pose nearest to all of the first axis: mean position and chordal mean of the rotations."""
    quats = poses[..., 3:]
    quats = torch.where((quats * quats[:1]).sum(-1, keepdim=True) < 0, -quats, quats).mean(0)
    return torch.cat([poses[..., :3].mean(0), quats / quats.norm(dim=-1, keepdim=True).clamp_min(1e-12)], -1)


def rigid_fit(source: Float[Tensor, "*#n p 3"], target: Float[Tensor, "*#n p 3"]) -> Float[Tensor, "*n 7"]:
    """The pose that brings points nearest to others in the least-squares sense (Kabsch 1976)."""
    from_mean, to_mean = source.mean(-2, keepdim=True), target.mean(-2, keepdim=True)
    covariance = (source - from_mean).transpose(-1, -2) @ (target - to_mean)
    u, _, vt = torch.linalg.svd(covariance)
    v, ut = vt.transpose(-1, -2), u.transpose(-1, -2)
    flip = torch.ones_like(covariance[..., 0])
    flip[..., 2] = torch.det(v @ ut).sign()
    rotation = (v * flip[..., None, :]) @ ut
    position = to_mean[..., 0, :] - (rotation @ from_mean[..., 0, :, None])[..., 0]
    return torch.cat([position, matrix_to_quat(rotation)], -1)
