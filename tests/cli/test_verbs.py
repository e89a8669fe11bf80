"""The verbs end to end, on a real world, as real processes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .conftest import Run


def test_info_json_is_the_scene_description_and_nothing_else(run: Run, room: Path) -> None:
    told = json.loads(run("info", room, "--json").stdout)
    assert (told["schema"], told["units"], told["up"]) == (1, "m", "+Z")
    mug = next(o for o in told["objects"] if o["category"] == "mug")
    table = next(o for o in told["objects"] if o["id"] == mug["supported_by"])
    assert abs(mug["aabb"][0][2] - table["aabb"][1][2]) < 0.05


def test_edit_undo_redo(run: Run, room: Path) -> None:
    first = run("info", room, "--json").stdout
    assert run("edit", room, "move mug-1 0.05 0 0", "recolor mug-1 green").returncode == 0
    moved = run("info", room, "--json").stdout
    assert json.loads(moved)["revision"] == json.loads(first)["revision"] + 2
    for _ in range(2):
        assert run("history", room, "undo").returncode == 0
    assert run("info", room, "--json").stdout == first
    for _ in range(2):
        assert run("history", room, "redo").returncode == 0
    assert run("info", room, "--json").stdout == moved


def test_a_bad_script_changes_nothing(run: Run, room: Path, tmp_path: Path) -> None:
    first = run("info", room, "--json").stdout
    (tmp_path / "edits.json").write_text(json.dumps(["move mug-1 0.1 0 0", {"op": "recolor", "object": "ghost", "color": "red"}]))
    done = run("edit", room, "edits.json")
    assert done.returncode == 1
    assert "entry 2" in done.stderr
    assert run("info", room, "--json").stdout == first


def test_prediction_stays_on_its_branch_until_committed(run: Run, room: Path, tmp_path: Path) -> None:
    first = run("info", room, "--json").stdout
    done = run("predict", room, "--push", "mug-1", "0.3", "0", "-o", "rollout.npz", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert run("info", room, "--json").stdout == first
    with np.load(tmp_path / "rollout.npz", allow_pickle=False) as rollout:
        k = list(rollout["object_ids"]).index("mug-1")
        assert np.linalg.norm(rollout["poses"][-1, k, :2] - rollout["poses"][0, k, :2]) > 0.1
        assert str(rollout["backend"]) == told["backend"]
    assert told["branch"] in json.loads(run("history", room, "--json").stdout)["branches"]
    assert run("predict", room, "--push", "mug-1", "0.3", "0", "--commit").returncode == 0
    assert run("info", room, "--json").stdout != first


def test_render_export_and_check(run: Run, room: Path, tmp_path: Path) -> None:
    assert run("render", room, "-o", "a.png", "--size", "160x90").returncode == 0
    assert run("render", room, "--orbit", "--seconds", "0.2", "-o", "a.mp4", "--size", "160x90").returncode == 0
    assert run("export", room, "-o", "a.glb", "-o", "a.ply", "-o", "a.spz").returncode == 0
    for name in ("a.png", "a.mp4", "a.glb", "a.ply", "a.spz"):
        assert (tmp_path / name).stat().st_size > 500
    assert run("check", room).returncode == 0
    assert run("create", "a.spz", "-o", "again.world").returncode == 0


def test_one_seed_gives_one_world(run: Run) -> None:
    told = []
    for name in ("a.world", "b.world"):
        done = run("create", "a chair and a lamp in a room", "-o", name, "--quality", "draft", "--seed", "3", "--json")
        told.append({k: v for k, v in json.loads(done.stdout).items() if k not in ("world", "seconds")})
    assert told[0] == told[1]


def test_doctor_reports_every_dependency(run: Run) -> None:
    rows = {r["name"]: r for r in json.loads(run("doctor", "--json").stdout)["checks"]}
    assert {"python", "torch", "numba", "mujoco", "gpu"} <= rows.keys()
    assert rows["torch"]["ok"]
