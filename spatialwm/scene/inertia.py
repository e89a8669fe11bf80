"""Where the mass of an object is, for things whose maker says so."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import Quat, Vec3


@dataclass(frozen=True, slots=True)
class Inertia:
    """Centre of mass and principal moments; per kilogram, so that a change of mass leaves them valid."""

    center: Vec3
    """In the object frame, before its scale."""
    moments: Vec3
    """Square metres: principal moments of inertia for each kilogram."""
    axes: Quat = (1.0, 0.0, 0.0, 0.0)
    """Turn from the principal axes to the object frame, wxyz."""

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (*self.center, *self.moments, *self.axes)) or min(self.moments) <= 0:
            raise ShapeError(f"inertia needs a finite centre and positive moments; got {self.center}, {self.moments}")
        a, b, c = sorted(self.moments)
        if a + b < c * (1 - 1e-6):
            raise ShapeError(f"no body has the moments {self.moments}: two of them must add up to more than the third")
