"""A metre of the world is a metre: lengths between places as rendered against the same lengths as they are, within 1 %."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift import LiftOptions
from spatialwm.lift.capture.fusion import start_points
from spatialwm.lift.capture.lifter import CaptureLifter
from spatialwm.lift.capture.posed import PosedOptions, arkit
from spatialwm.lift.capture.stereo import depth_maps
from spatialwm.lift.capture.training import Plan, Trainer
from spatialwm.render import render_scene
from spatialwm.render.cpu import rasterization
from spatialwm.scene import Scene

PLAN = Plan(seconds=None, steps=60, cap=6000, start_count=6000, levels=((2, 0.5), (1, 1.0)))
VIEWS = 9


def lengths_ratio(camera: Camera, shown: np.ndarray, known: np.ndarray) -> float:
    """Median of shown over known distances between places far apart in a picture."""
    rng = np.random.default_rng(0)
    v, u = np.nonzero((known > 0) & (shown > 0))
    a, b = rng.permutation(len(v))[: len(v) // 2], rng.permutation(len(v))[: len(v) // 2]

    def places(depth: np.ndarray) -> np.ndarray:
        z = depth[v, u].astype(np.float64)
        return np.stack([(u + 0.5 - camera.cx) / camera.fx * z, (v + 0.5 - camera.cy) / camera.fy * z, z], 1)

    shown_at, known_at = places(shown), places(known)
    truth = np.linalg.norm(known_at[a] - known_at[b], axis=1)
    far = truth > np.median(truth)
    return float(np.median(np.linalg.norm(shown_at[a] - shown_at[b], axis=1)[far] / truth[far]))


def as_7_scenes(folder: Path, room: Any) -> None:
    for i, camera in enumerate(room.walk(VIEWS)):
        rgb, depth = room.look(camera)
        Image.fromarray(rgb).save(folder / f"frame-{i:06d}.color.png")
        Image.fromarray(np.rint(depth * 1000).astype(np.uint16)).save(folder / f"frame-{i:06d}.depth.png")
        np.savetxt(folder / f"frame-{i:06d}.pose.txt", camera.world_from_cam.matrix())
        np.savetxt(folder / "camera-intrinsics.txt", camera.K().numpy())


def as_tum(folder: Path, room: Any) -> None:
    lists: dict[str, list[str]] = {"rgb.txt": [], "depth.txt": [], "groundtruth.txt": []}
    for i, camera in enumerate(room.walk(VIEWS)):
        rgb, depth = room.look(camera)
        Image.fromarray(rgb).save(folder / f"{i}.png")
        Image.fromarray(np.rint(depth * 5000).astype(np.uint16)).save(folder / f"d{i}.png")
        w, x, y, z = camera.world_from_cam.quat
        lists["rgb.txt"].append(f"{i} {i}.png")
        lists["depth.txt"].append(f"{i} d{i}.png")
        lists["groundtruth.txt"].append(" ".join(map(str, (i, *camera.eye, x, y, z, w))))
        (folder / "calibration.txt").write_text(f"{camera.fx} {camera.fy} {camera.cx - 0.5} {camera.cy - 0.5}")
    for name, lines in lists.items():
        (folder / name).write_text("\n".join(lines))


def as_phone_scan(folder: Path, room: Any) -> None:
    """ARKit's axes and a quarter of the pixels, as its laser has."""
    arkit_from_room = Pose.about_axis((1.0, 0.0, 0.0), -np.pi / 2)
    for name in ("images", "cameras", "depth"):
        (folder / "keyframes" / name).mkdir(parents=True)
    for i, camera in enumerate(room.walk(VIEWS)):
        depth = room.look(camera.resized(40, 30))[1]
        Image.fromarray(room.look(camera)[0]).save(folder / "keyframes" / "images" / f"{i}.png")
        Image.fromarray(np.rint(depth * 1000).astype(np.uint16)).save(folder / "keyframes" / "depth" / f"{i}.png")
        m = (arkit_from_room @ camera.world_from_cam).matrix() @ np.diag([1.0, -1.0, -1.0, 1.0])
        values = {f"t_{r}{c}": m[r, c] for r in range(3) for c in range(4)}
        values |= {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy, "width": 160, "height": 120}
        (folder / "keyframes" / "cameras" / f"{i}.json").write_text(json.dumps(values))


def in_its_world(source: Path, plan: Plan) -> tuple[Scene, list[tuple[Camera, np.ndarray, np.ndarray]]]:
    """The scene, and of each held-out view the camera in the world, the depth shown there and the depth measured."""
    lifted = CaptureLifter(plan).lifted(str(source), LiftOptions(quality="draft"))
    assert lifted.held_out
    views = [lifted.leveled.capture.views[i] for i in lifted.held_out]
    shown = [render_scene(lifted.scene, v.camera).depth_m for v in views]
    return lifted.scene, [(v.camera, s, v.depth) for v, s in zip(views, shown, strict=True) if v.depth is not None]


@pytest.mark.parametrize("write", [as_7_scenes, as_tum, as_phone_scan])
def test_a_known_room_keeps_its_size(write: Callable[[Path, Any], None], tmp_path: Path, room: Any) -> None:
    write(tmp_path, room)
    scene, views = in_its_world(tmp_path, PLAN)
    assert scene.scale.method == "measured"
    known = [room.look(camera)[1] for camera in (room.walk(VIEWS)[3], room.walk(VIEWS)[7])]  # as built, not as recorded
    for (camera, shown, _), truth in zip(views, known, strict=True):
        assert lengths_ratio(camera, shown, truth) == pytest.approx(1.0, abs=0.01)


def kitchen_as_tum(folder: Path, source: Path, frames: list[str]) -> None:
    """The depth camera's frames under TUM's names: metres in fifths of a millimetre, poses as quaternions."""
    lists: dict[str, list[str]] = {"rgb.txt": [], "depth.txt": [], "groundtruth.txt": []}
    for i, stem in enumerate(frames):
        shutil.copy(source / f"{stem}.color.jpg", folder / f"{i}.jpg")
        millimetres = np.asarray(Image.open(source / f"{stem}.depth.png")).astype(np.int64)
        Image.fromarray(np.where(millimetres < 13000, 5 * millimetres, 0).astype(np.uint16)).save(folder / f"d{i}.png")
        pose = Pose.from_matrix(np.loadtxt(source / f"{stem}.pose.txt"))
        w, x, y, z = pose.quat
        lists["rgb.txt"].append(f"{i} {i}.jpg")
        lists["depth.txt"].append(f"{i} d{i}.png")
        lists["groundtruth.txt"].append(" ".join(map(str, (i, *pose.position, x, y, z, w))))
    for name, lines in lists.items():
        (folder / name).write_text("\n".join(lines))
    (folder / "calibration.txt").write_text("585 585 319.5 239.5")


@pytest.mark.parametrize("layout", ["7-Scenes", "TUM"])
def test_a_real_kitchen_keeps_its_size(layout: str, tmp_path: Path, shared_dir: Path) -> None:
    real = shared_dir / "data" / "rgbd_7scenes_redkitchen"
    frames = [f"frame-{8 * i:06d}" for i in range(9)]
    if layout == "TUM":
        kitchen_as_tum(tmp_path, real, frames)
    else:
        for stem in frames:
            for suffix in (".color.jpg", ".depth.png", ".pose.txt"):
                shutil.copy(real / (stem + suffix), tmp_path)
        shutil.copy(real / "camera-intrinsics.txt", tmp_path)
    _, views = in_its_world(tmp_path, replace(PLAN, start_count=15_000, cap=15_000))
    ratios = [lengths_ratio(*view) for view in views]
    print(layout, ratios)
    assert len(ratios) == 2
    assert ratios == pytest.approx([1.0, 1.0], abs=0.01)


def test_a_real_phone_picture_keeps_its_size(tmp_path: Path, shared_dir: Path) -> None:
    real = shared_dir / "data" / "rgbd_iphone_lidar"
    for name in ("images", "cameras", "depth"):
        (tmp_path / "keyframes" / name).mkdir(parents=True)
    shutil.copy(real / "image.jpg", tmp_path / "keyframes" / "images" / "7.jpg")
    shutil.copy(real / "arkit_depth.png", tmp_path / "keyframes" / "depth" / "7.png")
    values = {f"t_{r}{c}": float(r == c) for r in range(3) for c in range(4)}
    values |= {"fx": 1442.0, "fy": 1442.0, "cx": 960.0, "cy": 720.0, "width": 1920, "height": 1440}
    (tmp_path / "keyframes" / "cameras" / "7.json").write_text(json.dumps(values))
    capture = arkit.read(tmp_path, PosedOptions(longest_px=320))
    (view,) = capture.views  # too few for a world, enough to see whether training keeps its size
    start = start_points(capture, depth_maps(capture), PLAN.start_count, 0)
    trainer = Trainer(capture, start, PLAN)
    trainer.run()
    g, c = trainer.gaussians(), view.camera
    shown = rasterization(g.means, g.quats, g.scales, g.opacities, g.sh, c.viewmat()[None], c.K()[None], c.width, c.height,
                          sh_degree=1, render_mode="ED")[0][0, ..., 0].numpy()  # fmt: skip
    assert view.depth is not None
    ratio = lengths_ratio(c, shown, view.depth)
    print("iphone", ratio)
    assert ratio == pytest.approx(1.0, abs=0.01)
