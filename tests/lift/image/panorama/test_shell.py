"""A panorama can be walked in: no seam, no holes, sky behind everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spatialwm.gaussians import concatenate
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.layers import Layers, hole_share, layered
from spatialwm.lift.image.panorama import PanoramaDepth
from spatialwm.lift.image.panorama.shell import dome, reach_m, view_around
from spatialwm.lift.image.photo import Photo
from spatialwm.render import render_scene
from spatialwm.scene import Scene, SceneObject

from .drawn import square

HALF_M = 8.0


@pytest.fixture(scope="module")
def photo() -> Photo:
    rgb = square(HALF_M, 288)[0]
    return Photo(name="square", rgb=np.roll(rgb, 50, axis=1), panorama=True)  # the seam cuts a plain wall, not the end of a house


@pytest.fixture(scope="module")
def estimate(photo: Photo) -> Estimate:
    return PanoramaDepth().estimate(photo)


@pytest.fixture(scope="module")
def lifted(photo: Photo, estimate: Estimate) -> Layers:
    return layered(photo, estimate)


def test_reach_is_a_share_of_the_way_to_the_nearest_wall(estimate: Estimate) -> None:
    assert 0.2 * HALF_M < reach_m(estimate) <= 2.0
    near = replace(estimate, distance_m=estimate.distance_m / 10)
    assert 0.2 < reach_m(near) < 0.1 * HALF_M


def test_the_dome_is_sky_wherever_something_hides_it(photo: Photo, estimate: Estimate) -> None:
    rays, rgb, needed = dome(photo.rgb.astype(np.float32) / 255, estimate)
    up = -rays.directions[..., 1]
    hidden = needed & (up > 0.1)
    assert hidden.any()
    assert not needed[up < -0.2].any()
    assert (rgb[hidden][:, 2] > rgb[hidden][:, 0]).all()  # blue, though the houses before it are brown


def test_at_the_stated_motion_what_people_see_has_no_holes(lifted: Layers, estimate: Estimate) -> None:
    step_m = lifted.motion.aside_m
    whole = concatenate([part.gaussians for part in (lifted.seen, lifted.sky, lifted.unseen)])
    pano_from_level = estimate.upright().inverse()
    for eye, turn_rad in (((step_m, 0.0, 0.0), 0.0), ((-step_m, 0.0, 0.0), 2.0), ((0.0, 0.0, step_m), 4.0)):
        look = view_around(eye, turn_rad)
        assert hole_share(whole, replace(look, world_from_cam=pano_from_level @ look.world_from_cam)) <= 0.006


def test_one_walks_without_holes_and_sees_no_seam(lifted: Layers) -> None:
    step_m = lifted.motion.aside_m
    assert step_m > 0.5
    assert lifted.holes <= 0.005
    parts = {"seen": lifted.seen, "sky": lifted.sky, "unseen": lifted.unseen}
    objects = tuple(
        SceneObject(id=name, category=name, gaussians=part.gaussians, world_from_object=Pose(), mobility="static")
        for name, part in parts.items()
        if len(part.gaussians)
    )
    for x in (-step_m, 0.0, step_m):
        camera = Camera.look_at((x, 0.0, 0.0), vec3((0, 0, -1000)), 200, 200, 70.0, (0.0, -1.0, 0.0))
        frame = render_scene(Scene(objects=objects), camera, background=(1.0, 0.0, 1.0))
        steps = np.abs(np.diff(frame.rgb, axis=1)).mean((0, 2))
        seam = round(camera.cx - camera.fx * x / 1000)
        assert steps[seam - 2 : seam + 2].max() <= np.quantile(steps, 0.95)
