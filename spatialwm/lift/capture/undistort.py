"""Photographs through a real lens become photographs through a pinhole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from numba import njit

from spatialwm.render.cpu.cache import kernels_cached_for

MIN_ZOOM, MAX_ZOOM = 0.85, 2.5
"""Of a barrel lens no more than this is stretched towards the corners: the middle would lose its detail."""
SAMPLES = 4
"""Across and down a pixel at most; beyond it the picture has been box-reduced before."""


@dataclass(frozen=True, slots=True)
class Lens:
    """Intrinsics with radial distortion, in pixels of the upright picture; pixel centres lie at half integers."""

    width: int
    height: int
    focal: float
    cx: float
    cy: float
    k1: float = 0.0
    k2: float = 0.0

    def distort(self, xy: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """Pixels at which the lens shows the directions ``(x, y, 1)``."""
        r2 = (xy * xy).sum(axis=-1, keepdims=True)
        return self.focal * xy * (1 + r2 * (self.k1 + self.k2 * r2)) + (self.cx, self.cy)


@dataclass(frozen=True, slots=True)
class Pinhole:
    """The camera that the undistorted picture was taken with."""

    width: int
    height: int
    focal: float
    cx: float
    cy: float


def pinhole_of(lens: Lens, long_px: int) -> Pinhole:
    """The widest pinhole camera of that longer side of which no pixel falls outside the picture."""
    k = min(1.0, long_px / max(lens.width, lens.height))
    width, height = max(1, round(lens.width * k)), max(1, round(lens.height * k))

    def at(zoom: float) -> Pinhole:
        return Pinhole(width, height, lens.focal * k * zoom, lens.cx * width / lens.width, lens.cy * height / lens.height)

    low, high = MIN_ZOOM, MAX_ZOOM
    if _inside(lens, at(low)):
        return at(low)
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if _inside(lens, at(middle)) else (middle, high)
    return at(high)


def _inside(lens: Lens, pinhole: Pinhole) -> bool:
    """Whether the border of the pinhole's picture lies within the lens's, where its distortion can be inverted."""
    along = np.linspace(0, 1, 65)
    zero, one = np.zeros(65), np.ones(65)
    border = np.stack([np.concatenate([along, along, zero, one]), np.concatenate([zero, one, along, along])], axis=-1)
    xy = (border * (pinhole.width, pinhole.height) - (pinhole.cx, pinhole.cy)) / pinhole.focal
    r2 = np.linspace(0, float((xy * xy).sum(axis=-1).max()), 65)
    if (1 + 3 * lens.k1 * r2 + 5 * lens.k2 * r2 * r2 <= 0).any():
        return False
    at = lens.distort(xy) / (lens.width, lens.height)
    return bool((at >= -1e-6).all() and (at <= 1 + 1e-6).all())


def undistort(rgb: UInt8[np.ndarray, "h w 3"], reduced: int, lens: Lens, pinhole: Pinhole) -> UInt8[np.ndarray, "H W 3"]:
    """The picture as the pinhole camera would have taken it: each pixel the mean over its own area.

    Args:
        rgb: the upright picture, ``reduced`` times smaller than ``lens`` describes.
    """
    samples = min(SAMPLES, max(1, math.ceil(lens.focal / pinhole.focal / reduced)))
    out = np.empty((pinhole.height, pinhole.width, 3), np.uint8)
    of_lens = np.array([lens.focal, lens.cx, lens.cy, lens.k1, lens.k2])
    _resample(np.ascontiguousarray(rgb), 1.0 / reduced, of_lens, np.array([pinhole.focal, pinhole.cx, pinhole.cy]), samples, out)
    return out


with kernels_cached_for(Path(__file__).parent):

    @njit(cache=True, nogil=True)
    def _resample(rgb, scale, lens, pinhole, samples, out):
        """Write each pinhole pixel's mean colour: bilinear at ``samples x samples`` places in it."""
        height, width, _ = rgb.shape
        for row in range(out.shape[0]):
            mean = np.empty(3)
            for col in range(out.shape[1]):
                mean[:] = 0.0
                for j in range(samples):
                    y = (row + (j + 0.5) / samples - pinhole[2]) / pinhole[0]
                    for i in range(samples):
                        x = (col + (i + 0.5) / samples - pinhole[1]) / pinhole[0]
                        r2 = x * x + y * y
                        bend = lens[0] * (1 + r2 * (lens[3] + lens[4] * r2))
                        u = min(max((x * bend + lens[1]) * scale - 0.5, 0.0), width - 1.0)
                        v = min(max((y * bend + lens[2]) * scale - 0.5, 0.0), height - 1.0)
                        left, top = int(u), int(v)
                        right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
                        a, b = u - left, v - top
                        for k in range(3):
                            above = rgb[top, left, k] * (1 - a) + rgb[top, right, k] * a
                            below = rgb[bottom, left, k] * (1 - a) + rgb[bottom, right, k] * a
                            mean[k] += above * (1 - b) + below * b
                for k in range(3):
                    out[row, col, k] = np.uint8(mean[k] / (samples * samples) + 0.5)
