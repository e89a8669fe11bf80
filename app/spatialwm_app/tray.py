"""Files on their way in: what a page is given before it becomes a world, in a folder that goes with the page."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from spatialwm.errors import LiftError

MAX_BYTES = 8 << 30
MAX_FILES = 20_000
IDLE_S = 24 * 3600.0
"""A page that never said goodbye is forgotten after a day."""
LOOSE = "photos"
"""What a heap of files without a folder of their own is called."""
_CHUNK = 1 << 20
_FORBIDDEN = frozenset('\\\0<>:"|?*' if os.name == "nt" else "\\\0")
_LITTER = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


class Tray:
    """The files of one page. Nothing that is sent here can land outside its folder."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(18)
        self.touched_s = time.monotonic()
        self._home = Path(tempfile.mkdtemp(prefix="spatialwm-tray-"))
        self._root = self._home / LOOSE
        self._root.mkdir()
        self._known: dict[str, int] | None = {}
        self._unpacked: dict[str, Path] = {}
        self._users = 0
        self._closed = False
        self._lock = threading.Lock()

    def files(self) -> dict[str, int]:
        """Bytes by relative path, in the order of their names."""
        return dict(sorted(self._held().items()))

    def _held(self) -> dict[str, int]:
        """What is here, counted anew only after something was unpacked or removed: thousands of files come one by one."""
        if self._known is None:
            files = (p for p in self._root.rglob("*") if p.is_file())
            self._known = {p.relative_to(self._root).as_posix(): p.stat().st_size for p in files}
        return self._known

    @contextmanager
    def receive(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Take in one file through the function given; it is in its place when the block ends, or not at all.

        A ZIP is unpacked into a folder of its name.

        Raises:
            LiftError: a name that leads elsewhere, too much, no room, or a ZIP that cannot be unpacked.
        """
        target = self._place(name)
        held = self._held()
        replaced = held.get(name)
        if len(held) - (replaced is not None) >= MAX_FILES:
            raise LiftError(f"more than {MAX_FILES:,} files at once; send a part of them, or give the folder's path instead")
        left = MAX_BYTES - sum(held.values()) + (replaced or 0)
        arriving = self._home / secrets.token_hex(8)

        try:
            with arriving.open("wb") as file:

                def write(chunk: bytes) -> None:
                    nonlocal left
                    left -= len(chunk)
                    if left < 0:
                        raise LiftError(f"more than {MAX_BYTES >> 30} GB at once; give the path of the file or folder instead")
                    file.write(chunk)

                yield write
            self.touched_s = time.monotonic()
            if target.suffix.lower() == ".zip":
                self._unpacked[name] = self._unpack(arriving, target)
                self._known = None
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                size = arriving.stat().st_size
                os.replace(arriving, target)
                self._held()[name] = size
        except OSError as error:
            raise LiftError(f"{target.name} could not be kept: {error.strerror or error}") from error
        finally:
            arriving.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Drop one file, a folder, or what came out of a ZIP; one that is not there is no error."""
        target = self._unpacked.pop(name, None) or self._place(name)
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        else:
            target.unlink(missing_ok=True)
        for folder in target.relative_to(self._root).parents:
            path = self._root / folder
            if path != self._root and path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        self._known = None

    def source(self) -> Path | None:
        """What a lifter is given: the only file, or the innermost folder that holds everything; None while there is nothing."""
        at = self._root
        while at.is_dir():
            entries = list(at.iterdir())
            if len(entries) != 1:
                return at if entries else None
            at = entries[0]
        return at

    def spoken(self, text: str) -> str:
        """A message without the name of a folder that means nothing to anyone."""
        return text.replace(f"{self._root}{os.sep}", "").replace(str(self._root), LOOSE)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the files while they are lifted, even if their page closes."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                gone = self._closed and not self._users
            self.touched_s = time.monotonic()
            if gone:
                self._delete()

    @property
    def busy(self) -> bool:
        """Whether something is lifted from here."""
        return self._users > 0

    def close(self) -> None:
        """Delete everything, at once or as soon as nobody uses it."""
        with self._lock:
            self._closed = True
            gone = not self._users
        if gone:
            self._delete()

    def _delete(self) -> None:
        shutil.rmtree(self._home, ignore_errors=True)

    def _place(self, name: str) -> Path:
        parts = name.split("/")
        if any(p in ("", ".", "..") or len(p.encode()) > 255 or set(p) & _FORBIDDEN for p in parts):
            raise LiftError(f"{name!r} is not a file name that can be kept; rename it")
        return self._root.joinpath(*parts)

    def _unpack(self, archive: Path, target: Path) -> Path:
        """Into a folder of the ZIP's name, or of its only folder; all of it or nothing."""
        scratch = self._home / secrets.token_hex(8)
        try:
            with zipfile.ZipFile(archive) as z:
                wanted = [m for m in z.infolist() if not m.is_dir() and not _is_litter(m.filename)]
                if len(wanted) > MAX_FILES or sum(m.file_size for m in wanted) > MAX_BYTES:
                    raise LiftError(
                        f"{target.name} holds more than {MAX_FILES:,} files or {MAX_BYTES >> 30} GB; unpack it and give the path"
                    )
                if not wanted:
                    raise LiftError(f"{target.name} is empty")
                for member in wanted:
                    inside = self._place(member.filename).relative_to(self._root)
                    with z.open(member) as packed:
                        _copy(packed, scratch / inside, member.file_size)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise LiftError(f"{target.name} cannot be unpacked ({error}); make the ZIP again, without a password") from error
        else:
            entries = list(scratch.iterdir())
            alone = len(entries) == 1 and entries[0].is_dir()
            folder = self._root / (entries[0].name if alone else target.stem)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(entries[0] if alone else scratch, folder)
            return folder
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


class Trays:
    """The trays of every page, by token."""

    def __init__(self) -> None:
        self._trays: dict[str, Tray] = {}
        self._lock = threading.Lock()

    def open(self) -> Tray:
        """A new one; those of pages long gone are dropped."""
        with self._lock:
            now_s = time.monotonic()
            for old in [t for t in self._trays.values() if now_s - t.touched_s > IDLE_S and not t.busy]:
                self._trays.pop(old.token).close()
            tray = Tray()
            self._trays[tray.token] = tray
            return tray

    def get(self, token: str) -> Tray | None:
        """The tray of a token, if there is one."""
        return self._trays.get(token)

    def drop(self, token: str) -> None:
        """Forget a tray and its files."""
        with self._lock:
            tray = self._trays.pop(token, None)
        if tray is not None:
            tray.close()

    def close(self) -> None:
        """Forget them all."""
        for token in list(self._trays):
            self.drop(token)


def _is_litter(name: str) -> bool:
    return any(part in _LITTER or part.startswith(".") for part in name.split("/"))


def _copy(packed: IO[bytes], target: Path, size: int) -> None:
    """Not more than the archive's own list of contents said: a ZIP may claim little and hold much."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            size -= len(chunk)
            if size < 0:
                raise LiftError(f"{target.name} is larger than its archive says; make the ZIP again")
            file.write(chunk)
