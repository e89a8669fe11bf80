"""What an evaluation found, as values and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from spatialwm.dynamics.episode import Cast, Episode
from spatialwm.dynamics.evaluate.bootstrap import Estimate
from spatialwm.report import plain_json

SCHEMA = "spatialwm.evaluate.dynamics/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonScore:
    """One model at one horizon. Distances in metres; None where a model says nothing or nothing was measured."""

    steps: int
    moved_mean_m: Estimate
    """Mean distance of corresponding points, over objects that truly moved."""
    moved_median_m: Estimate
    below: Estimate | None
    """By what share the mean lies below that of the reference model, paired; None for that model itself."""
    chamfer_m: Estimate
    still_m: Estimate
    """How far objects that truly stayed still are predicted to be from where they were."""
    coverage_90: Estimate | None
    """Share of the moved objects whose error lies in the 90 % interval."""
    coverage_90_all: Estimate | None
    """The same of all objects."""
    kept_70: Estimate | None
    """Error of the most certain 70 % over the error of all, moved objects."""
    psnr_db: Estimate | None = None
    """Of renders, where the true picture has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plausibility:
    """Whether a world as predicted could be one."""

    lost: int
    added: int
    residual_m: float
    """The largest Kabsch residual of any object at any of the horizons."""
    penetration_m: Estimate
    """Deepest overlap of a window, mean over windows."""
    penetration_worst_m: float
    still_worst_m: float
    """The farthest that any object that truly stayed still was ever moved."""
    energy_gain_j: Estimate | None
    """Most by which energy rises once a frozen action has come to rest, mean over windows."""
    momentum_drift: Estimate
    """Mean error of the total momentum over the mean true momentum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """Same state, other action; at the longest horizon."""

    error_m: Estimate | None
    """Of the difference that the action makes, over objects where it truly makes one; None where no twins were given."""
    ratio: Estimate | None
    """The same over the size of the true difference: 1 for a model that ignores actions."""
    frozen_m: Estimate | None
    """Moved-point error when the model is told that the actor holds still: as large as that of copying if actions matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelScore:
    """One model, all its seeds together."""

    name: str
    seeds: int
    horizons: tuple[HorizonScore, ...]
    curve: tuple[Estimate, ...]
    """``moved_mean_m`` after each step."""
    plausibility: Plausibility
    counterfactual: Counterfactual
    calibration: tuple[tuple[float, float], ...]
    """Claimed and true coverage of moved objects at the longest horizon; empty where the model says no sigma."""
    risk: tuple[tuple[float, float], ...]
    """Answered share and mean error of moved objects at the longest horizon."""
    trusted: dict[str, float]
    """Share of the windows that rest on each of what the model may rest on."""
    ms_per_step: float
    """Processor milliseconds per window and step."""

    def at(self, steps: int) -> HorizonScore:
        """The score at a horizon.

        Raises:
            KeyError: it was not measured.
        """
        for score in self.horizons:
            if score.steps == steps:
                return score
        raise KeyError(steps)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shown:
    """A window to look at: what happened and what each model said; for films, not for JSON."""

    episode: Episode
    label: str
    cast: Cast
    truth: Float[np.ndarray, "h1 k 7"]
    part_poses: Float[np.ndarray, "h1 l 7"]
    dt_s: float
    forecasts: dict[str, tuple[Float[np.ndarray, "h k 7"], Float[np.ndarray, "h k"]]]
    """Poses and sigmas by model."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Results:
    """All models on the same windows."""

    machine: dict[str, Any]
    rule: str
    reference: str
    """The model that the others are compared with."""
    dt_s: float
    episodes: int
    windows: int
    objects: tuple[int, int]
    """Fewest and most in an episode."""
    moved: tuple[int, ...]
    """Rows (objects of windows) that count, per horizon."""
    still: int
    penetration_true_m: Estimate
    """What the same shapes say of the truth: below this nothing can be told."""
    models: tuple[ModelScore, ...]
    shown: tuple[Shown, ...] = field(default=(), repr=False)

    def __getitem__(self, name: str) -> ModelScore:
        """The model of that name.

        Raises:
            KeyError: there is none.
        """
        for model in self.models:
            if model.name == name:
                return model
        raise KeyError(f"{name!r} is not among {', '.join(m.name for m in self.models)}")

    @property
    def horizons(self) -> tuple[int, ...]:
        """Steps."""
        return tuple(h.steps for h in self.models[0].horizons)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; numbers that are none are null."""
        names = ("machine", "rule", "reference", "dt_s", "episodes", "windows", "objects", "moved", "still")
        told = {"schema": SCHEMA, **{n: getattr(self, n) for n in names}}
        told |= {"penetration_true_m": asdict(self.penetration_true_m), "models": [asdict(m) for m in self.models]}
        return plain_json(told)
