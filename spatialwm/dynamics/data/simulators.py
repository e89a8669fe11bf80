"""Episodes of well-known simulators: Meta-World push, Fetch push and OGBench's cube, as Gaussian bodies and their motion.

Everything here is **privileged**: shapes, masses, frictions, poses and velocities are the simulator's own, and the scripted hands
that act look at them too. What is recorded of the actor is both what it was asked and where its parts really went.
"""

# Three simulators without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import mujoco
import numpy as np

from spatialwm.dynamics.data.mjcf_gaussians import Template, cast_of, template_of
from spatialwm.dynamics.episode import Episode, Track
from spatialwm.errors import DataError, MissingDependencyError

POINTS = 128
"""Per object and part of the actor."""
NOISE = (0.0, 0.1, 0.3, 0.6)
"""Scales of what is added to a scripted command; one is drawn per episode, so that hands also miss, bump and drop."""


@runtime_checkable
class Stage(Protocol):
    """One simulator, at the start of one episode."""

    model: mujoco.MjModel
    data: mujoco.MjData

    def command(self) -> np.ndarray:
        """What the scripted hand would do now, each value within -1 and 1."""
        ...

    def step(self, command: np.ndarray) -> tuple[float, bool]:
        """Do it; the reward, and whether the task is done."""
        ...

    def goal(self) -> tuple[float, ...]:
        """Where the object should be, metres."""
        ...


@dataclass(frozen=True, slots=True)
class Simulator:
    """How to stand a simulator up and what to look at."""

    open: Callable[[int], Stage]
    """A stage with the layout of a seed."""
    actor: str
    """Body at the root of all that acts."""
    dt_s: float
    steps: int


def make_episode(variant: str, seed: int) -> Episode:
    """One episode under a scripted hand with noise; hand it to :func:`~spatialwm.dynamics.data.generate.generate` as ``make``.

    Raises:
        DataError: an unknown simulator, or one that does not run with the MuJoCo that is installed.
        MissingDependencyError: the simulator is not installed.
    """
    if variant not in SIMULATORS:
        raise DataError(f"no simulator is called {variant!r}; there are: {', '.join(SIMULATORS)}")
    simulator, rng = SIMULATORS[variant], np.random.default_rng(seed)
    stage = simulator.open(int(rng.integers(2**31)))
    template = _template(variant, stage)
    objects, parts = _casting(stage.model, template, simulator.actor)
    scale, drift = rng.choice(NOISE), np.zeros(len(stage.command()))
    poses, velocities = [template.poses(stage.data)], [template.velocities(stage.model, stage.data)]
    commands, rewards, done = [], [], False
    for _ in range(simulator.steps):
        drift = 0.8 * drift + 0.6 * scale * rng.normal(size=len(drift))
        command = np.clip(stage.command() + drift, -1, 1)
        reward, success = stage.step(command)
        done |= success
        commands.append(command)
        rewards.append(reward)
        poses.append(template.poses(stage.data))
        velocities.append(template.velocities(stage.model, stage.data))
    groups, speeds = np.array(poses), np.array(velocities)
    track = Track(groups[:, objects], speeds[:, objects], groups[:, parts], np.array(commands, np.float32), simulator.dt_s)
    truth = {"simulator": variant, "privileged": True, "success": done, "goal": stage.goal(), "noise": float(scale)}
    return Episode(cast_of(template, stage.model, objects, parts, POINTS), track, np.array(rewards, np.float32), truth)


_TEMPLATES: dict[str, Template] = {}


def _template(variant: str, stage: Stage) -> Template:
    """Made once in a process: episodes of one simulator differ in where things are, not in what they are."""
    if variant not in _TEMPLATES:
        _TEMPLATES[variant] = template_of(stage.model, stage.data, 3000, least=POINTS)
    return _TEMPLATES[variant]


def _casting(model: mujoco.MjModel, template: Template, actor: str) -> tuple[list[int], list[int]]:
    """Groups that are objects, because they are free, and groups that belong to the actor."""
    root = int(model.body_rootid[model.body(actor).id])
    free = {int(model.jnt_bodyid[j]) for j in range(model.njnt) if int(model.jnt_type[j]) == int(mujoco.mjtJoint.mjJNT_FREE)}
    objects = [i for i, b in enumerate(template.bodies) if int(b) in free]
    parts = [i for i, b in enumerate(template.bodies) if b and int(model.body_rootid[b]) == root]
    return objects, parts


class _MetaWorldPush:
    """push-v3 of Meta-World 3, by its own scripted policy."""

    def __init__(self, seed: int) -> None:
        metaworld = _old_mujoco("metaworld")
        policies = importlib.import_module("metaworld.policies")
        tasks = metaworld.MT1("push-v3", seed=seed)
        self._env = tasks.train_classes["push-v3"]()
        self._env.set_task(tasks.train_tasks[0])
        self._policy = policies.ENV_POLICY_MAP["push-v3"]()
        self._observation = self._env.reset(seed=seed)[0]
        self.model, self.data = self._env.model, self._env.data

    def command(self) -> np.ndarray:
        return np.clip(self._policy.get_action(self._observation), -1, 1)

    def step(self, command: np.ndarray) -> tuple[float, bool]:
        self._observation, reward, _, _, info = self._env.step(command.astype(np.float32))
        return float(reward), bool(info["success"])

    def goal(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self._observation[-3:])


class _FetchPush:
    """FetchPush-v4 of Gymnasium-Robotics; the hand goes behind the block, down, and along the line to the goal."""

    def __init__(self, seed: int) -> None:
        gymnasium, robotics = _old_mujoco("gymnasium"), _old_mujoco("gymnasium_robotics")
        gymnasium.register_envs(robotics)
        self._env = gymnasium.make("FetchPush-v4", max_episode_steps=10**6).unwrapped
        self._seen = self._env.reset(seed=seed)[0]
        self.model, self.data = self._env.model, self._env.data

    def command(self) -> np.ndarray:
        goal, block, hand = self._seen["desired_goal"], self._seen["achieved_goal"], self._seen["observation"][:3]
        way = goal[:2] - block[:2]
        far = float(np.linalg.norm(way))
        out = np.array([0.0, 0.0, 0.0, -1.0])
        if far < 0.02:
            out[2] = 1.0
            return out
        along = way / far
        behind = block[:2] - 0.075 * along
        offset = hand[:2] - block[:2]
        lined_up = offset @ along < -0.03 and np.linalg.norm(offset - (offset @ along) * along) < 0.02
        high = hand[2] > 0.45
        if high and not lined_up and np.linalg.norm(hand[:2] - behind) > 0.02:
            target = np.array([*behind, 0.52])
        elif high:
            target = np.array([*behind, 0.425])
        elif lined_up:
            target = np.array([*(block[:2] + along * min(0.03, far)), 0.425])
        else:
            target = np.array([*hand[:2], 0.52])
        out[:3] = np.clip(8 * (target - hand), -1, 1)
        return out

    def step(self, command: np.ndarray) -> tuple[float, bool]:
        self._seen, reward, _, _, info = self._env.step(command.astype(np.float32))
        return float(reward), bool(info["is_success"])

    def goal(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self._seen["desired_goal"])


class _OGBenchCube:
    """cube-single-v0 of OGBench, by its own oracle, which asks numpy's global generator where to go when it is done."""

    def __init__(self, seed: int) -> None:
        _with_extra("ogbench")
        gymnasium = _with_extra("gymnasium")
        oracles = importlib.import_module("ogbench.manipspace.oracles.markov.cube_markov")
        env = gymnasium.make("cube-single-v0", mode="data_collection", terminate_at_goal=False, max_episode_steps=10**6)
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        try:
            self._observation, self._info = env.reset(seed=seed)
            self._oracle = oracles.CubeMarkovOracle(env=env)
            self._oracle.reset(self._observation, self._info)
        finally:
            np.random.set_state(state)  # noqa: NPY002
        self._env = env
        self.model, self.data = env.unwrapped.model, env.unwrapped.data

    def command(self) -> np.ndarray:
        return np.clip(self._oracle.select_action(self._observation, self._info), -1, 1)

    def step(self, command: np.ndarray) -> tuple[float, bool]:
        self._observation, reward, _, _, self._info = self._env.step(command)
        return float(reward), bool(self._info.get("success", False))

    def goal(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self._info["privileged/target_block_pos"])


SIMULATORS: dict[str, Simulator] = {
    "metaworld-push": Simulator(_MetaWorldPush, "base", 0.0125, 100),
    "fetch-push": Simulator(_FetchPush, "robot0:base_link", 0.04, 80),
    "ogbench-cube": Simulator(_OGBenchCube, "ur5e/", 0.05, 100),
}
"""By name."""


def _old_mujoco(package: str) -> Any:
    """A package that fills rows of 11 numbers where MuJoCo 4 has 12, and so cannot share an environment with the rest of us.

    No extra can bring it: its MuJoCo and ours exclude each other. Everything that is needed here runs with either.
    """
    own = "in an environment of its own: pip install spatialwm metaworld==3.1.1 gymnasium-robotics==1.4.2, then mujoco==3.3.0"
    if tuple(int(n) for n in mujoco.__version__.split(".")[:2]) > (3, 3):
        raise DataError(f"Meta-World and Fetch do not run with MuJoCo {mujoco.__version__}; generate {own}")
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise DataError(f"{error.name or package} is not installed; generate {own}") from None


def _with_extra(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingDependencyError(error.name or package, "sim", "this simulator") from None
