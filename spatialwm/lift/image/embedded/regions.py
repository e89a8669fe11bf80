"""Superpixels: small patches of one colour that keep to the picture's edges, and how they touch.

Source: Achanta et al., PAMI 2012, "SLIC superpixels compared to state-of-the-art superpixel methods".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from numba import njit
from scipy import sparse

from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.pieces import pieces
from spatialwm.render.cpu.cache import kernels_cached_for

_COUNT = 1300
_COMPACT = 10.0
"""How many L*a*b* units a patch's own width in pixels is worth."""
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class Regions:
    """A picture cut into patches."""

    labels: Int[np.ndarray, "h w"]
    """0..n-1."""
    area: Float[np.ndarray, " n"]
    """Pixels."""
    lab: Float[np.ndarray, "n 3"]
    """Mean colour."""
    rough: Float[np.ndarray, " n"]
    """Mean gradient of L*, per pixel."""
    center: Float[np.ndarray, "n 2"]
    """Mean x, y, px."""

    @property
    def count(self) -> int:
        return len(self.area)

    def mean(self, values: Float[np.ndarray, "h w"]) -> Float[np.ndarray, " n"]:
        """Of pixel values, over each patch."""
        return np.bincount(self.labels.ravel(), values.ravel(), self.count) / self.area

    @cached_property
    def borders(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Neighbours ``i < j``, the length of their border in pixels, and how many of those lie with ``i`` right above ``j``
        less those with ``j`` right above ``i``."""
        of = self.labels
        side = np.stack([of[:, :-1].ravel(), of[:, 1:].ravel()], 1)
        stacked = np.stack([of[:-1].ravel(), of[1:].ravel()], 1)
        side, stacked = side[side[:, 0] != side[:, 1]], stacked[stacked[:, 0] != stacked[:, 1]]
        both = np.concatenate([side, stacked])
        above = np.concatenate([np.zeros(len(side)), np.where(stacked[:, 0] < stacked[:, 1], 1.0, -1.0)])
        low, high = both.min(1).astype(np.int64), both.max(1).astype(np.int64)
        keys, inverse = np.unique(low * self.count + high, return_inverse=True)
        length = np.bincount(inverse, minlength=len(keys)).astype(float)
        order = np.bincount(inverse, above, len(keys))
        return keys // self.count, keys % self.count, length, order

    @cached_property
    def affinity(self) -> sparse.csr_array:
        """Symmetric: near 1 per pixel of border between patches of one colour, near 0 across an edge."""
        i, j, length, _ = self.borders
        contrast = np.linalg.norm((self.lab[i] - self.lab[j]) * (0.7, 1.0, 1.0), axis=1)
        like = np.exp(-contrast / 9.0)
        weights = like * np.sqrt(length)
        both = (np.concatenate([weights, weights]), (np.concatenate([i, j]), np.concatenate([j, i])))
        return sparse.csr_array(both, shape=(self.count, self.count))


def cut(look: Look) -> Regions:
    """Cut a picture into some 1300 patches."""
    width, height = look.size
    step = max(4.0, (width * height / _COUNT) ** 0.5)
    rows, cols = max(2, round(height / step)), max(2, round(width / step))
    y, x = (np.arange(rows) + 0.5) * height / rows, (np.arange(cols) + 0.5) * width / cols
    yy, xx = (a.ravel() for a in np.meshgrid(y, x, indexing="ij"))
    seeds = look.lab[yy.astype(int).clip(0, height - 1), xx.astype(int).clip(0, width - 1)]
    centers = np.concatenate([xx[:, None], yy[:, None], seeds], 1).astype(np.float64)
    labels = _slic(np.ascontiguousarray(look.lab), centers, step, (_COMPACT / step) ** 2, _ROUNDS)
    labels = _connected(labels, int(step * step / 5))
    n = int(labels.max()) + 1
    flat = labels.ravel()
    area = np.bincount(flat, minlength=n).astype(np.float64)
    strength = np.hypot(look.gradient[..., 0], look.gradient[..., 1])
    v, u = np.mgrid[0.5:height, 0.5:width]
    means = [np.bincount(flat, c.ravel(), n) / area for c in (*look.lab.transpose(2, 0, 1), strength, u, v)]
    return Regions(labels, area, np.stack(means[:3], 1), means[3], np.stack(means[4:], 1))


def _connected(labels: np.ndarray, smallest: int) -> np.ndarray:
    """Every patch in one piece: loose bits become patches of their own, crumbs join the patch to their left or above."""
    right = np.zeros(labels.shape, bool)
    right[:, 1:] = labels[:, 1:] == labels[:, :-1]
    down = np.zeros(labels.shape, bool)
    down[1:] = labels[1:] == labels[:-1]
    # On a grid twice as fine, pixels and the joints between equal pixels make one mask whose components are the pieces.
    fine = np.zeros((2 * labels.shape[0], 2 * labels.shape[1]), bool)
    fine[::2, ::2] = True
    fine[::2, 1:-1:2] = right[:, 1:]
    fine[1:-1:2, ::2] = down[1:]
    piece_of = pieces(fine)[::2, ::2] - 1
    area = np.bincount(piece_of.ravel())
    found = len(area)
    first = np.full(found, -1)
    flat = piece_of.ravel()
    first[flat[::-1]] = np.arange(flat.size)[::-1]
    target = np.arange(found)
    width = labels.shape[1]
    for piece in np.flatnonzero(area < smallest)[np.argsort(first[area < smallest])]:
        at = first[piece]
        if at % width:
            target[piece] = target[flat[at - 1]]
        elif at >= width:
            target[piece] = target[flat[at - width]]
    _, merged = np.unique(target[piece_of], return_inverse=True)
    return merged.reshape(labels.shape).astype(np.int64)


with kernels_cached_for(Path(__file__).parent):

    @njit(cache=True, nogil=True)
    def _slic(lab, centers, step, compact, rounds):
        """Each pixel's nearest centre in colour and place; ``compact`` weighs squared pixels against squared colour."""
        height, width, _ = lab.shape
        labels = np.zeros((height, width), np.int64)
        best = np.empty((height, width))
        reach = int(1.5 * step) + 1
        for _ in range(rounds):
            best[:] = 1e30
            for k in range(len(centers)):
                cx, cy = int(centers[k, 0]), int(centers[k, 1])
                for y in range(max(0, cy - reach), min(height, cy + reach + 1)):
                    for x in range(max(0, cx - reach), min(width, cx + reach + 1)):
                        dl, da, db = lab[y, x, 0] - centers[k, 2], lab[y, x, 1] - centers[k, 3], lab[y, x, 2] - centers[k, 4]
                        dx, dy = x + 0.5 - centers[k, 0], y + 0.5 - centers[k, 1]
                        d = dl * dl + da * da + db * db + compact * (dx * dx + dy * dy)
                        if d < best[y, x]:
                            best[y, x] = d
                            labels[y, x] = k
            total = np.zeros((len(centers), 6))
            for y in range(height):
                for x in range(width):
                    t = total[labels[y, x]]
                    t[0] += x + 0.5
                    t[1] += y + 0.5
                    t[2] += lab[y, x, 0]
                    t[3] += lab[y, x, 1]
                    t[4] += lab[y, x, 2]
                    t[5] += 1
            for k in range(len(centers)):
                if total[k, 5] > 0:
                    for c in range(5):
                        centers[k, c] = total[k, c] / total[k, 5]
        return labels
