"""A walking agent: an upright capsule on two rails, led with limited strength."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from spatialwm.dynamics.actions import MAX_ACTION_S, Walk
from spatialwm.dynamics.hands import STALL_S, set_collisions
from spatialwm.dynamics.mjcf import OTHERS
from spatialwm.dynamics.simulation import Simulation
from spatialwm.errors import ActionError

MASS_KG = 70.0
STEP_M = 0.1
"""What feet step over: rugs, thresholds."""
PATIENCE_S = 2.0
"""A walker who has come to a stand gives up after this long."""


@dataclass(slots=True, eq=False)
class WalkHand:
    """Walks to one waypoint after the other; what is in the way is pushed, and what does not yield stops it."""

    action: Walk
    name: str
    _goal: int = 1
    _best_m: float = math.inf
    _since_s: float = 0.0

    @property
    def bodies(self) -> tuple[str, ...]:
        return (self.name,)

    def add(self, spec: mujoco.MjSpec) -> None:
        radius, height = self.action.radius_m, self.action.height_m
        x, y = self.action.waypoints[0]
        body = spec.worldbody.add_body(name=self.name, pos=[x, y, (height + STEP_M) / 2], gravcomp=1)
        for axis, letter in (([1, 0, 0], "x"), ([0, 1, 0], "y")):
            body.add_joint(name=f"{self.name}/{letter}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
        # Meets nothing until the walk starts.
        body.add_geom(
            name=self.name, type=mujoco.mjtGeom.mjGEOM_CAPSULE, size=[radius, (height - STEP_M) / 2 - radius, 0], mass=MASS_KG,
            contype=0, conaffinity=0, friction=[0.4, 0.005, 0.0001], priority=-1, condim=4,
        )  # fmt: skip

    def start(self, sim: Simulation) -> None:
        m, d = sim.model, sim.data
        mujoco.mj_kinematics(m, d)
        me = m.geom(self.name).id
        for geom in range(m.ngeom):
            if m.geom_contype[geom] and mujoco.mj_geomDistance(m, d, me, geom, 0.05, None) < -0.005:
                thing = (m.geom(geom).name or m.body(int(m.geom_bodyid[geom])).name).rsplit("/", 1)[0]
                raise ActionError(f"the walk would begin inside {thing}; begin at a free place")
        set_collisions(sim, m.body(self.name).id, OTHERS, OTHERS)

    def step(self, sim: Simulation, elapsed_s: float) -> bool:
        m, d = sim.model, sim.data
        body, dof = m.body(self.name).id, int(m.joint(f"{self.name}/x").dofadr[0])
        here, velocity = d.xpos[body][:2].copy(), d.qvel[dof : dof + 2]
        goal = np.array(self.action.waypoints[self._goal])
        left = float(np.linalg.norm(goal - here))
        if left < self._best_m - 0.01:
            self._best_m, self._since_s = left, elapsed_s
        stuck = elapsed_s - self._since_s > PATIENCE_S or elapsed_s > MAX_ACTION_S - STALL_S
        last = self._goal == len(self.action.waypoints) - 1
        if left < (0.02 if last else 0.5 * self.action.radius_m) or stuck:
            if last or stuck:
                d.qfrc_applied[dof : dof + 2] = 0.0
                d.qvel[dof : dof + 2] = 0.0
                set_collisions(sim, body, 0, 0)
                return True
            self._goal, self._best_m, self._since_s = self._goal + 1, math.inf, elapsed_s
        # Slows down over the last stretch, so that it arrives rather than overshoots.
        pace = self.action.speed_m_s * min(1.0, (left + 0.02) / 0.25 if last else 1.0)
        force = MASS_KG / 0.08 * (pace * (goal - here) / max(left, 1e-9) - velocity)
        force *= min(1.0, self.action.strength_n / max(float(np.linalg.norm(force)), 1e-9))
        d.qfrc_applied[dof : dof + 2] = force
        return False
