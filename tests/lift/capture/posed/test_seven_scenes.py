"""7-Scenes folders: metres, lost frames, and two cameras 2.6 cm apart that become one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.lift.capture.capture import View
from spatialwm.lift.capture.posed import PosedOptions, seven_scenes


def written(folder: Path, room: Any, count: int = 3) -> Path:
    folder.mkdir(exist_ok=True)
    for i, camera in enumerate(room.walk(count)):
        rgb, depth = room.look(camera)
        Image.fromarray(rgb).save(folder / f"frame-{i:06d}.color.png")
        Image.fromarray(np.rint(depth * 1000).astype(np.uint16)).save(folder / f"frame-{i:06d}.depth.png")
        np.savetxt(folder / f"frame-{i:06d}.pose.txt", camera.world_from_cam.matrix())
    np.savetxt(folder / "camera-intrinsics.txt", camera.K().numpy())
    return folder


def test_frames_come_back_in_metres(tmp_path: Path, room: Any) -> None:
    capture = seven_scenes.read(written(tmp_path, room))
    assert capture.given == len(capture.views) == 3
    assert (capture.scale.method, capture.notes) == ("measured", ())
    for view, camera in zip(capture.views, room.walk(3), strict=True):
        rgb, depth = room.look(camera)
        np.testing.assert_allclose(view.camera.world_from_cam.matrix(), camera.world_from_cam.matrix(), atol=1e-9)
        np.testing.assert_array_equal(view.rgb, rgb)
        assert view.depth is not None
        np.testing.assert_allclose(view.depth, depth, atol=6e-4)


def test_invalid_depth_is_unknown(tmp_path: Path, room: Any) -> None:
    written(tmp_path, room)
    raw = np.full((120, 160), 1500, np.uint16)
    raw[0], raw[1] = 65535, 0
    Image.fromarray(raw).save(tmp_path / "frame-000001.depth.png")
    depth = seven_scenes.read(tmp_path).views[1].depth
    assert depth is not None
    assert not depth[:2].any()
    np.testing.assert_array_equal(depth[2:], np.float32(1.5))


def test_lost_and_damaged_frames_are_left_out_by_name(tmp_path: Path, room: Any) -> None:
    written(tmp_path, room, 6)
    (tmp_path / "frame-000000.pose.txt").write_text("nan " * 16)
    (tmp_path / "frame-000001.pose.txt").write_text("1 0 0")
    (tmp_path / "frame-000002.color.png").unlink()
    file = tmp_path / "frame-000003.color.png"
    file.write_bytes(file.read_bytes()[:200])
    file = tmp_path / "frame-000004.depth.png"
    file.write_bytes(file.read_bytes()[:200])
    capture = seven_scenes.read(tmp_path)
    assert [view.name for view in capture.views] == ["frame-000004", "frame-000005"]
    assert capture.views[0].depth is None
    said = "\n".join(capture.notes)
    for i, why in enumerate(("tracking was lost", "must be 4x4 numbers; got 3", "have no picture", "is damaged", "the depth of")):
        assert why in said, i
        assert f"frame-{i:06d}" in said


def test_a_folder_without_frames_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(LiftError, match="expected frames of colour, depth and pose"):
        seven_scenes.read(tmp_path)
    (tmp_path / "frame-000000.pose.txt").write_text("1")
    with pytest.raises(LiftError, match=r"has poses but no frame-000000\.color\.png"):
        seven_scenes.read(tmp_path)


def agreement(a: View, b: View) -> tuple[float, float]:
    """Median difference in metres of ``a``'s depth carried into ``b`` to what ``b`` measured, and correlation of the colours."""
    assert a.depth is not None
    assert b.depth is not None
    c, d = a.camera, b.camera
    v, u = np.nonzero(a.depth)
    z = a.depth[v, u]
    place = c.world_from_cam.apply(np.stack([(u + 0.5 - c.cx) / c.fx * z, (v + 0.5 - c.cy) / c.fy * z, z], 1))
    x, y, w = d.world_from_cam.inverse().apply(place).T
    column, row = np.floor(x / w * d.fx + d.cx).astype(int), np.floor(y / w * d.fy + d.cy).astype(int)
    inside = (w > 0) & (column >= 0) & (column < d.width) & (row >= 0) & (row < d.height)
    v, u, row, column, w = v[inside], u[inside], row[inside], column[inside], w[inside]
    measured = b.depth[row, column]
    off = np.abs(measured - w)[measured > 0]
    same = (measured > 0) & (np.abs(measured - w) < 0.03)
    grey = [view.rgb.astype(float).mean(-1) for view in (a, b)]
    return float(np.median(off)), float(np.corrcoef(grey[0][v, u][same], grey[1][row, column][same])[0, 1])


def test_depth_and_colour_of_the_real_kitchen_agree(shared_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shared_dir / "data" / "rgbd_7scenes_redkitchen"
    options = PosedOptions(every=6)
    capture = seven_scenes.read(folder, options)
    assert len(capture.views) == 10
    depth_pose = np.loadtxt(folder / "frame-000000.pose.txt")
    beside = capture.views[0].camera.world_from_cam.inverse().apply(depth_pose[:3, 3])
    np.testing.assert_allclose(beside, [-0.0256, 0.0001, 0.0020], atol=1e-4)  # the depth camera, seen by the colour camera
    found = np.array([agreement(a, b) for a, b in zip(capture.views[:-1], capture.views[1:], strict=True)])
    assert np.median(found[:, 0]) < 0.016
    assert found[:, 0].max() < 0.03
    monkeypatch.setattr(seven_scenes, "KINECT_COLOR", seven_scenes.KINECT_DEPTH)
    monkeypatch.setattr(seven_scenes, "KINECT_COLOR_FROM_DEPTH", np.eye(4))
    naive = seven_scenes.read(folder, options)
    as_one = np.array([agreement(a, b) for a, b in zip(naive.views[:-1], naive.views[1:], strict=True)])
    assert found[:, 1].mean() > as_one[:, 1].mean() + 0.04, "colours lie where they belong only with both cameras told apart"
