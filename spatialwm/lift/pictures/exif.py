"""What a camera wrote into a photo that helps to place it: which way is up, how wide it sees, which camera, when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

_FILM_DIAGONAL_MM = math.hypot(36, 24)
_MM_OF_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 1e-3}
"""EXIF FocalPlaneResolutionUnit."""


@dataclass(frozen=True, slots=True)
class Exif:
    """The few tags that are read; where the photo was taken is never among them."""

    orientation: int = 1
    """EXIF value 1..8: how the stored pixels lie."""
    camera: str = ""
    """Maker and model; empty where unknown."""
    focal_share: float | None = None
    """Focal length over the diagonal of the picture."""
    taken: datetime | None = None
    """By the camera's clock, without a time zone."""

    def focal_px(self, width: int, height: int) -> float | None:
        """Focal length in pixels of a picture of that size; None where the file does not tell."""
        return None if self.focal_share is None else self.focal_share * math.hypot(width, height)

    def group(self, width: int, height: int) -> str:
        """Pictures with the same key share one lens: same camera, size and focal length (to 2 %)."""
        zoom = "" if self.focal_share is None else f" f{round(math.log(self.focal_share) / 0.02)}"
        return f"{self.camera or 'unknown'} {width}x{height}{zoom}"


def read_exif(image: Image.Image) -> Exif:
    """The tags of an opened picture; a broken EXIF block counts as none."""
    try:
        tags = image.getexif()
        details = tags.get_ifd(IFD.Exif)
    except Exception:  # Pillow raises whatever the damage leads it to
        return Exif()
    orientation = tags.get(Base.Orientation, 1)
    maker, model = (str(tags.get(tag, "")).strip("\0 ") for tag in (Base.Make, Base.Model))
    return Exif(
        orientation=orientation if orientation in range(1, 9) else 1,
        camera=model if model.startswith(maker) else f"{maker} {model}".strip(),
        focal_share=_focal_share(details, image.size),
        taken=_time(details.get(Base.DateTimeOriginal)),
    )


def _focal_share(details: dict[int, Any], size: tuple[int, int]) -> float | None:
    film_mm = _number(details.get(Base.FocalLengthIn35mmFilm))
    focal_mm = _number(details.get(Base.FocalLength))
    per_unit = _number(details.get(Base.FocalPlaneXResolution))
    share = 0.0
    if film_mm > 0:  # the equivalent is defined by the diagonal
        share = film_mm / _FILM_DIAGONAL_MM
    elif focal_mm > 0 and per_unit > 0:
        unit_mm = _MM_OF_UNIT.get(details.get(Base.FocalPlaneResolutionUnit, 2), 25.4)
        stored_px = _number(details.get(Base.ExifImageWidth)) or max(size)
        share = focal_mm / unit_mm * per_unit * max(size) / stored_px / math.hypot(*size)
    return share if 0.2 < share < 20 else None  # 9 mm to 900 mm: the rest is a broken tag


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def _time(value: Any) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
