"""Pictures and films on disk: written under a temporary name, renamed when complete."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from jaxtyping import Float, UInt8
from PIL import Image

from spatialwm.atomic import replacing
from spatialwm.errors import ExportError
from spatialwm.progress import Progress, silent

Pixels = Float[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 3"]
"""sRGB: floats in 0..1 or bytes."""

_CODECS = {
    "libx264": {"crf": "18", "preset": "veryfast"},
    "libopenh264": {},
    "libsvtav1": {"crf": "30"},
    "libvpx-vp9": {"crf": "30"},
}
"""What browsers play, best supported first; which one a PyAV wheel brings differs between platforms."""


def write_png(path: str | Path, rgb: Pixels) -> Path:
    """Write one picture; returns the path.

    Raises:
        ExportError: the file cannot be written.
    """
    if not np.size(rgb):
        raise ExportError(f"{path}: a picture needs at least 1x1 pixels; got {np.shape(rgb)}")
    picture = Image.fromarray(to_bytes(rgb))
    with replacing(Path(path), ExportError) as temporary:
        picture.save(temporary, format="PNG")
    return Path(path)


def write_mp4(
    path: str | Path, frames: Iterable[Pixels], fps: float = 30.0, progress: Progress = silent, total: int | None = None
) -> Path:
    """Encode frames as they come, one in memory at a time; returns the path.

    An odd width or height loses its last column or row, since 4:2:0 video has none.

    Args:
        total: number of frames, for the progress; None: ``len(frames)`` where it has one.

    Raises:
        ExportError: no frames, frames of different or too small size, or the file cannot be written.
    """
    pending = iter(frames)
    first = next(pending, None)
    if first is None:
        raise ExportError(f"{path}: a film needs at least one frame")
    if not 0 < fps <= 1000:
        raise ExportError(f"{path}: fps must be above 0 and at most 1000; got {fps}")
    height, width = (s // 2 * 2 for s in np.shape(first)[:2])
    if not (height and width):
        raise ExportError(f"{path}: a film needs frames of at least 2x2 pixels; got {np.shape(first)}")
    total = total or (len(frames) if hasattr(frames, "__len__") else None)  # pyright: ignore[reportArgumentType]
    options = {"movflags": "faststart"}
    with replacing(Path(path), ExportError) as temporary, av.open(str(temporary), "w", format="mp4", options=options) as film:
        stream = _add_stream(film, width, height, fps)
        for i, frame in enumerate(chain([first], pending)):
            if np.shape(frame) != np.shape(first):
                raise ExportError(f"{path}: frame {i} is {np.shape(frame)}; the first was {np.shape(first)}")
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(to_bytes(frame)[:height, :width]), format="rgb24")
            film.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709")))
            if total:
                progress("encoding", (i + 1) / total)
        film.mux(stream.encode(None))
    return Path(path)


def to_bytes(rgb: Pixels) -> UInt8[np.ndarray, "h w 3"]:
    """8-bit sRGB of floats in 0..1; bytes pass through."""
    rgb = np.asarray(rgb)
    return rgb if rgb.dtype == np.uint8 else np.rint(rgb.clip(0, 1) * 255).astype(np.uint8)


def _add_stream(film: OutputContainer, width: int, height: int, fps: float) -> av.VideoStream:
    for name, options in _CODECS.items():
        if name in av.codecs_available:
            stream = film.add_stream(name, rate=Fraction(fps).limit_denominator(1001), options=options)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            # Tagged BT.709, or players guess another matrix for small films and shift the colours.
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = 1
            return stream
    raise ExportError(f"this PyAV build has none of the encoders {', '.join(_CODECS)}: pip install --force-reinstall av")
