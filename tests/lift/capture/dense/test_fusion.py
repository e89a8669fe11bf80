"""Start points: on the surfaces, everywhere in every picture, as many as asked, and none that hang in the air."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import Capture, Points
from spatialwm.lift.capture.dense.depth_map import DepthMap, pixel_rays, working_rgb
from spatialwm.lift.capture.dense.holes import BLOCK, filled, hole_points
from spatialwm.lift.capture.fusion import StartPoints, start_points
from spatialwm.lift.capture.stereo import depth_maps

COUNT = 3000
NOTHING = np.zeros((0, 3))


@pytest.fixture(scope="module")
def maps(pictures: Capture) -> list[DepthMap]:
    return depth_maps(pictures)


@pytest.fixture(scope="module")
def start(pictures: Capture, maps: list[DepthMap]) -> StartPoints:
    return start_points(pictures, maps, COUNT, 0)


def off_surface(means: np.ndarray) -> np.ndarray:
    """Distance of points to the nearest of floor, wall and ball."""
    ball = np.abs(np.linalg.norm(means - [0.0, 0.0, 0.6], axis=1) - 0.6)
    return np.minimum(np.minimum(np.abs(means[:, 2]), np.abs(means[:, 1] - 2)), ball)


def pixels(camera: Camera, means: np.ndarray) -> np.ndarray:
    p = camera.world_from_cam.inverse().apply(means)
    uv = p[:, :2] / p[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    return uv[(p[:, 2] > 0) & (uv >= 0).all(1) & (uv < [camera.width, camera.height]).all(1)]


def test_points_lie_on_the_surfaces(start):
    off = off_surface(start.means)
    assert np.median(off) <= 0.015  # metres, seen from 3 to 5 m; 0.011
    confirmed = np.abs(start.normals).max(1) > 0  # the others fill holes
    assert np.quantile(off[confirmed], 0.9) <= 0.05


def test_about_as_many_as_asked_and_never_more(pictures, maps, start):
    assert 0.85 * COUNT <= len(start) <= COUNT
    few = start_points(pictures, maps, 200, 0)
    assert 150 <= len(few) <= 200
    assert start.rgb.min() >= 0
    assert start.rgb.max() <= 1


def test_every_part_of_every_picture_has_a_point_nearby(pictures, start):
    for view in pictures.views:
        uv = pixels(view.camera, start.means)
        boxes = np.zeros((view.camera.height // 10, view.camera.width // 10), int)
        np.add.at(boxes, tuple((uv[:, ::-1] // 10).astype(int).T), 1)
        assert (boxes == 0).mean() <= 0.01


def test_normals_are_unit_or_zero_and_face_the_views(pictures, start):
    length = np.linalg.norm(start.normals, axis=1)
    known = length > 0.5
    assert known.mean() >= 0.6
    assert np.allclose(length[known], 1, atol=1e-5)
    assert not start.normals[~known].any()
    toward = np.array(pictures.views[2].camera.eye) - start.means
    assert ((toward * start.normals).sum(1)[known] > 0).mean() >= 0.95


def test_colors_are_those_of_the_pictures(pictures, start):
    view = pictures.views[2]
    uv = pixels(view.camera, start.means).astype(int)
    p = view.camera.world_from_cam.inverse().apply(start.means)
    inside = np.abs(p[:, :2] / p[:, 2:] * view.camera.fx) < [view.camera.cx, view.camera.cy]
    seen = inside.all(1) & (start.means[:, 2] < 0.02) & (start.means[:, 1] < -0.8)  # the floor in front of everything
    assert len(uv) >= seen.sum() >= 50
    q = (p[seen, :2] / p[seen, 2:] * view.camera.fx + [view.camera.cx, view.camera.cy]).astype(int)
    assert np.median(np.abs(start.rgb[seen] - view.rgb[q[:, 1], q[:, 0]] / 255)) <= 0.1


def test_the_same_seed_gives_the_same_points(pictures, maps, start):
    again = start_points(pictures, maps, COUNT, 0)
    for name in ("means", "rgb", "normals", "spacing"):
        assert np.array_equal(getattr(start, name), getattr(again, name))


def test_spacing_is_the_distance_to_neighbours(start):
    k = 100
    distance = np.sort(np.linalg.norm(start.means - start.means[k], axis=1))[1:4]
    assert start.spacing[k] == pytest.approx(np.sqrt((distance**2).mean()), rel=1e-3)


def test_near_surfaces_get_more_points_than_far_ones(start):
    near = (start.means[:, 2] < 0.02) & (start.means[:, 1] < -0.8)
    far = start.means[:, 1] > 1.98
    assert np.median(start.spacing[near]) <= 0.75 * np.median(start.spacing[far])


def test_measured_depth_serves_the_same_way(corner):
    capture = corner.capture(with_depth=True, with_points=False)
    start = start_points(capture, depth_maps(capture), COUNT, 0)
    assert 0.85 * COUNT <= len(start) <= COUNT
    assert np.median(off_surface(start.means)) <= 0.003
    assert (np.linalg.norm(start.normals, axis=1) > 0.5).mean() >= 0.95


def test_a_hole_in_a_plane_is_filled_with_the_plane():
    camera = Camera.look_at((0.0, 0.0, 2.0), (0.5, 1.5, 0.0), 120, 80)
    rays = camera.world_from_cam.rotate(pixel_rays(camera))
    truth = -2.0 / rays[..., 2]
    truth = np.where((truth > 0) & (truth < 12), truth, 0).astype(np.float32)
    depth = truth.copy()
    depth[50:75, 30:90] = 0
    uv, z = filled(DepthMap(0, camera, depth, (depth > 0).astype(np.float32)), np.full((80, 120, 3), 0.5, np.float32), NOTHING)
    i, j = uv.astype(int).T
    hole = (j > 48) & (i > 28) & (i < 92)
    assert hole.sum() >= 0.7 * 25 * 60 / BLOCK**2
    exact = -2.0 / camera.world_from_cam.rotate(np.stack([(uv[:, 0] - camera.cx) / camera.fx, (uv[:, 1] - camera.cy) / camera.fy,
                                                          np.ones(len(uv))], 1))[:, 2]  # fmt: skip
    assert np.quantile(np.abs(z / exact - 1)[hole], 0.9) <= 0.02


def test_a_hole_is_filled_from_the_side_of_its_own_color():
    camera = Camera.look_at((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 80, 80)
    left = np.arange(80)[None] < 40
    depth = np.where(left, 1.0, 3.0).repeat(80, 0).reshape(80, 80).astype(np.float32)
    rgb = np.repeat(np.where(left, 0.2, 0.8).repeat(80, 0)[..., None], 3, 2).astype(np.float32)
    holed = depth.copy()
    holed[20:60, 20:60] = 0
    uv, z = filled(DepthMap(0, camera, holed, (holed > 0).astype(np.float32)), rgb, NOTHING)
    i, j = uv.astype(int).T
    assert np.abs(z / depth[j, i] - 1).max() <= 0.02


def test_filled_points_that_would_hide_what_others_see_are_left_out(corner):
    capture = corner.capture(with_depth=True, with_points=False)
    maps = depth_maps(capture)
    # one view knows only the ball: what it carries outwards hangs before the wall that the others see
    ball = corner.hit(maps[2].camera)[1]
    on_ball = (np.abs(ball).max(-1) < 0.999) & (maps[2].depth < 4)
    depth = np.where(on_ball, maps[2].depth, 0).astype(np.float32)
    assert 0.02 < (depth > 0).mean() < 0.3
    start = start_points(capture, [*maps[:2], replace(maps[2], depth=depth), *maps[3:]], COUNT, 0)
    assert np.quantile(off_surface(start.means), 0.99) <= 0.1


def test_filled_points_before_what_another_view_sees_are_left_out():
    ahead = Camera.look_at((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 80, 80)
    aside = Camera.look_at((4.0, 0.0, 0.0), (0.6, 2.0, 0.0), 80, 80, fov_x_deg=20.0)
    wall = np.repeat(np.where(np.arange(80) < 40, np.float32(2), np.float32(0))[None], 80, 0)
    maps = [DepthMap(0, ahead, wall, np.ones_like(wall)), DepthMap(1, aside, np.full_like(wall, 10), np.ones_like(wall))]
    gray = np.full((80, 80, 3), 0.5, np.float32)
    alone = hole_points(maps[:1], [gray])[0][0]
    judged = hole_points(maps, [gray, gray])[0][0]
    assert len(pixels(aside, alone)) >= 20
    assert len(pixels(aside, judged)) == 0
    assert len(judged) >= 20


def test_far_things_that_are_seen_are_kept(corner):
    capture = corner.capture(with_depth=True, with_points=False)
    far = [replace(v, depth=np.where(np.arange(corner.height)[:, None] < 30, np.float32(200), v.depth)) for v in capture.views]
    capture = replace(capture, views=tuple(far))
    start = start_points(capture, depth_maps(capture), COUNT, 0)
    away = np.linalg.norm(start.means, axis=1) > 100
    assert 0.1 <= away.mean() <= 0.9
    assert (~away).sum() >= 500


def test_points_of_views_left_out_are_not_used(pictures):
    alone = replace(pictures.points, tracks=pictures.points.tracks[np.isin(pictures.points.tracks[:, 1], [0, 5])])
    capture = replace(pictures, points=alone)
    maps = [replace(m, depth=np.zeros_like(m.depth)) for m in depth_maps(pictures, views=[0, 1])]
    assert len(start_points(capture, maps, COUNT, 0)) == 0


def test_nothing_known_gives_no_points(pictures):
    capture = replace(pictures, points=Points.none())
    assert len(start_points(capture, [], COUNT, 0)) == 0
    assert len(start_points(capture, depth_maps(capture, views=[0]), COUNT, 0)) == 0


def test_sparse_points_alone_are_start_points(pictures):
    blank = [replace(m, depth=np.zeros_like(m.depth)) for m in depth_maps(pictures, views=[0, 1, 2])]
    start = start_points(pictures, blank, COUNT, 0)
    assert len(start) >= 50
    assert np.abs(off_surface(start.means)).max() <= 1e-3
    assert not start.normals.any()


def test_working_pictures_average_the_pixels(pictures):
    view = pictures.views[0]
    half = replace(view.camera, width=80, height=60)
    expected = view.rgb.reshape(60, 2, 80, 2, 3).mean((1, 3)) / 255
    assert np.abs(working_rgb(view, half) - expected).max() <= 1.01 / 255
