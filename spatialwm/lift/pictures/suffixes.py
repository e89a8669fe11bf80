"""What picture and video files end in: light, so that telling kinds of input apart loads no reader."""

from __future__ import annotations

from pathlib import Path

from spatialwm.errors import LiftError

HEIC = frozenset({".heic", ".heif", ".hif"})
"""Need pillow-heif."""
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif"}) | HEIC
VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".3gp", ".mpg", ".mpeg", ".mts"})


def is_picture(path: Path) -> bool:
    """By its name; what macOS leaves beside pictures (``._a.jpg``) is none."""
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


def is_video(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in VIDEOS


def listing(folder: Path) -> list[Path]:
    """What is in a folder.

    Raises:
        LiftError: it may not be opened.
    """
    try:
        return list(folder.iterdir())
    except OSError as e:
        raise LiftError(f"cannot look into {folder}: {e.strerror or e}; check its permissions") from e
