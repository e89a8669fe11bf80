"""Depth from pictures against depth that is known, and against nonsense."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import Capture, Points
from spatialwm.lift.capture.dense.consistency import count_agreeing
from spatialwm.lift.capture.dense.depth_map import DepthMap, transfer
from spatialwm.lift.capture.stereo import depth_maps


@pytest.fixture(scope="module")
def maps(pictures: Capture) -> list[DepthMap]:
    return depth_maps(pictures)


def errors(corner, maps: list[DepthMap]) -> np.ndarray:
    """Relative, of every pixel with depth."""
    return np.concatenate([np.abs(m.depth / corner.hit(m.camera)[0] - 1)[m.depth > 0] for m in maps])


def nothing(maps: list[DepthMap]) -> bool:
    return all(not m.depth.any() and not m.confidence.any() for m in maps)


def test_depth_of_planes_and_a_ball_is_right_within_a_percent(corner, maps):
    e = errors(corner, maps)
    assert np.median(e) <= 0.004  # 0.24 %
    assert np.quantile(e, 0.9) <= 0.025  # 1.8 %, beside the ball's outline
    assert np.mean([(m.depth > 0).mean() for m in maps]) >= 0.75  # 0.80; a border of 3 pixels is never known


def test_normals_follow_the_surfaces_and_face_the_camera(corner, maps):
    angles = []
    for m in maps:
        known = (m.normals**2).sum(-1) > 0.5
        cosine = (m.normals * corner.hit(m.camera)[1]).sum(-1)[known]
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    assert np.median(np.concatenate(angles)) <= 5


def test_without_points_a_coarse_sweep_finds_the_range(corner, pictures):
    maps = depth_maps(replace(pictures, points=Points.none()))
    e = errors(corner, maps)
    assert np.median(e) <= 0.004
    assert np.mean([(m.depth > 0).mean() for m in maps]) >= 0.7


def test_two_views_are_enough(corner, pictures):
    maps = depth_maps(pictures, views=[2, 3])
    assert np.median(errors(corner, maps)) <= 0.01
    assert np.mean([(m.depth > 0).mean() for m in maps]) >= 0.5


def test_views_of_different_sizes_and_focal_lengths_match(corner, pictures):
    other = corner.view(replace(pictures.views[1].camera, width=200, height=150, fx=180.0, fy=180.0, cx=98.0, cy=77.0))
    maps = depth_maps(replace(pictures, views=(pictures.views[0], other, *pictures.views[2:])), long_side=160)
    assert max(maps[1].camera.width, maps[1].camera.height) == 160
    assert np.median(errors(corner, maps)) <= 0.003
    assert (maps[1].depth > 0).mean() >= 0.7


def test_any_number_of_threads_gives_the_same_bits(pictures):
    one, two, three = (depth_maps(pictures, threads=n) for n in (1, 2, 3))
    for a, b, c in zip(one, two, three, strict=True):
        for name in ("depth", "confidence", "normals"):
            assert np.array_equal(getattr(a, name), getattr(b, name))
            assert np.array_equal(getattr(a, name), getattr(c, name))


def test_a_view_left_out_leaves_no_trace(pictures):
    spoilt = replace(pictures.views[3], rgb=255 - pictures.views[3].rgb[::-1])
    views = (*pictures.views[:3], spoilt, *pictures.views[4:])
    own = pictures.points.tracks[:, 1] != 3
    chosen = [0, 1, 2, 4, 5]
    expected = depth_maps(pictures, views=chosen)
    without = replace(pictures, views=views, points=replace(pictures.points, tracks=pictures.points.tracks[own]))
    for a, b in zip(expected, depth_maps(without, views=chosen), strict=True):
        assert a.view == b.view
        assert np.array_equal(a.depth, b.depth)


def test_pixels_marked_unusable_have_no_depth(pictures):
    usable = np.ones(pictures.views[0].rgb.shape[:2], bool)
    usable[40:80, 50:90] = False
    views = (replace(pictures.views[0], usable=usable), *pictures.views[1:])
    first = depth_maps(replace(pictures, views=views))[0]
    assert not first.depth[40:80, 50:90].any()
    assert first.depth[~np.pad(~usable[41:79, 51:89], ((41, 41), (51, 71)))].any()


def test_one_view_alone_has_no_depth(pictures):
    assert nothing(depth_maps(pictures, views=[2]))
    assert nothing(depth_maps(replace(pictures, points=Points.none()), views=[2]))
    assert depth_maps(pictures, views=[]) == []


def test_views_that_share_nothing_have_no_depth(corner):
    ahead = Camera.look_at((0.0, 0.0, 1.0), (0.0, 5.0, 1.0), 160, 120)
    cameras = [ahead, Camera.look_at((0.0, -0.5, 1.0), (0.0, -5.0, 0.2), 160, 120)]
    assert nothing(depth_maps(Capture(tuple(corner.view(c) for c in cameras))))


def test_pictures_without_texture_have_no_depth(pictures):
    for level in (0, 128, 255):
        views = tuple(replace(v, rgb=np.full_like(v.rgb, level)) for v in pictures.views)
        assert nothing(depth_maps(replace(pictures, views=views)))


def test_pure_rotation_has_no_depth(corner):
    first = corner.cameras()[2]
    turns = [Pose.about_axis((0.0, 1.0, 0.0), float(np.radians(a))) for a in (-8, -4, 0, 4, 8)]
    views = tuple(corner.view(replace(first, world_from_cam=first.world_from_cam @ turn)) for turn in turns)
    assert nothing(depth_maps(Capture(views)))
    assert nothing(depth_maps(Capture(views, corner.points([v.camera for v in views]))))


def test_noise_that_matches_nowhere_is_hardly_believed(pictures):
    rng = np.random.default_rng(0)
    views = tuple(replace(v, rgb=rng.integers(0, 255, v.rgb.shape, dtype=np.uint8)) for v in pictures.views)
    assert np.mean([(m.depth > 0).mean() for m in depth_maps(replace(pictures, views=views))]) <= 0.01


def test_depth_counts_as_agreed_only_where_the_other_view_has_the_same(corner):
    here, there = corner.cameras()[2:4]
    depth, other = (corner.hit(camera)[0].astype(np.float32) for camera in (here, there))
    matrix, offset = transfer(there, here)
    size = np.array([160]), np.array([120])
    counts = np.zeros(depth.shape, np.int32)

    def agreed(depth: np.ndarray, tolerance: float) -> float:
        first, step = np.zeros(1, np.int64), np.array([0.005])
        count_agreeing(depth, 0.005, other.ravel(), first, *size, step, matrix[None], offset[None], tolerance, counts)
        return float((counts[20:100, 20:140] == 1).mean())

    assert agreed(depth, 1.5) >= 0.9
    assert agreed(1 / (1 / depth + np.float32(0.02)), 1.5) <= 0.1
    assert agreed(1 / (1 / depth + np.float32(0.02)), 6.0) >= 0.9
    assert agreed(np.zeros_like(depth), 1.5) == 0


def test_measured_depth_is_taken_as_it_is(corner):
    maps = depth_maps(corner.capture(with_depth=True))
    e = errors(corner, maps)
    assert np.quantile(e, 0.99) <= 0.01
    assert all((m.depth > 0).mean() >= 0.98 for m in maps)  # less slivers beside the ball


def test_progress_ends_before_one_and_never_falls(pictures):
    seen: list[float] = []
    depth_maps(replace(pictures, points=Points.none()), progress=lambda stage, fraction: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0 <= seen[0] <= seen[-1] <= 1
