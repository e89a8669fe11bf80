"""Where a view has no depth: depth carried in from around the hole, so that no part of a picture starts empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.sparse.linalg import spsolve

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.dense.consistency import fit_planes
from spatialwm.lift.capture.dense.depth_map import DepthMap, centers
from spatialwm.lift.capture.dense.overlap import project
from spatialwm.render.cpu.threads import machine_threads, run

BLOCK = 4
"""Pixels a side of the blocks of a map that are filled as one."""
LIKE_COLOR = 0.08
"""Difference of sRGB (0..1, mean of the channels) that makes two blocks neighbours no longer."""
_SAME_SURFACE = 0.05  # relative
_STEEPEST = 0.12  # relative change of depth over REACH blocks of one plane
_LEAK = 1e-3  # between blocks of any colour, so that every hole has a solution
_JUDGES = 16  # nearest other views: they lend what they know, and no filled point may hang before what they see


def filled(
    m: DepthMap, rgb: Float[np.ndarray, "h w 3"], lent: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, "k 2"], Float[np.ndarray, " k"]]:
    """Pixel (u, v) and depth at the centres of the blocks for which neither this map nor another has any.

    Args:
        lent: places that other maps know.

    Where inverse depth carried smoothly across the hole (Laplace's equation with conductances by colour: exact for a plane, which
    a bare wall is) stays near the closest known block by way of like colours, or near the plane that continues from that block,
    it is taken; elsewhere the hole bridges two surfaces and the closest block is. With 40 % of a kitchen's measured depth punched
    out the median error is 1.5 % and 10 % of blocks are off by more than 10 %; the closest block alone has 2.2 % and 11 %,
    Laplace alone 2.0 % and 15 %.
    """
    rows, columns = m.depth.shape[0] // BLOCK, m.depth.shape[1] // BLOCK
    empty = np.zeros((0, 2)), np.zeros(0)
    if not rows or not columns:
        return empty
    known = _block_means(m.depth > 0, rows, columns)
    inverse = _block_means(m.inverse_depth(), rows, columns) / np.maximum(known, 1e-9)
    color = np.stack([_block_means(rgb[..., c], rows, columns) for c in range(3)], -1)
    borrowed = _nearest_in_blocks(m, lent, rows, columns)
    inverse = np.where(known > 0, inverse, borrowed)
    fixed = (known >= 0.25) | ((known == 0) & (borrowed > 0))
    if not fixed.any() or fixed.all():
        return empty
    bridges = _Bridges.between(color)
    source = bridges.closest(fixed)
    smooth, closest = bridges.laplace(fixed, inverse), inverse.ravel()[source]
    on_plane = _continued(np.where(fixed, inverse, 0), source, m.camera)
    near = np.minimum(np.abs(smooth - closest), np.abs(smooth - on_plane)) < _SAME_SURFACE * closest
    values = np.where(near, smooth, closest)
    j, i = np.nonzero(~fixed & (known == 0))
    depth = 1 / np.maximum(values[j, i], 1e-9)
    return np.stack([i * BLOCK + BLOCK / 2, j * BLOCK + BLOCK / 2], 1), depth


def _nearest_in_blocks(m: DepthMap, places: Float[np.ndarray, "n 3"], rows: int, columns: int) -> Float[np.ndarray, "r c"]:
    """Inverse depth of the nearest place in each block; 0 where there is none."""
    uv, z, inside = project(m.camera, places)
    i, j = (uv[inside] // BLOCK).astype(np.int64).T
    fits = (i < columns) & (j < rows)
    out = np.zeros((rows, columns))
    np.maximum.at(out, (j[fits], i[fits]), 1 / z[inside][fits])
    return out


def _continued(inverse: Float[np.ndarray, "r c"], source: Int[np.ndarray, "r c"], camera: Camera) -> Float[np.ndarray, "r c"]:
    """Inverse depth on the plane around each block's source block; the source's own where no plane fits there."""
    k = 1 / BLOCK
    fx, fy, cx, cy = camera.fx * k, camera.fy * k, camera.cx * k, camera.cy * k
    smooth, normals = np.empty(inverse.shape, np.float32), np.empty((*inverse.shape, 3), np.float32)
    fit_planes(inverse.astype(np.float32), 0.0, _STEEPEST, 8, fx, fy, cx, cy, smooth, normals)
    j, i = np.indices(inverse.shape)
    rays = np.stack([(i + 0.5 - cx) / fx, (j + 0.5 - cy) / fy, np.ones(i.shape)], -1)
    normal = normals.reshape(-1, 3)[source]
    at_source = (normal * rays.reshape(-1, 3)[source]).sum(-1)
    known = at_source < -0.05
    growth = np.where(known, (normal * rays).sum(-1) / np.where(known, at_source, 1), 1)
    return inverse.ravel()[source] * np.clip(growth, 0.3, 3)


def _block_means(values: np.ndarray, rows: int, columns: int) -> Float[np.ndarray, "r c"]:
    return values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).mean((1, 3))


@dataclass(frozen=True, slots=True, eq=False)
class _Bridges:
    """Neighbouring blocks ``a``, ``b`` (flat indices) and the difference of their colours."""

    a: np.ndarray
    b: np.ndarray
    difference: np.ndarray

    @staticmethod
    def between(color: Float[np.ndarray, "r c 3"]) -> _Bridges:
        index = np.arange(color.shape[0] * color.shape[1]).reshape(color.shape[:2])
        a = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
        b = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
        flat = color.reshape(-1, 3)
        return _Bridges(a, b, np.abs(flat[a] - flat[b]).mean(1))

    def graph(self, weight: np.ndarray, size: int) -> csr_array:
        pairs = np.r_[self.a, self.b], np.r_[self.b, self.a]
        return csr_array((np.r_[weight, weight], pairs), shape=(size, size))

    def laplace(self, fixed: Bool[np.ndarray, "r c"], values: Float[np.ndarray, "r c"]) -> Float[np.ndarray, "r c"]:
        """``values`` where fixed, elsewhere the mean of the neighbours, like-coloured ones counting more."""
        graph = self.graph(np.exp(-self.difference / LIKE_COLOR) + _LEAK, fixed.size)
        free = ~fixed.ravel()
        rest, diagonal = graph[free], np.arange(free.sum())
        system = csr_array((graph.sum(1)[free], (diagonal, diagonal)), shape=(len(diagonal),) * 2) - rest[:, free]
        out = values.ravel().copy()
        out[free] = spsolve(system.tocsc(), rest[:, ~free] @ out[~free])
        return out.reshape(fixed.shape)

    def closest(self, fixed: Bool[np.ndarray, "r c"]) -> Int[np.ndarray, "r c"]:
        """The fixed block (flat index) with the shortest way, on which changes of colour lengthen the steps."""
        graph = self.graph(1 + self.difference / LIKE_COLOR, fixed.size)
        _, _, source = dijkstra(graph, indices=np.flatnonzero(fixed), min_only=True, return_predecessors=True)
        return source.reshape(fixed.shape)


def hole_points(
    maps: Sequence[DepthMap], rgb: Sequence[Float[np.ndarray, "h w 3"]]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Per map the places, colours and depths of its filled blocks, without those that would hide what another view sees."""
    eyes = centers([m.camera for m in maps])
    some = slice(BLOCK // 2, None, BLOCK)  # one a block of each map
    known = [m.points()[some, some][m.depth[some, some] > 0] for m in maps]

    def one(k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        m = maps[k]
        near = np.argsort(np.linalg.norm(eyes - eyes[k], axis=1), kind="stable")[1 : _JUDGES + 1].tolist()
        uv, depth = filled(m, rgb[k], np.concatenate([known[j] for j in near]) if near else np.zeros((0, 3)))
        rays = np.stack([(uv[:, 0] - m.camera.cx) / m.camera.fx, (uv[:, 1] - m.camera.cy) / m.camera.fy, np.ones(len(uv))], 1)
        means = m.camera.world_from_cam.apply(rays * depth[:, None])
        keep = np.ones(len(means), np.bool_)
        for other in near:
            pixel, z, inside = project(maps[other].camera, means)
            i, j = pixel[inside].astype(np.int64).T
            keep[inside] &= z[inside] > 0.9 * maps[other].depth[j, i]
        i, j = uv[keep].astype(np.int64).T
        return means[keep], rgb[k][j, i], depth[keep]

    return run([partial(one, k) for k in range(len(maps))], machine_threads())
