"""Files that are whole or absent: written under a temporary name beside the target, then renamed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spatialwm.errors import SpatialwmError


@contextmanager
def replacing(path: Path, error: type[SpatialwmError]) -> Iterator[Path]:
    """Yield a temporary path that takes the name ``path`` on success and vanishes on any failure, Ctrl-C included.

    The temporary name keeps the suffix, because encoders look at it. What was at ``path`` stays until the rename.

    Raises:
        error: the folder is missing or read-only, or the disk is full.
    """
    temporary = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(6)}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as e:
        raise error(f"cannot write {path}: {e.strerror or e}; nothing was changed") from e
    finally:
        with suppress(OSError):  # gone after the rename, or never made
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes, error: type[SpatialwmError]) -> None:
    """Write all of ``data`` or nothing; see :func:`replacing`."""
    with replacing(path, error) as temporary:
        temporary.write_bytes(data)
