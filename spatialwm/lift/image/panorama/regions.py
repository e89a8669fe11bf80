"""Sky, ground or something upright: learned anew from every panorama, whose geometry tells some of each for certain.

What is far below eye level is mostly ground, what stands above eye level is never ground, and what is smooth, high and reaches up
to the zenith is sky. Everything else is named by its nearest neighbours in color and texture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial import KDTree

from spatialwm.lift.image.panorama.sphere import blurred, parts_of, wrapped
from spatialwm.lift.image.rays import Rays

_NEIGHBORS = 24
_SEEDS = 4000
_GROUND_BELOW, _SKY_ABOVE = -math.sin(math.radians(32)), math.sin(math.radians(8))
_UPRIGHT = (math.sin(math.radians(2)), math.sin(math.radians(40)))
_FINE_RAD, _COARSE_RAD = math.radians(1.0), math.radians(3.0)
_SMOOTH = 0.35
"""Texture of sky, as a share of the median texture between 30 degrees below and above eye level."""


_SOFT = 2.5
_BLUE = 0.08
_PLACE = (1.2, 1.0)
"""Weight of place beside color, around and up: the wall that goes on below eye level is the one above it."""


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """How likely each pixel is what; they add up to one."""

    sky: Float[np.ndarray, "h w"]
    upright: Float[np.ndarray, "h w"]
    ground: Float[np.ndarray, "h w"]


def find_regions(rgb: Float[np.ndarray, "h w 3"], slack_rad: float = 0.0) -> Regions:
    """Of an equirectangular picture, 0..1, some 200 rows high: texture has its scale.

    Args:
        slack_rad: how far it may be from level.
    """
    slack = math.sin(slack_rad)
    features, texture = _features(rgb)
    if slack:
        features = features[..., :-1]  # height above eye level is what is not known yet
    height, width = texture.shape
    directions = Rays.panorama(width, height).directions
    elevation = -directions[..., 1]
    level = np.sqrt(1 - elevation**2)
    sky, calm = _surely_sky(rgb, texture, elevation)
    upright = (elevation > _UPRIGHT[0] + slack) & (elevation < _UPRIGHT[1] + slack) & ~calm
    ground = elevation < _GROUND_BELOW - slack / 2
    seeds = [_drawn(mask, level) for mask in (sky, upright, ground)]
    flat = features.reshape(-1, features.shape[-1])
    names = np.repeat(np.arange(3), [len(s) for s in seeds])
    tree = KDTree(flat[np.concatenate(seeds)])
    _, near = tree.query(flat, k=_NEIGHBORS, workers=-1)
    share = np.stack([(names[near] == k).sum(1) for k in range(3)], -1).reshape(height, width, 3).astype(np.float32)
    share = share / _NEIGHBORS * 0.94 + 0.02
    # What geometry rules out, color cannot bring back.
    share[..., 2] *= elevation < slack
    share[..., 0] *= elevation > -math.sin(math.radians(2) + slack_rad)
    share /= share.sum(-1, keepdims=True)
    share = blurred(share, math.radians(0.7))
    return Regions(share[..., 0], share[..., 1], share[..., 2])


def _features(rgb: Float[np.ndarray, "h w 3"]) -> tuple[np.ndarray, np.ndarray]:
    """Opponent colors and textures, each of comparable spread, and the fine texture alone."""
    r, g, b = np.moveaxis(rgb, -1, 0)
    light, red, yellow = (r + g + b) / 3, r - g, (r + g) / 2 - b
    smooth = blurred(np.stack([light, red, yellow], -1), math.radians(0.7))
    step = wrapped(light, 1)
    level = np.sin((np.arange(len(light)) + 0.5) / len(light) * np.pi)[:, None]
    across = (step[1:-1, 2:] - step[1:-1, :-2]) / 2 / np.maximum(level, 0.1)
    energy = across**2 + ((step[2:, 1:-1] - step[:-2, 1:-1]) / 2) ** 2
    fine, coarse = (np.sqrt(np.maximum(blurred(energy, s), 0)) for s in (_FINE_RAD, _COARSE_RAD))
    textures = np.log(np.stack([fine, coarse], -1) + 0.004)
    x, y, z = np.moveaxis(Rays.panorama(*light.shape[::-1]).directions, -1, 0)
    around = np.hypot(x, z)
    place = np.stack([x / around * _PLACE[0], z / around * _PLACE[0], np.arcsin(-y) * _PLACE[1]], -1)
    features = np.concatenate([smooth * [3.0, 8.0, 8.0], textures * 0.7, place], -1)
    return features, fine


def _surely_sky(rgb: np.ndarray, texture: np.ndarray, elevation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smooth, high, not darker than the ground, and blue or connected with the zenith; and all that is smooth and high."""
    between = np.abs(elevation) < 0.5
    light = rgb.mean(-1)
    threshold = max(_SMOOTH * float(np.median(texture[between])), 0.012)
    calm = (texture < threshold) & (elevation > _SKY_ABOVE)
    calm &= light > np.median(light[elevation < 0]) * 0.8
    high = max(1, len(calm) // 12)
    parts = parts_of(calm)
    touching = np.unique(parts[:high][calm[:high]])
    known = np.isin(parts, touching)
    # Rims of clouds are less smooth: they belong to the sky that they lie in.
    soft = (texture < _SOFT * threshold) & (elevation > math.sin(math.radians(15)))
    parts = parts_of(soft | known)
    sizes, held = (np.bincount(parts.ravel(), weights=w, minlength=parts.max() + 1) for w in (None, known.ravel()))
    known |= (held > 0.5 * np.maximum(sizes, 1))[parts] & (parts > 0)
    blue = calm & (rgb[..., 2] - rgb[..., 0] > _BLUE) & (elevation > math.sin(math.radians(15)))
    return known | blue, calm


def _drawn(mask: Bool[np.ndarray, "h w"], level: np.ndarray) -> np.ndarray:
    """Flat indices of pixels of a mask, evenly over the sphere, always the same."""
    chosen = np.flatnonzero(mask)
    if not len(chosen):
        return chosen
    cumulative = np.cumsum(level.ravel()[chosen])
    at = (np.arange(_SEEDS) + 0.5) / _SEEDS * cumulative[-1]
    return np.unique(chosen[np.searchsorted(cumulative, at)])
