"""Actions: what an agent does to a scene. Frozen values; times in seconds, lengths in metres, world frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose, Vec3


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Push an object along the floor plane at its side, as a hand would, until it has been driven ``by`` metres."""

    object: str
    by: tuple[float, float]
    speed_m_s: float = 0.4

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (*self.by, self.speed_m_s)) or self.speed_m_s <= 0:
            raise ActionError(f"push needs a finite direction and a positive speed; got {self.by}, {self.speed_m_s} m/s")
        if math.hypot(*self.by) < 1e-6:
            raise ActionError("push of zero length; give DX and DY in metres, e.g. 0.3 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraspPlace:
    """Take an object, lift it, carry it and let go with its origin at ``target``."""

    object: str
    target: Vec3
    lift_m: float = 0.15
    speed_m_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEffectorPath:
    """Lead a spherical finger through waypoints at equal time steps; optionally closed on what it touches."""

    waypoints: tuple[Pose, ...]
    dt_s: float = 0.1
    radius_m: float = 0.03
    closed: tuple[bool, ...] = ()
    """Per waypoint: gripper closed. Empty: always open."""


Action = Push | GraspPlace | EndEffectorPath
