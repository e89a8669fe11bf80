"""What any model must beat: nothing moves, all goes on as it was, what the actor is near goes with it.

None of them says how sure it is: their sigmas are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.dynamics.episode import Forecast, Situation, check_commands
from spatialwm.dynamics.motion import inverse_quat, moved, points_at
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import quat_multiply, quat_to_matrix

Path = Callable[[Situation, np.ndarray], np.ndarray]
"""Of a situation and ``(h, a)`` commands: where the actor's parts will be, ``(h, l, 7)``."""

NEAR_M = 0.015
"""Surface samples of things that touch lie about this far apart."""


@dataclass(frozen=True, slots=True)
class CopyLast:
    """Nothing moves."""

    name: str = "copy last"

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """Every object stays where it was last seen."""
        check_commands(situations, commands)
        return [_unsure(np.repeat(s.past.poses[-1:], commands.shape[1], 0)) for s in situations]


@dataclass(frozen=True, slots=True)
class ConstantVelocity:
    """What moves goes on moving and turning as it did."""

    name: str = "constant velocity"

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """The last velocities, for ever."""
        check_commands(situations, commands)
        answers = []
        for s in situations:
            now, velocity = torch.from_numpy(s.past.poses[-1]), torch.from_numpy(s.past.velocities[-1])
            time_s = s.past.dt_s * torch.arange(1, commands.shape[1] + 1, dtype=now.dtype)
            answers.append(_unsure(moved(now.expand(len(time_s), -1, -1), time_s[:, None, None] * velocity).numpy()))
        return answers


@dataclass(frozen=True, slots=True)
class AttachToGripper:
    """What comes near a part of the actor goes with it from then on; the actor is taken to be where it is told to be."""

    near_m: float = NEAR_M
    """Between the nearest surface samples."""
    path: Path | None = None
    """None: :func:`commanded_path`."""
    name: str = "attach to gripper"

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """Each object follows the nearest part while that is near."""
        check_commands(situations, commands)
        path = self.path or commanded_path
        return [_unsure(self._carried(s, path(s, c))) for s, c in zip(situations, commands, strict=True)]

    def _carried(self, situation: Situation, part_path: np.ndarray) -> np.ndarray:
        cast = situation.cast
        points, part_points = torch.from_numpy(cast.points).double(), torch.from_numpy(cast.part_points).double()
        poses = torch.from_numpy(situation.past.poses[-1]).double()
        parts = torch.from_numpy(situation.past.part_poses[-1]).double()
        out = []
        for after in torch.from_numpy(np.asarray(part_path, np.float64)):
            if len(poses) and len(parts):
                gaps = _gaps(points_at(points, poses), points_at(part_points, parts))
                nearest, which = gaps.min(1)
                carried = _led(poses, parts[which], after[which])
                poses = torch.where((nearest < self.near_m)[:, None], carried, poses)
            parts = after
            out.append(poses)
        return torch.stack(out).numpy()


def commanded_path(situation: Situation, commands: Float[np.ndarray, "h a"]) -> Float[np.ndarray, "h l 7"]:
    """Commands read as places: the first part's origin goes to their first two or three values, the others with it, unturned.

    Raises:
        ActionError: commands of a single value are no places.
    """
    if commands.shape[1] < 2:
        raise ActionError(f"commands of {commands.shape[1]} value are no places in space; give AttachToGripper(path=...)")
    parts = situation.past.part_poses[-1]
    axes = min(commands.shape[1], 3)
    path = np.repeat(parts[None], len(commands), 0)
    if len(parts):
        path[:, :, :axes] += (commands[:, :axes] - parts[0, :axes])[:, None]
    return path


def _gaps(points: Float[Tensor, "k p 3"], part_points: Float[Tensor, "l q 3"]) -> Float[Tensor, "k l"]:
    k, parts = len(points), len(part_points)
    return torch.cdist(points.flatten(0, 1), part_points.flatten(0, 1)).reshape(k, -1, parts, part_points.shape[1]).amin((1, 3))


def _led(poses: Float[Tensor, "k 7"], before: Float[Tensor, "k 7"], after: Float[Tensor, "k 7"]) -> Float[Tensor, "k 7"]:
    """Poses after the rigid motion that leads a body from ``before`` to ``after``."""
    turn = quat_multiply(after[:, 3:], inverse_quat(before[:, 3:]))
    arm = (quat_to_matrix(turn) @ (poses[:, :3] - before[:, :3])[..., None])[..., 0]
    return torch.cat([after[:, :3] + arm, quat_multiply(turn, poses[:, 3:])], 1)


def _unsure(poses: np.ndarray) -> Forecast:
    return Forecast(poses, np.full(poses.shape[:2], np.nan))
