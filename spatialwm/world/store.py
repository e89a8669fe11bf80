"""A world on disk: every state it ever had, edited by any number of programs at once, safe against any crash."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from spatialwm.errors import WorldError
from spatialwm.scene import Scene
from spatialwm.scene.edits import Edit
from spatialwm.world import history
from spatialwm.world.blobs import BlobStore, sync_folder
from spatialwm.world.codec import Codec, Draft
from spatialwm.world.database import FILE_NAME, Database, create_tables, one_line_errors, open_database, transaction
from spatialwm.world.history import NewRevision, Revision
from spatialwm.world.integrity import collect_garbage, inspect
from spatialwm.world.migrate import upgrade

SCENES_KEPT = 4
"""Scenes held in memory, so that undo, redo and comparing neighbours read nothing; their unchanged objects are shared."""


PREDICT = "predict"
"""The ``op`` of a commit that is a prediction: what :meth:`World.delete_branch` may forget."""


class World:
    """A folder ``NAME.world`` that holds a scene, its whole history as a tree, and branches with a cursor each.

    Use as a context manager, or :meth:`close` it. Threads may share one; programs may open the same folder at once: readers
    never wait, and each commit checks what it is based on. Cursors and the current branch are in the folder, for all to see.
    """

    def __init__(self, path: Path, database: Database, author: str) -> None:
        """Use :meth:`create` or :meth:`open`."""
        self.path = path
        self.author = author
        self._db: Database | None = database
        self._lock = threading.RLock()
        self._blobs = BlobStore(path / "blobs")
        self._codec = Codec(self._blobs, self._read_record)
        self._scenes: OrderedDict[str, Scene] = OrderedDict()

    # ---------------------------------------------------------------------------------------------------------- life cycle

    @staticmethod
    def create(
        path: str | os.PathLike[str],
        scene: Scene,
        *,
        command: Mapping[str, Any] | None = None,
        overwrite: bool = False,
        author: str = "",
    ) -> World:
        """Make a world whose first revision is ``scene``; it appears under its name complete, or not at all.

        Args:
            path: folder to make; its parent must exist.
            command: how the scene came to be, JSON with an ``op``; default ``{"op": "create"}``.
            overwrite: replace a world that is there already (never anything else).
            author: who writes, kept with each revision.

        Raises:
            WorldError: something is in the way, or the disk is full or not writable.
        """
        target = Path(os.path.abspath(path))
        check_free(target, overwrite)
        with one_line_errors(target):
            _remove_abandoned(target)
            building = target.with_name(f".{target.name}.creating-{os.getpid()}-{os.urandom(3).hex()}")
            try:
                building.mkdir()
                (building / "blobs").mkdir()
                create_tables(building / FILE_NAME)
                with World(building, open_database(building / FILE_NAME, read_only=False), author) as world:
                    world.commit(scene, command or {"op": "create"}, branch=history.MAIN)
                sync_folder(building)
                _put_in_place(building, target)
            finally:
                shutil.rmtree(building, ignore_errors=True)
        return World.open(target, author=author)

    @staticmethod
    def open(path: str | os.PathLike[str], *, read_only: bool = False, author: str = "") -> World:
        """Open an existing world, raising one of an older schema to today's.

        Args:
            read_only: change nothing on disk; works on folders and media that cannot be written.
            author: who writes, kept with each revision.

        Raises:
            WorldError: there is no sound world of a known schema at ``path``, or it cannot be written.
        """
        folder = Path(os.path.abspath(path))
        if not folder.exists():
            raise WorldError(f"there is no world at {folder}; make one with `spatialwm create ... -o {folder.name}`")
        if not folder.is_dir():
            raise WorldError(f"{folder} is a file; a world is a folder NAME.world (`spatialwm create` makes one of a splat file)")
        if not (folder / FILE_NAME).is_file() or not (folder / "blobs").is_dir():
            raise WorldError(f"{folder} is not a world: it should hold {FILE_NAME} and blobs/")
        with one_line_errors(folder):
            database = open_database(folder / FILE_NAME, read_only=read_only)
            try:
                upgrade(database)
            except BaseException:
                database.close()
                raise
        return World(folder, database, author)

    def close(self) -> None:
        """Let go of the files; further calls raise WorldError."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"World({str(self.path)!r})"

    @property
    def read_only(self) -> bool:
        """Whether it was opened for reading only."""
        return self._database().read_only

    # ------------------------------------------------------------------------------------------------------------- reading

    @property
    def head(self) -> Revision:
        """Where the current branch stands, as of now on disk."""
        with self._reading() as sql:
            return history.get(sql, history.branches(sql)[history.current_branch(sql)])

    @property
    def branch(self) -> str:
        """The branch that edits go to."""
        with self._reading() as sql:
            return history.current_branch(sql)

    def branches(self) -> dict[str, int]:
        """Every branch by name, and the id of the revision it stands at."""
        with self._reading() as sql:
            return history.branches(sql)

    @property
    def can_undo(self) -> bool:
        """Whether :meth:`undo` leads anywhere."""
        return self.head.parent is not None

    @property
    def can_redo(self) -> bool:
        """Whether :meth:`redo` leads anywhere."""
        with self._reading() as sql:
            return history.next_child(sql) is not None

    def history(self) -> list[Revision]:
        """All revisions of all branches, oldest first; ``parent`` makes them a tree."""
        with self._reading() as sql:
            return history.everything(sql)

    def lineage(self, revision: int | None = None) -> list[Revision]:
        """The revisions from the first to this one (default: the head)."""
        with self._reading() as sql:
            return history.lineage(sql, self.head.id if revision is None else revision)

    def scene(self, revision: int | None = None) -> Scene:
        """A state bit for bit (default: the head), sharing with other live scenes all that is equal.

        Raises:
            WorldError: there is no such revision, or its data is missing or damaged.
        """
        with self._reading() as sql:
            digest = (self.head if revision is None else history.get(sql, revision)).scene
            scene = self._scenes.get(digest)
            if scene is None:
                scene = self._codec.decode_scene(digest)
            self._keep(digest, scene)
            return scene

    def replay(self, until: int | None = None) -> Scene:
        """A state made anew by running the command log from the last stored scene before it; equals :meth:`scene`."""
        line = self.lineage(until)
        start = max(i for i, revision in enumerate(line) if not revision.is_edit)
        scene = self.scene(line[start].id)
        for revision in line[start + 1 :]:
            with self._reading():
                edit = self._codec.decode_edit(revision.command)
            scene = scene.apply(edit)
        return scene

    # ------------------------------------------------------------------------------------------------------------- writing

    def apply(self, edit: Edit, *, base: int | None = None, branch: str | None = None) -> Revision:
        """Commit an edit of a branch's head (default: the current branch).

        Args:
            base: the revision the caller has seen; None: whatever the head is by then.

        Raises:
            EditError: the edit does not fit the scene.
            StaleRevisionError: ``base`` is not the head of the branch.
            WorldError: it cannot be written; nothing has changed.
        """

        def prepare(parent: Scene | None, draft: Draft) -> tuple[Scene, dict[str, Any]]:
            assert parent is not None
            command = json.loads(_to_json(self._codec.encode_edit(edit, draft)))
            # What replay will read is what is applied: a numpy float32 factor, say, would round differently than the log's.
            return parent.apply(self._codec.decode_edit(command, draft)), command

        return self._commit(prepare, True, base, branch)

    def commit(
        self, scene: Scene, command: Mapping[str, Any], *, base: int | None = None, branch: str | None = None
    ) -> Revision:
        """Commit a scene that came from elsewhere (a lifter, a prediction) as the child of a branch's head.

        Args:
            command: how it came to be, JSON with an ``op``; kept in the log, not run by replay.
            base: the revision the caller has seen. For a new branch: where it forks off.
            branch: default the current one. Another is made if need be; the current branch stays where it is.

        Raises:
            StaleRevisionError: ``base`` is not the head of the branch.
            WorldError: it cannot be written; nothing has changed.
        """
        if not isinstance(command.get("op"), str):
            raise WorldError(f"a command needs an 'op' that says what was done; got {dict(command)!r}")
        return self._commit(lambda _parent, _draft: (scene, dict(command)), False, base, branch)

    def undo(self) -> Revision:
        """Step back to the parent; nothing is lost.

        Raises:
            WorldError: the head is the first revision.
        """
        return self._step(history.undo)

    def redo(self) -> Revision:
        """Step forward to the child that was last left.

        Raises:
            WorldError: no undo or goto has left a child of the head.
        """
        return self._step(history.redo)

    def goto(self, revision: int) -> Revision:
        """Move the current branch to any revision."""
        return self._step(lambda sql: history.goto(sql, revision))

    def create_branch(self, name: str, at: int | None = None) -> Revision:
        """Start a branch at a revision (default: the head) without switching to it."""
        with self._writing() as sql:
            return history.get(sql, history.create_branch(sql, name, at))

    def switch(self, name: str) -> Revision:
        """Make another branch the current one; returns its head."""
        return self._step(lambda sql: history.switch(sql, name))

    def delete_branch(self, name: str) -> Revision:
        """Forget a branch whose tip is a prediction; the revision it stood at stays in the history and is returned.

        Raises:
            WorldError: there is no such branch, it is ``main`` or the current one, or its tip is not a prediction.
        """
        with self._writing() as sql:
            return history.get(sql, history.delete_branch(sql, name, PREDICT))

    # --------------------------------------------------------------------------------------------------------- attachments

    def put_attachment(self, revision: int, name: str, tensors: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
        """Store arrays and JSON with a revision, e.g. a predicted rollout; replaces one of the same name."""
        history.check_name(name)
        with self._preparing():
            text = _to_json(meta)
            while True:
                blob = self._put_arrays(name, tensors)
                with self._writing() as sql:
                    if not self._blobs.path(blob).exists():
                        continue
                    history.get(sql, revision)
                    sql.execute("INSERT OR REPLACE INTO attachments VALUES (?, ?, ?, ?)", (revision, name, blob, text))
                    return

    def get_attachment(self, revision: int, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """``(tensors, meta)`` as they were stored.

        Raises:
            WorldError: that revision has no attachment of that name.
        """
        with self._reading() as sql:
            query = "SELECT blob, meta FROM attachments WHERE revision = ? AND name = ?"
            row = sql.execute(query, (revision, name)).fetchone()
            if row is None:
                have = ", ".join(self.attachments(revision)) or "none"
                raise WorldError(f"revision {revision} has no attachment {name!r}; it has: {have}")
            return self._blobs.get(row[0]), json.loads(row[1])

    def attachments(self, revision: int) -> list[str]:
        """Names of what is stored with a revision."""
        with self._reading() as sql:
            found = sql.execute("SELECT name FROM attachments WHERE revision = ? ORDER BY name", (revision,))
            return [name for (name,) in found]

    # --------------------------------------------------------------------------------------------------------- maintenance

    def check(self) -> list[str]:
        """Verify every checksum and every reference; returns one line for each problem, none for a sound world."""
        with self._reading() as sql:
            return list(inspect(sql, self._blobs).problems)

    def gc(self, grace_s: float = 600.0) -> int:
        """Delete files that no revision refers to (left by crashes); returns the bytes freed.

        Args:
            grace_s: younger files are spared: another program may be about to commit them.
        """
        with self._writing() as sql:
            return collect_garbage(sql, self._blobs, grace_s)

    # ------------------------------------------------------------------------------------------------------------ internals

    def _commit(
        self,
        prepare: Callable[[Scene | None, Draft], tuple[Scene, dict[str, Any]]],
        is_edit: bool,
        base: int | None,
        branch: str | None,
    ) -> Revision:
        with self._preparing() as sql:
            while True:
                # Arrays are written and the edit is computed without the lock; a commit that got in between means once more.
                target = branch or history.current_branch(sql)
                parent = history.parent_for(sql, target, base)
                draft = Draft()
                scene, command = prepare(self.scene(parent) if is_edit else None, draft)
                digest = self._codec.encode_scene(scene, draft)
                text = _to_json(command)
                if draft.blobs:
                    self._blobs.sync()
                with self._writing():
                    if history.parent_for(sql, target, base) != parent or (branch or history.current_branch(sql)) != target:
                        continue
                    if not all(self._blobs.path(b).exists() for b in draft.blobs):  # A gc with no grace got in between.
                        continue
                    sql.executemany("INSERT OR IGNORE INTO records VALUES (?, ?)", draft.records.items())
                    new = NewRevision(branch=target, scene=digest, command=text, is_edit=is_edit, author=self.author)
                    revision = history.get(sql, history.append(sql, new, parent))
                self._codec.remember(draft)
                self._keep(digest, self._codec.decode_scene(digest))
                return revision

    def _step(self, move: Callable[[sqlite3.Connection], object]) -> Revision:
        with self._writing() as sql:
            move(sql)
            return self.head

    def _keep(self, digest: str, scene: Scene) -> None:
        self._scenes[digest] = scene
        self._scenes.move_to_end(digest)
        while len(self._scenes) > SCENES_KEPT:
            self._scenes.popitem(last=False)

    def _put_arrays(self, name: str, tensors: Mapping[str, np.ndarray]) -> str:
        try:
            blob = self._blobs.put(tensors)
        except (KeyError, TypeError, ValueError, SafetensorError) as error:
            raise WorldError(f"attachment {name!r} must hold numeric numpy arrays by name: {error}") from None
        self._blobs.sync()
        return blob

    def _read_record(self, digest: str) -> str:
        row = self._database().sql.execute("SELECT body FROM records WHERE hash = ?", (digest,)).fetchone()
        if row is None:
            raise WorldError(f"record {digest} is missing from {FILE_NAME}; restore it from a copy of the world")
        return row[0]

    def _database(self) -> Database:
        if self._db is None:
            raise WorldError(f"world {self.path} is closed; open it again")
        return self._db

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        with self._lock, one_line_errors(self.path):
            self._database().check_present()
            yield self._database().sql

    @contextmanager
    def _preparing(self) -> Generator[sqlite3.Connection]:
        """For writers that touch files first: refuse early, before anything is written."""
        with self._reading() as sql:
            self._database().check_writable()
            yield sql

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        with self._lock, one_line_errors(self.path), transaction(self._database()) as sql:
            yield sql


def _to_json(command: Mapping[str, Any]) -> str:
    try:
        return json.dumps(command, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise WorldError(f"it must be plain JSON (texts, numbers, lists, dictionaries): {error}") from None


def check_free(target: Path, overwrite: bool) -> None:
    """Refuse a place where no new world may be made, before minutes are spent on making one.

    Raises:
        WorldError: something is there that may not be replaced, or the folder to hold it does not exist.
    """
    if not target.parent.is_dir():
        raise WorldError(f"the folder {target.parent} does not exist; make it first or choose another place")
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise WorldError(f"{target} exists already; choose another name, or replace it with --overwrite (overwrite=True)")
    if not (target / FILE_NAME).is_file():
        raise WorldError(f"{target} is not a world, so it is not overwritten; choose another name")


def _put_in_place(building: Path, target: Path) -> None:
    if os.path.lexists(target):
        aside = target.with_name(f".{target.name}.replaced-{os.getpid()}-{os.urandom(3).hex()}")
        os.rename(target, aside)
        try:
            os.rename(building, target)
        except BaseException:
            os.rename(aside, target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.rename(building, target)
    sync_folder(target.parent)


def _remove_abandoned(target: Path) -> None:
    """Clear what a killed program left while it was making this very world."""
    prefix = f".{target.name}.creating-"
    for path in target.parent.iterdir():
        pid = path.name.removeprefix(prefix).split("-")[0]
        if path.name.startswith(prefix) and pid.isdigit() and not _is_running(int(pid)):
            with suppress(OSError):
                shutil.rmtree(path)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
