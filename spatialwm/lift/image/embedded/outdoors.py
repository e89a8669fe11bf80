"""Streets, open ground and landscapes: level ground, what stands on it, and sky."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import maximum, minimum, minimum_filter

from spatialwm.lift.image.embedded.guided import guided
from spatialwm.lift.image.embedded.kind import Kind
from spatialwm.lift.image.embedded.labels import ground_probability
from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.pieces import pieces
from spatialwm.lift.image.embedded.regions import Regions
from spatialwm.lift.image.embedded.standing import standing_depth
from spatialwm.lift.image.embedded.surfaces import Surfaces, feet, upright_share
from spatialwm.lift.image.embedded.view import View
from spatialwm.scene.scale import EYE_HEIGHT_M

FAR_M: dict[Kind, float] = {"street": 120.0, "open ground": 150.0, "landscape": 600.0}
"""Where things end: nearer the horizon a pixel of ground spans more than its distance tells."""
_NEAR_RAD = math.radians(4)
_EVEN = 0.25
_LEAST_RAD = math.radians(0.3)
"""Below the horizon, of anything that can be told to be ground."""
_SPECK = 0.004
"""Of the picture: ground that does not reach the lower edge is larger than that or not ground."""
_LOW, _SMALL = 0.6, 0.02
"""Angle below the horizon of the top over that of the foot, and share of the picture, of what is taken to be flat."""
_HAZE_TRUST = 0.25
_CLEAR_M, _THICK = 15.0, 0.5
"""How far things are that no haze hides, and the optical depth at which they are as far as things can be."""


def outdoor_surfaces(look: Look, view: View, regions: Regions, sky: Bool[np.ndarray, "h w"], kind: Kind) -> Surfaces:
    """Ground by its colour and place; the rest stands on it where it touches it; the far is hazy."""
    below, far = view.below_horizon_rad, math.log(FAR_M[kind])
    ground_of = ground_probability(regions, below, sky, upright_share(view, regions), _NEAR_RAD, _EVEN)
    soft = guided(look.rgb, ground_of[regions.labels], 6, 1e-3)
    ground = _with_low_things(_without_specks((soft > 0.5) & (below > _LEAST_RAD) & ~sky), below)
    ground_ahead = np.minimum(ground_log_ahead(view), far)
    known, trust = feet(regions, ground, sky, ground_ahead)
    # At the horizon a slip of the tilt is all of the distance.
    foot_rad = EYE_HEIGHT_M / np.exp(known)
    trust = trust / (1 + (view.tilt_sigma_rad / foot_rad) ** 2)
    ground_share, sky_share = regions.mean(ground.astype(float)), regions.mean(sky.astype(float))
    stands = 1 - ground_share - sky_share > 0.1  # a patch half in the sky still needs a distance for its other half
    afar = stands & (trust < 0.05) & (regions.mean(below) < 0)
    known = np.where(afar, _by_haze(look, regions, sky, far), known)
    trust = np.where(afar, _HAZE_TRUST if kind == "landscape" else 0.0, trust) * stands
    standing = np.minimum(standing_depth(regions, stands, known, trust), far)[regions.labels]
    # A pixel below the horizon never lies beyond the ground that it would otherwise show.
    standing = np.minimum(standing, ground_ahead)
    tilt = np.clip(view.tilt_sigma_rad / np.maximum(below, 1e-3), 0, 1)
    sure = np.where(ground, 0.92 - 0.5 * tilt, 0.45 + 0.3 * np.minimum(trust, 1)[regions.labels])
    sure = sure * (0.5 + 0.5 * np.abs(2 * np.clip(soft, 0, 1) - 1))
    log_ahead = np.where(ground, ground_ahead, standing)
    return Surfaces(log_ahead, sure, EYE_HEIGHT_M, 0.25 if kind == "street" else 0.5 if kind == "landscape" else 0.35)


def ground_log_ahead(view: View, eye_height_m: float = EYE_HEIGHT_M) -> Float[np.ndarray, "h w"]:
    """Log distance ahead of level ground; very far at the horizon and above it."""
    down = np.maximum(-view.level[..., 2], 1e-6)
    return np.log(eye_height_m * np.maximum(view.level[..., 1], 0.05) / down)


def _without_specks(ground: np.ndarray) -> np.ndarray:
    parts = pieces(ground)
    area = np.bincount(parts.ravel())
    keep = area > _SPECK * ground.size
    keep[np.unique(parts[-1])] = True
    keep[0] = False
    return keep[parts]


def _with_low_things(ground: np.ndarray, below_horizon_rad: np.ndarray) -> np.ndarray:
    """Ground with the markings, kerbs and puddles on it.

    Whatever stands on the ground hides it up to the horizon if it is as tall as the eyes are high, and up to half as far below
    the horizon as its foot if it is half as tall: what ends lower is flat.
    """
    parts = pieces(~ground & (below_horizon_rad > 0))
    if not parts.any():
        return ground
    area = np.bincount(parts.ravel())
    which = np.arange(1, len(area))
    foot, top = maximum(below_horizon_rad, parts, which), minimum(below_horizon_rad, parts, which)
    low = np.concatenate([[False], (np.asarray(top) > _LOW * np.asarray(foot)) & (area[1:] < _SMALL * ground.size)])
    return ground | low[parts]


def _by_haze(look: Look, regions: Regions, sky: np.ndarray, far: float) -> Float[np.ndarray, " n"]:
    """Log distance by how much of the air's light lies before each patch.

    Source: the dark channel of He, Sun and Tang, CVPR 2009, "Single image haze removal using dark channel prior": distance is
    proportional to the negative logarithm of what the haze lets through.
    """
    dark = minimum_filter(look.rgb.min(-1), 9)
    air = float(np.median(dark[sky])) if sky.any() else float(dark.max())
    through = 1 - 0.95 * np.clip(regions.mean(dark) / max(air, 0.05), 0, 1)
    share = np.clip(-np.log(np.maximum(through, 0.05)) / _THICK, 0, 1)
    return math.log(_CLEAR_M) * (1 - share) + far * share
