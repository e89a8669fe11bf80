"""What carries an action out in the simulation: a pushing palm, a placing grip, a fingertip led along a path."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import mujoco
import numpy as np

from spatialwm.dynamics.actions import EndEffectorPath, GraspPlace, Push
from spatialwm.dynamics.mjcf import HAND, OTHERS
from spatialwm.dynamics.simulation import Simulation
from spatialwm.geometry.se3 import hamilton

GRAVITY = 9.81
STALL_S = 0.5
"""A blocked hand gives up this long after it should have arrived."""


@runtime_checkable
class Hand(Protocol):
    """An actor of one action. ``add`` runs before compilation, ``start`` once, ``step`` before every time step."""

    @property
    def bodies(self) -> tuple[str, ...]:
        """Names of the bodies that act."""
        ...

    def add(self, spec: mujoco.MjSpec) -> None: ...

    def start(self, sim: Simulation) -> None: ...

    def step(self, sim: Simulation, elapsed_s: float) -> bool:
        """Steer; True when the action is over and the hand has let go."""
        ...


@dataclass(slots=True, eq=False)
class PushHand:
    """A flat palm on a rail: it touches the object at its side and drives it with limited force.

    Where the side offers no hold low enough to slide rather than tip (the edge of a table), the hand leans on it: a torque
    on the object brings the line of force down to that height.
    """

    action: Push
    name: str
    _start_m: float = 0.0
    _lean_m: float = 0.0

    @property
    def bodies(self) -> tuple[str, ...]:
        return (self.name,)

    def add(self, spec: mujoco.MjSpec) -> None:
        yaw = math.atan2(self.action.by[1], self.action.by[0])
        palm = spec.worldbody.add_body(name=self.name, quat=[math.cos(yaw / 2), 0, 0, math.sin(yaw / 2)], gravcomp=1)
        palm.add_joint(name=self.name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[1, 0, 0])
        # Meets nothing until the action starts, and then only its target: a hand finds its way between other things.
        palm.add_geom(
            name=self.name, type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.01, 0.05, 0.02], mass=1.0, contype=0, conaffinity=0,
            friction=[0.6, 0.005, 0.0001], priority=-1, condim=4,
        )  # fmt: skip
        motor = spec.add_actuator(name=self.name, target=self.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        motor.set_to_velocity(kv=1.0)
        motor.forcelimited = True
        motor.forcerange = [-1.0, 1.0]

    def start(self, sim: Simulation) -> None:
        m, d = sim.model, sim.data
        self._place(sim)
        target = sim.body(self.action.object)
        # Enough to overcome friction of the object and of what it carries, as a person would; never enough to break a wall.
        load = GRAVITY * sum(float(m.body_mass[b]) for b in stack(sim, target))
        mu = float(m.geom_friction[sim.geoms(self.action.object)[0], 0])
        force = 20.0 + 1.6 * max(mu, 0.4) * load
        motor = m.actuator(self.name).id
        m.actuator_forcerange[motor] = (-force, force)
        gain = force / 0.05
        m.actuator_gainprm[motor, 0] = gain
        m.actuator_biasprm[motor, 2] = -gain
        set_collisions(sim, m.body(self.name).id, HAND, 0)
        set_collisions(sim, target, OTHERS, OTHERS | HAND)
        wake(sim, target)
        self._start_m = float(d.joint(self.name).qpos[0])

    def step(self, sim: Simulation, elapsed_s: float) -> bool:
        m, d = sim.model, sim.data
        length, speed = math.hypot(*self.action.by), self.action.speed_m_s
        done = float(d.joint(self.name).qpos[0]) - self._start_m
        target = sim.body(self.action.object)
        touching = bool((d.contact.geom == m.geom(self.name).id).any())
        push_n = max(float(d.actuator(self.name).force[0]), 0.0) if touching else 0.0
        dx, dy = self.action.by
        d.xfrc_applied[target, 3:] = np.array([dy, -dx, 0.0]) / length * (push_n * self._lean_m)
        if done < length and elapsed_s < length / speed + STALL_S:
            d.actuator(self.name).ctrl[0] = speed * min(elapsed_s / 0.1, 1.0)
            return False
        d.xfrc_applied[target] = 0.0
        d.actuator(self.name).ctrl[0] = 0.0
        d.joint(self.name).qvel[0] = 0.0
        set_collisions(sim, m.body(self.name).id, 0, 0)
        set_collisions(sim, target, OTHERS, OTHERS)
        return True

    def _place(self, sim: Simulation) -> None:
        """Lay the palm on the side: at the height of the centre of mass, or lower where the object would tip over."""
        m, d = sim.model, sim.data
        geoms = sim.geoms(self.action.object)
        heading = np.array([*self.action.by, 0.0]) / math.hypot(*self.action.by)
        across = np.array([-heading[1], heading[0], 0.0])
        pieces = [sim.corners(g) @ np.stack([heading, across, [0, 0, 1]], axis=1) for g in geoms]
        low, high = np.concatenate(pieces).min(0), np.concatenate(pieces).max(0)
        depth, width, height = high - low
        center = np.array([d.xipos[sim.body(self.action.object)] @ axis for axis in (heading, across, [0, 0, 1])])
        mu = max(float(m.geom_friction[geoms[0], 0]), 0.05)
        wanted = low[2] + max(min(center[2] - low[2], 0.8 * depth / 2 / mu), 0.15 * height)
        z, half_height = height_on(pieces, float(wanted), float(center[1]), float(low[0] + 0.35 * depth))
        self._lean_m = max(z - float(wanted), 0.0)
        body, palm = m.body(self.name).id, m.geom(self.name).id
        m.geom_size[palm] = (0.01, np.clip(0.3 * width, 0.01, 0.5), np.clip(half_height, 0.003, 0.1))
        m.geom_rbound[palm] = float(np.linalg.norm(m.geom_size[palm]))
        m.geom_aabb[palm, 3:] = m.geom_size[palm]
        at = heading * (low[0] - 0.012) + across * center[1] + np.array([0, 0, z])
        m.body_pos[body] = at + heading * self._gap(sim, body, palm, geoms, at, heading, float(depth))

    def _gap(
        self, sim: Simulation, body: int, palm: int, geoms: list[int], at: np.ndarray, heading: np.ndarray, depth: float
    ) -> float:
        """Distance along ``heading`` until the palm touches, by conservative advancement; 0 when it would pass by."""
        m, d = sim.model, sim.data
        travelled = 0.0
        d.joint(self.name).qpos[0] = 0.0
        while travelled < depth:
            m.body_pos[body] = at + heading * travelled
            mujoco.mj_kinematics(m, d)
            free = min(mujoco.mj_geomDistance(m, d, palm, g, 10.0, None) for g in geoms)
            if free < 5e-4:
                return travelled
            travelled += max(free, 5e-4)
        return 0.0


@dataclass(slots=True, eq=False)
class GraspHand:
    """A grip welded to the object: straight up, across, down, then open."""

    action: GraspPlace
    name: str
    target_body: str
    _corners: list[np.ndarray] = field(default_factory=list)

    @property
    def bodies(self) -> tuple[str, ...]:
        return (self.name,)

    def add(self, spec: mujoco.MjSpec) -> None:
        spec.worldbody.add_body(name=self.name, mocap=True)
        _add_weld(spec, self.name, self.name, self.target_body)

    def start(self, sim: Simulation) -> None:
        d = sim.data
        body = sim.body(self.action.object)
        at, quat = d.xpos[body].copy(), d.xquat[body].copy()
        goal = np.array(self.action.target)
        top = max(at[2], goal[2]) + self.action.lift_m
        self._corners = [at, np.array([*at[:2], top]), np.array([*goal[:2], top]), goal]
        mocap = int(sim.model.body_mocapid[sim.model.body(self.name).id])
        d.mocap_pos[mocap], d.mocap_quat[mocap] = at, quat
        _close_weld(sim, self.name, np.zeros(3), np.array([1.0, 0, 0, 0]))

    def step(self, sim: Simulation, elapsed_s: float) -> bool:
        d = sim.data
        body = sim.body(self.action.object)
        legs = [float(np.linalg.norm(b - a)) for a, b in zip(self._corners, self._corners[1:], strict=False)]
        left = elapsed_s * self.action.speed_m_s
        mocap = int(sim.model.body_mocapid[sim.model.body(self.name).id])
        for (a, b), length in zip(zip(self._corners, self._corners[1:], strict=False), legs, strict=True):
            if left < length:
                d.mocap_pos[mocap] = a + (b - a) * eased(left / length)
                _bear(sim, body)
                return False
            left -= length
        d.mocap_pos[mocap] = self._corners[-1]
        if left < 0.1 * self.action.speed_m_s:  # let it come to rest in the grip
            _bear(sim, body)
            return False
        d.xfrc_applied[body] = 0.0
        d.eq_active[sim.model.equality(self.name).id] = 0
        return True


@dataclass(slots=True, eq=False)
class PathHand:
    """A ball pulled along the waypoints by a force-limited spring; closed, it keeps hold of the object that it touches."""

    action: EndEffectorPath
    name: str
    movable: int
    _held: int | None = None

    FORCE_N = 150.0
    STIFFNESS = 4000.0

    @property
    def bodies(self) -> tuple[str, ...]:
        return (self.name,)

    def add(self, spec: mujoco.MjSpec) -> None:
        first = self.action.waypoints[0]
        tip = spec.worldbody.add_body(name=self.name, pos=list(first.position), quat=list(first.quat), gravcomp=1)
        tip.add_freejoint(name=self.name)
        tip.add_geom(
            name=self.name, type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[self.action.radius_m, 0, 0], mass=1.0, contype=0,
            conaffinity=0, friction=[1.0, 0.01, 0.0001], priority=-1, condim=4,
        )  # fmt: skip
        for i in range(self.movable):
            _add_weld(spec, f"{self.name}/{i}", self.name, f"object-{i}")

    def start(self, sim: Simulation) -> None:
        set_collisions(sim, sim.model.body(self.name).id, OTHERS, OTHERS)

    def step(self, sim: Simulation, elapsed_s: float) -> bool:
        points, dt = self.action.waypoints, self.action.dt_s
        at = elapsed_s / dt
        if at >= len(points) - 1 + 0.1 / dt:
            self._release(sim)
            body = sim.model.body(self.name).id
            sim.data.xfrc_applied[body] = 0.0
            set_collisions(sim, body, 0, 0)
            sim.data.joint(self.name).qvel[:] = 0.0
            return True
        i = min(int(at), len(points) - 1)
        j, u = min(i + 1, len(points) - 1), min(at - i, 1.0)
        goal = (1 - u) * np.array(points[i].position) + u * np.array(points[j].position)
        pace = (np.array(points[j].position) - np.array(points[i].position)) / dt
        self._pull(sim, goal, pace, np.array(points[i if u < 0.5 else j].quat))
        closed = bool(self.action.closed) and self.action.closed[i]
        if closed and self._held is None:
            self._grasp(sim)
        elif not closed:
            self._release(sim)
        if self._held is not None:
            _bear(sim, sim.scene_model.body_ids[self._held])
        return False

    def _pull(self, sim: Simulation, goal: np.ndarray, pace: np.ndarray, quat: np.ndarray) -> None:
        m, d = sim.model, sim.data
        body = m.body(self.name).id
        mass = 1.0 + (float(m.body_mass[sim.scene_model.body_ids[self._held]]) if self._held is not None else 0.0)
        velocity = d.joint(self.name).qvel
        damping = 1.6 * math.sqrt(self.STIFFNESS * mass)
        force = self.STIFFNESS * (goal - d.xpos[body]) + damping * (pace - velocity[:3])
        limit = self.FORCE_N + 2 * GRAVITY * mass
        force *= min(1.0, limit / max(float(np.linalg.norm(force)), 1e-9))
        w, x, y, z = d.xquat[body]
        turn = np.array(hamilton(tuple(quat), (w, -x, -y, -z)))
        inertia = float(m.body_inertia[body].mean()) + 1e-4
        if self._held is not None:
            inertia += float(m.body_inertia[sim.scene_model.body_ids[self._held]].mean())
        spin = d.xmat[body].reshape(3, 3) @ velocity[3:]
        torque = inertia * (400 * 2 * turn[1:] * math.copysign(1.0, turn[0]) - 40 * spin)
        d.xfrc_applied[body, :3], d.xfrc_applied[body, 3:] = force, torque

    def _grasp(self, sim: Simulation) -> None:
        m, d = sim.model, sim.data
        tip, body = m.geom(self.name).id, m.body(self.name).id
        for contact in d.contact:
            if tip not in contact.geom:
                continue
            other = int(m.geom_bodyid[contact.geom[0] if contact.geom[1] == tip else contact.geom[1]])
            if other in sim.scene_model.body_ids:
                self._held = sim.scene_model.body_ids.index(other)
                inverse, relative_quat, relative_pos = np.zeros(4), np.zeros(4), np.zeros(3)
                mujoco.mju_negQuat(inverse, d.xquat[body])
                mujoco.mju_mulQuat(relative_quat, inverse, d.xquat[other])
                mujoco.mju_rotVecQuat(relative_pos, d.xpos[other] - d.xpos[body], inverse)
                _close_weld(sim, f"{self.name}/{self._held}", relative_pos, relative_quat)
                return

    def _release(self, sim: Simulation) -> None:
        if self._held is not None:
            sim.data.eq_active[sim.model.equality(f"{self.name}/{self._held}").id] = 0
            sim.data.xfrc_applied[sim.scene_model.body_ids[self._held]] = 0.0
            self._held = None


def _add_weld(spec: mujoco.MjSpec, name: str, hand: str, body: str) -> None:
    spec.add_equality(
        name=name, type=mujoco.mjtEq.mjEQ_WELD, objtype=mujoco.mjtObj.mjOBJ_BODY, name1=hand, name2=body, active=False,
        solref=[0.01, 1.0], solimp=[0.95, 0.99, 0.001, 0.5, 2.0],
    )  # fmt: skip


def _close_weld(sim: Simulation, name: str, position: np.ndarray, quat: np.ndarray) -> None:
    """Hold body 2 at this pose relative to body 1."""
    weld = sim.model.equality(name).id
    sim.model.eq_data[weld, :11] = [0, 0, 0, *position, *quat, 1.0]
    sim.data.eq_active[weld] = 1
    _bear(sim, int(sim.model.eq_obj2id[weld]))


def _bear(sim: Simulation, body: int) -> None:
    """The hand carries the weight; the force also wakes a sleeping body."""
    sim.data.xfrc_applied[body, 2] = GRAVITY * float(sim.model.body_mass[body])


def set_collisions(sim: Simulation, body: int, contype: int, conaffinity: int) -> None:
    """What all geoms of a body collide with; MuJoCo keeps the union at the body too and filters by it first."""
    m = sim.model
    first, count = int(m.body_geomadr[body]), int(m.body_geomnum[body])
    m.geom_contype[first : first + count], m.geom_conaffinity[first : first + count] = contype, conaffinity
    m.body_contype[body], m.body_conaffinity[body] = contype, conaffinity


def wake(sim: Simulation, body: int) -> None:
    """Rouse a sleeping body by a speed too small to matter."""
    dof = int(sim.model.body_dofadr[body]) + min(2, int(sim.model.body_dofnum[body]) - 1)
    sim.data.qvel[dof] -= 1e-9


def height_on(pieces: list[np.ndarray], wanted: float, center: float, reach: float) -> tuple[float, float]:
    """Height and half height of a palm that meets a piece of the near side, as close to the wanted height as there is one.

    Args:
        pieces: corners as (along the push, across it, up).
        center: where the palm is across the push; pieces that span it balance the push.
        reach: pieces that begin further along the push belong to the far side, behind legs or arms.
    """
    near = [p for p in pieces if p[:, 0].min() < reach]
    central = [p for p in near if p[:, 1].min() <= center <= p[:, 1].max()] or near

    def height(piece: np.ndarray) -> float:
        bottom, top = float(piece[:, 2].min()), float(piece[:, 2].max())
        return float(np.clip(wanted, bottom + 0.3 * (top - bottom), top - 0.3 * (top - bottom)))

    best = min(central, key=lambda p: abs(height(p) - wanted))
    return height(best), 0.25 * float(np.ptp(best[:, 2]))


def stack(sim: Simulation, target: int) -> list[int]:
    """Bodies that ride on the target: their middle lies above it within its footprint."""
    m, d = sim.model, sim.data
    first, count = int(m.body_geomadr[target]), int(m.body_geomnum[target])
    corners = np.concatenate([sim.corners(g) for g in range(first, first + count)])
    low, high = corners.min(0), corners.max(0)
    low[2], high[2] = high[2] - 0.05, np.inf
    riders = [b for b in sim.scene_model.body_ids if b != target and ((d.xipos[b] > low) & (d.xipos[b] < high)).all()]
    return [target, *riders]


def eased(u: float) -> float:
    """0..1 to 0..1, starting and ending at rest."""
    return u * u * (3 - 2 * u)
