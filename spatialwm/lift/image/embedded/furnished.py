"""Furnished rooms as they are on the whole: the nearer, the lower in view, whatever stands there."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.lift.image.embedded.room import Room
from spatialwm.lift.image.embedded.surfaces import LEAST_AHEAD
from spatialwm.lift.image.embedded.view import View
from spatialwm.scene.scale import EYE_HEIGHT_M

_DEEP = 2.0
"""Eye heights to the far wall; 3 has a little less error on the whole, but loses more often to one distance everywhere."""
_BARE, _SEEN = 0.4, 0.4
"""What the box weighs against the usual room, and what more where its floor is the floor that the colours tell."""
_AGREE = 0.1
"""Disagreement of the likely boxes, in log distance, that halves that."""
SIGMA = 0.3
"""Of the logarithm of the usual room's distances."""


def usual_log_ahead(view: View) -> Float[np.ndarray, "h w"]:
    """Log distance ahead of a floor that rises into furniture and that into a wall, without a line where one ends.

    Over 60 views of furnished rooms from eye heights of 0.9 to 1.7 m, after the median is aligned, it is as near the truth as
    what their edges tell (mean relative error 0.275 against 0.283), and its errors are others: weighed together they have 0.253.
    """
    steep = np.maximum(-view.level[..., 2], 0) / np.maximum(view.level[..., 1], LEAST_AHEAD)
    return math.log(EYE_HEIGHT_M) - 0.5 * np.log(steep**2 + 1 / _DEEP**2)


def box_weight(view: View, room: Room, ground: Float[np.ndarray, "h w"]) -> float:
    """How much the box that was found is worth against the usual room.

    The likely boxes differ where little supports them; where furniture hides the floor they agree, but not with the colours.

    Args:
        ground: probability of each pixel to be floor by its colour and place.
    """
    below = view.below_horizon_rad > 0
    by_colour, by_box = np.clip(ground[below], 0, 1), room.floor[below]
    union = float(np.maximum(by_colour, by_box).sum())
    seen = float(np.minimum(by_colour, by_box).sum()) / max(union, 1e-6)
    return (_BARE + _SEEN * seen) / (1 + float(room.sigma.mean()) / _AGREE)
