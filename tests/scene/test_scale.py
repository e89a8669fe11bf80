"""One known length sets the scale of a whole scene, which keeps standing on its floor."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from spatialwm.errors import EditError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.capture.posed import PosedOptions, seven_scenes
from spatialwm.scene import Environment, ScaleSource, Scene, SceneObject, edits
from spatialwm.scene.scale import KnownLength, fix_scale
from spatialwm.scene.script import parse_command, parse_script


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
    after = before.apply(edits.FixScale((1.0, 2.0, 0.0), (1.0, 2.0, 0.5), 1.25, click_sigma=0.004))
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
    with pytest.raises(EditError, match="must be positive metres"):
        KnownLength((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), length_m)


def test_the_two_places_must_differ_and_the_change_be_sane() -> None:
    with pytest.raises(EditError, match="must be different places"):
        KnownLength((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1.0)
    with pytest.raises(EditError, match="click_sigma must be at least 0"):
        KnownLength((1.0, 0.0, 0.0), (2.0, 0.0, 0.0), 1.0, click_sigma=-1.0)
    with pytest.raises(EditError, match="click places further apart"):
        fix_scale(scene(), KnownLength((0.0, 0.0, 0.0), (1e-6, 0.0, 0.0), 1.0))


def test_it_is_a_command_and_a_script_entry() -> None:
    edit = edits.FixScale((0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 2.03)
    assert parse_command("fix_scale 0 0 0  0 -1 0  2.03", scene()) == edit
    assert parse_command("fix_scale 0 0 0  0 -1 0  2.03 0.01", scene()) == edits.FixScale(edit.a, edit.b, 2.03, 0.01)
    entry = '[{"op": "fix_scale", "a": [0, 0, 0], "b": [0, -1, 0], "length_m": 2.03}]'
    assert parse_script(entry, scene()) == [edit]
    with pytest.raises(EditError, match="expected: fix_scale X0 Y0 Z0 X1 Y1 Z1 METRES"):
        parse_command("fix_scale 0 0 0 1 0 0", scene())


@pytest.mark.parametrize("seed", range(3))
def test_two_clicks_a_pixel_off_scale_the_kitchen_within_a_percent(shared_dir: Path, seed: int) -> None:
    """The kitchen in a unit that nothing tells; a length across it is measured, each click one pixel off at its depth."""
    rng = np.random.default_rng(seed)
    kitchen = seven_scenes.read(shared_dir / "data" / "rgbd_7scenes_redkitchen", PosedOptions(max_views=3, longest_px=320))
    view = kitchen.views[seed]
    assert view.depth is not None
    v, u = np.nonzero((view.depth > 0.5) & (view.depth < 3.5))
    depth = view.depth[v, u].astype(np.float64)
    camera = view.camera
    rays = np.stack([(u + 0.5 - camera.cx) / camera.fx, (v + 0.5 - camera.cy) / camera.fy, np.ones(len(u))], 1)
    places = camera.world_from_cam.apply(rays * depth[:, None])
    pairs = rng.integers(0, len(places), (4000, 2))
    first, last = pairs[np.argmax(np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1))]
    length_m = math.dist(places[first], places[last])
    unit = 0.37
    clicks = [vec3(unit * (places[i] + rng.normal(size=3) * depth[i] / camera.fx)) for i in (first, last)]
    body = Gaussians.from_numpy(
        unit * places, np.tile([1.0, 0, 0, 0], (len(places), 1)), np.full((len(places), 3), 0.01), np.ones(len(places)),
        rgb=np.zeros((len(places), 3)),
    )  # fmt: skip
    fixed = Scene((SceneObject("capture-1", "capture", body),)).apply(edits.FixScale(clicks[0], clicks[1], length_m))
    now = fixed["capture-1"].world_from_object.apply(body.means.numpy())
    spans = [np.linalg.norm(p[pairs[:, 0]] - p[pairs[:, 1]], axis=1).sum() for p in (now, places)]
    assert abs(spans[0] / spans[1] - 1) < 0.01
    assert fixed.scale.method == "measured"
    assert fixed.scale.sigma < 0.02
