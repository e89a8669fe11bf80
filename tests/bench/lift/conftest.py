"""A corner of a room on disk as an RGB-D camera would record it, known exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatialwm.geometry.camera import Camera

W, H = 96, 72


def look(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """uint8 picture and depth along the axis of a floor (z = 0) and a wall (y = 2), patterned."""
    v, u = np.mgrid[0.5 : camera.height, 0.5 : camera.width]
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], -1)
    world, eye = camera.world_from_cam.rotate(rays), np.asarray(camera.eye)
    with np.errstate(divide="ignore"):
        floor = np.where(world[..., 2] < 0, -eye[2] / world[..., 2], np.inf)
        wall = np.where(world[..., 1] > 0, (2 - eye[1]) / world[..., 1], np.inf)
    depth = np.minimum(floor, wall)
    x, y, z = np.moveaxis(eye + world * depth[..., None], -1, 0)
    rgb = 127.5 + 90 * np.stack([np.sin(5 * x) * np.sin(5 * (y + z)), np.sin(9 * (y + z)), np.sin(3 * x + 2)], -1)
    return rgb.round().astype(np.uint8), depth


@pytest.fixture(scope="session")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames as 7-Scenes keeps them."""
    folder = tmp_path_factory.mktemp("corner")
    for i in range(8):
        camera = Camera.look_at((0.2 * i - 0.7, -1.0, 1.3 + 0.05 * (i % 3)), (0.1 * i - 0.3, 2.0, 0.4), W, H, 60.0)
        rgb, depth = look(camera)
        Image.fromarray(rgb).save(folder / f"frame-{i:06d}.color.png")
        Image.fromarray(np.rint(depth * 1000).astype(np.uint16)).save(folder / f"frame-{i:06d}.depth.png")
        np.savetxt(folder / f"frame-{i:06d}.pose.txt", camera.world_from_cam.matrix())
        np.savetxt(folder / "camera-intrinsics.txt", camera.K().numpy())
    return folder
