"""Actions: what an agent does to a scene. Frozen values; times in seconds, lengths in metres, world frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose, Vec3

MAX_REACH_M, MAX_SPEED_M_S = 20.0, 5.0
"""Beyond these an agent's hand is a projectile, and rigid contacts are no longer believable."""
MAX_ACTION_S = 60.0
"""Longest action; what a rollout of physics goes through at most for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Push an object along the floor plane at its side, as a hand would, until it has been driven ``by`` metres."""

    object: str
    by: tuple[float, float]
    speed_m_s: float = 0.4

    def __post_init__(self) -> None:
        _check_way("push", self.by, self.speed_m_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """Take hold of an object's far side and draw it along the floor plane until it has come ``by`` metres; it trails behind."""

    object: str
    by: tuple[float, float]
    speed_m_s: float = 0.4

    def __post_init__(self) -> None:
        _check_way("pull", self.by, self.speed_m_s)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClose:
    """Open or shut an articulated object: a drawer, a door, a lid."""

    object: str
    to: float
    """0: shut, 1: as far open as its joint lets it."""
    speed_m_s: float = 0.4
    """Of the part's far end."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.to) and 0 <= self.to <= 1):
            raise ActionError(f"open_close needs to between 0 (shut) and 1 (open); got {self.to}")
        if not (math.isfinite(self.speed_m_s) and 0 < self.speed_m_s <= MAX_SPEED_M_S):
            raise ActionError(f"open_close needs a speed above 0, at most {MAX_SPEED_M_S:g} m/s; got {self.speed_m_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTargets:
    """Ask the motors of a robot for positions, one row after the other; each is held for ``dt_s``, the last for good."""

    robot: str
    """Id of its base."""
    targets: tuple[tuple[float, ...], ...]
    """Radians or metres; a row has one value for each motor in scene order, without the gripper's where ``gripper`` is given."""
    dt_s: float = 0.1
    gripper: tuple[float, ...] = ()
    """Per row: 0 shut to 1 wide open. Empty: the gripper is a motor like the others."""

    def __post_init__(self) -> None:
        if not self.targets or not self.targets[0] or len({len(row) for row in self.targets}) > 1:
            raise ActionError(f"joint_targets needs rows of equal length; got lengths {sorted({len(r) for r in self.targets})}")
        if not all(math.isfinite(v) for row in self.targets for v in row):
            raise ActionError("joint_targets needs finite targets; got NaN or infinity")
        if self.gripper and len(self.gripper) != len(self.targets):
            raise ActionError(f"gripper needs one value for each of the {len(self.targets)} rows; got {len(self.gripper)}")
        if not all(0 <= v <= 1 for v in self.gripper):
            raise ActionError(f"gripper values lie between 0 (shut) and 1 (open); got {self.gripper[:8]}")
        if not (math.isfinite(self.dt_s) and self.dt_s > 0 and self.dt_s * len(self.targets) <= MAX_ACTION_S):
            rows = f"{len(self.targets)} rows of {self.dt_s} s"
            raise ActionError(f"joint_targets needs dt_s above 0 and at most {MAX_ACTION_S:g} s in all; got {rows}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Lead a walking agent, an upright capsule, along waypoints on the floor; it pushes what it walks into."""

    waypoints: tuple[tuple[float, float], ...]
    speed_m_s: float = 1.2
    radius_m: float = 0.25
    height_m: float = 1.7
    strength_n: float = 250.0
    """What it leans against things with at most, newtons."""

    def __post_init__(self) -> None:
        if len(self.waypoints) < 2 or not all(math.isfinite(v) for point in self.waypoints for v in point):
            raise ActionError(f"walk needs at least two finite waypoints; got {self.waypoints[:4]}")
        if not (math.isfinite(self.speed_m_s) and 0 < self.speed_m_s <= MAX_SPEED_M_S):
            raise ActionError(f"walk needs a speed above 0, at most {MAX_SPEED_M_S:g} m/s; got {self.speed_m_s}")
        if not (0.05 <= self.radius_m <= 1 and 4 * self.radius_m <= self.height_m <= 3 and 0 < self.strength_n <= 5000):
            raise ActionError(
                "walk needs radius_m between 0.05 and 1, height_m from four times that to 3 and strength_n up to 5000; "
                f"got {self.radius_m}, {self.height_m}, {self.strength_n}"
            )
        seconds = self.length_m / self.speed_m_s
        if seconds > MAX_ACTION_S:
            raise ActionError(f"walk of {seconds:.3g} s is too long; at most {MAX_ACTION_S:g} s")

    @property
    def length_m(self) -> float:
        """Of the whole way."""
        return sum(math.dist(a, b) for a, b in zip(self.waypoints, self.waypoints[1:], strict=False))


Action = Push | Pull | GraspPlace | EndEffectorPath | OpenClose | JointTargets | Walk


def _check_way(what: str, by: tuple[float, float], speed_m_s: float) -> None:
    if not all(math.isfinite(v) for v in (*by, speed_m_s)) or speed_m_s <= 0:
        raise ActionError(f"{what} needs a finite direction and a positive speed; got {by}, {speed_m_s} m/s")
    if math.hypot(*by) > MAX_REACH_M or speed_m_s > MAX_SPEED_M_S:
        asked, allowed = f"{math.hypot(*by):.3g} m at {speed_m_s:.3g}", f"{MAX_REACH_M:g} m at {MAX_SPEED_M_S:g}"
        raise ActionError(f"{what} of {asked} m/s is too far or too fast; at most {allowed} m/s")
    if math.hypot(*by) < 1e-6:
        raise ActionError(f"{what} of zero length; give DX and DY in metres, e.g. 0.3 0")
