from __future__ import annotations

import numpy as np

from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.sky import find_sky


def picture(top: tuple[int, int, int], bottom: tuple[int, int, int], noise: float = 3.0) -> np.ndarray:
    rgb = np.empty((120, 160, 3))
    rgb[:60], rgb[60:] = top, bottom
    rgb[20:60, 50:80] = bottom  # a tower
    return (rgb + np.random.default_rng(0).normal(0, noise, rgb.shape)).clip(0, 255).astype(np.uint8)


def sky_of(rgb: np.ndarray) -> np.ndarray:
    below = np.radians(np.linspace(-25, 25, 120))[:, None] * np.ones((1, 160))
    return find_sky(Look.of(rgb), below)


def test_sky_reaches_every_border_of_the_picture_and_ends_at_the_tower() -> None:
    sky = sky_of(picture((140, 180, 235), (70, 80, 60)))
    assert sky[0].all()
    assert sky[:50, 0].all()
    assert not sky[25:58, 53:77].any()
    assert not sky[70:].any()


def test_a_cloud_that_hangs_free_is_sky() -> None:
    rgb = picture((140, 180, 235), (70, 80, 60))
    rgb[10:14, 110:125] = (90, 90, 100)
    assert sky_of(rgb)[11:13, 112:123].all()


def test_a_brown_ceiling_is_no_sky() -> None:
    assert not sky_of(picture((120, 90, 60), (150, 130, 110))).any()
