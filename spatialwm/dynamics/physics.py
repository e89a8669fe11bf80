"""Nominal physics: what MuJoCo says will happen, and how sure it is about it."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass

import mujoco
import numpy as np

from spatialwm.dynamics.actions import Action
from spatialwm.dynamics.actors import check_action, hand_for, target_of
from spatialwm.dynamics.hands import Hand
from spatialwm.dynamics.mjcf import SceneModel, build, immovable_because, let_the_slippery_decide
from spatialwm.dynamics.model import Rollout
from spatialwm.dynamics.simulation import Correct, Simulation
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose
from spatialwm.progress import Progress, silent
from spatialwm.scene import Scene

MAX_STEP_S = 0.0025
SETTLE_S = 0.3
SETTLED_M, SETTLED_RAD = 0.05, math.radians(5)
"""A thing that comes to rest within these was at rest; beyond them it was in mid-air or off balance, and falls in the rollout."""
PAUSE_S, REST_S, REST_CAP_S = 0.4, 0.1, 2.0
"""Longest wait between actions; how long everything must lie still to count as at rest; longest wait at the end."""
STILL_M = 1e-4
"""Smaller motions are solver noise; such objects keep their pose bit for bit."""
MAX_ROLLOUT_S = 60.0
_DIVERGED = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)


@dataclass(frozen=True, slots=True)
class Physics:
    """The world model that assumes rigid bodies, stated masses and Coulomb friction.

    Uncertainty is the standard deviation of position over a small ensemble in which the masses and frictions of all
    objects are off by a factor, alternately high and low: what is not known of an object, as far as this model can tell.
    """

    spread: float = 0.3
    """Relative error of mass and friction assumed by the ensemble; 0 runs the nominal future alone."""
    name: str = "physics"
    correct: Correct | None = None
    """Called with every member's :class:`Simulation` at its present and every ``control_s`` of its time; None: plain physics."""
    control_s: float = 0.1
    """Rounded to whole time steps of the simulation."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.control_s) and self.control_s > 0):
            raise ActionError(f"control_s must be a positive number of seconds; got {self.control_s}")

    def rollout(
        self, scene: Scene, actions: Sequence[Action], dt_s: float = 1 / 30, progress: Progress = silent
    ) -> Rollout:
        """Simulate the actions one after the other and until everything rests.

        Every object but a static one moves as one rigid body, an articulated one on its joint; the motors of robots hold
        their positions. Hanging objects stay up unless an action takes them.

        Raises:
            ActionError: an action names no movable object, or the simulation diverged.
        """
        if not (math.isfinite(dt_s) and 0 < dt_s <= 1):
            raise ActionError(f"dt_s must lie between 0 and 1 second; got {dt_s}")
        released = tuple(t for a in actions if (t := target_of(a)) is not None)
        for action in actions:
            check_action(scene, action)
        progress("building the physics model", 0.0)
        movable = tuple(o.id for o in scene.objects if immovable_because(o, frozenset(released)) is None)
        hands = [hand_for(a, i, scene, movable) for i, a in enumerate(actions)]
        substeps = math.ceil(dt_s / MAX_STEP_S - 1e-9)

        def add_hands(spec: mujoco.MjSpec) -> None:
            for hand in hands:
                hand.add(spec)

        scene_model = build(scene, dt_s / substeps, add_hands, released)
        mujoco.set_mju_user_warning(_unheard)
        progress("settling", 0.1)
        start = _settle(scene_model)
        factors = [(1.0, 1.0)]
        if self.spread:
            more, less = 1 + self.spread, 1 / (1 + self.spread)
            factors += [(more, more), (more, less), (less, more), (less, less)]
        progress("simulating", 0.2)
        # MuJoCo releases the interpreter while it steps; each member owns its model, so the order of threads changes nothing.
        with ThreadPoolExecutor(max_workers=2) as pool:
            jobs = [
                pool.submit(_simulate, scene_model, [copy(h) for h in hands], start, substeps, f, i, self.correct, self.control_s)
                for i, f in enumerate(factors)
            ]
            futures = [_tick(job.result(), progress, 0.2 + 0.75 * (i + 1) / len(jobs)) for i, job in enumerate(jobs)]
        poses = _scene_poses(scene, scene_model, futures[0])
        progress("done", 1.0)
        return Rollout(movable, poses, _spread(scene_model, futures), dt_s, f"physics/mujoco-{mujoco.__version__}")


def _unheard(message: str) -> None:
    """MuJoCo would append its warnings to a file in the working directory; divergence is reported as an ActionError."""


@dataclass(frozen=True, slots=True, eq=False)
class _Future:
    """What one member of the ensemble came to; the first instant is the settled present."""

    poses: np.ndarray
    """``(t, f, 7)`` bodies of the free objects."""
    joints: np.ndarray
    """``(t, j)`` coordinates of the joints."""
    centers: np.ndarray
    """``(t, j, 3)`` centres of mass of the articulated objects: their origins may lie on their axes."""


def _tick(future: _Future, progress: Progress, fraction: float) -> _Future:
    progress("simulating", fraction)
    return future


def _settle(scene_model: SceneModel) -> np.ndarray:
    """Let contacts and motors take up their load, then make that the model's initial state, asleep.

    What was not at rest starts where the scene has it, awake.

    Returns:
        Coordinates of the joints to start from.
    """
    m = scene_model.model
    d = mujoco.MjData(m)
    sleeping = int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    m.opt.enableflags &= ~sleeping
    for _ in range(math.ceil(SETTLE_S / m.opt.timestep)):
        mujoco.mj_step(m, d)
    m.opt.enableflags |= sleeping
    for i in scene_model.free:
        address, body = scene_model.qpos_addresses[i], scene_model.body_ids[i]
        before, after = m.qpos0[address : address + 7], d.qpos[address : address + 7]
        turned = 2 * math.acos(min(1.0, abs(float(before[3:] @ after[3:]))))
        stays = float(np.linalg.norm(after[:3] - before[:3])) < SETTLED_M and turned < SETTLED_RAD  # False for NaN too
        if stays:
            m.qpos0[address : address + 7] = after
        else:
            _rouse(m, body)
    start = np.zeros(len(scene_model.jointed))
    for j, i in enumerate(scene_model.jointed):
        settled, row = float(d.qpos[scene_model.qpos_addresses[i]]), scene_model.joints[i]
        slides = row is not None and row.joint.kind == "slide"
        if abs(settled) < (SETTLED_M if slides else SETTLED_RAD):  # False for NaN too
            start[j] = settled
        else:
            _rouse(m, scene_model.body_ids[i])
    return start


def _rouse(m: mujoco.MjModel, body: int) -> None:
    """Let the tree of a body start awake; one with motors never sleeps anyway."""
    tree = m.body_treeid[body]
    if m.tree_sleep_policy[tree] == int(mujoco.mjtSleepPolicy.mjSLEEP_INIT):
        m.tree_sleep_policy[tree] = int(mujoco.mjtSleepPolicy.mjSLEEP_ALLOWED)


def _simulate(
    scene_model: SceneModel,
    hands: list[Hand],
    start: np.ndarray,
    substeps: int,
    factors: tuple[float, float],
    member: int = 0,
    correct: Correct | None = None,
    control_s: float = 0.1,
) -> _Future:
    """One future, beginning from joint coordinates ``start``.

    Args:
        correct: called every ``control_s`` of simulated time, the present included, when the hand at work is in its place.
    """
    m = copy(scene_model.model)
    for i, body in enumerate(scene_model.body_ids):
        if (row := scene_model.joints[i]) is not None and row.motor is not None:
            continue  # the maker of a robot knows what its links weigh
        mass, friction = factors if i % 2 == 0 else (1 / factors[0], 1 / factors[1])
        m.body_mass[body] *= mass
        m.body_inertia[body] *= mass
        first, count = int(m.body_geomadr[body]), int(m.body_geomnum[body])
        m.geom_friction[first : first + count, 0] *= friction
    let_the_slippery_decide(m)
    mujoco.mj_setConst(m, mujoco.MjData(m))
    d = mujoco.MjData(m)
    sim = Simulation(scene_model, m, d, member)
    free, jointed = scene_model.free, scene_model.jointed
    addresses = np.array([range(a, a + 7) for a in (scene_model.qpos_addresses[i] for i in free)], int).reshape(-1, 7)
    dofs = np.array([range(a, a + 6) for a in (scene_model.dof_addresses[i] for i in free)], int).reshape(-1, 6)
    joint_addresses = [scene_model.qpos_addresses[i] for i in jointed]
    joint_dofs = [scene_model.dof_addresses[i] for i in jointed]
    joint_bodies = [scene_model.body_ids[i] for i in jointed]
    d.qpos[joint_addresses] = start
    mujoco.mj_forward(m, d)
    frames = [d.qpos[addresses].copy()]
    joints, centers = [d.qpos[joint_addresses].copy()], [d.xipos[joint_bodies].copy()]
    steps, control = 0, max(round(control_s / m.opt.timestep), 1)

    def run(hand: Hand | None, longest_s: float) -> None:
        nonlocal steps
        began, still = steps, 0
        while (steps - began) * m.opt.timestep < longest_s:
            if hand is not None:
                if hand.step(sim, (steps - began) * m.opt.timestep):
                    return
            else:
                still = still + 1 if _at_rest(d.qvel[dofs], d.qvel[joint_dofs]) else 0
                if still * m.opt.timestep >= REST_S:
                    return
            if correct is not None and steps % control == 0:
                correct(sim)
            mujoco.mj_step(m, d)
            steps += 1
            if steps % substeps == 0:
                frames.append(d.qpos[addresses].copy())
                joints.append(d.qpos[joint_addresses].copy())
                centers.append(d.xipos[joint_bodies].copy())

    for i, hand in enumerate(hands):
        hand.start(sim)
        sim.actor = tuple(int(m.body(name).id) for name in hand.bodies)
        run(hand, MAX_ROLLOUT_S)
        sim.actor = ()
        run(None, REST_CAP_S if i == len(hands) - 1 else PAUSE_S)
    if not hands:
        run(None, REST_CAP_S)
    diverged = any(d.warning[w].number for w in _DIVERGED)
    if diverged or not (np.isfinite(frames).all() and np.isfinite(joints).all()):
        raise ActionError("the prediction diverged; try a slower or shorter action, or check the masses of small objects")
    return _Future(np.array(frames).reshape(len(frames), len(free), 7), np.array(joints), np.array(centers))


def _at_rest(velocities: np.ndarray, rates: np.ndarray) -> bool:
    free = (np.abs(velocities[:, :3]) < 5e-3).all() and (np.abs(velocities[:, 3:]) < 0.05).all()
    return bool(free and (np.abs(rates) < 0.01).all())


def _spread(scene_model: SceneModel, futures: list[_Future]) -> np.ndarray:
    """Standard deviation of position over the ensemble at the instants of its first member, metres."""
    t = len(futures[0].poses)
    places: list[np.ndarray] = []
    for future in futures:
        out = np.empty((len(future.poses), len(scene_model.object_ids), 3))
        out[:, scene_model.free], out[:, scene_model.jointed] = future.poses[..., :3], future.centers
        places.append(out[np.minimum(np.arange(t), len(out) - 1)])
    held = np.stack(places)
    return np.sqrt((held - held[:1]).var(axis=0).sum(-1))  # relative to the first, so that agreement is exactly zero


def _scene_poses(scene: Scene, scene_model: SceneModel, future: _Future) -> np.ndarray:
    """World poses of the objects: the motion of each body since its settled present, applied to its pose in the scene."""
    ids = scene_model.object_ids
    poses = np.empty((len(future.poses), len(ids), 7))
    for column, k in enumerate(scene_model.free):
        poses[:, k] = _free_poses(scene, ids[k], future.poses[:, column])
    waiting = {k: column for column, k in enumerate(scene_model.jointed)}
    while waiting:
        for k, column in list(waiting.items()):
            row = scene_model.joints[k]
            assert row is not None
            carrier = ids.index(row.joint.parent) if row.joint.parent in ids else None
            if carrier not in waiting:
                moved_by = (future.joints[:, column] - future.joints[0, column]) / row.unit
                poses[:, k] = _jointed_poses(scene, ids[k], moved_by, None if carrier is None else poses[:, carrier])
                del waiting[k]
    return poses


def _jointed_poses(scene: Scene, object_id: str, moved_by: np.ndarray, carrier: np.ndarray | None) -> np.ndarray:
    """Forward kinematics from where the scene has it, so that a part stays on its joint to the last bit of rounding.

    Args:
        moved_by: how far the joint has moved since the present, in its own units.
        carrier: poses of what carries it, where that can move.
    """
    body = scene[object_id]
    joint, now = body.joint, body.world_from_object
    assert joint is not None
    start = np.array([*now.position, *now.quat])
    low, high = body.bounds()
    reach = float(np.linalg.norm(high - low)) if joint.kind == "hinge" else now.scale
    poses = np.empty((len(moved_by), 7))
    parent = Pose() if carrier is None or joint.parent is None else scene[joint.parent].world_from_object
    parent_from_object = parent.inverse() @ now
    previous = start
    for t, position in enumerate(moved_by):
        stands = carrier is None or np.array_equal(carrier[t], carrier[0])
        if stands and abs(position) * reach < STILL_M:
            poses[t] = start
            continue
        world_from_parent = parent if carrier is None else Pose.from_list([*carrier[t], parent.scale])
        pose = world_from_parent @ parent_from_object @ joint.motion(float(position))
        out = np.array([*pose.position, *pose.quat])
        if out[3:] @ previous[3:] < 0:
            out[3:] *= -1
        poses[t] = previous = out
    return poses


def _free_poses(scene: Scene, object_id: str, frames: np.ndarray) -> np.ndarray:
    """Poses of an object whose body went through ``frames (t, 7)``."""
    poses = np.empty_like(frames)
    body = scene[object_id]
    start = np.array([*body.world_from_object.position, *body.world_from_object.quat])
    low, high = body.bounds()
    reach = float(np.linalg.norm(high - low))
    inverse, rest_quat, rest_pos = np.zeros(4), np.zeros(4), np.zeros(3)
    mujoco.mju_negQuat(inverse, frames[0, 3:])
    mujoco.mju_mulQuat(rest_quat, inverse, start[3:])
    mujoco.mju_rotVecQuat(rest_pos, start[:3] - frames[0, :3], inverse)
    previous = start
    for t, frame in enumerate(frames):
        turned = 2 * math.acos(min(1.0, abs(float(frame[3:] @ frames[0, 3:]))))
        if float(np.linalg.norm(frame[:3] - frames[0, :3])) + turned * reach < STILL_M:
            poses[t] = start
            continue
        out = np.empty(7)
        mujoco.mju_rotVecQuat(out[:3], rest_pos, frame[3:])
        out[:3] += frame[:3]
        mujoco.mju_mulQuat(out[3:], frame[3:], rest_quat)
        out[3:] /= np.linalg.norm(out[3:])
        if out[3:] @ previous[3:] < 0:
            out[3:] *= -1
        poses[t] = previous = out
    return poses
