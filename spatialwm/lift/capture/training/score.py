"""How well a training shows what it never saw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from spatialwm.render.photometric import psnr, ssim

FEW_VIEWS = 16


@dataclass(frozen=True, slots=True)
class ViewScore:
    """One held-out view at full size."""

    view: int
    name: str
    psnr: float
    psnr_fitted: float
    """After the best gain and offset per colour: what remains when exposure is forgiven."""
    ssim: float
    image: UInt8[np.ndarray, "h w 3"] = field(compare=False, repr=False)
    """As it was shown."""


def held_out_views(count: int) -> tuple[int, ...]:
    """Which of ``count`` views are kept aside: every eighth, or of few views inner ones, which others surround."""
    if count >= FEW_VIEWS:
        return tuple(range(0, count, 8))
    return tuple(range(3, count - 1, 4)) if count >= 6 else ()


def score(view: int, name: str, image: Float[Tensor, "h w 3"], truth: Float[Tensor, "h w 3"]) -> ViewScore:
    """Of a rendered view against its photograph, both in 0..1."""
    image = image.clamp(0, 1)
    x, y = image.cpu().numpy().astype(np.float64).reshape(-1, 3), truth.cpu().numpy().astype(np.float64).reshape(-1, 3)
    off = x - x.mean(0)
    gain = (off * y).sum(0) / np.maximum((off * off).sum(0), 1e-12)  # of one colour all over: none, only an offset
    fitted = y.mean(0) + gain * off
    with torch.no_grad():
        similarity = float(ssim(image.contiguous(), truth))
    shown = (x.reshape(image.shape) * 255 + 0.5).astype(np.uint8)
    return ViewScore(view, name, psnr(x, y), psnr(fitted.clip(0, 1), y), similarity, shown)


def mean_of(scores: Iterable[ViewScore], field: str) -> float:
    """Mean of ``psnr``, ``psnr_fitted`` or ``ssim``; NaN of no views."""
    values = [float(getattr(s, field)) for s in scores]
    return float(np.mean(values)) if values else float("nan")
