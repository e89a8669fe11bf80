"""Which suffix means which format, and the one door through which splat files are read and written."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zstandard

from spatialwm.atomic import write_bytes
from spatialwm.errors import FormatError, ShapeError
from spatialwm.formats import ply, sog, sog_encode, sog_folder, splat, spz
from spatialwm.formats.splat_file import SplatFile
from spatialwm.gaussians import Gaussians

READABLE: dict[str, str] = {
    ".ply": "3D Gaussians as trainers write them, or PlayCanvas compressed PLY",
    ".spz": "Niantic SPZ, versions 2 to 4",
    ".splat": "32 bytes a splat",
    ".sog": "PlayCanvas SOG bundle",
    ".json": "meta.json or lod-meta.json of an unbundled SOG; its folder may be named instead",
}
"""Suffixes that :func:`read_splats` takes, with what they hold."""

WRITABLE: dict[str, str] = {
    ".ply": "3D Gaussians, exact",
    ".spz": "Niantic SPZ version 3",
    ".splat": "32 bytes a splat, no view-dependent colour",
    ".sog": "PlayCanvas SOG version 2 bundle",
}
"""Suffixes that :func:`write_splats` takes."""

_DECODERS: dict[str, Callable[[bytes], SplatFile]] = {
    ".ply": ply.decode, ".spz": spz.decode, ".splat": splat.decode, ".sog": sog.decode,
}  # fmt: skip
_ENCODERS: dict[str, Callable[[Gaussians], bytes]] = {
    ".ply": ply.encode, ".spz": spz.encode, ".splat": splat.encode, ".sog": sog_encode.encode,
}  # fmt: skip
_MAGIC = {".ply": (b"ply\n", b"ply\r"), ".spz": (b"\x1f\x8b", spz.MAGIC), ".sog": (b"PK\x03\x04",)}

_BROKEN = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, EOFError, OSError, MemoryError, RuntimeError,
    SyntaxError, struct.error, zlib.error, zstandard.ZstdError, zipfile.BadZipFile, ShapeError,
)  # fmt: skip
"""What the libraries underneath raise on bytes that are not what they seem; RuntimeError is zipfile's for encrypted entries."""


def read_splats(path: Path) -> SplatFile:
    """The Gaussians of a splat file, in the world frame.

    Args:
        path: a file whose suffix is in :data:`READABLE`, or the folder of an unbundled SOG.

    Raises:
        FormatError: no such file, of an unknown kind, truncated, or otherwise not what it claims.
    """
    path = Path(path)
    try:
        with np.errstate(all="ignore"):  # NaN and infinities are judged once, when everything is decoded
            return _read(path)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
    except _BROKEN as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise FormatError(f"{path}: the file is damaged ({reason}): export or download it again") from error


def _read(path: Path) -> SplatFile:
    if path.is_dir():
        description = sog_folder.find(path)
        if description is None:
            raise FormatError(f"is a folder without a SOG meta.json: give a splat file ({', '.join(READABLE)})")
        return sog_folder.read(description)
    if not path.exists():
        raise FormatError("no such file")
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise FormatError(f"unknown kind of splat file {suffix!r}: expected {', '.join(READABLE)}")
    if suffix == ".json":
        return sog_folder.read(path)
    data = path.read_bytes()
    if not data:
        raise FormatError("the file is empty")
    for other, magics in _MAGIC.items():
        if other != suffix and data.startswith(magics):
            raise FormatError(f"begins as a {other} file does: rename it to end in {other}")
    return _DECODERS[suffix](data)


def write_splats(gaussians: Gaussians, path: Path, format: str | None = None) -> None:
    """Write Gaussians so that other programs open them the right way up.

    The file appears whole or not at all: it is written beside its place, flushed to the disk and renamed.

    Args:
        format: a suffix of :data:`WRITABLE`, with or without its dot; the suffix of ``path`` when None.

    Raises:
        FormatError: unknown format, nothing to write where the format cannot say so, or the folder cannot be written.
        ShapeError: NaN or infinite Gaussians.
    """
    path = Path(path)
    suffix = path.suffix.lower() if format is None else "." + format.lower().lstrip(".")
    if suffix not in WRITABLE:
        raise FormatError(f"{path}: cannot write {suffix!r} files: expected one of {', '.join(WRITABLE)}")
    gaussians = _plain(gaussians)
    if not len(gaussians) and suffix in (".splat", ".sog"):
        raise FormatError(f"{path}: {suffix} cannot hold an empty set of Gaussians: write .ply or .spz")
    gaussians.check_finite(f"Gaussians for {path.name}")
    write_bytes(path, _ENCODERS[suffix](gaussians), FormatError)


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
