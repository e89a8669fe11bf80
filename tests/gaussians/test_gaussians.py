"""Gaussians keep their shape, say what is wrong with them, and move as the densities they stand for."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spatialwm.errors import ShapeError
from spatialwm.gaussians import Gaussians, concatenate, from_raw, to_raw, transform
from spatialwm.geometry.se3 import Pose, quat_to_matrix
from spatialwm.geometry.sh import sh_to_rgb

QUICK = settings(deadline=None, max_examples=15)

FIELDS = ("means", "quats", "scales", "opacities", "sh")
poses = st.builds(
    Pose,
    st.tuples(*[st.floats(-5, 5)] * 3),
    st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: math.hypot(*q) > 0.1),
    st.floats(0.1, 8),
)


def make(n, degree=0, seed=0, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    quats = torch.nn.functional.normalize(torch.randn(n, 4, generator=g, dtype=dtype), dim=-1)
    return Gaussians(
        torch.randn(n, 3, generator=g, dtype=dtype), quats, torch.rand(n, 3, generator=g, dtype=dtype) + 0.01,
        torch.rand(n, generator=g, dtype=dtype), torch.randn(n, (degree + 1) ** 2, 3, generator=g, dtype=dtype) * 0.1,
    )  # fmt: skip


def covariances(g):
    half = quat_to_matrix(g.quats) * g.scales[:, None, :]
    return half @ half.transpose(1, 2)


def assert_same(a, b, **tolerance):
    for name in FIELDS:
        torch.testing.assert_close(getattr(a, name), getattr(b, name), **tolerance)


@QUICK
@given(poses)
def test_a_transform_moves_densities_and_view_dependent_colour_alike(pose):
    g = make(20, 3)
    moved = transform(g, pose)
    rotation = torch.from_numpy(pose.rotation())
    torch.testing.assert_close(moved.means.numpy(), pose.apply(g.means.numpy()), check_dtype=False)
    torch.testing.assert_close(covariances(moved), pose.scale**2 * rotation @ covariances(g) @ rotation.T)
    directions = torch.nn.functional.normalize(torch.randn(20, 3, dtype=torch.float64), dim=-1)
    torch.testing.assert_close(sh_to_rgb(moved.sh, directions @ rotation.T), sh_to_rgb(g.sh, directions))
    assert moved.opacities is g.opacities


@QUICK
@given(poses, poses)
def test_two_transforms_are_one_composed(a, b):
    g = make(9, 2)
    one, two = transform(g, a @ b), transform(transform(g, b), a)
    torch.testing.assert_close(one.means, two.means)
    torch.testing.assert_close(covariances(one), covariances(two))
    torch.testing.assert_close(one.sh, two.sh)


def test_the_identity_costs_nothing():
    g = make(5)
    assert transform(g, Pose()) is g


@pytest.mark.parametrize("n", [0, 1, 100])
def test_raw_and_back(n):
    g = make(n, 1)
    assert_same(from_raw(to_raw(g)), g, atol=1e-9, rtol=1e-5)


def test_raw_of_flat_and_opaque_gaussians_is_finite():
    g = make(3)
    raw = to_raw(Gaussians(g.means, g.quats, g.scales * 0, torch.tensor([0.0, 1.0, 0.5], dtype=torch.float64), g.sh))
    assert torch.isfinite(raw.log_scales).all()
    assert torch.isfinite(raw.logit_opacities).all()


def test_activation_is_differentiable():
    raw = to_raw(make(4))
    leaf = raw.log_scales.detach().clone().requires_grad_()
    from_raw(type(raw)(raw.means, raw.quats, leaf, raw.logit_opacities, raw.sh)).scales.sum().backward()
    torch.testing.assert_close(leaf.grad, torch.exp(leaf.detach()))


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_another_length_is_refused_by_name(field):
    g = make(6, 1)
    values = {name: getattr(g, name) for name in FIELDS}
    values[field] = values[field][:-1]
    with pytest.raises((ShapeError, TypeError), match=field):
        Gaussians(**values)


def test_exactly_one_kind_of_colour_is_wanted():
    arrays = (np.zeros((2, 3)), np.zeros((2, 4)), np.zeros((2, 3)), np.zeros(2))
    with pytest.raises(ShapeError, match="exactly one"):
        Gaussians.from_numpy(*arrays)
    g = Gaussians.from_numpy(*arrays, rgb=np.full((2, 3), 0.25))
    torch.testing.assert_close(g.rgb, torch.full((2, 3), 0.25))
    assert g.means.dtype == torch.float32


def test_read_only_memory_is_copied_so_that_nothing_can_write_through():
    means = np.zeros((2, 3), np.float32)
    means.flags.writeable = False
    g = Gaussians.from_numpy(means, np.zeros((2, 4)), np.zeros((2, 3)), np.zeros(2), rgb=np.zeros((2, 3)))
    g.means[0] = 1
    assert means.sum() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("means", math.nan), ("quats", 0.0), ("scales", -1.0), ("scales", math.inf), ("opacities", math.nan), ("sh", math.nan)],
)  # fmt: skip
def test_what_cannot_be_drawn_is_named_counted_and_dropped(field, value):
    g = make(5, 1)
    getattr(g, field)[3] = value
    with pytest.raises(ShapeError, match=rf"bad.ply: {field} is invalid in 1 of 5 Gaussians \(first: index 3\)"):
        g.check_finite("bad.ply")
    rest = g.drop_invalid()
    assert len(rest) == 4
    rest.check_finite()
    assert rest.drop_invalid() is rest


def test_concatenation_keeps_order_and_pads_harmonics():
    a, b = make(3, 0), make(2, 2, seed=1)
    both = concatenate([a, b])
    assert (len(both), both.sh_degree) == (5, 2)
    torch.testing.assert_close(both.sh[:3, 0], a.sh[:, 0])
    assert both.sh[:3, 1:].abs().sum() == 0
    assert concatenate([a]) is a
    assert len(concatenate([])) == 0


def test_bounds_reach_as_far_as_the_ellipsoids():
    g = Gaussians(
        torch.zeros(1, 3), torch.tensor([Pose.about_axis((0.0, 0.0, 1.0), math.pi / 4).quat]), torch.tensor([[3.0, 1.0, 0.5]]),
        torch.ones(1), torch.zeros(1, 1, 3),
    )  # fmt: skip
    np.testing.assert_allclose(g.bounds(2.0)[1], [2 * math.sqrt(5), 2 * math.sqrt(5), 1.0], rtol=1e-5)
    assert g.bounds().tolist() == [[0, 0, 0], [0, 0, 0]]
    assert Gaussians.empty(3).bounds(3.0).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_selection_by_mask_and_by_index_agree():
    g = make(6)
    mask = torch.tensor([True, False, True, False, False, True])
    assert_same(g.select(mask), g.select(torch.tensor([0, 2, 5])), atol=0, rtol=0)
