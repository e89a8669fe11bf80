"""A picture file becomes a photo: upright, of a size worth a Gaussian per pixel, with what the camera wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from spatialwm.errors import LiftError
from spatialwm.lift.image.photo import Hints, Photo
from spatialwm.lift.lifter import Quality
from spatialwm.lift.pictures.area import area_averaged
from spatialwm.lift.pictures.picture import load_rgb, read_picture

LONGEST_PX: dict[Quality, int] = {"draft": 800, "standard": 1280, "high": 1600}
PANORAMA_PX: dict[Quality, int] = {"draft": 1280, "standard": 2048, "high": 2560}
"""Around the whole circle."""
_SMALLEST_PX = 16
_TWICE = 0.01
"""How far from 2:1 a panorama's sides may be."""
_SEAM = 3.0
"""A panorama's last and first columns differ by at most so many times what neighbouring columns do."""


def read_photo(path: Path, quality: Quality = "standard", hints: Hints | None = None) -> Photo:
    """The photo of a picture file.

    Raises:
        LiftError: not a picture, damaged, or too small to show a place.
    """
    file = read_picture(path)
    rgb, _ = load_rgb(path, max(LONGEST_PX[quality], PANORAMA_PX[quality]))
    height, width = rgb.shape[:2]
    if min(width, height) < _SMALLEST_PX:
        raise LiftError(f"{path.name} is {width}x{height} pixels; give a picture of at least {_SMALLEST_PX} pixels a side")
    panorama = is_panorama(rgb)
    k = min(1.0, (PANORAMA_PX if panorama else LONGEST_PX)[quality] / max(width, height))
    new_height = max(1, round(height * k))
    new_width = 2 * (width // 2) if k == 1 else max(1, round(width * k))
    new_width, new_height = (new_width // 4 * 4, new_width // 4 * 2) if panorama else (min(new_width, width), new_height)
    if (new_width, new_height) != (width, height):
        rgb = (area_averaged(rgb, new_width, new_height) + 0.5).astype(np.uint8)
    focal_px = None if file.focal_px is None or panorama else file.focal_px * new_width / file.width
    return Photo(name=path.stem, rgb=rgb, focal_px=focal_px, panorama=panorama, hints=hints or Hints())


def is_panorama(rgb: UInt8[np.ndarray, "h w 3"]) -> bool:
    """Whether a picture goes all around: twice as wide as high, its right edge meets its left, and each pole is one place."""
    height, width = rgb.shape[:2]
    if abs(width / height / 2 - 1) > _TWICE:
        return False
    columns = rgb.astype(np.float32)
    seam = float(abs(columns[:, 0] - columns[:, -1]).mean())
    usual = float(abs(np.diff(columns, axis=1)).mean())
    if seam > _SEAM * usual + 2:
        return False
    poles = max(float(columns[0].std(0).max()), float(columns[-1].std(0).max()))
    return poles < 0.6 * float(columns.std((0, 1)).max()) + 2
