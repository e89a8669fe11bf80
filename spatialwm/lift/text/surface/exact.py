"""Exact companions of the Gaussians: a coloured mesh, and convex pieces for physics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, QhullError

from spatialwm.geometry.color import linear_to_srgb
from spatialwm.geometry.mesh import Mesh
from spatialwm.lift.text.model import Part, Solid, Surfels
from spatialwm.lift.text.surface.solids import vertex_normals

MESH_FACES = 12_000
"""Most triangles of an object's mesh after refinement."""

FINEST_EDGE_M = 0.02
"""Triangles are not split below this edge length; colours are per vertex, so patterns need vertices."""

COLLIDER_PIECES = 24

_THIN_M = 0.004


def colored_mesh(parts: Sequence[Part], faces: int = MESH_FACES) -> Mesh:
    """All parts as one mesh with base colours (display colour for what only shines), split until patterns read."""
    if not parts:
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3)))
    total = sum(len(p.solid.faces) for p in parts)
    area = sum(float(_areas(p.solid).sum()) for p in parts)
    # A triangle of edge e covers about 0.43 e^2; splitting in four overshoots by two on average.
    edge = max(FINEST_EDGE_M, float(np.sqrt(area / (0.43 * 0.4 * max(faces - total, 500)))))
    vertices, triangles, colors, offset = [], [], [], 0
    for p in parts:
        share = int((faces - total) * _areas(p.solid).sum() / max(area, 1e-12))
        body = split_long(p.solid, edge, len(p.solid.faces) + share) if total < faces else p.solid
        seen = p.material(Surfels(body.texture, body.vertices, vertex_normals(body.vertices, body.faces)))
        shown = seen.albedo if not p.emits or seen.emission is None else np.clip(seen.emission * 2.0, 0, 1)
        vertices.append(body.vertices)
        triangles.append(body.faces + offset)
        colors.append(linear_to_srgb(np.clip(shown, 0, 1)))
        offset += len(body.vertices)
    return Mesh(np.concatenate(vertices), np.concatenate(triangles), np.concatenate(colors))


def _areas(body: Solid) -> Float[np.ndarray, " f"]:
    v, f = body.vertices, body.faces
    return np.linalg.norm(np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]]), axis=1) / 2


def split_long(body: Solid, edge_m: float, most: int, rounds: int = 5) -> Solid:
    """Triangles with an edge longer than ``edge_m`` are split in four, again and again, largest first, up to ``most``.

    New vertices lie on old edges, so the shape stays the same.
    """
    v, t, f = body.vertices, body.texture, body.faces
    for _ in range(rounds):
        length = np.stack([np.linalg.norm(v[f[:, i]] - v[f[:, j]], axis=1) for i, j in ((0, 1), (1, 2), (2, 0))], 1)
        long = length.max(1) > edge_m
        room = (most - len(f)) // 3
        if not long.any() or room <= 0:
            break
        if long.sum() > room:
            size = np.where(long, _areas(Solid(v, f, t)), -1.0)
            long = np.zeros(len(f), np.bool_)
            long[np.argpartition(-size, room - 1)[:room]] = True
        g = f[long]
        ends = np.sort(np.concatenate([g[:, [0, 1]], g[:, [1, 2]], g[:, [2, 0]]]), axis=1)
        unique, inverse = np.unique(ends, axis=0, return_inverse=True)
        middle = (inverse.ravel() + len(v)).reshape(3, -1)
        v = np.concatenate([v, (v[unique[:, 0]] + v[unique[:, 1]]) / 2])
        t = np.concatenate([t, (t[unique[:, 0]] + t[unique[:, 1]]) / 2])
        ab, bc, ca = middle
        a, b, c = g.T
        four = [np.stack(k, 1) for k in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
        f = np.concatenate([f[~long], *four])
    return Solid(v, f, t)


def convex_pieces(parts: Sequence[Part], most: int = COLLIDER_PIECES) -> tuple[Mesh, ...]:
    """Convex hulls of the connected bodies of all colliding parts; the smallest are merged with neighbours down to ``most``."""
    clouds: list[np.ndarray] = []
    for p in parts:
        if not p.collides or not len(p.solid.faces):
            continue
        v, f = p.solid.vertices, p.solid.faces
        links = coo_matrix((np.ones(2 * len(f)), (f[:, [0, 1]].ravel(), f[:, [1, 2]].ravel())), (len(v), len(v)))
        count, label = connected_components(links, directed=False)
        order = np.argsort(label, kind="stable")
        clouds += [v[rows] for rows in np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1]) if len(rows) > 3]
    if len(clouds) > most:
        clouds = _merged(clouds, most)
    return tuple(hull(c) for c in clouds)


def _merged(clouds: list[np.ndarray], most: int) -> list[np.ndarray]:
    volumes = np.array([np.prod(np.maximum(np.ptp(c, axis=0), _THIN_M)) for c in clouds])
    kept = np.argsort(-volumes)[: most // 2]
    rest = np.setdiff1d(np.arange(len(clouds)), kept)
    centers = np.array([(clouds[i].min(0) + clouds[i].max(0)) / 2 for i in rest])
    group = fcluster(linkage(centers, "ward"), most - len(kept), "maxclust")
    return [clouds[i] for i in kept] + [np.concatenate([clouds[i] for i in rest[group == g]]) for g in np.unique(group)]


def _directions() -> Float[np.ndarray, "k 3"]:
    grid = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1) if (i, j, k) != (0, 0, 0)], np.float64)
    i = np.arange(48) + 0.5
    z, a = 1 - 2 * i / 48, np.pi * (1 + 5**0.5) * i
    ball = np.stack([np.sqrt(1 - z * z) * np.cos(a), np.sqrt(1 - z * z) * np.sin(a), z], 1)
    return np.concatenate([grid / np.linalg.norm(grid, axis=1, keepdims=True), ball])


_DIRECTIONS = _directions()


def hull(points: Float[np.ndarray, "n 3"]) -> Mesh:
    """Convex hull of the points that are extreme in 74 directions, so that rounded bodies stay cheap; flat clouds get 4 mm."""
    p = points[np.unique((points @ _DIRECTIONS.T).argmax(0))]
    centered = points - points.mean(0)
    _, _, axes = np.linalg.svd(centered[:: max(1, len(centered) // 400)], full_matrices=False)
    if len(axes) == 3 and np.ptp(centered @ axes[2]) < _THIN_M:
        p = np.concatenate([p + s * axes[2] * _THIN_M / 2 for s in (-1, 1)])
    try:
        h = ConvexHull(p)
    except QhullError:
        low, high = points.min(0), np.maximum(points.max(0), points.min(0) + _THIN_M)
        p = np.array([[(low, high)[i][0], (low, high)[j][1], (low, high)[k][2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
        h = ConvexHull(p)
    index = np.zeros(len(p), np.int64)
    index[h.vertices] = np.arange(len(h.vertices))
    f, corner = h.simplices, p[h.simplices]
    outward = np.einsum("fk,fk->f", np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), h.equations[:, :3]) > 0
    f = np.where(outward[:, None], f, f[:, ::-1])
    return Mesh(p[h.vertices], index[f])
