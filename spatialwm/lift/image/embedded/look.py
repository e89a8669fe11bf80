"""The reduced picture that everything is worked out on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import gaussian_filter, sobel

from spatialwm.geometry.color import srgb_to_linear
from spatialwm.lift.pictures.area import area_averaged

LONG_SIDE = 640
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) / [[0.9505], [1.0], [1.089]]
"""Linear sRGB to XYZ over the white point D65."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A picture of at most ``LONG_SIDE`` pixels, and what is derived from each pixel of it."""

    rgb: Float[np.ndarray, "h w 3"]
    """sRGB, 0..1."""
    lab: Float[np.ndarray, "h w 3"]
    """CIE L*a*b*."""
    gradient: Float[np.ndarray, "h w 2"]
    """Of L*, per pixel, along the row and along the column."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.rgb.shape[1], self.rgb.shape[0]

    @staticmethod
    def of(rgb: UInt8[np.ndarray, "h w 3"]) -> Look:
        """Reduce a picture; a smaller one stays as it is."""
        height, width = rgb.shape[:2]
        k = min(1.0, LONG_SIDE / max(width, height))
        small = area_averaged(rgb, max(2, round(width * k)), max(2, round(height * k))) / 255
        small = _without_frame(small)
        lab = _lab(small)
        smooth = gaussian_filter(lab[..., 0], 0.8)
        gradient = np.stack([sobel(smooth, 1), sobel(smooth, 0)], -1) / 8
        return Look(small.astype(np.float32), lab, gradient.astype(np.float32))


def _lab(rgb: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    xyz = srgb_to_linear(rgb) @ _XYZ.T
    f = np.where(xyz > 0.008856, np.cbrt(np.maximum(xyz, 1e-9)), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1).astype(np.float32)


def _without_frame(rgb: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w 3"]:
    """Painted over where a plain frame of up to 3 % surrounds the picture: its edges are not the world's."""
    out = rgb.copy()
    for turn in range(4):
        rows = np.rot90(out, turn)
        plain = rows[:, :].std(axis=1).max(-1) < 0.02
        most = max(2, round(0.03 * len(rows)))
        count = int(np.argmin(plain[: most + 1])) if not plain[: most + 1].all() else 0
        # The row across the border is blurred into the frame by the reduction.
        if count and np.abs(rows[count + 2].mean(0) - rows[0].mean(0)).max() > 0.1:
            rows[: count + 2] = rows[count + 2]
    return out
