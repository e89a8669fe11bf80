"""Receding-horizon control: look, plan, act, look again, until the goal is met or the time is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from spatialwm.dynamics.episode import Situation
from spatialwm.dynamics.planning.goals import Goal, PoseGoal, index_of, reached
from spatialwm.dynamics.planning.plan import Plan, Planner
from spatialwm.errors import ActionError

LATE_STEPS = 3
"""By how much a plant may lag behind its forecast without being called a surprise."""


@runtime_checkable
class Plant(Protocol):
    """What is controlled: a simulator or a robot."""

    def observe(self) -> Situation:
        """What is known now."""
        ...

    def act(self, command: Float[np.ndarray, " a"]) -> None:
        """Carry out one command; takes one time step."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When to stop, and when to think again."""

    steps: int = 400
    plans: int = 12
    settled_share: float = 0.6
    """Of the goal's tolerances: within it the pusher stops in the middle of a plan."""
    rest_steps: int = 5
    """Without moving the pusher, before success is judged."""
    surprise_m: float = 0.03
    """Distance between expected and seen positions at which a plan is dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of it."""

    success: bool
    distances_m: dict[str, float]
    angles_deg: dict[str, float]
    """Per object of the goal, at the end."""
    steps: int
    plan_seconds: tuple[float, ...]
    forecasts: int
    rests_on: tuple[str, ...]
    """Per plan."""
    notes: tuple[str, ...]
    """Fallbacks and stops, and why."""

    @property
    def plans(self) -> int:
        """How many were made."""
        return len(self.plan_seconds)


def control(plant: Plant, planner: Planner, goal: Goal, rng: np.random.Generator, limits: Limits = Limits()) -> Outcome:
    """Bring a plant to a goal; the goal is judged by poses, after everything was left alone for a moment."""
    steps, plans, notes = 0, [], []
    command: np.ndarray | None = None
    situation = plant.observe()
    targets = goal.targets(situation)
    last: Plan | None = None
    while steps < limits.steps and len(plans) < limits.plans:
        if reached(targets, situation):
            steps += _rest(plant, command, limits)
            situation = plant.observe()
            if reached(targets, situation):
                break
        plan = planner.plan(situation, rng, last)
        plans.append(plan)
        if plan.note:
            notes.append(plan.note)
        if not len(plan.commands):
            break
        situation, taken = _follow(plant, plan, targets, situation, limits, limits.steps - steps)
        steps, last, command = steps + taken, plan, plan.commands[taken - 1]
    steps += _rest(plant, command, limits)
    situation = plant.observe()
    at = {t.object: t.errors(situation.past.poses[-1, index_of(situation, t.object)]) for t in targets}
    return Outcome(
        reached(targets, situation), {k: float(d) for k, (d, _) in at.items()}, {k: float(a) for k, (_, a) in at.items()}, steps,
        tuple(p.seconds for p in plans), sum(p.forecasts for p in plans), tuple(p.rests_on for p in plans), tuple(notes),
    )  # fmt: skip


def _rest(plant: Plant, command: np.ndarray | None, limits: Limits) -> int:
    if command is None:
        return 0
    for _ in range(limits.rest_steps):
        plant.act(command)
    return limits.rest_steps


def _follow(
    plant: Plant, plan: Plan, targets: Sequence[PoseGoal], situation: Situation, limits: Limits, left: int
) -> tuple[Situation, int]:
    """Act a plan out until it ends, the goal is met or something unexpected is seen."""
    free = len(plan.commands) - (0 if plan.expected is None else len(plan.expected.poses))
    if free < 0:
        raise ActionError(f"a plan of {len(plan.commands)} commands cannot expect {len(plan.expected.poses)} steps")  # type: ignore[union-attr]
    taken = 0
    for i, command in enumerate(plan.commands[:left]):
        plant.act(command)
        taken = i + 1
        situation = plant.observe()
        if reached(targets, situation, limits.settled_share):
            break
        if plan.expected is not None and i >= free:
            # A late pusher is no surprise: the nearest of the last few expected places counts.
            expected = plan.expected.poses[max(0, i - free - LATE_STEPS) : i - free + 1, :, :3]
            away = np.linalg.norm(situation.past.poses[-1, :, :3] - expected, axis=-1).min(0)
            if away.max() > limits.surprise_m:
                break
    return situation, taken
