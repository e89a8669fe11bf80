"""Pictures of all directions: looking one up along any ray, turning it, and filters that know that it has no border."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.ndimage import gaussian_filter1d, label, map_coordinates
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from spatialwm.lift.image.rays import Rays
from spatialwm.lift.pictures.area import area_averaged

_AROUND_DEG = (1.5, 4.0, 10.0, 25.0, 60.0)
_ENOUGH = 0.03
_FILL_ROWS = 96


def look_up(
    picture: Shaped[np.ndarray, "h w *c"], directions: Float[np.ndarray, "*n 3"], order: int = 1
) -> Float[np.ndarray, "*n *c"]:
    """float32 values of an equirectangular picture along unit directions; the seam and the poles are places like any other."""
    height, width = picture.shape[:2]
    x, y, z = np.moveaxis(directions, -1, 0)
    column = (np.arctan2(x, z) + np.pi) / (2 * np.pi) * width - 0.5
    row = np.arccos(np.clip(-y, -1, 1)) / np.pi * height - 0.5
    padded = wrapped(picture.astype(np.float32), 2)
    flat = padded.reshape(*padded.shape[:2], -1)
    out = np.empty((*column.shape, flat.shape[-1]), np.float32)
    for c in range(flat.shape[-1]):
        out[..., c] = map_coordinates(flat[..., c], [row + 2, column + 2], order=order, mode="nearest", prefilter=False)
    return out.reshape(*column.shape, *picture.shape[2:])


def turned(
    picture: Shaped[np.ndarray, "h w *c"], old_from_new: Float[np.ndarray, "3 3"], height: int, order: int = 1
) -> Shaped[np.ndarray, "height width *c"]:
    """The picture as another frame of reference sees it, ``height`` rows high."""
    return look_up(picture, Rays.panorama(2 * height, height).directions @ old_from_new.T, order)


def wrapped(picture: Shaped[np.ndarray, "h w *c"], margin: int) -> np.ndarray:
    """With a border all around, made of what is really there: across the seam, and beyond the poles on the other side."""
    height, width = picture.shape[:2]
    margin = min(margin, height, width // 2)
    opposite = np.roll(picture, width // 2, axis=1)
    tall = np.concatenate([opposite[:margin][::-1], picture, opposite[height - margin :][::-1]])
    return np.concatenate([tall[:, width - margin :], tall, tall[:, :margin]], axis=1)


def seamless(
    filtered: Callable[..., np.ndarray], margin: int, *pictures: Shaped[np.ndarray, "h w *c"]
) -> np.ndarray:
    """What a filter for ordinary pictures makes of equirectangular ones when it sees ``margin`` pixels past every border."""
    out = filtered(*(wrapped(p, margin) for p in pictures))
    return out[margin : out.shape[0] - margin, margin : out.shape[1] - margin]


def blurred(picture: Float[np.ndarray, "h w *c"], sigma_rad: float) -> Float[np.ndarray, "h w *c"]:
    """Gaussian blur of equal width everywhere on the sphere, within what a row can show of it."""
    height, width = picture.shape[:2]
    per_row = sigma_rad * height / np.pi
    margin = min(height, int(np.ceil(4 * per_row)) + 1)
    smooth = seamless(lambda p: gaussian_filter1d(p, per_row, axis=0, mode="nearest"), margin, picture)
    # Along a row the same angle spans 1/sin(polar) times as many columns: done on the row's own frequencies, which are periodic.
    level = np.sin((np.arange(height) + 0.5) / height * np.pi)
    sigma = np.minimum(per_row / np.maximum(level, 1e-6), width)
    frequency = np.fft.rfftfreq(width)
    gain = np.exp(-2 * (np.pi * sigma[:, None] * frequency) ** 2)
    gain = gain.reshape(*gain.shape, *[1] * (picture.ndim - 2))
    return np.fft.irfft(np.fft.rfft(smooth, axis=1) * gain, width, axis=1).astype(picture.dtype)


def parts_of(mask: Bool[np.ndarray, "h w"]) -> Int[np.ndarray, "h w"]:
    """Numbers of the connected parts, 0 where there is none; what the seam cuts is one part."""
    parts = np.zeros(mask.shape, np.int32)
    count = cast(int, label(mask, output=parts))
    across = mask[:, 0] & mask[:, -1]
    pairs = coo_array((np.ones(across.sum()), (parts[across, 0], parts[across, -1])), shape=(count + 1, count + 1))
    return connected_components(pairs, directed=False)[1][parts]


def filled(values: Float[np.ndarray, "h w c"], known: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w c"]:
    """Known values as they are; elsewhere a smooth mean of the known ones around, as near as there are some."""
    height, _, channels = values.shape
    if known.all() or not known.any():
        return values.astype(np.float32)
    rows = min(height, _FILL_ROWS)
    weighted = np.concatenate([values * known[..., None], known[..., None]], -1).astype(np.float32)
    weighted = area_averaged(weighted, 2 * rows, rows)
    out, missing = np.zeros((rows, 2 * rows, channels), np.float32), np.ones((rows, 2 * rows), bool)
    for sigma_deg in _AROUND_DEG:
        near = blurred(weighted, np.radians(sigma_deg))
        reached = missing & (near[..., -1] > (_ENOUGH if sigma_deg != _AROUND_DEG[-1] else 0))
        out[reached] = near[reached][:, :-1] / near[reached][:, -1:]
        missing &= ~reached
    if missing.any():
        out[missing] = values[known].mean(0)
    smooth = look_up(blurred(out, np.radians(2)), Rays.panorama(2 * height, height).directions)
    return np.where(known[..., None], values, smooth).astype(np.float32)
