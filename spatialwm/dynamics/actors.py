"""Who carries out which action, and whether the scene allows it."""

from __future__ import annotations

from spatialwm.dynamics.actions import Action, EndEffectorPath, GraspPlace, JointTargets, OpenClose, Pull, Push, Walk
from spatialwm.dynamics.hands import GraspHand, Hand, PathHand, PushHand
from spatialwm.dynamics.mjcf import body_name, immovable_because
from spatialwm.dynamics.pulling import OpenHand, PullHand
from spatialwm.dynamics.robots.motors import MotorHand, commands_of
from spatialwm.dynamics.walking import WalkHand
from spatialwm.errors import ActionError
from spatialwm.scene import Scene


def hand_for(action: Action, number: int, scene: Scene, movable: tuple[str, ...]) -> Hand:
    """The actor of an action; ``number`` keeps names apart."""
    name = f"hand-{number}"
    match action:
        case Push():
            return PushHand(action, name)
        case Pull():
            return PullHand(action, name, body_name(movable.index(action.object)))
        case GraspPlace():
            return GraspHand(action, name, body_name(movable.index(action.object)))
        case EndEffectorPath():
            return PathHand(action, name, len(movable))
        case OpenClose():
            return OpenHand(action, scene[action.object])
        case Walk():
            return WalkHand(action, name)
        case JointTargets():
            links, commands = commands_of(scene, action)
            return MotorHand(commands, action.dt_s, tuple(movable.index(i) for i in links))


def target_of(action: Action) -> str | None:
    """The object that an action takes or pushes, if it names one."""
    return action.object if isinstance(action, Push | Pull | GraspPlace | OpenClose) else None


def check_action(scene: Scene, action: Action) -> None:
    """Refuse what cannot be done in this scene.

    Raises:
        ActionError: an unknown object, one that cannot move that way, or targets that do not fit the robot.
    """
    if isinstance(action, JointTargets):
        commands_of(scene, action)
    target = target_of(action)
    if target is None:
        return
    if target not in scene:
        things = [o.id for o in scene.objects if immovable_because(o) is None]
        raise ActionError(f"no object {target!r} to act on; movable objects are: {', '.join(things) or 'none'}")
    reason = immovable_because(scene[target], frozenset([target]))
    if reason:
        raise ActionError(f"cannot move {target!r}: {reason}")
    joint = scene[target].joint if scene[target].jointed else None
    if joint is not None and joint.drive is not None:
        raise ActionError(f"{target} is a link of a robot, which moves itself; use joint_targets")
    if isinstance(action, OpenClose) and joint is None:
        jointed = [o.id for o in scene.objects if o.jointed and o.joint is not None and o.joint.drive is None]
        raise ActionError(f"{target} has no joint to open; what opens is: {', '.join(jointed) or 'nothing here'}")
    if isinstance(action, GraspPlace) and joint is not None:
        raise ActionError(f"{target} hangs on its joint and cannot be carried off; use open_close, or make it rigid first")
