"""Points in an order in which neighbours in memory are neighbours in space, cut into buckets with a box each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

_BITS = 10  # per axis: a thousandth of the extent


@dataclass(frozen=True, slots=True)
class Buckets:
    """Clouds in Morton order; bucket i holds points ``i * size`` to ``(i + 1) * size``, the last perhaps fewer."""

    points: Float[Tensor, "b n 3"]
    order: Int[Tensor, "b n"]
    """Original index of each point."""
    codes: Int[Tensor, "b n"]
    low: Float[Tensor, "b k 3"]
    high: Float[Tensor, "b k 3"]


def bucketed(clouds: Float[Tensor, "b n 3"], size: int) -> Buckets:
    """Sort each cloud along a Morton curve and box every ``size`` points."""
    low, high = clouds.amin(1, keepdim=True), clouds.amax(1, keepdim=True)
    codes, order = morton_codes(clouds, low, high).sort(dim=1, stable=True)
    points = clouds.gather(1, order[..., None].expand(-1, -1, 3))
    missing = -points.shape[1] % size
    whole = torch.cat([points, points[:, -1:].expand(-1, missing, -1)], dim=1).reshape(len(points), -1, size, 3)
    return Buckets(points, order, codes, whole.amin(2), whole.amax(2))


def morton_codes(points: Float[Tensor, "*b n 3"], low: Tensor, high: Tensor) -> Int[Tensor, "*b n"]:
    """The bits of each point's place between two corners, axes interleaved; what lies outside counts as on the border.

    Source: Morton 1966; bits spread as in the "magic numbers" of Warren 2012, Hacker's Delight.
    """
    cells = (points - low) / (high - low).clamp(min=torch.finfo(points.dtype).tiny)
    v = (cells.clamp(0, 1) * (2**_BITS - 1)).to(torch.int64)
    for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
        v = (v | (v << shift)) & mask
    return v[..., 0] | (v[..., 1] << 1) | (v[..., 2] << 2)
