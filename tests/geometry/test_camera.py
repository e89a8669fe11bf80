"""Cameras look where they are told, level, and keep their view when resized."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatialwm.errors import ShapeError
from spatialwm.geometry.camera import Camera, interpolate, orbit

QUICK = settings(deadline=None, max_examples=40)

spot = st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.floats(-9, 9))


def project(camera, point):
    x, y, z = (camera.viewmat().double().numpy() @ [*point, 1.0])[:3]
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy, z


@QUICK
@given(spot, spot)
def test_the_target_lands_in_the_middle_and_up_is_up(eye, target):
    distance = float(np.linalg.norm(np.subtract(eye, target)))
    if distance < 0.1:
        return
    camera = Camera.look_at(eye, target, 64, 48)
    u, v, depth = project(camera, target)
    assert (u, v) == pytest.approx((32, 24), abs=1e-2)
    assert depth == pytest.approx(distance, rel=1e-3)
    assert camera.eye == pytest.approx(eye)
    np.testing.assert_allclose(camera.forward, np.subtract(target, eye) / distance, atol=1e-6)
    assert camera.world_from_cam.rotation()[2, 1] <= 1e-6, "image down never points up in the world"


@pytest.mark.parametrize("target", [(0.0, 0.0, 0.0), (0.0, 0.0, 9.0)])
def test_looking_straight_down_or_up_is_a_camera_too(target):
    camera = Camera.look_at((0.0, 0.0, 4.0), target, 64, 48)
    np.testing.assert_allclose(camera.world_from_cam.rotation() @ camera.world_from_cam.rotation().T, np.eye(3), atol=1e-12)


def test_the_field_of_view_is_horizontal_and_survives_resizing():
    camera = Camera.look_at((0.0, -4.0, 0.0), (0.0, 0.0, 0.0), 640, 480, fov_x_deg=90.0)
    edge = (4.0, 0.0, 0.0)
    assert project(camera, edge)[0] == pytest.approx(640)
    small = camera.resized(320, 100)
    assert project(small, edge)[:2] == pytest.approx((320, 50), abs=1e-3)


def test_an_orbit_is_a_level_circle_that_faces_its_centre():
    cameras = orbit((1.0, 2.0, 0.5), 3.0, 1.0, 8, 64, 48)
    assert len(cameras) == 8
    for camera in cameras:
        assert np.hypot(camera.eye[0] - 1, camera.eye[1] - 2) == pytest.approx(3)
        assert camera.eye[2] == pytest.approx(1.5)
        assert project(camera, (1.0, 2.0, 0.5))[:2] == pytest.approx((32, 24), abs=1e-3)
    assert cameras[0].eye[0] == pytest.approx(4)
    assert cameras[2].eye[1] == pytest.approx(5), "counter-clockwise"


def test_a_path_passes_through_its_keys_without_jumps():
    keys = orbit((0.0, 0.0, 1.0), 3.0, 0.4, 5, 64, 48)
    path = interpolate(keys, 41)
    for i, key in enumerate(keys):
        assert path[10 * i].eye == pytest.approx(key.eye)
        np.testing.assert_allclose(path[10 * i].forward, key.forward, atol=1e-9)
    steps = np.linalg.norm(np.diff([c.eye for c in path], axis=0), axis=1)
    assert steps.max() < 3 * np.median(steps)
    assert interpolate(keys[:1], 3) == [keys[0]] * 3


def test_bad_cameras_are_refused():
    with pytest.raises(ShapeError, match="same point"):
        Camera.look_at((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 64, 48)
    with pytest.raises(ShapeError, match="field of view"):
        Camera.look_at((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 64, 48, fov_x_deg=180.0)
    with pytest.raises(ShapeError, match="at least 1x1"):
        Camera.look_at((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 0, 48)
    with pytest.raises(ShapeError, match="at least one key"):
        interpolate([], 3)
