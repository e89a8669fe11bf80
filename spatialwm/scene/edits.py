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

    What stands on it keeps its own size and stays where it stood on it.
    """

    op: ClassVar[str] = "scale"
    object: str
    factor: float

    def apply(self, scene: Scene) -> Scene:
        _finite("factor", (self.factor,))
        if not 1e-3 <= self.factor <= 1e3:
            raise EditError(f"scale factor must lie between 0.001 and 1000; got {self.factor}")
        body = scene[self.object]
        grow = _about(_foot(body), Pose(scale=self.factor))
        mass = None if body.mass_kg is None else body.mass_kg * self.factor**3
        changed = [replace(body, world_from_object=grow @ body.world_from_object, mass_kg=mass)]
        for rider in map(scene.__getitem__, carried_by(scene, self.object)):
            x, y, z = (float(v) for v in grow.apply(_foot(rider)) - _foot(rider))
            changed.append(replace(rider, world_from_object=Pose((x, y, z)) @ rider.world_from_object))
        return _settle(scene.with_objects(changed), [self.object])


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Copy an object, shifted by a world vector; the copy shares the original's Gaussians."""

    op: ClassVar[str] = "duplicate"
    object: str
    by: Vec3 = (0.5, 0.0, 0.0)
    new_id: str | None = None

    def apply(self, scene: Scene) -> Scene:
        _finite("by", self.by)
        body = scene[self.object]
        new_id = self.new_id or scene.new_id(body.category)
        if new_id in scene:
            raise EditError(f"an object {new_id!r} exists already; choose another new_id")
        name = f"{body.name} copy" if body.name else ""
        copy = replace(body, id=new_id, name=name, world_from_object=Pose(self.by) @ body.world_from_object)
        return _settle(scene.with_objects([copy]), [new_id])


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an object; what stood on it stays where it is."""

    op: ClassVar[str] = "delete"
    object: str

    def apply(self, scene: Scene) -> Scene:
        orphans = [o.id for o in scene.objects if o.supported_by == self.object]
        return _settle(scene.without(self.object), orphans)


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
            mass_kg=self.mass_kg, collider=(), group=None, supported_by=self.supported_by, front=None, color=None,
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
        DeleteGaussians, MakeObject, SetPoses, FixScale,
    )
}  # fmt: skip
"""Every edit by its ``op`` name."""


def _carry(scene: Scene, object_id: str, world_from_world: Pose, carry: bool) -> Scene:
    body = scene[object_id]
    riders = carried_by(scene, object_id) if carry else ()
    carried = (body, *map(scene.__getitem__, riders))
    moved = [replace(o, world_from_object=world_from_world @ o.world_from_object) for o in carried]
    left_behind = [] if carry else [o.id for o in scene.objects if o.supported_by == object_id]
    return _settle(scene.with_objects(moved), [object_id, *left_behind])


def _settle(scene: Scene, ids: Iterable[str]) -> Scene:
    """Recompute what supports these objects; hanging and wall-mounted ones keep their wall or ceiling."""
    changed: list[SceneObject] = []
    for object_id in ids:
        body = scene[object_id]
        if body.role == "object" and body.supported_by not in ("wall", "ceiling"):
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

