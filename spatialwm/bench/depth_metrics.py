"""How far a depth map is from the truth: in metres where it claims metres, in ratios after the alignment its kind allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.errors import ShapeError

Alignment = Literal["none", "scale", "disparity"]
"""What is fitted before the comparison: nothing; one factor; a factor and an offset of inverse depth."""


@dataclass(frozen=True, slots=True)
class MetricError:
    """Of depth in metres; NaN where nothing could be compared."""

    median_m: float
    p90_m: float
    bias: float
    """Median of depth over truth, less 1: how much too large the world is."""
    cover: float
    """Share of the pixels with truth that have a depth at all."""


@dataclass(frozen=True, slots=True)
class RelativeError:
    """Of aligned depth, as single-picture depth is compared in print; NaN where nothing could be compared."""

    abs_rel: float
    """Mean of |depth - truth| / truth."""
    delta_125: float
    """Share of pixels where depth and truth differ by less than a factor of 1.25."""
    factor: float
    """Median of truth over depth before the alignment: 1 where the depth is metric and right."""


def metric_error(
    depth_m: Float[np.ndarray, "h w"], truth_m: Float[np.ndarray, "h w"], usable: Bool[np.ndarray, "h w"] | None = None
) -> MetricError:
    """Where both are known (finite and above 0) and ``usable``.

    Raises:
        ShapeError: shapes differ.
    """
    d, t, asked = _pairs(depth_m, truth_m, usable)
    if not len(d):
        return MetricError(float("nan"), float("nan"), float("nan"), 0.0)
    off = np.abs(d - t)
    return MetricError(
        float(np.median(off)), float(np.quantile(off, 0.9)), float(np.median(d / t)) - 1, len(d) / asked if asked else 0.0
    )


def relative_error(
    depth: Float[np.ndarray, "h w"],
    truth: Float[np.ndarray, "h w"],
    usable: Bool[np.ndarray, "h w"] | None = None,
    *,
    alignment: Alignment = "scale",
) -> RelativeError:
    """AbsRel and delta_1.25 after alignment; both maps in any unit, 0 or not finite where unknown.

    ``scale`` multiplies by the median ratio; ``disparity`` fits inverse depth by least squares, as for estimates that leave its
    offset open (Ranftl et al. 2020, section 5).

    Raises:
        ShapeError: shapes differ.
    """
    d, t, _ = _pairs(depth, truth, usable)
    if not len(d):
        return RelativeError(float("nan"), float("nan"), float("nan"))
    factor = float(np.median(t / d))
    if alignment == "scale":
        d = d * factor
    elif alignment == "disparity":
        d = _fitted_disparity(d, t)
    ratio = np.maximum(d / t, t / d)
    return RelativeError(float(np.mean(np.abs(d - t) / t)), float(np.mean(ratio < 1.25)), factor)


def constant_plane(truth: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """The least that a depth estimate must beat: the same depth everywhere, which any alignment puts where it fits best."""
    return np.ones_like(truth)


def _fitted_disparity(d: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Depth whose inverse is the affine function of ``1 / d`` nearest to ``1 / t``, kept within ten times the true range."""
    x, y = 1 / d, 1 / t
    spread = x - x.mean()
    power = float(spread @ spread)
    slope = float(spread @ y) / power if power > 1e-12 * len(x) * x.mean() ** 2 else 0.0
    return 1 / np.clip(y.mean() + slope * spread, 0.1 * y.min(), 10 * y.max())


def _pairs(depth: np.ndarray, truth: np.ndarray, usable: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Known pairs in float64, and how many pixels have a truth."""
    if depth.shape != truth.shape or (usable is not None and usable.shape != truth.shape):
        masked = "" if usable is None else f" and a mask of {usable.shape}"
        raise ShapeError(f"depth must have the shape of the truth, {truth.shape}; got {depth.shape}{masked}")
    asked = np.isfinite(truth) & (truth > 0)
    if usable is not None:
        asked &= usable
    both = asked & np.isfinite(depth) & (depth > 0)
    return depth[both].astype(np.float64), truth[both].astype(np.float64), int(asked.sum())
