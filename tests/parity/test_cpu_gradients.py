"""Gradients of the cpu backend against autograd through the float64 oracle: relative L2 below 1e-4 for every input.

Typical are 1e-6 to 5e-6; expected depth divides by alpha, which costs an order of magnitude where little covers.
"""

from __future__ import annotations

import pytest
import torch

from spatialwm.render.cpu import rasterization
from spatialwm.render.cpu.vectors import machine_lanes
from spatialwm.render.reference import rasterization as reference

W, H, N = 96, 64, 400
LIMIT = 1e-4
LANES = [1, machine_lanes(), *(pytest.param(n, marks=pytest.mark.slow) for n in (4, 8, 16))]


def gradients(rasterizer, dtype, scene, *, sh=None, features=None, mode="RGB", **options):
    """Gradient of a random projection of image and alpha to every input, and to the projected centres, for two cameras."""
    *fields, view, K = (t.clone().to(dtype) for t in scene)
    view, K = view.repeat(2, 1, 1), K.repeat(2, 1, 1)
    view[1, 0, 3] += 0.2
    names = dict(zip(("means", "quats", "scales", "opacities", "colors"), fields, strict=True)) | {"viewmats": view}
    if sh is not None:
        names["colors"] = sh.clone().to(dtype)
    if features is not None:
        names["features"] = features.clone().to(dtype)
    behind = torch.linspace(0.1, 0.9, 2 * names["colors"].shape[-1], dtype=dtype).reshape(2, -1)
    if mode not in ("D", "ED"):
        names["backgrounds"] = behind
    for tensor in names.values():
        tensor.requires_grad_()
    image, alpha, info = rasterizer(
        **names, Ks=K, width=W, height=H, render_mode=mode, sh_degree=None if sh is None else 3, **options
    )
    info["means2d"].retain_grad()
    generator = torch.Generator().manual_seed(1)
    v_image, v_alpha = (torch.randn(t.shape, generator=generator).to(dtype) for t in (image, alpha))
    ((image * v_image).sum() + (alpha * v_alpha).sum()).backward()
    found = {name: tensor.grad.double() for name, tensor in names.items() if tensor.grad is not None}
    place = info["camera_ids"], info["gaussian_ids"]
    for name, value in (("means2d", info["means2d"].grad), ("absgrad", getattr(info["means2d"], "absgrad", None))):
        if value is not None:
            found[name] = torch.zeros(2, len(fields[0]), 2, dtype=torch.float64).index_put(place, value.double())
    return found


def check(scene, **options):
    lanes = options.pop("lanes", None)
    want = gradients(reference, torch.float64, scene, **options)
    got = gradients(rasterization, torch.float32, scene, lanes=lanes, **options)
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert value.norm() > 0, name
        assert (got[name] - value).norm() / value.norm() < LIMIT, name


@pytest.mark.parametrize("rasterize_mode", ["classic", "antialiased"])
@pytest.mark.parametrize("lanes", LANES)
def test_every_vector_width_finds_the_gradients_of_the_oracle(synthetic_scene, lanes, rasterize_mode):
    means, quats, scales, opacities, *rest = synthetic_scene(N, W, H)
    opacities = opacities * 1.2  # some above one
    check((means, quats, scales, opacities, *rest), lanes=lanes, rasterize_mode=rasterize_mode, mode="RGB+ED", absgrad=True)


@pytest.mark.parametrize("mode", ["RGB", "D", "ED", "RGB+D"])
def test_every_mode_finds_the_gradients_of_the_oracle(synthetic_scene, mode):
    check(synthetic_scene(N, W, H), mode=mode)


def test_gradients_reach_spherical_harmonics_and_through_the_viewing_direction_the_means(synthetic_scene):
    sh = torch.randn(N, 16, 3, generator=torch.Generator().manual_seed(0)) * 0.3
    check(synthetic_scene(N, W, H), sh=sh, mode="RGB+D")


@pytest.mark.parametrize("channels", [2, 19])
def test_gradients_reach_features_beside_colors(synthetic_scene, channels):
    features = torch.randn(N, channels, generator=torch.Generator().manual_seed(0))
    check(synthetic_scene(N, W, H), features=features, mode="RGB+ED")


def test_absolute_gradients_are_right_for_more_channels_than_a_kernel_has(synthetic_scene):
    features = torch.randn(N, 9, generator=torch.Generator().manual_seed(0))
    check(synthetic_scene(N, W, H), features=features, absgrad=True)


def test_threads_do_not_change_one_bit_of_any_gradient(synthetic_scene):
    scene = synthetic_scene(20_000, 320, 200)

    def find(threads):
        inputs = [t.clone().requires_grad_() for t in scene[:6]]
        image, alpha, _ = rasterization(*inputs, scene[6], 320, 200, render_mode="RGB+ED", threads=threads)
        (image.square().sum() + alpha.sum()).backward()
        return [t.grad for t in inputs]

    one, two = find(1), find(2)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_second_backward_through_a_kept_graph_is_the_same(synthetic_scene):
    scene = synthetic_scene(N, W, H)
    means = scene[0].clone().requires_grad_()
    image = rasterization(means, *scene[1:], W, H)[0]
    first = torch.autograd.grad(image.sum(), means, retain_graph=True)[0]
    assert torch.equal(first, torch.autograd.grad(image.sum(), means)[0])
