"""Objects that hang together by joints: where each is on its joint, and where all go when joints move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from spatialwm.errors import EditError
from spatialwm.geometry.se3 import Pose
from spatialwm.scene.joint import Joint
from spatialwm.scene.objects import SceneObject
from spatialwm.scene.scene import Scene


def joint_of(scene: Scene, object_id: str) -> Joint:
    """The joint that holds an articulated object.

    Raises:
        EditError: the object is unknown, or held by no joint.
    """
    body = scene[object_id]
    if body.joint is None or not body.jointed:
        jointed = [o.id for o in scene.objects if o.jointed]
        raise EditError(f"{object_id} has no joint; articulated objects are: {', '.join(jointed) or 'none'}")
    return body.joint


def attached_to(scene: Scene, object_id: str) -> tuple[str, ...]:
    """Ids of everything that joints hold to an object, directly or through others, nearest first."""
    found: list[str] = []
    frontier = [object_id]
    while frontier:
        base = frontier.pop(0)
        for o in scene.objects:
            if o.joint is not None and o.jointed and o.joint.parent == base and o.id not in found and o.id != object_id:
                found.append(o.id)
                frontier.append(o.id)
    return tuple(found)


def driven_by(scene: Scene, robot: str) -> tuple[str, ...]:
    """Ids of the links of a robot that have a motor, in scene order; ``robot`` is the id of its base."""
    links = {robot, *attached_to(scene, robot)}
    return tuple(o.id for o in scene.objects if o.id in links and o.joint is not None and o.jointed and o.joint.drive is not None)


def position(scene: Scene, object_id: str) -> float:
    """Where an articulated object is on its joint: radians, or metres before its scale.

    Raises:
        EditError: it has no joint, or what the joint holds it to is gone.
    """
    joint, body = joint_of(scene, object_id), scene[object_id]
    return joint.position_of((_parent_pose(scene, joint) @ joint.parent_from_zero).inverse() @ body.world_from_object)


def moved(scene: Scene, positions: Mapping[str, float]) -> list[SceneObject]:
    """The objects that change when joints take these positions: forward kinematics.

    What hangs on a joint that moves keeps its own position.

    Raises:
        EditError: an object has no joint, or a position lies outside its range.
    """
    for object_id, wanted in positions.items():
        limits = joint_of(scene, object_id).range or (-float("inf"), float("inf"))
        if not limits[0] - 1e-9 <= wanted <= limits[1] + 1e-9:
            raise EditError(f"the joint of {object_id} moves from {limits[0]:.4g} to {limits[1]:.4g}; got {wanted:.4g}")
    affected = {i for start in positions for i in (start, *attached_to(scene, start))}
    new: dict[str, SceneObject] = {}

    def place(object_id: str, waiting: tuple[str, ...] = ()) -> Pose:
        if object_id not in affected:
            return scene[object_id].world_from_object
        if object_id in waiting:
            raise EditError(f"the joints of {', '.join(waiting)} hold each other in a circle")
        if object_id not in new:
            joint, body = joint_of(scene, object_id), scene[object_id]
            now = _parent_pose(scene, joint)
            parent = Pose() if joint.parent is None else place(joint.parent, (*waiting, object_id))
            if object_id in positions:
                parent_from_object = joint.parent_from_zero @ joint.motion(positions[object_id])
            else:
                parent_from_object = now.inverse() @ body.world_from_object
            new[object_id] = replace(body, world_from_object=parent @ parent_from_object)
        return new[object_id].world_from_object

    for object_id in affected:
        place(object_id)
    return [new[o.id] for o in scene.objects if o.id in new]


def reanchored(scene: Scene, body: SceneObject, world_from_world: Pose, along: frozenset[str]) -> SceneObject:
    """The object after a motion that moves it with its joint, and not along it.

    Args:
        along: ids that make the same motion; a joint to one of them stays as it is.
    """
    changed = replace(body, world_from_object=world_from_world @ body.world_from_object)
    joint = body.joint
    if joint is None or not body.jointed or (joint.parent is not None and joint.parent in along):
        return changed
    parent = _parent_pose(scene, joint)
    zero = parent.inverse() @ world_from_world @ parent @ joint.parent_from_zero
    return replace(changed, joint=replace(joint, parent_from_zero=zero))


def _parent_pose(scene: Scene, joint: Joint) -> Pose:
    if joint.parent is None:
        return Pose()
    if joint.parent not in scene:
        raise EditError(f"a joint holds to {joint.parent}, which is not in this scene; set the object's mobility to rigid")
    return scene[joint.parent].world_from_object
