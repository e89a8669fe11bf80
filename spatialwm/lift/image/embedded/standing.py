"""How far things are that stand on the ground: as far as where they touch it, and never nearer than what hides their feet."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse
from scipy.sparse.linalg import spsolve

from spatialwm.lift.image.embedded.regions import Regions

_ROUNDS = 12
_UPWARDS = 3.0
"""Walls are upright: a patch and the one above it share their distance that much more surely than two side by side."""
_BEHIND = 4.0
"""How hard it is for a patch to be nearer than the one below it."""
_ABSOLUTE = 0.06
"""Differences of log distance below which a border counts as smooth."""


def standing_depth(
    regions: Regions,
    stands: Bool[np.ndarray, " n"],
    known: Float[np.ndarray, " n"],
    trust: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Log distance ahead of every patch that stands: what is known of some spreads over borders without a change of colour.

    Minimises absolute differences over borders by reweighted least squares, so that depth jumps where the colour does.

    Args:
        known, trust: log distance ahead where something tells it, and its weight; trust 0 elsewhere.
    """
    i, j, length, order = regions.borders
    keep = stands[i] & stands[j]
    i, j, length, order = i[keep], j[keep], length[keep], order[keep]
    contrast = np.linalg.norm((regions.lab[i] - regions.lab[j]) * (0.7, 1.0, 1.0), axis=1)
    lengthways = np.abs(order) / np.maximum(length, 1)
    weight = (0.03 + np.exp(-contrast / 9.0)) * np.sqrt(length / 20) * (1 + (_UPWARDS - 1) * lengthways)
    n = regions.count
    rest = float(np.average(known, weights=trust)) if trust.sum() > 0 else 1.5
    x = np.full(n, rest)
    base = np.where(stands, trust, 1.0) + 2e-3
    target = np.where(trust > 0, known, rest)
    data = base.copy()
    for _ in range(_ROUNDS):
        difference = x[i] - x[j]
        robust = weight / np.maximum(np.abs(difference), _ABSOLUTE) * _ABSOLUTE
        upper_nearer = np.where(order > 0, -difference, difference) > 0
        robust = robust + np.where(upper_nearer & (lengthways > 0.4), _BEHIND * weight, 0)
        laplacian = sparse.coo_array((np.concatenate([robust, robust]), (np.concatenate([i, j]), np.concatenate([j, i]))), (n, n))
        system = sparse.diags_array(data + laplacian.sum(1)) - laplacian
        x = np.asarray(spsolve(system.tocsc(), data * target))
        data = base / np.maximum(np.abs(x - target), 0.15) * 0.15
    return x
