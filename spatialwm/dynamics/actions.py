"""Actions: what an agent does to a scene. Frozen values; times in seconds, lengths in metres, world frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose, Vec3

MAX_REACH_M, MAX_SPEED_M_S = 20.0, 5.0
"""Beyond these an agent's hand is a projectile, and rigid contacts are no longer believable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Push an object along the floor plane at its side, as a hand would, until it has been driven ``by`` metres."""

    object: str
    by: tuple[float, float]
    speed_m_s: float = 0.4

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (*self.by, self.speed_m_s)) or self.speed_m_s <= 0:
            raise ActionError(f"push needs a finite direction and a positive speed; got {self.by}, {self.speed_m_s} m/s")
        if math.hypot(*self.by) > MAX_REACH_M or self.speed_m_s > MAX_SPEED_M_S:
            asked, allowed = f"{math.hypot(*self.by):.3g} m at {self.speed_m_s:.3g}", f"{MAX_REACH_M:g} m at {MAX_SPEED_M_S:g}"
            raise ActionError(f"push of {asked} m/s is too far or too fast; at most {allowed} m/s")
        if math.hypot(*self.by) < 1e-6:
            raise ActionError("push of zero length; give DX and DY in metres, e.g. 0.3 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraspPlace:
    """Take an object, lift it, carry it and let go with its origin at ``target``."""

    object: str
    target: Vec3
    lift_m: float = 0.15
    speed_m_s: float = 0.5

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in (*self.target, self.lift_m, self.speed_m_s)):
            raise ActionError(f"grasp_place needs finite numbers; got {self.target}, lift {self.lift_m}, speed {self.speed_m_s}")
        if self.lift_m < 0 or not 0 < self.speed_m_s <= MAX_SPEED_M_S:
            raise ActionError(
                f"grasp_place needs lift_m >= 0 and a speed above 0, at most {MAX_SPEED_M_S:g} m/s; "
                f"got {self.lift_m} m, {self.speed_m_s} m/s"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEffectorPath:
    """Lead a spherical finger through waypoints at equal time steps; optionally closed on what it touches."""

    waypoints: tuple[Pose, ...]
    dt_s: float = 0.1
    radius_m: float = 0.03
    closed: tuple[bool, ...] = ()
    """Per waypoint: gripper closed. Empty: always open."""

    def __post_init__(self) -> None:
        if not self.waypoints:
            raise ActionError("end_effector_path needs at least one waypoint")
        if self.closed and len(self.closed) != len(self.waypoints):
            raise ActionError(f"closed needs one value for each of the {len(self.waypoints)} waypoints; got {len(self.closed)}")
        if not (math.isfinite(self.dt_s) and self.dt_s > 0 and math.isfinite(self.radius_m) and 0.002 <= self.radius_m <= 0.5):
            raise ActionError(
                f"end_effector_path needs dt_s above 0 and radius_m between 0.002 and 0.5; got {self.dt_s} s, {self.radius_m} m"
            )


Action = Push | GraspPlace | EndEffectorPath
