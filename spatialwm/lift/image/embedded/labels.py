"""Which patches lie on the ground and which stand on it.

Source: the labels of Hoiem, Efros and Hebert, SIGGRAPH 2005, "Automatic photo pop-up"; instead of learned on labelled pictures,
the colours of ground and of what stands are found in the picture itself, from where either is certain.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from spatialwm.lift.image.embedded.regions import Regions

_ROUNDS = 4
_COLOUR_SIGMA = (10.0, 5.0, 5.0)
_ROUGH_SIGMA = 0.45
"""Of the logarithm of the gradient."""
_PLACE = 1.3
"""Logarithm of the odds of ground against things standing on it, far below the horizon."""
_CORE, _AWAY, _AWAY_LAB = 0.6, 1.8, 22.0
"""Odds of what the visitor stands on, of what lies across edges from it, and how much colour those edges change."""
_EVEN = 7.0
"""Change of L*a*b* between patches of one surface."""
_TOGETHER = 0.07
"""How much a neighbour of the same colour weighs against what a patch shows itself."""


def ground_probability(
    regions: Regions,
    below_horizon_rad: Float[np.ndarray, "h w"],
    sky: Bool[np.ndarray, "h w"],
    upright: Float[np.ndarray, " n"],
    near_rad: float,
    even: float,
) -> Float[np.ndarray, " n"]:
    """Of each patch being level ground; what is neither ground nor sky stands.

    Args:
        upright: how much each patch is crossed by upright edges, 0..1.
        even: how much the ground is of one piece: 1 for floors, less for roads with rails and lawns beside them.
        near_rad: angle below the horizon at which ground and standing things are equally usual.
    """
    below = regions.mean(below_horizon_rad)
    in_sky = regions.mean(sky.astype(float)) > 0.5
    possible = (below > np.radians(0.3)) & ~in_sky
    place = np.where(possible, _PLACE * np.tanh((below - near_rad) / near_rad), -12.0)
    away = _away_from_core(regions, possible, np.tanh(below / near_rad) * (1 - upright))
    own = place - 2.5 * upright + even * (_CORE - (_CORE + _AWAY) * np.tanh(away / _AWAY_LAB))
    feature = np.concatenate([regions.lab / _COLOUR_SIGMA, np.log(regions.rough + 0.5)[:, None] / _ROUGH_SIGMA], 1)
    power = (feature**2).sum(1)
    alike = np.exp(np.minimum(feature @ feature.T - 0.5 * (power[:, None] + power), 0))
    np.fill_diagonal(alike, 0)  # a patch is no witness of its own colour
    # The ground is seldom anything else at the lower edge; above the horizon nothing is ground.
    q = np.where(possible, 1 / (1 + np.exp(-own)), 0.0)
    for _ in range(_ROUNDS):
        weight_ground = regions.area * q**2
        weight_standing = regions.area * (1 - q) ** 2 * ~in_sky
        ground = alike @ weight_ground / max(weight_ground.sum(), 1e-9)
        standing = alike @ weight_standing / max(weight_standing.sum(), 1e-9)
        floor = 0.02 * max(float(np.median(ground[possible])) if possible.any() else 0.0, 1e-6)
        colour = np.clip(np.log((ground + floor) / (standing + floor)), -2.5, 2.5)
        unary = own + colour
        for _ in range(6):
            odds = unary + _TOGETHER * (regions.affinity @ (2 * q - 1))
            q = np.where(possible, 1 / (1 + np.exp(-np.clip(odds, -30, 30))), 0.0)
    return q


def _away_from_core(
    regions: Regions, possible: Bool[np.ndarray, " n"], weight: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """How much colour changes on the easiest way from the ground at the photographer's feet to each patch.

    Cars, sofas and tables low in the picture are like nothing above the horizon either; the edge around them tells.

    Args:
        weight: of each patch in the choice of the core, the largest even piece in the middle below.
    """
    i, j, _, _ = regions.borders
    keep = possible[i] & possible[j]
    i, j = i[keep], j[keep]
    n = regions.count
    if not len(i):
        return np.zeros(n)
    change = np.linalg.norm(regions.lab[i] - regions.lab[j], axis=1)
    even = change < _EVEN
    _, piece = connected_components(coo_array((np.ones(even.sum()), (i[even], j[even])), (n, n)), directed=False)
    width = regions.labels.shape[1]
    middle = np.exp(-0.5 * ((regions.center[:, 0] / width - 0.5) / 0.3) ** 2)
    total = np.bincount(piece, regions.area * middle * np.clip(weight, 0, 1) * possible, n)
    core = piece == total.argmax()
    graph = coo_array((np.maximum(change - 0.5 * _EVEN, 0.2), (i, j)), (n, n)).tocsr()
    away = dijkstra(graph, directed=False, indices=np.flatnonzero(core), min_only=True)
    return np.where(np.isfinite(away), away, 1e3)
