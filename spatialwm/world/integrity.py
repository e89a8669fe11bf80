"""Is a world sound? Every checksum and every reference, and what nothing refers to."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spatialwm.errors import WorldError
from spatialwm.world.blobs import BlobStore
from spatialwm.world.database import FILE_NAME, one_line_errors, open_database
from spatialwm.world.migrate import upgrade


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found."""

    problems: tuple[str, ...]
    """Damage, one line each; empty for a sound world."""
    notes: tuple[str, ...] = ()
    """Harmless remains, such as the blobs of a commit that was cut short."""
    revisions: int = 0
    blobs: int = 0


def check_world(path: str | os.PathLike[str]) -> Report:
    """Verify a world on disk without changing it; a world too damaged to open is a report too, not an error."""
    folder = Path(os.path.abspath(path))
    try:
        if not (folder / FILE_NAME).is_file():
            raise WorldError(f"{folder} is not a world: it should hold {FILE_NAME} and blobs/")
        with one_line_errors(folder):
            database = open_database(folder / FILE_NAME, read_only=True)
            try:
                upgrade(database)
                return inspect(database.sql, BlobStore(folder / "blobs"))
            finally:
                database.close()
    except WorldError as error:
        return Report((str(error),))


def inspect(sql: sqlite3.Connection, blobs: BlobStore) -> Report:
    """Verify an open world."""
    damage = [f"{FILE_NAME}: {line}" for (line,) in sql.execute("PRAGMA integrity_check") if line != "ok"]
    if damage:
        return Report(tuple(damage))
    problems = [
        f"{FILE_NAME}: row {row} of {table} refers to a missing row of {parent}"
        for table, row, parent, _ in sql.execute("PRAGMA foreign_key_check")
    ]
    records = dict(sql.execute("SELECT hash, body FROM records"))
    for digest, body in records.items():
        if hashlib.sha256(body.encode()).hexdigest() != digest:
            problems.append(f"record {digest} is damaged: its text does not match its hash")
    if sql.execute("SELECT count(*) FROM current").fetchone()[0] != 1:
        problems.append(f"{FILE_NAME}: no current branch")
    objects, wanted = set[str](), set[str]()
    for text, where in _documents(sql, problems):
        for kind, digest in _references(text):
            (objects if kind == "$object" else wanted).add(digest)
            if kind == "$object" and digest not in records:
                problems.append(f"{where} refers to record {digest}, which is missing")
    problems += [p for digest in sorted(wanted) if (p := blobs.problem(digest))]
    notes = [f"blobs/{p.name} is not used by any revision; `gc` removes it" for p in blobs.strays(wanted)]
    revisions = sql.execute("SELECT count(*) FROM revisions").fetchone()[0]
    return Report(tuple(dict.fromkeys(problems)), tuple(notes), revisions, len(wanted))


def collect_garbage(sql: sqlite3.Connection, blobs: BlobStore, grace_s: float) -> int:
    """Delete stray files older than ``grace_s``; the caller holds the write lock. Returns the bytes freed."""
    unreadable: list[str] = []
    wanted = {digest for text, _ in _documents(sql, unreadable) for kind, digest in _references(text) if kind == "$blob"}
    if unreadable:
        raise WorldError(f"the world is damaged, so nothing was deleted: {unreadable[0]}")
    return blobs.remove(blobs.strays(wanted), grace_s)


def _documents(sql: sqlite3.Connection, problems: list[str]) -> Generator[tuple[Any, str]]:
    """All JSON that may hold references, with where it stands; unreadable JSON is a problem."""
    queries = {
        "record": "SELECT hash, body FROM records",
        "command of revision": "SELECT id, command FROM revisions WHERE is_edit",
    }
    for what, query in queries.items():
        for key, text in sql.execute(query):
            try:
                yield json.loads(text), f"{what} {key}"
            except ValueError:
                problems.append(f"{what} {key} is not readable JSON")
    for revision, name, blob in sql.execute("SELECT revision, name, blob FROM attachments"):
        yield {"$blob": blob}, f"attachment {name!r} of revision {revision}"


def _references(document: Any) -> Generator[tuple[str, str]]:
    if isinstance(document, dict):
        for key, value in document.items():
            if key in ("$object", "$blob") and isinstance(value, str):
                yield key, value
            else:
                yield from _references(value)
    elif isinstance(document, list):
        for value in document:
            yield from _references(value)
