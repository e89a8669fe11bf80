"""Arrays on disk under the name of their content: ``blobs/<sha256>.safetensors``, written once, never changed."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from spatialwm.errors import WorldError

SUFFIX = ".safetensors"
_PARTIAL = ".partial-"


class BlobStore:
    """One folder of content-addressed array files.

    A blob appears under its name only when it is complete and on the disk platter; :meth:`sync` makes the names durable too and
    must run before the transaction that refers to them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where the blob of that hash lies."""
        return self.folder / f"{digest}{SUFFIX}"

    def put(self, arrays: Mapping[str, np.ndarray]) -> str:
        """Store named arrays and return the hash of their file."""
        data = safetensors.numpy.save({name: np.asarray(a, order="C") for name, a in arrays.items()})
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if _holds(path, data):
            os.utime(path)  # Young again, so that a concurrent gc leaves it to the commit that is about to name it.
            return digest
        partial = self.folder / f"{_PARTIAL}{os.getpid()}-{os.urandom(4).hex()}"
        try:
            with open(partial, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        return digest

    def get(self, digest: str) -> dict[str, np.ndarray]:
        """The arrays of a blob, read whole and verified.

        Raises:
            WorldError: the blob is missing, or its bytes no longer match their name.
        """
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise WorldError(f"blob {path} is missing; restore it from a copy of the world") from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise WorldError(f"blob {path} is damaged: its bytes do not match its name; restore it from a copy of the world")
        try:
            return safetensors.numpy.load(data)
        except (SafetensorError, KeyError, ValueError) as error:
            raise WorldError(f"blob {path} is not a safetensors file: {error}") from None

    def problem(self, digest: str) -> str | None:
        """What is wrong with a blob in one line; None for a sound one. Reads in pieces, so that checking needs no memory."""
        path = self.path(digest)
        try:
            with open(path, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return f"blob {path.name} is missing"
        except OSError as error:
            return f"blob {path.name} cannot be read: {error.strerror or error}"
        return None if found == digest else f"blob {path.name} is damaged: its bytes hash to {found[:12]}..."

    def sync(self) -> None:
        """Make the folder's names durable."""
        sync_folder(self.folder)

    def strays(self, referenced: set[str]) -> list[Path]:
        """Files that nothing refers to: blobs of commits that never happened, and half-written ones."""
        wanted = {f"{digest}{SUFFIX}" for digest in referenced}
        return sorted(p for p in self.folder.iterdir() if p.name not in wanted)

    def remove(self, paths: list[Path], grace_s: float) -> int:
        """Delete those of ``paths`` not touched for ``grace_s`` seconds; returns the bytes freed."""
        freed = 0
        for path in paths:
            with suppress(FileNotFoundError):
                status = path.stat()
                if path.is_file() and time.time() - status.st_mtime >= grace_s:
                    path.unlink()
                    freed += status.st_size
        return freed


def sync_folder(folder: Path) -> None:
    """Flush a directory's entries to disk, where the system can (POSIX)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _holds(path: Path, data: bytes) -> bool:
    """Whether the file is there with just these bytes; a damaged one is not trusted, so that writing again mends it."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False
