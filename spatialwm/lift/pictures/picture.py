"""Opening whatever picture file people have: upright, sRGB, 8 bits, no larger than needed."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image, ImageCms, UnidentifiedImageError

from spatialwm.errors import LiftError
from spatialwm.lift.pictures.exif import read_exif
from spatialwm.lift.pictures.suffixes import HEIC

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""What turns the stored pixels of each EXIF orientation upright."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file to be placed: a photo, or a frame of a video; sizes are those of the upright picture."""

    name: str
    """What people call it."""
    path: Path
    width: int
    height: int
    camera: str
    """Pictures with equal keys share one lens."""
    focal_px: float | None = None
    """As the file states it."""
    taken: datetime | None = None
    time_s: float | None = None
    """In the video it came from."""
    mask: Path | None = None
    """Dark where the picture is not to be used."""
    sharpness: float = 0.0
    """Comparable among pictures of one size and place."""


def read_picture(path: Path, name: str | None = None) -> Picture:
    """Read the header of a picture file.

    Raises:
        LiftError: not a picture, too large, or HEIC without its reader.
    """
    with open_picture(path) as image:
        exif = read_exif(image)
        width, height = image.size[::-1] if exif.orientation >= 5 else image.size
        focal_px, camera = exif.focal_px(width, height), exif.group(width, height)
        return Picture(name or path.name, path, width, height, camera, focal_px, exif.taken)


def open_picture(path: Path) -> Image.Image:
    """Open a file without decoding its pixels.

    Raises:
        LiftError: not a picture, too large, or HEIC without its reader.
    """
    if path.suffix.lower() in HEIC:
        _register_heic(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # it is an error at twice the size
            image = Image.open(path)
    except (UnidentifiedImageError, SyntaxError, ValueError) as e:
        raise LiftError(f"{path.name} is not a picture that can be read; expected JPEG, PNG, WebP, TIFF, AVIF or HEIC") from e
    except Image.DecompressionBombError as e:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
        raise LiftError(f"{path.name} has more than {limit} megapixels; scale it down") from e
    except OSError as e:
        raise LiftError(f"cannot read {path}: {e.strerror or e}") from e
    return image


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """A decoded picture, averaged over ``reduced x reduced`` blocks.

    Pixel ``(x, y)`` covers ``[k x, k x + k) x [k y, k y + k)`` of the whole picture, with ``k = reduced``.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    """sRGB; what is transparent lies on black."""
    alpha: UInt8[np.ndarray, "h w"] | None
    """None: opaque throughout."""
    reduced: int
    width: int
    height: int
    """Of the whole picture, turned as these pixels are."""


def load_rgb(path: Path, at_least_px: int) -> tuple[UInt8[np.ndarray, "h w 3"], int]:
    """The upright sRGB pixels and by how much they are reduced; see :func:`load_pixels`."""
    pixels = load_pixels(path, at_least_px)
    return pixels.rgb, pixels.reduced


def load_pixels(path: Path, at_least_px: int, *, upright: bool = True, exact: bool = False) -> Pixels:
    """Decode a picture, reduced as far as leaves its longer side ``at_least_px``.

    Args:
        upright: turn it as its EXIF data say; False: as it is stored.
        exact: reduce only so that no block is cut at the right or lower edge.

    Raises:
        LiftError: the file is not a picture or is damaged.
    """
    with open_picture(path) as image:
        orientation, (width, height) = read_exif(image).orientation if upright else 1, image.size
        k = max(1, max(width, height) // max(at_least_px, 1))
        if orientation != 1 or exact:  # the blocks start at a corner, and turning moves it: only whole blocks keep the grid
            k = next(d for d in range(k, 0, -1) if width % d == 0 and height % d == 0)
        try:
            # JPEG decodes at 1/2, 1/4, 1/8 for a fraction of the cost (12 MP at 1/4: 4x less).
            coarse = next((d for d in (8, 4, 2) if k % d == 0), 1)
            drafted = image.draft(None, (width // coarse, height // coarse)) if coarse > 1 and image.format == "JPEG" else None
            done = round(width / image.width) if drafted else 1
            alpha = image.convert("RGBA").getchannel("A") if _has_alpha(image) else None
            layers = [_to_srgb(image), *([alpha] if alpha is not None and alpha.getextrema()[0] != 255 else [])]
            if done < k and k % done == 0:
                layers = [layer.reduce(k // done) for layer in layers]
            if orientation != 1:
                layers = [layer.transpose(_TURNS[orientation]) for layer in layers]
        except (OSError, SyntaxError, ValueError, MemoryError) as e:
            raise LiftError(f"{path.name} is damaged: {e}; copy it again from the camera") from e
    rgb, *transparent = (np.ascontiguousarray(np.asarray(layer)) for layer in layers)
    width, height = (height, width) if orientation >= 5 else (width, height)
    return Pixels(rgb, transparent[0] if transparent else None, k, width, height)


def load_mask(path: Path) -> Bool[np.ndarray, "h w"]:
    """Where a mask is not black; a JPEG's black is noisy, so of that what is brighter than half.

    Raises:
        LiftError: the file is not a picture or is damaged.
    """
    with open_picture(path) as image:
        try:
            values = np.asarray(image if image.mode.startswith("I") or image.mode == "F" else _to_srgb(image).convert("L"))
        except (OSError, SyntaxError, ValueError, MemoryError) as e:
            raise LiftError(f"the mask {path.name} is damaged: {e}; make it again") from e
        return values > (127 if image.format == "JPEG" else 0)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image, np.float32)
        top = 65535 if image.mode != "F" else max(float(values.max()), 1e-9)
        if image.mode == "I" and values.max(initial=0) <= 255:
            top = 255
        return Image.fromarray((values * (255 / top)).clip(0, 255).astype(np.uint8)).convert("RGB")
    if _has_alpha(image):
        with_alpha = image.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", with_alpha.size, (0, 0, 0, 255)), with_alpha).convert("RGB")
    elif image.mode == "CMYK" and profile:
        flat = image
    else:
        flat = image.convert("RGB")
    if profile and flat.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(source):
                converted = ImageCms.profileToProfile(flat, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
                flat = converted or flat
        except (ImageCms.PyCMSError, OSError):  # a broken profile: the numbers are taken as sRGB
            pass
    return flat.convert("RGB")


def _register_heic(path: Path) -> None:
    try:
        from pillow_heif import register_heif_opener  # pyright: ignore[reportMissingImports]
    except ImportError as e:
        raise LiftError(
            f"{path.name} is HEIC, which needs pillow-heif: pip install pillow-heif, or convert it to JPEG "
            "(on an iPhone: Settings > Camera > Formats > Most Compatible)"
        ) from e
    register_heif_opener()
