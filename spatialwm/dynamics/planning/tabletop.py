"""The pushing task: a table as a plant, and goals drawn for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.dynamics.episode import Cast, Situation, Track
from spatialwm.dynamics.planning.goals import PoseGoal, index_of, reached
from spatialwm.dynamics.planning.quasistatic import slider_of
from spatialwm.dynamics.table import DT_S, Table, TableSimulator, make_episode
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose, hamilton

REMEMBERED_STEPS = 24
"""Of the past that a situation holds: a whole push, the way back out of which is free."""
GOAL_HALF_M = 0.17
"""Goals lie within this of the middle, each way: a pusher that reaches 0.32 m then comes at the largest thing from all sides."""
ROUND = frozenset({"can"})


class TablePlant:
    """A table that is really simulated, seen through what a cast shows of it."""

    def __init__(self, truth: Table, cast: Cast) -> None:
        self._simulator = TableSimulator(truth)
        self._cast = cast
        self._states = [self._simulator.state()]
        self._commands: list[np.ndarray] = []

    def observe(self) -> Situation:
        """See :class:`spatialwm.dynamics.planning.control.Plant`."""
        poses, velocities, rods = (np.array(s, np.float32) for s in zip(*self._states, strict=True))
        commands = np.array(self._commands, np.float32).reshape(-1, 2)
        return Situation(self._cast, Track(poses, velocities, rods, commands, DT_S))

    def act(self, command: Float[np.ndarray, " a"]) -> None:
        """The pusher is asked to be at ``command`` (x, y) after one step."""
        self._simulator.act(command)
        self._commands = [*self._commands, np.asarray(command, np.float32)][-REMEMBERED_STEPS:]
        self._states = [*self._states, self._simulator.state()][-REMEMBERED_STEPS - 1 :]


@dataclass(frozen=True, slots=True, eq=False)
class PushTask:
    """A table and where one of its things is wanted."""

    truth: Table
    cast: Cast
    goal: PoseGoal

    def plant(self) -> TablePlant:
        """A fresh table, at its start."""
        return TablePlant(self.truth, self.cast)


def make_push_task(
    variant: str, seed: int, least_m: float = 0.06, most_m: float = 0.25, most_turn_deg: float = 180.0
) -> PushTask:
    """One task; the same arguments give the same task anywhere. No task is solved at its start.

    The goal is a place that is free as the things lie, ``least_m`` to ``most_m`` away, and any turn up to ``most_turn_deg``.

    Raises:
        ActionError: an unknown variant, or distances that no table has room for.
    """
    rng = np.random.default_rng([seed, 977])
    episode = make_episode(variant, seed, steps=1)
    start = episode.situation(0)
    things = [t for t in episode.truth.things if t.joint == "free"]
    for _ in range(2000):
        thing = things[int(rng.integers(len(things)))]
        goal = _drawn(start, thing.id, 0 if thing.category in ROUND else 1, (least_m, most_m), most_turn_deg, rng)
        if goal is not None and not reached((goal,), start):
            return PushTask(episode.truth, episode.cast, goal)
    raise ActionError(f"no free goal {least_m:g} to {most_m:g} m away on this table; widen the distances or take another seed")


def _drawn(
    start: Situation, object_id: str, folds: int, distance_m: tuple[float, float], most_turn_deg: float, rng: np.random.Generator
) -> PoseGoal | None:
    poses, points = start.past.poses[-1], start.cast.points
    index = index_of(start, object_id)
    way, direction = rng.uniform(*distance_m), rng.uniform(0, 2 * math.pi)
    turn = math.radians(rng.uniform(-most_turn_deg, most_turn_deg))
    at = poses[index].astype(float)
    place = at[:2] + way * np.array([math.cos(direction), math.sin(direction)])
    if np.abs(place).max() > GOAL_HALF_M:
        return None
    sliders = [slider_of(p, pose) for p, pose in zip(points, poses, strict=True)]
    radii = [float(np.linalg.norm(s.corners, axis=1).max()) for s in sliders]
    for other, slider in enumerate(sliders):
        if other != index and np.linalg.norm(slider.center - place) < radii[other] + radii[index] + 0.01:
            return None
    quat = hamilton((math.cos(turn / 2), 0.0, 0.0, math.sin(turn / 2)), tuple(at[3:]))  # type: ignore[arg-type]
    return PoseGoal(object=object_id, target=Pose((float(place[0]), float(place[1]), float(at[2])), quat), folds=folds)
