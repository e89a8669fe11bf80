"""The splats that cameras see, nearest first, and which tiles they touch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.render.cuda import channels as channel_rows
from spatialwm.render.cuda.channels import Channels
from spatialwm.render.cuda.device import kernels
from spatialwm.render.cuda.sort import exclusive_scan, sort_pairs
from spatialwm.render.cuda.view import View

_THREADS = 256
_MAX_PAIRS = 2**30 - 1


@dataclass(frozen=True, slots=True)
class Gaussians:
    """float32, contiguous and on the device."""

    means: Float[Tensor, "n 3"]
    quats: Float[Tensor, "n 4"]
    scales: Float[Tensor, "n 3"]
    opacities: Float[Tensor, " n"]


@dataclass(frozen=True, slots=True)
class Visible:
    """A row per visible pair of camera and Gaussian, nearest first within each camera."""

    broken: int
    """Gaussians with a value that is not finite."""
    touched: int
    """Pairs of splat and tile."""
    splats: Float[Tensor, "m 8"]
    """``struct Splat`` of cuda/alpha.cuh."""
    channels: Float[Tensor, "m stride"]
    tile_counts: Int[Tensor, " m"]
    ranks: Int[Tensor, "c n"]
    """Row of each pair, -1 where it has none."""
    means2d: Float[Tensor, "m 2"]
    shapes: Float[Tensor, "m 4"]
    """Conic and opacity."""
    depths: Float[Tensor, " m"]
    radii: Int[Tensor, "m 2"]
    camera_ids: Int[Tensor, " m"]
    gaussian_ids: Int[Tensor, " m"]


def find_visible(gaussians: Gaussians, channels: Channels, view: View) -> Visible:
    """Project, cull and sort. Waits for the GPU once, to learn how many splats and tiles there are."""
    n, c, device = len(gaussians.means), view.count, gaussians.means.device
    if n * c > _MAX_PAIRS:
        raise ShapeError(f"{n} Gaussians in {c} cameras are more than {_MAX_PAIRS} pairs: render fewer cameras at a time")
    run = kernels("project.cu", device)
    grid = (-(-n // _THREADS), c, 1)
    splats = torch.empty(c * n, 8, device=device)
    rgb = torch.empty(c * n, 4, device=device) if channels.sh is not None else None
    tile_counts, ranks = (torch.empty(c * n, dtype=torch.int32, device=device) for _ in range(2))
    block_counts = torch.empty(grid[0] * c, dtype=torch.int32, device=device)
    totals = torch.zeros(3, dtype=torch.int64, device=device)
    if n:
        run.launch(
            "find_visible", grid, _THREADS, gaussians.means, gaussians.quats, gaussians.scales, gaussians.opacities, channels.sh,
            0 if channels.sh is None else channels.sh.shape[1] * 3, channels.degree, channels.colors, channels.color_count,
            int(channels.per_camera), channels.features, channels.feature_count, view.records, n, view.width, view.height,
            *view.lens, splats, rgb, tile_counts, ranks, block_counts, totals,
        )  # fmt: skip
    m, touched, broken = totals.tolist()

    keys, pairs = (torch.empty(m, dtype=torch.int32, device=device) for _ in range(2))
    if m:
        run.launch("compact", grid, _THREADS, tile_counts, splats, exclusive_scan(block_counts)[0], n, keys, pairs)
    order = sort_pairs(keys, pairs, bits=31)[1]
    if c > 1:
        order = sort_pairs(order // max(n, 1), order, bits=(c - 1).bit_length())[1]
    seen = Visible(
        broken, touched, torch.empty(m, 8, device=device), channels.empty_rows(m, device),
        torch.empty(m, dtype=torch.int32, device=device), ranks.view(c, n), torch.empty(m, 2, device=device),
        torch.empty(m, 4, device=device), torch.empty(m, device=device), torch.empty(m, 2, dtype=torch.int32, device=device),
        *(torch.empty(m, dtype=torch.int64, device=device) for _ in range(2)),
    )  # fmt: skip
    if m:
        run.launch(
            "arrange", -(-m // _THREADS), _THREADS, order, splats, rgb, tile_counts, m, n, channels.stride,
            channels.total - 1 if channels.depth else -1, seen.splats, seen.channels, seen.tile_counts, ranks, seen.means2d,
            seen.shapes, seen.depths, seen.radii, seen.camera_ids, seen.gaussian_ids,
        )  # fmt: skip
        channel_rows.gather(channels, order, n, seen.channels)
    return seen


@dataclass(frozen=True, slots=True)
class Tiles:
    """What each 16x16 tile draws, nearest first; tiles are numbered through all cameras."""

    starts: Int[Tensor, " tiles+1"]
    splats: Int[Tensor, " touched"]
    """Rows of :class:`Visible`, tile after tile."""


def list_tiles(seen: Visible, view: View) -> Tiles:
    """Assign splats to tiles. Does not wait for the GPU."""
    m, device, count = len(seen.depths), seen.depths.device, view.tile_count
    run = kernels("tiles.cu", device)
    tiles, splats = (torch.empty(seen.touched, dtype=torch.int32, device=device) for _ in range(2))
    if m:
        run.launch(
            "list_tiles", -(-m // _THREADS), _THREADS, seen.splats, seen.camera_ids, seen.tile_counts,
            exclusive_scan(seen.tile_counts)[0], m, view.width, view.height, count, tiles, splats,
        )  # fmt: skip
    tiles, splats = sort_pairs(tiles, splats, bits=count.bit_length())
    starts = torch.empty(count + 1, dtype=torch.int32, device=device)
    run.launch("find_starts", -(-(count + 1) // _THREADS), _THREADS, tiles, seen.touched, count, starts)
    return Tiles(starts, splats)
