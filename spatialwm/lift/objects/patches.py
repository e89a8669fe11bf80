"""Gaussians gathered into small patches of surface, and how strongly neighbouring patches belong together.

Things meet where the surface folds inwards and its colour changes; within a thing only one of the two happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree

from spatialwm.gaussians import Gaussians
from spatialwm.lift.objects.sight import Sight
from spatialwm.scene.objects import OPAQUE

NEIGHBORS = 10
_FOLD = 0.35
"""Inward fold (difference of normals along the line between two patches, 2 at most) at which patches begin to part."""
_FOLD_SHARE, _COLOR_SHARE, _BOTH_SHARE = 0.35, 0.35, 0.6
"""How much a fold, a change of colour and both at one place loosen a bond."""
_LEAST_BOND = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Clusters of Gaussians about one cell across, and the bonds between neighbours."""

    means: Float[np.ndarray, "p 3"]
    rgb: Float[np.ndarray, "p 3"]
    normals: Float[np.ndarray, "p 3"]
    """Unit, towards a camera that sees the patch."""
    seen: Bool[np.ndarray, " p"]
    """By any of the cameras; normals of others point anywhere."""
    reach_m: Float[np.ndarray, " p"]
    """Mean radius of its Gaussians."""
    of: Int[np.ndarray, " n"]
    """Patch of each Gaussian; faint ones go with the nearest, -1 where none is near."""
    pairs: Int[np.ndarray, "e 2"]
    bonds: Float[np.ndarray, " e"]
    """0..1."""
    cell_m: float


def gather(gaussians: Gaussians, cell_m: float, sights: Sequence[Sight]) -> Patches:
    """Patches of world-frame Gaussians, at least one of which is opaque."""
    means = gaussians.means.double().numpy()
    scales = gaussians.scales.double().numpy()
    opacity = gaussians.opacities.double().numpy()
    solid = opacity > OPAQUE
    if not solid.any():
        solid[:] = True
    radius = np.sort(scales, 1)[:, 1:].mean(1)
    cells = np.floor((means[solid] - means.min(0)) / cell_m).astype(np.int64)
    _, label = np.unique(cells @ np.array([1 << 42, 1 << 21, 1]), return_inverse=True)
    label = label.reshape(-1)
    count = int(label.max()) + 1
    weight = opacity[solid] * np.clip(radius[solid], 1e-6, cell_m) ** 2

    def mean(values: np.ndarray) -> np.ndarray:
        sums = np.stack([np.bincount(label, weight * v, count) for v in np.atleast_2d(values.T)], -1)
        return sums / np.bincount(label, weight, count)[:, None]

    middle = mean(means[solid])
    rgb = mean(gaussians.rgb.clamp(0, 1).double().numpy()[solid])
    reach = mean(radius[solid])[:, 0]
    k = min(NEIGHBORS + 1, count)
    tree = KDTree(middle)
    several: Any = np.arange(1, k + 1)  # the stubs know of one number only
    distance, near = (a.reshape(count, -1) for a in tree.query(middle, k=several))
    of = np.empty(len(means), np.int64)
    of[solid] = label
    if not solid.all():
        away, nearest = tree.query(means[~solid])
        of[~solid] = np.where(away < 2 * cell_m, nearest, -1)
    normals = _normals(middle, near)
    towards, seen = np.zeros_like(middle), np.zeros(count, bool)
    for sight in reversed(sights):
        visible = sight.sees(middle, 1.5 * cell_m + reach)
        towards[visible] = np.asarray(sight.camera.eye) - middle[visible]
        seen |= visible
    normals[(normals * towards).sum(1) < 0] *= -1
    smooth = 0.5 * rgb + 0.5 * rgb[near[:, : min(5, k)]].mean(1)
    i = np.repeat(np.arange(count), k - 1)
    j, gap = near[:, 1:].reshape(-1), distance[:, 1:].reshape(-1)
    close = gap < 6 * cell_m + 2 * (reach[i] + reach[j])
    i, j, gap = i[close], j[close], gap[close]
    key = np.unique(np.minimum(i, j) * count + np.maximum(i, j), return_index=True)[1]
    i, j, gap = i[key], j[key], np.maximum(gap[key], 1e-9)
    fold = ((normals[i] - normals[j]) * (middle[j] - middle[i])).sum(1) / gap
    folded = 1 - np.exp(-((np.maximum(fold, 0) / _FOLD) ** 2))
    folded[~(seen[i] & seen[j])] = 0.0
    change = ((smooth[i] - smooth[j]) ** 2).sum(1)
    spread = float(np.clip(change.mean() if len(change) else 0.0, 0.03**2, 0.1**2))
    changed = 1 - np.exp(-change / (2 * spread))
    bonds = 1 - np.clip(_FOLD_SHARE * folded + _COLOR_SHARE * changed + _BOTH_SHARE * folded * changed, 0, 1 - _LEAST_BOND)
    bonds *= np.exp(-np.maximum(gap - 2 * cell_m - reach[i] - reach[j], 0) / cell_m)
    return Patches(middle, rgb, normals, seen, reach, of, np.stack([i, j], 1), bonds, cell_m)


def _normals(points: Float[np.ndarray, "p 3"], near: Int[np.ndarray, "p k"]) -> Float[np.ndarray, "p 3"]:
    """Directions of least spread among neighbours; more robust than the Gaussians' own flattest axes, which captures lack."""
    around = points[near] - points[near].mean(1, keepdims=True)
    spread = np.einsum("pki,pkj->pij", around, around)
    return np.linalg.eigh(spread)[1][:, :, 0]
