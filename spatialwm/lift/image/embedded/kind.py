"""What a picture was taken for: a room, a street or open ground, a landscape, or a thing close by."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool

from spatialwm.lift.image.embedded.view import View
from spatialwm.lift.image.photo import Hints

Kind = Literal["room", "street", "open ground", "landscape", "close-up"]

_SKY = 0.015
"""Share of the picture from which sky tells that it was taken outdoors."""
_STREET, _NATURE = 0.3, 0.22
"""Share of the length of all edges along upright or the walls' axes: houses show more, hills less."""


def find_kind(view: View, sky: Bool[np.ndarray, "h w"], hints: Hints) -> Kind:
    """From what the user says, the sky, and how many edges run as those of buildings do."""
    if hints.indoors or (hints.corners and hints.indoors is None):
        return "room"
    built = view.manhattan.upright + view.manhattan.square
    if sky.mean() > _SKY or hints.indoors is False:
        if view.built and built > _STREET:
            return "street"
        return "landscape" if sky.any() and built < _NATURE else "open ground"
    return "room" if view.built else "close-up"
