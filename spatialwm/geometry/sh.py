"""Real spherical harmonics, degrees 0 to 3, in the sign and order of 3D Gaussian Splatting."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.errors import ShapeError

SH_C0 = 0.28209479177387814
"""Value of the constant basis function: ``rgb = 0.5 + SH_C0 * dc``."""

MAX_DEGREE = 3


def num_bases(degree: int) -> int:
    """Number of coefficients of ``degree``: 1, 4, 9, 16."""
    return (degree + 1) ** 2


def degree_of(bases: int) -> int:
    """The degree that has ``bases`` coefficients.

    Raises:
        ShapeError: ``bases`` is not 1, 4, 9 or 16.
    """
    degree = math.isqrt(bases) - 1
    if num_bases(degree) != bases or not 0 <= degree <= MAX_DEGREE:
        raise ShapeError(f"SH coefficients per colour must be 1, 4, 9 or 16; got {bases}")
    return degree


def sh_basis(directions: Float[Tensor, "*n 3"], degree: int) -> Float[Tensor, "*n k"]:
    """Basis values along unit ``directions``.

    Source: Sloan 2013, "Efficient Spherical Harmonic Evaluation"; signs as in Kerbl et al. 2023.
    """
    x, y, z = directions.unbind(-1)
    values = [torch.full_like(x, SH_C0)]
    if degree >= 1:
        c1 = 0.4886025119029199
        values += [-c1 * y, c1 * z, -c1 * x]
    if degree >= 2:
        values += [
            1.0925484305920792 * x * y,
            -1.0925484305920792 * y * z,
            0.31539156525252005 * (2 * z * z - x * x - y * y),
            -1.0925484305920792 * x * z,
            0.5462742152960396 * (x * x - y * y),
        ]
    if degree >= 3:
        values += [
            -0.5900435899266435 * y * (3 * x * x - y * y),
            2.890611442640554 * x * y * z,
            -0.4570457994644658 * y * (4 * z * z - x * x - y * y),
            0.3731763325901154 * z * (2 * z * z - 3 * x * x - 3 * y * y),
            -0.4570457994644658 * x * (4 * z * z - x * x - y * y),
            1.445305721320277 * z * (x * x - y * y),
            -0.5900435899266435 * x * (x * x - 3 * y * y),
        ]
    return torch.stack(values, dim=-1)


def sh_to_rgb(sh: Float[Tensor, "n k 3"], directions: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Colours seen along unit ``directions`` (from the eye to the Gaussian), clamped at zero as gsplat does."""
    basis = sh_basis(directions, degree_of(sh.shape[-2]))
    return torch.clamp((basis[..., None] * sh).sum(-2) + 0.5, min=0.0)


def rgb_to_dc(rgb: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Degree-0 coefficients of a view-independent colour."""
    return (rgb - 0.5) / SH_C0


def dc_to_rgb(dc: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """View-independent colour of degree-0 coefficients."""
    return dc * SH_C0 + 0.5


@cache
def _probe_directions() -> Tensor:
    """64 well spread unit vectors (a Fibonacci sphere), enough to pin all 7 functions of degree 3."""
    i = torch.arange(64, dtype=torch.float64) + 0.5
    z = 1 - 2 * i / 64
    azimuth = math.pi * (1 + math.sqrt(5.0)) * i
    r = torch.sqrt(1 - z * z)
    return torch.stack([r * torch.cos(azimuth), r * torch.sin(azimuth), z], dim=-1)


def rotate_sh(sh: Float[Tensor, "n k 3"], rotation: Float[Tensor, "3 3"]) -> Float[Tensor, "n k 3"]:
    """Coefficients of the same radiance after the Gaussians were rotated by ``rotation``.

    A rotation mixes functions only within one degree; each degree's mixing matrix is the exact least-squares solution on
    probe directions, which avoids the recurrences of Ivanic and Ruedenberg 1996 and is tested against re-evaluation.
    """
    degree = degree_of(sh.shape[-2])
    if degree == 0:
        return sh
    out = [sh[..., :1, :]]
    probes = _probe_directions()
    turned = sh_basis(probes, degree)
    original = sh_basis(probes @ rotation.to(torch.float64).cpu(), degree)
    for band in range(1, degree + 1):
        lo, hi = num_bases(band - 1), num_bases(band)
        mix = torch.linalg.lstsq(turned[:, lo:hi], original[:, lo:hi]).solution
        out.append(torch.einsum("ij,njc->nic", mix.to(sh), sh[..., lo:hi, :]))
    return torch.cat(out, dim=-2)
