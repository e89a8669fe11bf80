"""Pictures with holes are continued: the broad shades smoothly, the texture by patches that fit to what is around."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from numba import njit
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

from spatialwm.render.cpu.cache import kernels_cached_for

_BROAD_PX = 4.0
"""What is wider than this is a shade, what is finer is texture."""
_PATCH = 3
"""Half side of the patches that are compared."""
_TRIES = 300


def diffuse(values: Float[np.ndarray, "h w c"], hole: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w c"]:
    """The smoothest continuation into the hole (Laplace's equation); the picture's border is free.

    At least one pixel must be known.
    """
    h, w = hole.shape
    if not hole.any():
        return values.copy()
    number = np.full((h, w), -1)
    number[hole] = np.arange(hole.sum())
    v, u = np.nonzero(hole)
    rows, cols, weights = [], [], []
    total, right = np.zeros(len(v)), np.zeros((len(v), values.shape[2]))
    for dv, du in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        inside = (v + dv >= 0) & (v + dv < h) & (u + du >= 0) & (u + du < w)
        at = v[inside] + dv, u[inside] + du
        total[inside] += 1
        free = hole[at]
        mine = np.flatnonzero(inside)
        rows.append(mine[free])
        cols.append(number[at][free])
        weights.append(np.full(free.sum(), -1.0))
        right[mine[~free]] += values[at][~free]
    every = np.arange(len(v))
    # A breath of the identity keeps a hole without any known neighbour solvable.
    entries = np.concatenate([*weights, total + 1e-9])
    matrix = coo_matrix((entries, (np.concatenate([*rows, every]), np.concatenate([*cols, every]))))
    out = values.copy()
    out[hole] = spsolve(matrix.tocsc(), right).reshape(len(v), -1)
    return out


def continue_picture(
    rgb: Float[np.ndarray, "h w 3"], known: Bool[np.ndarray, "h w"], hole: Bool[np.ndarray, "h w"]
) -> Float[np.ndarray, "h w 3"]:
    """A picture with its hole painted; pixels that are neither known nor in the hole are not looked at.

    Source: shades by Laplace's equation; texture after Efros and Leung 1999, from the outside in, deterministic.
    """
    shades = diffuse(np.where(known[..., None], rgb, 0.0), ~known)
    blurred = np.stack([ndimage.gaussian_filter(shades[..., c], _BROAD_PX, mode="nearest") for c in range(3)], -1)
    fine = np.where(known[..., None], rgb - blurred, 0.0)
    whole = ndimage.binary_erosion(np.pad(known, _PATCH), np.ones((2 * _PATCH + 1,) * 2))[_PATCH:-_PATCH, _PATCH:-_PATCH]
    whole[:_PATCH], whole[-_PATCH:], whole[:, :_PATCH], whole[:, -_PATCH:] = False, False, False, False
    sources = np.argwhere(whole)
    broad = diffuse(blurred, hole)
    if len(sources) < 20:
        return np.clip(np.where(hole[..., None], broad, rgb), 0, 1)
    depth = np.asarray(ndimage.distance_transform_edt(hole))[hole]
    order = np.argwhere(hole)[np.argsort(depth, kind="stable")]
    picks = np.random.default_rng(0).integers(0, len(sources), (len(order), _TRIES))
    painted = _peel(fine, known.copy(), order, sources, picks, _PATCH)
    return np.clip(np.where(hole[..., None], broad + painted, rgb), 0, 1)


with kernels_cached_for(Path(__file__).parent):

    @njit(nogil=True, cache=True)
    def _peel(fine, known, order, sources, picks, r):
        out = fine.copy()
        h, w = known.shape
        came = np.full((h, w, 2), -1)
        for n in range(len(order)):
            v, u = order[n]
            best, bv, bu = np.inf, -1, -1
            for t in range(picks.shape[1] + 4):
                if t < 4:  # what continues a neighbour's source keeps boards and tiles whole
                    dv, du = (0, 0, 1, -1)[t], (1, -1, 0, 0)[t]
                    if not (0 <= v + dv < h and 0 <= u + du < w) or came[v + dv, u + du, 0] < 0:
                        continue
                    sv, su = came[v + dv, u + du, 0] - dv, came[v + dv, u + du, 1] - du
                    if not (r <= sv < h - r and r <= su < w - r):
                        continue
                else:
                    sv, su = sources[picks[n, t - 4]]
                cost, count = 0.0, 0
                for dv in range(-r, r + 1):
                    for du in range(-r, r + 1):
                        y, x = v + dv, u + du
                        if 0 <= y < h and 0 <= x < w and known[y, x]:
                            for c in range(3):
                                cost += (out[y, x, c] - out[sv + dv, su + du, c]) ** 2
                            count += 1
                if count:
                    cost /= count
                if cost < best:
                    best, bv, bu = cost, sv, su
            if bv >= 0:
                out[v, u] = out[bv, bu]
                came[v, u, 0], came[v, u, 1] = bv, bu
            known[v, u] = True
        return out
