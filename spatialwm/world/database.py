"""The SQLite file of a world: its tables, how it is opened, and what its errors mean to a user."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from spatialwm.errors import WorldError

FILE_NAME = "world.sqlite"
APPLICATION_ID = 0x5357_4C44
"""``SWLD``, in the header of the file: tells a world from any other SQLite database."""
FIRST_SCHEMA = 1
BUSY_TIMEOUT_S = 30.0

TABLES = """
CREATE TABLE records (      -- scenes and objects as JSON under the hash of their text
    hash TEXT PRIMARY KEY,
    body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE revisions (    -- a tree; rows are never changed or deleted
    id INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES revisions(id),
    branch TEXT NOT NULL,
    scene TEXT NOT NULL REFERENCES records(hash),
    command TEXT NOT NULL,
    is_edit INTEGER NOT NULL,
    author TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE TABLE branches (     -- the cursor of each branch
    name TEXT PRIMARY KEY,
    head INTEGER NOT NULL REFERENCES revisions(id)
) WITHOUT ROWID;
CREATE TABLE left_children (  -- where redo leads, for each branch
    branch TEXT NOT NULL REFERENCES branches(name),
    revision INTEGER NOT NULL REFERENCES revisions(id),
    child INTEGER NOT NULL REFERENCES revisions(id),
    PRIMARY KEY (branch, revision)
) WITHOUT ROWID;
CREATE TABLE current (      -- one row: the branch that edits go to
    id INTEGER PRIMARY KEY CHECK (id = 1),
    branch TEXT NOT NULL REFERENCES branches(name)
);
CREATE TABLE attachments (
    revision INTEGER NOT NULL REFERENCES revisions(id),
    name TEXT NOT NULL,
    blob TEXT NOT NULL,
    meta TEXT NOT NULL,
    PRIMARY KEY (revision, name)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Database:
    """An open connection in autocommit mode; :func:`transaction` groups writes."""

    sql: sqlite3.Connection
    path: Path
    read_only: bool
    inode: int
    copy: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Close the connection and drop the private copy, if one was needed."""
        self.sql.close()
        if self.copy is not None:
            self.copy.cleanup()

    def check_present(self) -> None:
        """Refuse to go on when the folder was replaced: a commit would go to a deleted file and vanish.

        Raises:
            WorldError: the path holds another file now, or none.
        """
        try:
            same = self.path.stat().st_ino == self.inode
        except FileNotFoundError:
            same = False
        if not same:
            raise WorldError(f"world {self.path.parent} was replaced or removed while it was open; open it again")

    def check_writable(self) -> None:
        """Refuse to write what was opened to read, or is gone.

        Raises:
            WorldError: says which.
        """
        if self.read_only:
            raise WorldError(f"world {self.path.parent} was opened read-only; open it for writing to change it")
        self.check_present()

    def schema(self) -> int:
        """The version of the tables."""
        return int(self.sql.execute("PRAGMA user_version").fetchone()[0])


def create_tables(path: Path) -> None:
    """A new, empty database file of the first schema."""
    sql = sqlite3.connect(path, isolation_level=None)
    try:
        sql.execute("PRAGMA journal_mode = WAL")
        sql.execute("PRAGMA synchronous = FULL")
        sql.executescript(TABLES)
        sql.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        sql.execute(f"PRAGMA user_version = {FIRST_SCHEMA}")
    finally:
        sql.close()


def open_database(path: Path, *, read_only: bool) -> Database:
    """Connect to an existing database file.

    Raises:
        WorldError: it is not the database of a world, or cannot be written though ``read_only`` is False.
    """
    if read_only:
        sql, copy = _connect_to_read(path)
    else:
        if not all(os.access(p, os.W_OK, effective_ids=os.access in os.supports_effective_ids) for p in (path, path.parent)):
            raise WorldError(f"world {path.parent} cannot be written here; open it with read_only=True or copy it elsewhere")
        sql, copy = _connect(f"{_uri(path)}?mode=rw"), None
        sql.execute("PRAGMA synchronous = FULL")
        sql.execute("PRAGMA foreign_keys = ON")
    if sql.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        sql.close()
        raise WorldError(f"{path} is an SQLite file but not that of a world; give a folder made by `spatialwm create`")
    return Database(sql, path, read_only, path.stat().st_ino, copy)


def _connect(uri: str) -> sqlite3.Connection:
    # Worlds guard their connection with a lock, so threads may share it.
    sql = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        sql.execute("SELECT count(*) FROM sqlite_master").fetchone()  # Connecting is lazy; this reads the file.
    except BaseException:
        sql.close()
        raise
    return sql


def _connect_to_read(path: Path) -> tuple[sqlite3.Connection, tempfile.TemporaryDirectory[str] | None]:
    try:
        return _connect(f"{_uri(path)}?mode=ro"), None
    except sqlite3.OperationalError as error:
        # A reader of a WAL database makes a small index file beside it, which a read-only folder or a full disk forbids.
        if not any(word in str(error) for word in ("unable to open", "readonly", "full", "disk I/O")):
            raise
    wal = Path(f"{path}-wal")
    if not (wal.is_file() and wal.stat().st_size):
        return _connect(f"{_uri(path)}?immutable=1"), None
    # Commits that are still in the log would be invisible to an immutable reader: read a private copy of both files.
    copy = tempfile.TemporaryDirectory(prefix="spatialwm-")
    for source in (path, wal):
        shutil.copyfile(source, Path(copy.name) / source.name)
    return _connect(_uri(Path(copy.name) / path.name)), copy


def _uri(path: Path) -> str:
    return f"file:{quote(str(path.absolute()))}"


@contextmanager
def transaction(database: Database) -> Generator[sqlite3.Connection]:
    """Hold the world's write lock; all of the block's writes happen, durably, or none.

    Raises:
        WorldError: the world was opened read-only, or its folder was replaced since.
    """
    database.check_writable()
    sql = database.sql
    sql.execute("BEGIN IMMEDIATE")
    try:
        yield sql
        sql.execute("COMMIT")
    except BaseException:
        if sql.in_transaction:
            with suppress(sqlite3.Error):
                sql.execute("ROLLBACK")
        raise


@contextmanager
def one_line_errors(world: Path) -> Generator[None]:
    """Turn what SQLite and the file system report into one sentence for the user."""
    try:
        yield
    except sqlite3.Error as error:
        raise WorldError(f"world {world}: {_meaning(str(error))}") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise WorldError(f"world {world}: {_meaning('disk is full')}") from error
        raise WorldError(f"world {world}: {error.strerror or error} ({error.filename or 'no file named'})") from error


def _meaning(message: str) -> str:
    if "full" in message or "disk I/O" in message:
        return f"nothing was written, {message}; free some space and try again, all committed revisions are safe"
    if "locked" in message or "busy" in message:
        return f"another program has been writing for {BUSY_TIMEOUT_S:.0f} s; try again when it is done"
    if "readonly" in message or "unable to open" in message:
        return f"it cannot be written ({message}); check the folder's permissions or copy the world elsewhere"
    if "malformed" in message or "not a database" in message or "no such table" in message:
        return f"world.sqlite is damaged ({message}); restore it from a copy of the world"
    return message
