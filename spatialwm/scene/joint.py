"""What holds a drawer to its cabinet, a door to its wall and a robot's link to the one before it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import Pose, Vec3

JointKind = Literal["slide", "hinge"]


@dataclass(frozen=True, slots=True)
class Drive:
    """A position servo: ``stiffness * (target - position) - damping * speed``, newtons or newton metres."""

    stiffness: float
    damping: float = 0.0
    limit: float | None = None
    """Largest force or torque; None: unlimited."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.stiffness) and self.stiffness > 0 and math.isfinite(self.damping) and self.damping >= 0):
            raise ShapeError(f"a drive needs stiffness above 0 and damping of at least 0; got {self.stiffness}, {self.damping}")
        if self.limit is not None and not (math.isfinite(self.limit) and self.limit > 0):
            raise ShapeError(f"the limit of a drive must be positive and finite; got {self.limit}")


@dataclass(frozen=True, slots=True)
class Joint:
    """One degree of freedom. Its position is not stored: it is how far the object's pose is from ``parent_from_zero``.

    Lengths are in the object's own frame, before its scale; angles in radians.
    """

    kind: JointKind
    axis: Vec3
    """Unit direction in the object frame."""
    range: tuple[float, float] | None
    """Positions it can take; None: any, as of a wheel."""
    origin: Vec3 = (0.0, 0.0, 0.0)
    """A point on the axis of a hinge, in the object frame."""
    parent: str | None = None
    """The object that carries it; None: the place."""
    parent_from_zero: Pose = Pose()  # noqa: RUF009 -- frozen, so that sharing one default is safe
    """The object's pose in its parent's frame at position 0, which is shut for drawers and doors."""
    name: str = ""
    """As a robot's description calls it."""
    damping: float = 0.5
    """Force per speed: N s/m or N m s/rad."""
    friction: float = 0.2
    """What it takes to start moving: N or N m."""
    armature: float = 0.0
    """Inertia of the rotor behind its gears: kg or kg m2."""
    drive: Drive | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(JointKind):
            raise ShapeError(f"a joint is one of {', '.join(get_args(JointKind))}; got {self.kind!r}")
        length = math.sqrt(sum(v * v for v in self.axis))
        if not (math.isfinite(length) and length > 1e-9 and all(map(math.isfinite, self.origin))):
            raise ShapeError(f"a joint needs a finite axis that is not zero and a finite origin; got {self.axis}, {self.origin}")
        if abs(length - 1) > 1e-12:  # dividing a unit vector again would change its last bits on every reload
            x, y, z = self.axis
            object.__setattr__(self, "axis", (x / length, y / length, z / length))
        if self.range is not None and not (all(map(math.isfinite, self.range)) and self.range[0] < self.range[1]):
            raise ShapeError(f"the range of a joint must be two finite numbers, the lower first; got {self.range}")
        if not all(math.isfinite(v) and v >= 0 for v in (self.damping, self.friction, self.armature)):
            resistance = f"{self.damping}, {self.friction}, {self.armature}"
            raise ShapeError(f"damping, friction and armature of a joint must be finite and at least 0; got {resistance}")

    def motion(self, position: float) -> Pose:
        """What the object has done since position 0, in its own frame at position 0."""
        if self.kind == "slide":
            x, y, z = self.axis
            return Pose((x * position, y * position, z * position))
        turn = Pose.about_axis(self.axis, position)
        x, y, z = self.origin
        return Pose(self.origin) @ turn @ Pose((-x, -y, -z))

    def position_of(self, motion: Pose) -> float:
        """The position that is nearest to a motion; inverse of :meth:`motion`.

        An angle beyond a half turn is told apart by the range alone.
        """
        if self.kind == "slide":
            return sum(a * b for a, b in zip(self.axis, motion.position, strict=True))
        w, *v = motion.quat
        angle = 2 * math.atan2(sum(a * b for a, b in zip(self.axis, v, strict=True)), w)
        turns = (angle - 2 * math.pi, angle, angle + 2 * math.pi)
        low, high = self.range or (-math.pi, math.pi)
        return min(turns, key=lambda a: (max(low - a, a - high, 0.0), abs(a)))

    @property
    def closed(self) -> float:
        """The position of rest: 0, or the end of the range next to it."""
        return 0.0 if self.range is None else min(max(0.0, self.range[0]), self.range[1])

    @property
    def open(self) -> float:
        """The end of the range that is furthest from being closed; half a turn without a range."""
        return math.pi if self.range is None else max(self.range, key=lambda end: abs(end - self.closed))
