"""Edits as values: each names what to do and turns one scene into the next. Nothing here remembers anything.

An edit's fields are its schema everywhere: in Python, in a JSON script, in the command log and over the wire.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from spatialwm.errors import EditError, ShapeError
from spatialwm.geometry.color import LUMINANCE, linear_to_srgb, parse_color, srgb_to_linear
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.geometry.sh import rgb_to_dc
from spatialwm.scene.articulation import attached_to, moved, reanchored
from spatialwm.scene.joint import Joint, JointKind
from spatialwm.scene.objects import Mobility, SceneObject
from spatialwm.scene.scale import KnownLength, fix_scale
from spatialwm.scene.scene import Scene
from spatialwm.scene.selection import cut, move_to_own_frame
from spatialwm.scene.support import carried_by, resting_on


@runtime_checkable
class Edit(Protocol):
    """A frozen dataclass with an ``op`` name that turns a scene into the next one."""

    op: ClassVar[str]

    def apply(self, scene: Scene) -> Scene:
        """The scene after this edit.

        Raises:
            EditError: the edit does not fit the scene; the scene is unchanged.
        """
        ...


@dataclass(frozen=True, slots=True)
class Move:
    """Shift an object, and what stands on it, by a world vector in metres."""

    op: ClassVar[str] = "move"
    object: str
    by: Vec3
    carry: bool = True

    def apply(self, scene: Scene) -> Scene:
        _finite("by", self.by)
        return _carry(scene, self.object, Pose(self.by), self.carry)


@dataclass(frozen=True, slots=True)
class Rotate:
    """Turn an object, and what stands on it, about a world axis through the middle of its bounds."""

    op: ClassVar[str] = "rotate"
    object: str
    angle_deg: float
    axis: Vec3 = (0.0, 0.0, 1.0)
    carry: bool = True

    def apply(self, scene: Scene) -> Scene:
        _finite("angle_deg and axis", (self.angle_deg, *self.axis))
        if not any(self.axis):
            raise EditError("rotation axis is zero; give a direction such as [0, 0, 1]")
        pivot = scene[self.object].bounds().mean(0)
        turn = Pose.about_axis(self.axis, math.radians(self.angle_deg))
        return _carry(scene, self.object, _about(pivot, turn), self.carry)


@dataclass(frozen=True, slots=True)
class Scale:
    """Grow or shrink an object uniformly about the middle of its underside; its mass follows the volume.

    What joints hold to it grows with it. What stands on it keeps its own size and stays where it stood on it.
    """

    op: ClassVar[str] = "scale"
    object: str
    factor: float

    def apply(self, scene: Scene) -> Scene:
        _finite("factor", (self.factor,))
        if not 1e-3 <= self.factor <= 1e3:
            raise EditError(f"scale factor must lie between 0.001 and 1000; got {self.factor}")
        body = _loose(scene, self.object)
        grow = _about(_foot(body), Pose(scale=self.factor))
        grown = frozenset((self.object, *attached_to(scene, self.object)))
        changed: list[SceneObject] = []
        for part in (o for o in scene.objects if o.id in grown):
            mass = None if part.mass_kg is None else part.mass_kg * self.factor**3
            changed.append(replace(reanchored(scene, part, grow, grown), mass_kg=mass))
        for rider in (scene[i] for i in carried_by(scene, self.object) if i not in grown):
            x, y, z = (float(v) for v in grow.apply(_foot(rider)) - _foot(rider))
            changed.append(replace(rider, world_from_object=Pose((x, y, z)) @ rider.world_from_object))
        return _settle(scene.with_objects(changed), [self.object])


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Copy an object and what joints hold to it, shifted by a world vector; copies share the Gaussians of the originals."""

    op: ClassVar[str] = "duplicate"
    object: str
    by: Vec3 = (0.5, 0.0, 0.0)
    new_id: str | None = None

    def apply(self, scene: Scene) -> Scene:
        _finite("by", self.by)
        body = _loose(scene, self.object)
        new_id = self.new_id or scene.new_id(body.category)
        parts = (self.object, *attached_to(scene, self.object))
        ids = {p: new_id + (p.removeprefix(self.object) if p.startswith(self.object) else f"-{p}") for p in parts}
        taken = [i for i in ids.values() if i in scene]
        if taken:
            raise EditError(f"an object {taken[0]!r} exists already; choose another new_id")
        copies: list[SceneObject] = []
        for part in map(scene.__getitem__, parts):
            copy = reanchored(scene, part, Pose(self.by), frozenset(parts))
            joint = copy.joint
            if joint is not None and joint.parent in ids:
                joint = replace(joint, parent=ids[joint.parent])
            copies.append(replace(
                copy, id=ids[part.id], name=f"{part.name} copy" if part.name else "", joint=joint,
                group=ids.get(part.group or "", part.group), supported_by=ids.get(part.supported_by or "", part.supported_by),
            ))  # fmt: skip
        return _settle(scene.with_objects(copies), [new_id])


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an object and what joints hold to it; what stood on it stays where it is."""

    op: ClassVar[str] = "delete"
    object: str

    def apply(self, scene: Scene) -> Scene:
        gone = {scene[self.object].id, *attached_to(scene, self.object)}
        orphans = [o.id for o in scene.objects if o.supported_by in gone and o.id not in gone]
        return _settle(replace(scene, objects=tuple(o for o in scene.objects if o.id not in gone)), orphans)


@dataclass(frozen=True, slots=True)
class Recolor:
    """Give an object a new base colour; its light, shadows and texture contrast stay."""

    op: ClassVar[str] = "recolor"
    object: str
    color: str

    def apply(self, scene: Scene) -> Scene:
        body = scene[self.object]
        try:
            rgb = parse_color(self.color)
        except ShapeError as error:
            raise EditError(str(error)) from None
        target = torch.from_numpy(srgb_to_linear(rgb)).to(torch.float32)
        shown = body.gaussians.rgb.clamp(0, 1)
        base = _linear(body.albedo if body.albedo is not None else shown)
        if not len(base):
            return scene.with_objects([replace(body, color=self.color)])
        weight = torch.from_numpy(LUMINANCE).to(torch.float32)
        light = _linear(shown) / base.clamp(min=0.01)
        texture = (base @ weight) / (base @ weight).mean().clamp(min=0.01)
        painted = (target * texture.clamp(0.25, 2.5)[:, None]).clamp(0, 1)
        sh = torch.zeros_like(body.gaussians.sh)
        sh[:, 0] = rgb_to_dc(_display(painted * light))
        mesh = body.mesh
        if mesh is not None and mesh.colors is not None:
            tint = np.broadcast_to(rgb.astype(np.float32), mesh.vertices.shape)
            mesh = replace(mesh, colors=tint)
        return scene.with_objects(
            [replace(body, color=self.color, gaussians=body.gaussians.with_sh(sh), albedo=_display(painted), mesh=mesh)]
        )


@dataclass(frozen=True, slots=True)
class Rename:
    """Change the name people see; the id stays."""

    op: ClassVar[str] = "rename"
    object: str
    name: str

    def apply(self, scene: Scene) -> Scene:
        if not self.name.strip():
            raise EditError("a name needs at least one visible character")
        return scene.with_objects([replace(scene[self.object], name=self.name.strip())])


@dataclass(frozen=True, slots=True)
class Insert:
    """Add a new object."""

    op: ClassVar[str] = "insert"
    object: SceneObject

    def apply(self, scene: Scene) -> Scene:
        if self.object.id in scene:
            raise EditError(f"an object {self.object.id!r} exists already; give the new one another id")
        return scene.with_objects([self.object])


@dataclass(frozen=True, slots=True)
class InsertAll:
    """Add several new objects at once, such as the links of a robot."""

    op: ClassVar[str] = "insert_all"
    objects: tuple[SceneObject, ...]

    def apply(self, scene: Scene) -> Scene:
        taken = [o.id for o in self.objects if o.id in scene]
        if taken or len({o.id for o in self.objects}) < len(self.objects):
            raise EditError(f"every new object needs an id of its own; taken: {', '.join(taken) or 'two of them share one'}")
        return scene.with_objects(self.objects)


@dataclass(frozen=True, slots=True)
class SetPhysics:
    """Set what physics believes about an object; None leaves a value as it is."""

    op: ClassVar[str] = "set_physics"
    object: str
    mass_kg: float | None = None
    friction: float | None = None
    mobility: Mobility | None = None

    def apply(self, scene: Scene) -> Scene:
        body = scene[self.object]
        if self.mass_kg is not None and not (math.isfinite(self.mass_kg) and self.mass_kg > 0):
            raise EditError(f"mass_kg must be positive and finite; got {self.mass_kg}")
        if self.friction is not None and not (math.isfinite(self.friction) and self.friction >= 0):
            raise EditError(f"friction must be at least 0 and finite; got {self.friction}")
        changed = replace(
            body,
            mass_kg=body.mass_kg if self.mass_kg is None else self.mass_kg,
            friction=body.friction if self.friction is None else self.friction,
            mobility=body.mobility if self.mobility is None else self.mobility,
        )
        return scene.with_objects([changed])


@dataclass(frozen=True, slots=True)
class Group:
    """Put objects under one group name; an empty name takes them out of theirs."""

    op: ClassVar[str] = "group"
    objects: tuple[str, ...]
    name: str

    def apply(self, scene: Scene) -> Scene:
        if not self.objects:
            raise EditError("group needs at least one object")
        return scene.with_objects([replace(scene[i], group=self.name or None) for i in self.objects])


@dataclass(frozen=True, slots=True)
class SetEnvironment:
    """Set what is known of the surroundings; None leaves a value as it is. Baked light does not change."""

    op: ClassVar[str] = "set_environment"
    kind: str | None = None
    time: str | None = None
    weather: str | None = None
    background: Vec3 | None = None

    def apply(self, scene: Scene) -> Scene:
        if self.background is not None and not all(0 <= v <= 1 for v in self.background):
            raise EditError(f"background must be three sRGB values in 0..1; got {self.background}")
        env = scene.environment
        given = {k: v for k in ("kind", "time", "weather", "background") if (v := getattr(self, k)) is not None}
        return replace(scene, environment=replace(env, **given))


@dataclass(frozen=True, slots=True, eq=False)
class DeleteGaussians:
    """Remove the masked Gaussians of an object, and the part of its exact mesh that they covered."""

    op: ClassVar[str] = "delete_gaussians"
    object: str
    mask: Bool[Tensor, " n"]

    def apply(self, scene: Scene) -> Scene:
        body = scene[self.object]
        _, rest = cut(body, self.mask)
        return scene.with_objects([rest])


@dataclass(frozen=True, slots=True, eq=False)
class MakeObject:
    """Turn the masked Gaussians of one object into an object of their own, standing where they are.

    What it hid can be closed in the same step, so that one undo brings all of it back.
    """

    op: ClassVar[str] = "make_object"
    source: str
    mask: Bool[Tensor, " n"]
    new_id: str
    category: str = "object"
    name: str = ""
    mass_kg: float | None = None
    collider: tuple[Mesh, ...] = ()
    """Convex pieces in the frame of the new object: its origin at the middle of the underside, axes along the world."""
    supported_by: str | None = None
    """None: what geometry says."""
    fill: SceneObject | None = None
    """What is invented for where it was seen before."""
    note: str = ""
    """Added to the scene's notes."""

    def apply(self, scene: Scene) -> Scene:
        body = scene[self.source]
        if self.new_id in scene:
            raise EditError(f"an object {self.new_id!r} exists already; choose another new_id")
        if not bool(self.mask.any()):
            raise EditError("the selection is empty; select at least one Gaussian")
        if self.fill is not None and (self.fill.id in scene or self.fill.id == self.new_id):
            raise EditError(f"an object {self.fill.id!r} exists already; give the fill another id")
        taken, rest = cut(body, self.mask)
        made = move_to_own_frame(replace(
            taken, id=self.new_id, category=self.category, name=self.name, labels=(), role="object", mobility="rigid",
            mass_kg=self.mass_kg, collider=(), group=None, supported_by=self.supported_by, front=None, color=None, joint=None,
        ))  # fmt: skip
        made = replace(made, collider=self.collider)
        changed = scene.with_objects([rest, made, *([self.fill] if self.fill is not None else [])])
        if self.note:
            changed = replace(changed, notes=(*changed.notes, self.note))
        return changed if self.supported_by is not None else _settle(changed, [self.new_id])


@dataclass(frozen=True, slots=True)
class SetPoses:
    """Put objects at given world poses at once: how a prediction becomes the truth."""

    op: ClassVar[str] = "set_poses"
    poses: tuple[tuple[str, Pose], ...]

    def apply(self, scene: Scene) -> Scene:
        moved = [replace(scene[i], world_from_object=pose) for i, pose in self.poses]
        return _settle(scene.with_objects(moved), [o.id for o in moved])


@dataclass(frozen=True, slots=True)
class Articulate:
    """Let an object slide along, or turn about, a line; as it is now, it is shut."""

    op: ClassVar[str] = "articulate"
    object: str
    kind: JointKind
    axis: Vec3
    """Direction in the world."""
    range: tuple[float, float]
    """Metres in the world, or radians, from where it is now."""
    through: Vec3 | None = None
    """A point on the line of a hinge, in the world."""
    parent: str | None = None
    """What carries it; None: the place."""

    def apply(self, scene: Scene) -> Scene:
        body = _loose(scene, self.object)
        if self.kind == "hinge" and self.through is None:
            raise EditError("a hinge needs a point that its line goes through, in metres")
        if self.parent is not None and scene[self.parent].id in (self.object, *attached_to(scene, self.object)):
            raise EditError(f"{self.parent} cannot carry {self.object}: it hangs on it")
        inside = body.world_from_object.inverse()
        origin = (0.0, 0.0, 0.0) if self.through is None else _vec3(inside.apply(np.array(self.through)))
        low, high = (v * inside.scale for v in self.range) if self.kind == "slide" else self.range
        parent = Pose() if self.parent is None else scene[self.parent].world_from_object
        try:
            joint = Joint(
                self.kind, _vec3(inside.rotate(np.array(self.axis))), (low, high), origin, self.parent,
                parent.inverse() @ body.world_from_object,
            )  # fmt: skip
        except ShapeError as error:
            raise EditError(str(error)) from None
        held = replace(body, joint=joint, mobility="articulated", supported_by=self.parent or body.supported_by)
        return scene.with_objects([held])


@dataclass(frozen=True, slots=True)
class SetJoints:
    """Move articulated objects on their joints, and what hangs on them, by forward kinematics."""

    op: ClassVar[str] = "set_joints"
    positions: tuple[tuple[str, float], ...]
    """Object ids and where they go: radians, or metres before the object's scale."""

    def apply(self, scene: Scene) -> Scene:
        _finite("positions", tuple(p for _, p in self.positions))
        return scene.with_objects(moved(scene, dict(self.positions)))


@dataclass(frozen=True, slots=True)
class FixScale:
    """Set the scale of the whole scene by one distance that was measured in the real place."""

    op: ClassVar[str] = "fix_scale"
    a: Vec3
    """One end, in the world as it is now."""
    b: Vec3
    length_m: float
    """What the distance of the two ends is in truth."""
    click_sigma: float | None = None
    """Standard deviation of each end, in the world's present unit; None: half a percent of their distance."""

    def apply(self, scene: Scene) -> Scene:
        return fix_scale(scene, KnownLength(self.a, self.b, self.length_m, self.click_sigma))


EDITS: dict[str, type[Edit]] = {
    e.op: e
    for e in (
        Move, Rotate, Scale, Duplicate, Delete, Recolor, Rename, Insert, SetPhysics, Group, SetEnvironment,
        DeleteGaussians, MakeObject, SetPoses, FixScale, InsertAll, Articulate, SetJoints,
    )
}  # fmt: skip
"""Every edit by its ``op`` name."""


def _carry(scene: Scene, object_id: str, world_from_world: Pose, carry: bool) -> Scene:
    _loose(scene, object_id)
    carried = (object_id, *(carried_by(scene, object_id) if carry else attached_to(scene, object_id)))
    moving = [reanchored(scene, scene[i], world_from_world, frozenset(carried)) for i in carried]
    left_behind = [] if carry else [o.id for o in scene.objects if o.supported_by == object_id and o.id not in carried]
    return _settle(scene.with_objects(moving), [object_id, *left_behind])


def _loose(scene: Scene, object_id: str) -> SceneObject:
    """The object, unless it is a driven link of a robot, which edits of a single object would tear apart."""
    body = scene[object_id]
    if body.joint is not None and body.jointed and body.joint.drive is not None and body.joint.parent is not None:
        raise EditError(f"{object_id} is a link of a robot; use set_joints, or take {_base_of(scene, body)}, which carries it")
    return body


def _base_of(scene: Scene, body: SceneObject) -> str:
    base = body
    for _ in scene.objects:
        if base.joint is None or not base.jointed or base.joint.parent is None or base.joint.parent not in scene:
            break
        base = scene[base.joint.parent]
    return base.id


def _vec3(values: np.ndarray) -> Vec3:
    x, y, z = (float(v) for v in values)
    return (x, y, z)


def _settle(scene: Scene, ids: Iterable[str]) -> Scene:
    """Recompute what supports these objects; hanging and wall-mounted ones keep their wall or ceiling."""
    changed: list[SceneObject] = []
    for object_id in ids:
        body = scene[object_id]
        if body.role == "object" and body.supported_by not in ("wall", "ceiling") and not body.jointed:
            support = resting_on(scene, body)
            if support != body.supported_by:
                changed.append(replace(body, supported_by=support))
    return scene.with_objects(changed) if changed else scene


def _foot(body: SceneObject) -> np.ndarray:
    """The middle of the underside."""
    low, high = body.bounds()
    return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])


def _about(pivot: np.ndarray, turn: Pose) -> Pose:
    x, y, z = (float(v) for v in pivot)
    return Pose((x, y, z)) @ turn @ Pose((-x, -y, -z))


def _finite(what: str, values: tuple[float, ...]) -> None:
    if not all(math.isfinite(v) for v in values):
        raise EditError(f"{what} must be finite numbers; got {values}")


def _linear(srgb: Tensor) -> Tensor:
    return torch.from_numpy(srgb_to_linear(srgb.detach().cpu().numpy())).to(torch.float32)


def _display(linear: Tensor) -> Tensor:
    return torch.from_numpy(linear_to_srgb(linear.clamp(0, 1).numpy())).to(torch.float32)

