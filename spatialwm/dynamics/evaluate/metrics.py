"""Distances between what was predicted and what happened; metres, float64, any number of objects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]
from torch import Tensor

from spatialwm.dynamics.episode import Cast, Forecast
from spatialwm.dynamics.evaluate.windows import point_distance, world_points
from spatialwm.dynamics.motion import points_at, rigid_fit

ASTRAY_M = 1.0
"""An object predicted farther than this from where it truly is counts as lost: nothing on a table goes that far in a window."""


@dataclass(frozen=True, slots=True, eq=False)
class PointForecast(Forecast):
    """Of a model that moves points one by one; ``poses`` are the rigid motions nearest to them."""

    points: Float[np.ndarray, "h k p 3"] | None = None
    """World positions of the points of the cast."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A forecast as points that can be compared, whatever the model made of the objects."""

    points: Float[Tensor, "h k p 3"]
    sigma_m: Float[np.ndarray, "h k"]
    lost: int
    """Objects without a place: not in the answer, not finite, or :data:`ASTRAY_M` from the truth at some instant."""
    added: int
    """Objects of the answer that nobody asked about."""


def answer_of(forecast: Forecast, cast: Cast, truth: Float[np.ndarray, "h1 k 7"]) -> Answer:
    """Lost objects are judged as if they had stayed where they were, so that means remain finite; they are counted beside.

    Args:
        truth: the poses that came; the first instant is now.
    """
    h, k = len(truth) - 1, truth.shape[1]
    told = min(forecast.poses.shape[1], k)
    points = world_points(cast.points, truth[:1]).repeat(h, 1, 1, 1)
    own = getattr(forecast, "points", None)
    if own is not None:
        answered = torch.from_numpy(np.asarray(own[:, :told], np.float64))
    else:
        answered = world_points(cast.points[:told], forecast.poses[:, :told])
    astray = point_distance(answered, world_points(cast.points[:told], truth[1:, :told])) > ASTRAY_M
    found = torch.isfinite(answered).all(-1).all(-1)
    points[:, :told] = torch.where(found[..., None, None], answered, points[:, :told])
    sigma = np.full((h, k), np.nan)
    sigma[:, :told] = forecast.sigma_m[:, :told]
    gone = int((~found | astray).any(0).sum()) + k - told
    return Answer(points, sigma, gone, max(0, forecast.poses.shape[1] - k))


def rigidity_residual(points: Float[Tensor, "k p 3"], predicted: Float[Tensor, "h k p 3"]) -> Float[Tensor, "h k"]:
    """Mean distance that remains after the best rigid motion (Kabsch) of the shapes onto the prediction."""
    source = points.expand_as(predicted)
    return point_distance(points_at(source, rigid_fit(source, predicted)), predicted)


def chamfer(a: Float[np.ndarray, "n 3"], b: Float[np.ndarray, "m 3"]) -> float:
    """Mean distance to the nearest point of the other cloud, both ways averaged; NaN where a cloud is empty."""
    if not (len(a) and len(b)):
        return float("nan")
    return float(cKDTree(b).query(a)[0].mean() + cKDTree(a).query(b)[0].mean()) / 2


def moved_chamfer(predicted: Float[Tensor, "k p 3"], truth: Float[Tensor, "k p 3"], moved: Bool[np.ndarray, " k"]) -> float:
    """:func:`chamfer` of all points of the objects that truly moved, which need no names for it."""
    kept = torch.from_numpy(moved)
    return chamfer(predicted[kept].flatten(0, 1).numpy(), truth[kept].flatten(0, 1).numpy())


def momentum(
    centers: Float[Tensor, "h1 k 3"], masses_kg: Float[np.ndarray, " k"], dt_s: float
) -> Float[Tensor, "h 3"]:
    """Total linear momentum between instants, kg m/s."""
    return (centers.diff(dim=0) / dt_s * torch.from_numpy(np.asarray(masses_kg, np.float64))[:, None]).sum(1)


def momentum_drift(
    predicted: Float[Tensor, "h1 k 3"], truth: Float[Tensor, "h1 k 3"], masses_kg: Float[np.ndarray, " k"], dt_s: float
) -> tuple[float, float]:
    """Mean error of the total momentum, and the mean total momentum it is to be compared with, kg m/s."""
    asked, real = (momentum(c, masses_kg, dt_s) for c in (predicted, truth))
    return float((asked - real).norm(dim=-1).mean()), float(real.norm(dim=-1).mean())


def energy_gain(points: Float[Tensor, "h1 k p 3"], masses_kg: Float[np.ndarray, " k"], dt_s: float, after: int = 0) -> float:
    """The most by which mechanical energy ever rises above an earlier value, joules: 0 for what only loses energy.

    Each point carries its share of the mass, so that turning counts too; speeds are differences between instants. Energy
    between two instants is kinetic energy there plus the mean potential energy of both.

    Args:
        after: steps at the beginning that do not count, in which an actor may still be moving.
    """
    share = torch.from_numpy(np.asarray(masses_kg, np.float64))[:, None] / points.shape[-2]
    kinetic = (0.5 * share * (points.diff(dim=0) / dt_s).square().sum(-1)).sum((1, 2))
    height = (points[1:, ..., 2] + points[:-1, ..., 2]) / 2
    energy = (kinetic + (share * 9.81 * height).sum((1, 2))).numpy()[after:]
    return float((energy - np.minimum.accumulate(energy)).max()) if len(energy) else 0.0


def difference_error(
    predicted: tuple[Float[Tensor, "h k p 3"], Float[Tensor, "h k p 3"]],
    truth: tuple[Float[Tensor, "h k p 3"], Float[Tensor, "h k p 3"]],
) -> tuple[Float[np.ndarray, "k h"], Float[np.ndarray, "k h"]]:
    """Counterfactual error: how wrong the difference is that another action makes, and how large it truly is, metres.

    Args:
        predicted: from one state, under an action and under another.
    """
    real = truth[1] - truth[0]
    off = ((predicted[1] - predicted[0]) - real).norm(dim=-1).mean(-1)
    return off.numpy().T, real.norm(dim=-1).mean(-1).numpy().T
