"""A MuJoCo model being stepped, and what its actors and observers need to find their way in it."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import mujoco
import numpy as np
from jaxtyping import Float

from spatialwm.dynamics.mjcf import SceneModel
from spatialwm.dynamics.surface import samples_of


@dataclass(slots=True, eq=False)
class Simulation:
    """One member of the ensemble. ``data`` may be written between time steps; ``model`` is its own copy."""

    scene_model: SceneModel
    model: mujoco.MjModel
    data: mujoco.MjData
    member: int = 0
    """0 is the nominal future."""
    actor: tuple[int, ...] = ()
    """Bodies of the hand at work; empty while everything comes to rest."""
    _samples: dict[tuple[int, int, bytes], np.ndarray] = field(default_factory=dict)

    def geoms(self, object_id: str) -> list[int]:
        """Geoms of a movable object."""
        body = self.scene_model.body_ids[self.scene_model.index(object_id)]
        first, count = int(self.model.body_geomadr[body]), int(self.model.body_geomnum[body])
        return list(range(first, first + count))

    def body(self, object_id: str) -> int:
        """Body of a movable object."""
        return self.scene_model.body_ids[self.scene_model.index(object_id)]

    def corners(self, geom: int) -> np.ndarray:
        """World corners of a box or mesh geom."""
        rotation = self.data.geom_xmat[geom].reshape(3, 3)
        mesh = int(self.model.geom_dataid[geom])
        if self.model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX or mesh < 0:
            half = self.model.geom_size[geom]
            local = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half
        else:
            start, count = int(self.model.mesh_vertadr[mesh]), int(self.model.mesh_vertnum[mesh])
            local = self.model.mesh_vert[start : start + count]
        return local @ rotation.T + self.data.geom_xpos[geom]

    def actor_geoms(self) -> list[int]:
        """Geoms of the hand at work; a grip that is welded to its object has none."""
        m = self.model
        return [g for b in self.actor for g in range(int(m.body_geomadr[b]), int(m.body_geomadr[b] + m.body_geomnum[b]))]

    def local_points(self, geom: int, count: int = 32) -> Float[np.ndarray, "p 3"]:
        """The same surface samples of a geom at every call, in its own frame; none where it has no bounded surface."""
        key = (geom, count, self.model.geom_size[geom].tobytes())
        if key not in self._samples:
            self._samples[key] = samples_of(self.model, geom, count).points
        return self._samples[key]

    def geom_pose(self, geom: int) -> Float[np.ndarray, " 7"]:
        """World from geom, xyz + wxyz."""
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, self.data.geom_xmat[geom])
        return np.concatenate([self.data.geom_xpos[geom], quat])

    def actor_points(self, per_geom: int = 32) -> Float[np.ndarray, "g p 3"]:
        """Where the surface of every geom of the hand at work is now, in the world."""
        d, geoms = self.data, self.actor_geoms()
        points = [self.local_points(g, per_geom) @ d.geom_xmat[g].reshape(3, 3).T + d.geom_xpos[g] for g in geoms]
        return np.stack(points) if points else np.zeros((0, per_geom, 3))


Correct = Callable[[Simulation], None]
"""Reads a simulation at a control step, and may write its velocities; called by several threads, one per member."""
