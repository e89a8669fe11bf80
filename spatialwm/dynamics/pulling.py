"""Hands that hold on: one that draws an object along the floor, one that opens and shuts what is on a joint."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from spatialwm.dynamics.actions import OpenClose, Pull
from spatialwm.dynamics.hands import GRAVITY, STALL_S, eased, height_on, stack, wake
from spatialwm.dynamics.simulation import Simulation
from spatialwm.scene import SceneObject


@dataclass(slots=True, eq=False)
class PullHand:
    """A grip on a rail, tied to a point of the side that leads the way; the object may turn about it, and so trails behind."""

    action: Pull
    name: str
    target_body: str
    _start_m: float = 0.0

    @property
    def bodies(self) -> tuple[str, ...]:
        return (self.name,)

    def add(self, spec: mujoco.MjSpec) -> None:
        yaw = math.atan2(self.action.by[1], self.action.by[0])
        grip = spec.worldbody.add_body(name=self.name, quat=[math.cos(yaw / 2), 0, 0, math.sin(yaw / 2)], gravcomp=1)
        grip.add_joint(name=self.name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1, 0, 0])
        grip.add_geom(
            name=self.name, type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.02, 0, 0], mass=1.0, contype=0, conaffinity=0, priority=-1
        )
        motor = spec.add_actuator(name=self.name, target=self.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_velocity(kv=1.0)
        motor.forcelimited = True
        motor.forcerange = [-1.0, 1.0]
        spec.add_equality(
            name=self.name, type=mujoco.mjtEq.mjEQ_CONNECT, objtype=mujoco.mjtObj.mjOBJ_BODY, name1=self.name,
            name2=self.target_body, active=False, solref=[0.01, 1.0],
        )  # fmt: skip

    def start(self, sim: Simulation) -> None:
        m, d = sim.model, sim.data
        target, hand = sim.body(self.action.object), m.body(self.name).id
        at = self._hold(sim, target)
        m.body_pos[hand] = at
        d.joint(self.name).qpos[0] = self._start_m = 0.0
        mujoco.mj_kinematics(m, d)
        tie = m.equality(self.name).id
        m.eq_data[tie, :3] = 0.0
        m.eq_data[tie, 3:6] = d.xmat[target].reshape(3, 3).T @ (at - d.xpos[target])
        d.eq_active[tie] = 1
        load = GRAVITY * sum(float(m.body_mass[b]) for b in stack(sim, target))
        mu = float(m.geom_friction[sim.geoms(self.action.object)[0], 0])
        force = 20.0 + 1.6 * max(mu, 0.4) * load
        motor = m.actuator(self.name).id
        m.actuator_forcerange[motor] = (-force, force)
        m.actuator_gainprm[motor, 0] = force / 0.05
        m.actuator_biasprm[motor, 2] = -force / 0.05
        wake(sim, target)

    def step(self, sim: Simulation, elapsed_s: float) -> bool:
        d = sim.data
        length, speed = math.hypot(*self.action.by), self.action.speed_m_s
        done = float(d.joint(self.name).qpos[0]) - self._start_m
        if done < length and elapsed_s < length / speed + STALL_S:
            # Slows down over the last stretch: what is drawn would otherwise slide on, as nothing holds it back.
            pace = min(elapsed_s / 0.1, 1.0, (length - done) / (0.1 * speed) + 0.1)
            d.actuator(self.name).ctrl[0] = speed * pace
            return False
        d.actuator(self.name).ctrl[0] = 0.0
        d.joint(self.name).qvel[0] = 0.0
        d.eq_active[sim.model.equality(self.name).id] = 0
        return True

    def _hold(self, sim: Simulation, target: int) -> np.ndarray:
        """A point of the leading side, as high as the centre of mass, or lower where the object would tip over."""
        m, d = sim.model, sim.data
        heading = np.array([*self.action.by, 0.0]) / math.hypot(*self.action.by)
        across = np.array([-heading[1], heading[0], 0.0])
        geoms = sim.geoms(self.action.object)
        pieces = [sim.corners(g) @ np.stack([-heading, across, [0, 0, 1]], axis=1) for g in geoms]
        low, high = np.concatenate(pieces).min(0), np.concatenate(pieces).max(0)
        depth, _, height = high - low
        center = np.array([d.xipos[target] @ axis for axis in (heading, across, [0, 0, 1])])
        mu = max(float(m.geom_friction[geoms[0], 0]), 0.05)
        wanted = low[2] + max(min(center[2] - low[2], 0.8 * depth / 2 / mu), 0.15 * height)
        z, _ = height_on(pieces, float(wanted), float(center[1]), float(low[0] + 0.35 * depth))
        return -heading * low[0] + across * center[1] + np.array([0, 0, z])


@dataclass(slots=True, eq=False)
class OpenHand:
    """A hand on the far end of an articulated part: it leads the joint to where it is asked for, with limited force."""

    action: OpenClose
    body: SceneObject
    _from: float = 0.0
    _to: float = 0.0
    _seconds: float = 0.0
    _limit: float = 0.0

    @property
    def bodies(self) -> tuple[str, ...]:
        return ()

    def add(self, spec: mujoco.MjSpec) -> None:
        """It acts on the joint itself."""

    def start(self, sim: Simulation) -> None:
        k, m, d = sim.scene_model.index(self.action.object), sim.model, sim.data
        row = sim.scene_model.joints[k]
        assert row is not None
        joint = row.joint
        self._from = float(d.qpos[sim.scene_model.qpos_addresses[k]])
        self._to = row.of(joint.closed + self.action.to * (joint.open - joint.closed))
        arm = 1.0 if joint.kind == "slide" else self._arm()
        self._seconds = max(abs(self._to - self._from) * arm * 1.5 / self.action.speed_m_s, 0.1)  # its peak is 1.5 times its mean
        load = GRAVITY * sum(float(m.body_mass[b]) for b in stack(sim, sim.body(self.action.object)))
        self._limit = arm * (30.0 + joint.friction + 0.6 * load)
        wake(sim, sim.body(self.action.object))

    def step(self, sim: Simulation, elapsed_s: float) -> bool:
        k, m, d = sim.scene_model.index(self.action.object), sim.model, sim.data
        dof = sim.scene_model.dof_addresses[k]
        now, rate = float(d.qpos[sim.scene_model.qpos_addresses[k]]), float(d.qvel[dof])
        if elapsed_s > self._seconds + (0.2 if abs(now - self._to) < 0.01 else STALL_S):
            d.qfrc_applied[dof] = 0.0
            d.qvel[dof] = 0.0
            return True
        u = min(elapsed_s / self._seconds, 1.0)
        wanted = self._from + (self._to - self._from) * eased(u)
        pace = (self._to - self._from) * 6 * u * (1 - u) / self._seconds
        inertia = float(m.dof_M0[dof])
        force = inertia * (900 * (wanted - now) + 60 * (pace - rate)) + float(d.qfrc_bias[dof])
        force += float(m.dof_damping[dof]) * pace + float(m.dof_frictionloss[dof]) * np.sign(wanted - now)
        d.qfrc_applied[dof] = float(np.clip(force, -self._limit, self._limit))
        return False

    def _arm(self) -> float:
        """Metres from the hinge to the far end."""
        joint = self.body.joint
        assert joint is not None
        off = self.body.points() - np.array(joint.origin)
        axis = np.array(joint.axis)
        reach = float(np.linalg.norm(off - np.outer(off @ axis, axis), axis=1).max())
        return max(reach * self.body.world_from_object.scale, 0.01)
