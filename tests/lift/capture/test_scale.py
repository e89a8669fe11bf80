"""One known length sets the scale of a whole scene, which keeps standing on its floor."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from spatialwm.errors import LiftError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.scale import KnownLength, fix_scale
from spatialwm.scene import Environment, ScaleSource, Scene, SceneObject


def scene() -> Scene:
    n = 20
    gaussians = Gaussians(
        torch.rand(n, 3, generator=torch.Generator().manual_seed(0)), torch.eye(4)[:1].repeat(n, 1),
        torch.full((n, 3), 0.01), torch.ones(n), torch.zeros(n, 1, 3),
    )  # fmt: skip
    body = SceneObject("box-1", "box", gaussians, Pose.about_axis((0.0, 0.0, 1.0), 0.4, (1.0, 2.0, 0.0)), mass_kg=2.0)
    return Scene(
        (body,),
        Environment(room=((-1.0, -2.0, 0.0), (3.0, 4.0, 2.5))),
        ScaleSource("prior", 0.2),
        Camera.look_at((0.0, -3.0, 1.6), (1.0, 2.0, 0.5), 64, 48),
        ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)),
    )


def test_everything_grows_about_the_origin_and_stays_on_the_floor() -> None:
    before = scene()
    after = fix_scale(before, KnownLength((1.0, 2.0, 0.0), (1.0, 2.0, 0.5), 1.25, click_sigma=0.004))
    old, new = before["box-1"].bounds(), after["box-1"].bounds()
    np.testing.assert_allclose(new, old * 2.5, rtol=1e-6)
    assert before.spawn is not None
    assert after.spawn is not None
    np.testing.assert_allclose(after.spawn.eye, np.array(before.spawn.eye) * 2.5)
    assert after.spawn.world_from_cam.quat == before.spawn.world_from_cam.quat
    assert after.spawn.world_from_cam.scale == 1.0
    assert after.walkable == ((0.0, 0.0), (2.5, 0.0), (0.0, 2.5))
    assert after.environment.room == ((-2.5, -5.0, 0.0), (7.5, 10.0, 6.25))
    assert after["box-1"].mass_kg == pytest.approx(2.0 * 2.5**3)
    assert after.scale.method == "measured"
    assert after.scale.sigma == pytest.approx(math.sqrt(2) * 0.004 / 0.5)
    assert after["box-1"].gaussians is before["box-1"].gaussians


@pytest.mark.parametrize("length_m", [0.0, -1.0, math.nan, math.inf])
def test_a_length_must_be_positive(length_m: float) -> None:
    with pytest.raises(LiftError, match="must be positive metres"):
        KnownLength((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), length_m)


def test_the_two_places_must_differ_and_the_change_be_sane() -> None:
    with pytest.raises(LiftError, match="must be different places"):
        KnownLength((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1.0)
    with pytest.raises(LiftError, match="click_sigma must be at least 0"):
        KnownLength((1.0, 0.0, 0.0), (2.0, 0.0, 0.0), 1.0, click_sigma=-1.0)
    with pytest.raises(LiftError, match="click places further apart"):
        fix_scale(scene(), KnownLength((0.0, 0.0, 0.0), (1e-6, 0.0, 0.0), 1.0))
