"""What asks the motors of a robot for positions."""

from __future__ import annotations

from dataclasses import dataclass

from spatialwm.dynamics.actions import JointTargets
from spatialwm.dynamics.mjcf import body_name, immovable_because
from spatialwm.dynamics.simulation import Simulation
from spatialwm.errors import ActionError
from spatialwm.scene import Joint, Scene
from spatialwm.scene.articulation import driven_by

GRIPPER_WORDS = ("gripper", "finger", "jaw", "claw", "knuckle")
TOLERANCE = 1e-3
"""How far, in radians or metres, a target may overshoot the range: recorded targets are rounded."""


def robots_of(scene: Scene) -> tuple[str, ...]:
    """Ids of the bases of robots: what carries driven links and is none itself."""
    links = {i for o in scene.objects for i in driven_by(scene, o.id)}
    bases = (o.id for o in scene.objects if o.id not in links and driven_by(scene, o.id))
    return tuple(bases)


def is_gripper(joint: Joint) -> bool:
    """Whether a joint moves a finger, by its name."""
    return any(word in joint.name.lower() for word in GRIPPER_WORDS)


def commands_of(scene: Scene, action: JointTargets) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
    """Ids of the driven links, and for each row the position every one is asked for.

    Raises:
        ActionError: no such robot, rows of the wrong length, or a target out of range.
    """
    robots = robots_of(scene)
    if action.robot not in robots:
        raise ActionError(f"no robot {action.robot!r} in this scene; robots are: {', '.join(robots) or 'none'}")
    links = tuple(i for i in driven_by(scene, action.robot) if immovable_because(scene[i]) is None)
    joints = [joint for i in links if (joint := scene[i].joint) is not None]
    fingers = [i for i, joint in enumerate(joints) if is_gripper(joint)]
    arm = [i for i in range(len(joints)) if i not in fingers] if action.gripper else list(range(len(joints)))
    if action.gripper and not fingers:
        raise ActionError(f"{action.robot} has no gripper: none of its joints is named {', '.join(GRIPPER_WORDS)}")
    if len(action.targets[0]) != len(arm):
        names = ", ".join(joints[i].name or links[i] for i in arm)
        raise ActionError(f"{action.robot} takes {len(arm)} targets a row ({names}); got {len(action.targets[0])}")
    rows: list[tuple[float, ...]] = []
    for n, targets in enumerate(action.targets):
        row = [0.0] * len(joints)
        for i, value in zip(arm, targets, strict=True):
            row[i] = _within(joints[i], value, f"row {n + 1}: target of {joints[i].name or links[i]}")
        if action.gripper:
            for i in fingers:
                low, high = joints[i].range or (0.0, 1.0)
                row[i] = low + action.gripper[n] * (high - low)
        rows.append(tuple(row))
    return links, tuple(rows)


def _within(joint: Joint, value: float, what: str) -> float:
    low, high = joint.range or (value, value)
    if not low - TOLERANCE <= value <= high + TOLERANCE:
        raise ActionError(f"{what} lies outside its range of {low:.4g} to {high:.4g}; got {value:.4g}")
    return min(max(value, low), high)


@dataclass(slots=True, eq=False)
class MotorHand:
    """The motors of a robot, which hold the last row when the action is over."""

    commands: tuple[tuple[float, ...], ...]
    dt_s: float
    links: tuple[int, ...]
    """Positions of the driven links among the movable objects."""

    @property
    def bodies(self) -> tuple[str, ...]:
        return tuple(body_name(i) for i in self.links)

    def add(self, spec: object) -> None:
        """The motors are part of the robot."""

    def start(self, sim: Simulation) -> None:
        self._ask(sim, self.commands[0])

    def step(self, sim: Simulation, elapsed_s: float) -> bool:
        row = int(elapsed_s / self.dt_s + 1e-9)
        if row >= len(self.commands):
            return True
        self._ask(sim, self.commands[row])
        return False

    def _ask(self, sim: Simulation, command: tuple[float, ...]) -> None:
        for i, wanted in zip(self.links, command, strict=True):
            row = sim.scene_model.joints[i]
            assert row is not None
            assert row.motor is not None
            sim.data.actuator(row.motor).ctrl[0] = row.of(wanted)
