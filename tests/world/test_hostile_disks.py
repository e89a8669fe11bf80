"""Folders that cannot be written and disks that are full: one clear line, nothing lost, and it opens again."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from spatialwm.errors import WorldError
from spatialwm.scene import Scene, edits
from spatialwm.world import World, check_world

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions and limits")


@contextmanager
def as_ordinary_user():
    """Root ignores permissions; act as nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def locked():
    """A world in a folder that may be read but not written; under /tmp, since other users cannot enter tmp_path."""
    place = Path(tempfile.mkdtemp(prefix="spatialwm-test-"))
    place.chmod(0o755)

    @contextmanager
    def lock(world_path):
        (world_path / "blobs").chmod(0o555)
        world_path.chmod(0o555)
        for file in world_path.glob("world.sqlite*"):
            file.chmod(0o444)
        try:
            with as_ordinary_user():
                yield
        finally:
            world_path.chmod(0o755)
            (world_path / "blobs").chmod(0o755)

    yield place / "locked.world", lock
    shutil.rmtree(place)


def test_a_read_only_folder_opens_to_read_and_says_so_to_writers(locked, scene):
    path, lock = locked
    World.create(path, scene).close()
    with lock(path):
        with pytest.raises(WorldError, match="cannot be written here; open it with read_only=True"):
            World.open(path)
        with World.open(path, read_only=True) as world:
            assert world.scene().same_as(scene)
            assert world.check() == []
            with pytest.raises(WorldError, match="opened read-only"):
                world.apply(edits.Rename("mug-1", "x"))
        assert check_world(path).problems == ()


def test_a_read_only_folder_shows_commits_that_are_still_in_the_log(locked, scene):
    path, lock = locked
    with World.create(path, scene) as writer:
        writer.apply(edits.Rename("mug-1", "in the log"))
        copied = path.with_name("copied.world")
        shutil.copytree(path, copied)  # As a backup of a live world would: the log not yet folded into the main file.
    assert (copied / "world.sqlite-wal").stat().st_size > 0
    (copied / "world.sqlite-shm").unlink()
    with lock(copied), World.open(copied, read_only=True) as world:
        assert world.head.id == 2
        assert world.scene()["mug-1"].name == "in the log"


def test_creating_in_a_read_only_folder_is_refused(locked, scene):
    path, lock = locked
    World.create(path, scene).close()
    with lock(path), pytest.raises(WorldError, match="Permission denied"):
        World.create(path / "inner.world", scene)


def fill(world, make_scene, branch="main"):
    for seed in range(10_000):
        world.commit(make_scene(seed, 2), {"op": "x", "seed": seed}, branch=branch)


@contextmanager
def file_size_limit(size):
    """No file may grow past ``size``: every write beyond fails, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("limit", [0, 300, 5_000, 40_000, 70_000])
def test_no_space_for_a_new_world_leaves_nothing(tmp_path, make_scene, limit):
    with file_size_limit(limit), pytest.raises(WorldError) as caught:
        World.create(tmp_path / "a.world", make_scene(0, 120))
    assert "\n" not in str(caught.value)
    assert "free some space" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_no_space_for_a_commit_loses_nothing(world, make_scene, fingerprint):
    before = fingerprint(world.scene())
    for limit in (0, 1_000, 20_000, 32_768):
        with file_size_limit(limit):
            with pytest.raises(WorldError, match="free some space"):
                fill(world, make_scene, "full")
            acknowledged = world.history()[-1].id
            assert fingerprint(world.scene(1)) == before
        assert world.history()[-1].id == acknowledged
        assert world.check() == []
    assert world.commit(make_scene(1, 2), {"op": "x"}).id > 1
    world.close()
    with World.open(world.path) as again:
        assert again.check() == []
        assert fingerprint(again.scene(1)) == before


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small tmpfs is not permitted here; the file size limit covers the same errors")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_loses_nothing(small_disk, make_scene, fingerprint):
    with World.create(small_disk / "a.world", make_scene(0)) as world:
        with pytest.raises(WorldError, match="free some space"):
            fill(world, make_scene)
        with pytest.raises(WorldError, match="free some space"):
            world.put_attachment(1, "big", {"x": np.zeros(3_000_000)}, {})
        with pytest.raises(WorldError):
            World.create(small_disk / "b.world", make_scene(0, 100))
        assert [p.name for p in small_disk.iterdir()] == ["a.world"]
        last = world.head
        assert last.id > 10
        assert world.check() == []
    with World.open(small_disk / "a.world", read_only=True) as again:
        assert again.head == last
        assert fingerprint(again.scene()) == fingerprint(make_scene(last.command["seed"], 2))
        assert again.check() == []
    report = check_world(small_disk / "a.world")
    assert (report.problems, report.revisions) == ((), last.id)


def test_a_disk_that_has_space_again_goes_on(small_disk, make_scene):
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1_200_000))
    with World.create(small_disk / "a.world", Scene()) as world:
        with pytest.raises(WorldError, match="free some space"):
            fill(world, make_scene)
        count = len(world.history())
        filler.unlink()
        world.commit(make_scene(1), {"op": "x"})
        world.gc(grace_s=0.0)
        assert len(world.history()) == count + 1
        assert check_world(world.path).notes == ()
