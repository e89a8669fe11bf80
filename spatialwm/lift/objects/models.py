"""The trained models that can help to point at things, where they are on this machine."""

from __future__ import annotations

from importlib.util import find_spec

from spatialwm.lift.image.hub.models import MASKS
from spatialwm.lift.image.hub.weights import MissingModelError, weights_of
from spatialwm.lift.objects.find import BoxesFor, MaskAt


def mask_model() -> MaskAt | None:
    """SAM 2, where transformers and its weights are here; None otherwise, since nothing depends on it."""
    if find_spec("transformers") is None:
        return None
    try:
        weights_of(MASKS)
    except MissingModelError:
        return None
    from spatialwm.lift.image.hub.masks import mask_at

    return mask_at


def word_model() -> BoxesFor:
    """Grounding DINO; it says itself what is missing when it is asked."""
    from spatialwm.lift.image.hub.words import boxes_for

    return boxes_for
