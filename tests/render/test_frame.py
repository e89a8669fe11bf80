"""Pictures of scenes: what is where, and cheap re-posing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.errors import EditError, ShapeError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.render import Stage, available, film, render_scene
from spatialwm.scene import Scene, edits, flatten

CAMERA = Camera.look_at((0.4, -2.0, 0.3), (0.4, 0.0, 0.0), 96, 64)


@pytest.mark.parametrize("backend", available())
def test_every_pixel_knows_its_object(two_balls, backend):
    frame = render_scene(two_balls, CAMERA, backend=backend)
    assert frame.backend == backend
    assert frame.rgb.shape == (64, 96, 3)
    assert frame.rgb.dtype == np.float32
    x, y = 30, 32
    assert frame.object_at(x, y) == "ball-1"
    assert frame.object_at(96 - x, y) == "кружка-β"
    assert frame.object_at(0, 0) is None
    assert frame.mask_of("кружка-β").sum() > 100
    assert frame.mask_of("nobody").sum() == 0
    assert np.allclose(frame.rgb[0, 0], (0.2, 0.3, 0.4))
    assert frame.depth_m[y, x] == pytest.approx(1.74, abs=0.15)  # the near side of the ball
    assert frame.depth_m[0, 0] == 0


def test_a_given_background_wins(two_balls):
    assert np.allclose(render_scene(two_balls, CAMERA, background=(1.0, 0.0, 0.5)).rgb[0, 0], (1.0, 0.0, 0.5))


def test_a_scene_flattened_once_renders_the_same(two_balls):
    once = flatten(two_balls)
    want = render_scene(two_balls, CAMERA)
    got = render_scene(once, CAMERA, background=two_balls.environment.background)
    assert np.array_equal(want.rgb, got.rgb)
    assert np.array_equal(want.object_index, got.object_index)


def test_an_empty_scene_is_its_background():
    frame = render_scene(Scene(), CAMERA)
    assert frame.rgb.max() == 0
    assert (frame.object_index == -1).all()
    assert frame.object_at(3, 3) is None


def test_a_spoilt_gaussian_is_named(two_balls):
    body = two_balls["ball-1"]
    means = body.gaussians.means.clone()
    means[7] = float("nan")
    spoilt = replace(body.gaussians, means=means)
    with pytest.raises(ShapeError, match=r"means is not finite in 1 of 3000 Gaussians \(first: index 7\)"):
        render_scene(two_balls.with_objects([replace(body, gaussians=spoilt)]), CAMERA)


def test_a_stage_flattens_bit_for_bit_and_reuses_what_stood_still(two_balls):
    stage = Stage()
    first = stage.flatten(two_balls)
    moved = two_balls.apply(edits.Move("ball-1", (0.1, 0.0, 0.0)))
    still = stage._posed["кружка-β"][2]
    fewer = moved.without("ball-1")
    for scene, got in ((two_balls, first), (moved, stage.flatten(moved)), (fewer, stage.flatten(fewer))):
        want = flatten(scene)
        for field in ("means", "quats", "scales", "opacities", "sh"):
            assert torch.equal(getattr(want.gaussians, field), getattr(got.gaussians, field))
        assert torch.equal(want.owner, got.owner)
        assert want.object_ids == got.object_ids
    assert stage._posed["кружка-β"][2] is still


def test_a_stage_notices_a_repainted_object(two_balls):
    stage = Stage()
    stage.flatten(two_balls)
    painted = two_balls.apply(edits.Recolor("ball-1", "red"))
    assert torch.equal(stage.flatten(painted).gaussians.sh, flatten(painted).gaussians.sh)


def test_a_moved_object_moves_in_the_picture(two_balls):
    up = two_balls.with_objects([replace(two_balls["ball-1"], world_from_object=Pose((0.0, 0.0, 0.25)))])
    before, after = (render_scene(s, CAMERA).mask_of("ball-1").nonzero()[0].mean() for s in (two_balls, up))
    assert after < before - 5


def test_a_film_is_the_pictures_of_its_steps(two_balls):
    steps = [{}, {"ball-1": Pose((0.0, 0.0, 0.2))}, {"ball-1": Pose((0.0, 0.0, 0.3)), "кружка-β": Pose((0.8, 0.5, 0.0))}]
    aside = Camera.look_at((1.4, -2.0, 0.3), (0.4, 0.0, 0.0), 96, 64)
    frames = list(film(two_balls, steps, [CAMERA, aside]))
    for frame, poses, camera in zip(frames, steps, (CAMERA, aside, aside), strict=True):
        posed = two_balls.with_objects([replace(two_balls[i], world_from_object=p) for i, p in poses.items()])
        assert np.array_equal(frame.rgb, render_scene(posed, camera).rgb)


def test_a_film_of_an_unknown_object_is_refused(two_balls):
    with pytest.raises(EditError, match="no object 'cup-9'"):
        next(film(two_balls, [{"cup-9": Pose()}], CAMERA))


def test_a_stage_pads_mixed_degrees_like_flatten(two_balls):
    richer = replace(two_balls["ball-1"].gaussians, sh=torch.randn(1500, 9, 3))
    mixed = two_balls.with_objects([replace(two_balls["ball-1"], gaussians=richer)])
    assert torch.equal(Stage().flatten(mixed).gaussians.sh, flatten(mixed).gaussians.sh)
