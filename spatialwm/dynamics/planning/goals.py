"""What is wanted of the objects, as frozen values: poses, or the poses that a scene edit leads to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float

from spatialwm.dynamics.episode import Forecast, Situation
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose, Quat, quat_multiply
from spatialwm.scene import Scene
from spatialwm.scene.edits import Edit

DISTANCE_M, ANGLE_DEG = 0.02, 10.0
"""How near counts as there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseGoal:
    """One object at a pose."""

    object: str
    target: Pose
    """World from object."""
    distance_m: float = DISTANCE_M
    angle_deg: float = ANGLE_DEG
    folds: int = 1
    """Turns about the object's own z axis that nobody can tell apart: 1 for none, 2 for a plain box, 0 for anything round."""

    def __post_init__(self) -> None:
        if not (0 < self.distance_m < math.inf and 0 < self.angle_deg < math.inf):
            raise ActionError(f"a goal's tolerances must be positive; got {self.distance_m} m, {self.angle_deg} degrees")
        if self.folds < 0:
            raise ActionError(f"folds must be 0 (round), 1 (no symmetry) or more; got {self.folds}")

    def errors(self, poses: Float[np.ndarray, "*n 7"]) -> tuple[Float[np.ndarray, "*n"], Float[np.ndarray, "*n"]]:
        """Distance in metres and the least angle in degrees between poses of the object and the target."""
        distance = np.asarray(np.linalg.norm(poses[..., :3] - np.asarray(self.target.position), axis=-1))
        w, x, y, z = np.moveaxis(_relative(self.target.quat, np.asarray(poses[..., 3:], np.float64)), -1, 0)
        tilt = 2 * np.arctan2(np.hypot(x, y), np.hypot(w, z))
        if self.folds == 0:
            return distance, np.asarray(np.degrees(tilt))
        twist = 2 * np.arctan2(z, w)
        period = 2 * math.pi / self.folds
        twist = np.abs(np.mod(twist + period / 2, period) - period / 2)
        # cos(angle/2) of a twist about z after a tilt about a horizontal axis.
        return distance, np.asarray(np.degrees(2 * np.arccos(np.clip(np.cos(tilt / 2) * np.cos(twist / 2), -1, 1))))

    def targets(self, situation: Situation) -> tuple[PoseGoal, ...]:
        """Itself."""
        index_of(situation, self.object)
        return (self,)

    def costs(self, situation: Situation, forecasts: Sequence[Forecast]) -> Float[np.ndarray, " n"]:
        """Distance and angle at the end, each in units of its tolerance, as one length."""
        return pose_costs((self,), situation, np.stack([f.poses[-1] for f in forecasts]))


def _relative(target: Quat, quats: Float[np.ndarray, "*n 4"]) -> Float[np.ndarray, "*n 4"]:
    """target^-1 * quat: the turn as the object itself sees it."""
    inverse = torch.tensor([target[0], *(-v for v in target[1:])], dtype=torch.float64)
    return quat_multiply(inverse, torch.from_numpy(quats)).numpy()


@runtime_checkable
class Goal(Protocol):
    """Anything a plan can be judged by."""

    def targets(self, situation: Situation) -> tuple[PoseGoal, ...]:
        """The goal as poses of objects.

        Raises:
            ActionError: the goal speaks of objects that are not there.
        """
        ...

    def costs(self, situation: Situation, forecasts: Sequence[Forecast]) -> Float[np.ndarray, " n"]:
        """How far from the goal each forecast of one situation ends; about 1 at the border of success."""
        ...


@dataclass(frozen=True, slots=True)
class EditGoal:
    """The scene as an edit would have it: every object that the edit moves is to be where the edit puts it."""

    scene: Scene
    edit: Edit
    distance_m: float = DISTANCE_M
    angle_deg: float = ANGLE_DEG

    def targets(self, situation: Situation) -> tuple[PoseGoal, ...]:
        """A pose for every object that the edit moved; objects of the scene and of the situation share their ids."""
        wanted = self.scene.apply(self.edit)
        before, after = ({o.id for o in s.objects} for s in (self.scene, wanted))
        if before != after:
            changed = ", ".join(sorted(before ^ after))
            raise ActionError(f"a goal can only move objects; this edit adds or removes {changed}")
        moved = [o for o in wanted.objects if not _same(o.world_from_object, self.scene[o.id].world_from_object)]
        if not moved:
            raise ActionError("the edit moves nothing, so it is no goal; give one that moves or turns an object")
        out = []
        for o in moved:
            index_of(situation, o.id)
            if o.world_from_object.scale != self.scene[o.id].world_from_object.scale:
                raise ActionError(f"a goal cannot ask for another size of {o.id!r}; move or turn it instead")
            out.append(PoseGoal(object=o.id, target=o.world_from_object, distance_m=self.distance_m, angle_deg=self.angle_deg))
        return tuple(out)

    def costs(self, situation: Situation, forecasts: Sequence[Forecast]) -> Float[np.ndarray, " n"]:
        """As of :class:`PoseGoal`, over all moved objects."""
        return pose_costs(self.targets(situation), situation, np.stack([f.poses[-1] for f in forecasts]))


def _same(a: Pose, b: Pose) -> bool:
    return bool(np.allclose(a.to_list(), b.to_list(), atol=1e-9))


def pose_costs(
    targets: Sequence[PoseGoal], situation: Situation, poses: Float[np.ndarray, "n k 7"]
) -> Float[np.ndarray, " n"]:
    """Root of the summed squares of all distances and angles, in units of their tolerances."""
    total = np.zeros(len(poses))
    for target in targets:
        distance, angle = target.errors(poses[:, index_of(situation, target.object)])
        total += (distance / target.distance_m) ** 2 + (angle / target.angle_deg) ** 2
    return np.sqrt(total)


def reached(targets: Sequence[PoseGoal], situation: Situation, share: float = 1.0) -> bool:
    """Whether every target is met now, within ``share`` of its tolerances."""
    for target in targets:
        distance, angle = target.errors(situation.past.poses[-1, index_of(situation, target.object)])
        if distance > share * target.distance_m or angle > share * target.angle_deg:
            return False
    return True


def index_of(situation: Situation, object_id: str) -> int:
    """Where an object stands in the arrays of a situation.

    Raises:
        ActionError: it is not there.
    """
    ids = situation.cast.object_ids
    if object_id not in ids:
        raise ActionError(f"no object {object_id!r} to move; there are: {', '.join(ids) or 'none'}")
    return ids.index(object_id)
