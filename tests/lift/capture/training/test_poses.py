"""Cameras a little off, in a room known exactly: what is seen must bring them back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.training.poses import CENTER_EVERY, Poses

DEPTH = 2.0
OFF = Pose.about_axis((0.3, 1.0, -0.5), np.radians(0.7), (0.02, -0.015, 0.025))


def seen(room, camera: Camera) -> tuple[torch.Tensor, torch.Tensor]:
    rgb, depth = room.look(camera)
    return torch.from_numpy(rgb / np.float32(255)).float(), torch.from_numpy(depth).float()


def viewmat_of(camera: Camera) -> np.ndarray:
    return camera.viewmat().double().numpy()


def off_by(viewmat: torch.Tensor, camera: Camera) -> tuple[float, float]:
    """Degrees and metres between a pose and a camera's."""
    d = viewmat.double().numpy() @ np.linalg.inv(viewmat_of(camera))
    return float(np.degrees(np.arccos(np.clip((np.trace(d[:3, :3]) - 1) / 2, -1, 1)))), float(np.linalg.norm(d[:3, 3]))


def camera_of(camera: Camera, viewmat: torch.Tensor) -> Camera:
    return replace(camera, world_from_cam=Pose.from_matrix(viewmat.double().numpy()).inverse())


def brought_back(room, true: Camera, times: int, brightness: float = 1.0, usable=None) -> tuple[float, float]:
    given = replace(true, world_from_cam=true.world_from_cam @ OFF)
    poses = Poses(given.viewmat()[None], [0], DEPTH)
    poses._shared.zero_()  # one camera alone would be all that moves together
    target = seen(room, true)[0] * brightness
    for _ in range(times):
        image, depth = seen(room, camera_of(true, poses.viewmat(0)))
        poses.step(poses.told(image, depth, target, usable, true.K(), 0))
    return off_by(poses.viewmat(0), true)


def test_a_camera_finds_back_by_what_it_sees(room):
    true = room.walk()[3]
    before = off_by((replace(true, world_from_cam=true.world_from_cam @ OFF)).viewmat(), true)
    after = brought_back(room, true, 30)
    assert before[0] == pytest.approx(0.7, abs=0.01)
    assert after[0] < 0.1 * before[0]
    assert after[1] < 0.2 * before[1]


def test_what_is_masked_has_no_say(room):
    true = room.walk()[3]
    usable = torch.ones(true.height, true.width)
    usable[:, : true.width // 2] = 0
    given = replace(true, world_from_cam=true.world_from_cam @ OFF)
    image, depth = seen(room, given)
    target = seen(room, true)[0]
    damaged = target.clone()
    damaged[:, : true.width // 2 - 4] = 0.5
    poses = Poses(given.viewmat()[None], [0], DEPTH)
    clean = poses.told(image, depth, target, usable, true.K(), 0)
    assert torch.allclose(poses.told(image, depth, damaged, usable, true.K(), 0), clean, rtol=0.05)
    assert not torch.allclose(poses.told(image, depth, damaged, None, true.K(), 0), clean, rtol=0.5)


def test_a_camera_that_is_right_stays(room):
    true = room.walk()[2]
    poses = Poses(true.viewmat()[None], [0], DEPTH)
    image, depth = seen(room, true)
    assert poses.told(image, depth, image, None, true.K(), 0).abs().max() < 1e-9
    assert torch.equal(poses.viewmat(0), true.viewmat())


def test_only_the_view_that_was_shown_is_moved(room):
    cameras = room.walk()
    poses = Poses(torch.stack([c.viewmat() for c in cameras]), range(len(cameras)), DEPTH)
    image, depth = seen(room, cameras[1])
    change = poses.told(image, depth, seen(room, cameras[2])[0], None, cameras[1].K(), 1)
    assert change[1].abs().max() > 0
    assert change[[0, *range(2, len(cameras))]].abs().max() == 0


def test_what_all_cameras_do_together_is_taken_back(room):
    """A scene that turns, shifts and grows under its cameras looks the same; views that are held out would be lost."""
    cameras = room.walk()
    given = torch.stack([c.viewmat() for c in cameras])
    poses = Poses(given, range(len(cameras)), DEPTH)
    world = Pose.about_axis((0.2, 0.5, 1.0), 2e-3, (0.004, -0.003, 0.002)).matrix()
    together = np.zeros((len(cameras), 6))
    for i, c in enumerate(cameras):
        m = viewmat_of(c) @ world @ np.linalg.inv(viewmat_of(c))
        together[i] = [m[2, 1], m[0, 2], m[1, 0], *(m[:3, 3] / DEPTH)]
        together[i, 3:] += 1e-3 * viewmat_of(c)[:3, 3] / DEPTH
    own = np.zeros_like(together)
    own[4, :3] = (0.0, 4e-3, 0.0)
    poses.step(torch.from_numpy(together))
    for _ in range(CENTER_EVERY - 1):
        poses.step(torch.zeros_like(poses.twists))
    assert poses.twists.abs().max() < 0.02 * abs(together).max()
    poses.step(torch.from_numpy(own))
    for _ in range(CENTER_EVERY - 1):
        poses.step(torch.zeros_like(poses.twists))
    assert poses.twists[4, 1] > 0.5 * own[4, 1]
