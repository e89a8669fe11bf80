"""From a folder of posed pictures on disk to a scene that stands on its floor."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.lift import LiftOptions, lifter_for
from spatialwm.lift.capture.lifter import CaptureLifter, is_capture
from spatialwm.lift.capture.training import Plan
from spatialwm.render import render_scene
from spatialwm.render.cpu import rasterization

W, H, VIEWS = 128, 96, 8
PLAN = Plan(seconds=None, steps=80, cap=4000, start_count=3000, levels=((1, 1.0),))


@pytest.fixture(scope="module")
def room(tmp_path_factory) -> Path:
    """Eight pictures of a patterned floor with a box on it, and a transforms.json."""
    rng = np.random.default_rng(0)
    floor = np.column_stack([rng.uniform(-2, 2, (9000, 2)), np.zeros(9000)])
    sides = rng.uniform(-0.4, 0.4, (3000, 3))
    axis = rng.integers(0, 3, 3000)
    sides[np.arange(3000), axis] = rng.choice([-0.4, 0.4], 3000)
    means = np.concatenate([floor, sides + (0.3, 0.1, 0.4)])
    cells = np.floor(means * 6).astype(int)
    colors = np.random.default_rng(1).uniform(0.1, 0.9, (40, 40, 40, 3))[tuple((cells + 20).T)]
    n = len(means)
    arrays = (means, np.tile([1.0, 0, 0, 0], (n, 1)), np.full((n, 3), 0.03), np.full(n, 0.95), colors)
    gaussians = tuple(torch.from_numpy(np.asarray(a, np.float32)) for a in arrays)
    folder = tmp_path_factory.mktemp("room")
    frames = []
    for i in range(VIEWS):
        angle = 0.25 * i
        camera = Camera.look_at((2.6 * np.cos(angle), 2.6 * np.sin(angle), 1.5), (0.1, 0.0, 0.2), W, H, 55.0)
        image = rasterization(*gaussians, camera.viewmat()[None], camera.K()[None], W, H)[0][0].numpy()
        Image.fromarray((image.clip(0, 1) * 255 + 0.5).astype(np.uint8)).save(folder / f"{i}.png")
        world_from_gl = camera.world_from_cam.matrix() @ np.diag([1.0, -1.0, -1.0, 1.0])
        frames.append({"file_path": f"{i}.png", "transform_matrix": world_from_gl.tolist()})
    intrinsics = {"fl_x": camera.fx, "fl_y": camera.fy, "cx": camera.cx, "cy": camera.cy, "w": W, "h": H}
    (folder / "transforms.json").write_text(json.dumps({**intrinsics, "frames": frames}))
    return folder


def test_posed_pictures_become_a_scene_on_its_floor(room):
    stages: list[tuple[str, float]] = []
    scene = CaptureLifter(PLAN).lift(str(room), LiftOptions(quality="draft"), lambda s, f: stages.append((s, f)))
    (body,) = scene.objects
    assert body.provenance == "measured"
    placed = body.world_from_object.apply(body.gaussians.means.numpy())
    heights = placed[body.gaussians.opacities.numpy() > 0.5, 2]
    assert abs(np.quantile(heights, 0.3)) < 0.2  # most of it is floor, and the floor is at zero
    assert scene.spawn is not None
    assert 0.5 < scene.spawn.eye[2] < 4
    assert "that training never saw" in scene.notes[0]
    assert [f for _, f in stages] == sorted(f for _, f in stages)
    assert stages[-1][1] == 1.0
    frame = render_scene(scene, scene.spawn)
    assert frame.alpha.mean() > 0.5
    again = CaptureLifter(PLAN).lift(str(room), LiftOptions(quality="draft"))
    assert torch.equal(again.objects[0].gaussians.means, body.gaussians.means)


def test_folders_files_and_videos_find_their_lifter(room, tmp_path):
    assert isinstance(lifter_for(str(room)), CaptureLifter)
    assert isinstance(lifter_for(str(room / "transforms.json")), CaptureLifter)
    (tmp_path / "clip.MP4").write_bytes(b"")
    assert is_capture(tmp_path / "clip.MP4")
    (tmp_path / "photos").mkdir()
    with pytest.raises(LiftError, match=r"neither pictures nor a meta\.json"):
        lifter_for(str(tmp_path / "photos"))
    (tmp_path / "photos" / "a.jpg").write_bytes(b"")
    assert isinstance(lifter_for(str(tmp_path / "photos")), CaptureLifter)
    assert not isinstance(lifter_for(str(tmp_path / "photos" / "a.jpg")), CaptureLifter)


def test_too_few_views_are_refused_with_the_number(room, tmp_path):
    meta = json.loads((room / "transforms.json").read_text())
    meta["frames"] = [{**f, "file_path": str(room / f["file_path"])} for f in meta["frames"][:2]]
    (tmp_path / "transforms.json").write_text(json.dumps(meta))
    with pytest.raises(LiftError, match="2 usable views; at least 3"):
        CaptureLifter(PLAN).lift(str(tmp_path))
