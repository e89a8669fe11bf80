"""The loss between a rendered image and a photograph: L1 and structural similarity, as 3D Gaussian Splatting weighs them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.errors import ShapeError

Padding = Literal["same", "valid"]
"""``same``: a window at every pixel, zeros beyond the border, as in training. ``valid``: whole windows only, as in evaluation."""

RADIUS, SIGMA = 5, 1.5
C1, C2 = 0.01**2, 0.03**2
"""Wang et al. 2004, for values in [0, 1]: a Gaussian window of 11 x 11 px; what keeps flat regions from dividing by zero."""


def photometric_loss(
    image: Float[Tensor, "*c h w d"],
    target: Float[Tensor, "*c h w d"],
    *,
    ssim_weight: float = 0.2,
    mask: Tensor | None = None,
) -> Float[Tensor, ""]:
    """``(1 - ssim_weight) L1 + ssim_weight (1 - SSIM)``, SSIM with zero padding; differentiable in the image only.

    Args:
        image, target: one image or several, of any number of channels, values in [0, 1].
        mask: (*c, h, w), bool or weights in [0, 1]. Pixels outside are taken to be right: they add no loss and get no
            gradient, and the means run over the pixels inside.

    Raises:
        ShapeError: shapes or types disagree.
    """
    _check(image, target, mask)
    return _mean(image, target, 1 - ssim_weight, ssim_weight, 0, mask)


def ssim(
    image: Float[Tensor, "*c h w d"],
    target: Float[Tensor, "*c h w d"],
    *,
    padding: Padding = "same",
    mask: Tensor | None = None,
) -> Float[Tensor, ""]:
    """Mean structural similarity (Wang et al. 2004), 1 for equal images; differentiable in the image only.

    Args:
        image, target, mask: as in :func:`photometric_loss`.

    Raises:
        ShapeError: shapes or types disagree, or no whole window fits.
    """
    _check(image, target, mask)
    if padding not in ("same", "valid"):
        raise ShapeError(f"padding must be 'same' or 'valid'; got {padding!r}")
    size = 2 * RADIUS + 1
    if padding == "valid" and min(image.shape[-3:-1]) < size:
        height, width = image.shape[-3:-1]
        raise ShapeError(f"padding 'valid' needs an image of at least {size} x {size} px; got {width} x {height}: use 'same'")
    return 1 - _mean(image, target, 0.0, 1.0, RADIUS if padding == "valid" else 0, mask)


def psnr(image: Float[np.ndarray, "*shape"], target: Float[np.ndarray, "*shape"]) -> float:
    """Peak signal-to-noise ratio in dB of values in [0, 1], in float64; at most 300."""
    error = np.mean((np.asarray(image, np.float64) - np.asarray(target, np.float64)) ** 2)
    return float(-10 * np.log10(error + 1e-30))


def _mean(image: Tensor, target: Tensor, l1_weight: float, ssim_weight: float, margin: int, mask: Tensor | None) -> Tensor:
    """``l1_weight mean|d| + ssim_weight mean(1 - SSIM)`` over the mask, by the fastest kernel that can."""
    target = target.detach()
    share: Tensor | float = 1.0
    if mask is not None:
        weight = mask.to(image.dtype)
        image = torch.lerp(target, image, weight[..., None])
        height, width = mask.shape[-2:]
        inside = weight[..., margin : height - margin, margin : width - margin]
        share = inside.numel() / inside.sum().clamp(min=1)
    batch = image.reshape(-1, *image.shape[-3:])
    target = target.reshape(batch.shape)
    if image.dtype == torch.float32 and image.device.type in ("cpu", "cuda"):
        value = _Fused.apply(batch, target, l1_weight, ssim_weight, margin)
    else:
        value = reference(batch, target, l1_weight, ssim_weight, margin)
    return share * value


def reference(
    image: Float[Tensor, "n h w d"], target: Float[Tensor, "n h w d"], l1_weight: float, ssim_weight: float, margin: int
) -> Float[Tensor, ""]:
    """What the kernels compute, in plain torch: the oracle, and the fallback for other types and devices."""
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=image.dtype, device=image.device)
    window = torch.exp(-(offsets**2) / (2 * SIGMA**2))
    window = window / window.sum()

    def blur(values: Tensor) -> Tensor:
        # One group per channel and channels last in memory: 8 times faster on the CPU than planes are.
        d, planes = values.shape[-1], values.permute(0, 3, 1, 2)
        pad = 0 if margin else RADIUS
        planes = torch.nn.functional.conv2d(planes, window.view(1, 1, -1, 1).expand(d, 1, -1, 1), padding=(pad, 0), groups=d)
        return torch.nn.functional.conv2d(planes, window.view(1, 1, 1, -1).expand(d, 1, 1, -1), padding=(0, pad), groups=d)

    mean_x, mean_y = blur(image), blur(target)
    var_x, var_y = blur(image**2) - mean_x**2, blur(target**2) - mean_y**2
    cov = blur(image * target) - mean_x * mean_y
    similarity = ((2 * mean_x * mean_y + C1) * (2 * cov + C2)) / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))
    return l1_weight * (image - target).abs().mean() + ssim_weight * (1 - similarity.mean())


class _Fused(torch.autograd.Function):
    """Value and gradient in one call of a native kernel."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, target: Tensor, l1_weight: float, ssim_weight: float, margin: int) -> Tensor:
        if image.device.type == "cuda":
            from spatialwm.render.cuda.ssim import l1_ssim
        else:
            from spatialwm.render.cpu.ssim import l1_ssim
        wanted = ctx.needs_input_grad[0]
        value, gradient = l1_ssim(image.contiguous(), target.contiguous(), l1_weight, ssim_weight, margin, wanted)
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = ctx.saved_tensors
        # A pass over the image, and on the CPU a team of threads woken beside ours, for nothing: 3 of 9 CPU-ms.
        if not grads[0].is_cuda and grads[0] == 1:
            return gradient, None, None, None, None
        return gradient * grads[0], None, None, None, None


def _check(image: Tensor, target: Tensor, mask: Tensor | None) -> None:
    if image.shape != target.shape or image.ndim < 3 or 0 in image.shape:
        raise ShapeError(
            f"image and target must have one shape (h, w, d) or (c, h, w, d), none of them 0; "
            f"got {tuple(image.shape)} and {tuple(target.shape)}"
        )
    if image.dtype != target.dtype or image.device != target.device or not image.is_floating_point():
        raise ShapeError(
            f"image and target must have one float type and device; got {image.dtype} on {image.device} and "
            f"{target.dtype} on {target.device}"
        )
    if mask is not None and (mask.shape != image.shape[:-1] or mask.device != image.device):
        raise ShapeError(
            f"mask must be {tuple(image.shape[:-1])} on {image.device}, one weight per pixel; "
            f"got {tuple(mask.shape)} on {mask.device}"
        )
