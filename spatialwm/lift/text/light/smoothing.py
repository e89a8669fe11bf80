"""Filters over neighbouring Gaussians: edge-aware smoothing of light, and sharpening of what blending will blur."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import KDTree

from spatialwm.lift.text.surface.cores import over


def neighbours(points: Float[np.ndarray, "n 3"], k: int) -> tuple[Int[np.ndarray, "n k"], Float[np.ndarray, "n k"]]:
    """Indices (self first) and distances of the ``k`` nearest points."""
    k = min(k, len(points))
    distance, index = KDTree(points).query(points, k=k, workers=-1)
    return index.reshape(len(points), k).astype(np.int32), distance.reshape(len(points), k).astype(np.float32)


@nb.njit(nogil=True, cache=True)
def _bilateral(start, stop, index, distance, normals, values, out):
    for i in range(start, stop):
        last = index.shape[1] - 1
        r = max(distance[i, last] * 0.7, 1e-5)
        total = 0.0
        for c in range(values.shape[1]):
            out[i, c] = 0.0
        for k in range(index.shape[1]):
            j = index[i, k]
            d = normals[i, 0] * normals[j, 0] + normals[i, 1] * normals[j, 1] + normals[i, 2] * normals[j, 2]
            if d <= 0:
                continue
            w = d**8 * math.exp(-distance[i, k] * distance[i, k] / (2 * r * r))
            total += w
            for c in range(values.shape[1]):
                out[i, c] += w * values[j, c]
        for c in range(values.shape[1]):
            out[i, c] = out[i, c] / total if total > 0 else values[i, c]


def bilateral(
    index: Int[np.ndarray, "n k"], distance: Float[np.ndarray, "n k"], normals: Float[np.ndarray, "n 3"],
    values: Float[np.ndarray, "n c"], rounds: int = 1,
) -> Float[np.ndarray, "n c"]:  # fmt: skip
    """Mean over neighbours that face the same way, ``rounds`` times."""
    f = np.float32
    normals, values = np.ascontiguousarray(normals, f), np.ascontiguousarray(values, f)
    for _ in range(rounds):
        out = np.empty_like(values)
        over(len(index), _bilateral, index, distance, normals, values, out)
        values = out
    return values


@nb.njit(nogil=True, cache=True)
def _step(start, stop, index, distance, normals, colors, wanted, sigma, opacity, amount, out):
    for i in range(start, stop):
        total = opacity[i]
        r, g, b = total * colors[i, 0], total * colors[i, 1], total * colors[i, 2]
        for k in range(1, index.shape[1]):
            j = index[i, k]
            d = normals[i, 0] * normals[j, 0] + normals[i, 1] * normals[j, 1] + normals[i, 2] * normals[j, 2]
            if d < 0.7:
                continue
            w = opacity[j] * math.exp(-0.5 * (distance[i, k] / sigma[j]) ** 2)
            total += w
            r, g, b = r + w * colors[j, 0], g + w * colors[j, 1], b + w * colors[j, 2]
        out[i, 0] = min(1.0, max(0.0, colors[i, 0] + amount * (wanted[i, 0] - r / total)))
        out[i, 1] = min(1.0, max(0.0, colors[i, 1] + amount * (wanted[i, 1] - g / total)))
        out[i, 2] = min(1.0, max(0.0, colors[i, 2] + amount * (wanted[i, 2] - b / total)))


def sharpen(
    index: Int[np.ndarray, "n k"], distance: Float[np.ndarray, "n k"], normals: Float[np.ndarray, "n 3"],
    colors: Float[np.ndarray, "n 3"], sigma: Float[np.ndarray, " n"], opacity: Float[np.ndarray, " n"],
    rounds: int = 2, amount: float = 0.7,
) -> Float[np.ndarray, "n 3"]:  # fmt: skip
    """Colours whose *blend* equals the wanted colours: Van Cittert deconvolution of the overlap of neighbours.

    Two rounds gained 0.4 to 1.1 dB against renders of a build five times as dense.
    """
    f = np.float32
    wanted = np.ascontiguousarray(colors, f)
    normals, sigma, opacity = (np.ascontiguousarray(a, f) for a in (normals, sigma, opacity))
    now = wanted
    for _ in range(rounds):
        out = np.empty_like(now)
        over(len(index), _step, index, distance, normals, now, wanted, sigma, opacity, f(amount), out)
        now = out
    return now
