"""Evaluation draws real pictures: they show where things are, and only where things are."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.dynamics.episode import Forecast
from spatialwm.dynamics.gwm.measure import errors
from spatialwm.dynamics.gwm.pictures import BACKGROUND, camera_over, drawn, dynamic_region, region_psnr


@pytest.fixture(scope="module")
def moving(toy):
    """An episode and a start from which something moves, ten steps on."""
    for seed in range(20):
        episode = toy.episode(seed)
        far = np.linalg.norm(episode.track.poses[12, :, :2] - episode.track.poses[2, :, :2], axis=1)
        if far.max() > 0.05:
            return episode, 2
    raise AssertionError("nothing moves in the toy")


def test_a_picture_shows_the_objects_in_their_colors_where_they_are(toy):
    cast = toy.cast(np.random.default_rng(0), objects=1)
    pose = np.array([[0.0, 0, 0.03, 1, 0, 0, 0]])
    camera = camera_over(pose, 64)
    picture = drawn(cast, pose, camera)
    assert np.allclose(picture[0, 0], BACKGROUND, atol=1e-3)
    assert np.abs(picture[32, 32] - cast.colors[0, 0]).max() < 0.1
    aside = drawn(cast, pose + np.array([[10.0, 0, 0, 0, 0, 0, 0]]), camera)
    assert np.allclose(aside, np.broadcast_to(BACKGROUND, aside.shape), atol=1e-3)


def test_the_truth_drawn_against_itself_is_perfect_and_a_displaced_one_is_not(moving):
    episode, start = moving
    truth = np.asarray(episode.track.poses[start + 1 : start + 11], np.float64)
    right = errors([(episode, start)], [Forecast(truth, np.zeros(truth.shape[:2]))])
    assert right.region_psnr_db[10] > 100
    assert right.point_mm[10] == pytest.approx(0.0, abs=1e-3)
    displaced = truth.copy()
    displaced[..., 0] += 0.05
    wrong = errors([(episode, start)], [Forecast(displaced, np.zeros(truth.shape[:2]))])
    assert wrong.region_psnr_db[10] < 25
    assert wrong.point_mm[10] == pytest.approx(50.0, rel=1e-3)


def test_the_dynamic_region_is_where_the_true_picture_changes(moving):
    episode, start = moving
    camera = camera_over(episode.track.poses.reshape(-1, 7), 64)
    before, after = (drawn(episode.cast, episode.track.poses[i], camera) for i in (start, start + 10))
    region = dynamic_region(before, after)
    assert 0.001 < region.mean() < 0.5
    assert not dynamic_region(before, before).any()
    assert region_psnr(before, after, region) < 30
