"""Things close by: a smooth relief in front of a slanting plane."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from spatialwm.lift.image.embedded.guided import guided
from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.outdoors import ground_log_ahead
from spatialwm.lift.image.embedded.regions import Regions
from spatialwm.lift.image.embedded.surfaces import Surfaces
from spatialwm.lift.image.embedded.view import View

HEIGHT_M = 0.6
"""Of the camera above the table or ground that things close by stand on."""
LOOKS_DOWN_RAD = math.radians(22)
"""Where no edge tells: at food and flowers people look down."""
_WALL_RAD = math.radians(14)
"""Below the horizon, where the plane ends and a backdrop rises."""
_RELIEF = 0.3
"""Of the logarithm of distance, from the backdrop to what stands out most."""


def closeup_surfaces(look: Look, view: View, regions: Regions) -> Surfaces:
    """What stands out from the picture's border stands before the plane, and the sharp before the blurred."""
    backdrop = math.log(HEIGHT_M / math.tan(_WALL_RAD))
    plane = np.minimum(ground_log_ahead(view, HEIGHT_M), backdrop)
    out = _standing_out(regions)[regions.labels]
    relief = gaussian_filter(guided(look.rgb, out * (0.5 + 0.5 * _sharpness(look)), 12, 3e-3), 2)
    sure = np.full(plane.shape, 0.3) - 0.1 * relief
    return Surfaces(plane - _RELIEF * np.clip(relief, 0, 1), sure, HEIGHT_M, 0.6)


def _standing_out(regions: Regions) -> Float[np.ndarray, " n"]:
    """How much colour must change on the way from the picture's border to each patch, 0..1.

    Source: Wei, Wen, Zhu and Sun, ECCV 2012, "Geodesic saliency using background priors".
    """
    i, j, _, _ = regions.borders
    n = regions.count
    change = np.maximum(np.linalg.norm(regions.lab[i] - regions.lab[j], axis=1) - 4, 0.05)
    labels = regions.labels
    border = np.unique(np.concatenate([labels[0], labels[:, 0], labels[:, -1]]))
    # One more node, joined to every patch on the border; the lower edge cuts through what is near.
    rows, cols = np.concatenate([i, border]), np.concatenate([j, np.full(len(border), n)])
    graph = csr_array((np.concatenate([change, np.full(len(border), 0.05)]), (rows, cols)), shape=(n + 1, n + 1))
    distance = dijkstra(graph, directed=False, indices=n)[:n]
    return np.clip(distance / max(float(np.quantile(distance, 0.95)), 15.0), 0, 1)


def _sharpness(look: Look) -> Float[np.ndarray, "h w"]:
    """Fine detail over coarse detail, 0..1: what is out of focus has only the latter."""
    light = look.lab[..., 0]
    fine = gaussian_filter(np.abs(light - gaussian_filter(light, 1.0)), 8)
    coarse = gaussian_filter(np.abs(gaussian_filter(light, 1.0) - gaussian_filter(light, 6.0)), 8)
    ratio = fine / (coarse + 0.5)
    return np.clip(ratio / max(float(np.quantile(ratio, 0.95)), 1e-3), 0, 1)
