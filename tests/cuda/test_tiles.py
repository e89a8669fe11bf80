"""Tile lists where count and list disagree, as two compilations of the same arithmetic may about a tangent."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from spatialwm.render.cuda.device import kernels

pytestmark = pytest.mark.usefixtures("emulated")

W, H = 160, 96
TILES = 60
TRUE_COUNTS = (11, 60)


def listed(change: int) -> tuple[list[set[int]], Tensor, Tensor]:
    """Tiles of a small splat and of one over all, if ``change`` too many were counted; the list as it is; what lies behind it."""
    # x, y, slope, depth, along, across, log_opacity, opacity
    splats = torch.tensor([[50.0, 40, 0.2, 1, 0.02, 0.02, 0, 1], [80.0, 50, 0, 2, 1e-5, 1e-5, 0, 1]])
    camera_ids = torch.zeros(2, dtype=torch.int64)
    counts = torch.tensor([TRUE_COUNTS[0] + change, TRUE_COUNTS[1] + change], dtype=torch.int32)
    starts = torch.tensor([0, int(counts[0])])
    total = int(counts.sum())
    tiles, ranks = (torch.full((total + 5,), -7, dtype=torch.int32) for _ in range(2))
    run = kernels("tiles.cu", torch.device("cpu"))
    run.launch("list_tiles", 1, 256, splats, camera_ids, counts, starts, 2, W, H, TILES, tiles, ranks)
    assert ranks[:total].tolist() == [0] * int(counts[0]) + [1] * int(counts[1])
    parts = tiles[: int(counts[0])], tiles[int(counts[0]) : total]
    return [set(part[part < TILES].tolist()) for part in parts], tiles[:total], tiles[total:]


def test_a_splat_lists_each_of_its_tiles_once():
    (few, all_of_them), _, behind = listed(0)
    assert (len(few), len(all_of_them)) == TRUE_COUNTS
    assert 2 * 10 + 3 in few  # the tile of its centre
    assert all_of_them == set(range(TILES))
    assert behind.tolist() == [-7] * 5


def test_places_without_a_tile_go_to_none():
    (few, all_of_them), tiles, behind = listed(3)
    assert (len(few), len(all_of_them)) == TRUE_COUNTS
    assert int((tiles == TILES).sum()) == 6
    assert behind.tolist() == [-7] * 5
    order = tiles.sort().values.contiguous()
    starts = torch.empty(TILES + 1, dtype=torch.int32)
    kernels("tiles.cu", torch.device("cpu")).launch("find_starts", 1, 256, order, len(order), TILES, starts)
    assert int(starts[0]) == 0
    assert int(starts[TILES]) == sum(TRUE_COUNTS)  # what goes to no tile lies behind the last


def test_tiles_without_a_place_are_left_out():
    (few, all_of_them), _, behind = listed(-2)
    assert (len(few), len(all_of_them)) == (TRUE_COUNTS[0] - 2, TRUE_COUNTS[1] - 2)
    assert behind.tolist() == [-7] * 5
