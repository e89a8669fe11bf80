"""Captures turned upright: within a degree, the floor at zero, and a metre where anything tells it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.capture.capture import Capture, Points, View
from spatialwm.lift.capture.floor import walkable_floor
from spatialwm.lift.capture.level import Leveled, level
from spatialwm.lift.capture.posed import PosedOptions, seven_scenes, transforms
from spatialwm.lift.capture.surface import Surface, seen_surface
from spatialwm.lift.capture.up import find_up, up_from_cameras, up_from_normals, up_from_planes
from spatialwm.scene import ScaleSource
from spatialwm.scene.scale import EYE_HEIGHT_M, KnownLength

UP = np.array([0.0, 0.0, 1.0])


def room_capture(room: Any, count: int = 8, depth: bool = False, roll_deg: float = 0.0) -> Capture:
    """The room in its own upright frame and metres; cameras rolled at random by about ``roll_deg``."""
    rng = np.random.default_rng(1)
    views = []
    for i, camera in enumerate(room.walk(count)):
        roll = Pose.about_axis((0.0, 0.0, 1.0), math.radians(roll_deg) * float(rng.normal()))
        camera = replace(camera, world_from_cam=camera.world_from_cam @ roll)
        rgb, true_depth = room.look(camera)
        views.append(View(str(i), camera, rgb, true_depth.astype(np.float32) if depth else None))
    points = Points.none() if depth else Points(room.surface_points(), np.zeros((6000, 3), np.uint8), np.zeros((0, 2), np.int64))
    return Capture(tuple(views), points)


def carried(capture: Capture, pose: Pose) -> Capture:
    """The capture in another frame and unit."""

    def move(view: View) -> View:
        there = pose @ view.camera.world_from_cam
        depth = None if view.depth is None else view.depth * np.float32(pose.scale)
        return replace(view, camera=replace(view.camera, world_from_cam=Pose(there.position, there.quat)), depth=depth)

    up = None if capture.up is None else vec3(pose.rotate(np.array(capture.up)))
    points = replace(capture.points, means=pose.apply(capture.points.means))
    return replace(capture, views=tuple(map(move, capture.views)), points=points, up=up)


def tilt_deg(leveled: Leveled, true_up: np.ndarray) -> float:
    """Angle between +Z and where the capture's true up went."""
    return math.degrees(math.acos(min(1.0, float(leveled.world_from_capture.rotate(true_up)[2]))))


poses = st.builds(
    lambda x, y, z, angle, shift, scale: Pose.about_axis((x, y, z), angle, (shift, -2 * shift, 3.0)) @ Pose(scale=scale),
    st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 1), st.floats(-3, 3), st.floats(-20, 20), st.floats(0.05, 20),
)  # fmt: skip


@settings(max_examples=12)
@given(pose=poses, depth=st.booleans(), known=st.booleans())
def test_a_room_in_any_frame_is_levelled_and_scaled(room: Any, pose: Pose, depth: bool, known: bool) -> None:
    capture = room_capture(room, depth=depth, roll_deg=3.0)
    ends = (capture.views[0].camera.eye, capture.views[3].camera.eye)
    a, b = (vec3(pose.apply(np.array(e))) for e in ends)
    length = KnownLength(a, b, math.dist(*ends)) if known else None
    done = level(carried(capture, pose), known_length=length)
    assert tilt_deg(done, pose.rotate(UP)) < 1.0
    heights = [view.camera.eye[2] for view in done.capture.views]
    true_heights = [view.camera.eye[2] for view in capture.views]
    assert done.floor_seen
    if known:
        assert done.scale.method == "measured"
        np.testing.assert_allclose(done.world_from_capture.scale * pose.scale, 1, rtol=1e-6)
        np.testing.assert_allclose(heights, true_heights, atol=0.03)
    else:
        assert done.scale.method == "prior"
        np.testing.assert_allclose(np.median(heights), EYE_HEIGHT_M, atol=1e-9)
        np.testing.assert_allclose(heights / np.median(heights), true_heights / np.median(true_heights), atol=0.02)


def test_everything_is_carried_by_the_same_similarity(room: Any) -> None:
    pose = Pose.about_axis((1.0, 2.0, 0.3), 1.1, (3.0, 4.0, 5.0)) @ Pose(scale=0.3)
    capture = carried(room_capture(room, depth=True), pose)
    points = Points(np.random.default_rng(0).normal(size=(50, 3)), np.zeros((50, 3), np.uint8), np.zeros((0, 2), np.int64))
    capture = replace(capture, points=points)
    done = level(capture)
    k = done.world_from_capture.scale
    np.testing.assert_allclose(done.capture.points.means, done.world_from_capture.apply(points.means), atol=1e-12)
    for before, after in zip(capture.views, done.capture.views, strict=True):
        assert after.camera.world_from_cam.scale == 1.0
        assert before.depth is not None
        assert after.depth is not None
        np.testing.assert_allclose(after.depth, before.depth * k, rtol=1e-5)
        seen = np.array([0.1, -0.2, 1.0]) * 2.0
        was = done.world_from_capture.apply(before.camera.world_from_cam.apply(seen))
        np.testing.assert_allclose(after.camera.world_from_cam.apply(seen * k), was, atol=1e-9)
    assert done.capture.up == (0.0, 0.0, 1.0)
    np.testing.assert_allclose(done.capture.views[0].camera.forward[0], 0, atol=1e-9)
    assert done.capture.views[0].camera.forward[1] > 0.5
    np.testing.assert_allclose(np.median([view.camera.eye[:2] for view in done.capture.views], axis=0), 0, atol=1e-9)


def test_gravity_of_the_device_wins_over_everything(room: Any) -> None:
    capture = replace(room_capture(room), up=(0.0, math.sin(0.2), math.cos(0.2)))
    done = level(capture)
    np.testing.assert_allclose(done.world_from_capture.rotate(np.array(capture.up)), UP, atol=1e-9)
    assert done.up.source == "gravity as the device measured it"


def test_scale_comes_from_the_most_trustworthy_source(room: Any) -> None:
    capture = room_capture(room)
    stated = replace(capture, scale=ScaleSource("measured", 0.01, "a sensor"))
    assert level(stated).scale == stated.scale
    assert level(stated).world_from_capture.scale == 1.0
    a, b = (view.camera.eye for view in capture.views[:2])
    done = level(stated, known_length=KnownLength(a, b, 2 * math.dist(a, b), click_sigma=0.01))
    assert done.world_from_capture.scale == pytest.approx(2.0)
    assert done.scale.sigma == pytest.approx(math.sqrt(2) * 0.01 / math.dist(a, b))
    assert level(capture).scale.method == "prior"
    nothing = level(replace(capture, points=Points.none()))
    assert (nothing.scale.method, nothing.floor_seen) == ("unknown", False)
    assert np.median([view.camera.eye[2] for view in nothing.capture.views]) == pytest.approx(EYE_HEIGHT_M)
    assert any("no floor was seen" in note for note in nothing.capture.notes)


def test_without_a_floor_in_sight_it_is_no_higher_than_eye_height_below_the_cameras(room: Any) -> None:
    capture = replace(room_capture(room), scale=ScaleSource("measured", 0.01))
    means = capture.points.means
    upper = means[(means[:, 2] > 0.8) & (np.abs(means[:, :2]).max(1) > 1.9)]  # walls above the table
    points = Points(upper, np.zeros((len(upper), 3), np.uint8), np.zeros((0, 2), np.int64))
    done = level(replace(capture, points=points))
    assert not done.floor_seen
    assert np.median([view.camera.eye[2] for view in done.capture.views]) == pytest.approx(EYE_HEIGHT_M)


def test_a_few_pictures_taken_on_their_side_do_not_tilt_the_world(room: Any) -> None:
    cameras = room.walk(12)
    for i in (2, 7):
        cameras[i] = replace(cameras[i], world_from_cam=cameras[i].world_from_cam @ Pose.about_axis((0.0, 0.0, 1.0), math.pi / 2))
    assert math.degrees(math.acos(up_from_cameras(cameras).direction @ UP)) < 1.0


def test_cameras_that_look_one_way_know_their_roll_and_hardly_their_pitch() -> None:
    cameras = [Camera.look_at((0.1 * i, 0.0, 1.5), (0.1 * i, 5.0, 1.0), 64, 48) for i in range(10)]
    up = up_from_cameras(cameras)
    assert abs(up.direction[0]) < 1e-6
    assert math.degrees(up.sigma_rad) > 20
    assert up.direction[2] > 0.9


def test_a_slope_outside_the_cameras_uncertainty_stays_a_slope(room: Any) -> None:
    cameras = room.walk(12)
    rng = np.random.default_rng(0)
    slope = rng.uniform(-3, 3, (3000, 3)) * (1, 1, 0)
    slope[:, 2] = math.tan(math.radians(20)) * slope[:, 0]
    points = Points(slope, np.zeros((3000, 3), np.uint8), np.zeros((0, 2), np.int64))
    views = tuple(View(str(i), c, np.zeros((c.height, c.width, 3), np.uint8)) for i, c in enumerate(cameras))
    up = find_up(views, seen_surface(Capture(views, points)))
    assert up.source == "how the cameras were held"
    assert math.degrees(math.acos(up.direction @ UP)) < 1.0


def test_a_lawn_alone_is_level_whatever_the_hands_did(room: Any) -> None:
    cameras = room.walk(12)
    roll = Pose.about_axis((0.0, 0.0, 1.0), math.radians(5.0))
    cameras = [replace(c, world_from_cam=c.world_from_cam @ roll) for c in cameras]
    lawn = np.random.default_rng(0).normal(0, (3, 3, 0.01), (3000, 3))
    up = up_from_planes(Surface(lawn, None, 2.5), up_from_cameras(cameras), math.radians(15))
    assert up is not None
    assert math.degrees(math.acos(up.direction @ UP)) < 0.3


def test_walls_alone_settle_what_cameras_that_look_one_way_cannot() -> None:
    cameras = [Camera.look_at((0.1 * i, 0.0, 1.5), (0.1 * i, 5.0, -1.0), 64, 48) for i in range(10)]
    rng = np.random.default_rng(0)
    normals = rng.normal(0, 0.02, (2000, 3)) + np.where(rng.random((2000, 1)) < 0.5, [[0, -1.0, 0]], [[0.6, -0.8, 0]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    start = up_from_cameras(cameras)
    assert math.degrees(math.acos(start.direction @ UP)) > 5, "they look down, and nothing says so"
    found = up_from_normals(Surface(rng.normal(size=(2000, 3)), normals, 3.0), start, math.radians(35))
    assert found is not None
    assert math.degrees(math.acos(found.direction @ UP)) < 1.0
    clutter = rng.normal(size=(2000, 3))
    clutter /= np.linalg.norm(clutter, axis=1, keepdims=True)
    assert up_from_normals(Surface(clutter, clutter, 3.0), start, math.radians(35)) is None


def test_the_floor_is_the_lowest_large_level_area_and_not_the_table(room: Any) -> None:
    capture = room_capture(room)
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.uniform(-0.6, 0.6, 9000), rng.uniform(-0.4, 0.4, 9000), rng.normal(0.74, 0.003, 9000)])
    reflections = np.column_stack([rng.uniform(-0.1, 0.1, (40, 2)), rng.uniform(-1.2, -0.8, 40)])
    means = np.concatenate([capture.points.means, table, reflections])
    points = Points(means, np.zeros((len(means), 3), np.uint8), np.zeros((0, 2), np.int64))
    done = level(replace(capture, points=points, scale=ScaleSource("measured", 0.01)))
    assert done.floor_seen
    np.testing.assert_allclose(done.capture.views[0].camera.eye[2], capture.views[0].camera.eye[2], atol=0.02)


def test_one_may_walk_where_the_cameras_were_and_a_little_further_where_floor_was_seen() -> None:
    eyes = np.array([[0.0, 0.0, 1.6], [2.0, 0.0, 1.6], [2.0, 1.0, 1.6]])
    free = np.array(walkable_floor(eyes, np.zeros((0, 2))))
    assert _inside(free, np.array([[0.0, -0.25], [2.2, 1.2], [1.0, 0.2]])).all()
    assert not _inside(free, np.array([[0.0, 1.0], [3.5, 0.5]])).any()
    floor = np.random.default_rng(0).uniform([-0.05, 0.0], [2.1, 1.0], (500, 2))  # none was seen at y < 0
    clipped = np.array(walkable_floor(eyes, floor))
    assert _inside(clipped, eyes[:, :2]).all()
    assert _area(clipped) < _area(free)
    turns = np.diff(np.concatenate([clipped, clipped[:2]]), axis=0)
    assert (turns[:-1, 0] * turns[1:, 1] - turns[:-1, 1] * turns[1:, 0] > -1e-12).all(), "convex, counter-clockwise"
    assert len(walkable_floor(eyes[:1], np.zeros((0, 2)))) >= 8, "one camera has a disc"


def _area(polygon: np.ndarray) -> float:
    (x, y), (x1, y1) = polygon.T, np.roll(polygon, -1, axis=0).T
    return float((x * y1 - x1 * y).sum() / 2)


def _inside(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    edges = np.roll(polygon, -1, axis=0) - polygon
    to = points[:, None] - polygon
    return (edges[:, 0] * to[..., 1] - edges[:, 1] * to[..., 0] >= -1e-9).all(1)


def test_a_capture_without_views_is_refused() -> None:
    with pytest.raises(LiftError, match="without views"):
        level(Capture(()))


def test_the_real_kitchen_stands_level_on_its_floor(shared_dir: Path) -> None:
    folder = shared_dir / "data" / "rgbd_7scenes_redkitchen"
    done = level(seven_scenes.read(folder, PosedOptions(longest_px=320, every=2)))
    gravity = np.loadtxt(folder / "gravity-direction.txt")
    assert tilt_deg(done, -gravity / np.linalg.norm(gravity)) < 2.0, "what the dataset's users state, to their own precision"
    assert done.floor_seen
    assert done.scale.method == "measured"
    surface = seen_surface(done.capture)
    assert surface.normals is not None
    heights, upright = surface.means[:, 2], surface.normals[:, 2] > 0.9
    for low, high in ((-0.04, 0.04), (0.68, 0.78)):  # the floor, and the worktop that has most of the level points
        there = surface.means[(heights > low) & (heights < high) & upright]
        assert len(there) > 400
        x, y, z = there.T
        slope, *_ = np.linalg.lstsq(np.column_stack([x, y, np.ones_like(x)]), z, rcond=None)
        assert math.degrees(math.atan(math.hypot(*slope[:2]))) < 1.5
    eyes = [view.camera.eye[2] for view in done.capture.views]
    assert 1.1 < min(eyes) < max(eyes) < 1.8


def test_hands_and_ground_agree_on_the_real_garden(shared_dir: Path) -> None:
    stored = np.load(shared_dir / "data" / "mv_gsplat_test_garden" / "test_garden.npz")
    cameras = [
        Camera(Pose.from_matrix(np.linalg.inv(m.astype(np.float64))), 640, 480, float(k[0, 0]), float(k[1, 1]), 320.0, 240.0)
        for m, k in zip(stored["viewmats"], stored["Ks"], strict=True)
    ]
    views = tuple(View(str(i), c, np.zeros((480, 640, 3), np.uint8)) for i, c in enumerate(cameras))
    points = Points(stored["means3d"].astype(np.float64), stored["colors"], np.zeros((0, 2), np.int64))
    capture = Capture(views, points)
    held = up_from_cameras(cameras)
    ground = up_from_planes(seen_surface(capture), held, math.radians(25))
    assert ground is not None
    assert math.degrees(math.acos(min(1.0, float(held.direction @ ground.direction)))) < 2.0
    done = level(capture)
    assert done.floor_seen
    heights = np.sort(done.capture.points.means[:, 2])
    counts, edges = np.histogram(heights, np.arange(-0.5, 2, 0.05))
    assert abs(edges[counts.argmax()] + 0.025) < 0.06, "the lawn lies at zero"
    table = counts[(edges[:-1] > 0.5)].argmax() * 0.05 + 0.55
    assert 0.7 < table < 1.2, "and the table stands on it at about its real height"


def test_the_real_foxs_cameras_hold_up_near_the_files_own(shared_dir: Path) -> None:
    capture = transforms.read(shared_dir / "data" / "mv_instantngp_fox", PosedOptions(longest_px=64))
    held = up_from_cameras([view.camera for view in capture.views])
    assert math.degrees(math.acos(held.direction @ UP)) < 7.0, "the file was turned by its mean camera"
