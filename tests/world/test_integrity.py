"""Damage of every kind is found and named; what crashes leave is a note and can be swept up."""

from __future__ import annotations

import os
import sqlite3
import time

import pytest

from spatialwm.errors import WorldError
from spatialwm.scene import edits
from spatialwm.world import World, check_world


@pytest.fixture
def closed(world):
    """A sound world with some history, and the blob of one object of its head."""
    world.apply(edits.Recolor("mug-1", "red"))
    world.apply(edits.Duplicate("mug-2"))
    world.put_attachment(2, "rollout", {"poses": world.scene()["mug-1"].gaussians.means.numpy()}, {})
    world.close()
    return world.path


def some_blob(path, index=0):
    return sorted((path / "blobs").iterdir())[index]


def change(path, statement):
    with sqlite3.connect(path / "world.sqlite") as sql:
        sql.execute(statement)
        assert sql.total_changes > 0
    sql.close()


def test_a_sound_world_has_neither_problems_nor_notes(closed):
    report = check_world(closed)
    assert (report.problems, report.notes, report.revisions) == ((), (), 3)
    assert report.blobs == len(list((closed / "blobs").iterdir()))


def test_any_flipped_bit_of_any_blob_is_found_and_never_read_as_truth(closed):
    for index in range(len(list((closed / "blobs").iterdir()))):
        blob = some_blob(closed, index)
        sound = blob.read_bytes()
        at = (index * 977) % len(sound)
        blob.write_bytes(sound[:at] + bytes([sound[at] ^ 0x10]) + sound[at + 1 :])
        (problem,) = check_world(closed).problems
        assert blob.name in problem
        assert "damaged" in problem
        blob.write_bytes(sound)
    blob.write_bytes(sound[:-1])
    assert "damaged" in check_world(closed).problems[0]


def test_reading_a_damaged_or_missing_blob_names_it_and_the_rest_still_reads(closed):
    blobs = {p: p.read_bytes() for p in (closed / "blobs").iterdir()}
    for blob in blobs:
        blob.write_bytes(bytes(100))
    with World.open(closed) as world, pytest.raises(WorldError, match=r"[0-9a-f]{64}.safetensors is damaged"):
        world.scene()
    for blob in blobs:
        blob.unlink()
    with World.open(closed) as world:
        with pytest.raises(WorldError, match=r"[0-9a-f]{64}.safetensors is missing"):
            world.scene()
        assert world.head.id == 3
    assert len(check_world(closed).problems) == len(blobs)
    for blob, data in blobs.items():
        blob.write_bytes(data)
    assert check_world(closed).problems == ()


def test_writing_the_same_content_again_mends_a_damaged_blob(closed, scene):
    for blob in (closed / "blobs").iterdir():
        blob.write_bytes(bytes(blob.stat().st_size))
    with World.open(closed) as world:
        world.commit(scene, {"op": "create"})
    with World.open(closed) as world:
        assert world.scene().same_as(scene)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE records SET body = replace(body, 'mug', 'cup')", "text does not match its hash"),
        ("DELETE FROM records WHERE body LIKE '%\"mug-3\"%'", "is missing"),
        ("DELETE FROM records WHERE body LIKE '%environment%'", "missing row of records"),
        ("UPDATE branches SET head = 99", "missing row of revisions"),
        ("DELETE FROM current", "no current branch"),
        ("UPDATE revisions SET command = '{' WHERE id = 2", "command of revision 2 is not readable JSON"),
        ("UPDATE attachments SET blob = 'abc'", "blob abc.safetensors is missing"),
    ],
)
def test_damage_in_the_tables_is_named(closed, statement, said):
    change(closed, statement)
    assert any(said in problem for problem in check_world(closed).problems)


def test_a_changed_record_is_never_read_as_truth(closed):
    change(closed, "UPDATE records SET body = replace(body, 'mug', 'cup')")
    with World.open(closed) as world, pytest.raises(WorldError, match="damaged"):
        world.scene()


def test_a_garbled_database_is_one_clear_problem(closed):
    file = closed / "world.sqlite"
    data = bytearray(file.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    file.write_bytes(data)
    problems = check_world(closed).problems
    assert problems
    assert all("world.sqlite" in p and "\n" not in p for p in problems)
    with pytest.raises(WorldError, match="damaged"), World.open(closed) as world:
        world.scene()
    file.write_bytes(data[:5000])
    assert check_world(closed).problems


def test_garbage_is_noted_collected_after_its_grace_and_nothing_else_is(closed):
    kept = {p.name for p in (closed / "blobs").iterdir()}
    orphan = closed / "blobs" / f"{'0' * 64}.safetensors"
    partial = closed / "blobs" / ".partial-1-abc"
    for stray in (orphan, partial):
        stray.write_bytes(bytes(1000))
    report = check_world(closed)
    assert report.problems == ()
    assert [orphan.name in n or partial.name in n for n in report.notes] == [True, True]
    with World.open(closed) as world:
        assert world.gc() == 0, "young files may belong to a commit that is under way"
        old = time.time() - 3600
        os.utime(orphan, (old, old))
        assert world.gc() == 1000
        assert world.gc(grace_s=0.0) == 1000
    assert {p.name for p in (closed / "blobs").iterdir()} == kept
    assert check_world(closed).notes == ()


def test_an_attachment_that_was_replaced_is_garbage(closed):
    with World.open(closed) as world:
        tensors, _ = world.get_attachment(2, "rollout")
        world.put_attachment(2, "rollout", {"poses": tensors["poses"] + 1}, {})
        assert world.gc(grace_s=0.0) > tensors["poses"].nbytes
        assert world.check() == []


def test_nothing_is_collected_from_a_damaged_world(closed):
    change(closed, "UPDATE revisions SET command = '{' WHERE id = 2")
    before = set((closed / "blobs").iterdir())
    with World.open(closed) as world, pytest.raises(WorldError, match="nothing was deleted"):
        world.gc(grace_s=0.0)
    assert set((closed / "blobs").iterdir()) == before
