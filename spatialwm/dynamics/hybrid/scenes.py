"""The hybrid in a world: the physics of a scene, corrected ten times a second where a thing is of a kind that was learnt."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from spatialwm.dynamics.actions import Action
from spatialwm.dynamics.hybrid.correct import Step
from spatialwm.dynamics.hybrid.identify import Belief
from spatialwm.dynamics.hybrid.model import Networks
from spatialwm.dynamics.hybrid.weights import Name, shipped
from spatialwm.dynamics.model import Rollout
from spatialwm.dynamics.motion import moved
from spatialwm.dynamics.physics import Physics
from spatialwm.dynamics.simulation import Simulation
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.progress import Progress, silent
from spatialwm.render import farthest_points
from spatialwm.scene import Scene, SceneObject

CONTROL_S = 0.1
LEARNT_M = (0.02, 0.25)
"""Largest extents of things whose pushing was learnt; others keep the prior's motion, and the rollout says so."""
_ACTOR_POINTS = 32


@dataclass(frozen=True, slots=True)
class SceneHybrid:
    """A :class:`spatialwm.dynamics.model.WorldModel`: nominal physics under the corrections of a trained network."""

    name: Name = "hybrid"
    physics: Physics = field(default_factory=Physics)

    def rollout(
        self, scene: Scene, actions: Sequence[Action], dt_s: float = 1 / 30, progress: Progress = silent
    ) -> Rollout:
        """As :meth:`spatialwm.dynamics.physics.Physics.rollout`.

        Raises:
            ActionError: an action does not fit the scene, or the model has no prior and cannot simulate a scene.
        """
        networks = shipped(self.name).networks
        if networks.config.prior != "physics":
            raise ActionError(f"{self.name} has no physics under it and knows tables only; use hybrid or physics for a world")
        nudge = _Nudge(networks, scene)
        found = replace(self.physics, correct=nudge, control_s=CONTROL_S).rollout(scene, actions, dt_s, progress)
        learnt = len(nudge.things)
        return replace(found, backend=f"hybrid on {found.backend}, {learnt} of {len(found.object_ids)} things corrected")


@dataclass(slots=True, eq=False)
class _Before:
    """What a control step began with."""

    poses: Tensor
    velocities: Tensor
    actor: Tensor


class _Nudge:
    """Called at every control step by the threads of the ensemble's members, each of which has a memory of its own."""

    def __init__(self, networks: Networks, scene: Scene) -> None:
        self.networks = networks
        self.things = {o.id: _points(o, networks.config.points) for o in scene.objects if _is_learnt(o)}
        self._before: dict[int, _Before | None] = {}

    @torch.no_grad()
    def __call__(self, sim: Simulation) -> None:
        rows = [i for i in sim.scene_model.free if sim.scene_model.object_ids[i] in self.things]
        actor = _actor(sim)
        if not rows or actor is None:
            self._before[sim.member] = None
            return
        poses, velocities = _state(sim, rows)
        before = self._before.get(sim.member)
        if before is not None and before.actor.shape == actor.shape:
            poses, velocities = self._corrected(sim, rows, before, poses, velocities, actor)
        self._before[sim.member] = _Before(poses, velocities, actor)

    def _corrected(
        self, sim: Simulation, rows: list[int], before: _Before, poses: Tensor, velocities: Tensor, actor: Tensor
    ) -> tuple[Tensor, Tensor]:
        ids = [sim.scene_model.object_ids[i] for i in rows]
        points = torch.stack([self.things[i] for i in ids])[None]
        bodies = [sim.scene_model.body_ids[i] for i in rows]
        frictions = [sim.model.geom_friction[int(sim.model.body_geomadr[b]), 0] for b in bodies]
        believed = np.stack([np.log(sim.model.body_mass[bodies]) / 3.0, frictions], -1)
        unknown = Belief.unknown(1, len(rows))
        known = torch.cat([unknown.mean, unknown.sigma, torch.from_numpy(believed)[None].float()], -1)
        step = Step(
            before.poses[None].float(), before.velocities[None].float(), poses[None].float(), velocities[None].float(), points,
            before.actor[None], actor[None], known, torch.ones(1, len(rows), dtype=torch.bool), CONTROL_S,
        )  # fmt: skip
        correction = self.networks.corrector(step, torch.zeros(1, dtype=torch.long))
        small = correction.size() <= self.networks.corrector.largest
        changed = ((correction.twists.abs().amax(-1) > 0) & small)[0, :, None]
        poses = torch.where(changed, moved(poses, correction.twists[0].double()), poses)
        velocities = torch.where(changed, velocities + correction.velocities[0].double(), velocities)
        for n in changed[:, 0].nonzero()[:, 0].tolist():
            _put(sim, rows[n], poses[n].numpy(), velocities[n].numpy())
        return poses, velocities


def _is_learnt(body: SceneObject) -> bool:
    low, high = body.bounds()
    return body.role == "object" and body.mobility == "rigid" and LEARNT_M[0] <= float((high - low).max()) <= LEARNT_M[1]


def _points(body: SceneObject, count: int) -> Tensor:
    """Points of its surface in metres, farthest first."""
    points = torch.from_numpy(np.array(body.points(), np.float32)) * body.world_from_object.scale
    points = points if len(points) >= count else points.repeat(count // len(points) + 1, 1)
    return points[farthest_points(points, count)]


def _actor(sim: Simulation) -> Tensor | None:
    """Points of the hand at work; None while there is none, or one without a surface."""
    points = sim.actor_points(_ACTOR_POINTS).reshape(-1, 3)
    return torch.from_numpy(points).float() if len(points) else None


def _state(sim: Simulation, rows: list[int]) -> tuple[Tensor, Tensor]:
    d, model = sim.data, sim.scene_model
    poses = np.stack([d.qpos[a : a + 7] for a in (model.qpos_addresses[i] for i in rows)])
    rates = np.stack([d.qvel[a : a + 6] for a in (model.dof_addresses[i] for i in rows)])
    rotation = quat_to_matrix(torch.from_numpy(poses[:, 3:])).numpy()
    rates[:, 3:] = np.einsum("nij,nj->ni", rotation, rates[:, 3:])
    return torch.from_numpy(poses), torch.from_numpy(rates)


def _put(sim: Simulation, row: int, pose: np.ndarray, rates: np.ndarray) -> None:
    q, v = sim.scene_model.qpos_addresses[row], sim.scene_model.dof_addresses[row]
    rotation = quat_to_matrix(torch.from_numpy(pose[3:])).numpy()
    sim.data.qpos[q : q + 7] = pose
    sim.data.qvel[v : v + 3] = rates[:3]
    sim.data.qvel[v + 3 : v + 6] = rotation.T @ rates[3:]
