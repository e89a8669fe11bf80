"""The basis is orthonormal, in the usual sign, and rotating coefficients turns the radiance they stand for."""

from __future__ import annotations

import math

import pytest
import torch

from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.geometry.sh import SH_C0, dc_to_rgb, degree_of, num_bases, rgb_to_dc, rotate_sh, sh_basis, sh_to_rgb


def sphere(n):
    i = torch.arange(n, dtype=torch.float64) + 0.5
    z, azimuth = 1 - 2 * i / n, math.pi * (1 + math.sqrt(5)) * i
    r = torch.sqrt(1 - z * z)
    return torch.stack([r * torch.cos(azimuth), r * torch.sin(azimuth), z], -1)


def test_the_basis_is_orthonormal_over_the_sphere():
    basis = sh_basis(sphere(20_000), 3)
    torch.testing.assert_close(basis.T @ basis * (4 * math.pi / 20_000), torch.eye(16, dtype=torch.float64), atol=1e-3, rtol=0)


def test_signs_and_order_of_degree_one_are_those_of_gaussian_splatting():
    along_axes = sh_basis(torch.eye(3), 1) / 0.4886025119029199
    torch.testing.assert_close(along_axes[:, 1:], torch.tensor([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rotated_coefficients_show_along_the_rotated_direction_what_was_seen_before(degree, dtype):
    generator = torch.Generator().manual_seed(degree)
    sh = torch.randn(50, num_bases(degree), 3, generator=generator, dtype=dtype) * 0.1
    rotation = quat_to_matrix(torch.randn(4, generator=generator, dtype=dtype))
    directions = sphere(50).to(dtype)
    torch.testing.assert_close(
        sh_to_rgb(rotate_sh(sh, rotation), directions @ rotation.T), sh_to_rgb(sh, directions), atol=1e-5, rtol=1e-5
    )


def test_a_constant_colour_looks_the_same_from_everywhere():
    rgb = torch.tensor([[0.1, 0.5, 0.9]]).expand(9, 3)
    torch.testing.assert_close(sh_to_rgb(rgb_to_dc(rgb)[:, None], sphere(9).float()), rgb)
    torch.testing.assert_close(dc_to_rgb(rgb_to_dc(rgb)), rgb)
    assert rgb_to_dc(torch.ones(3))[0] == pytest.approx(0.5 / SH_C0)


@pytest.mark.parametrize("bases", [0, 2, 8, 25])
def test_coefficient_counts_between_degrees_are_refused(bases):
    with pytest.raises(ShapeError, match="1, 4, 9 or 16"):
        degree_of(bases)
