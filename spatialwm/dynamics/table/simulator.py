"""A table being simulated: MuJoCo, ten commands a second."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math

import mujoco
import numpy as np
import torch
from jaxtyping import Float

from spatialwm.dynamics.table.shapes import Part
from spatialwm.dynamics.table.table import Table, Thing, unseen
from spatialwm.geometry.se3 import quat_to_matrix

DT_S = 0.1
"""Between two commands."""
CHUNKS, SUBSTEPS = 4, 5
"""Commands are approached in quarters of a step, each of which is simulated in fifths."""
STEP_S = DT_S / (CHUNKS * SUBSTEPS)
_MEMORY = 5
"""Commands that a late rod may still have to do."""


class TableSimulator:
    """One table in motion. ``objects`` are its K things, in their order; the actor has one part, the rod."""

    def __init__(self, table: Table, model: mujoco.MjModel | None = None) -> None:
        """Args:
        model: of an equal table, which this simulator then owns; spares the 3 ms of compiling.
        """
        self.table = table
        self.model = _compile(table) if model is None else model
        self.data = mujoco.MjData(self.model)
        m = self.model
        bodies = [m.body(t.id).id for t in table.things]
        joints = [m.joint(int(m.body_jntadr[b])) for b in bodies]
        self._free = np.array([t.joint == "free" for t in table.things], bool)
        self._qpos = [int(j.qposadr[0]) for j in joints]
        self._dof = [int(j.dofadr[0]) for j in joints]
        self._bodies = np.array(bodies, int)
        self._rod_qpos = int(m.joint("rod-x").qposadr[0])
        self._rod_dof = int(m.joint("rod-x").dofadr[0])
        self._height = float(m.body("rod").pos[2])
        self._even = (m.body_mass.copy(), m.body_inertia.copy(), m.body_ipos.copy())
        self.fill(*unseen(table))
        self._queue: list[np.ndarray] = []
        self._last = np.zeros(2)
        self.drive(table.pusher.stiffness, table.pusher.damping, table.pusher.late)
        self.reset()

    def fill(
        self,
        masses_kg: Float[np.ndarray, " k"],
        frictions: Float[np.ndarray, " k"],
        centers_m: Float[np.ndarray, "k 3"],
        dampings: Float[np.ndarray, " k"],
    ) -> None:
        """Set what cannot be seen of the things."""
        m = self.model
        mass, inertia, center = self._even
        for i, body in enumerate(self._bodies):
            thing = self.table.things[i]
            m.body_mass[body] = masses_kg[i]
            m.body_inertia[body] = inertia[body] * (masses_kg[i] / mass[body])
            m.body_ipos[body] = center[body] + centers_m[i]
            m.body_sameframe[body] = int(mujoco.mjtSameFrame.mjSAMEFRAME_NONE)
            first, count = int(m.body_geomadr[body]), int(m.body_geomnum[body])
            m.geom_friction[first : first + count, 0] = frictions[i]
            if thing.joint == "free":
                m.dof_damping[self._dof[i] : self._dof[i] + 6] = [dampings[i]] * 3 + [1e-3 * dampings[i]] * 3
            else:
                m.dof_damping[self._dof[i]] = 2 + dampings[i]
                m.dof_frictionloss[self._dof[i]] = frictions[i] * masses_kg[i] * 9.81
        mujoco.mj_setConst(m, mujoco.MjData(m))

    def reset(self) -> None:
        """The start: things lie still where the table says, the rod waits."""
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[self._rod_qpos : self._rod_qpos + 2] = self.table.pusher.start
        self._asked(np.tile(self.table.pusher.start, (_MEMORY, 1)))
        mujoco.mj_forward(self.model, self.data)

    def drive(self, stiffness: float, damping: float, late: int) -> None:
        """Let the rod be driven by another spring and damper than the table's, with another delay; call before :meth:`place`."""
        self.model.actuator_gainprm[:2, 0] = stiffness
        self.model.actuator_biasprm[:2, 1] = -stiffness
        self.model.actuator_biasprm[:2, 2] = -damping
        self._spring, self._late = (stiffness, damping), late

    def _asked(self, commands: np.ndarray) -> None:
        """The latest of what the rod was told, some of which it has still to do."""
        self._last = commands[0]
        targets = [target for command in commands for target in self._chunks(command)]
        self._queue = targets[len(targets) - self._late :]
        self.data.ctrl[:2] = targets[len(targets) - self._late - 1]

    def place(
        self,
        poses: Float[np.ndarray, "k 7"],
        velocities: Float[np.ndarray, "k 6"],
        rod: Float[np.ndarray, " 2"],
        rod_velocity: Float[np.ndarray, " 2"],
        commands: Float[np.ndarray, "t 2"],
    ) -> None:
        """Go on from a state that was seen; ``commands`` are the latest before it, of which a late rod has some still to do."""
        d = self.data
        mujoco.mj_resetData(self.model, d)
        self.put(poses, velocities)
        d.qpos[self._rod_qpos : self._rod_qpos + 2] = rod
        d.qvel[self._rod_dof : self._rod_dof + 2] = rod_velocity
        lacking = max(_MEMORY - len(commands), 0)
        first = commands[:1] if len(commands) else np.asarray(rod)[None]
        self._asked(np.concatenate([np.repeat(first, lacking, 0), commands[-_MEMORY:]]).astype(float))
        mujoco.mj_forward(self.model, d)

    def put(self, poses: Float[np.ndarray, "k 7"], velocities: Float[np.ndarray, "k 6"]) -> None:
        """Set where things are and how they move; all else stays."""
        d = self.data
        turn = quat_to_matrix(torch.from_numpy(np.asarray(poses[:, 3:], float))).numpy()
        for i, (q, v) in enumerate(zip(self._qpos, self._dof, strict=True)):
            if self._free[i]:
                d.qpos[q : q + 7] = poses[i]
                d.qvel[v : v + 3] = velocities[i, :3]
                d.qvel[v + 3 : v + 6] = velocities[i, 3:] @ turn[i]
            else:
                thing = self.table.things[i]
                axis = np.array([math.cos(thing.yaw_rad), math.sin(thing.yaw_rad), 0.0])
                d.qpos[q] = (poses[i, :3] - np.array(thing.position)) @ axis
                d.qvel[v] = velocities[i, :3] @ axis

    def put_rod(self, at: Float[np.ndarray, " 2"]) -> None:
        """Set where the rod is; :meth:`lead` decides how it moves."""
        self.data.qpos[self._rod_qpos : self._rod_qpos + 2] = at

    def state(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``(k, 7)`` poses, ``(k, 6)`` velocities, and the ``(1, 7)`` pose of the rod."""
        d = self.data
        poses = np.concatenate([d.xpos[self._bodies], d.xquat[self._bodies]], 1)
        velocities = np.zeros((len(self._bodies), 6))
        for i, (q, v) in enumerate(zip(self._qpos, self._dof, strict=True)):
            if self._free[i]:
                poses[i] = d.qpos[q : q + 7]
                velocities[i, :3] = d.qvel[v : v + 3]
                velocities[i, 3:] = d.xmat[self._bodies[i]].reshape(3, 3) @ d.qvel[v + 3 : v + 6]
            else:
                velocities[i, :3] = d.qvel[v] * d.xmat[self._bodies[i]].reshape(3, 3)[:, 0]
        rod = np.array([[*d.qpos[self._rod_qpos : self._rod_qpos + 2], self._height, 1.0, 0.0, 0.0, 0.0]])
        return poses, velocities, rod

    def act(self, command: Float[np.ndarray, " 2"]) -> None:
        """Run one control step: the rod is asked to be at ``command`` (x, y) at its end."""
        for target in self._chunks(np.asarray(command, float)):
            self._queue.append(target)
            self.data.ctrl[:2] = self._queue.pop(0)
            mujoco.mj_step(self.model, self.data, SUBSTEPS)
        mujoco.mj_kinematics(self.model, self.data)

    def lead(self, path: Float[np.ndarray, "c 2"]) -> None:
        """Run one control step with the rod driven exactly through ``path``, in equal times; for a path that is already known."""
        m, d = self.model, self.data
        stiffness, damping = self._spring
        substeps = CHUNKS * SUBSTEPS // len(path)
        for target in path:
            at = d.qpos[self._rod_qpos : self._rod_qpos + 2]
            velocity = (target - at) / (substeps * STEP_S)
            d.qvel[self._rod_dof : self._rod_dof + 2] = velocity
            d.ctrl[:2] = target + velocity * damping / stiffness  # what a spring and damper lag behind at this speed
            mujoco.mj_step(m, d, substeps)
            d.qpos[self._rod_qpos : self._rod_qpos + 2] = target
        mujoco.mj_kinematics(m, d)

    def _chunks(self, command: np.ndarray) -> list[np.ndarray]:
        begun, self._last = self._last, command
        return [begun + (command - begun) * (i + 1) / CHUNKS for i in range(CHUNKS)]


def _compile(table: Table) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.option.timestep = STEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Friction is the thing's own, whatever it touches: the table and other things rank below it, the rod above.
    spec.worldbody.add_geom(
        name="table", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[2, 2, 0.1], friction=[1.0, 0.005, 0.0001], priority=-1
    )
    for thing in table.fixed:
        node = spec.worldbody.add_body(name=thing.id, pos=list(thing.position), quat=_quat(thing.yaw_rad))
        _add_parts(spec, node, thing)
    for thing in table.things:
        node = spec.worldbody.add_body(name=thing.id, pos=list(thing.position), quat=_quat(thing.yaw_rad))
        node.simple = 0  # its centre of mass may move
        if thing.joint == "free":
            node.add_freejoint(name=thing.id)
        else:
            kind, travel = mujoco.mjtJoint.mjJNT_SLIDE, [-0.08, thing.travel_m]
            node.add_joint(name=thing.id, type=kind, axis=[1, 0, 0], limited=True, range=travel)
        _add_parts(spec, node, thing)
    for thing in table.things:  # a drawer runs on its joint, not on the table or in its case
        if thing.joint == "slide":
            for other in table.fixed:
                spec.add_exclude(bodyname1=thing.id, bodyname2=other.id)
    pusher = table.pusher
    rod = spec.worldbody.add_body(name="rod", pos=[0, 0, 0.05])
    for name, axis in (("rod-x", [1, 0, 0]), ("rod-y", [0, 1, 0])):
        rod.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
        motor = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_position(kp=pusher.stiffness, kv=pusher.damping)
    rod.add_geom(
        name="rod", type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=[pusher.radius_m, 0.045, 0], mass=1.0,
        friction=[pusher.friction, 0.005, 0.0001], priority=2,
    )  # fmt: skip
    return spec.compile()


def _add_parts(spec: mujoco.MjSpec, node: mujoco.MjsBody, thing: Thing) -> None:
    whole = sum(p.volume for p in thing.parts)
    for i, part in enumerate(thing.parts):
        _add_part(spec, node, part, f"{thing.id}/{i}", thing.mass_kg * part.volume / whole, thing.friction)


def _add_part(spec: mujoco.MjSpec, node: mujoco.MjsBody, part: Part, name: str, mass_kg: float, friction: float) -> None:
    surface = {"name": name, "mass": mass_kg, "friction": [friction, 0.005, 0.0001], "priority": 1, "condim": 4}
    if part.kind == "hull":
        spec.add_mesh(name=name, uservert=np.array(part.vertices).reshape(-1).tolist(), maxhullvert=24)
        node.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, **surface)
        return
    kind = mujoco.mjtGeom.mjGEOM_BOX if part.kind == "box" else mujoco.mjtGeom.mjGEOM_CYLINDER
    size = [*part.size, 0.0][:3]
    node.add_geom(type=kind, size=size, pos=list(part.position), quat=_quat(part.yaw_rad), **surface)


def _quat(yaw_rad: float) -> list[float]:
    return [math.cos(yaw_rad / 2), 0.0, 0.0, math.sin(yaw_rad / 2)]
