"""The solid shape of an object: its given convex pieces, else pieces of its mesh, else of its Gaussians."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
import torch
import trimesh
from jaxtyping import Float
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from spatialwm.dynamics.decompose import ConvexPiece, convex_pieces, hull
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.scene import SceneObject
from spatialwm.scene.objects import OPAQUE

MAX_PIECES = 64
"""Per object; a hundred objects of this size still simulate faster than real time."""
MAX_COMPONENTS = 24
"""A mesh of more loose parts than this (leaves, books on a shelf) is treated as one surface."""
SHELL_M = 0.003
"""Thickness of material that an open surface stands for."""
MAX_SPLATS = 20_000
"""Larger sets are thinned evenly before their shape is measured; the grid is far coarser than the splats anyway."""

# Objects keep their Gaussians when they move, so a session derives each shape once (0.1 to 0.6 s for a concave one).
_known: WeakKeyDictionary[Gaussians, tuple[Mesh | None, tuple[Mesh, ...], tuple[ConvexPiece, ...]]] = WeakKeyDictionary()


def pieces_of(body: SceneObject) -> tuple[ConvexPiece, ...]:
    """Convex pieces in the object frame; empty for an object without any shape."""
    known = _known.get(body.gaussians)
    if known is not None and known[0] is body.mesh and known[1] is body.collider:
        return known[2]
    pieces = tuple(_derive(body))
    _known[body.gaussians] = (body.mesh, body.collider, pieces)
    return pieces


def _derive(body: SceneObject) -> list[ConvexPiece]:
    given = [hull(m.vertices) for m in body.collider if len(m.vertices)]
    if given:
        return given
    if body.mesh is not None and len(body.mesh.faces):
        return pieces_of_mesh(body.mesh)
    if len(body.gaussians):
        return pieces_of_gaussians(body.gaussians)
    return []


def components(mesh: Mesh) -> list[Mesh]:
    """The loose parts of a mesh, largest first; corners at one place count as joined whatever their index."""
    _, joined = np.unique(np.round(mesh.vertices / 1e-5).astype(np.int64), axis=0, return_inverse=True)
    corners = joined.reshape(-1)[mesh.faces]
    rows, cols = corners[:, [0, 1]].reshape(-1), corners[:, [1, 2]].reshape(-1)
    count, label = connected_components(coo_matrix((np.ones(len(rows)), (rows, cols)), shape=(joined.max() + 1,) * 2))
    face_label = label[corners[:, 0]]
    parts: list[Mesh] = []
    for i in range(count):
        faces = mesh.faces[face_label == i]
        if len(faces):
            used, renumbered = np.unique(faces, return_inverse=True)
            parts.append(Mesh(mesh.vertices[used], renumbered.reshape(-1, 3)))
    return sorted(parts, key=lambda m: -float(np.linalg.norm(np.ptp(m.vertices, axis=0))))


def pieces_of_mesh(mesh: Mesh) -> list[ConvexPiece]:
    """Convex pieces of every loose part; parts that lie inside another's piece are dropped."""
    parts = components(mesh)
    if len(parts) > MAX_COMPONENTS:
        parts = [mesh]
    pieces: list[ConvexPiece] = []
    budget = max(MAX_PIECES // len(parts), 1)
    for part in parts:
        if any(_inside(part.vertices, p) for p in pieces):
            continue
        pieces += _part_pieces(part, min(budget, 16), joined=part is not mesh)
    return pieces


def _part_pieces(part: Mesh, max_pieces: int, joined: bool) -> list[ConvexPiece]:
    """Pieces of one part; the sampling that finds hollows (0.1 s) is spared where there can be none.

    Args:
        joined: False for a heap of loose parts, whose volumes overlap and add up to nothing meaningful.
    """
    tolerance = _tolerance(part.vertices)
    whole = hull(part.vertices)
    a, b, c = (part.vertices[part.faces[:, i]].astype(np.float64) - part.vertices.mean(0) for i in range(3))
    enclosed = abs(float(np.einsum("ij,ij->", a, np.cross(b, c)))) / 6
    girth = float(np.sort(np.ptp(part.vertices, axis=0))[1])
    simple = girth / 2 <= tolerance or (joined and enclosed >= 0.85 * whole.volume)
    pieces = [whole] if simple else convex_pieces(surface_samples(part), tolerance, max_pieces)
    if not _is_closed(part):
        enclosed = SHELL_M * 0.5 * float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())
    fill = float(np.clip(enclosed / sum(p.volume for p in pieces), 0.01, 1.0))
    return [replace(p, fill=fill) for p in pieces]


def _is_closed(part: Mesh) -> bool:
    """True when every edge belongs to two faces, corners at one place taken as one."""
    _, joined = np.unique(np.round(part.vertices / 1e-5).astype(np.int64), axis=0, return_inverse=True)
    corners = np.sort(joined.reshape(-1)[part.faces][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return bool((np.unique(corners @ np.array([len(joined), 1]), return_counts=True)[1] == 2).all())


def pieces_of_gaussians(gaussians: Gaussians, max_pieces: int = 16) -> list[ConvexPiece]:
    """Convex pieces around the opaque Gaussians, one standard deviation thick; specks afloat are left out."""
    samples = splat_samples(gaussians)
    return convex_pieces(samples, _tolerance(samples), max_pieces)


def surface_samples(mesh: Mesh) -> Float[np.ndarray, "n 3"]:
    """Points that cover the surface more densely than the cutting grid."""
    spacing = max(float(np.ptp(mesh.vertices, axis=0).max()) / 40, 0.003)
    fine = trimesh.remesh.subdivide_to_size(np.asarray(mesh.vertices, np.float64), mesh.faces, spacing, max_iter=12)
    return np.asarray(fine[0])[np.unique(fine[1])]


def splat_samples(gaussians: Gaussians) -> Float[np.ndarray, "n 3"]:
    """Points over the one-sigma boxes of the opaque Gaussians."""
    opaque = gaussians.opacities > OPAQUE
    kept = gaussians.select(opaque) if bool(opaque.any()) else gaussians
    if len(kept) > MAX_SPLATS:
        kept = kept.select(torch.linspace(0, len(kept) - 1, MAX_SPLATS).long())
    means = kept.means.detach().cpu().double().numpy()
    axes = (quat_to_matrix(kept.quats) * kept.scales[:, None, :]).detach().cpu().double().numpy()
    pitch = max(float(np.ptp(means, axis=0).max()) / 40, 0.003)
    reach = int(np.clip(np.ceil(np.quantile(np.abs(axes).sum(1).max(1), 0.95) / pitch), 1, 4))
    steps = np.linspace(-1, 1, 2 * reach + 1)
    grid = np.stack(np.meshgrid(steps, steps, [0.0] if reach > 1 else steps, indexing="ij"), -1).reshape(-1, 3)
    order = np.argsort(-kept.scales.detach().cpu().numpy(), axis=1)  # widest two axes first
    axes = np.take_along_axis(axes, order[:, None, :], axis=2)
    samples = (means[:, None] + np.einsum("nij,gj->ngi", axes, grid)).reshape(-1, 3)
    samples = samples[np.unique(np.floor(samples / (pitch / 2)).astype(np.int64), axis=0, return_index=True)[1]]
    return _without_specks(samples, pitch)


def _without_specks(samples: np.ndarray, pitch: float) -> np.ndarray:
    """Only samples in connected clusters of at least a fiftieth of all occupied cells: floaters have no substance."""
    cells = np.floor((samples - samples.min(0)) / pitch).astype(np.int64)
    grid = np.zeros(cells.max(0) + 1, bool)
    grid[tuple(cells.T)] = True
    label, count = ndimage.label(grid, np.ones((3, 3, 3)))  # pyright: ignore[reportGeneralTypeIssues]
    label = np.asarray(label, np.int64)
    sizes = np.bincount(label.reshape(-1), minlength=count + 1)
    big = sizes >= max(2, 0.02 * grid.sum())
    big[0] = False
    return samples[big[label[tuple(cells.T)]]] if big.any() else samples


def _tolerance(points: np.ndarray) -> float:
    """Pockets up to 5 cm, or a twentieth of the size, do not matter to how a thing is pushed or stood upon."""
    return max(0.05, 0.05 * float(np.linalg.norm(np.ptp(points, axis=0))))


def _inside(points: np.ndarray, piece: ConvexPiece) -> bool:
    """Whether points lie in a piece or stand out of it by no more than a fiftieth of its size, as hoops and handles do."""
    low, high = piece.bounds()
    margin = max(0.005, 0.02 * float(np.linalg.norm(high - low)))
    if (points.min(0) < low - margin).any() or (points.max(0) > high + margin).any():
        return False
    if piece.is_box:
        return True
    solid = trimesh.convex.convex_hull(piece.vertices)
    planes = np.c_[solid.face_normals, -np.einsum("ij,ij->i", solid.face_normals, solid.triangles[:, 0])]
    return bool((points @ planes[:, :3].T + planes[:, 3] <= margin).all())
