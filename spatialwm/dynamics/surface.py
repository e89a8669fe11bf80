"""Points spread evenly over the surfaces of a compiled MuJoCo model's geoms, the same ones every time."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

_GEOM = mujoco.mjtGeom
_PHI = 1.22074408460575947536
"""Root of x**4 = x + 1: its powers spread points evenly over a cube (Roberts 2018, the R3 sequence)."""


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceSamples:
    """Points of one geom, in its own frame."""

    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    texcoords: Float[np.ndarray, "n 2"] | None = None
    """Where the mesh has them."""


def samples_of(model: mujoco.MjModel, geom: int, count: int) -> SurfaceSamples:
    """``count`` points spread evenly over a geom by area; none on planes, height fields and signed distance fields."""
    kind, size = int(model.geom_type[geom]), np.array(model.geom_size[geom], np.float64)
    u = np.mod(0.5 + np.arange(1, count + 1)[:, None] * _PHI ** -np.arange(1.0, 4.0), 1.0)
    if kind == _GEOM.mjGEOM_BOX:
        return _box(size, u)
    if kind in (_GEOM.mjGEOM_SPHERE, _GEOM.mjGEOM_ELLIPSOID):
        radii = size if kind == _GEOM.mjGEOM_ELLIPSOID else np.repeat(size[0], 3)
        ball = _ball(u[:, 1], u[:, 2])
        return SurfaceSamples(ball * radii, _unit(ball / radii))
    if kind in (_GEOM.mjGEOM_CAPSULE, _GEOM.mjGEOM_CYLINDER):
        return _tube(float(size[0]), float(size[1]), kind == _GEOM.mjGEOM_CAPSULE, u)
    if kind == _GEOM.mjGEOM_MESH:
        return _mesh(model, int(model.geom_dataid[geom]), u)
    return SurfaceSamples(np.zeros((0, 3)), np.zeros((0, 3)))


def area_of(model: mujoco.MjModel, geom: int) -> float:
    """Square metres of a geom's surface; 0 where :func:`samples_of` gives nothing."""
    kind, (a, b, c) = int(model.geom_type[geom]), (float(s) for s in model.geom_size[geom])
    if kind == _GEOM.mjGEOM_BOX:
        return 8 * (a * b + a * c + b * c)
    if kind == _GEOM.mjGEOM_SPHERE:
        return 4 * math.pi * a * a
    if kind == _GEOM.mjGEOM_ELLIPSOID:  # Thomsen's approximation, within 1.1 %
        p = 1.6075
        return 4 * math.pi * (((a * b) ** p + (a * c) ** p + (b * c) ** p) / 3) ** (1 / p)
    if kind == _GEOM.mjGEOM_CAPSULE:
        return 4 * math.pi * a * (a + b)
    if kind == _GEOM.mjGEOM_CYLINDER:
        return 2 * math.pi * a * (a + 2 * b)
    if kind == _GEOM.mjGEOM_MESH:
        return float(_doubled_areas(_triangles(model, int(model.geom_dataid[geom]))).sum()) / 2
    return 0.0


def _box(half: np.ndarray, u: np.ndarray) -> SurfaceSamples:
    faces = np.array([half[1] * half[2], half[0] * half[2], half[0] * half[1]])
    axis, within = _chosen(faces, u[:, 0])
    rows = np.arange(len(u))
    side = np.where(within < 0.5, -1.0, 1.0)
    points = np.empty((len(u), 3))
    points[rows, (axis + 1) % 3] = 2 * u[:, 1] - 1
    points[rows, (axis + 2) % 3] = 2 * u[:, 2] - 1
    points[rows, axis] = side
    normals = np.zeros_like(points)
    normals[rows, axis] = side
    return SurfaceSamples(points * half, normals)


def _tube(radius: float, half: float, round_ends: bool, u: np.ndarray) -> SurfaceSamples:
    ends = 4 * math.pi * radius**2 if round_ends else 2 * math.pi * radius**2
    on_end, within = _chosen(np.array([4 * math.pi * radius * half, ends]), u[:, 0])
    angle = 2 * math.pi * u[:, 1]
    out = np.c_[np.cos(angle), np.sin(angle), np.zeros(len(u))]
    side = out * radius + np.c_[np.zeros((len(u), 2)), (2 * u[:, 2] - 1) * half]
    if round_ends:
        ball = _ball(u[:, 1], u[:, 2])
        end, end_normals = ball * radius, ball
        end = end + np.c_[np.zeros((len(u), 2)), np.sign(ball[:, 2]) * half]
    else:
        sign = np.where(within < 0.5, -1.0, 1.0)
        end = out * (radius * np.sqrt(u[:, 2]))[:, None] + np.c_[np.zeros((len(u), 2)), sign * half]
        end_normals = np.c_[np.zeros((len(u), 2)), sign]
    at_end = on_end[:, None] == 1
    return SurfaceSamples(np.where(at_end, end, side), np.where(at_end, end_normals, out))


def _mesh(model: mujoco.MjModel, mesh: int, u: np.ndarray) -> SurfaceSamples:
    triangles = _triangles(model, mesh)
    doubled = _doubled_areas(triangles)
    if not doubled.sum() > 0:
        return SurfaceSamples(np.zeros((0, 3)), np.zeros((0, 3)))
    # Evenly along the summed area, so that every patch gets its share; the sequence only spreads points within a face.
    sums = np.cumsum(doubled)
    face = np.minimum(np.searchsorted(sums, (np.arange(len(u)) + 0.5) / max(len(u), 1) * sums[-1]), len(doubled) - 1)
    a, b = u[:, 1], u[:, 2]
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
    weights = np.stack([1 - a - b, a, b], axis=1)
    corners = triangles[face]
    normals = _unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    texcoords = None
    first, count = int(model.mesh_texcoordadr[mesh]), int(model.mesh_texcoordnum[mesh])
    if first >= 0 and count:
        faces = int(model.mesh_faceadr[mesh])
        index = model.mesh_facetexcoord[faces : faces + len(triangles)][face]
        texcoords = np.einsum("nc,ncd->nd", weights, model.mesh_texcoord[first : first + count].astype(np.float64)[index])
    return SurfaceSamples(np.einsum("nc,ncd->nd", weights, corners), normals, texcoords)


def _triangles(model: mujoco.MjModel, mesh: int) -> np.ndarray:
    v, n = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    f, k = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
    return model.mesh_vert[v : v + n].astype(np.float64)[model.mesh_face[f : f + k]]


def _doubled_areas(triangles: np.ndarray) -> np.ndarray:
    return np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1)


def _ball(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    z, angle = 2 * v - 1, 2 * math.pi * u
    r = np.sqrt(np.maximum(1 - z * z, 0.0))
    return np.c_[r * np.cos(angle), r * np.sin(angle), z]


def _chosen(weights: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which part each u in 0..1 falls on by weight, and where within it, 0..1."""
    edges = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
    part = np.clip(np.searchsorted(edges, u, side="right") - 1, 0, len(weights) - 1)
    width = np.maximum(edges[part + 1] - edges[part], 1e-12)
    return part, (u - edges[part]) / width


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
