"""Unknown pixels get values of those around."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.image.layers.fill import blurred, diffused, nearest


def test_known_values_stay_and_unknown_ones_lie_between() -> None:
    rng = np.random.default_rng(0)
    values, known = rng.random((37, 51, 3)).astype(np.float32), rng.random((37, 51)) < 0.3
    filled = diffused(values, known, False)
    assert np.allclose(filled[known], values[known], atol=1e-5)
    assert filled.min() >= values[known].min() - 1e-5
    assert filled.max() <= values[known].max() + 1e-5


def test_unknown_values_do_not_leak() -> None:
    values, known = np.full((40, 40, 1), 0.2, np.float32), np.ones((40, 40), bool)
    known[10:30, 10:30] = False
    values[~known] = 1e6
    assert np.allclose(diffused(values, known, False), 0.2, atol=1e-4)


def test_one_known_pixel_fills_everything() -> None:
    values, known = np.zeros((33, 20, 1), np.float32), np.zeros((33, 20), bool)
    values[5, 7], known[5, 7] = 3.0, True
    assert np.allclose(diffused(values, known, False), 3.0)


def test_around_the_seam_the_nearest_is_on_the_other_side() -> None:
    known = np.zeros((8, 64), bool)
    known[4, 62] = True
    distance, row, column = nearest(known, True, 20)
    assert distance[4, 1] == 3
    assert (row[4, 1], column[4, 1]) == (4, 62)
    assert nearest(known, False, 20)[0][4, 1] == 61


def test_blurring_keeps_what_is_even_and_the_mean_of_what_is_not() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((50, 70, 3)).astype(np.float32)
    assert np.allclose(blurred(np.full_like(values, 0.3), 4, False), 0.3, atol=1e-5)
    soft = blurred(values, 3, False)
    assert soft.shape == values.shape
    assert soft.std() < 0.3 * values.std()
    assert abs(float(soft.mean() - values.mean())) < 0.01
