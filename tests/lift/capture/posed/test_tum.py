"""TUM sequences: what belongs together in time, metres from fifths of a millimetre, quaternions with w last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.lift.capture.posed import PosedOptions, tum


def written(folder: Path, room: Any, count: int = 4) -> Path:
    (folder / "rgb").mkdir(parents=True)
    (folder / "depth").mkdir()
    lists: dict[str, list[str]] = {"rgb": ["# colour"], "depth": ["# depth"], "groundtruth": ["# t x y z qx qy qz qw"]}
    for i, camera in enumerate(room.walk(count)):
        rgb, depth = room.look(camera)
        t = 1000.0 + i / 30
        Image.fromarray(rgb).save(folder / "rgb" / f"{t:.6f}.png")
        Image.fromarray(np.rint(depth * 5000).astype(np.uint16)).save(folder / "depth" / f"{t:.6f}.png")
        lists["rgb"].append(f"{t:.6f} rgb/{t:.6f}.png")
        lists["depth"].append(f"{t + 0.012:.6f} depth/{t:.6f}.png")
        pose = camera.world_from_cam
        (w, x, y, z), p = pose.quat, pose.position
        for k in (-1, 0, 1):  # tracked three times as often
            far = 5.0 * abs(k)
            lists["groundtruth"].append(f"{t + k * 0.011:.6f} {p[0] + far!r} {p[1]!r} {p[2]!r} {x!r} {y!r} {z!r} {w!r}")
    for name, lines in lists.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    c = room.walk(count)[0]
    (folder / "calibration.txt").write_text(f"{c.fx!r} {c.fy!r} {c.cx - 0.5!r} {c.cy - 0.5!r}\n")
    return folder


def test_pictures_depth_and_poses_are_matched_by_time(tmp_path: Path, room: Any) -> None:
    capture = tum.read(written(tmp_path / "a", room))
    assert capture.given == len(capture.views) == 4
    assert (capture.scale.method, capture.notes) == ("measured", ())
    for view, camera in zip(capture.views, room.walk(4), strict=True):
        rgb, depth = room.look(camera)
        np.testing.assert_allclose(view.camera.world_from_cam.matrix(), camera.world_from_cam.matrix(), atol=1e-9)
        assert (view.camera.cx, view.camera.fx) == (camera.cx, camera.fx)
        np.testing.assert_array_equal(view.rgb, rgb)
        assert view.depth is not None
        np.testing.assert_allclose(view.depth, depth, atol=1.1e-4)
    assert [view.time_s for view in capture.views] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30], abs=1e-6)


def test_pictures_without_a_pose_in_time_are_left_out(tmp_path: Path, room: Any) -> None:
    folder = written(tmp_path / "a", room)
    truth = folder / "groundtruth.txt"
    truth.write_text("\n".join(line for line in truth.read_text().splitlines() if not line.startswith("1000.0333")) + "\n")
    lines = truth.read_text().splitlines()
    truth.write_text("\n".join(line for line in lines if not "1000.020" < line < "1000.050") + "\n")
    (folder / "rgb" / "1000.066667.png").unlink()
    capture = tum.read(folder)
    assert len(capture.views) == 2
    assert "2 of 4 pictures have no file or no pose within 0.02 s" in capture.notes[0]


def test_the_benchmarks_own_cameras_are_known_by_name(tmp_path: Path, room: Any) -> None:
    folder = written(tmp_path / "rgbd_dataset_freiburg1_desk", room)
    (folder / "calibration.txt").unlink()
    view = tum.read(folder, PosedOptions(max_views=1)).views[0]
    assert (view.camera.fx, view.camera.cx) == pytest.approx((517.3 / 4, 319.1 / 4))
    assert not np.array_equal(view.rgb, room.look(room.walk(4)[2])[0]), "its lens bends"
    other = written(tmp_path / "mine", room)
    (other / "calibration.txt").unlink()
    capture = tum.read(other)
    assert capture.views[0].camera.fx == 525 / 4
    assert "default focal length" in capture.notes[0]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("rgb.txt", "", "lists nothing"),
        ("rgb.txt", "soon rgb/a.png", "times must be 1 numbers"),
        ("rgb.txt", "5.0 rgb/a.png", "check that rgb.txt and groundtruth.txt belong together"),
        ("groundtruth.txt", "1000 1 2 3", "rows of time, position and quaternion"),
        ("groundtruth.txt", "", "belong together"),
        ("groundtruth.txt", "1000 1 2 3 0 0 0 0", "its quaternion is zero"),
        ("calibration.txt", "525 525", "must hold fx fy cx cy"),
        ("calibration.txt", "", "must hold fx fy cx cy"),
        ("depth.txt", "", "lists nothing"),
    ],
)
def test_wrong_lists_get_one_sentence(tmp_path: Path, room: Any, name: str, text: str, said: str) -> None:
    folder = written(tmp_path / "a", room)
    (folder / name).write_text(text)
    with pytest.raises(LiftError, match=said):
        tum.read(folder)
    (folder / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LiftError, match=f"{name} is not a text file"):
        tum.read(folder)
