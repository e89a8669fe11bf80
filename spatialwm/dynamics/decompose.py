"""Cutting shapes into convex pieces: hulls of surface points, split where the hull bridges a hollow."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError, cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from spatialwm.geometry.mesh import Mesh

MAX_HULL_VERTICES = 48
"""Finer hulls cost collision time and change no contact by more than a few millimetres."""
MIN_THICKNESS_M = 0.004
"""Flatter sets are thickened to this, because a hull without volume has no mass and no inside."""
GRID_CELLS = 24
"""Cells along the longest side of the grid that guides the cuts."""


@dataclass(frozen=True, slots=True, eq=False)
class ConvexPiece:
    """A convex solid given by its corners."""

    vertices: Float[np.ndarray, "v 3"]
    """float64, metres, in the object frame."""
    volume: float
    """Cubic metres."""
    is_box: bool = False
    """True when it fills its axis-aligned bounds."""
    fill: float = 1.0
    """Share of the hull that is material: a lamp shade is nearly all air."""

    def bounds(self) -> Float[np.ndarray, "2 3"]:
        """``[min, max]`` corner."""
        return np.stack([self.vertices.min(0), self.vertices.max(0)])

    def as_mesh(self) -> Mesh:
        """Its surface."""
        solid = ConvexHull(self.vertices)
        faces = solid.simplices.copy()
        outward = np.einsum("fi,fi->f", np.cross(*_edges(self.vertices, faces)), solid.equations[:, :3]) > 0
        faces[~outward] = faces[~outward][:, ::-1]
        used, renumbered = np.unique(faces, return_inverse=True)
        return Mesh(self.vertices[used].astype(np.float32), renumbered.reshape(-1, 3).astype(np.int32))


def _edges(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    corners = vertices[faces]
    return corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]


def hull(points: Float[np.ndarray, "n 3"]) -> ConvexPiece:
    """The convex hull, thickened when flat and thinned to :data:`MAX_HULL_VERTICES` corners."""
    points = _thickened(np.asarray(points, np.float64))
    solid = ConvexHull(points)
    corners = points[solid.vertices]
    if len(corners) > MAX_HULL_VERTICES:
        corners = corners[_extremes(corners)]
        solid = ConvexHull(corners)
    extent = np.prod(np.ptp(corners, axis=0))
    return ConvexPiece(corners, float(solid.volume), bool(solid.volume > 0.985 * extent))


def hollowness(samples: Float[np.ndarray, "n 3"]) -> float:
    """Depth in metres of the deepest pocket that the hull of these surface samples would close."""
    try:
        solid = ConvexHull(_thickened(samples))
    except QhullError:
        return 0.0
    corners = solid.points[solid.simplices]
    grid = np.array([(a, b, 6 - a - b) for a in range(7) for b in range(7 - a)]) / 6.0
    on_hull = np.einsum("gk,fkd->fgd", grid, corners).reshape(-1, 3)
    return float(cKDTree(samples).query(on_hull)[0].max())


def convex_pieces(samples: Float[np.ndarray, "n 3"], tolerance_m: float, max_pieces: int) -> list[ConvexPiece]:
    """Cover a surface by convex pieces that close no pocket deeper than about ``tolerance_m``.

    Best first: the piece whose hull holds most empty space is cut by the axis-aligned plane that leaves the least, or by two
    crossing planes where one alone gains nothing (half a bowl is as hollow as the whole). The measure works on a grid with its
    enclosed cavities filled, so that open bowls stay open and closed shells become solid.

    Args:
        samples: points on the surface, denser than a cell of the grid.
        tolerance_m: a shape with shallower pockets stays one piece.
        max_pieces: bound on the number of pieces.
    """
    if hollowness(samples) <= tolerance_m:
        return [hull(samples)]
    low = samples.min(0)
    pitch = max(float(np.ptp(samples, axis=0).max()) / GRID_CELLS, 0.004)
    cells = _filled_cells(np.floor((samples - low) / pitch).astype(int))
    parts = [_Part.of(cells, pitch)]
    solid_volume = len(cells) * pitch**3
    while len(parts) < max_pieces and _excess(parts) > 0.12 * solid_volume:
        worst = max(range(len(parts)), key=lambda i: parts[i].excess)
        if parts[worst].excess < 0.02 * solid_volume:
            break
        cut = _best_cut(parts[worst], pitch)
        if len(cut) < 2 or len(parts) - 1 + len(cut) > max_pieces:
            break
        parts[worst : worst + 1] = cut
    return [_tight_hull(part.cells, samples, low, pitch) for part in parts]


@dataclass(frozen=True, slots=True)
class _Part:
    cells: Int[np.ndarray, "c 3"]
    excess: float

    @staticmethod
    def of(cells: np.ndarray, pitch: float) -> _Part:
        corners = _corners(cells).astype(np.float64) * pitch
        return _Part(cells, float(ConvexHull(corners).volume) - len(cells) * pitch**3)


def _filled_cells(cells: np.ndarray) -> np.ndarray:
    grid = np.zeros(cells.max(0) + 3, bool)
    grid[tuple(cells.T + 1)] = True
    return np.argwhere(np.asarray(ndimage.binary_fill_holes(grid), bool)) - 1


def _corners(cells: np.ndarray) -> np.ndarray:
    """Corners of the lowest and highest cell of every vertical column: all that a hull can touch."""
    c = cells[np.argsort(cells @ np.array([1 << 20, 1 << 10, 1]))]
    new = np.any(c[1:, :2] != c[:-1, :2], axis=1)
    ends = np.concatenate([c[np.r_[True, new]], c[np.r_[new, True]]])
    offsets = np.array(list(itertools.product((0, 1), repeat=3)))
    corners = (ends[:, None] + offsets).reshape(-1, 3)
    # One code per corner: unique rows are ten times slower, and this is the innermost loop of the search for cuts.
    return corners[np.unique(corners @ np.array([1 << 20, 1 << 10, 1]), return_index=True)[1]]


def _best_cut(part: _Part, pitch: float) -> list[_Part]:
    best: list[_Part] = []
    cells = part.cells
    for axis in range(3):
        values = cells[:, axis]
        for plane in np.unique(np.linspace(values.min(), values.max() + 1, 7).round().astype(int)[1:-1]):
            best = _better(best, _split([values < plane], cells, pitch))
    if not best or part.excess - _excess(best) < 0.15 * part.excess:
        below = cells < (cells.min(0) + cells.max(0) + 1) / 2
        for a, b in ((0, 1), (0, 2), (1, 2)):
            best = _better(best, _split([below[:, a], below[:, b]], cells, pitch))
    return best


def _split(sides: list[np.ndarray], cells: np.ndarray, pitch: float) -> list[_Part]:
    """The non-empty parts on either side of one plane, or in the quarters of two."""
    quarter = sum(side.astype(int) << i for i, side in enumerate(sides))
    kept = (cells[quarter == q] for q in range(1 << len(sides)))
    return [_Part.of(c, pitch) for c in kept if len(c)]


def _better(a: list[_Part], b: list[_Part]) -> list[_Part]:
    if len(b) < 2:
        return a
    return b if len(a) < 2 or _excess(b) < _excess(a) else a


def _excess(parts: list[_Part]) -> float:
    return sum(p.excess for p in parts)


def _tight_hull(cells: np.ndarray, samples: np.ndarray, low: np.ndarray, pitch: float) -> ConvexPiece:
    """The hull of the surface within half a cell of the part; of its cells where no surface is near (inside solids)."""
    first, last = cells.min(0) - 1, cells.max(0) + 1
    owned = np.zeros(last - first + 1, bool)
    owned[tuple((cells - first).T)] = True
    near = samples[np.all((samples >= low + first * pitch) & (samples < low + (last + 1) * pitch), axis=1)]
    keep = np.zeros(len(near), bool)
    for shift in (-0.5, 0.0, 0.5):  # half a cell of overlap, so that neighbouring pieces meet without a seam
        index = np.floor((near - low) / pitch + shift).astype(int) - first
        keep |= owned[tuple(np.clip(index, 0, last - first).T)]
    near = near[keep]
    return hull(near if len(near) >= 4 else low + _corners(cells) * pitch)


def _thickened(points: np.ndarray) -> np.ndarray:
    """Points spread by half the minimum thickness both ways along every direction in which they are flatter than that."""
    center = points.mean(0)
    _, axes = np.linalg.eigh((points - center).T @ (points - center))
    for axis in axes.T:
        along = (points - center) @ axis
        if np.ptp(along) < MIN_THICKNESS_M:
            points = np.concatenate([points - axis * MIN_THICKNESS_M / 2, points + axis * MIN_THICKNESS_M / 2])
    return points


def _extremes(corners: np.ndarray) -> np.ndarray:
    """Indices of the corners that reach furthest along spread directions; flat sides keep their outline."""
    tilts = np.arange(8) * (np.pi / 4)
    ring = np.stack([np.cos(tilts), np.sin(tilts)], axis=1)
    around: list[np.ndarray] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            d = np.zeros((8, 3))
            d[:, axis] = sign
            d[:, [i for i in range(3) if i != axis]] = 0.08 * ring
            around.append(d)
    i = np.arange(MAX_HULL_VERTICES) + 0.5
    z, azimuth = 1 - 2 * i / MAX_HULL_VERTICES, np.pi * (1 + 5**0.5) * i
    sphere = np.stack([np.sqrt(1 - z * z) * np.cos(azimuth), np.sqrt(1 - z * z) * np.sin(azimuth), z], axis=1)
    return np.unique((corners @ np.concatenate([*around, sphere]).T).argmax(0))
