"""Beyond its border a picture goes on where its surfaces lead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spatialwm.lift.image.layers.border import widened

from .stills import CAMERA, HEIGHT, WIDTH, plane, surface

MARGIN = 12


@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.4, 0.0, 0.9), (0.05, 0.5, 0.85)])
def test_a_plane_goes_straight_on(normal: tuple[float, float, float]) -> None:
    wide, camera = widened(surface(plane(normal, 2.0)), CAMERA, MARGIN)
    assert (camera.width, camera.height) == (WIDTH + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    assert np.abs(wide.points @ np.asarray(normal) / 2.0 - 1).max() < 0.02


def test_the_picture_itself_stays_and_the_rest_is_marked_unseen() -> None:
    made = surface(plane((0.0, 0.0, 1.0), 2.0))
    made.rgb[:] = np.random.default_rng(0).random(made.rgb.shape)
    wide, _ = widened(made, CAMERA, MARGIN)
    inner = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    assert wide.seen[inner].all()
    assert wide.seen.sum() == HEIGHT * WIDTH
    assert np.array_equal(wide.rgb[inner], made.rgb)
    assert np.allclose(wide.distance[inner], made.distance, rtol=1e-6)
    assert wide.confidence[~wide.seen].max() < 0.6


def test_the_sky_goes_on_as_sky() -> None:
    sky = np.zeros((HEIGHT, WIDTH), bool)
    sky[:20] = True
    wide, _ = widened(replace(surface(np.where(sky, 50.0, 5.0)), sky=sky), CAMERA, MARGIN)
    assert wide.sky[:MARGIN].all()
    assert np.allclose(wide.distance[:MARGIN], 50.0)
