"""Where programs keep the masks of pictures: dark where something moved or is not to be shown."""

from __future__ import annotations

from pathlib import Path


def mask_beside(folder: Path, name: str) -> Path | None:
    """The mask of ``folder / name``, as COLMAP names it (``masks/NAME.jpg.png``) or without the picture's own suffix.

    The folder ``masks`` lies in the pictures' folder or beside it.
    """
    for masks in (folder / "masks", folder.parent / "masks"):
        for mask in (masks / f"{name}.png", (masks / name).with_suffix(".png")):
            if mask.is_file():
                return mask
    return None
