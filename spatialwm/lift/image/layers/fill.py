"""Values for pixels that have none, from those around that have."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from scipy import ndimage

_COARSEST = 4


def diffused(values: Float[np.ndarray, "h w c"], known: Bool[np.ndarray, "h w"], wraps: bool) -> Float[np.ndarray, "h w c"]:
    """Known values as they are, between them smooth ones: averages over ever larger blocks (pull-push, Gortler et al. 1996)."""
    weight = known.astype(np.float32)[..., None]
    levels = [(values.astype(np.float32) * weight, weight)]
    while min(levels[-1][1].shape[:2]) > _COARSEST and levels[-1][1].min() < 1:
        levels.append((_halved(levels[-1][0]), np.minimum(_halved(levels[-1][1]), np.inf)))
    total, weight = levels.pop()
    filled = np.where(weight > 0, total / np.maximum(weight, 1e-12), total.sum((0, 1)) / max(float(weight.sum()), 1e-12))
    for total, weight in reversed(levels):
        own = np.minimum(weight, 1)
        coarse = _doubled(filled, (total.shape[0], total.shape[1]), wraps)
        filled = own * total / np.maximum(weight, 1e-12) + (1 - own) * coarse
    return filled


def blurred(values: Float[np.ndarray, "h w c"], octaves: int, wraps: bool) -> Float[np.ndarray, "h w c"]:
    """Averages over about ``2 ** octaves`` pixels, at a cost that does not grow with them."""
    shapes, out, weight = [], values, np.ones_like(values[..., :1])
    for _ in range(octaves):
        shapes.append((out.shape[0], out.shape[1]))
        out, weight = _halved(out), _halved(weight)
    out = out / weight
    for shape in reversed(shapes):
        out = _doubled(out, shape, wraps)
    return out


def _halved(values: np.ndarray) -> np.ndarray:
    """Sums over 2x2 blocks; weights above one are as good as one."""
    height, width = values.shape[:2]
    even = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    return even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]


def _doubled(values: np.ndarray, shape: tuple[int, int], wraps: bool) -> np.ndarray:
    """Bilinear, twice as large."""
    out = values
    for axis in (0, 1):
        mode = "wrap" if wraps and axis == 1 else "nearest"
        pad = [(0, 0)] * 3
        pad[axis] = (1, 1)
        wide = np.pad(out, pad, mode="wrap" if mode == "wrap" else "edge")
        middle = wide.take(range(1, wide.shape[axis] - 1), axis)
        before = wide.take(range(wide.shape[axis] - 2), axis)
        after = wide.take(range(2, wide.shape[axis]), axis)
        both = np.stack([0.75 * middle + 0.25 * before, 0.75 * middle + 0.25 * after], axis + 1)
        out = both.reshape([2 * n if i == axis else n for i, n in enumerate(out.shape)])
    return out[: shape[0], : shape[1]]


def nearest(known: Bool[np.ndarray, "h w"], wraps: bool, reach_px: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every pixel the distance to the nearest known one, px, and its row and column."""
    width = known.shape[1]
    pad = min(reach_px, width) if wraps else 0
    wide = np.pad(known, ((0, 0), (pad, pad)), mode="wrap") if pad else known
    found: Any = ndimage.distance_transform_edt(~wide, return_indices=True)
    distance, (row, column) = found
    cut = slice(pad, pad + width)
    return distance[:, cut].astype(np.float32), row[:, cut], (column[:, cut] - pad) % width
