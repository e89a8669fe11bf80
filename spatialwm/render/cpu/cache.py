"""Where compiled kernels are kept between processes.

numba by default writes beside the source, which fails in a read-only install, and it notices edits of one file only: change
``vectors.py`` and the stale ``blend`` would still be loaded. One directory per version of all kernel sources cures both.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config


def platform_cache_dir() -> Path:
    """The user's cache folder by the custom of the operating system."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def kernel_cache_dir(sources: Path) -> Path:
    """A writable directory that belongs to exactly this version of the ``*.py`` files in ``sources``."""
    digest = hashlib.sha256(numba.__version__.encode())
    for file in sorted(sources.glob("*.py")):
        digest.update(file.read_bytes())
    name = f"numba-{digest.hexdigest()[:16]}"
    user = getattr(os, "getuid", lambda: "user")()
    candidates = [platform_cache_dir() / "spatialwm" / name, Path(tempfile.gettempdir()) / f"spatialwm-{user}" / name]
    for folder in candidates:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="spatialwm-"))


@contextmanager
def kernels_cached_for(sources: Path) -> Iterator[None]:
    """Functions jitted inside keep their code in :func:`kernel_cache_dir`; a NUMBA_CACHE_DIR set by the user wins.

    numba reads the setting when it decorates, so restoring it leaves other packages' caches alone.
    """
    settings: Any = numba_config  # fills its attributes at run time
    before = settings.CACHE_DIR
    if not before:
        settings.CACHE_DIR = str(kernel_cache_dir(sources))
    try:
        yield
    finally:
        settings.CACHE_DIR = before
