"""Worlds of older and newer schemas: raised with a backup, or refused without being touched."""

from __future__ import annotations

import hashlib
import json
import sqlite3

import pytest

from spatialwm.errors import WorldError
from spatialwm.scene import edits
from spatialwm.world import World, check_world
from spatialwm.world.database import FIRST_SCHEMA, open_database
from spatialwm.world.migrate import MIGRATIONS, upgrade

LATER_FIELDS = ("notes",)
"""Of a scene, added since the first schema: records without them stand for their defaults, so no table changes."""


def add_pins(sql):
    sql.execute("ALTER TABLE revisions ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0")


def pin_the_first(sql):
    sql.execute("UPDATE revisions SET pinned = 1 WHERE id = 1")


def fail(sql):
    sql.execute("UPDATE branches SET head = 1")
    raise sqlite3.OperationalError("database or disk is full")


@pytest.fixture
def database(world):
    """A world with commits that are still in the write-ahead log."""
    world.apply(edits.Rename("mug-1", "Erna"))
    opened = open_database(world.path / "world.sqlite", read_only=False)
    yield opened
    opened.close()


def test_all_steps_run_in_order_after_a_backup(database, world):
    upgrade(database, (add_pins, pin_the_first))
    assert database.schema() == FIRST_SCHEMA + 2
    assert database.sql.execute("SELECT id, pinned FROM revisions").fetchall() == [(1, 1), (2, 0)]
    with sqlite3.connect(world.path / "world.sqlite.v1") as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (1,)
        assert backup.execute("SELECT count(*) FROM revisions").fetchone() == (2,)
    backup.close()
    upgrade(database, (add_pins, pin_the_first))
    assert database.schema() == FIRST_SCHEMA + 2


def test_a_step_that_fails_leaves_the_world_as_it_was(database, world, scene):
    with pytest.raises(sqlite3.OperationalError):
        upgrade(database, (add_pins, fail))
    assert database.schema() == FIRST_SCHEMA
    assert world.scene(1).same_as(scene)
    assert world.head.id == 2
    assert world.check() == []


def test_an_older_world_opened_to_read_is_not_raised_but_explained(world):
    reader = open_database(world.path / "world.sqlite", read_only=True)
    with pytest.raises(WorldError, match="older schema 1; open it once for writing"):
        upgrade(reader, (add_pins,))
    reader.close()


def test_a_world_of_a_newer_schema_is_refused_in_one_line_and_not_touched(world):
    newer = FIRST_SCHEMA + len(MIGRATIONS) + 1
    world.close()
    with sqlite3.connect(world.path / "world.sqlite") as sql:
        sql.execute(f"PRAGMA user_version = {newer}")
    sql.close()
    before = {p.name: p.stat().st_size for p in world.path.iterdir()}
    for read_only in (False, True):
        with pytest.raises(WorldError, match=f"schema {newer} but this program knows up to {newer - 1}; upgrade") as caught:
            World.open(world.path, read_only=read_only)
        assert "\n" not in str(caught.value)
    assert "upgrade spatialwm" in check_world(world.path).problems[0]
    after = {p.name: p.stat().st_size for p in world.path.iterdir() if not p.name.endswith(("-wal", "-shm"))}
    assert after == {name: size for name, size in before.items() if not name.endswith(("-wal", "-shm"))}


def test_a_world_from_before_later_fields_opens_as_it_was_even_to_read(world, scene):
    world.close()
    with sqlite3.connect(world.path / "world.sqlite") as sql:
        (old,) = sql.execute("SELECT scene FROM revisions").fetchone()
        (body,) = sql.execute("SELECT body FROM records WHERE hash = ?", (old,)).fetchone()
        kept = {k: v for k, v in json.loads(body).items() if k not in LATER_FIELDS}
        body = json.dumps(kept, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(body.encode()).hexdigest()
        sql.execute("INSERT INTO records(hash, body) VALUES (?, ?)", (digest, body))
        sql.execute("UPDATE revisions SET scene = ?", (digest,))
    sql.close()
    with World.open(world.path, read_only=True) as reader:
        assert reader.scene().notes == ()
        assert reader.scene()["mug-1"].same_as(scene["mug-1"])
    with World.open(world.path) as again:
        again.apply(edits.Rename("mug-1", "Erna"))
        assert again.replay().same_as(again.scene())
    assert not [p for p in check_world(world.path).problems]
