"""The camera that watches something happen sees it, from within the room, with nothing in the way."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.render import render_scene, subject_view
from spatialwm.scene import Environment, Scene, SceneObject


def slab(name: str, center: Vec3, size: Vec3, color: Vec3) -> SceneObject:
    """A filled box of opaque Gaussians."""
    steps = [np.linspace(-0.5, 0.5, max(2, round(s / 0.05))) * s for s in size]
    points = np.stack(np.meshgrid(*steps, indexing="ij"), -1).reshape(-1, 3)
    n = len(points)
    quats = np.tile([1.0, 0, 0, 0], (n, 1))
    gaussians = Gaussians.from_numpy(points, quats, np.full((n, 3), 0.03), np.full(n, 0.99), rgb=np.tile(color, (n, 1)))
    return SceneObject(name, name, gaussians, Pose(center))


@pytest.fixture
def screened() -> Scene:
    """A small ball-like box behind a screen, seen from the screen's side by default."""
    spawn = Camera.look_at((0.0, -2.5, 1.0), (0.0, 0.0, 0.5), 320, 180)
    room = ((-3.0, -3.0, 0.0), (3.0, 3.0, 2.5))
    objects = (
        slab("subject", (0.0, 0.0, 0.3), (0.3, 0.3, 0.3), (0.9, 0.1, 0.1)),
        slab("screen", (0.0, -0.7, 0.7), (2.4, 0.1, 1.4), (0.2, 0.2, 0.8)),
    )
    return Scene(objects, Environment(room=room), spawn=spawn)


def test_the_subject_is_seen_around_what_hides_it(screened: Scene) -> None:
    path = screened["subject"].bounds()
    hidden = render_scene(screened, screened.spawn)
    assert hidden.mask_of("subject").sum() == 0
    view = subject_view(screened, ("subject",), path, 320, 180)
    frame = render_scene(screened, view)
    assert frame.mask_of("subject").sum() > 100
    assert frame.mask_of("screen").mean() < 0.3


def test_the_camera_stays_in_the_room_and_above_the_floor(screened: Scene) -> None:
    path = np.array([[2.6, 2.6, 0.1], [2.9, 2.9, 0.4]])
    x, y, z = subject_view(screened, ("subject",), path, 320, 180).eye
    assert max(abs(x), abs(y)) < 3.0
    assert 0.0 < z < 2.5


def test_the_whole_path_fits_in_the_picture(screened: Scene) -> None:
    path = np.array([[-1.0, 0.4, 0.2], [1.0, 0.4, 0.2]])
    view = subject_view(screened, ("subject",), path, 320, 180)
    for point in path:
        x, y, z = view.world_from_cam.inverse().apply(point)
        assert z > 0
        assert 0 < view.fx * x / z + view.cx < 320
        assert 0 < view.fy * y / z + view.cy < 180
