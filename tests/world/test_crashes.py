"""Killed at any instant a world reopens at its last committed revision; many writers at once lose nothing."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from spatialwm.errors import StaleRevisionError, WorldError
from spatialwm.scene import edits
from spatialwm.world import World, check_world

PROGRAM = Path(__file__).with_name("committer.py")
SPEC = importlib.util.spec_from_file_location("committer", PROGRAM)
assert SPEC is not None
assert SPEC.loader is not None
committer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(committer)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def start_program():
    running = []

    def start():
        program = subprocess.Popen([sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(program)
        return program

    yield start
    for program in running:
        program.stdin.close()
        program.wait(timeout=30)


def ask(program, path, log, seed, count):
    program.stdin.write(f"{path}\t{log}\t{seed}\t{count}\n")
    program.stdin.flush()
    return int(program.stdout.readline())


def kill_at_random_instants(kills, path, program, fingerprint):
    """Returns how many revisions there are in the end, and how many kills left a blob that nothing names."""
    log = path.with_suffix(".log")
    World.create(path, committer.cloud(0), command={"op": "cloud", "seed": 0}).close()
    log.write_text("1\n")
    rng = random.Random(kills)
    interrupted = 0
    for _ in range(kills):
        child = ask(program, path, log, rng.randrange(2**31), 10**9)
        # Some while it opens, most among its first commits, however busy this machine is.
        enough = log.stat().st_size + rng.choice((0, 1, 1, 10))
        while log.stat().st_size < enough:
            time.sleep(0.001)
        time.sleep(rng.uniform(0.0, 0.03))
        os.kill(child, signal.SIGKILL)
        assert program.stdout.readline() == "ended\n"
        acknowledged = int(log.read_text().split()[-1])
        with World.open(path) as world:
            head = world.head
            assert head.id in (acknowledged, acknowledged + 1), "every acknowledged commit is there, and at most one more"
            assert fingerprint(world.replay()) == fingerprint(world.scene())
            if head.op == "cloud":
                assert fingerprint(world.scene()) == fingerprint(committer.cloud(head.command["seed"]))
            report = check_world(path)
            assert report.problems == ()
            assert report.revisions == head.id
            interrupted += bool(report.notes)
            world.gc(grace_s=0.0)
            assert check_world(path).notes == ()
        with log.open("a") as file:
            file.write(f"{head.id}\n")
    return head.id, interrupted


def test_killed_at_random_instants_it_reopens_at_the_last_committed_revision(tmp_path, start_program, fingerprint):
    revisions, _ = kill_at_random_instants(25, tmp_path / "a.world", start_program(), fingerprint)
    assert revisions > 25


@pytest.mark.slow
def test_killed_a_hundred_times_it_reopens_at_the_last_committed_revision(tmp_path, start_program, fingerprint):
    revisions, interrupted = kill_at_random_instants(100, tmp_path / "a.world", start_program(), fingerprint)
    print(f"100 kills, {revisions} revisions, {interrupted} kills between a blob and its commit")
    assert revisions > 100
    assert interrupted > 0, "no kill fell between writing a blob and committing it; the test did not try what it should"


def test_programs_that_commit_at_once_lose_nothing(tmp_path, start_program, fingerprint):
    path = tmp_path / "a.world"
    World.create(path, committer.cloud(0)).close()
    programs = [start_program() for _ in range(3)]
    logs = [tmp_path / f"{i}.log" for i in range(3)]
    for i, program in enumerate(programs):
        ask(program, path, logs[i], i, 20)
    with World.open(path, read_only=True) as reader:
        seen = [reader.head.id]
        while seen[-1] < 61:
            seen.append(reader.head.id)
            reader.scene()
            time.sleep(0.01)
        assert seen == sorted(seen)
    for program in programs:
        assert program.stdout.readline() == "ended\n"
    acknowledged = [int(line) for log in logs for line in log.read_text().split()]
    assert sorted(acknowledged) == list(range(2, 62)), "each commit got its own revision"
    with World.open(path) as world:
        assert [r.id for r in world.lineage()] == list(range(1, 62)), "and stands on the one before it"
        assert fingerprint(world.replay()) == fingerprint(world.scene())
        assert world.check() == []


def test_another_program_s_commit_is_seen_at_once_and_makes_a_base_stale(world):
    with World.open(world.path) as other:
        mine = world.apply(edits.Rename("mug-1", "mine"), base=1)
        assert other.head == mine
        with pytest.raises(StaleRevisionError, match="revision 1 is not the head of branch 'main', which stands at 2"):
            other.apply(edits.Rename("mug-1", "theirs"), base=1)
        assert other.apply(edits.Rename("mug-1", "theirs"), base=2).parent == 2
        assert world.undo() == other.head == mine
        assert other.redo() == world.head


def test_threads_may_share_a_world(world):
    def rename(i):
        for j in range(5):
            world.apply(edits.Rename(f"mug-{i}", f"name {j}"))
            world.scene()

    threads = [threading.Thread(target=rename, args=(i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.lineage()) == 21
    assert [world.scene()[f"mug-{i}"].name for i in range(1, 5)] == ["name 4"] * 4


def test_a_writer_that_waits_too_long_says_who_is_in_the_way(world, monkeypatch):
    monkeypatch.setattr("spatialwm.world.database.BUSY_TIMEOUT_S", 0.05)
    with World.open(world.path) as other, world._writing():
        assert other.scene().same_as(world.scene()), "readers do not wait"
        with pytest.raises(WorldError, match="another program has been writing"):
            other.apply(edits.Rename("mug-1", "x"))


def test_a_commit_survives_a_collection_with_no_grace_between_its_blob_and_its_transaction(world, make_object, monkeypatch):
    sync = world._blobs.sync
    collected = []

    def sync_then_collect():
        sync()
        if not collected:
            with World.open(world.path) as other:
                collected.append(other.gc(grace_s=0.0))

    monkeypatch.setattr(world._blobs, "sync", sync_then_collect)
    world.apply(edits.Insert(make_object(np.random.default_rng(9), "late-1")))
    assert collected[0] > 0
    assert world.check() == []
