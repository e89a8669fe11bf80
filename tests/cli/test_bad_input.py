"""Every bad input ends in one clear line, a non-zero exit, and nothing written or lost."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Run


def refused(done: subprocess.CompletedProcess[str], *fragments: str) -> None:
    """One line on stderr that holds every fragment, nothing on stdout, exit status neither 0 nor a crash."""
    assert done.returncode in (1, 2), (done.returncode, done.stderr)
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for fragment in fragments:
        assert fragment.lower() in lines[0].lower(), lines[0]


def untouched(folder: Path, *expected: str) -> None:
    """Nothing was left behind."""
    assert sorted(p.name for p in folder.iterdir()) == sorted(expected)


def test_empty_prompt(run: Run, tmp_path: Path) -> None:
    refused(run("create", "   ", "-o", "x.world"), "empty")
    untouched(tmp_path)


def test_ten_thousand_word_prompt(run: Run, tmp_path: Path) -> None:
    refused(run("create", "sofa " * 10_000, "-o", "x.world"), "10000 words", "400")
    untouched(tmp_path)


def test_negative_seed(run: Run, tmp_path: Path) -> None:
    refused(run("create", "a chair", "-o", "x.world", "--seed", "-1"), "seed", "-1")
    untouched(tmp_path)


def test_unknown_words_make_a_world_and_are_reported(run: Run) -> None:
    done = run("create", "a glorbnak beside two frumples", "-o", "x.world", "--quality", "draft", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["gaussians"] > 1000
    assert any("glorbnak" in w for w in told["unrecognized"])
    assert any("frumple" in w for w in told["unrecognized"])


def test_missing_file(run: Run, tmp_path: Path) -> None:
    refused(run("create", "missing.ply", "-o", "x.world"), "missing.ply", "no such file")
    untouched(tmp_path)


def test_directory_for_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder.ply").mkdir()
    refused(run("create", "folder.ply", "-o", "x.world"), "folder")
    untouched(tmp_path, "folder.ply")


@pytest.mark.parametrize("keep", [0, 3, 100, 400, -7])
def test_truncated_splats(run: Run, tmp_path: Path, small_splats: Path, keep: int) -> None:
    (tmp_path / "cut.ply").write_bytes(small_splats.read_bytes()[:keep])
    refused(run("create", "cut.ply", "-o", "x.world"), "cut.ply")
    untouched(tmp_path, "cut.ply")


def test_two_to_the_31_splats(run: Run, tmp_path: Path, small_splats: Path) -> None:
    data = small_splats.read_bytes().replace(b"element vertex 200", b"element vertex 2147483648")
    (tmp_path / "huge.ply").write_bytes(data)
    refused(run("create", "huge.ply", "-o", "x.world"), "2147483648")
    untouched(tmp_path, "huge.ply")


def test_zip_bomb(run: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.sog", "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("meta.json", b"0" * 200_000_000)
    refused(run("create", "bomb.sog", "-o", "x.world"), "bomb.sog")
    untouched(tmp_path, "bomb.sog")


def test_all_values_nan(run: Run, tmp_path: Path, small_splats: Path) -> None:
    data = small_splats.read_bytes()
    start = data.index(b"end_header\n") + len(b"end_header\n")
    nan = struct.pack("<f", float("nan"))
    (tmp_path / "nan.ply").write_bytes(data[:start] + nan * ((len(data) - start) // 4))
    refused(run("create", "nan.ply", "-o", "x.world"), "nan.ply")
    untouched(tmp_path, "nan.ply")


@pytest.mark.parametrize(
    "command", ["move mug-1 nan 0 0", "move mug-1 inf 0 0", "scale mug-1 0", "scale mug-1 nan", "rotate mug-1 5 0 0 0"]
)
def test_edits_with_impossible_numbers(run: Run, room: Path, command: str) -> None:
    before = run("info", room, "--json").stdout
    refused(run("edit", room, command), "got" if "rotate" not in command else "axis")
    assert run("info", room, "--json").stdout == before


def test_unknown_object_id(run: Run, room: Path) -> None:
    refused(run("edit", room, "delete unicorn-1"), "unicorn-1", "mug-1")
    refused(run("predict", room, "--push", "unicorn-1", "1", "0"), "unicorn-1")


def test_unknown_command_and_usage(run: Run, room: Path) -> None:
    refused(run("edit", room, "teleport mug-1"), "teleport", "move ID")
    refused(run("render", room, "-o", "x.gif"), ".png")
    refused(run("export", room, "-o", "x.docx"), ".glb")
    refused(run("render", room), "--out")


def test_world_of_a_newer_schema(run: Run, room: Path) -> None:
    with sqlite3.connect(room / "world.sqlite") as db:
        db.execute("PRAGMA user_version = 999")
    refused(run("info", room), "newer")


def test_not_a_world(run: Run, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    refused(run("info", "plain"), "plain")
    refused(run("info", "absent.world"), "absent.world")


def test_existing_world_is_not_overwritten(run: Run, room: Path) -> None:
    before = run("info", room, "--json").stdout
    refused(run("create", "a chair", "-o", room), "--overwrite")
    assert run("info", room, "--json").stdout == before


def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A small file system of its own."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """2 MB."""
    yield from mounted(tmp_path / "tiny", "2m")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Room for a world."""
    yield from mounted(tmp_path / "disk", "200m")


def test_read_only_world(run: Run, room: Path, disk: Path) -> None:
    world = shutil.copytree(room, disk / "room.world")
    before = run("info", world, "--json").stdout
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert run("info", world, "--json").stdout == before
    refused(run("edit", world, "delete mug-1"), "room.world", "read")
    refused(run("create", "a chair", "-o", disk / "new.world"), "read-only")
    assert run("render", world, "-o", "a.png", "--size", "64x36").returncode == 0


def test_full_disk(run: Run, tiny_disk: Path, room: Path) -> None:
    refused(run("create", "a sofa in a room", "-o", tiny_disk / "x.world", "--quality", "draft"), "space")
    refused(run("export", room, "-o", tiny_disk / "x.ply"), "space")
    untouched(tiny_disk)


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "spatialwm.cli", "create", "a living room with a sofa", "-o", "x.world", "--quality", "high"]
    # What runs in the background of a shell is started deaf to Ctrl-C, and so are its children.
    child = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    )
    time.sleep(6)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    assert said.strip().splitlines()[-1].startswith("spatialwm: interrupted")
    untouched(tmp_path)
