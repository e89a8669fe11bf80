"""What a planner answers, and what is expected of a planner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from spatialwm.dynamics.episode import Forecast, Situation


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Commands to give, and what should come of them."""

    commands: Float[np.ndarray, "t a"]
    """Empty: the planner stops."""
    cost: float
    rests_on: str
    """``hybrid``, ``physics`` or another model's name; ``nothing`` where no model was asked."""
    expected: Forecast | None = None
    """For the last steps of the commands; what comes before them should move nothing."""
    parameters: Float[np.ndarray, " d"] | None = None
    """Where a next search may start."""
    forecasts: int = 0
    """How many the search took."""
    seconds: float = 0.0
    note: str = ""
    """Why it stopped or fell back."""


@runtime_checkable
class Planner(Protocol):
    """Decides what to do next."""

    def plan(self, situation: Situation, rng: np.random.Generator, last: Plan | None = None) -> Plan:
        """Commands from now on.

        Args:
            last: the plan before, for a warm start.
        """
        ...
