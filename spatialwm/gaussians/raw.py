"""The unconstrained form that optimisers and the PLY format use: log scales, logit opacities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.gaussians.gaussians import Gaussians


@dataclass(frozen=True, slots=True, eq=False)
class RawGaussians:
    """Gaussians before activation. Names say so: ``log_scales`` is never called ``scales``."""

    means: Float[Tensor, "n 3"]
    quats: Float[Tensor, "n 4"]
    """wxyz of any length."""
    log_scales: Float[Tensor, "n 3"]
    logit_opacities: Float[Tensor, " n"]
    sh: Float[Tensor, "n k 3"]


def from_raw(raw: RawGaussians) -> Gaussians:
    """Activate: normalise, exponentiate, squash. Differentiable."""
    return Gaussians(
        raw.means,
        torch.nn.functional.normalize(raw.quats, dim=-1),
        torch.exp(raw.log_scales),
        torch.sigmoid(raw.logit_opacities),
        raw.sh,
    )


def to_raw(gaussians: Gaussians, min_scale: float = 1e-9, opacity_margin: float = 1e-6) -> RawGaussians:
    """Inverse of :func:`from_raw`.

    Args:
        min_scale: metres; flatter Gaussians are lifted to it, since log 0 has no value.
        opacity_margin: opacities are held this far from 0 and 1 for the same reason.
    """
    return RawGaussians(
        gaussians.means,
        gaussians.quats,
        torch.log(gaussians.scales.clamp(min=min_scale)),
        torch.logit(gaussians.opacities.clamp(opacity_margin, 1 - opacity_margin)),
        gaussians.sh,
    )
