"""Light sources, all in the world frame and linear units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.model import Emitter

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sun:
    """Parallel light from a disc in the sky."""

    direction: Vector
    """Unit, from the scene towards the sun."""
    irradiance: Vector
    """On a surface that faces it."""
    angle_rad: float = 0.012
    """Half angle of the disc; larger is softer."""
    samples: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """A glowing ball."""

    center: Vector
    radius_m: float
    intensity: Vector
    """Radiant intensity (irradiance at one metre)."""
    samples: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Drum:
    """A glowing standing cylinder such as a lampshade; its caps are dark."""

    center: Vector
    radius_m: float
    height_m: float
    intensity: Vector
    samples: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """A rectangle that shines to one side: a window seen from inside, a ceiling panel, a screen."""

    origin: Vector
    edge_u: Vector
    edge_v: Vector
    normal: Vector
    """Unit, the side it shines to."""
    radiance: Vector
    samples: int = 8


Light = Sun | Ball | Drum | Portal


def light_of(emitter: Emitter, world_from_object: Pose) -> Light:
    """An object's emitter, placed in the world."""
    center: Vector = tuple(world_from_object.apply(np.array(emitter.center, np.float64)))  # pyright: ignore[reportAssignmentType]
    radius = emitter.radius_m * world_from_object.scale
    if emitter.height_m > 0:
        height = emitter.height_m * world_from_object.scale
        return Drum(center=center, radius_m=radius, height_m=height, intensity=emitter.power)
    return Ball(center=center, radius_m=radius, intensity=emitter.power)
