"""Pixels of a surface become oriented Gaussians of exactly their footprint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.se3 import matrix_to_quat
from spatialwm.lift.image.layers.surface import Surface, normals

SIZES = (4, 2, 1)
"""Pixels along the side of a cell that one Gaussian may stand for, largest first."""
FOOTPRINT = 0.6
"""Standard deviation in cells: 0.5 lets light through (alpha 0.73), 0.7 blurs beyond what sharpening mends."""
THIN = 0.12
"""Standard deviation along the normal over that across it."""
_GRAZING = 0.15
"""Cosine below which a footprint grows no further: estimates of grazing normals are noise."""
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
    height, width = left.shape
    for size in SIZES:
        rows, columns = height // size, width // size

        def blocks(values: np.ndarray, size: int = size, rows: int = rows, columns: int = columns) -> np.ndarray:
            whole = values[: rows * size, : columns * size]
            return whole.reshape(rows, size, columns, size, -1).swapaxes(1, 2).reshape(rows, columns, size * size, -1)

        plain = blocks(left).all((2, 3))
        if size > 1:
            if not (coarse and size == 2):
                plain &= (np.ptp(blocks(surface.rgb), axis=2) <= _FLAT).all(-1)
            distance = blocks(surface.distance)[..., 0]
            plain &= np.ptp(distance, axis=2) <= _LEVEL * size * distance.min(2)
        row, column = np.nonzero(plain)
        found.append((row * size, column * size, size))
        left[: rows * size, : columns * size] &= ~np.repeat(np.repeat(plain, size, 0), size, 1)
    return Cells(
        np.concatenate([r for r, _, _ in found]),
        np.concatenate([c for _, c, _ in found]),
        np.concatenate([np.full(len(r), s) for r, _, s in found]),
    )


def splats(
    surface: Surface, cells: Cells, opacity: Float[np.ndarray, " n"] | float, *, facing: bool = False
) -> Gaussians:
    """One Gaussian per cell, in the camera's frame.

    Args:
        facing: turned to the camera, whatever the surface does.
    """
    points = surface.points()
    normal_map = None if facing else normals(points, surface.rays.wraps)
    means = cells.mean(points)
    direction = _unit(means)
    normal = -direction if normal_map is None else _unit(cells.mean(normal_map))
    distance = np.linalg.norm(means, axis=1)
    pitch = cells.mean(surface.rays.pitch_rad) * (cells.size * distance)[:, None]
    # Where the two edges of a pixel's cone meet the plane of the surface.
    along = _unit(np.cross(_down(surface, cells, direction), direction))
    down = np.cross(direction, along)
    cosine = (normal * direction).sum(1)
    cosine = np.where(abs(cosine) < _GRAZING, -_GRAZING, cosine)
    tangents = [
        pitch[:, i, None] * (across - direction * ((normal * across).sum(1) / cosine)[:, None])
        for i, across in enumerate((along, down))
    ]
    major, minor, quats = _axes(tangents[0], tangents[1])
    scales = FOOTPRINT * np.stack([major, minor, THIN * minor], 1)
    opacities = np.broadcast_to(np.float32(opacity), len(cells))
    return Gaussians.from_numpy(means, quats, scales, opacities, rgb=cells.mean(surface.rgb))


def _down(surface: Surface, cells: Cells, direction: np.ndarray) -> np.ndarray:
    """Towards the next row, as the rays run."""
    height = surface.distance.shape[0]
    row, column = cells.row, cells.column
    above, below = np.maximum(row - 1, 0), np.minimum(row + 1, height - 1)
    step = surface.rays.directions[below, column] - surface.rays.directions[above, column]
    return _unit(step - direction * (step * direction).sum(1, keepdims=True)).astype(np.float32)


def _axes(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half axes and orientation of the ellipse that two conjugate radii span.

    The singular vectors of the 3x2 matrix (u v), in closed form.
    """
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    turn = 0.5 * np.arctan2(2 * uv, uu - vv)[:, None]
    first, second = np.cos(turn) * u + np.sin(turn) * v, np.cos(turn) * v - np.sin(turn) * u
    major, minor = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    x, y = _unit(first), _unit(second)
    rotation = np.stack([x, y, np.cross(x, y)], -1)
    return major, minor, matrix_to_quat(torch.from_numpy(rotation)).numpy()


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
