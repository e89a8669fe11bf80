"""Surfaces whose direction is known: what is read off them, and what splats are asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.dense.depth_map import pixel_rays
from spatialwm.lift.capture.training.normals import facing, normals_loss, normals_of, normals_shown

CAMERA = Camera.look_at((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 80, 60, 60.0)
NORMAL = np.array([0.3, -0.2, -1.0]) / np.linalg.norm([0.3, -0.2, -1.0])
"""In the camera's frame, towards it."""


def plane_depth(noise: float = 0.0) -> np.ndarray:
    """Of a slanted plane 2 m away, with noise that grows as a depth sensor's does."""
    depth = 2 * NORMAL[2] / (pixel_rays(CAMERA) @ NORMAL)
    return (depth * (1 + noise * np.random.default_rng(0).normal(size=depth.shape))).astype(np.float32)


def angle_deg(normals: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip(normals @ NORMAL, -1, 1)))


def test_a_sensors_noise_hardly_turns_a_surface():
    normals = normals_of(CAMERA, plane_depth(0.003))
    inner = normals[10:-10, 10:-10]
    assert np.linalg.norm(inner, axis=-1) == pytest.approx(1, abs=1e-5)
    assert np.median(angle_deg(inner)) < 2.5
    single = normals_shown(torch.from_numpy(plane_depth(0.003)), CAMERA.K()).numpy()[10:-10, 10:-10]
    assert np.median(angle_deg(single[np.linalg.norm(single, axis=-1) > 0.5])) > 5


def test_holes_and_jumps_have_no_direction():
    depth = plane_depth()
    depth[:, 40:] *= 1.5
    depth[20:30, 10:20] = 0
    measured, shown = normals_of(CAMERA, depth), normals_shown(torch.from_numpy(depth), CAMERA.K()).numpy()
    assert not measured[20:30, 10:20].any()
    assert not shown[21:29, 11:19].any()
    assert not shown[1:-1, 39:41].any()
    assert np.quantile(angle_deg(measured[measured.any(-1)]), 0.99) < 1
    assert np.quantile(angle_deg(shown[shown.any(-1)]), 0.9) < 1


def test_the_thinnest_axis_faces_the_camera_and_turns_towards_the_surface():
    n = 50
    rng = torch.Generator().manual_seed(0)
    quats = torch.randn(n, 4, generator=rng).requires_grad_()
    means = torch.tensor([0.0, 2.0, 0.0]) + 0.1 * torch.randn(n, 3, generator=rng)
    scales = torch.tensor([[0.1, 0.02, 0.1]]).repeat(n, 1)
    viewmat, target = CAMERA.viewmat(), torch.from_numpy(NORMAL).float()

    def cosine() -> torch.Tensor:
        return facing(means, quats, scales, viewmat) @ target

    in_camera = means @ viewmat[:3, :3].T + viewmat[:3, 3]
    assert ((facing(means, quats, scales, viewmat) * in_camera).sum(1) < 0).all()
    optimizer = torch.optim.Adam([quats], lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        shown = facing(means, quats, scales, viewmat)[None]
        normals_loss(shown, torch.ones(1, n), target.expand(1, n, 3)).backward()
        optimizer.step()
    assert cosine().median() > 0.99


def test_where_the_surface_is_unknown_nothing_is_asked():
    shown = torch.nn.functional.normalize(torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(1)), dim=-1)
    assert normals_loss(shown, torch.ones(4, 5), torch.zeros(4, 5, 3)) == 0
    assert normals_loss(shown, torch.ones(4, 5), shown) == pytest.approx(0, abs=1e-6)
