"""From a kernel's source to a cubin, kept on disk."""

from __future__ import annotations

from pathlib import Path


def sources() -> Path:
    """The folder of kernel sources: inside the package of a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parents[2]
    shipped = package / "_cuda"
    return shipped if shipped.is_dir() else package.parent / "cuda"
