from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from spatialwm.bench.depth_metrics import constant_plane, relative_error
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.embedded import EmbeddedDepth
from spatialwm.lift.image.photo import Hints, Photo

WIDTH, HEIGHT, FOCAL = 320, 240, 270.0


def street(horizon: float = 110.0) -> tuple[np.ndarray, np.ndarray]:
    """A grey plain under a blue sky with a red house that stands 8 m away: the picture, and the distance ahead."""
    rng = np.random.default_rng(0)
    v, u = np.mgrid[0.5:HEIGHT, 0.5:WIDTH]
    rgb = np.empty((HEIGHT, WIDTH, 3))
    rgb[:] = (150, 190, 240)
    ahead = np.full((HEIGHT, WIDTH), np.inf)
    ground = v > horizon
    rgb[ground] = (120, 118, 112)
    ahead[ground] = 1.6 * FOCAL / (v[ground] - horizon)
    foot = horizon + 1.6 * FOCAL / 8
    house = (u > 90) & (u < 200) & (v > 40) & (v < foot)
    rgb[house] = (150, 60, 45)
    ahead[house] = 8.0
    for x in range(100, 190, 30):
        window = (u > x) & (u < x + 16) & (v > 60) & (v < 90)
        rgb[window] = (40, 40, 50)
    return (rgb + rng.normal(0, 2, rgb.shape)).clip(0, 255).astype(np.uint8), ahead


def estimate(rgb: np.ndarray, focal_px: float | None = FOCAL, **hints: object) -> Estimate:
    return EmbeddedDepth().estimate(
        Photo(name="a picture", rgb=rgb, focal_px=focal_px, hints=Hints(**hints))  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.parametrize("size", [(320, 240), (40, 400)], ids=str)
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


def test_a_house_on_a_plain_stands_where_it_touches_the_ground_under_the_sky() -> None:
    rgb, ahead = street()
    got = estimate(rgb, horizon=((0.0, 110 / HEIGHT), (1.0, 110 / HEIGHT)))
    assert np.mean(got.sky == np.isinf(ahead)) > 0.97
    assert got.kind in ("street", "open ground")
    middle = got.distance_m[50:150, 100:190]
    assert np.median(middle) == pytest.approx(8.0, rel=0.15)
    assert got.distance_m[230, WIDTH // 2] == pytest.approx(1.6 * FOCAL / 120.5 * math.hypot(1, 110.5 / FOCAL), rel=0.05)
    assert got.distance_m[got.sky].min() > got.distance_m[~got.sky].max()


def test_the_edge_of_a_house_has_no_distances_between_house_and_ground() -> None:
    rgb, _ = street()
    got = estimate(rgb, horizon=((0.0, 110 / HEIGHT), (1.0, 110 / HEIGHT)))
    across = np.log(got.distance_m[125, 60:120])
    assert np.abs(np.diff(across)).max() > 0.2
    assert np.sum(np.abs(np.diff(across)) > 0.05) <= 2


def test_strokes_set_the_scale_and_hold_where_they_are() -> None:
    rgb, _ = street()
    at = ((0.45, 0.4), 24.0), ((0.1, 0.95), 10.5)
    plain, told = estimate(rgb), estimate(rgb, depths=at)
    assert told.scale.method == "measured"
    for (x, y), distance_m in at:
        assert told.distance_m[int(y * HEIGHT), int(x * WIDTH)] == pytest.approx(distance_m, rel=0.06)
    ratio = np.log(told.distance_m / plain.distance_m)[~plain.sky]
    assert 0.5 < np.median(ratio) < 1.6  # both strokes ask for some three times as much, so everything grows


def test_the_user_s_focal_length_comes_before_the_camera_s_note_and_that_before_the_usual() -> None:
    rgb, _ = street()
    told, noted, usual = estimate(rgb, focal_mm=50), estimate(rgb), estimate(rgb, focal_px=None)
    assert told.camera is not None
    assert noted.camera is not None
    assert told.camera.fx == pytest.approx(50 / math.hypot(36, 24) * math.hypot(WIDTH, HEIGHT))
    assert noted.camera.fx == pytest.approx(FOCAL)
    assert "told" in told.focal_source
    assert noted.focal_source == "EXIF"
    assert "equivalent" in usual.focal_source


def test_drawn_corners_make_the_walls() -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    horizon = ((0.0, 0.5), (1.0, 0.5))
    got = estimate(rgb, corners=((0.2, 0.7), (0.8, 0.7)), horizon=horizon)
    assert got.kind == "room"
    assert got.camera is not None
    wall = got.distance_m[HEIGHT // 2, WIDTH // 2]
    assert wall == pytest.approx(1.6 * FOCAL / (0.2 * HEIGHT), rel=0.05)


def test_whether_it_is_a_room_is_the_user_s_to_say() -> None:
    rgb, _ = street()
    assert estimate(rgb, indoors=True).kind == "room"
    assert not estimate(rgb, indoors=True).sky.any()
    assert estimate(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), indoors=False).kind != "room"


def test_measured_depth_agrees_better_than_with_one_plane(shared_dir: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))
    try:
        from photo_depth import depth_ahead, pairs  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    chosen = [p for p in pairs(shared_dir / "data") if p.group in ("nyu", "kitti", "iphone")]
    if not chosen:
        pytest.skip("no pictures with measured depth")
    ours, plane = [], []
    for pair in chosen:
        depth = depth_ahead(EmbeddedDepth().estimate(pair.photo), pair.truth_m.shape)
        ours.append(relative_error(depth, pair.truth_m).abs_rel)
        plane.append(relative_error(constant_plane(pair.truth_m), pair.truth_m).abs_rel)
    assert np.mean(ours) < 0.6 * np.mean(plane)
    assert np.mean(np.array(ours) < plane) > 0.8
