import math

import numpy as np

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.spawn import WINDOW, camera_roll_rad, spawn_camera, window

THING = np.random.default_rng(0).normal(size=(600, 3)) * 0.3 + (0.0, 0.0, 1.0)


def looking(eye: tuple[float, float, float], at: tuple[float, float, float] = (0.0, 0.0, 1.0), width: int = 320) -> Camera:
    return Camera.look_at(eye, at, width, 240, 60.0)


def test_the_visitor_starts_where_the_whole_of_what_was_photographed_is_seen() -> None:
    close = looking((0.0, -0.4, 1.0))
    far = looking((0.0, -2.5, 1.0))
    away = looking((0.5, -2.5, 1.0), (3.0, -2.5, 1.0))
    assert spawn_camera([close, away, far, close], THING).eye == far.eye


def test_a_level_picture_is_preferred_to_a_tilted_one() -> None:
    level = looking((0.0, -2.5, 1.0))
    turned = level.world_from_cam @ Pose.about_axis((0.0, 0.0, 1.0), math.radians(30))
    tilted = Camera(turned, 320, 240, level.fx, level.fy, level.cx, level.cy)
    assert math.isclose(camera_roll_rad(tilted), math.radians(30), abs_tol=1e-6)
    assert spawn_camera([tilted, level], THING).world_from_cam == level.world_from_cam


def test_a_tall_picture_keeps_its_height_in_the_window() -> None:
    tall = Camera.look_at((0.0, -2.0, 1.0), (0.0, 0.0, 1.0), 240, 320, 40.0)
    wide = window(tall)
    assert (wide.width, wide.height) == WINDOW
    assert math.isclose(wide.height / wide.fy, tall.height / tall.fy)
