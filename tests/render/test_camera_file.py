"""Camera files: exact round trips, hand-written forms, clear refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spatialwm.errors import ExportError, FormatError
from spatialwm.geometry.camera import Camera
from spatialwm.render import read_cameras, write_cameras

VIEW = Camera.look_at((1.0, -2.0, 1.5), (0.0, 0.3, 0.9), 320, 240, fov_x_deg=55.0)


def test_a_camera_comes_back(tmp_path):
    path = write_cameras(tmp_path / "вид.json", VIEW)
    (back,) = read_cameras(path)
    assert back.world_from_cam == VIEW.world_from_cam
    assert (back.width, back.height) == (320, 240)
    assert np.isclose(back.fx, VIEW.fx)


def test_a_path_comes_back_in_order_at_another_size(tmp_path):
    keys = [Camera.look_at((x, -2.0, 1.0), (0.0, 0.0, 0.5), 320, 240) for x in (0.0, 1.0, 2.0)]
    back = read_cameras(write_cameras(tmp_path / "path.json", keys), 64, 36)
    assert [c.eye for c in back] == [c.eye for c in keys]
    assert {(c.width, c.height) for c in back} == {(64, 36)}
    assert np.isclose(back[0].fx / 64, keys[0].fx / 320)


@pytest.mark.parametrize("aim", [{"forward": [0, 2, 0]}, {"target": [1, 5, 1.5]}])
def test_a_hand_written_camera_is_read(tmp_path, aim):
    (tmp_path / "c.json").write_text(json.dumps([{"position": [1, 2, 1.5], "fov_x_deg": 90} | aim]))
    (camera,) = read_cameras(tmp_path / "c.json", 100, 50)
    assert camera.eye == (1, 2, 1.5)
    assert np.allclose(camera.forward, (0, 1, 0))
    assert np.isclose(camera.fx, 50)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "is not JSON"),
        ("[]", "no camera"),
        ("7", "a camera is a JSON object"),
        ('{"position": [0, 0, 0]}', "needs world_from_cam, or position"),
        ('{"position": [0, 0], "forward": [1, 0, 0]}', "three finite numbers"),
        ('{"position": [0, 0, NaN], "forward": [1, 0, 0]}', "three finite numbers"),
        ('{"position": [0, 0, 0], "forward": [0, 0, 0]}', "same point"),
        ('{"position": [0, 0, 0], "forward": [1, 0, 0], "fov_x_deg": 190}', "field of view"),
        ('{"position": [0, 0, 0], "forward": [1, 0, 0], "roll": 3}', "unknown camera field 'roll'"),
        ('{"world_from_cam": [0, 0, 0, 0, 0, 0, 0]}', "zero"),
        ('{"world_from_cam": [0, 0, 0, 1, 0, 0, 0, 2]}', "without scale"),
        ('{"world_from_cam": [0, 0, 0, 1, 0, 0, 0], "width": 0}', "at least 1x1"),
        ('{"keys": [{"position": "here", "forward": [1, 0, 0]}]}', "camera 0"),
    ],
)
def test_a_bad_camera_file_is_one_clear_error(tmp_path, text, message):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(FormatError, match=message):
        read_cameras(tmp_path / "c.json")


def test_missing_files_and_folders_are_clear_errors(tmp_path):
    with pytest.raises(FormatError, match="No such file"):
        read_cameras(tmp_path / "none.json")
    with pytest.raises(ExportError, match="cannot write"):
        write_cameras(tmp_path / "none" / "c.json", VIEW)
