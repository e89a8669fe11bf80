"""The tree of revisions and the cursors into it: plain SQL, no scenes. Functions that write expect an open transaction."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from spatialwm.errors import StaleRevisionError, WorldError

MAIN = "main"
_COLUMNS = "id, parent, branch, command, is_edit, author, created_at, scene"


@dataclass(frozen=True, slots=True)
class Revision:
    """One committed state of a world."""

    id: int
    parent: int | None
    branch: str
    """The branch it was committed on; later branches may pass through it too."""
    command: dict[str, Any]
    """What led here from the parent: ``op`` and its arguments."""
    is_edit: bool
    """True when the command turns the parent into this revision; False when the scene came from elsewhere."""
    author: str
    created_at: str
    """UTC, ISO 8601."""
    scene: str
    """Hash of the scene's record: equal hashes are equal scenes."""

    @property
    def op(self) -> str:
        """The command's name."""
        return str(self.command["op"])


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevision:
    """A revision before it has an id."""

    branch: str
    scene: str
    command: str
    is_edit: bool
    author: str


def get(sql: sqlite3.Connection, revision: int) -> Revision:
    """A revision by its id."""
    row = sql.execute(f"SELECT {_COLUMNS} FROM revisions WHERE id = ?", (revision,)).fetchone()
    if row is None:
        newest = sql.execute("SELECT max(id) FROM revisions").fetchone()[0]
        raise WorldError(f"there is no revision {revision}; this world has 1 to {newest}")
    return _revision(row)


def everything(sql: sqlite3.Connection) -> list[Revision]:
    """All revisions, oldest first."""
    return [_revision(row) for row in sql.execute(f"SELECT {_COLUMNS} FROM revisions ORDER BY id")]


def lineage(sql: sqlite3.Connection, revision: int) -> list[Revision]:
    """From the first revision to this one, along parents."""
    query = (
        "WITH RECURSIVE line(id) AS "
        "(VALUES (?) UNION ALL SELECT parent FROM revisions JOIN line USING (id) WHERE parent NOT NULL) "
        f"SELECT {_COLUMNS} FROM revisions WHERE id IN line ORDER BY id"
    )
    return [_revision(row) for row in sql.execute(query, (get(sql, revision).id,))]


def current_branch(sql: sqlite3.Connection) -> str:
    """The branch that edits go to; ``main`` before the first revision."""
    row = sql.execute("SELECT branch FROM current").fetchone()
    return MAIN if row is None else row[0]


def branches(sql: sqlite3.Connection) -> dict[str, int]:
    """Every branch and where it stands."""
    return dict(sql.execute("SELECT name, head FROM branches ORDER BY name"))


def head(sql: sqlite3.Connection, branch: str) -> int | None:
    """Where a branch stands; None when there is no such branch."""
    row = sql.execute("SELECT head FROM branches WHERE name = ?", (branch,)).fetchone()
    return None if row is None else int(row[0])


def parent_for(sql: sqlite3.Connection, branch: str, base: int | None) -> int | None:
    """What a commit to ``branch`` must stand on: its head, or for a new branch ``base`` or the current head; None at first.

    Raises:
        StaleRevisionError: ``base`` is not the head of an existing branch.
    """
    at = head(sql, branch)
    if at is None:
        return get(sql, base).id if base is not None else head(sql, current_branch(sql))
    if base is not None and base != at:
        get(sql, base)
        raise StaleRevisionError(
            f"revision {base} is not the head of branch {branch!r}, which stands at {at}; look at {at} and commit on that"
        )
    return at


def append(sql: sqlite3.Connection, new: NewRevision, parent: int | None) -> int:
    """Add a revision under ``parent`` and move its branch there, making the branch if it is new."""
    if head(sql, new.branch) is None:
        check_name(new.branch)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    row = (parent, new.branch, new.scene, new.command, int(new.is_edit), new.author, now)
    cursor = sql.execute(
        "INSERT INTO revisions(parent, branch, scene, command, is_edit, author, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)", row
    )
    assert cursor.lastrowid is not None
    _move(sql, new.branch, cursor.lastrowid)
    sql.execute("INSERT OR IGNORE INTO current VALUES (1, ?)", (new.branch,))
    return cursor.lastrowid


def undo(sql: sqlite3.Connection) -> int:
    """Move the current branch to its head's parent."""
    branch = current_branch(sql)
    at = get(sql, branches(sql)[branch])
    if at.parent is None:
        raise WorldError(f"nothing to undo: revision {at.id} is the first of this world")
    _leave(sql, branch, at.parent, at.id)
    _move(sql, branch, at.parent)
    return at.parent


def redo(sql: sqlite3.Connection) -> int:
    """Move the current branch to the child it last left."""
    branch = current_branch(sql)
    child = next_child(sql)
    if child is None:
        at = branches(sql)[branch]
        raise WorldError(f"nothing to redo: branch {branch!r} has not gone back from beyond revision {at}")
    _move(sql, branch, child)
    return child


def next_child(sql: sqlite3.Connection) -> int | None:
    """Where redo leads on the current branch; None when it leads nowhere."""
    branch = current_branch(sql)
    query = "SELECT child FROM left_children WHERE branch = ? AND revision = ?"
    row = sql.execute(query, (branch, branches(sql)[branch])).fetchone()
    return None if row is None else int(row[0])


def goto(sql: sqlite3.Connection, revision: int) -> None:
    """Move the current branch to any revision; going back is like that many undos, so that redo leads forward again."""
    branch = current_branch(sql)
    target = get(sql, revision).id
    line = [r.id for r in lineage(sql, branches(sql)[branch])]
    if target in line:
        for parent, child in pairwise(line[line.index(target) :]):
            _leave(sql, branch, parent, child)
    _move(sql, branch, target)


def create_branch(sql: sqlite3.Connection, name: str, at: int | None) -> int:
    """A new branch at a revision, or at the current head; the current branch stays."""
    check_name(name)
    if head(sql, name) is not None:
        raise WorldError(f"there is a branch {name!r} already; choose another name or switch to it")
    start = branches(sql)[current_branch(sql)] if at is None else get(sql, at).id
    _move(sql, name, start)
    return start


def switch(sql: sqlite3.Connection, name: str) -> int:
    """Make edits go to another branch."""
    at = head(sql, name)
    if at is None:
        raise WorldError(f"there is no branch {name!r}; there are: {', '.join(branches(sql))}")
    sql.execute("UPDATE current SET branch = ?", (name,))
    return at


def delete_branch(sql: sqlite3.Connection, name: str, op: str) -> int:
    """Forget a branch that stands at a revision made by ``op``; returns that revision, which stays."""
    at = head(sql, name)
    if at is None:
        raise WorldError(f"there is no branch {name!r}; there are: {', '.join(branches(sql))}")
    if name in (MAIN, current_branch(sql)):
        raise WorldError(f"branch {name!r} is {'the main one' if name == MAIN else 'the current one'} and cannot be deleted")
    found = get(sql, at).op
    if found != op:
        raise WorldError(f"branch {name!r} holds work (its last step is {found!r}, not {op!r}), so it is not deleted")
    sql.execute("DELETE FROM left_children WHERE branch = ?", (name,))
    sql.execute("DELETE FROM branches WHERE name = ?", (name,))
    return at


def check_name(name: str) -> None:
    """Refuse branch and attachment names that would not print on one line."""
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise WorldError(f"a name must be 1 to 200 printable characters; got {name!r}")


def _move(sql: sqlite3.Connection, branch: str, to: int) -> None:
    sql.execute("INSERT INTO branches VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET head = excluded.head", (branch, to))


def _leave(sql: sqlite3.Connection, branch: str, parent: int, child: int) -> None:
    sql.execute(
        "INSERT INTO left_children VALUES (?, ?, ?) ON CONFLICT(branch, revision) DO UPDATE SET child = excluded.child",
        (branch, parent, child),
    )


def _revision(row: tuple[Any, ...]) -> Revision:
    id_, parent, branch, command, is_edit, author, created_at, scene = row
    return Revision(id_, parent, branch, json.loads(command), bool(is_edit), author, created_at, scene)
