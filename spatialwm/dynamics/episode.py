"""What happened while an actor acted on some objects, what a model may know of it, and what a model says comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from spatialwm.errors import ActionError, ShapeError


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Cast:
    """Who takes part: the shapes of K objects and of the L rigid parts of the actor, each in its own frame, P points each."""

    object_ids: tuple[str, ...]
    points: Float[np.ndarray, "k p 3"]
    """Surface samples of the objects, metres."""
    normals: Float[np.ndarray, "k p 3"]
    colors: Float[np.ndarray, "k p 3"]
    """sRGB, 0..1."""
    part_ids: tuple[str, ...]
    part_points: Float[np.ndarray, "l p 3"]
    """Surface samples of the actor's parts, metres."""
    masses_kg: Float[np.ndarray, " k"]
    """As believed, which need not be true."""
    frictions: Float[np.ndarray, " k"]
    """Coulomb coefficients, as believed."""
    maker: Any = None
    """What a simulator of this place was made from, as believed; None where nothing simulates it."""

    def __post_init__(self) -> None:
        k, parts = len(self.object_ids), len(self.part_ids)
        for name, array, lead in (
            ("points", self.points, k), ("normals", self.normals, k), ("colors", self.colors, k),
            ("part_points", self.part_points, parts),
        ):  # fmt: skip
            if array.ndim != 3 or array.shape[0] != lead or array.shape[2] != 3:
                raise ShapeError(f"{name} must be ({lead}, p, 3); got {array.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Motion over T steps of ``dt_s``: T + 1 instants, and the T commands between them."""

    poses: Float[np.ndarray, "t1 k 7"]
    """xyz + wxyz, world_from_object."""
    velocities: Float[np.ndarray, "t1 k 6"]
    """Linear m/s of the object's origin, then angular rad/s, both along world axes."""
    part_poses: Float[np.ndarray, "t1 l 7"]
    """World from part: where the actor really was."""
    commands: Float[np.ndarray, "t a"]
    """What the actor was asked to do in each step; it may lag behind."""
    dt_s: float

    def __post_init__(self) -> None:
        t = self.commands.shape[0] + 1
        for name, width in (("poses", 7), ("velocities", 6), ("part_poses", 7)):
            array = getattr(self, name)
            if array.ndim != 3 or array.shape[0] != t or array.shape[2] != width:
                raise ShapeError(f"{name} of {t - 1} commands must be ({t}, n, {width}); got {array.shape}")
        if self.poses.shape[1] != self.velocities.shape[1]:
            raise ShapeError(f"poses are of {self.poses.shape[1]} objects and velocities of {self.velocities.shape[1]}")

    def __len__(self) -> int:
        return self.commands.shape[0]

    def until(self, step: int) -> Track:
        """The first ``step`` steps."""
        end = step + 1
        return Track(self.poses[:end], self.velocities[:end], self.part_poses[:end], self.commands[:step], self.dt_s)


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """What a model knows when it is asked: who takes part, and what has been seen; the last instant is now."""

    cast: Cast
    past: Track


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """What happened, whole."""

    cast: Cast
    track: Track
    rewards: Float[np.ndarray, " t"] | None = None
    truth: Any = None
    """What the simulator was really made from; never shown to a model."""
    terminated: bool = False
    """Whether the last step ended the task, rather than the time for it."""

    def situation(self, step: int) -> Situation:
        """What was known after ``step`` steps."""
        if not 0 <= step <= len(self.track):
            raise ActionError(f"the episode has {len(self.track)} steps; there is no situation after {step}")
        return Situation(self.cast, self.track.until(step))


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Where K objects will be after each of H steps, and how sure that is."""

    poses: Float[np.ndarray, "h k 7"]
    sigma_m: Float[np.ndarray, "h k"]
    """Expected distance between predicted and true points, metres."""
    trusted: str = ""
    """What the answer rests on, where a model may choose: ``hybrid``, ``prior``, or ``abstain`` (not to be acted upon)."""


@runtime_checkable
class Forecaster(Protocol):
    """A world model as data and planners see it: many situations at once, fixed time steps, commands instead of named actions."""

    @property
    def name(self) -> str: ...

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """What each situation becomes under its commands; a planner passes one situation many times over.

        Raises:
            ActionError: commands of the wrong shape, not finite, or of a horizon of 0.
        """
        ...


def check_commands(situations: Sequence[Situation], commands: np.ndarray, width: int | None = None) -> None:
    """Refuse commands that no model could answer; ``width`` is the number of values of one command.

    Raises:
        ActionError: the shape does not fit, the horizon is 0 or over :data:`MAX_HORIZON`, or a value is not finite.
    """
    if commands.ndim != 3 or len(commands) != len(situations):
        raise ActionError(f"commands must be ({len(situations)}, horizon, a), one row per situation; got {commands.shape}")
    if width is not None and commands.shape[2] != width:
        raise ActionError(f"each command has {width} values here; got {commands.shape[2]}")
    if not 0 < commands.shape[1] <= MAX_HORIZON:
        raise ActionError(f"the horizon must lie between 1 and {MAX_HORIZON} steps; got {commands.shape[1]}")
    if not np.isfinite(commands).all():
        raise ActionError("commands must be finite; got NaN or infinity")


MAX_HORIZON = 2000
"""Steps; over three minutes at 10 Hz."""
