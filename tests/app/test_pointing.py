"""The page's view is Python's camera, and a mask is told as lines around what it holds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from spatialwm_app.pointing import camera_of, outlines, prompt_of

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera


def view_of(camera: Camera) -> dict[str, Any]:
    right, down, forward = camera.world_from_cam.rotation().T.tolist()
    fov_y_deg = math.degrees(2 * math.atan(camera.height / 2 / camera.fy))
    size = {"width": camera.width, "height": camera.height, "fov_y_deg": fov_y_deg}
    return {"eye": list(camera.eye), "right": right, "down": down, "forward": forward, **size}


def test_the_pages_view_is_the_camera_it_shows() -> None:
    camera = Camera.look_at((1.0, -2.0, 1.6), (0.3, 0.8, 0.4), 900, 600)
    seen = camera_of(view_of(camera))
    assert np.allclose(seen.world_from_cam.matrix(), camera.world_from_cam.matrix())
    assert (seen.fx, seen.fy, seen.cx, seen.cy) == pytest.approx((camera.fx, camera.fy, camera.cx, camera.cy))


def test_clicks_and_boxes_arrive_and_nonsense_is_refused() -> None:
    prompt = prompt_of({"clicks": [{"x": 3, "y": 4}, {"x": 5, "y": 6, "add": False}], "box": [9, 8, 1, 2]})
    assert [(c.x, c.y, c.add) for c in prompt.clicks] == [(3, 4, True), (5, 6, False)]
    assert prompt.box == (1, 2, 9, 8)
    for message in ({}, {"clicks": [{"x": "here"}]}, {"box": [1, 2, 3]}):
        with pytest.raises(LiftError):
            prompt_of(message)
    with pytest.raises(LiftError, match="view"):
        camera_of({"eye": [0, 0, 0]})


def test_a_ring_has_an_outer_and_an_inner_line() -> None:
    y, x = np.mgrid[:120, :200]
    distance = np.hypot(x - 99.5, y - 59.5)
    lines = outlines((distance < 50) & (distance > 20))
    assert len(lines) == 2
    for line, radius in zip(lines, (50, 20), strict=True):
        points = np.array(line) * (200, 120) - (100, 60)
        assert np.hypot(*points.T) == pytest.approx(np.full(len(points), radius), abs=1.2)


def test_specks_and_an_empty_mask_have_no_line() -> None:
    mask = np.zeros((60, 80), bool)
    assert outlines(mask) == []
    mask[5:7, 5:7] = True
    assert outlines(mask) == []
    assert len(outlines(np.ones((60, 80), bool))) == 1, "a mask that fills the picture is lined by its border"
