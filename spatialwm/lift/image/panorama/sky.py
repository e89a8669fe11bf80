"""Which pixels of an open panorama are sky, to the picture's own edges."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import label

from spatialwm.lift.image.embedded.guided import guided
from spatialwm.lift.image.panorama.sphere import seamless

_WINDOW_RAD = math.radians(1.2)
_EPSILON = 2e-4
_SMALLEST = 4e-4
"""Of the sphere: smaller patches of sky are windows, smaller solid things in the sky are birds and noise."""


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
    sky = _without_small(sky)
    return ~_without_small(~sky)


def _without_small(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Only its larger parts, by solid angle; a part that the seam cuts is one part."""
    height, width = mask.shape
    parts = np.asarray(label(np.tile(mask, 3))[0])[:, width : 2 * width]
    level = np.sin((np.arange(height) + 0.5) / height * np.pi)
    solid = np.broadcast_to(level[:, None], mask.shape) / (level.sum() * width)
    sizes = np.bincount(parts.ravel(), weights=solid.ravel())
    return mask & (sizes[parts] > _SMALLEST)
