"""A lift that was interrupted anywhere goes on where it was, and ends as if it had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from spatialwm import studio
from spatialwm.errors import LiftError
from spatialwm.lift import LiftOptions, Workspace
from spatialwm.lift.capture.lifter import CaptureLifter
from spatialwm.lift.capture.training import Plan, trainer
from spatialwm.lift.capture.unfinished import STAGES, Unfinished, fingerprint
from spatialwm.scene import Scene

PLAN = Plan(seconds=None, steps=60, cap=1500, start_count=1000, levels=((2, 0.5), (1, 1.0)), move_every=10)
DRAFT = LiftOptions(quality="draft")


@pytest.fixture(scope="module")
def scan(room: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, depth and cameras of the room."""
    folder = tmp_path_factory.mktemp("scan")
    frames = []
    for i, camera in enumerate(room.walk(7, 96, 72)):
        rgb, depth = room.look(camera)
        Image.fromarray(rgb).save(folder / f"{i}.png")
        np.save(folder / f"{i}.npy", depth.astype(np.float32))
        matrix = camera.world_from_cam.matrix() @ np.diag([1.0, -1.0, -1.0, 1.0])
        frames.append({"file_path": f"{i}.png", "depth_file_path": f"{i}.npy", "transform_matrix": matrix.tolist()})
    optics = {"fl_x": camera.fx, "fl_y": camera.fy, "cx": camera.cx, "cy": camera.cy, "w": 96, "h": 72}
    (folder / "transforms.json").write_text(json.dumps({**optics, "depth_unit_scale_factor": 1.0, "frames": frames}))
    return folder


@pytest.fixture(scope="module")
def whole(scan: Path) -> Scene:
    return CaptureLifter(PLAN).lift(str(scan), DRAFT)


@pytest.fixture(autouse=True)
def _checkpoints_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "CHECKPOINT_EVERY_S", 0.0)


class Run:
    """One lift that notes what it went through, stopped at a stage when asked."""

    def __init__(self, scan: Path, folder: Path, stop_at: str = "", after: float = 0.0) -> None:
        self.stages: list[str] = []
        self.said: list[str] = []
        self.scene: Scene | None = None

        def progress(stage: str, fraction: float) -> None:
            self.stages.append(stage.partition(",")[0])
            if stop_at and stage.startswith(stop_at) and fraction >= after:
                raise KeyboardInterrupt

        workspace = Workspace(folder=folder, say=self.said.append)
        try:
            self.scene = CaptureLifter(PLAN).lift(str(scan), DRAFT, progress, workspace)
        except KeyboardInterrupt:
            assert stop_at


def same(a: Scene | None, b: Scene | None) -> bool:
    assert a is not None
    assert b is not None
    x, y = a.objects[0].gaussians, b.objects[0].gaussians
    return torch.equal(x.means, y.means) and torch.equal(x.sh, y.sh) and a.notes == b.notes and a.scale == b.scale


@pytest.mark.parametrize(
    ("stop_at", "after", "not_again"),
    [
        ("reading pictures", 0.1, ()),
        ("choosing start points", 0.0, ("reading pictures",)),
        ("finding the floor", 0.0, ("reading pictures", "choosing start points")),
        ("training", 0.7, ("reading pictures", "choosing start points")),
        ("finishing", 1.0, ("reading pictures", "choosing start points", "training")),
    ],
)
def test_stopped_anywhere_it_goes_on_and_ends_the_same(
    scan: Path, whole: Scene, tmp_path: Path, stop_at: str, after: float, not_again: tuple[str, ...]
) -> None:
    stopped = Run(scan, tmp_path / "w", stop_at, after)
    assert stopped.scene is None
    again = Run(scan, tmp_path / "w")
    assert not set(not_again) & set(again.stages), again.said
    assert any("going on with the unfinished work" in s for s in again.said) == bool(not_again)
    assert same(again.scene, whole)


DAMAGE: list[Callable[[bytes], bytes]] = [lambda b: b[: len(b) // 2], lambda b: os.urandom(len(b)), lambda b: b""]


@pytest.mark.parametrize(("stage", "damage"), list(zip(STAGES, DAMAGE, strict=True)))
def test_damaged_leftovers_cost_only_what_they_held(
    scan: Path, whole: Scene, tmp_path: Path, stage: str, damage: Callable[[bytes], bytes]
) -> None:
    Run(scan, tmp_path / "w", "training", 0.7)
    (file,) = (tmp_path / "w").rglob(f"{stage}.safetensors")
    file.write_bytes(damage(file.read_bytes()))
    again = Run(scan, tmp_path / "w")
    assert any("unfinished work was dropped" in s and stage in s for s in again.said)
    assert ("reading pictures" in again.stages) == (stage == "views")
    assert same(again.scene, whole)


def test_other_options_and_other_pictures_drop_what_is_left_with_a_word(scan: Path, tmp_path: Path) -> None:
    Run(scan, tmp_path / "w", "training", 0.5)
    said: list[str] = []
    workspace = Workspace(folder=tmp_path / "w", say=said.append)
    first, second = (CaptureLifter(PLAN).lift(str(scan), LiftOptions(seed=1), workspace=workspace) for _ in range(2))
    assert "of other pictures, other options" in said[0]
    assert ["going on" in s for s in said] == [False, True]
    assert same(first, second)
    assert len([p for p in (tmp_path / "w").iterdir() if p.is_dir()]) == 1


def test_a_fingerprint_follows_files_but_not_worlds_made_beside_them(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"1")
    (tmp_path / "transforms.json").write_text("{}")
    before = fingerprint(tmp_path, 1)
    (tmp_path / "a.world.unfinished").mkdir()
    (tmp_path / "a.world.unfinished" / "views").write_bytes(b"2")
    assert fingerprint(tmp_path, 1) == before
    assert fingerprint(tmp_path, 2) != before
    assert fingerprint(tmp_path / "transforms.json", 1) == fingerprint(tmp_path, 1)
    assert fingerprint(tmp_path / "a.jpg", 1) != before
    os.utime(tmp_path / "a.jpg", ns=(1, 1))
    assert fingerprint(tmp_path, 1) != before


def test_where_nothing_can_be_written_the_lift_goes_on_and_says_so(scan: Path, whole: Scene, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    run = Run(scan, tmp_path / "file" / "w")
    assert same(run.scene, whole)
    assert len([s for s in run.said if "should this be interrupted, it starts anew" in s]) == 1


def test_a_disk_that_fills_up_costs_checkpoints_only(
    scan: Path, whole: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spatialwm.lift.capture.training.checkpoint.save_file", full)
    run = Run(scan, tmp_path / "w")
    assert same(run.scene, whole)
    assert any("No space left" in s for s in run.said)
    assert not list((tmp_path / "w").rglob("training*"))
    assert not list((tmp_path / "w").rglob(".*"))


def test_previews_begin_with_the_start_points_and_look_like_the_scene(scan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "PREVIEW_EVERY_S", 0.0)
    shown: list[Scene] = []
    scene = CaptureLifter(PLAN).lift(str(scan), DRAFT, workspace=Workspace(preview=shown.append))
    assert len(shown) >= 2
    assert 0 < len(shown[0]) <= PLAN.start_count
    assert shown[0].objects[0].world_from_object == scene.objects[0].world_from_object
    assert shown[0].spawn == scene.spawn


def test_the_studio_keeps_the_work_beside_the_world_until_that_is_there(scan: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.world"
    options = LiftOptions(quality="draft", seconds=1)

    def stop(stage: str, fraction: float) -> None:
        if stage == "finding the floor":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        studio.create(str(scan), out, options=options, progress=stop)
    assert studio.unfinished_folder(out) == tmp_path / "a.world.unfinished"
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".unfinished"]
    studio.create(str(scan), out, options=options).close()
    assert [p.name for p in tmp_path.iterdir()] == ["a.world"]


def test_a_source_that_is_refused_leaves_nothing(scan: Path, tmp_path: Path) -> None:
    meta = json.loads((scan / "transforms.json").read_text())
    source = tmp_path / "transforms.json"
    frames = [{**f, "file_path": str(scan / f["file_path"])} for f in meta["frames"][:2]]
    source.write_text(json.dumps({**meta, "frames": frames}))
    with pytest.raises(LiftError, match="2 usable views"):
        studio.create(str(source), tmp_path / "a.world")
    assert [p.name for p in tmp_path.iterdir()] == ["transforms.json"]


def test_of_two_runs_at_once_one_keeps_its_work(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    said: list[str] = []
    with Unfinished(tmp_path / "w", "k", said.append) as first:
        first.keep("views", {"a": np.zeros(3)}, {})
        scratch = first.scratch()
        assert scratch is not None
        (scratch / "frame.jpg").touch()
        with Unfinished(tmp_path / "w", "k", said.append) as second:
            second.keep("views", {"a": np.ones(3)}, {})
            assert second.scratch() is None
        assert (scratch / "frame.jpg").exists()
        assert [s.partition(" in ")[0] for s in said] == ["another run is at work"]
    with Unfinished(tmp_path / "w", "k", said.append) as third:
        kept = third.load("views")
        assert kept is not None
        assert kept[0]["a"].tolist() == [0, 0, 0]
        assert not (scratch / "frame.jpg").exists()  # what a killed run left


@pytest.mark.slow
def test_killed_outright_the_same_command_goes_on(scan: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spatialwm.cli", "create", str(scan), "-o", str(tmp_path / "a.world"), "--seconds", "25"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 200
    while not list(tmp_path.rglob("training.safetensors")) and time.monotonic() < until:
        time.sleep(0.2)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert not (tmp_path / "a.world").exists()
    started = time.monotonic()
    again = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert again.returncode == 0, again.stderr
    assert "going on with the unfinished work" in again.stderr
    assert time.monotonic() - started < 200
    assert [p.name for p in tmp_path.iterdir()] == ["a.world"]


@pytest.mark.slow
def test_ctrl_c_says_that_the_same_command_goes_on(scan: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spatialwm.cli", "create", str(scan), "-o", str(tmp_path / "a.world"), "--seconds", "100"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 200
    while not list(tmp_path.rglob("start.safetensors")) and time.monotonic() < until:
        time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == 130
    assert said.strip().splitlines()[-1] == "spatialwm: interrupted; the same command goes on from a.world.unfinished"
