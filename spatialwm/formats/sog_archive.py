"""Where the parts of a SOG lie: a zip bundle or a folder, each part read within bounds and never by a path that leads outside."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from spatialwm.errors import FormatError

_MAX_JSON_BYTES = 1 << 26
_MAX_INFLATION = 4
"""WebP does not deflate, so an entry far larger than the whole bundle is a bomb."""


class Archive(Protocol):
    """Named parts."""

    def size(self) -> int:
        """Bytes of everything, to judge a declared count by."""
        ...

    def read(self, name: str) -> bytes:
        """One part."""
        ...


class Bundle:
    """The zip of a ``.sog`` file, in memory; nothing is ever extracted."""

    def __init__(self, data: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._size = len(data)

    def size(self) -> int:
        """Of the zip."""
        return self._size

    def read(self, name: str) -> bytes:
        """An entry that is no larger than its bundle can honestly hold."""
        try:
            info = self._zip.getinfo(_plain(name))
        except KeyError:
            raise FormatError(f"SOG bundle has no {name!r}") from None
        if info.file_size > _MAX_INFLATION * self._size + (1 << 20):
            raise FormatError(f"SOG entry {name!r} unpacks to {info.file_size} bytes from a {self._size} byte file: a zip bomb")
        return self._zip.read(info)  # zipfile stops at file_size


class Folder:
    """An unbundled SOG."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size(self) -> int:
        """Of the files directly inside."""
        return sum(p.stat().st_size for p in self._root.iterdir() if p.is_file())

    def read(self, name: str) -> bytes:
        """A file inside the folder."""
        path = self._root / _plain(name)
        if not path.is_file():
            raise FormatError(f"SOG folder has no {name!r}")
        return path.read_bytes()


def inside(root: Path, name: Any) -> Path:
    """The file of a relative ``name`` below ``root``.

    Raises:
        FormatError: absolute, or climbing out with ``..``.
    """
    path = PurePosixPath(name) if isinstance(name, str) else None
    if path is None or path.is_absolute() or ".." in path.parts or "\\" in str(path) or not path.parts:
        raise FormatError(f"{str(name)[:80]!r} is not a file name inside the SOG folder")
    return root / path


def _plain(name: Any) -> str:
    if not isinstance(name, str) or not name or name in (".", "..") or any(c in name for c in "/\\:\0"):
        raise FormatError(f"{str(name)[:80]!r} is not the plain name of a part")
    return name


def parse_json(data: bytes) -> dict[str, Any]:
    """A JSON object.

    Raises:
        FormatError: too large, or not an object.
    """
    if len(data) > _MAX_JSON_BYTES:
        raise FormatError(f"SOG description has {len(data)} bytes: expected at most {_MAX_JSON_BYTES}")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"SOG description is not JSON ({str(error)[:80]})") from error
    if not isinstance(value, dict):
        raise FormatError("SOG description is not a JSON object")
    return value


def texels(webp: bytes, name: str, most: int) -> UInt8[np.ndarray, "h w 4"]:
    """The RGBA pixels of a lossless WebP.

    Args:
        most: pixels that the caller can account for; the header is checked before the decoder allocates.

    Raises:
        FormatError: not WebP, or larger.
    """
    width, height = _webp_size(webp, name)
    if width * height > most:
        raise FormatError(f"SOG texture {name!r} is {width}x{height}, larger than its splats need: a decompression bomb")
    with Image.open(io.BytesIO(webp), formats=["WEBP"]) as image:
        pixels = np.asarray(image.convert("RGBA"))
    if pixels.shape != (height, width, 4):
        raise FormatError(f"SOG texture {name!r} decodes to {pixels.shape[1]}x{pixels.shape[0]}, not {width}x{height}")
    return pixels


def _webp_size(webp: bytes, name: str) -> tuple[int, int]:
    body, kind = webp[20:30], webp[12:16]
    if webp[:4] == b"RIFF" and webp[8:12] == b"WEBP" and len(body) == 10:
        if kind == b"VP8L":
            bits = int.from_bytes(body[1:5], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if kind == b"VP8X":
            return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
        if kind == b"VP8 ":
            return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise FormatError(f"SOG texture {name!r} is not a WebP image")
