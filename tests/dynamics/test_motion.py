"""Batched rigid motion obeys the axioms of the group it moves in."""

from __future__ import annotations

import pytest
import torch

from spatialwm.dynamics.motion import mean_pose, moved, points_at, quat_of, rigid_fit, rotation_vector, twist_between


@pytest.fixture
def poses() -> torch.Tensor:
    made = torch.Generator().manual_seed(0)
    quats = torch.randn(40, 4, generator=made, dtype=torch.float64)
    return torch.cat([torch.randn(40, 3, generator=made, dtype=torch.float64), quats / quats.norm(dim=-1, keepdim=True)], -1)


def same(a: torch.Tensor, b: torch.Tensor, tolerance: float = 1e-9) -> bool:
    """Equal poses; a quaternion and its opposite are one rotation."""
    sign = (a[..., 3:] * b[..., 3:]).sum(-1, keepdim=True).sign()
    return torch.allclose(torch.cat([a[..., :3], sign * a[..., 3:]], -1), b, atol=tolerance)


def test_a_twist_leads_from_one_pose_to_the_other(poses):
    assert same(moved(poses[:20], twist_between(poses[:20], poses[20:])), poses[20:])


@pytest.mark.parametrize("length", [0.0, 1e-9, 1e-5, 0.3, 3.1])
def test_a_rotation_vector_survives_the_way_there_and_back(length):
    axis = torch.tensor([[0.6, 0.0, -0.8]], dtype=torch.float64) * length
    assert torch.allclose(rotation_vector(quat_of(axis)), axis, atol=1e-12)


def test_no_turn_has_a_finite_gradient():
    zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    quat_of(zero)[1].backward()
    assert torch.allclose(zero.grad, torch.tensor([0.5, 0, 0], dtype=torch.float64))


def test_the_fit_finds_the_pose_that_moved_the_points_even_of_a_mirror_trap(poses):
    points = torch.randn(40, 12, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert same(rigid_fit(points, points_at(points, poses)), poses, 1e-7)
    flat = points * torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)
    assert same(rigid_fit(flat, points_at(flat, poses)), poses, 1e-7)


def test_the_mean_of_a_pose_and_its_neighbours_is_that_pose(poses):
    turn = torch.randn(40, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64) * 0.1
    around = torch.stack([poses, moved(poses, turn), moved(poses, -turn)])
    around[1, :, 3:] *= -1
    assert same(mean_pose(around), poses, 1e-9)
