"""Decompression that never gives more than a header's count accounts for."""

from __future__ import annotations

import io
import zlib

import zstandard

from spatialwm.errors import FormatError

_UNQUESTIONED = 1 << 20


def check_count(count: int, file_bytes: int) -> None:
    """Refuse a compressed file whose header claims more splats than it can honestly hold.

    Captures take 8 to 20 bytes a splat; a large count at less than one byte each is a decompression bomb or a broken header.

    Raises:
        FormatError: above a million splats at less than a byte each.
    """
    if count < 0 or (count > _UNQUESTIONED and count > file_bytes):
        raise FormatError(f"header declares {count} splats in a file of {file_bytes} bytes: corrupt, or a decompression bomb")


def gunzip(data: bytes, limit: int) -> bytes:
    """At most ``limit`` bytes of a gzip stream; fewer where it ends early."""
    return zlib.decompressobj(31).decompress(data, limit) if limit else b""


def unzstd(data: bytes, limit: int) -> bytes:
    """At most ``limit`` bytes of a zstd stream; fewer where it ends early."""
    with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(io.BytesIO(data)) as reader:
        return reader.read(limit) if limit else b""
