"""``transforms.json`` of every dialect becomes a capture whose cameras see what its pictures show."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import map_coordinates

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.posed import PosedOptions, transforms

TO_OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])


def written(folder: Path, room: Any, count: int = 4, **more: Any) -> dict[str, Any]:
    """A folder of ``count`` views of the room; the JSON value is returned and not yet stored."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    frames = []
    cameras = room.walk(count)
    for i, camera in enumerate(cameras):
        Image.fromarray(room.look(camera)[0]).save(folder / "images" / f"{i}.png")
        frames.append(
            {"file_path": f"images/{i}.png", "transform_matrix": (camera.world_from_cam.matrix() @ TO_OPENGL).tolist()}
        )  # fmt: skip
    c = cameras[0]
    return {"w": 160, "h": 120, "fl_x": c.fx, "fl_y": c.fy, "cx": c.cx, "cy": c.cy, "frames": frames, **more}


def store(folder: Path, value: Any) -> Path:
    (folder / "transforms.json").write_text(json.dumps(value), "utf-8")
    return folder


def test_cameras_come_back_in_opencv_axes(tmp_path: Path, room: Any) -> None:
    capture = transforms.read(store(tmp_path, written(tmp_path, room)))
    assert capture.given == len(capture.views) == 4
    assert capture.scale.method == "unknown"
    assert capture.notes == ()
    for view, camera in zip(capture.views, room.walk(4), strict=True):
        np.testing.assert_allclose(view.camera.world_from_cam.matrix(), camera.world_from_cam.matrix(), atol=1e-9)
        assert (view.camera.fx, view.camera.cx) == (camera.fx, camera.cx)
        np.testing.assert_array_equal(view.rgb, room.look(camera)[0])


def test_the_synthetic_scenes_dialect_has_an_angle_and_no_suffixes(tmp_path: Path, room: Any) -> None:
    value = written(tmp_path, room)
    frames = [{**f, "file_path": "./" + f["file_path"].removesuffix(".png")} for f in value["frames"]]
    (tmp_path / "transforms_train.json").write_text(json.dumps({"camera_angle_x": math.radians(70), "frames": frames}))
    capture = transforms.read(tmp_path)
    assert len(capture.views) == 4
    assert capture.views[0].camera.fx == pytest.approx(room.walk(4)[0].fx)
    assert (capture.views[0].camera.cx, capture.views[0].camera.cy) == (80, 60)


def test_a_frame_may_have_its_own_camera(tmp_path: Path, room: Any) -> None:
    value = written(tmp_path, room)
    value["frames"][2] |= {"fl_x": 99.0, "fl_y": 98.0, "cx": 70.0, "k1": 0.1}
    views = transforms.read(store(tmp_path, value)).views
    assert (views[2].camera.fx, views[2].camera.fy, views[2].camera.cx) == (99.0, 98.0, 70.0)
    assert not np.array_equal(views[2].rgb, room.look(room.walk(4)[2])[0]), "its lens bends"
    assert views[1].camera.fx == pytest.approx(room.walk(4)[1].fx)


def test_what_nerfstudio_applied_to_the_poses_is_undone(tmp_path: Path, room: Any) -> None:
    applied = Pose.about_axis((1.0, 2.0, 0.5), 0.9, (1.0, -2.0, 3.0))
    value = written(tmp_path, room)
    for frame in value["frames"]:
        moved = applied.matrix() @ np.array(frame["transform_matrix"])
        moved[:3, 3] *= 0.4
        frame["transform_matrix"] = moved.tolist()
        frame["depth_file_path"] = "d.png"
    Image.fromarray(np.full((12, 16), 800, np.uint16)).save(tmp_path / "d.png")
    points = np.random.default_rng(0).normal(size=(30, 3))
    import trimesh

    trimesh.PointCloud(applied.apply(points) * 0.4, colors=np.full((30, 4), 77, np.uint8)).export(tmp_path / "sparse.ply")
    value |= {"applied_transform": applied.matrix()[:3].tolist(), "applied_scale": 0.4, "ply_file_path": "sparse.ply"}
    capture = transforms.read(store(tmp_path, value))
    for view, camera in zip(capture.views, room.walk(4), strict=True):
        np.testing.assert_allclose(view.camera.world_from_cam.matrix(), camera.world_from_cam.matrix(), atol=1e-9)
        assert view.depth is not None
        assert view.depth.max() == pytest.approx(0.8 / 0.4)
    np.testing.assert_allclose(capture.points.means, points, atol=1e-5)
    assert (capture.points.rgb == 77).all()


@pytest.mark.parametrize("kind", ["png", "npy"])
def test_depth_beside_the_pictures_makes_the_scale_measured(tmp_path: Path, room: Any, kind: str) -> None:
    value = written(tmp_path, room)
    for i, (frame, camera) in enumerate(zip(value["frames"], room.walk(4), strict=True)):
        depth_mm = np.rint(room.look(camera)[1] * 1000)
        frame["depth_file_path"] = f"{i}.{kind}"
        if kind == "png":
            Image.fromarray(depth_mm.astype(np.uint16)).save(tmp_path / f"{i}.png")
        else:
            np.save(tmp_path / f"{i}.npy", depth_mm / 1000)
    if kind == "npy":
        value["depth_unit_scale_factor"] = 1.0
    capture = transforms.read(store(tmp_path, value))
    assert capture.scale.method == "measured"
    depth = capture.views[3].depth
    assert depth is not None
    np.testing.assert_allclose(depth, room.look(room.walk(4)[3])[1], atol=6e-4)


def test_missing_pictures_are_named_and_the_rest_is_read(tmp_path: Path, room: Any) -> None:
    store(tmp_path, written(tmp_path, room))
    (tmp_path / "images" / "1.png").unlink()
    capture = transforms.read(tmp_path)
    assert [view.name for view in capture.views] == ["images/0.png", "images/2.png", "images/3.png"]
    assert capture.given == 4
    assert capture.notes == ("1 of 4 pictures listed in transforms.json are missing: images/1.png",)
    for i in (0, 2, 3):
        (tmp_path / "images" / f"{i}.png").unlink()
    with pytest.raises(LiftError, match=r"none of the 4 pictures of .*transforms.json exist .*put them beside the file"):
        transforms.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frames": []}, "lists no frames"),
        ({"frames": 5}, "lists no frames"),
        ({"frames": [{"transform_matrix": []}]}, "frame 0 has no file_path"),
        ({"camera_model": "EQUIRECTANGULAR"}, "camera_model EQUIRECTANGULAR is not known"),
        ({"fl_x": "wide"}, "fl_x must be a finite number; got 'wide'"),
        ({"fl_x": -1}, "must be positive"),
        ({"w": 90}, "give the uncropped picture"),
        ({"applied_transform": [[1, 0], [0, 1]]}, "applied_transform must be 3x4 numbers"),
        ({"applied_transform": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0]]}, "without mirror"),
        ({"applied_scale": 0}, "applied_scale must be positive"),
    ],
)
def test_wrong_files_get_one_sentence(tmp_path: Path, room: Any, change: dict[str, Any], said: str) -> None:
    store(tmp_path, written(tmp_path, room, **change))
    with pytest.raises(LiftError, match=said) as caught:
        transforms.read(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ([[1, 0, 0, 0]], "must be 4x4 numbers; got 4"),
        ("identity", "must be 4x4 numbers"),
        (np.diag([1.0, 1.0, -1.0, 1.0]).tolist(), "is not a rotation"),
        (np.diag([1.0, 3.0, 1.0, 1.0]).tolist(), "is not a rotation"),
        (np.zeros((4, 4)).tolist(), "is not a rotation"),
        (np.full((4, 4), math.nan).tolist(), "its pose is not finite"),
    ],
)
def test_one_wrong_pose_costs_one_picture(tmp_path: Path, room: Any, matrix: Any, said: str) -> None:
    value = written(tmp_path, room)
    value["frames"][1]["transform_matrix"] = matrix
    capture = transforms.read(store(tmp_path, value))
    assert len(capture.views) == 3
    assert said in capture.notes[0]
    assert "images/1.png" in capture.notes[0]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0, 1), junk=st.binary(max_size=6))
def test_a_damaged_file_is_an_error_and_never_a_crash(tmp_path: Path, room: Any, cut: float, junk: bytes) -> None:
    whole = json.dumps(written(tmp_path, room, 1)).encode()
    (tmp_path / "transforms.json").write_bytes(whole[: int(cut * (len(whole) - 1))] + junk)
    with pytest.raises(LiftError, match=r"transforms\.json"):
        transforms.read(tmp_path)


def test_the_real_fox_is_posed_consistently(shared_dir: Path) -> None:
    capture = transforms.read(shared_dir / "data" / "mv_instantngp_fox", PosedOptions(longest_px=480, every=2))
    eyes = np.array([view.camera.eye for view in capture.views])
    ahead = np.array([view.camera.forward for view in capture.views])
    across = np.eye(3) - ahead[:, :, None] * ahead[:, None]
    middle = np.linalg.solve(across.sum(0), np.einsum("nij,nj->i", across, eyes))
    toward = (middle - eyes) / np.linalg.norm(middle - eyes, axis=1, keepdims=True)
    assert ((toward * ahead).sum(1) > 0.95).all(), "all look at the fox"
    # Patches of one view are found again on their epipolar lines in the next, and less well beside them.
    on, beside = [], []
    for a, b in zip(capture.views[:4], capture.views[1:5], strict=True):
        on.append(_best_on_line(a, b, 0.0))
        beside.append(max(_best_on_line(a, b, 8.0), _best_on_line(a, b, -8.0)))
    assert np.median(on) > 0.85
    assert all(o > b for o, b in zip(on, beside, strict=True))


def _best_on_line(a: Any, b: Any, off_px: float) -> float:
    """Median over textured patches of ``a`` of the best correlation along their epipolar lines in ``b``, shifted sideways."""
    grey_a, grey_b = (view.rgb.astype(float).mean(-1) for view in (a, b))
    best = []
    size = np.mgrid[-5:6, -5:6]
    for v, u in np.mgrid[60:420:30, 40:230:30].reshape(2, -1).T:
        patch = grey_a[v - 5 : v + 6, u - 5 : u + 6]
        if patch.std() < 15:
            continue
        c = a.camera
        ray = np.array([(u + 0.5 - c.cx) / c.fx, (v + 0.5 - c.cy) / c.fy, 1.0])
        z = 1 / np.linspace(1 / 10, 1 / 2, 160)
        p = b.camera.world_from_cam.inverse().apply(c.world_from_cam.apply(ray * z[:, None]))
        x, y = p[:, 0] / p[:, 2] * b.camera.fx + b.camera.cx - 0.5, p[:, 1] / p[:, 2] * b.camera.fy + b.camera.cy - 0.5
        along = np.array([x[-1] - x[0], y[-1] - y[0]])
        along /= np.linalg.norm(along) + 1e-9
        x, y = x - along[1] * off_px, y + along[0] * off_px
        found = map_coordinates(grey_b, [y[:, None, None] + size[0], x[:, None, None] + size[1]], order=1, mode="reflect")
        found = found - found.mean((1, 2), keepdims=True)
        score = (found * (patch - patch.mean())).sum((1, 2)) / (np.sqrt((found**2).sum((1, 2))) * patch.std() * 11 + 1e-9)
        best.append(score[(x > 5) & (x < grey_b.shape[1] - 6) & (y > 5) & (y < grey_b.shape[0] - 6)].max(initial=-1))
    return float(np.median(best))
