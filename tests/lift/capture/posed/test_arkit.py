"""Phone scans: ARKit's axes, its own confidence, corrected poses before raw ones, and gravity known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.posed import PosedOptions, arkit, posed_reader

ARKIT_FROM_ROOM = Pose.about_axis((1.0, 0.0, 0.0), -np.pi / 2)
"""+Z up becomes +Y up."""
TO_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])


def polycam(folder: Path, room: Any, prefix: str = "", shift: float = 0.0) -> Path:
    keyframes = folder / "keyframes"
    for name in (f"{prefix}images", f"{prefix}cameras", "depth", "confidence"):
        (keyframes / name).mkdir(parents=True, exist_ok=True)
    for i, camera in enumerate(room.walk(3)):
        rgb, depth = room.look(camera)
        stem = str(90 + i * 10)
        Image.fromarray(rgb).save(keyframes / f"{prefix}images" / f"{stem}.png")
        small = np.rint(depth[2::4, 2::4] * 1000).astype(np.uint16)
        Image.fromarray(small).save(keyframes / "depth" / f"{stem}.png")
        trust = np.full(small.shape, 255, np.uint8)
        trust[:5], trust[5:10] = 0, 127
        Image.fromarray(trust).save(keyframes / "confidence" / f"{stem}.png")
        m = (ARKIT_FROM_ROOM @ camera.world_from_cam).matrix() @ TO_OPENGL
        values = {f"t_{r}{c}": m[r, c] + (shift if (r, c) == (0, 3) else 0) for r in range(3) for c in range(4)}
        values |= {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy, "width": 160, "height": 120}
        (keyframes / f"{prefix}cameras" / f"{stem}.json").write_text(json.dumps(values))
    return folder


def test_a_polycam_export_comes_back_with_gravity_and_metres(tmp_path: Path, room: Any) -> None:
    capture = arkit.read(polycam(tmp_path, room))
    assert capture.given == len(capture.views) == 3
    assert (capture.up, capture.scale.method) == ((0.0, 1.0, 0.0), "measured")
    for view, camera in zip(capture.views, room.walk(3), strict=True):
        pose = ARKIT_FROM_ROOM @ camera.world_from_cam
        np.testing.assert_allclose(view.camera.world_from_cam.matrix(), pose.matrix(), atol=1e-9)
        np.testing.assert_array_equal(view.rgb, room.look(camera)[0])
        depth, truth = view.depth, room.look(camera)[1]
        assert depth is not None
        assert not depth[:20].any(), "low confidence"
        assert depth[20:40].all(), "medium confidence is kept"
        assert np.median(np.abs(depth - truth)[20:]) < 0.03  # four pixels share a sample
        flat = np.abs(view.camera.world_from_cam.rotation()[:, 0] @ capture.up)
        assert flat < 1e-9, "the pictures' horizontal edges are level"


def test_corrected_pictures_and_poses_are_preferred(tmp_path: Path, room: Any) -> None:
    polycam(polycam(tmp_path, room, shift=7.0), room, "corrected_")
    assert abs(arkit.read(tmp_path).views[0].camera.eye[0]) < 3


def test_depth_beyond_the_lasers_reach_is_a_guess_and_left_out(tmp_path: Path, room: Any) -> None:
    polycam(tmp_path, room)
    Image.fromarray(np.tile(np.array([3000, 7000], np.uint16), (30, 20))).save(tmp_path / "keyframes" / "depth" / "90.png")
    depth = arkit.read(tmp_path).views[0].depth
    assert depth is not None
    assert set(np.unique(depth)) == {0.0, 3.0}


def test_frames_of_3d_scanner_app_are_read(tmp_path: Path, room: Any) -> None:
    for i, camera in enumerate(room.walk(3)):
        rgb, depth = room.look(camera)
        if i != 1:  # it stores more poses than pictures
            Image.fromarray(rgb).save(tmp_path / f"frame_{i:05d}.jpg", quality=98)
        Image.fromarray(np.rint(depth * 1000).astype(np.uint16)).save(tmp_path / f"depth_{i:05d}.png")
        m = (ARKIT_FROM_ROOM @ camera.world_from_cam).matrix() @ TO_OPENGL
        values = {"cameraPoseARFrame": m.ravel().tolist(), "intrinsics": camera.K().numpy().ravel().tolist()}
        (tmp_path / f"frame_{i:05d}.json").write_text(json.dumps(values))
    assert posed_reader(tmp_path) is arkit.read
    capture = arkit.read(tmp_path)
    assert [view.name for view in capture.views] == ["frame_00000.jpg", "frame_00002.jpg"]
    pose = ARKIT_FROM_ROOM @ room.walk(3)[2].world_from_cam
    np.testing.assert_allclose(capture.views[1].camera.world_from_cam.matrix(), pose.matrix(), atol=1e-9)
    assert capture.views[1].depth is not None


def test_a_real_phones_depth_lies_under_its_picture(tmp_path: Path, shared_dir: Path) -> None:
    real = shared_dir / "data" / "rgbd_iphone_lidar"
    for name in ("images", "cameras", "depth"):
        (tmp_path / "keyframes" / name).mkdir(parents=True)
    shutil.copy(real / "image.jpg", tmp_path / "keyframes" / "images" / "7.jpg")
    shutil.copy(real / "arkit_depth.png", tmp_path / "keyframes" / "depth" / "7.png")
    values = {f"t_{r}{c}": float(r == c) for r in range(3) for c in range(4)}
    values |= {"fx": 1442.0, "fy": 1442.0, "cx": 960.0, "cy": 720.0, "width": 1920, "height": 1440}
    (tmp_path / "keyframes" / "cameras" / "7.json").write_text(json.dumps(values))
    (view,) = arkit.read(tmp_path, PosedOptions(longest_px=640)).views
    assert view.rgb.shape == (480, 640, 3)
    assert view.depth is not None
    assert (view.depth.min(), view.depth.max()) == pytest.approx((1.566, 3.512), abs=0.02)
    # Where depth steps, the picture has its edges: shifted depth finds fewer of them.
    grey = view.rgb.astype(float).mean(-1)
    edges = np.hypot(*np.gradient(grey))
    steps = np.hypot(*np.gradient(view.depth)) > 0.1
    there = edges[steps].mean()
    assert there > 1.1 * max(edges[np.roll(steps, (dy, dx), (0, 1))].mean() for dy, dx in ((30, 0), (-30, 0), (0, 30), (0, -30)))


def test_wrong_scans_get_one_sentence(tmp_path: Path, room: Any) -> None:
    cameras = polycam(tmp_path, room) / "keyframes" / "cameras"
    (cameras / "90.json").write_text('{"t_00": 1')
    (cameras / "100.json").write_text('{"t_00": 1, "t_01": "x"}')
    capture = arkit.read(tmp_path)
    assert len(capture.views) == 1
    assert "90.json is not valid JSON" in capture.notes[0]
    assert "t_01 must be a finite number; got 'x'" in capture.notes[1]
    (cameras / "110.json").write_text("[]")
    with pytest.raises(LiftError, match=r"no frame of .* has a usable camera"):
        arkit.read(tmp_path)
    for file in (tmp_path / "keyframes" / "images").iterdir():
        file.unlink()
    with pytest.raises(LiftError, match=r"none of the 3 pictures of .* exist"):
        arkit.read(tmp_path)
    with pytest.raises(LiftError, match="holds no phone scan"):
        arkit.read(tmp_path / "keyframes" / "images")
