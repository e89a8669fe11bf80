"""Where compiled kernels are kept between processes.

numba by default writes beside the source, which fails in a read-only install, and it notices edits of one file only: change
``vectors.py`` and the stale ``blend`` would still be loaded. One directory per version of all kernel sources cures both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config

from spatialwm.render.kernel_cache import writable_cache_dir


def kernel_cache_dir(sources: Path) -> Path:
    """A writable directory that belongs to exactly this version of the ``*.py`` files in ``sources``."""
    digest = hashlib.sha256(numba.__version__.encode())
    for file in sorted(sources.glob("*.py")):
        digest.update(file.read_bytes())
    return writable_cache_dir(f"numba-{digest.hexdigest()[:16]}")


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
