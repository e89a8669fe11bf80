from __future__ import annotations

import numpy as np
import pytest

from spatialwm.lift.image.embedded.furnished import box_weight, usual_log_ahead
from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.room import Room
from spatialwm.lift.image.embedded.view import View, find_view
from spatialwm.lift.image.photo import Hints, Photo
from spatialwm.scene.scale import EYE_HEIGHT_M


@pytest.fixture(scope="module")
def level_view() -> View:
    grey = np.full((120, 160, 3), 128, np.uint8)
    photo = Photo(name="grey", rgb=grey, focal_px=100.0, hints=Hints(horizon=((0.0, 0.5), (1.0, 0.5))))
    return find_view(photo, Look.of(grey))


def room(view: View, floor: np.ndarray, sigma: float = 0.0) -> Room:
    shape = (view.height, view.width)
    return Room(np.zeros(shape), np.full(shape, sigma), floor.astype(float))


def test_the_usual_room_is_the_nearer_the_lower_one_looks_and_never_beyond_its_floor_nor_its_wall(
    level_view: View,
) -> None:
    ahead = np.exp(usual_log_ahead(level_view))
    below = level_view.below_horizon_rad[:, 80] > 0
    assert (np.diff(ahead[below, 80]) < 0).all()
    assert np.allclose(ahead[~below], 2 * EYE_HEIGHT_M)
    bare = EYE_HEIGHT_M * level_view.level[..., 1] / np.maximum(-level_view.level[..., 2], 1e-9)
    assert (ahead[below] < bare[below]).all()
    assert ahead.max() < 2 * EYE_HEIGHT_M + 1e-9


def test_a_box_weighs_most_where_the_likely_ones_agree_with_each_other_and_with_the_colors(level_view: View) -> None:
    floor = level_view.below_horizon_rad > 0.2
    best = box_weight(level_view, room(level_view, floor), floor.astype(float))
    assert best == pytest.approx(0.8)
    assert box_weight(level_view, room(level_view, floor), 1.0 - floor) == pytest.approx(0.4)
    assert box_weight(level_view, room(level_view, floor, sigma=0.1), floor.astype(float)) == pytest.approx(best / 2)
    assert 0 < box_weight(level_view, room(level_view, np.zeros_like(floor)), np.zeros(floor.shape)) <= best
