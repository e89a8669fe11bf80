"""A panorama's geometry against panoramas that were drawn."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.errors import LiftError
from spatialwm.lift.image.panorama import PanoramaDepth
from spatialwm.lift.image.panorama.layout import Layout
from spatialwm.lift.image.photo import Hints, Photo

from .drawn import room, square, tilted

HEIGHT = 384
BOX = Layout.box(2.4, 3.1, 1.7, 2.2, 1.6, 1.0)


def estimate(rgb: np.ndarray, **hints):
    return PanoramaDepth().estimate(Photo(name="drawn", rgb=rgb, panorama=True, hints=Hints(**hints)))


def off_level_deg(up, level_from_pano: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(-(level_from_pano @ np.array(up))[1], -1, 1))))


def on_sphere(values: np.ndarray) -> float:
    level = np.sin((np.arange(len(values)) + 0.5) / len(values) * np.pi)[:, None]
    return float((values * level).sum() / (np.ones_like(values) * level).sum())


@pytest.mark.parametrize(("tilt_deg", "yaw_deg"), [(0, 0), (4, 70), (15, 200), (25, 310)])
def test_a_tilted_room_is_levelled_and_measured(tilt_deg: float, yaw_deg: float) -> None:
    level_from_pano = tilted(tilt_deg, yaw_deg)
    rgb, distance = room(BOX, HEIGHT, level_from_pano)
    found = estimate(rgb)
    assert found.kind == "room"
    assert not found.sky.any()
    assert off_level_deg(found.up, level_from_pano) < 0.5
    assert on_sphere(np.abs(found.distance_m - distance) / distance) < 0.03


@pytest.mark.parametrize(("tilt_deg", "yaw_deg"), [(0, 20), (10, 250)])
def test_houses_around_a_square_stand_where_they_meet_the_ground(tilt_deg: float, yaw_deg: float) -> None:
    level_from_pano = tilted(tilt_deg, yaw_deg)
    rgb, distance, sky = square(8.0, HEIGHT, level_from_pano)
    found = estimate(rgb)
    assert found.kind == "open ground"
    assert off_level_deg(found.up, level_from_pano) < 0.5
    assert on_sphere(found.sky != sky) < 0.01
    both = ~sky & ~found.sky
    assert float(np.mean(np.abs(found.distance_m - distance)[both] / distance[both])) < 0.1


def test_distances_do_not_know_where_the_seam_is() -> None:
    rgb, _, _ = square(8.0, HEIGHT)
    shift = 2 * HEIGHT // 3
    here, there = estimate(rgb), estimate(np.roll(rgb, shift, axis=1))
    assert on_sphere(np.abs(np.log(np.roll(here.distance_m, shift, axis=1) / there.distance_m)) > 0.1) < 0.02


def test_everything_is_finite_even_for_one_colour_and_for_noise() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (128, 256, 3)).astype(np.uint8)
    for rgb in (np.zeros((128, 256, 3), np.uint8), np.full((128, 256, 3), 200, np.uint8), noise):
        found = estimate(rgb)
        assert np.isfinite(found.distance_m).all()
        assert (found.distance_m > 0).all()
        assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


def test_what_is_not_twice_as_wide_as_high_is_refused() -> None:
    with pytest.raises(LiftError, match="twice as wide"):
        estimate(np.zeros((100, 300, 3), np.uint8))


def test_given_distances_set_the_scale() -> None:
    rgb, distance = room(BOX, HEIGHT)
    found = estimate(rgb, depths=(((0.5, 0.5), 3 * float(distance[HEIGHT // 2, HEIGHT])),))
    assert found.scale.method == "measured"
    assert on_sphere(np.abs(found.distance_m - 3 * distance) / (3 * distance)) < 0.05


def test_drawn_corners_make_the_room() -> None:
    corners = np.array([(2.4, 3.1), (-1.7, 3.1), (-1.7, 0.9), (-3.0, 0.9), (-3.0, -2.2), (2.4, -2.2)])
    shape = Layout(corners, 1.6, 1.0)
    rgb, distance = room(shape, HEIGHT)
    x, z = corners.T
    places = tuple(
        (float(a / 2 / np.pi + 0.5), float(b / np.pi))
        for a, b in zip(np.arctan2(x, z), np.pi / 2 + np.arctan2(1.6, np.hypot(x, z)), strict=True)
    )
    found = estimate(rgb, corners=places)
    assert on_sphere(np.abs(found.distance_m - distance) / distance) < 0.05


def test_a_drawn_horizon_levels() -> None:
    level_from_pano = tilted(9, 40)
    rgb = np.full((HEIGHT, 2 * HEIGHT, 3), 128, np.uint8)
    places = []
    for direction in ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)):
        x, y, z = level_from_pano.T @ np.array(direction)
        places.append((float(np.arctan2(x, z) / 2 / np.pi + 0.5), float(np.arccos(-y) / np.pi)))
    assert off_level_deg(estimate(rgb, horizon=tuple(places)).up, level_from_pano) < 0.01
