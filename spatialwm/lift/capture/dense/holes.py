"""Where a view has no depth: depth carried in from around the hole, so that no part of a picture starts empty."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve

from spatialwm.lift.capture.dense.depth_map import DepthMap, centers
from spatialwm.lift.capture.dense.overlap import project
from spatialwm.render.cpu.threads import machine_threads, run

BLOCK = 4
"""Pixels a side of the blocks of a map that are filled as one."""
LIKE_COLOR = 0.08
"""Difference of sRGB (0..1) over which depth is carried 1/e as well."""
_LEAK = 1e-3  # between blocks of any colour, so that every hole has a solution
_JUDGES = 16  # nearest other views asked whether a filled point hangs in front of what they see


def filled(m: DepthMap, rgb: Float[np.ndarray, "h w 3"]) -> tuple[Float[np.ndarray, "k 2"], Float[np.ndarray, " k"]]:
    """Pixel (u, v) and depth at the centres of the blocks that have none of their own; nothing where the whole map is unknown.

    The inverse depth solves Laplace's equation with conductances by colour: exact for a plane, which is what a textureless wall
    mostly is. On measured depth with holes punched it halves the error of taking the nearest known pixel.
    """
    rows, columns = m.depth.shape[0] // BLOCK, m.depth.shape[1] // BLOCK
    empty = np.zeros((0, 2)), np.zeros(0)
    if not rows or not columns or not m.depth.any():
        return empty
    known = _block_means(m.depth > 0, rows, columns)
    inverse = _block_means(m.inverse_depth(), rows, columns) / np.maximum(known, 1e-9)
    color = np.stack([_block_means(rgb[..., c], rows, columns) for c in range(3)], -1)
    fixed = known >= 0.25
    if not fixed.any() or fixed.all():
        return empty
    values = _laplace(fixed, inverse, color)
    j, i = np.nonzero(known == 0)
    depth = 1 / np.maximum(values[j, i], 1e-9)
    return np.stack([i * BLOCK + BLOCK / 2, j * BLOCK + BLOCK / 2], 1), depth


def _block_means(values: np.ndarray, rows: int, columns: int) -> Float[np.ndarray, "r c"]:
    return values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).mean((1, 3))


def _laplace(fixed: Bool[np.ndarray, "r c"], values: Float[np.ndarray, "r c"], color: Float[np.ndarray, "r c 3"]) -> np.ndarray:
    """``values`` where fixed, elsewhere their weighted mean over the four neighbours."""
    index = np.arange(fixed.size).reshape(fixed.shape)
    a = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    b = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
    flat = color.reshape(-1, 3)
    weight = np.exp(-np.abs(flat[a] - flat[b]).sum(1) / 3 / LIKE_COLOR) + _LEAK
    graph = csr_array((np.r_[weight, weight], (np.r_[a, b], np.r_[b, a])), shape=(fixed.size, fixed.size))
    free = ~fixed.ravel()
    rest = graph[free]
    system = csr_array((graph.sum(1)[free], (np.arange(free.sum()),) * 2), shape=(free.sum(),) * 2) - rest[:, free]
    out = values.ravel().copy()
    out[free] = spsolve(system.tocsc(), rest[:, ~free] @ out[~free])
    return out.reshape(fixed.shape)


def hole_points(
    maps: Sequence[DepthMap], rgb: Sequence[Float[np.ndarray, "h w 3"]]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Per map the places, colours and depths of its filled blocks, without those that would hide what another view sees."""
    eyes = centers([m.camera for m in maps])

    def one(k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        m = maps[k]
        uv, depth = filled(m, rgb[k])
        rays = np.stack([(uv[:, 0] - m.camera.cx) / m.camera.fx, (uv[:, 1] - m.camera.cy) / m.camera.fy, np.ones(len(uv))], 1)
        means = m.camera.world_from_cam.apply(rays * depth[:, None])
        keep = np.ones(len(means), np.bool_)
        for other in np.argsort(np.linalg.norm(eyes - eyes[k], axis=1), kind="stable")[1 : _JUDGES + 1]:
            pixel, z, inside = project(maps[other].camera, means)
            i, j = pixel[inside].astype(np.int64).T
            keep[inside] &= z[inside] > 0.9 * maps[other].depth[j, i]
        i, j = uv[keep].astype(np.int64).T
        return means[keep], rgb[k][j, i], depth[keep]

    return run([partial(one, k) for k in range(len(maps))], machine_threads())
