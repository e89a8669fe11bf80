"""A whole place at one instant: its objects and surroundings, as one immutable value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float

from spatialwm.errors import EditError, ShapeError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Vec3
from spatialwm.scene.objects import SceneObject, same_bits

if TYPE_CHECKING:
    from spatialwm.scene.edits import Edit

Bounds = tuple[Vec3, Vec3]
"""``(min, max)`` corners in metres."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What surrounds the objects."""

    kind: str | None = None
    """The sort of place, e.g. ``living room``."""
    time: str | None = None
    """e.g. ``dusk``."""
    weather: str | None = None
    """e.g. ``snow``."""
    room: Bounds | None = None
    """Inner faces of the walls, floor and ceiling; None outdoors."""
    background: Vec3 = (0.0, 0.0, 0.0)
    """sRGB in 0..1 behind every Gaussian."""


@dataclass(frozen=True, slots=True)
class ScaleSource:
    """Where the metre comes from."""

    method: Literal["exact", "measured", "model", "prior", "unknown"] = "unknown"
    """By construction, from a user's measurement or device, from a learned model, from a prior, or not known."""
    sigma: float = 1.0
    """Relative standard deviation of every length."""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Scene:
    """Objects in a stable order, and everything that is not an object."""

    objects: tuple[SceneObject, ...] = ()
    environment: Environment = Environment()
    scale: ScaleSource = ScaleSource()
    spawn: Camera | None = None
    """The establishing view, from which a visitor starts; None: frame the bounds."""
    walkable: tuple[tuple[float, float], ...] = ()
    """Convex polygon on the floor within which a visitor may walk, metres; empty: unknown."""
    prompt: str = ""
    unrecognized: tuple[str, ...] = ()
    """Words of the prompt that nothing was made of."""
    unmet: tuple[str, ...] = ()
    """Requests that were understood but could not be satisfied, one sentence each."""
    notes: tuple[str, ...] = ()
    """Facts about how it was made that a user should know, one sentence each: a held-out score, the source of the metre."""

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for o in self.objects:
            if o.id in seen:
                raise ShapeError(f"two objects share the id {o.id!r}; ids must be unique in a scene")
            seen.add(o.id)

    def __getitem__(self, object_id: str) -> SceneObject:
        """The object of that id.

        Raises:
            EditError: there is none; the message lists close ids.
        """
        for o in self.objects:
            if o.id == object_id:
                return o
        things = [o.id for o in self.objects if o.role == "object"] or [o.id for o in self.objects]
        raise EditError(f"no object {object_id!r} in this scene; there are: {', '.join(things) or 'none'}")

    def __contains__(self, object_id: str) -> bool:
        return any(o.id == object_id for o in self.objects)

    def __len__(self) -> int:
        """Number of Gaussians."""
        return sum(len(o.gaussians) for o in self.objects)

    def apply(self, edit: Edit) -> Scene:
        """The scene after an edit; shares every object that did not change."""
        return edit.apply(self)

    def with_objects(self, changed: Iterable[SceneObject]) -> Scene:
        """Replace objects by id, in place; unknown ids are appended."""
        new = {o.id: o for o in changed}
        kept = tuple(new.pop(o.id, o) for o in self.objects)
        return replace(self, objects=kept + tuple(new.values()))

    def without(self, object_id: str) -> Scene:
        """Without one object."""
        gone = self[object_id]
        return replace(self, objects=tuple(o for o in self.objects if o is not gone))

    def new_id(self, category: str) -> str:
        """The lowest free ``category-n``."""
        stem = "-".join(category.lower().split()) or "object"
        n = 1
        while f"{stem}-{n}" in self:
            n += 1
        return f"{stem}-{n}"

    def bounds(self) -> Float[np.ndarray, "2 3"]:
        """Axis-aligned ``[min, max]`` of everything but the backdrop, metres."""
        boxes = [o.bounds() for o in self.objects if o.role != "backdrop" and len(o.points())]
        if not boxes:
            return np.zeros((2, 3))
        return np.stack([np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)])

    def same_as(self, other: Scene) -> bool:
        """True when every field of every object is equal bit for bit."""
        return same_bits(self, other)
