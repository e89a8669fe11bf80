"""What a robot's own data gives: its states, its commands, its cameras; nobody knows where the objects were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8

from spatialwm.dynamics.episode import Track
from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import quat_multiply


@runtime_checkable
class Camera(Protocol):
    """Pictures of one camera, decoded when they are asked for."""

    @property
    def dt_s(self) -> float:
        """Between two frames; robots often note their state more often than they take pictures."""
        ...

    def __len__(self) -> int: ...

    def frame(self, index: int) -> UInt8[np.ndarray, "h w 3"]:
        """One picture, sRGB.

        Raises:
            FormatError: it cannot be decoded.
            IndexError: there is no such frame.
        """
        ...

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "h w 3"]]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One run of a robot: T + 1 instants and the T commands between them."""

    name: str
    """Where it comes from: a file, and a number in it."""
    commands: Float[np.ndarray, "t a"]
    command_names: tuple[str, ...]
    states: Float[np.ndarray, "t1 s"]
    """As the robot tells them; no columns where it tells nothing."""
    state_names: tuple[str, ...]
    tool_poses: Float[np.ndarray, "t1 l 7"]
    """xyz + wxyz of the tool in the frame of the robot's base; l is 0 where that is not known, else 1."""
    dt_s: float
    text: str = ""
    """What was asked for, in words."""
    success: bool | None = None
    rewards: Float[np.ndarray, " t"] | None = None
    cameras: dict[str, Camera] = field(default_factory=dict)

    def __post_init__(self) -> None:
        t = len(self.commands)
        for what, got, expected in (
            ("states", len(self.states), t + 1), ("tool_poses", len(self.tool_poses), t + 1),
            ("command_names", len(self.command_names), self.commands.shape[-1]),
            ("state_names", len(self.state_names), self.states.shape[-1]),
            ("rewards", t if self.rewards is None else len(self.rewards), t),
        ):  # fmt: skip
            if got != expected:
                raise ShapeError(f"{self.name}: {what} must have {expected} entries for {t} commands; got {got}")

    def __len__(self) -> int:
        return len(self.commands)

    def track(self) -> Track:
        """The robot alone: its tool as the one part of the actor, and no objects."""
        none = np.zeros((len(self.states), 0, 7), np.float32)
        return Track(none, none[..., :6], self.tool_poses, self.commands, self.dt_s)


def poses_of(xyz_rpy: Float[np.ndarray, "n 6"]) -> Float[np.ndarray, "n 1 7"]:
    """Poses of positions with roll, pitch and yaw about fixed axes, in radians, as DROID and BridgeData note them."""
    half = torch.from_numpy(np.asarray(xyz_rpy[:, 3:], np.float64)) / 2
    turns = []
    for axis in range(3):
        quat = torch.zeros(len(half), 4, dtype=torch.float64)
        quat[:, 0], quat[:, axis + 1] = torch.cos(half[:, axis]), torch.sin(half[:, axis])
        turns.append(quat)
    quats = quat_multiply(turns[2], quat_multiply(turns[1], turns[0])).numpy()
    return np.concatenate([xyz_rpy[:, :3], quats], 1)[:, None].astype(np.float32)
