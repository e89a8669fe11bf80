"""Raising a world made by an older program to today's schema, with a backup first."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from spatialwm.errors import WorldError
from spatialwm.world.blobs import sync_folder
from spatialwm.world.database import FIRST_SCHEMA, Database, transaction

Migration = Callable[[sqlite3.Connection], None]

MIGRATIONS: tuple[Migration, ...] = ()
"""In order: the first raises schema 1 to 2, the next 2 to 3. Append only; a released one never changes."""


def upgrade(database: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the tables to the newest schema: all steps in one transaction, after a copy to ``world.sqlite.v<old>``.

    Raises:
        WorldError: the world was made by a newer program, or is old and open read-only.
    """
    newest = FIRST_SCHEMA + len(migrations)
    found = database.schema()
    world = database.path.parent
    if found == newest:
        return
    if found > newest:
        raise WorldError(f"world {world} has schema {found} but this program knows up to {newest}; upgrade spatialwm to open it")
    if database.read_only:
        raise WorldError(f"world {world} has the older schema {found}; open it once for writing to bring it to {newest}")
    with transaction(database) as sql:
        found = database.schema()  # Another program may have upgraded it while this one waited for the lock.
        if found < newest:
            _back_up(database.path, database.path.with_name(f"{database.path.name}.v{found}"))
        for version in range(found, newest):
            migrations[version - FIRST_SCHEMA](sql)
            sql.execute(f"PRAGMA user_version = {version + 1}")


def _back_up(source: Path, target: Path) -> None:
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    # A connection of its own, since the caller's holds the write lock; it sees the last committed state.
    reader, writer = sqlite3.connect(source), sqlite3.connect(partial)
    try:
        reader.backup(writer)
    finally:
        reader.close()
        writer.close()
    with open(partial, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, target)
    sync_folder(target.parent)
