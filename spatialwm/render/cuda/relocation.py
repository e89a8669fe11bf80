"""Relocation by the kernel of ``cuda/relocation.cu``."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spatialwm.render.cuda.device import kernels

_THREADS = 128


def relocated(
    opacities: Float[Tensor, " n"], scales: Float[Tensor, "n 3"], counts: Int[Tensor, " n"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n 3"]]:
    """See :func:`spatialwm.render.relocation.relocated`, which checks the arguments."""
    opacities, scales = opacities.float().contiguous(), scales.float().contiguous()
    new_opacities, new_scales, n = torch.empty_like(opacities), torch.empty_like(scales), len(opacities)
    if n:
        kernels("relocation.cu", scales.device).launch(
            "relocate", -(-n // _THREADS), _THREADS, opacities, scales, counts.int().contiguous(), new_opacities, new_scales, n
        )
    return new_opacities, new_scales
