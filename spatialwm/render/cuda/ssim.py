"""L1 and structural similarity with their gradient on the GPU."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.render.cuda.device import kernels

_TILE, _THREADS = 32, 256  # as in cuda/ssim.cu


def l1_ssim(
    image: Float[Tensor, "n h w d"], target: Float[Tensor, "n h w d"], l1_weight: float, ssim_weight: float, margin: int,
    gradient: bool,
) -> tuple[Float[Tensor, ""], Float[Tensor, "n h w d"] | None]:  # fmt: skip
    """``l1_weight mean|image - target| + ssim_weight mean(1 - SSIM)`` and, if wanted, its gradient to the image.

    Does not wait for the GPU; results repeat to the bit.

    Args:
        image, target: contiguous float32.
        margin: pixels from the border that have no window: 0, or 5 for whole windows only.
    """
    n, height, width, channels = image.shape
    grid = (-(-width // _TILE), -(-height // _TILE), n)
    blocks = grid[0] * grid[1] * grid[2]
    l1_scale = l1_weight / image.numel()
    ssim_scale = ssim_weight / (n * (height - 2 * margin) * (width - 2 * margin) * channels)
    sums, value = image.new_empty(blocks, 2), image.new_empty(())
    maps = image.new_empty(3, n * channels, height, width) if gradient else None
    run = kernels("ssim.cu", image.device)
    run.launch("ssim_forward", grid, _THREADS, image, target, sums, maps, height, width, channels, margin)
    run.launch("ssim_value", 1, _THREADS, sums, value, blocks, np.float64(l1_scale), np.float64(ssim_scale))
    if maps is None:
        return value, None
    slope = torch.empty_like(image)
    run.launch("ssim_backward", grid, _THREADS, image, target, maps, slope, height, width, channels, l1_scale, ssim_scale)
    return value, slope
