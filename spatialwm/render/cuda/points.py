"""Farthest points and nearest neighbours by the kernels of ``cuda/points.cu``."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.render.cuda.device import kernels
from spatialwm.render.cuda.morton import Buckets, bucketed, morton_codes

_BUCKET, _TILE = 32, 128  # points; those of the kernels
_SLOTS = (4, 16, 64)  # lengths of neighbour list with a kernel of their own


def farthest(clouds: Float[Tensor, "b n 3"], count: int, start: int) -> Int[Tensor, "b count"]:
    """See :func:`spatialwm.render.points.farthest_points`, which checks the arguments."""
    b, n, _ = clouds.shape
    sets = bucketed(clouds, _BUCKET)
    place = torch.empty_like(sets.order).scatter_(1, sets.order, torch.arange(n, device=clouds.device).expand(b, -1))
    buckets = sets.low.shape[1]
    out = torch.empty(b, count, dtype=torch.int64, device=clouds.device)
    kernels("points.cu", clouds.device).launch(
        "farthest", b, 1024, clouds.contiguous(), sets.points, sets.order.int(), place.int(), _boxes(sets),
        torch.full((b, n), torch.inf, device=clouds.device), torch.empty(b, buckets, dtype=torch.int64, device=clouds.device),
        out, n, buckets, count, start,
    )  # fmt: skip
    return out


def nearest(
    points: Float[Tensor, "n 3"], k: int, queries: Float[Tensor, "m 3"] | None
) -> tuple[Float[Tensor, "m k"], Int[Tensor, "m k"]]:
    """See :func:`spatialwm.render.points.nearest_neighbors`, which checks the other arguments.

    Raises:
        ShapeError: more neighbours than the longest list of the kernels.
    """
    slots = next((s for s in _SLOTS if s >= k), None)
    if slots is None:
        raise ShapeError(f"on a GPU k must be 1 to {_SLOTS[-1]}; got {k}: ask for fewer, or move the points to the CPU")
    sets, device = bucketed(points[None], _TILE), points.device
    tiles = sets.low.shape[1]
    if queries is None:
        asked, rows = sets.points[0], sets.order[0]
        home = torch.arange(tiles, device=device)
    else:
        codes, rows = morton_codes(queries, points.amin(0), points.amax(0)).sort(stable=True)
        asked = queries[rows].contiguous()
        home = torch.searchsorted(sets.codes[0], codes[::_TILE].contiguous()).clamp(max=len(points) - 1) // _TILE
    m = len(asked)
    distances = torch.empty(m, k, device=device)
    indices = torch.empty(m, k, dtype=torch.int64, device=device)
    if m:
        kernels("points.cu", device).launch(
            f"nearest_{slots}", -(-m // _TILE), _TILE, sets.points[0], sets.order[0].int(), _boxes(sets)[0], asked, rows.int(),
            home.int(), distances, indices, len(points), m, k, tiles, int(queries is None),
        )  # fmt: skip
    return distances, indices


def _boxes(sets: Buckets) -> Float[Tensor, "b k 6"]:
    return torch.cat([sets.low, sets.high], dim=-1)
