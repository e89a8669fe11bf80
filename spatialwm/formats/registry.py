"""Which suffix means which format, and the one door through which splat files are read and written."""

from __future__ import annotations

import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import zstandard

from spatialwm.errors import FormatError, ShapeError
from spatialwm.formats import ply, splat, spz
from spatialwm.formats.splat_file import SplatFile
from spatialwm.gaussians import Gaussians

READABLE: dict[str, Callable[[bytes], SplatFile]] = {".ply": ply.decode, ".spz": spz.decode, ".splat": splat.decode}
"""Decoders of whole files by suffix."""

WRITABLE: dict[str, Callable[[Gaussians], bytes]] = {".ply": ply.encode, ".spz": spz.encode, ".splat": splat.encode}
"""Encoders by suffix."""

_MAGIC = {".ply": (b"ply",), ".spz": (b"\x1f\x8b", spz.MAGIC)}

_BROKEN = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, EOFError, OSError, MemoryError, RuntimeError,
    SyntaxError, struct.error, zlib.error, zstandard.ZstdError, zipfile.BadZipFile, ShapeError,
)  # fmt: skip
"""What the libraries underneath raise on bytes that are not what they seem; RuntimeError is zipfile's for encrypted entries."""


def read_splats(path: Path) -> SplatFile:
    """The Gaussians of a splat file, in the world frame.

    Args:
        path: a file whose suffix is in :data:`READABLE`.

    Raises:
        FormatError: no such file, of an unknown kind, truncated, or otherwise not what it claims.
    """
    path = Path(path)
    try:
        return _read(path)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
    except _BROKEN as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise FormatError(f"{path}: the file is damaged ({reason}): export or download it again") from error


def _read(path: Path) -> SplatFile:
    if path.is_dir():
        raise FormatError(f"is a folder: give a splat file ({', '.join(READABLE)})")
    if not path.exists():
        raise FormatError("no such file")
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise FormatError(f"unknown kind of splat file {suffix!r}: expected {', '.join(READABLE)}")
    data = path.read_bytes()
    if not data:
        raise FormatError("the file is empty")
    for other, magics in _MAGIC.items():
        if other != suffix and data.startswith(magics):
            raise FormatError(f"begins as a {other} file does: rename it to end in {other}")
    return READABLE[suffix](data)


def write_splats(gaussians: Gaussians, path: Path, format: str | None = None) -> None:
    """Write Gaussians so that other programs open them the right way up.

    The file appears whole or not at all: it is written beside its place, flushed to the disk and renamed.

    Args:
        format: a suffix of :data:`WRITABLE`, with or without its dot; the suffix of ``path`` when None.

    Raises:
        FormatError: unknown format, or the folder cannot be written.
        ShapeError: NaN or infinite Gaussians.
    """
    path = Path(path)
    suffix = path.suffix.lower() if format is None else "." + format.lower().lstrip(".")
    if suffix not in WRITABLE:
        raise FormatError(f"{path}: cannot write {suffix!r} files: expected one of {', '.join(WRITABLE)}")
    gaussians = _plain(gaussians)
    gaussians.check_finite(f"Gaussians for {path.name}")
    _write_atomically(path, WRITABLE[suffix](gaussians))


def encode_spz(gaussians: Gaussians, level: int = 1) -> bytes:
    """An SPZ version 3 file in memory, quick enough to stream each object to the browser.

    Args:
        level: of zlib; files on disk use 6.
    """
    return spz.encode(_plain(gaussians), level)


def _plain(gaussians: Gaussians) -> Gaussians:
    """On the CPU, float32, without gradients, as numpy takes them."""
    fields = (gaussians.means, gaussians.quats, gaussians.scales, gaussians.opacities, gaussians.sh)
    return Gaussians(*(f.detach().cpu().float().contiguous() for f in fields))


def _write_atomically(path: Path, data: bytes) -> None:
    temporary: str | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part", delete=False) as file:
            temporary = file.name
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # a temporary file is private; its successor should be as any other
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise FormatError(f"{path}: cannot write here ({error.strerror or error}): nothing was changed") from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
