"""Which way is up where nothing was built: the far end of open ground lies at eye level."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.lift.image.panorama.contact import find_contact
from spatialwm.lift.image.panorama.level import OWN_UP, Level, cone, turning
from spatialwm.lift.image.panorama.regions import find_regions
from spatialwm.lift.image.panorama.sphere import turned

_SLACK_RAD = math.radians(22.0)
_SOFT_DEG = 2.0
"""Ground 50 m away ends that much below eye level."""
_SHARE = 0.3
"""Of all directions that must show the ground's far end near eye level."""
_SECTORS = 8
_HEIGHT = 192


def level_from_ground(rgb: Float[np.ndarray, "h w 3"]) -> Level | None:
    """Up so that the far ends of the ground lie at eye level or below; None where they do not agree on it."""
    pano_from_level, slack_rad = np.eye(3), _SLACK_RAD
    agreeing = 0.0
    for _ in range(4):
        picture = np.clip(turned(rgb, pano_from_level, _HEIGHT), 0, 1)
        regions = find_regions(picture, slack_rad)
        below_rad = find_contact(regions, picture.mean(-1), -slack_rad)
        up, agreeing = _great_circle(below_rad)
        pano_from_level = pano_from_level @ turning(up, np.array(OWN_UP)).T
        slack_rad = max(math.radians(4), slack_rad / 2)
    if agreeing < _SHARE:
        return None
    return Level(pano_from_level @ np.array(OWN_UP), math.radians(1.0), "the far ends of open ground")


def _great_circle(below_rad: Float[np.ndarray, " w"]) -> tuple[np.ndarray, float]:
    """Up such that most of a line lies at eye level and hardly any of it above; with the share that lies within reach."""
    width = len(below_rad)
    azimuth = (np.arange(width) + 0.5) / width * 2 * np.pi - np.pi
    level = np.cos(below_rad)
    points = np.stack([level * np.sin(azimuth), np.sin(below_rad), level * np.cos(azimuth)], -1)
    up = np.array(OWN_UP)
    for reach_deg, step_deg in ((24.0, 1.5), (2.0, 0.25)):
        around = cone(math.radians(reach_deg), math.radians(step_deg)) @ turning(np.array(OWN_UP), up).T
        height_deg = np.degrees(np.arcsin(np.clip(around @ points.T, -1, 1)))
        # Things stand before the far end of the ground, never behind it: what lies lower counts less, what lies higher is wrong.
        score = np.where(height_deg < 0, np.exp(height_deg / _SOFT_DEG), 1 - np.minimum(height_deg / _SOFT_DEG, 3)).sum(1)
        up = around[int(score.argmax())]
    for limit_deg in (4, 3, 2, 2, 2, 2):
        height_deg = -np.degrees(np.arcsin(np.clip(points @ -up, -1, 1)))
        weight = np.exp(-((height_deg / np.where(height_deg < 0, limit_deg, 4 * limit_deg)) ** 2))
        turned_up = np.linalg.eigh(np.einsum("n,ni,nj->ij", weight, points, points))[1][:, 0]
        up = turned_up if turned_up[1] < 0 else -turned_up
    near = np.abs(np.arcsin(points @ up)) < math.radians(_SOFT_DEG)
    # Houses close by agree with a tilted circle too, but only on the side to which it is tilted.
    sectors = [sector.mean() > _SHARE / 3 for sector in np.array_split(near, _SECTORS)]
    return up, float(near.mean()) if sum(sectors) > 0.7 * _SECTORS else 0.0
