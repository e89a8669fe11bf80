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
from spatialwm.dynamics.hands import Hand, hand_for, target_of
from spatialwm.dynamics.mjcf import SceneModel, build, immovable_because, let_the_slippery_decide
from spatialwm.dynamics.model import Rollout
from spatialwm.dynamics.simulation import Correct, Simulation
from spatialwm.errors import ActionError
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

        Every object but a static one moves as one rigid body. Hanging objects stay up unless an action takes them.

        Raises:
            ActionError: an action names no movable object, or the simulation diverged.
        """
        if not (math.isfinite(dt_s) and 0 < dt_s <= 1):
            raise ActionError(f"dt_s must lie between 0 and 1 second; got {dt_s}")
        released = tuple(t for a in actions if (t := target_of(a)) is not None)
        for target in released:
            _check_target(scene, target)
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
        awake = _settle(scene_model)
        factors = [(1.0, 1.0)]
        if self.spread:
            more, less = 1 + self.spread, 1 / (1 + self.spread)
            factors += [(more, more), (more, less), (less, more), (less, less)]
        progress("simulating", 0.2)
        # MuJoCo releases the interpreter while it steps; each member owns its model, so the order of threads changes nothing.
        with ThreadPoolExecutor(max_workers=2) as pool:
            jobs = [
                pool.submit(_simulate, scene_model, [copy(h) for h in hands], awake, substeps, f, i, self.correct, self.control_s)
                for i, f in enumerate(factors)
            ]
            futures = [_tick(job.result(), progress, 0.2 + 0.75 * (i + 1) / len(jobs)) for i, job in enumerate(jobs)]
        poses = _scene_poses(scene, movable, futures[0], awake)
        progress("done", 1.0)
        return Rollout(movable, poses, _spread(futures), dt_s, f"physics/mujoco-{mujoco.__version__}")


def _unheard(message: str) -> None:
    """MuJoCo would append its warnings to a file in the working directory; divergence is reported as an ActionError."""


def _tick(frames: np.ndarray, progress: Progress, fraction: float) -> np.ndarray:
    progress("simulating", fraction)
    return frames


def _check_target(scene: Scene, target: str) -> None:
    if target not in scene:
        things = [o.id for o in scene.objects if immovable_because(o) is None]
        raise ActionError(f"no object {target!r} to act on; movable objects are: {', '.join(things) or 'none'}")
    reason = immovable_because(scene[target], frozenset([target]))
    if reason:
        raise ActionError(f"cannot move {target!r}: {reason}")


def _settle(scene_model: SceneModel) -> tuple[bool, ...]:
    """Let contacts take up their load, then make that the model's initial state, asleep.

    Returns:
        Per movable object: True when it was not at rest, so that it starts where the scene has it, awake.
    """
    m = scene_model.model
    d = mujoco.MjData(m)
    sleeping = int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    m.opt.enableflags &= ~sleeping
    for _ in range(math.ceil(SETTLE_S / m.opt.timestep)):
        mujoco.mj_step(m, d)
    m.opt.enableflags |= sleeping
    awake: list[bool] = []
    for address, body in zip(scene_model.qpos_addresses, scene_model.body_ids, strict=True):
        before, after = m.qpos0[address : address + 7], d.qpos[address : address + 7]
        turned = 2 * math.acos(min(1.0, abs(float(before[3:] @ after[3:]))))
        stays = float(np.linalg.norm(after[:3] - before[:3])) < SETTLED_M and turned < SETTLED_RAD  # False for NaN too
        awake.append(not stays)
        if stays:
            m.qpos0[address : address + 7] = after
        else:
            m.tree_sleep_policy[m.body_treeid[body]] = int(mujoco.mjtSleepPolicy.mjSLEEP_ALLOWED)
    return tuple(awake)


def _simulate(
    scene_model: SceneModel,
    hands: list[Hand],
    awake: tuple[bool, ...],
    substeps: int,
    factors: tuple[float, float],
    member: int = 0,
    correct: Correct | None = None,
    control_s: float = 0.1,
) -> np.ndarray:
    """``(t, k, 7)`` body poses; the first is the settled present.

    Args:
        correct: called every ``control_s`` of simulated time, the present included, when the hand at work is in its place.
    """
    m = copy(scene_model.model)
    for i, body in enumerate(scene_model.body_ids):
        mass, friction = factors if i % 2 == 0 else (1 / factors[0], 1 / factors[1])
        m.body_mass[body] *= mass
        m.body_inertia[body] *= mass
        first, count = int(m.body_geomadr[body]), int(m.body_geomnum[body])
        m.geom_friction[first : first + count, 0] *= friction
    let_the_slippery_decide(m)
    mujoco.mj_setConst(m, mujoco.MjData(m))
    d = mujoco.MjData(m)
    sim = Simulation(scene_model, m, d, member)
    addresses = np.array([range(a, a + 7) for a in scene_model.qpos_addresses], int).reshape(-1, 7)
    dofs = np.array([range(a, a + 6) for a in scene_model.dof_addresses], int).reshape(-1, 6)
    frames = [d.qpos[addresses].copy()]
    steps, control = 0, max(round(control_s / m.opt.timestep), 1)

    def run(hand: Hand | None, longest_s: float) -> None:
        nonlocal steps
        began, still = steps, 0
        while (steps - began) * m.opt.timestep < longest_s:
            if hand is not None:
                if hand.step(sim, (steps - began) * m.opt.timestep):
                    return
            else:
                still = still + 1 if _at_rest(d.qvel[dofs]) else 0
                if still * m.opt.timestep >= REST_S:
                    return
            if correct is not None and steps % control == 0:
                correct(sim)
            mujoco.mj_step(m, d)
            steps += 1
            if steps % substeps == 0:
                frames.append(d.qpos[addresses].copy())

    mujoco.mj_forward(m, d)
    for i, hand in enumerate(hands):
        hand.start(sim)
        sim.actor = tuple(int(m.body(name).id) for name in hand.bodies)
        run(hand, MAX_ROLLOUT_S)
        sim.actor = ()
        run(None, REST_CAP_S if i == len(hands) - 1 else PAUSE_S)
    if not hands:
        run(None, REST_CAP_S)
    if any(d.warning[w].number for w in _DIVERGED) or not np.isfinite(frames).all():
        raise ActionError("the prediction diverged; try a slower or shorter action, or check the masses of small objects")
    return np.array(frames).reshape(len(frames), len(awake), 7)


def _at_rest(velocities: np.ndarray) -> bool:
    return bool((np.abs(velocities[:, :3]) < 5e-3).all() and (np.abs(velocities[:, 3:]) < 0.05).all())


def _spread(futures: list[np.ndarray]) -> np.ndarray:
    """Standard deviation of position over the ensemble at the instants of its first member, metres."""
    t = len(futures[0])
    held = np.stack([f[np.minimum(np.arange(t), len(f) - 1), :, :3] for f in futures])
    return np.sqrt((held - held[:1]).var(axis=0).sum(-1))  # relative to the first, so that agreement is exactly zero


def _scene_poses(scene: Scene, movable: tuple[str, ...], frames: np.ndarray, awake: tuple[bool, ...]) -> np.ndarray:
    """World poses of the objects: the motion of each body since its settled present, applied to its pose in the scene."""
    poses = np.empty_like(frames)
    for k, object_id in enumerate(movable):
        body = scene[object_id]
        start = np.array([*body.world_from_object.position, *body.world_from_object.quat])
        low, high = body.bounds()
        reach = float(np.linalg.norm(high - low))
        inverse, rest_quat, rest_pos = np.zeros(4), np.zeros(4), np.zeros(3)
        mujoco.mju_negQuat(inverse, frames[0, k, 3:])
        mujoco.mju_mulQuat(rest_quat, inverse, start[3:])
        mujoco.mju_rotVecQuat(rest_pos, start[:3] - frames[0, k, :3], inverse)
        previous = start
        for t, frame in enumerate(frames[:, k]):
            turned = 2 * math.acos(min(1.0, abs(float(frame[3:] @ frames[0, k, 3:]))))
            if float(np.linalg.norm(frame[:3] - frames[0, k, :3])) + turned * reach < STILL_M:
                poses[t, k] = start
                continue
            out = np.empty(7)
            mujoco.mju_rotVecQuat(out[:3], rest_pos, frame[3:])
            out[:3] += frame[:3]
            mujoco.mju_mulQuat(out[3:], frame[3:], rest_quat)
            out[3:] /= np.linalg.norm(out[3:])
            if out[3:] @ previous[3:] < 0:
                out[3:] *= -1
            poses[t, k] = previous = out
    return poses
