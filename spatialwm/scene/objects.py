"""One thing in a scene: what it is, where it stands, how it looks and how it would move."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal, get_args
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float
from torch import Tensor

from spatialwm.errors import ShapeError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.scene.inertia import Inertia
from spatialwm.scene.joint import Joint

Mobility = Literal["static", "rigid", "articulated", "deformable"]
"""How physics treats it: immovable, one rigid body, moving along or about its joint, or soft."""

Role = Literal["object", "structure", "backdrop"]
"""A thing to pick and name; part of the place (floor, walls, terrain); or scenery out of reach (sky, hills)."""

Provenance = Literal["measured", "stated", "implied", "invented"]
"""Why it exists: seen in the input, asked for in words, follows from what was asked, or made up to fill the place."""

_BOUNDS: WeakKeyDictionary[SceneObject, np.ndarray] = WeakKeyDictionary()
# Objects are frozen, so their bounds never change. Every move asks what rests on what: of 40 objects with 300k Gaussians it took
# 27 ms without this memory, most of it spent on the bounds of things that did not move.

OPAQUE = 0.1
"""Gaussians fainter than this do not count for an object's extent."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class SceneObject:
    """A part of a scene with a stable identity. Frozen; compared by identity, see :meth:`same_as`."""

    id: str
    """Stable and unique in its scene, e.g. ``mug-1``."""
    category: str
    """A plain noun, e.g. ``mug``."""
    gaussians: Gaussians
    """Canonical Gaussians in the object frame."""
    world_from_object: Pose = Pose()  # noqa: RUF009 -- frozen, so that sharing one default is safe
    name: str = ""
    """What people see; the id when empty."""
    labels: tuple[str, ...] = ()
    """Further nouns that fit it, e.g. ``cup``."""
    role: Role = "object"
    mobility: Mobility = "rigid"
    color: str | None = None
    """A colour word or ``#rrggbb``."""
    material: str | None = None
    mass_kg: float | None = None
    """None: unknown, physics estimates it from the volume."""
    friction: float = 0.6
    """Coulomb coefficient against others."""
    mesh: Mesh | None = None
    """Exact surface in the object frame, where one is known."""
    collider: tuple[Mesh, ...] = ()
    """Convex pieces in the object frame; empty: physics derives them from the mesh or the Gaussians."""
    supported_by: str | None = None
    """``"floor"``, ``"wall"``, ``"ceiling"``, an object id, or None (flying, unknown)."""
    front: tuple[float, float] | None = None
    """Unit direction of the front in the object's own xy plane."""
    group: str | None = None
    provenance: Provenance = "invented"
    albedo: Float[Tensor, "n 3"] | None = None
    """sRGB base colour per Gaussian without light, where it is known; lets a recolour keep the shading."""
    confidence: Float[Tensor, " n"] | None = None
    """0..1 per Gaussian: how sure its maker is that it is there."""
    joint: Joint | None = None
    """What holds it to another object or the place; in force while it is articulated."""
    inertia: Inertia | None = None
    """Where its mass is; None: spread evenly over its solid shape."""

    def __post_init__(self) -> None:
        if not self.id or any(c.isspace() for c in self.id):
            raise ShapeError(f"object id must be a word without blanks; got {self.id!r}")
        for value, allowed, what in (
            (self.role, get_args(Role), "role"),
            (self.mobility, get_args(Mobility), "mobility"),
            (self.provenance, get_args(Provenance), "provenance"),
        ):
            if value not in allowed:
                raise ShapeError(f"{what} of {self.id} must be one of {', '.join(allowed)}; got {value!r}")
        if self.mass_kg is not None and not (self.mass_kg > 0 and math.isfinite(self.mass_kg)):
            raise ShapeError(f"mass_kg of {self.id} must be positive and finite; got {self.mass_kg}")
        if not (self.friction >= 0 and math.isfinite(self.friction)):
            raise ShapeError(f"friction of {self.id} must be at least 0 and finite; got {self.friction}")
        n = len(self.gaussians)
        for name, value, shape in (("albedo", self.albedo, (n, 3)), ("confidence", self.confidence, (n,))):
            if value is not None and tuple(value.shape) != shape:
                raise ShapeError(f"{name} of {self.id} must be {shape}; got {tuple(value.shape)}")

    @property
    def title(self) -> str:
        """The name people see."""
        return self.name or self.id

    @property
    def jointed(self) -> bool:
        """Whether it moves along or about a joint."""
        return self.joint is not None and self.mobility == "articulated"

    def points(self) -> Float[np.ndarray, "m 3"]:
        """Points that span the object in its own frame: mesh vertices, else the centres of opaque Gaussians."""
        if self.mesh is not None and len(self.mesh.vertices):
            return self.mesh.vertices
        opaque = self.gaussians.means[self.gaussians.opacities > OPAQUE]
        return (opaque if len(opaque) else self.gaussians.means).detach().cpu().numpy()

    def bounds(self) -> Float[np.ndarray, "2 3"]:
        """Axis-aligned ``[min, max]`` in the world, metres; the bare position when the object is empty."""
        known = _BOUNDS.get(self)
        if known is None:
            points = self.points()
            world = self.world_from_object.apply(points) if len(points) else np.array([self.world_from_object.position])
            known = np.stack([world.min(0), world.max(0)])
            known.flags.writeable = False
            _BOUNDS[self] = known
        return known

    def world_front(self) -> tuple[float, float] | None:
        """The front as a unit direction in the world's xy plane; None without a front or when it points up."""
        if self.front is None:
            return None
        x, y, _ = self.world_from_object.rotate(np.array([*self.front, 0.0]))
        length = math.hypot(x, y)
        return None if length < 1e-6 else (float(x / length), float(y / length))

    def same_as(self, other: SceneObject) -> bool:
        """True when every field is equal bit for bit."""
        return same_bits(self, other)


def same_bits(a: object, b: object) -> bool:
    """True when two values are equal bit for bit: NaN equals itself and 0.0 is not -0.0."""
    if a is b:
        return True
    if isinstance(a, float) and isinstance(b, float):
        return float.hex(a) == float.hex(b)
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return same_bits(a.detach().cpu().numpy(), b.detach().cpu().numpy())
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if is_dataclass(a) and is_dataclass(b):
        return all(same_bits(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(same_bits, a, b))
    return a == b
