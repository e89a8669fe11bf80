"""What an interrupted lift of photographs leaves behind, so that the same lift goes on from there: a file per finished stage."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from spatialwm.atomic import replacing
from spatialwm.errors import LiftError, SpatialwmError

try:
    import fcntl
except ImportError:  # Windows: two runs at once would share what they keep
    fcntl = None

LAYOUT = 1
"""Raise it when what a stage holds, or how it is found, changes."""
LOCK = "lock"
STAGES = ("views", "start", "training")
"""In order: what follows from a stage that is done anew is done anew too."""
MOST_FILES = 20_000
"""Looked at to tell whether a source is still the same."""


def fingerprint(source: Path, *choices: object) -> str:
    """Changes with the files of a source (names, sizes, times), with what was chosen, and with the layout of what is kept."""
    digest = hashlib.sha256(repr((LAYOUT, choices)).encode())
    for count, file in enumerate(_files(source)):
        if count == MOST_FILES:
            break
        with suppress(OSError):  # gone since it was listed: reading the source will say so
            about = file.stat()
            digest.update(f"{file}\0{about.st_size}\0{about.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _files(source: Path) -> Iterator[Path]:
    """A video alone; of anything else whatever lies in its folder, but for worlds, which are made there while this runs."""
    source = Path(os.path.abspath(source))
    if source.is_file() and source.suffix.lower() != ".json":
        yield source
        return
    for folder, inside, files in os.walk(source if source.is_dir() else source.parent):
        inside[:] = sorted(name for name in inside if not name.startswith(".") and ".world" not in name)
        yield from (Path(folder, name) for name in sorted(files) if not name.startswith("."))


class Unfinished:
    """The stages of one lift on disk. Nothing that fails here fails the lift: what cannot be kept is told once."""

    def __init__(self, folder: Path | None, key: str, say: Callable[[str], None]) -> None:
        """Open what is left of the lift with that :func:`fingerprint` in ``folder``; what is left of others is dropped."""
        self.folder = None if folder is None else folder / key
        self._say = say
        self._lock: IO[bytes] | None = None
        if self.folder is None or folder is None or not folder.is_dir():
            return
        if not self._locked():
            return
        for other in folder.iterdir():
            if other not in (self.folder, folder / LOCK):
                say(f"unfinished work in {folder} is of other pictures, other options or another version, and was dropped")
                _remove(other)
        if self.folder.is_dir():
            for part in self.folder.iterdir():  # half-written files and scratch of a process that was killed
                if part.name not in {f"{stage}.safetensors" for stage in STAGES}:
                    _remove(part)
            done = [stage for stage in STAGES if self._file(stage).is_file()]
            if done:
                say(f"going on with the unfinished work in {folder}")

    def __enter__(self) -> Unfinished:
        return self

    def __exit__(self, *error: object) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _file(self, stage: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{stage}.safetensors"

    def scratch(self) -> Path | None:
        """A folder for large temporary files, gone with the rest; None: use the system's."""
        return None if not self._made() or self.folder is None else self.folder

    def path(self, stage: str) -> Path | None:
        """Where a stage writes its file itself; None: nothing is kept."""
        return self._file(stage) if self._made() else None

    def load(self, stage: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """What :meth:`keep` kept; None where it must be done (anew)."""
        if self.folder is not None and self._file(stage).is_file():
            try:
                with safe_open(self._file(stage), framework="numpy") as file:
                    arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
                    return arrays, json.loads((file.metadata() or {})["facts"])
            except (OSError, SafetensorError, KeyError, ValueError, MemoryError) as e:
                self.drop(stage, f"cannot be read ({e})")
        return None

    def keep(self, stage: str, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Write the file of a stage, whole or not at all."""
        path = self.path(stage)
        if path is None:
            return
        self._forget_after(stage)
        contiguous = {name: np.ascontiguousarray(a) for name, a in arrays.items()}
        self.attempt(lambda: _write(path, contiguous, facts))

    def drop(self, stage: str, why: str) -> None:
        """Forget a stage that proved damaged, and what followed from it."""
        self._say(f"unfinished work was dropped: {stage} {why}")
        self._forget_after(stage)
        _remove(self._file(stage))

    def attempt(self, write: Callable[[], None]) -> None:
        """Run what writes; on failure tell why and keep nothing more."""
        try:
            write()
        except (SpatialwmError, OSError, SafetensorError) as e:
            self._say(f"should this be interrupted, it starts anew: {e}")
            self.folder = None

    def _made(self) -> bool:
        if self.folder is not None:
            folder = self.folder
            self.attempt(lambda: folder.mkdir(parents=True, exist_ok=True))
        return self.folder is not None and self._locked()

    def _locked(self) -> bool:
        """Hold the folder for this run alone; the system lets go of it when the process ends, however it ends."""
        if self._lock is None and self.folder is not None and fcntl is not None:
            try:
                self._lock = (self.folder.parent / LOCK).open("wb")
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._say(f"another run is at work in {self.folder.parent}; should this one be interrupted, it starts anew")
                self.__exit__()
                self.folder = None
        return self.folder is not None

    def _forget_after(self, stage: str) -> None:
        for later in STAGES[STAGES.index(stage) + 1 :]:
            _remove(self._file(later))


def _write(path: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    with replacing(path, LiftError) as temporary:
        save_file(dict(arrays), temporary, metadata={"facts": json.dumps(dict(facts))})


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
