"""Densification as sampling: Gaussians that fade are moved to where others are, and what is seen stays as it was.

Pure functions on raw parameters, for any backend: each returns new parameters and which of the old rows they continue, so that
an optimiser's moments follow by ``moments = moments[moved.origin]; moments[moved.fresh] = 0``.

Source: Kheradmand et al. 2024, "3D Gaussian Splatting as Markov Chain Monte Carlo", arXiv:2404.09591.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.gaussians import RawGaussians
from spatialwm.geometry.se3 import quat_to_matrix

MIN_OPACITY = 0.005
"""A Gaussian fainter than this is dead."""

_OPACITY_MARGIN = 1e-6  # held this far below 1, whose logit is infinite
_LEAST, _MOST = 1e-12, 1 - 1e-7  # opacities between which the quotient of equation 9 has a value in float64
_GATE_STEEPNESS, _GATE_OPACITY = 100.0, 0.005  # of the noise: what can be seen is not shaken


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """Parameters after a move."""

    raw: RawGaussians
    origin: Int[Tensor, " m"]
    """Row of the parameters before that each row continues."""
    fresh: Bool[Tensor, " m"]
    """Rows whose values are new; what an optimiser has learned of them is void."""


def relocated(
    opacities: Float[Tensor, " n"], scales: Float[Tensor, "n 3"], counts: Int[Tensor, " n"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n 3"]]:
    """Opacities and scales of Gaussians that each become ``counts`` in one place, looking together as one did before.

    Computed in float64; any count is possible, where other implementations end at 51.

    Raises:
        ShapeError: shapes disagree, or a count below 1.

    Source: equation 9, its double sum made one by sum_{i=1}^{N} C(i-1, k) = C(N, k+1).
    """
    n = len(opacities)
    if opacities.shape != (n,) or scales.shape != (n, 3) or counts.shape != (n,):
        raise ShapeError(
            f"opacities, scales, counts must be (n,), (n, 3), (n,); got {tuple(opacities.shape)}, {tuple(scales.shape)}, "
            f"{tuple(counts.shape)}"
        )
    if n and int(counts.min()) < 1:
        raise ShapeError(f"a Gaussian becomes at least one; got a count of {int(counts.min())}")
    if scales.is_cuda:
        from spatialwm.render.cuda import relocation

        return relocation.relocated(opacities, scales, counts)
    total = counts.double()
    o = opacities.double().clamp(_LEAST, _MOST)
    x = -torch.expm1(torch.log1p(-o) / total)
    term, inverse_factor = -torch.ones_like(x), torch.zeros_like(x)
    for m in range(1, int(counts.max()) + 1 if n else 0):
        term = term * -x * (total - (m - 1)) / m  # zero once m exceeds a count
        inverse_factor += term / m**0.5
        if bool(((m > total * x) & (term.abs() < 1e-17)).all()):
            break
    return x.to(opacities.dtype), (scales * (o / inverse_factor)[:, None]).to(scales.dtype)


@torch.no_grad()
def relocate_dead(raw: RawGaussians, *, min_opacity: float = MIN_OPACITY, generator: torch.Generator | None = None) -> Moved:
    """Move every dead Gaussian onto a living one, drawn in proportion to opacity, which shares its appearance with it."""
    opacities = torch.sigmoid(raw.logit_opacities)
    dead = opacities <= min_opacity
    origin = torch.arange(len(dead), device=dead.device)
    if not bool(dead.any()) or bool(dead.all()):
        return Moved(raw, origin, torch.zeros_like(dead))
    origin[dead] = _drawn(opacities.masked_fill(dead, 0.0), int(dead.sum()), generator)
    return _shared(raw, origin, dead, min_opacity)


@torch.no_grad()
def add_new(
    raw: RawGaussians, *, cap: int, growth: float = 1.05, min_opacity: float = MIN_OPACITY,
    generator: torch.Generator | None = None,
) -> Moved:  # fmt: skip
    """Grow by a factor up to ``cap`` Gaussians; the new share the appearance of ones drawn in proportion to opacity."""
    n = len(raw.means)
    count = max(0, min(cap, int(growth * n)) - n)
    origin = torch.arange(n, device=raw.means.device)
    is_new = torch.arange(n + count, device=raw.means.device) >= n
    if count == 0:
        return Moved(raw, origin, is_new)
    return _shared(
        raw, torch.cat([origin, _drawn(torch.sigmoid(raw.logit_opacities), count, generator)]), is_new, min_opacity
    )


@torch.no_grad()
def inject_noise(raw: RawGaussians, strength: float, *, generator: torch.Generator | None = None) -> RawGaussians:
    """Shake the means, each along its own Gaussian's axes, the more the fainter it is.

    Args:
        strength: learning rate of the means times the noise's own, 5e5 in the paper.

    Source: equation 8.
    """
    gate = torch.sigmoid(_GATE_STEEPNESS * (_GATE_OPACITY - torch.sigmoid(raw.logit_opacities)))
    noise = _random(torch.randn, raw.means.shape, raw.means, generator) * (gate * strength)[:, None]
    # R S^2 R^T of the equation, less R^T: noise alike in all directions may be turned.
    along = quat_to_matrix(raw.quats) @ (torch.exp(2 * raw.log_scales) * noise)[..., None]
    return replace(raw, means=raw.means + along[..., 0])


def _shared(raw: RawGaussians, origin: Int[Tensor, " m"], is_copy: Bool[Tensor, " m"], min_opacity: float) -> Moved:
    counts = 1 + torch.bincount(origin[is_copy], minlength=len(raw.means))
    touched = (counts > 1).nonzero()[:, 0]
    opacities, scales = relocated(
        torch.sigmoid(raw.logit_opacities[touched]), torch.exp(raw.log_scales[touched]), counts[touched]
    )
    logits, log_scales = raw.logit_opacities.clone(), raw.log_scales.clone()
    logits[touched] = torch.logit(opacities.clamp(min_opacity, 1 - _OPACITY_MARGIN))
    log_scales[touched] = torch.log(scales)
    after = RawGaussians(raw.means[origin], raw.quats[origin], log_scales[origin], logits[origin], raw.sh[origin])
    return Moved(after, origin, (counts > 1)[origin])


def _drawn(weights: Float[Tensor, " n"], count: int, generator: torch.Generator | None) -> Int[Tensor, " count"]:
    # torch.multinomial ends at 2^24 categories.
    upto = weights.double().cumsum(0)
    at = _random(torch.rand, (count,), upto, generator) * upto[-1]
    # The last may be nobody's: a zero weight behind it, or rounding at the very end.
    return torch.searchsorted(upto, at, right=True).clamp(max=int((weights > 0).nonzero()[-1]))


def _random(draw: Callable[..., Tensor], shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    device = like.device if generator is None else generator.device
    return draw(shape, generator=generator, device=device, dtype=like.dtype).to(like.device)
