from __future__ import annotations

import numpy as np
import pytest

from spatialwm.lift.image.embedded import EmbeddedDepth
from spatialwm.lift.image.photo import Photo


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (64, 48), (40, 400)], ids=str)
@pytest.mark.parametrize("content", ["noise", "black", "white"])
def test_any_picture_gives_a_complete_estimate(size: tuple[int, int], content: str) -> None:
    width, height = size
    rgb = np.full((height, width, 3), 255 if content == "white" else 0, np.uint8)
    if content == "noise":
        rgb = np.random.default_rng(0).integers(0, 256, rgb.shape, dtype=np.uint8)
    got = EmbeddedDepth().estimate(Photo(name="a picture", rgb=rgb))
    assert got.distance_m.shape == got.sky.shape == got.confidence.shape == (height, width)
    assert got.distance_m.dtype == got.confidence.dtype == np.float32
    assert np.isfinite(got.distance_m).all()
    assert (got.distance_m > 0).all()
    assert got.confidence.min() >= 0
    assert got.confidence.max() <= 1
    assert abs(np.linalg.norm(got.up) - 1) < 1e-6
    assert got.camera is not None
    assert (got.camera.width, got.camera.height) == size
    assert got.scale.method == "prior"
