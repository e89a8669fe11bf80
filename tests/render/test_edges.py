"""Inputs at the edge of sense, each on every backend."""

from __future__ import annotations

import pytest
import torch

from spatialwm.errors import ShapeError
from spatialwm.gaussians import Gaussians
from spatialwm.render import available, choose

W, H = 40, 30
VIEW = torch.eye(4)[None]
K = torch.tensor([[[30.0, 0, W / 2], [0, 30.0, H / 2], [0, 0, 1]]])


@pytest.fixture(params=available())
def rasterization(request):
    return choose(request.param)[1]


def gaussians(n: int, depth: float = 2.0):
    """n small opaque red Gaussians on the optical axis."""
    means = torch.zeros(n, 3)
    means[:, 2] = depth
    quats = torch.zeros(n, 4)
    quats[:, 0] = 1
    return [means, quats, torch.full((n, 3), 0.2), torch.full((n,), 0.9), torch.tensor([[1.0, 0, 0]]).repeat(n, 1)]


def test_no_gaussians_show_the_background(rasterization):
    behind = torch.tensor([[0.2, 0.4, 0.6]])
    image, alpha, info = rasterization(*gaussians(0), VIEW, K, W, H, backgrounds=behind, with_ids=True)
    assert torch.allclose(image, behind.expand_as(image))
    assert alpha.max() == 0
    assert (info["ids"] == -1).all()


def test_one_gaussian_is_brightest_at_its_centre(rasterization):
    image, alpha, info = rasterization(*gaussians(1), VIEW, K, W, H, render_mode="RGB+ED", with_ids=True)
    # The four pixels around the projected centre are half a pixel off it, along both axes.
    variance = (0.2 * 30 / 2) ** 2 + 0.3
    expected = 0.9 * torch.exp(torch.tensor(-0.25 / variance))
    assert image[0, H // 2, W // 2, 0] == pytest.approx(float(expected), rel=1e-4)
    assert image[0, H // 2, W // 2, 3] == pytest.approx(2.0, rel=1e-5)
    assert alpha.max() == pytest.approx(float(expected), rel=1e-4)
    assert info["ids"][0, H // 2, W // 2] == 0
    assert info["ids"][0, 0, 0] == -1
    assert image[0, 0, 0, 3] == 0


@pytest.mark.parametrize("depth", [-2.0, 0.0, 0.005, 2e10])
def test_outside_the_depth_range_nothing_is_drawn(rasterization, depth):
    _, alpha, info = rasterization(*gaussians(3, depth), VIEW, K, W, H)
    assert alpha.max() == 0
    assert len(info["gaussian_ids"]) == 0


def test_a_zero_quaternion_is_no_rotation(rasterization):
    plain = gaussians(2)
    plain[2] = torch.tensor([[0.4, 0.1, 0.2]]).repeat(2, 1)
    zero = [t.clone() for t in plain]
    zero[1][:] = 0
    want, got = rasterization(*plain, VIEW, K, W, H)[0], rasterization(*zero, VIEW, K, W, H)[0]
    assert torch.isfinite(got).all()
    assert torch.allclose(want, got, atol=1e-6)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("field", [0, 1, 2, 3, 4])
def test_values_that_are_not_finite_are_refused_by_name_and_count(rasterization, field, value):
    scene = gaussians(5)
    scene[field][3] = value
    scene[field][4] = value
    name = ("means", "quats", "scales", "opacities", "colors")[field]
    with pytest.raises(ShapeError, match=f"{name} is not finite in 2 of 5 Gaussians \\(first: index 3\\)"):
        rasterization(*scene, VIEW, K, W, H)


def test_what_is_not_finite_is_dropped_when_asked(rasterization):
    scene = gaussians(5)
    g = Gaussians.from_numpy(*(t.numpy() for t in scene[:4]), rgb=scene[4].numpy())
    for field, row in ((g.means, 0), (g.quats, 1), (g.scales, 2), (g.opacities, 3)):
        field[row] = float("nan")
    kept = g.drop_invalid()
    image, _, _ = rasterization(kept.means, kept.quats, kept.scales, kept.opacities, kept.sh, VIEW, K, W, H, sh_degree=0)
    assert len(kept) == 1
    assert image[0, H // 2, W // 2, 0] > 0.8


def test_nan_in_spherical_harmonics_is_refused(rasterization):
    scene = gaussians(3)
    scene[4] = torch.zeros(3, 4, 3)
    scene[4][1, 2, 0] = float("nan")
    with pytest.raises(ShapeError, match="colors is not finite in 1 of 3"):
        rasterization(*scene, VIEW, K, W, H, sh_degree=1)


@pytest.mark.parametrize("size", [(0, 30), (40, 0), (-1, 5)])
def test_an_empty_image_is_refused(rasterization, size):
    with pytest.raises(ShapeError, match="at least 1x1"):
        rasterization(*gaussians(1), VIEW, K, *size)


def test_one_pixel_is_an_image(rasterization):
    tiny = torch.tensor([[[1.0, 0, 0.5], [0, 1.0, 0.5], [0, 0, 1]]])
    image, _, _ = rasterization(*gaussians(1), VIEW, tiny, 1, 1)
    assert image.shape == (1, 1, 1, 3)
    assert image[0, 0, 0, 0] == pytest.approx(0.9, rel=1e-5)


@pytest.mark.parametrize("scale", [1e4, 1e8, 1e15])
def test_a_huge_gaussian_covers_everything(rasterization, scale):
    scene = gaussians(1)
    scene[2][:] = scale
    image, alpha, _ = rasterization(*scene, VIEW, K, W, H)
    assert torch.isfinite(image).all()
    assert scale > 1e10 or alpha.min() > 0.89


def test_a_needle_does_not_vanish(rasterization):
    scene = gaussians(1)
    scene[1] = torch.tensor([[0.9, 0.1, -0.2, 0.4]])
    scene[2] = torch.tensor([[2000.0, 1e-6, 1e-6]])  # the naive determinant of its covariance is lost in float32
    _, alpha, _ = rasterization(*scene, VIEW, K, W, H)
    assert 20 < (alpha > 0.3).sum() < 200


def test_an_opacity_above_one_is_one(rasterization):
    bright, one = gaussians(1), gaussians(1)
    bright[3][:], one[3][:] = 3.0, 1.0
    assert torch.equal(rasterization(*bright, VIEW, K, W, H)[0], rasterization(*one, VIEW, K, W, H)[0])


@pytest.mark.parametrize("focal", [0.0, -5.0, float("nan"), float("inf")])
def test_a_degenerate_camera_matrix_is_refused(rasterization, focal):
    bad = K.clone()
    bad[0, 0, 0] = focal
    with pytest.raises(ShapeError, match="camera 0: K"):
        rasterization(*gaussians(1), VIEW, bad, W, H)


def test_a_collapsed_view_matrix_is_refused(rasterization):
    with pytest.raises(ShapeError, match="camera 0: viewmat"):
        rasterization(*gaussians(1), torch.zeros(1, 4, 4), K, W, H)


def test_no_camera_is_refused(rasterization):
    with pytest.raises(ShapeError, match="at least one camera"):
        rasterization(*gaussians(1), VIEW[:0], K[:0], W, H)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quats": torch.zeros(2, 4)}, r"quats must be \(1, 4\)"),
        ({"colors": torch.zeros(2, 3)}, "colors must be"),
        ({"backgrounds": torch.zeros(3)}, "backgrounds must be"),
        ({"sh_degree": 2}, "with sh_degree=2"),
        ({"sh_degree": 4}, "sh_degree must be 0 to 3"),
        ({"render_mode": "BGR"}, "render_mode must be"),
        ({"rasterize_mode": "blurry"}, "rasterize_mode must be"),
        ({"near_plane": 0.0}, "near_plane"),
    ],
)
def test_wrong_arguments_are_named(rasterization, change, message):
    arguments = dict(zip(("means", "quats", "scales", "opacities", "colors"), gaussians(1), strict=True))
    with pytest.raises(ShapeError, match=message):
        rasterization(**(arguments | {"viewmats": VIEW, "Ks": K, "width": W, "height": H} | change))


def test_the_heaviest_gaussian_gives_the_id(rasterization):
    scene = gaussians(2)
    scene[0][:, 2] = torch.tensor([3.0, 2.0])  # the second is in front
    scene[3][:] = torch.tensor([0.9, 0.3])  # but faint: 0.3 against 0.7 * 0.9
    ids = rasterization(*scene, VIEW, K, W, H, with_ids=True)[2]["ids"]
    assert ids[0, H // 2, W // 2] == 0


def test_gradients_of_nothing_visible_are_zero(rasterization):
    scene = [t.requires_grad_() for t in gaussians(3, depth=-2.0)]
    image, alpha, _ = rasterization(*scene, VIEW, K, W, H, render_mode="RGB+ED")
    (image.sum() + alpha.sum()).backward()
    assert all(t.grad is None or not t.grad.any() for t in scene)


@pytest.mark.parametrize("change", ["zero quaternion", "huge scale", "opacity above one", "touching the near plane"])
def test_gradients_stay_finite_at_the_edges(rasterization, change):
    scene = gaussians(2)
    if change == "zero quaternion":
        scene[1][0] = 0
    elif change == "huge scale":
        scene[2][0] = 1e4
    elif change == "opacity above one":
        scene[3][0] = 3.0
    else:
        scene[0][0, 2] = 0.0101
    scene = [t.requires_grad_() for t in scene]
    image, alpha, _ = rasterization(*scene, VIEW, K, W, H, render_mode="RGB+ED", rasterize_mode="antialiased")
    (image.square().sum() + alpha.sum()).backward()
    assert all(torch.isfinite(t.grad).all() for t in scene)
    if change == "zero quaternion":
        assert not scene[1].grad[0].any()
    if change == "opacity above one":
        assert scene[3].grad[0] == 0
