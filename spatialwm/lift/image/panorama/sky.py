"""Which pixels of an open panorama are sky, to the picture's own edges."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation

from spatialwm.lift.image.embedded.guided import guided
from spatialwm.lift.image.panorama.sphere import filled, parts_of, seamless, wrapped

_WINDOW_RAD = math.radians(1.2)
_EPSILON = 2e-4
_SURE_RAD = math.radians(2.0)
_LIKE, _UNLIKE = 0.07, 0.25
"""Largest difference in a channel to the sky around: of what surely goes on, and of what may belong to it."""
_ROUNDS = 3
_SHARP = 0.06
_SMALLEST = 4e-4
"""Of the sphere: smaller patches of sky are windows and noise."""


def sky_mask(likely: Float[np.ndarray, "h w"], rgb: Float[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    """The sky of a level panorama, with edges where the picture has them, and without specks.

    Args:
        likely: 0..1.
        rgb: 0..1, of the same size.
    """
    radius = max(1, round(_WINDOW_RAD / math.pi * len(likely)))

    def follow(guide: np.ndarray, values: np.ndarray) -> np.ndarray:
        return guided(guide, values, radius, _EPSILON)

    sky = seamless(follow, 4 * radius, rgb, likely) > 0.5
    sky = _overhead(_grown(_overhead(sky), rgb))
    return sky | _floating(~sky)


def _grown(sky: Bool[np.ndarray, "h w"], rgb: np.ndarray) -> Bool[np.ndarray, "h w"]:
    """To all that continues its colours smoothly, and without what stands out of them: textures are blurry, colours sharp."""
    height = len(sky)
    reach = max(1, round(_SURE_RAD / math.pi * height))
    step = _steps(rgb)
    for _ in range(_ROUNDS):
        sure = seamless(lambda m: np.logical_not(binary_dilation(~m, iterations=reach)), 2 * reach, sky)
        if not sure.any():
            return sky
        off = np.abs(rgb - filled(rgb, sure)).max(-1)
        like = (off < _LIKE) & (step < _SHARP)
        like[height // 2 :] = False
        parts = parts_of(like | sky)
        sky = np.isin(parts, np.unique(parts[sure])) & (off < _UNLIKE)
    return sky


def _steps(rgb: np.ndarray) -> np.ndarray:
    light = wrapped(rgb.mean(-1), 1)
    return np.abs(light[1:-1, 2:] - light[1:-1, :-2]) + np.abs(light[2:, 1:-1] - light[:-2, 1:-1])


def _floating(solid: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Parts that stand on nothing: clouds with dark rims, birds."""
    height = len(solid)
    parts = parts_of(solid)
    return solid & ~np.isin(parts, np.unique(parts[height // 2]))


def _overhead(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Only what hangs together with the zenith, where that is sky; else its larger parts, by solid angle."""
    height, width = mask.shape
    parts = parts_of(mask)
    level = np.sin((np.arange(height) + 0.5) / height * np.pi)
    solid = np.broadcast_to(level[:, None], mask.shape) / (level.sum() * width)
    sizes = np.bincount(parts.ravel(), weights=solid.ravel())
    top = mask[: max(1, height // 20)]
    if top.mean() > 0.5:
        return np.isin(parts, np.unique(parts[: len(top)][top]))
    return mask & (sizes[parts] > _SMALLEST)
