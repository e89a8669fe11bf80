"""Pixels of a surface become oriented Gaussians of exactly their footprint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy import ndimage

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.se3 import matrix_to_quat
from spatialwm.lift.image.layers.surface import Surface, dot, jumps

SIZES = (4, 2, 1)
"""Pixels along the side of a cell that one Gaussian may stand for, largest first."""
FOOTPRINT = 0.5
"""Standard deviation of a single pixel, in pixels. Renderers blur by 0.55 px more and dim what is smaller: of a picture full of
detail 0.28 leaves 19 dB, 0.4 24.5, 0.5 25.6 and 0.6 25.1. What it lets through shows :func:`underlay_of`."""
PLAIN_FOOTPRINT = 0.5
"""That of larger cells, which reach over the detail beside them: 0.6 costs up to 1 dB, 0.4 opens gaps."""
CLOSED_FOOTPRINT = 0.6
"""That of cells which the own view does not show: they only have to close."""
THIN = 0.12
"""Standard deviation along the normal over that across it."""
_GRAZING = 0.03
"""Cosine below which a footprint grows no further."""
_SLANTED = 0.3
"""Cosine below which footprints are wide enough to close everywhere: a step up pulls a grazing floor apart, row from row."""
_FLAT = 4 / 255
_LEVEL = 0.01
"""A cell larger than a pixel holds no colour and no relative distance farther apart than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Square blocks of pixels, disjoint."""

    row: Int[np.ndarray, " n"]
    column: Int[np.ndarray, " n"]
    """Of the first pixel."""
    size: Int[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.row)

    def mean(self, values: Float[np.ndarray, "h w ..."]) -> Float[np.ndarray, "n ..."]:
        """Of a picture's values over each cell."""
        out = np.empty((len(self), *values.shape[2:]), np.float32)
        for size in np.unique(self.size):
            at = self.size == size
            row, column = self.row[at], self.column[at]
            blocks = (values[row + i, column + j] for i in range(size) for j in range(size))
            out[at] = sum(blocks) / np.float32(size * size)  # pyright: ignore[reportCallIssue]
        return out


def cells_of(surface: Surface, where: Bool[np.ndarray, "h w"], *, coarse: bool = False) -> Cells:
    """Cover the pixels of ``where``: large cells on what is flat and plain, single pixels on detail.

    Args:
        coarse: two pixels a side are good enough for detail.
    """
    left = where.copy()
    found: list[tuple[np.ndarray, np.ndarray, int]] = []
    plain = {size: _plain(surface, size, coarse and size == SIZES[-2]) for size in SIZES[:-1]}
    for size in SIZES[:-1]:
        rows, columns = plain[size].shape
        whole = plain[size].copy()
        for i in range(size):
            for j in range(size):
                whole &= left[i : rows * size : size, j : columns * size : size]
        row, column = np.nonzero(whole)
        found.append((row * size, column * size, size))
        left[: rows * size, : columns * size] &= ~np.repeat(np.repeat(whole, size, 0), size, 1)
    row, column = np.nonzero(left)
    found.append((row, column, 1))
    return Cells(
        np.concatenate([r for r, _, _ in found]),
        np.concatenate([c for _, c, _ in found]),
        np.concatenate([np.full(len(r), s) for r, _, s in found]),
    )


def underlay_of(surface: Surface, where: Bool[np.ndarray, "h w"]) -> Cells:
    """Large cells under everything: a single layer lets a tenth of what is behind it through, more from nearby.

    They lie half a cell off the large cells above, whose corners are where those let most through.
    """
    size = SIZES[0]
    offset = size // 2
    whole = where & ~jumps(surface.nearness, surface.rays.wraps)
    inner = np.asarray(ndimage.binary_erosion(whole, iterations=size // 2, border_value=1), bool)
    inner = inner[offset:, offset:]
    rows, columns = (n // size for n in inner.shape)
    blocks = inner[: rows * size, : columns * size].reshape(rows, size, columns, size)
    row, column = np.nonzero(blocks.all((1, 3)))
    return Cells(row * size + offset, column * size + offset, np.full(len(row), size))


def _plain(surface: Surface, size: int, any_color: bool) -> Bool[np.ndarray, "r c"]:
    """Which blocks hold one colour and one distance."""
    low, high = _extremes(surface.distance, size)
    plain = high - low <= _LEVEL * size * low
    if not any_color:
        for channel in range(3):
            low, high = _extremes(surface.rgb[..., channel], size)
            plain &= high - low <= _FLAT
    return plain


def _extremes(values: Float[np.ndarray, "h w"], size: int) -> tuple[Float[np.ndarray, "r c"], Float[np.ndarray, "r c"]]:
    """Least and greatest value of every whole block."""
    height, width = (n // size * size for n in values.shape)
    views = [values[i:height:size, j:width:size] for i in range(size) for j in range(size)]
    return np.minimum.reduce(views), np.maximum.reduce(views)


def splats(
    surface: Surface, cells: Cells, opacity: Float[np.ndarray, " n"] | float, *,
    facing: bool = False, closed: bool = False, farther: float = 1.0,
) -> Gaussians:  # fmt: skip
    """One Gaussian per cell, in the camera's frame.

    Args:
        facing: turned to the camera, whatever the surface does.
        closed: wide enough to close everywhere, though that blurs.
        farther: how many times as far as the surface, and as wide.
    """
    means = cells.mean(surface.points) * np.float32(farther)
    direction = _unit(means)
    normal = -direction if facing else _unit(cells.mean(surface.normals))
    distance = np.sqrt(dot(means, means))
    pitch = cells.mean(surface.rays.pitch_rad) * (cells.size * distance)[:, None]
    # Where the two edges of a pixel's cone meet the plane of the surface.
    along = _unit(np.cross(_down(surface, cells, direction), direction))
    down = np.cross(direction, along)
    cosine = dot(normal, direction)
    cosine = np.where(abs(cosine) < _GRAZING, -_GRAZING, cosine)
    tangents = [
        pitch[:, i, None] * (across - direction * (dot(normal, across) / cosine)[:, None])
        for i, across in enumerate((along, down))
    ]
    major, minor, quats = _axes(tangents[0], tangents[1])
    wide = (abs(cosine) < _SLANTED) | closed
    spread = np.where(wide, CLOSED_FOOTPRINT, np.where(cells.size == 1, FOOTPRINT, PLAIN_FOOTPRINT))[:, None]
    scales = spread * np.stack([major, minor, THIN * minor], 1)
    opacities = np.broadcast_to(np.float32(opacity), len(cells))
    return Gaussians.from_numpy(means, quats, scales, opacities, rgb=cells.mean(surface.rgb))


def _down(surface: Surface, cells: Cells, direction: np.ndarray) -> np.ndarray:
    """Towards the next row, as the rays run."""
    height = surface.distance.shape[0]
    row, column = cells.row, cells.column
    above, below = np.maximum(row - 1, 0), np.minimum(row + 1, height - 1)
    step = surface.rays.directions[below, column] - surface.rays.directions[above, column]
    return _unit(step - direction * dot(step, direction)[:, None]).astype(np.float32)


def _axes(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half axes and orientation of the ellipse that two conjugate radii span.

    The singular vectors of the 3x2 matrix (u v), in closed form.
    """
    uu, uv, vv = dot(u, u), dot(u, v), dot(v, v)
    turn = 0.5 * np.arctan2(2 * uv, uu - vv)[:, None]
    first, second = np.cos(turn) * u + np.sin(turn) * v, np.cos(turn) * v - np.sin(turn) * u
    major, minor = np.sqrt(dot(first, first)), np.sqrt(dot(second, second))
    x, y = _unit(first), _unit(second)
    rotation = np.stack([x, y, np.cross(x, y)], -1)
    return major, minor, matrix_to_quat(torch.from_numpy(rotation)).numpy()


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.sqrt(dot(vectors, vectors)), 1e-12)[..., None]
