"""A room small enough to build in milliseconds: a floor, four walls and three things, as splats only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spatialwm.gaussians import Gaussians, concatenate
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Environment, Scene, SceneObject
from spatialwm.world import World

HALF_M = 3.0
HEIGHT_M = 2.6


@pytest.fixture(scope="session")
def room() -> Scene:
    rng = np.random.default_rng(0)
    sides = ((0, -1, (0.72, 0.66, 0.6)), (0, 1, (0.6, 0.66, 0.72)), (1, -1, (0.66, 0.72, 0.6)), (1, 1, (0.74, 0.7, 0.58)))
    walls = [_plate(rng, 1500, axis, sign * HALF_M, color) for axis, sign, color in sides]
    floor = _plate(rng, 2500, 2, 0.0, (0.45, 0.38, 0.32))
    return Scene(
        objects=(
            SceneObject("room-shell", "room", concatenate([floor, *walls]), role="structure", mobility="static"),
            _crate("crate-1", rng, (0.5, 0.4, 0.5), (0.0, 0.8, 0.0), "#b04a30", 4.0),
            _crate("stool-1", rng, (0.4, 0.4, 0.45), (-1.4, 0.6, 0.0), "#3a6ea8", 3.0),
            _crate("box-1", rng, (0.2, 0.2, 0.2), (0.0, 0.8, 0.5), "#d8b04a", 0.4, supported_by="crate-1"),
        ),
        environment=Environment("room", room=((-HALF_M, -HALF_M, 0.0), (HALF_M, HALF_M, HEIGHT_M)), background=(0.1, 0.12, 0.15)),
        spawn=Camera.look_at((0.0, -2.2, 1.65), (0.0, 0.8, 0.5), 1280, 720),
        prompt="a small room",
        unrecognized=("flibbert",),
    )


@pytest.fixture
def world(room: Scene, tmp_path: Path) -> World:
    return World.create(tmp_path / "room.world", room, command={"op": "create", "source": "a small room"})


def _plate(rng: np.random.Generator, n: int, axis: int, at: float, rgb: tuple[float, float, float]) -> Gaussians:
    points = rng.uniform(-HALF_M, HALF_M, (n, 3))
    if axis != 2:
        points[:, 2] = rng.uniform(0, HEIGHT_M, n)
    points[:, axis] = at
    scales = np.full((n, 3), 0.09)
    scales[:, axis] = 0.01
    return _splats(points, scales, np.array(rgb) + rng.normal(0, 0.02, (n, 3)))


def _crate(
    object_id: str, rng: np.random.Generator, size: tuple[float, float, float], at: tuple[float, float, float],
    color: str, mass_kg: float, supported_by: str = "floor",
) -> SceneObject:  # fmt: skip
    """A box whose origin is the middle of its underside."""
    n = 900
    points = rng.uniform(-0.5, 0.5, (n, 3))
    face = rng.integers(0, 3, n)
    points[np.arange(n), face] = rng.choice([-0.5, 0.5], n)
    light = 0.7 + 0.3 * (points[:, 2:3] > 0.49) - 0.15 * (face == 0)[:, None]
    points = (points + np.array([0, 0, 0.5])) * size
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]) * light
    return SceneObject(
        object_id, object_id.split("-")[0], _splats(points, np.full((n, 3), 0.018), rgb), Pose(at), color=color,
        mass_kg=mass_kg, material="wood", supported_by=supported_by, provenance="stated",
    )  # fmt: skip


def _splats(points: np.ndarray, scales: np.ndarray, rgb: np.ndarray) -> Gaussians:
    n = len(points)
    quats = np.tile([1.0, 0.0, 0.0, 0.0], (n, 1))
    return Gaussians.from_numpy(points, quats, scales, np.full(n, 0.95), rgb=np.clip(rgb, 0, 1))
