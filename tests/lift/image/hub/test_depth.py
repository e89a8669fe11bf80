"""Every learned depth class, tiny and with random weights, saved as published and run through the production path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spatialwm.lift.image.hub.depth import HubDepth
from spatialwm.lift.image.hub.models import MODELS
from spatialwm.lift.image.photo import Photo

NAMES = ["depth-anything-v2-metric-indoor-small", "depth-anything-v2-metric-outdoor-small", "depth-pro", "zoedepth"]


@pytest.mark.parametrize("name", NAMES)
def test_every_class_gives_finite_positive_distances_at_the_size_of_the_picture(name: str, saved: Path, photo: Photo) -> None:
    made = HubDepth(MODELS[name], saved / name, ["cpu"]).estimate(photo)
    assert made.distance_m.shape == made.sky.shape == made.confidence.shape == photo.rgb.shape[:2]
    assert made.distance_m.dtype == made.confidence.dtype == np.float32
    assert np.isfinite(made.distance_m).all()
    assert made.distance_m.min() > 0
    assert made.distance_m.std() > 0
    assert 0 <= made.confidence.min() < made.confidence.max() <= 1
    assert made.camera is not None
    assert (made.camera.width, made.camera.height) == photo.size
    assert name in made.backend
    assert made.scale.method == "model"
