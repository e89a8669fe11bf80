"""Photographs through a real lens become photographs through a pinhole, with what lies over them: masks and depth."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8
from numba import njit

from spatialwm.lift.pictures.lens import Optics
from spatialwm.lift.pictures.picture import Pixels
from spatialwm.render.cpu.cache import kernels_cached_for

MIN_ZOOM, MAX_ZOOM = 0.85, 2.5
"""Of a barrel lens no more than this is stretched towards the corners: the middle would lose its detail."""
SAMPLES = 4
"""Across and down a pixel at most; beyond it the picture has been box-reduced before."""
OPAQUE = 242
"""Of 255: mean alpha above which a pixel counts as there."""


def pinhole_of(bent: Optics, long_px: int) -> Optics:
    """The widest pinhole camera of that longer side of which no pixel falls outside the picture, with square pixels."""
    k = min(1.0, long_px / max(bent.width, bent.height))
    width, height = max(1, round(bent.width * k)), max(1, round(bent.height * k))

    def at(zoom: float) -> Optics:
        focal = math.sqrt(bent.fx * bent.fy) * k * zoom
        return Optics(width, height, focal, focal, bent.cx * width / bent.width, bent.cy * height / bent.height)

    low, high = MIN_ZOOM, MAX_ZOOM
    if _inside(bent, at(low)):
        return at(low)
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if _inside(bent, at(middle)) else (middle, high)
    return at(high)


def _inside(bent: Optics, pinhole: Optics) -> bool:
    """Whether the border of the pinhole's picture lies within the lens's, before that folds back on itself."""
    along = np.linspace(0, 1, 65)
    zero, one = np.zeros(65), np.ones(65)
    border = np.stack([np.concatenate([along, along, zero, one]), np.concatenate([zero, one, along, along])], axis=-1)
    at = source_pixels(bent, pinhole, border * (pinhole.width, pinhole.height)) / (bent.width, bent.height)
    return bool((at >= -1e-6).all() and (at <= 1 + 1e-6).all())  # NaN, past the fold, is neither


def source_pixels(bent: Optics, straight: Optics, at: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
    """Where places ``(x, y)`` of the straight picture lie in the bent one, px; NaN where the lens does not see them."""
    xy = (at - (straight.cx, straight.cy)) / (straight.fx, straight.fy)
    return bent.lens.distort(xy) * (bent.fx, bent.fy) + (bent.cx, bent.cy)


def straighten(
    pixels: UInt8[np.ndarray, "h w c"], reduced: int, bent: Optics, straight: Optics
) -> tuple[UInt8[np.ndarray, "H W c"], Bool[np.ndarray, "H W"] | None]:
    """The picture as the straight camera would have taken it, each pixel the mean over its own area, and which of them the
    lens saw; None: all.

    Args:
        pixels: the picture, ``reduced`` times smaller than ``bent`` describes.
    """
    corners, seen = _corners(bent, straight)
    across = math.ceil(max(bent.fx / straight.fx, bent.fy / straight.fy) / reduced - 1e-9)
    out = np.empty((straight.height, straight.width, pixels.shape[2]), np.uint8)
    _resample(np.ascontiguousarray(pixels), 1.0 / reduced, corners, min(SAMPLES, max(1, across)), out)
    return out, seen


def straight_mask(mask: Bool[np.ndarray, "h w"], bent: Optics, straight: Optics) -> Bool[np.ndarray, "H W"]:
    """Where a mask over the bent picture, of any resolution, is on over more than half of a straight pixel."""
    rows, columns = mask.shape
    levels = np.where(mask, np.uint8(255), np.uint8(0))
    return straighten(levels[..., None], 1, bent.scaled(columns, rows), straight)[0][..., 0] > 127


def usable_pixels(
    seen: Bool[np.ndarray, "H W"] | None, pixels: Pixels, mask: Bool[np.ndarray, "h w"] | None, bent: Optics, straight: Optics
) -> Bool[np.ndarray, "H W"] | None:
    """Pixels that the lens saw, that are opaque and that a mask over the bent picture leaves; None: all."""
    parts = [] if seen is None else [seen]
    if pixels.alpha is not None:  # a half transparent pixel is half black
        parts.append(straighten(pixels.alpha[..., None], pixels.reduced, bent, straight)[0][..., 0] > OPAQUE)
    if mask is not None:
        parts.append(straight_mask(mask, bent, straight))
    usable = np.logical_and.reduce(parts) if parts else None
    return None if usable is None or usable.all() else usable


def picked(values: Shaped[np.ndarray, "h w"], bent: Optics, straight: Optics) -> Float[np.ndarray, "H W"]:
    """A map over the bent picture, of any resolution, at the straight pixels; 0 where it is unknown, negative or not finite.

    Depth is never interpolated: between a cup and the wall behind it there is nothing half-way.
    """
    rows, columns = values.shape
    at = _centers(bent, straight) / (bent.width, bent.height)
    with np.errstate(invalid="ignore"):
        inside = ((at >= 0) & (at < 1)).all(-1)
    x, y = (np.where(inside, at[..., i], 0) for i in (0, 1))
    found = np.where(inside, values[(y * rows).astype(np.intp), (x * columns).astype(np.intp)], 0)
    return np.where(np.isfinite(found) & (found > 0), found, 0).astype(np.float32)


@lru_cache(maxsize=4)  # one camera takes many pictures
def _corners(bent: Optics, straight: Optics) -> tuple[np.ndarray, np.ndarray | None]:
    """Where the pixels' corners lie in the bent picture (within a pixel no lens bends), and which pixels it shows whole."""
    v, u = np.mgrid[0 : straight.height + 1, 0 : straight.width + 1].astype(np.float64)
    at = source_pixels(bent, straight, np.stack([u, v], axis=-1))
    with np.errstate(invalid="ignore"):
        inside = np.asarray(((at >= -1e-3) & (at <= (bent.width + 1e-3, bent.height + 1e-3))).all(-1))
    seen = inside[:-1, :-1] & inside[:-1, 1:] & inside[1:, :-1] & inside[1:, 1:]
    return at, None if seen.all() else seen


@lru_cache(maxsize=2)
def _centers(bent: Optics, straight: Optics) -> np.ndarray:
    v, u = np.mgrid[0.5 : straight.height, 0.5 : straight.width]
    return source_pixels(bent, straight, np.stack([u, v], axis=-1))


with kernels_cached_for(Path(__file__).parent):

    @njit(cache=True, nogil=True)
    def _resample(pixels, scale, corners, samples, out):
        """Write each straight pixel's mean color: bilinear at ``samples x samples`` places in it; black past a lens's fold."""
        height, width, channels = pixels.shape
        for row in range(out.shape[0]):
            mean = np.empty(channels)
            for col in range(out.shape[1]):
                mean[:] = 0.0
                c = corners[row : row + 2, col : col + 2]
                if not np.isfinite(c).all():
                    out[row, col] = 0
                    continue
                for j in range(samples):
                    down = (j + 0.5) / samples
                    for i in range(samples):
                        along = (i + 0.5) / samples
                        nw, ne = (1 - along) * (1 - down), along * (1 - down)
                        sw, se = (1 - along) * down, along * down
                        x = nw * c[0, 0, 0] + ne * c[0, 1, 0] + sw * c[1, 0, 0] + se * c[1, 1, 0]
                        y = nw * c[0, 0, 1] + ne * c[0, 1, 1] + sw * c[1, 0, 1] + se * c[1, 1, 1]
                        u = min(max(x * scale - 0.5, 0.0), width - 1.0)
                        v = min(max(y * scale - 0.5, 0.0), height - 1.0)
                        left, top = int(u), int(v)
                        right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
                        a, b = u - left, v - top
                        for k in range(channels):
                            above = pixels[top, left, k] * (1 - a) + pixels[top, right, k] * a
                            below = pixels[bottom, left, k] * (1 - a) + pixels[bottom, right, k] * a
                            mean[k] += above * (1 - b) + below * b
                for k in range(channels):
                    out[row, col, k] = np.uint8(mean[k] / (samples * samples) + 0.5)
