"""How long a metre is: by the user's own measurement, by the device, by a model, or by the height people hold cameras at."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from spatialwm.errors import EditError
from spatialwm.geometry.se3 import Pose, Vec3, vec3
from spatialwm.scene.scene import ScaleSource, Scene

EYE_HEIGHT_M = 1.6
_EYE_HEIGHT_SIGMA = 0.2
"""People photograph standing, sitting and with raised arms."""
_NO_FLOOR_SIGMA = 0.5
_CLICK_SHARE = 0.005
"""Where no click precision is given: half a percent of the length at each end."""


@dataclass(frozen=True, slots=True)
class KnownLength:
    """A distance that the user measured between two places they clicked.

    Raises:
        EditError: the length or the places cannot tell a scale.
    """

    a: Vec3
    """In the frame of what is to be scaled."""
    b: Vec3
    length_m: float
    click_sigma: float | None = None
    """Standard deviation of each place, in the same unit as the places."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.length_m) and self.length_m > 0):
            raise EditError(f"the known length must be positive metres; got {self.length_m}")
        if not all(map(math.isfinite, (*self.a, *self.b))) or self.apart < 1e-9:
            raise EditError(f"the two ends of a known length must be different places; got {self.a} and {self.b}")
        if self.click_sigma is not None and not (math.isfinite(self.click_sigma) and self.click_sigma >= 0):
            raise EditError(f"click_sigma must be at least 0 and finite; got {self.click_sigma}")

    @property
    def apart(self) -> float:
        """The distance of the two places, in their own unit."""
        return math.dist(self.a, self.b)

    @property
    def metres_per_unit(self) -> float:
        """What every length has to be multiplied by."""
        return self.length_m / self.apart

    @property
    def source(self) -> ScaleSource:
        """Both clicks err independently along the length."""
        click = _CLICK_SHARE * self.apart if self.click_sigma is None else self.click_sigma
        return ScaleSource("measured", math.sqrt(2) * click / self.apart, f"a length of {self.length_m:g} m the user measured")


def metric(
    known: KnownLength | None, stated: ScaleSource, eye_height: float | None, floor_seen: bool
) -> tuple[float, ScaleSource]:
    """Metres per unit of a picture or capture and where that comes from, the most trustworthy first.

    Args:
        stated: what the source of the capture says about its unit.
        eye_height: median height of the cameras above the floor in the capture's unit, where something lies below them.
    """
    if known is not None:
        return known.metres_per_unit, known.source
    if stated.method != "unknown":
        return 1.0, stated
    if eye_height is None or eye_height <= 0:
        return 1.0, ScaleSource("unknown", 1.0, "nothing tells the scale: a unit is taken as a metre; measure a length to fix it")
    sigma = _EYE_HEIGHT_SIGMA if floor_seen else _NO_FLOOR_SIGMA
    below = "floor" if floor_seen else "lowest points, as no floor was seen"
    note = f"cameras are taken to be held {EYE_HEIGHT_M} m above the {below}; measure one length to fix it"
    return EYE_HEIGHT_M / eye_height, ScaleSource("prior", sigma, note)


def fix_scale(scene: Scene, known: KnownLength) -> Scene:
    """The whole scene grown or shrunk about the origin, so that it stays on the floor, until the length is right.

    Objects, the visitor's start, the walkable floor and the room follow; masses follow the volume.

    Raises:
        EditError: the change is beyond what one world can hold.
    """
    k = known.metres_per_unit
    if not 1e-4 <= k <= 1e4:
        raise EditError(
            f"{known.length_m:g} m between places {known.apart:g} apart scale the world by {k:g}; click places further apart"
        )
    grow = Pose(scale=k)
    objects = tuple(
        replace(o, world_from_object=grow @ o.world_from_object, mass_kg=None if o.mass_kg is None else o.mass_kg * k**3)
        for o in scene.objects
    )
    spawn = scene.spawn
    if spawn is not None:
        spawn = replace(spawn, world_from_cam=Pose(vec3(k * v for v in spawn.eye), spawn.world_from_cam.quat))
    room = scene.environment.room
    if room is not None:
        room = (vec3(k * v for v in room[0]), vec3(k * v for v in room[1]))
    return replace(
        scene,
        objects=objects,
        environment=replace(scene.environment, room=room),
        scale=known.source,
        spawn=spawn,
        walkable=tuple((k * x, k * y) for x, y in scene.walkable),
    )
