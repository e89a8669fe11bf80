"""What every world model promises: a scene and actions become a predicted future."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from spatialwm.dynamics.actions import Action
from spatialwm.errors import ActionError, ShapeError
from spatialwm.geometry.se3 import Pose
from spatialwm.progress import Progress, silent
from spatialwm.scene import Scene, edits


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """Where K objects are predicted to be at T instants ``dt_s`` apart; the first instant is the present.

    A prediction moves objects. It never creates or deletes a Gaussian: permanence by construction.
    """

    object_ids: tuple[str, ...]
    poses: Float[np.ndarray, "t k 7"]
    """float64 xyz + wxyz, world_from_object; an object keeps its scale."""
    uncertainty: Float[np.ndarray, "t k"]
    """Metres, one standard deviation of position."""
    dt_s: float
    backend: str
    """What made it, e.g. ``physics/mujoco``."""

    def __post_init__(self) -> None:
        t, k = self.poses.shape[0], len(self.object_ids)
        if self.poses.shape != (t, k, 7) or self.uncertainty.shape != (t, k):
            raise ShapeError(
                f"rollout of {k} objects needs poses (t, {k}, 7) and uncertainty (t, {k}); "
                f"got {self.poses.shape} and {self.uncertainty.shape}"
            )
        if not np.isfinite(self.poses).all():
            raise ActionError("the prediction diverged: a pose is not finite; try a slower or shorter action")

    @property
    def horizon(self) -> int:
        """Number of instants after the present."""
        return self.poses.shape[0] - 1

    def poses_at(self, scene: Scene, step: int) -> dict[str, Pose]:
        """Where every object of the rollout is predicted to be at ``step`` (negative from the end), at its present scale."""
        at = zip(self.object_ids, self.poses[step], strict=True)
        return {i: Pose.from_list([*p, scene[i].world_from_object.scale]) for i, p in at}

    def edit_at(self, scene: Scene, step: int) -> edits.SetPoses:
        """The edit that makes :meth:`poses_at` the truth."""
        return edits.SetPoses(tuple(self.poses_at(scene, step).items()))

    def scene_at(self, scene: Scene, step: int) -> Scene:
        """The scene as predicted at ``step``."""
        return scene.apply(self.edit_at(scene, step))


class WorldModel(Protocol):
    """Predicts what actions do; ``name`` is what a rollout reports as its backend."""

    @property
    def name(self) -> str: ...

    def rollout(
        self, scene: Scene, actions: Sequence[Action], dt_s: float = 1 / 30, progress: Progress = silent
    ) -> Rollout:
        """The predicted future while the actions run, one after the other, and things come to rest.

        Raises:
            ActionError: an action does not fit the scene.
        """
        ...
