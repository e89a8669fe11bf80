"""The immovable part of a scene: floors, walls and terrain as slabs, hulls and height fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Float
from scipy import ndimage

from spatialwm.dynamics.colliders import components, pieces_of, pieces_of_gaussians
from spatialwm.dynamics.decompose import ConvexPiece, hollowness, hull
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Vec3
from spatialwm.scene import SceneObject

SLAB_M = 0.1
"""Thickness given to bare surfaces, behind them; nothing a rollout throws crosses it within one time step."""
MAX_SLABS = 64
FIELD_CELLS = 128
"""Samples of a height field along its longer side: 8 cm on 10 m of terrain."""


@dataclass(frozen=True, slots=True, eq=False)
class HeightField:
    """Ground heights on a regular world grid, rows along +Y and columns along +X."""

    heights: Float[np.ndarray, "rows cols"]
    """0..1 between the lowest and highest point."""
    size: tuple[float, float, float, float]
    """Half extents in x and y, height of the highest point above the lowest, depth of the base, metres."""
    position: Vec3
    """Centre in x and y, and the lowest height."""


def place_of(body: SceneObject) -> list[ConvexPiece | HeightField]:
    """Shapes of an immovable object: pieces in its own frame, height fields in the world."""
    if body.role != "structure":
        return list(pieces_of(body)) if len(body.points()) else []
    if body.collider:
        return list(pieces_of(body))
    if body.mesh is not None and len(body.mesh.faces):
        return [shape for part in components(body.mesh) for shape in _structure_part(part, body)]
    return list(pieces_of_gaussians(body.gaussians, max_pieces=MAX_SLABS)) if len(body.gaussians) else []


def _structure_part(part: Mesh, body: SceneObject) -> list[ConvexPiece | HeightField]:
    surface = trimesh.Trimesh(np.asarray(part.vertices, np.float64), part.faces, process=False)
    surface.merge_vertices()
    facing_out = surface.is_watertight and surface.volume > 0
    if facing_out and hollowness(np.asarray(surface.vertices)) < 0.02:
        return [hull(np.asarray(surface.vertices))]
    slabs = _slabs(surface)
    if slabs is not None:
        return list(slabs)
    world = body.world_from_object
    field = _height_field(trimesh.Trimesh(world.apply(part.vertices), part.faces, process=False))
    return [field] if field is not None else list(pieces_of(body))


def _slabs(surface: trimesh.Trimesh) -> list[ConvexPiece] | None:
    """Each flat region pulled back into a slab, so that rooms seen from inside stay hollow; None when there are too many."""
    normals = np.round(surface.face_normals, 3)
    offsets = np.round(np.einsum("ij,ij->i", surface.face_normals, surface.triangles[:, 0]), 3)
    _, which = np.unique(np.c_[normals, offsets], axis=0, return_inverse=True)
    which = which.reshape(-1)
    area_of = np.bincount(which, surface.area_faces)
    large = np.flatnonzero(area_of > 0.005 * surface.area)  # bevels and mouldings lie within the slabs beside them
    if len(large) > MAX_SLABS or area_of[large].sum() < 0.8 * surface.area:
        return None
    slabs: list[ConvexPiece] = []
    for i in large:
        faces = which == i
        triangles = surface.triangles[faces]
        thickness = _room_behind(surface, faces)
        behind = -thickness * surface.face_normals[faces][0]
        points = triangles.reshape(-1, 3)
        slab = hull(np.concatenate([points, points + behind]))
        area = float(surface.area_faces[faces].sum())
        if slab.volume <= 1.02 * area * thickness:
            slabs.append(slab)
        elif len(slabs) + len(triangles) <= MAX_SLABS:  # a wall with a window: one prism for each triangle
            slabs += [hull(np.concatenate([t, t + behind])) for t in triangles]
        elif area > 0.25 * surface.area:
            return None
    return slabs


def _room_behind(surface: trimesh.Trimesh, faces: np.ndarray) -> float:
    """How thick a slab behind these faces may be before it comes out at the other side of the solid they bound."""
    normals = surface.face_normals[faces]
    centers = surface.triangles_center[faces]
    hits, ray, _ = surface.ray.intersects_location(centers - 1e-4 * normals, -normals, multiple_hits=False)
    if not len(hits):
        return SLAB_M
    nearest = np.linalg.norm(hits - centers[ray], axis=1).min()
    return float(np.clip(nearest, 0.004, SLAB_M))


def _height_field(surface: trimesh.Trimesh) -> HeightField | None:
    """Terrain sampled from above; None for a surface that is not mostly seen from above."""
    up = surface.face_normals[:, 2]
    if float((surface.area_faces * (up > 0.2)).sum()) < 0.8 * float(surface.area):
        return None
    low, high = surface.bounds
    half = (high - low)[:2] / 2
    cols, rows = (max(int(np.ceil(FIELD_CELLS * e / half.max())), 2) for e in half)
    x, y = np.meshgrid(np.linspace(low[0], high[0], cols), np.linspace(low[1], high[1], rows))
    # Rays exactly on the rim miss by rounding.
    center = (low + high)[:2] / 2
    origins = np.c_[center + (np.c_[x.reshape(-1), y.reshape(-1)] - center) * 0.9999, np.full(x.size, high[2] + 1.0)]
    hits, ray, _ = surface.ray.intersects_location(origins, np.tile([0.0, 0.0, -1.0], (len(origins), 1)), multiple_hits=False)
    heights = np.full(x.size, np.nan)
    heights[ray] = hits[:, 2]
    heights = heights.reshape(rows, cols)
    holes = np.isnan(heights)
    if holes.all():
        return None
    if holes.any():
        nearest = ndimage.distance_transform_edt(holes, return_distances=False, return_indices=True)
        heights = heights[tuple(nearest)]  # pyright: ignore[reportArgumentType]
    bottom, top = float(heights.min()), float(heights.max())
    span = max(top - bottom, 1e-3)
    middle = (low + high) / 2
    return HeightField(
        (heights - bottom) / span, (float(half[0]), float(half[1]), span, 1.0), (float(middle[0]), float(middle[1]), bottom)
    )
