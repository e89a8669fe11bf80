"""A closed surface around a set of Gaussians: their density on a grid, and surface nets through it."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float
from numba import njit
from scipy import ndimage
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.scene.objects import OPAQUE

LEVEL = 0.4
"""Summed opacity at the surface. A lone opaque splat passes it, a haze of floaters does not."""
CELLS, MAX_CELLS = 64, 160
"""Along the longest side: for a set of up to ten thousand Gaussians, and at most."""
MAX_FACES = 40_000
"""For a set of up to ten thousand Gaussians; larger ones get more, in proportion, up to eight times as many."""
GAP_CELLS = 4
"""Half the width of the widest gap in a shell that is bridged."""
_EDGES = [(a, b) for a, b in itertools.combinations(range(8), 2) if bin(a ^ b).count("1") == 1]
_CORNERS = np.array([(c >> 2 & 1, c >> 1 & 1, c & 1) for c in range(8)])


def surface_of(gaussians: Gaussians) -> Mesh:
    """The outer surface of the opaque Gaussians, cavities filled, without colours; empty when nothing is opaque.

    Source: Gibson 1998, "Constrained Elastic Surface Nets"; one vertex in each crossed cell, at the mean of its crossings.
    """
    kept = gaussians.select(gaussians.opacities > OPAQUE)
    if not len(kept):
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32))
    means = kept.means.detach().cpu().double().numpy()
    richness = float(np.clip(len(kept) / 10_000, 1, 8))
    cells = min(CELLS * richness**0.5, MAX_CELLS)
    vertices, faces, pitch = _level_set(kept, means, cells)
    if len(faces) > 1.2 * MAX_FACES * richness:  # faces grow with the square of the resolution
        vertices, faces, pitch = _level_set(kept, means, cells * (MAX_FACES * richness / len(faces)) ** 0.5)
    return Mesh(_onto_splats(vertices, faces, means, 3 * pitch), faces)


def _level_set(kept: Gaussians, means: np.ndarray, cells: float) -> tuple[np.ndarray, np.ndarray, float]:
    # Captures have floaters far away; a hundredth of the splats may not stretch the grid.
    low, high = np.quantile(means, 0.005, axis=0), np.quantile(means, 0.995, axis=0)
    margin = np.maximum(0.02 * (high - low), 3 * float(kept.scales.median()))
    low, high = np.maximum(low - margin, means.min(0)), np.minimum(high + margin, means.max(0))
    pitch = max(float((high - low).max()), 1e-3) / cells
    origin = low - 7 * pitch
    density = np.zeros(np.ceil((high - low) / pitch).astype(int) + 15, np.float32)
    # Splats thinner than a cell would slip between its corners.
    sigmas = kept.scales.detach().cpu().double().numpy().clip(0.7 * pitch, 12 * pitch)
    axes = quat_to_matrix(kept.quats).detach().cpu().double().numpy()
    _add_density(density, (means - origin) / pitch, axes, sigmas / pitch, kept.opacities.detach().cpu().double().numpy())
    solid = _with_inside(density > LEVEL)
    density[solid] = np.maximum(density[solid], 1.1 * LEVEL)
    density[np.asarray(ndimage.binary_erosion(solid, iterations=2), bool)] = 2 * LEVEL
    vertices, faces = surface_nets(np.minimum(density, 2 * LEVEL), LEVEL)
    return vertices * pitch + origin, faces, pitch


def _with_inside(dense: np.ndarray) -> np.ndarray:
    """Dense cells and the cavities they enclose, so that only the outside of a shell becomes surface.

    Gaps of a few cells between splats are bridged to tell inside from outside, but only the bridges of a cavity are kept:
    the spaces between the legs of a chair stay open.
    """
    closed = np.asarray(ndimage.binary_closing(dense, iterations=GAP_CELLS), bool)
    inside = np.asarray(ndimage.binary_fill_holes(closed), bool) & ~closed
    if not inside.any():
        return dense
    return dense | inside | (closed & np.asarray(ndimage.binary_dilation(inside, iterations=GAP_CELLS), bool))


def _onto_splats(vertices: np.ndarray, faces: np.ndarray, means: np.ndarray, reach_m: float) -> np.ndarray:
    """Draw vertices along their normals onto the sheet of splat centres: the level set stands about two sigmas off it."""
    if not len(vertices):
        return vertices
    corners = vertices[faces]
    normal = np.zeros_like(vertices)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for i in range(3):
        np.add.at(normal, faces[:, i], across)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    k = min(12, len(means))
    distance, near = (a.reshape(len(vertices), k) for a in cKDTree(means).query(vertices, k=k))
    weight = np.exp(-0.5 * (distance / np.maximum(distance.mean(1, keepdims=True), 1e-9)) ** 2)
    offset = ((means[near] - vertices[:, None]) * normal[:, None]).sum(2)
    shift = (offset * weight).sum(1) / weight.sum(1)
    return vertices + normal * np.clip(shift, -reach_m, reach_m)[:, None]


def surface_nets(values: Float[np.ndarray, "x y z"], level: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices in grid units and triangles of the surface ``values == level``, wound so that lower values lie outside."""
    inside = values > level
    inside[[0, -1]] = inside[:, [0, -1]] = inside[:, :, [0, -1]] = False
    n = np.array(values.shape)
    count = sum(inside[tuple(slice(o, e - 1 + o) for o, e in zip(corner, n, strict=True))].astype(np.int8) for corner in _CORNERS)
    cells = np.argwhere((count > 0) & (count < 8))
    if not len(cells):
        return np.zeros((0, 3)), np.zeros((0, 3), np.int32)
    at = [tuple((cells + corner).T) for corner in _CORNERS]
    value, sign = np.stack([values[a] for a in at], 1).astype(np.float64), np.stack([inside[a] for a in at], 1)
    total, crossings = np.zeros((len(cells), 3)), np.zeros(len(cells))
    for a, b in _EDGES:
        crossed = sign[:, a] != sign[:, b]
        va, vb = value[crossed, a], value[crossed, b]
        t = np.clip((level - va) / np.where(va == vb, 1.0, vb - va), 0.0, 1.0)
        total[crossed] += _CORNERS[a] + t[:, None] * (_CORNERS[b] - _CORNERS[a])
        crossings[crossed] += 1
    vertices = cells + total / crossings[:, None]
    index = np.full(n - 1, -1, np.int32)
    index[tuple(cells.T)] = np.arange(len(cells), dtype=np.int32)
    return vertices, np.concatenate([_faces_across(inside, index, axis) for axis in range(3)])


def _faces_across(inside: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
    """Two triangles for every grid edge along ``axis`` that crosses the surface, between the four cells around it."""
    first = np.take(inside, range(inside.shape[axis] - 1), axis)
    second = np.take(inside, range(1, inside.shape[axis]), axis)
    edges = np.argwhere(first != second)
    leaving = first[tuple(edges.T)]
    u, v = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
    a, b, c, d = (index[tuple((edges - o).T)] for o in (u + v, v, 0 * u, u))
    quads = np.stack([a, b, c, d], 1)
    quads[~leaving] = quads[~leaving][:, ::-1]
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)


@njit(cache=True)
def _add_density(
    density: np.ndarray, centers: np.ndarray, axes: np.ndarray, sigmas: np.ndarray, opacities: np.ndarray
) -> None:  # pragma: no cover  (compiled)
    nx, ny, nz = density.shape
    for g in range(len(centers)):
        reach = np.zeros(3)
        for i in range(3):
            for k in range(3):
                reach[i] += (axes[g, i, k] * sigmas[g, k]) ** 2
            reach[i] = 2.6 * np.sqrt(reach[i])
        x0, x1 = max(int(np.ceil(centers[g, 0] - reach[0])), 0), min(int(centers[g, 0] + reach[0]), nx - 1)
        y0, y1 = max(int(np.ceil(centers[g, 1] - reach[1])), 0), min(int(centers[g, 1] + reach[1]), ny - 1)
        z0, z1 = max(int(np.ceil(centers[g, 2] - reach[2])), 0), min(int(centers[g, 2] + reach[2]), nz - 1)
        for x in range(x0, x1 + 1):
            for y in range(y0, y1 + 1):
                for z in range(z0, z1 + 1):
                    dx, dy, dz = x - centers[g, 0], y - centers[g, 1], z - centers[g, 2]
                    d2 = 0.0
                    for k in range(3):
                        d = (axes[g, 0, k] * dx + axes[g, 1, k] * dy + axes[g, 2, k] * dz) / sigmas[g, k]
                        d2 += d * d
                    if d2 < 6.8:
                        density[x, y, z] += opacities[g] * np.exp(-0.5 * d2)
