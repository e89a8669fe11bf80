"""What a picture was taken for: a room, a street or open ground, a landscape, or a thing close by."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool

from spatialwm.lift.image.embedded.view import View

Kind = Literal["room", "street", "open ground", "landscape", "close-up"]


def find_kind(view: View, sky: Bool[np.ndarray, "h w"], indoors: bool | None) -> Kind:
    """From the sky, the straight edges, and what the user says."""
    if indoors:
        return "room"
    built = view.manhattan.upright + view.manhattan.square
    if sky.mean() > 0.015 or indoors is False:
        if built > 0.3 and view.built:
            return "street"
        return "landscape" if sky.any() and built < 0.22 and not view.built else "open ground"
    return "room" if view.built else "close-up"
