"""The cpu backend against the float64 oracle. 80 dB is a maximum pixel error far below one 8-bit step, on average 1e-4."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from spatialwm.render.cpu import rasterization
from spatialwm.render.cpu.frame import CHANNEL_GROUPS
from spatialwm.render.cpu.vectors import machine_lanes
from spatialwm.render.reference import rasterization as reference

W, H = 160, 120
LANES = [1, machine_lanes(), *(pytest.param(n, marks=pytest.mark.slow) for n in (4, 8, 16))]


def psnr(a, b) -> float:
    return float(-10 * np.log10(np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2) + 1e-30))


def in_float64(scene):
    return [t.double() for t in scene]


@pytest.mark.parametrize("mode", ["classic", "antialiased"])
@pytest.mark.parametrize("lanes", LANES)
def test_every_vector_width_renders_the_oracles_image(synthetic_scene, lanes, mode):
    scene = synthetic_scene(4000, W, H)
    got = rasterization(*scene, W, H, render_mode="RGB+ED", rasterize_mode=mode, with_ids=True, lanes=lanes)
    want = reference(*in_float64(scene), W, H, render_mode="RGB+ED", rasterize_mode=mode, with_ids=True)
    assert psnr(got[0][..., :3], want[0][..., :3]) > 100
    assert psnr(got[1], want[1]) > 100
    assert psnr(got[0][..., 3], want[0][..., 3]) > 90  # metres of 1 to 8, not 0 to 1
    assert (got[2]["ids"] != want[2]["ids"]).float().mean() < 1e-3


@pytest.mark.slow
def test_a_hundred_thousand_splats_at_vga_stay_above_80_db(synthetic_scene):
    scene = synthetic_scene(100_000, 640, 480)
    got, want = rasterization(*scene, 640, 480), reference(*in_float64(scene), 640, 480)
    assert psnr(got[0], want[0]) > 80
    assert psnr(got[1], want[1]) > 80


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_view_dependent_color_matches(synthetic_scene, degree):
    means, quats, scales, opacities, _, view, K = synthetic_scene(1500, W, H)
    sh = torch.randn(1500, 16, 3, generator=torch.Generator().manual_seed(degree)) * 0.3
    scene = (means, quats, scales, opacities, sh, view, K)
    got = rasterization(*scene, W, H, sh_degree=degree)
    assert psnr(got[0], reference(*in_float64(scene), W, H, sh_degree=degree)[0]) > 100


@pytest.mark.parametrize("channels", [1, 2, 3, 5, 8, 11, 19])
def test_any_number_of_feature_channels_matches(synthetic_scene, channels):
    means, quats, scales, opacities, _, view, K = synthetic_scene(1500, W, H)
    features = torch.randn(1500, channels, generator=torch.Generator().manual_seed(channels))
    scene = (means, quats, scales, opacities, features, view, K)
    behind = torch.linspace(-1, 1, channels)[None]
    for mode in ("RGB", "RGB+D"):
        got = rasterization(*scene, W, H, backgrounds=behind, render_mode=mode)[0]
        want = reference(*in_float64(scene), W, H, backgrounds=behind.double(), render_mode=mode)[0]
        assert got.shape == want.shape
        assert psnr(got, want) > 85


@pytest.mark.parametrize("mode", ["D", "ED"])
def test_depth_alone_matches_and_ignores_the_background(synthetic_scene, mode):
    scene = synthetic_scene(1500, W, H)
    got = rasterization(*scene, W, H, render_mode=mode, backgrounds=torch.ones(1, 3))[0]
    assert psnr(got, reference(*in_float64(scene), W, H, render_mode=mode)[0]) > 85


def test_several_cameras_each_with_own_colors_and_background(synthetic_scene):
    *scene, view, K = synthetic_scene(1500, W, H)
    other = synthetic_scene(1, W, H)[5].clone()
    other[0, :3, 3] += 0.3
    views, Ks, behind = torch.cat([view, other]), K.repeat(2, 1, 1), torch.rand(2, 3)
    colors = torch.stack([scene[4], 1 - scene[4]])
    arguments = [*scene[:4], colors, views, Ks]
    got, _, info = rasterization(*arguments, W, H, backgrounds=behind)
    want = reference(*in_float64(arguments), W, H, backgrounds=behind.double())
    assert psnr(got, want[0]) > 95
    alone = rasterization(*scene[:4], colors[1], other, K, W, H, backgrounds=behind[1:])
    assert torch.equal(got[1], alone[0][0])
    assert info["camera_ids"].unique().tolist() == [0, 1]


def test_info_lists_the_visible_splats_as_the_oracle_does(synthetic_scene):
    scene = synthetic_scene(3000, W, H)
    got, want = rasterization(*scene, W, H)[2], reference(*in_float64(scene), W, H)[2]
    # The kernel also drops splats that fall between pixel centres.
    place = {int(g): i for i, g in enumerate(want["gaussian_ids"])}
    rows = torch.tensor([place[int(g)] for g in got["gaussian_ids"]])
    assert len(rows) > 0.99 * len(place)
    for key, atol in (("means2d", 1e-2), ("depths", 1e-5), ("conics", 1e-3), ("opacities", 1e-6)):
        torch.testing.assert_close(got[key], want[key][rows].float(), rtol=1e-4, atol=atol)
    assert (got["radii"] - want["radii"][rows]).abs().max() <= 1


def test_threads_do_not_change_one_bit(synthetic_scene):
    scene = synthetic_scene(20_000, 320, 200)
    one, two, five = (rasterization(*scene, 320, 200, render_mode="RGB+ED", with_ids=True, threads=t) for t in (1, 2, 5))
    for other in (two, five):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
        assert torch.equal(one[2]["ids"], other[2]["ids"])


def test_a_hundred_concurrent_callers_get_their_own_picture_and_gradient(synthetic_scene):
    scenes = [synthetic_scene(5000, W, H, seed=s) for s in range(4)]

    def work(i):
        means = scenes[i % 4][0].clone().requires_grad_()
        image = rasterization(means, *scenes[i % 4][1:], W, H)[0]
        return image.detach(), torch.autograd.grad(image.square().sum(), means)[0]

    alone = [work(i) for i in range(4)]
    with ThreadPoolExecutor(100) as pool:
        for i, found in enumerate(pool.map(work, range(100))):
            assert all(torch.equal(a, b) for a, b in zip(found, alone[i % 4], strict=True))


def test_channel_groups_cover_what_frames_ask_for():
    assert {3, 4} <= set(CHANNEL_GROUPS)
    assert list(CHANNEL_GROUPS) == sorted(CHANNEL_GROUPS)
