"""A coloured mesh of any object: its exact surface or one around its Gaussians, painted from what is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from spatialwm.export.surface import surface_of
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.scene import SceneObject
from spatialwm.scene.objects import OPAQUE

Light = Literal["baked", "albedo"]
"""Colours with the light and shadow of the scene, or the bare base colour to be lit again."""

MAX_FACES = 30_000
"""Per object after refinement; four centimetres between vertices on a 5 m floor."""
COLOR_TOLERANCE = 0.02
"""sRGB; an edge is split while linear interpolation along it misses the seen colour by more."""
NEIGHBORS = 6

ColorAt = Callable[[Float[np.ndarray, "n 3"]], Float[np.ndarray, "n 3"]]


def mesh_of(body: SceneObject, light: Light = "baked", max_faces: int = MAX_FACES) -> Mesh:
    """The object's surface in its own frame with a colour at every vertex; empty when it has no surface.

    An exact mesh is refined where its colours vary; one made from Gaussians is fine enough as it is.
    """
    exact = body.mesh is not None and len(body.mesh.faces) > 0
    mesh = body.mesh if exact else surface_of(body.gaussians)
    assert mesh is not None
    if not len(mesh.faces):
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros((0, 3)))
    seen = _splat_colors(body, light)
    if exact and mesh.colors is not None and (light == "albedo" or seen is None):
        return mesh
    if seen is None:
        return Mesh(mesh.vertices, mesh.faces, np.full(mesh.vertices.shape, 0.7, np.float32))
    if not exact:
        return Mesh(mesh.vertices, mesh.faces, seen(np.asarray(mesh.vertices, np.float64)))
    return _painted(mesh, seen, max_faces)


def _splat_colors(body: SceneObject, light: Light) -> ColorAt | None:
    """Colour at a point of the surface: the mean of the nearest opaque Gaussians, weighted by closeness and opacity."""
    gaussians = body.gaussians
    keep = gaussians.opacities > OPAQUE
    if not bool(keep.any()):
        return None
    base = body.albedo if light == "albedo" and body.albedo is not None else gaussians.rgb
    rgb = base[keep].detach().cpu().double().numpy().clip(0, 1)
    opacity = gaussians.opacities[keep].detach().cpu().double().numpy()
    kept = gaussians.select(keep)
    tree = cKDTree(kept.means.detach().cpu().double().numpy())
    normals = _flat_normals(kept)
    k = min(NEIGHBORS, len(rgb))

    def color_at(points: np.ndarray) -> np.ndarray:
        distance, near = (a.reshape(len(points), k) for a in tree.query(points, k=k))
        # Distance across flat splats counts more: the far side of a thin board must not bleed in.
        offset = points[:, None] - tree.data[near]
        across = np.abs(np.einsum("nki,nki->nk", offset, normals[near]))
        spread = distance + 4 * across
        weight = opacity[near] / (spread + 0.25 * spread.mean(1, keepdims=True) + 1e-9) ** 2
        return (rgb[near] * weight[:, :, None]).sum(1) / weight.sum(1, keepdims=True)

    return color_at


def _flat_normals(gaussians: Gaussians) -> Float[np.ndarray, "n 3"]:
    """Direction of each Gaussian's shortest axis; zero for round ones."""
    axes = quat_to_matrix(gaussians.quats).detach().cpu().double().numpy()
    scales = gaussians.scales.detach().cpu().double().numpy()
    shortest = scales.argmin(1)
    normals = np.take_along_axis(axes, shortest[:, None, None], axis=2)[:, :, 0]
    flat = scales.min(1) < 0.5 * np.median(scales, axis=1)
    return normals * flat[:, None]


def _painted(mesh: Mesh, color_at: ColorAt, max_faces: int) -> Mesh:
    """Split edges where colours vary until they are fine enough for the face budget; the shape stays exactly."""
    joined, corner = np.unique(mesh.vertices, axis=0, return_inverse=True)
    vertices = joined.astype(np.float64)
    faces = corner.reshape(-1)[mesh.faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    colors = color_at(vertices)
    sides = vertices[faces]
    area = 0.5 * float(np.linalg.norm(np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0]), axis=1).sum())
    shortest = max(1.5 * float(np.sqrt(area / (0.433 * max_faces))), 0.004)
    while len(faces) < max_faces:
        edges, where = np.unique(np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2).reshape(-1, 2), axis=0, return_inverse=True)
        of_face = where.reshape(-1, 3)
        a, b = vertices[edges[:, 0]], vertices[edges[:, 1]]
        length = np.linalg.norm(b - a, axis=1)
        middle = (a + b) / 2
        long = length > shortest
        seen = np.zeros_like(middle)
        seen[long] = color_at(middle[long])
        expected = (colors[edges[:, 0]] + colors[edges[:, 1]]) / 2
        # Very long edges are split unseen: a shadow may lie between their three samples.
        split = long & ((np.abs(seen - expected).max(1) > COLOR_TOLERANCE) | (length > 8 * shortest))
        if not split.any():
            break
        longest = np.take_along_axis(of_face, length[of_face].argmax(1)[:, None], 1)[:, 0]
        for _ in range(4):  # splitting the longest side too keeps triangles from becoming slivers
            split[longest[split[of_face].any(1)]] = True
        new = np.full(len(edges), -1)
        new[split] = len(vertices) + np.arange(split.sum())
        seen[split & ~long] = color_at(middle[split & ~long])
        vertices, colors = np.concatenate([vertices, middle[split]]), np.concatenate([colors, seen[split]])
        faces = _split_faces(faces, new[of_face], length[of_face])
    return Mesh(vertices, faces, colors)


def _split_faces(faces: Int[np.ndarray, "f 3"], middles: Int[np.ndarray, "f 3"], lengths: np.ndarray) -> Int[np.ndarray, "g 3"]:
    """Divide each face by the midpoints of its marked sides (-1: unmarked), so that no neighbour is left with a gap."""
    marked = (middles >= 0).sum(1)
    # Turn every face so that its single marked, or its single unmarked, side comes first.
    lead = np.where(marked == 1, (middles >= 0).argmax(1), np.where(marked == 2, (middles < 0).argmax(1), 0))
    turn = (lead[:, None] + np.arange(3)) % 3
    (a, b, c), (ab, bc, ca) = np.take_along_axis(faces, turn, 1).T, np.take_along_axis(middles, turn, 1).T
    one, two, three = marked == 1, marked == 2, marked == 3
    out = [faces[marked == 0]]
    out += [np.stack(t, 1)[one] for t in ((a, ab, c), (ab, b, c))]
    out += [np.stack(t, 1)[two] for t in ((bc, c, ca), (a, b, bc), (a, bc, ca))]
    out += [np.stack(t, 1)[three] for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.concatenate(out)
