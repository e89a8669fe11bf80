"""What every kind of picture is turned into before its edges are refined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.lift.image.embedded.regions import Regions
from spatialwm.lift.image.embedded.view import View


@dataclass(frozen=True, slots=True, eq=False)
class Surfaces:
    """Geometry of the reduced picture."""

    log_ahead: Float[np.ndarray, "h w"]
    """Logarithm of the distance along the level direction of view, so that upright walls across it are constant."""
    confidence: Float[np.ndarray, "h w"]
    """0..1."""
    eye_height_m: float
    """What the metre comes from: how high the camera is taken to be above what lies below it."""
    scale_sigma: float
    """Relative standard deviation of that."""

    def distance_m(self, view: View) -> Float[np.ndarray, "h w"]:
        """Along each pixel's ray."""
        return np.exp(self.log_ahead) / np.maximum(view.level[..., 1], LEAST_AHEAD)


LEAST_AHEAD = 0.2
"""Share of a ray that points ahead, at least: wide pictures of steep views reach beyond the feet."""


def upright_share(view: View, regions: Regions) -> Float[np.ndarray, " n"]:
    """How much of each patch's width upright edges fill, up to 1."""
    out = np.zeros(regions.count)
    labels = view.manhattan.labels
    for x0, y0, x1, y1 in view.segments[: len(labels)][labels == 2]:
        t = np.linspace(0, 1, max(2, int(np.hypot(x1 - x0, y1 - y0))))
        y = (y0 + t * (y1 - y0)).astype(int).clip(0, view.height - 1)
        for side in (-2.0, 2.0):
            x = (x0 + t * (x1 - x0) + side).astype(int).clip(0, view.width - 1)
            np.add.at(out, regions.labels[y, x], 1.0)
    return np.minimum(out / np.sqrt(regions.area), 1.0)


def feet(
    regions: Regions, ground: np.ndarray, sky: np.ndarray, ground_log_ahead: np.ndarray
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Log distance ahead at which patches touch the ground below them, and how far to trust it; 0 where they do not."""
    n = regions.count
    touching = ~ground[:-1] & ~sky[:-1] & ground[1:]
    last = ~ground[-1] & ~sky[-1]
    # What is cut off by the lower edge stands on ground out of sight: nearer than the edge shows it.
    at = np.concatenate([regions.labels[:-1][touching], regions.labels[-1][last]])
    values = np.concatenate([ground_log_ahead[1:][touching], ground_log_ahead[-1][last] - 0.15])
    count = np.bincount(at, minlength=n).astype(float)
    if not len(at):
        return np.zeros(n), np.zeros(n)
    order = np.lexsort((values, at))
    middle = np.searchsorted(at[order], np.arange(n)) + (count // 2).astype(int)
    median = values[order][np.minimum(middle, len(values) - 1)]
    return np.where(count > 0, median, 0.0), np.minimum(count / 8, 2.0)
