"""What no view shows and what hangs in free space goes; nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.dense.depth_map import DepthMap
from spatialwm.lift.capture.training.prune import floating, looks, pruned, seen_px
from spatialwm.render.cpu import rasterization

W, H = 80, 60
CAMERAS = [Camera.look_at((x, 0.0, 0.0), (0.5 * x, 2.0, 0.0), W, H, 60.0) for x in (-0.4, -0.2, 0.0, 0.2, 0.4)]


def opaque(means: np.ndarray, sigma: float = 0.03) -> Gaussians:
    n = len(means)
    return Gaussians.from_numpy(
        means, np.tile([1.0, 0, 0, 0], (n, 1)), np.full((n, 3), sigma), np.full(n, 0.95), sh=np.zeros((n, 1, 3))
    )


@pytest.fixture(scope="module")
def wall() -> np.ndarray:
    """A dense wall across all views, 2 m away."""
    x, z = np.meshgrid(np.arange(-1.8, 1.8, 0.04), np.arange(-1.3, 1.3, 0.04))
    return np.column_stack([x.ravel(), np.full(x.size, 2.0), z.ravel()])


@pytest.fixture(scope="module")
def maps() -> list[DepthMap]:
    """The wall as every view measures it."""
    found = []
    for i, camera in enumerate(CAMERAS):
        v, u = np.mgrid[0.5:H, 0.5:W]
        rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], -1)
        depth = (2.0 / camera.world_from_cam.rotate(rays)[..., 1]).astype(np.float32)
        found.append(DepthMap(i, camera, depth, np.ones_like(depth)))
    return found


def test_what_hides_behind_a_wall_goes_and_the_pictures_stay(wall, maps):
    hidden = np.column_stack([np.linspace(-1, 1, 50), np.full(50, 3.0), np.zeros(50)])
    beside = np.array([[0.0, -5.0, 0.0], [9.0, 2.0, 0.0]])  # behind the cameras, outside of all pictures
    everything = opaque(np.concatenate([wall, hidden, beside]), sigma=0.05)  # so wide that nothing shines through
    left = pruned(everything, CAMERAS, maps)
    assert (left.means[:, 1] == 2.0).all()
    assert len(left) > 0.3 * len(wall)  # of the wall itself, what lies outside of all pictures goes too
    for camera in CAMERAS:
        before, after = (
            rasterization(g.means, g.quats, g.scales, g.opacities, g.sh, camera.viewmat()[None], camera.K()[None], W, H,
                          sh_degree=0, rasterize_mode="antialiased")[0]
            for g in (everything, left)
        )  # fmt: skip
        assert float((before - after).abs().max()) < 0.02


def test_a_gaussian_that_one_view_alone_shows_stays(wall):
    turned = Camera.look_at((0.0, 0.0, 0.0), (2.0, 0.3, 0.0), W, H, 40.0)
    aside = np.array([[1.5, 0.2, 0.0]])
    seen = seen_px(opaque(np.concatenate([wall, aside])), [*CAMERAS, turned])
    assert seen[-1] > 1
    assert seen_px(opaque(aside), CAMERAS)[0] == 0


def test_pixels_are_counted_at_one_size_whatever_the_views_have():
    ball = opaque(np.array([[0.0, 2.0, 0.0]]), sigma=0.1)
    small, large = (Camera.look_at((0.0, 0.0, 0.0), (0.0, 2.0, 0.0), k * W, k * H, 60.0) for k in (4, 8))
    assert seen_px(ball, [small])[0] == pytest.approx(seen_px(ball, [large])[0], rel=1e-3)
    assert seen_px(ball, [small, small])[0] == pytest.approx(2 * seen_px(ball, [small])[0])
    sigma_px = 0.1 / 2 * small.fx
    assert seen_px(ball, [small])[0] == pytest.approx(2 * np.pi * sigma_px**2 * 0.95, rel=0.05)


def test_a_floater_that_two_views_look_through_goes(wall, maps):
    floater = np.array([[0.0, 0.8, 0.0]])
    assert floating(floater, maps).all()
    assert not floating(floater, maps[2:3]).any()  # one view may be wrong
    assert not floating(wall, maps).any()
    left = pruned(opaque(np.concatenate([wall, floater])), CAMERAS, maps)
    assert (left.means[:, 1] == 2.0).all()


def test_what_as_many_views_see_there_as_look_through_stays(maps):
    place = np.array([[0.0, 1.0, 0.0]])
    solid = [DepthMap(m.view, m.camera, np.where(m.depth > 0, np.float32(1.0), m.depth), m.confidence) for m in maps[:2]]
    assert [int(a[0]) for a in looks(place, [*maps[2:], *solid])] == [3, 2]
    assert not floating(place, [*maps[2:], *solid]).any()


def test_unknown_depth_says_nothing(maps):
    blind = [DepthMap(m.view, m.camera, np.zeros_like(m.depth), m.confidence) for m in maps]
    assert not floating(np.array([[0.0, 0.8, 0.0]]), blind).any()
    assert not floating(np.array([[0.0, -0.8, 0.0]]), maps).any()  # behind the cameras
    assert len(pruned(opaque(np.array([[0.0, 0.8, 0.0]])), CAMERAS, [])) == 1


def test_nothing_is_left_of_nothing(maps):
    assert len(pruned(Gaussians.empty(), CAMERAS, maps)) == 0
    assert len(pruned(opaque(np.array([[0.0, 2.0, 0.0]])), [], [])) == 0
    assert torch.is_tensor(pruned(Gaussians.empty(), [], []).means)
