"""Default cameras see what matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.errors import ShapeError
from spatialwm.gaussians import Gaussians, concatenate
from spatialwm.geometry.camera import Camera
from spatialwm.render import establishing_view, orbit_views, render_scene
from spatialwm.render.views import framing, solid_points
from spatialwm.scene import Environment, Scene, SceneObject


def test_the_scenes_own_view_comes_first(two_balls):
    spawn = Camera.look_at((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 640, 480)
    view = establishing_view(replace(two_balls, spawn=spawn), 320, 100)
    assert (view.width, view.height) == (320, 100)
    assert view.world_from_cam == spawn.world_from_cam


@pytest.mark.parametrize("size", [(160, 90), (90, 160)])
def test_without_one_the_objects_fill_the_picture(two_balls, size):
    frame = render_scene(two_balls, establishing_view(two_balls, *size))
    seen = frame.alpha > 0.5
    assert 0.08 < seen.mean() < 0.9
    edges = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    assert edges.mean() < 0.05
    rows, columns = np.nonzero(seen)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(size[0] / 2, abs=0.06 * size[0])
    assert (rows.min() + rows.max()) / 2 == pytest.approx(size[1] / 2, abs=0.06 * size[1])


def test_sky_haze_and_floaters_do_not_pull_the_view_away(two_balls):
    def cloud(means, scale, opacity):
        n = len(means)
        upright = np.tile([1.0, 0, 0, 0], (n, 1))
        return Gaussians.from_numpy(means, upright, np.full((n, 3), scale), np.full(n, opacity), rgb=np.ones((n, 3)))

    rng = np.random.default_rng(0)
    stray = concatenate([
        cloud(rng.normal(0, 30, (20, 3)), 0.01, 0.9),  # floaters
        cloud(rng.normal(0, 60, (200, 3)), 25.0, 0.9),  # sky
        cloud(rng.normal(0, 9, (500, 3)), 0.02, 0.05),  # haze
    ])  # fmt: skip
    scene = two_balls.with_objects([
        SceneObject("stray", "stuff", stray),
        SceneObject("sky", "sky", cloud(rng.normal(0, 5, (4000, 3)), 0.02, 0.9), role="backdrop"),
    ])  # fmt: skip
    points = solid_points(scene)
    assert np.abs(points - [0.4, 0, 0]).max() < 1.0


def test_the_view_shows_the_side_with_detail():
    rng = np.random.default_rng(0)
    normals = rng.normal(size=(6000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    patterned = normals @ [0.6, 0.8, 0.0] > 0.2
    grey = np.where(patterned[:, None], rng.integers(0, 2, (6000, 1)), 0.5) * np.ones(3)
    g = Gaussians.from_numpy(normals, np.tile([1.0, 0, 0, 0], (6000, 1)), np.full((6000, 3), 0.03), np.full(6000, 0.95), rgb=grey)
    eye = np.asarray(establishing_view(Scene((SceneObject("a", "a", g),)), 64, 64).eye)
    assert eye @ [0.6, 0.8, 0.0] > 0.8 * np.linalg.norm(eye[:2])


def test_an_empty_scene_still_has_a_view():
    assert establishing_view(Scene(), 64, 48).width == 64
    assert len(orbit_views(Scene(), 5, 64, 48)) == 5


def test_framing_sees_every_point():
    points = np.random.default_rng(1).normal(size=(500, 3)) * [3, 1, 0.5] + [5, 5, 5]
    camera = framing(points, (0.3, -1.0, 0.4), 200, 120)
    x, y, z = camera.viewmat(torch.float64).numpy()[:3] @ np.column_stack([points, np.ones(500)]).T
    assert z.min() > 0
    assert ((camera.fx * x / z + camera.cx) > 0).all()
    assert ((camera.fx * x / z + camera.cx) < 200).all()
    assert ((camera.fy * y / z + camera.cy) > 0).all()
    assert ((camera.fy * y / z + camera.cy) < 120).all()


def test_an_orbit_starts_at_the_first_view_and_goes_around(two_balls):
    cameras = orbit_views(two_balls, 12, 64, 48)
    first = establishing_view(two_balls, 64, 48)
    assert np.allclose(cameras[0].eye, first.eye, atol=1e-6)
    center = np.median(solid_points(two_balls), axis=0)
    bearings = np.unwrap([np.arctan2(*(np.asarray(c.eye) - center)[1::-1]) for c in cameras])
    assert np.allclose(np.diff(bearings), 2 * np.pi / 12, atol=1e-6)
    assert all((render_scene(two_balls, c).alpha > 0.5).mean() > 0.05 for c in cameras[::3])


def test_within_a_room_the_camera_stays_between_the_walls(two_balls):
    room = ((-2.0, -3.0, 0.0), (2.5, 3.0, 2.6))
    scene = replace(two_balls, environment=Environment(room=room))
    for spawn in (None, Camera.look_at((-1.5, -2.5, 1.5), (0.0, 0.0, 0.8), 64, 48)):
        inside = replace(scene, spawn=spawn)
        for camera in [establishing_view(inside, 64, 48), *orbit_views(inside, 16, 64, 48)]:
            assert (np.asarray(camera.eye) > np.asarray(room[0]) + 0.2).all()
            assert (np.asarray(camera.eye) < np.asarray(room[1]) - 0.2).all()


def test_an_orbit_of_no_frames_is_refused(two_balls):
    with pytest.raises(ShapeError, match="at least one frame"):
        orbit_views(two_balls, 0, 64, 48)


def test_real_captures_are_framed(shared_dir):
    from spatialwm.formats import read_splats

    file = shared_dir / "data" / "splat_statues_sog" / "massa.sog"
    scene = Scene((SceneObject("statue-1", "statue", read_splats(file).gaussians),))
    frame = render_scene(scene, establishing_view(scene, 120, 120))
    seen = frame.alpha > 0.5
    assert 0.1 < seen.mean() < 0.8
    # Upright: the bust is narrower at the top than the pedestal at the bottom is dark below it.
    light = frame.rgb.mean(-1)
    rows = np.nonzero(seen.any(1))[0]
    top, bottom = (slice(*np.quantile(rows, q).astype(int)) for q in ((0.1, 0.4), (0.7, 0.95)))
    assert light[top][seen[top]].mean() > light[bottom][seen[bottom]].mean() + 0.1
