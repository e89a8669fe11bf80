"""Where compiled kernels of any kind are kept between processes."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def platform_cache_dir() -> Path:
    """The user's cache folder by the custom of the operating system."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def writable_cache_dir(name: str) -> Path:
    """A folder of that name in the user's cache; in the temporary folder where the cache cannot be written."""
    user = getattr(os, "getuid", lambda: "user")()
    for folder in (platform_cache_dir() / "spatialwm" / name, Path(tempfile.gettempdir()) / f"spatialwm-{user}" / name):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="spatialwm-"))
