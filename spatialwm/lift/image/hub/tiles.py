"""A depth map predicted in overlapping tiles, with less memory than all at once and without seams.

A network sees a tile as a picture of its own and gets its scale wrong. One look at the whole picture at the resolution of a tile
says where each tile belongs; then all tiles are scaled together so that they agree where they overlap, and are blended in
logarithms, in which a wrong scale is a shift.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

_OVERLAP = 0.25
"""Share of a tile."""
_WHOLE_WEIGHT = 0.3
"""Of the look at the whole against one overlap."""


def in_tiles(
    predict: Callable[[Float[Tensor, "1 3 h w"]], Float[Tensor, "h w"]],
    pixels: Float[Tensor, "1 3 h w"],
    tiles: int,
    multiple: int = 1,
) -> Float[Tensor, "h w"]:
    """Positive depth of a prepared picture, from ``tiles`` x ``tiles`` calls and one for the whole; one tile is one call.

    Args:
        multiple: of the sizes that ``predict`` takes.
    """
    if tiles == 1:
        return predict(pixels)
    height, width = pixels.shape[2:]
    tile_h, tile_w = (_tile_size(size, tiles, multiple) for size in (height, width))
    small = interpolate(pixels, (tile_h, tile_w), mode="bilinear", align_corners=False, antialias=True)
    whole = interpolate(_log(predict(small))[None, None], (height, width), mode="bilinear", align_corners=False)[0, 0]
    places = [(y, x) for y in _starts(height, tile_h, tiles) for x in _starts(width, tile_w, tiles)]
    windows = [(slice(y, y + tile_h), slice(x, x + tile_w)) for y, x in places]
    logs = [_log(predict(pixels[:, :, rows, columns])) for rows, columns in windows]
    shifts = _agreement(logs, whole, places)
    weight = _ramp(tile_h)[:, None] * _ramp(tile_w)
    total, weights = torch.zeros(height, width), torch.zeros(height, width)
    for (rows, columns), log, shift in zip(windows, logs, shifts, strict=True):
        total[rows, columns] += (log + shift) * weight
        weights[rows, columns] += weight
    return (total / weights).exp()


def _agreement(logs: list[Tensor], whole: Tensor, places: list[tuple[int, int]]) -> list[float]:
    """What to add to each tile: least squares over overlaps (medians of differences) and the look at the whole."""
    height, width = logs[0].shape
    equations, differences = [], []
    for i, (y, x) in enumerate(places):
        row = np.zeros(len(logs))
        row[i] = _WHOLE_WEIGHT
        equations.append(row)
        differences.append(_WHOLE_WEIGHT * float((whole[y : y + height, x : x + width] - logs[i]).median()))
    for (i, (yi, xi)), (j, (yj, xj)) in combinations(enumerate(places), 2):
        top, bottom, left, right = max(yi, yj), min(yi, yj) + height, max(xi, xj), min(xi, xj) + width
        if top < bottom and left < right:
            mine = logs[i][top - yi : bottom - yi, left - xi : right - xi]
            other = logs[j][top - yj : bottom - yj, left - xj : right - xj]
            row = np.zeros(len(logs))
            row[i], row[j] = 1.0, -1.0
            equations.append(row)
            differences.append(float((other - mine).median()))
    return np.linalg.lstsq(np.stack(equations), np.array(differences), rcond=None)[0].tolist()


def _log(depth: Tensor) -> Tensor:
    return depth.float().clamp_min(1e-4).log()


def _tile_size(size: int, tiles: int, multiple: int) -> int:
    needed = size / (tiles - (tiles - 1) * _OVERLAP)
    return min(-(-round(needed) // multiple) * multiple, size)


def _starts(size: int, tile: int, tiles: int) -> list[int]:
    """Evenly spread from the first pixel to the last."""
    return sorted({round(i * (size - tile) / (tiles - 1)) for i in range(tiles)})


def _ramp(size: int) -> Float[Tensor, " n"]:
    """Weights that rise from either end over the overlap, nowhere zero."""
    reach = max(size * _OVERLAP, 1.0)
    near = torch.minimum(torch.arange(size) + 0.5, size - torch.arange(size) - 0.5)
    return (near / reach).clamp(max=1.0)
