"""A place before anything stands in it: its shell, its pieces, its light and what lies outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.light.lights import Light
from spatialwm.lift.text.model import Model, Part, Strands
from spatialwm.lift.text.places.shell import Shell
from spatialwm.scene import Environment

Directions = Float[np.ndarray, "n 3"]
Radiance = Float[np.ndarray, "n 3"]


REFERENCE_EXPOSURE = 2.7
"""Exposure for which the emission of surfaces is chosen where the exposure is measured."""


def black(directions: Directions) -> Radiance:
    """No light from outside."""
    return np.zeros(directions.shape, np.float32)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Piece:
    """A part of the place itself (floor, a wall, terrain, the view outside); built in the world frame."""

    id: str
    category: str
    parts: tuple[Part, ...] = ()
    strands: tuple[Strands, ...] = ()
    role: Literal["structure", "backdrop"] = "structure"
    colliders: tuple[Mesh, ...] = ()
    """Convex, world frame."""
    labels: tuple[str, ...] = ()
    color: str | None = None
    material: str | None = None
    friction: float = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An object that has found its place: what a place must know to make room for it."""

    id: str
    kind: str
    low: tuple[float, float]
    high: tuple[float, float]
    """Corners of its footprint in the world's xy plane, metres."""
    extent: tuple[float, float]
    """Width and depth in its own frame, metres."""
    rise_m: tuple[float, float] = (0.0, 0.0)
    """World heights of its lowest and highest point."""
    has_front: bool = False
    world_from_object: Pose = field(default_factory=Pose)
    material: str | None = None
    stated: bool = True
    """False for what was only added to fill the place."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Overlay:
    """Gaussians that no light shaped: a reflection, mist, rain. World frame, display colours."""

    id: str
    category: str
    gaussians: Gaussians
    role: Literal["structure", "backdrop"] = "backdrop"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Place:
    """Everything around the objects. World frame, metres, linear light."""

    shell: Shell
    pieces: tuple[Piece, ...]
    environment: Environment
    lights: tuple[Light, ...] = ()
    sky: Callable[[Directions], Radiance] = black
    """Radiance that rays meet when they leave the scene, also gathered as light."""
    mirrored: Callable[[Directions], Radiance] | None = None
    """What glossy surfaces mirror where rays leave the scene; None: the sky."""
    ceiling_lamp: tuple[Light, ...] = ()
    """Lights switched on only when no object gives light."""
    eyes: Float[np.ndarray, "k 3"]
    """Where a visitor's eye may be; what none of them can ever see is left out of the place's own pieces."""
    exposure: float | None = None
    """Fixed exposure; None measures the lit place. Emission is then taken as made for :data:`REFERENCE_EXPOSURE`, so that a
    window view or a lampshade looks the same however dark the room is."""
    key: float = 0.18
    """Display luminance (linear, 0..1) at which the middle grey of the lit place should land."""
    veil: Callable[[Float[np.ndarray, "n 3"], Radiance], Radiance] | None = None
    """Fog: ``(points, radiance) -> radiance`` as seen from the middle of the walkable area."""
    dress: Callable[[tuple[Standing, ...]], tuple[Piece, ...]] | None = None
    """Further pieces that depend on where things stand: terrain around a lake, grass that spares footprints."""
    finish: Callable[[Gaussians], tuple[Overlay, ...]] | None = None
    """Overlays, made last, from all lit Gaussians in the world frame."""
    fitted: Mapping[str, tuple[Model, Pose]] = field(default_factory=dict)
    """Stated items, by key, that are parts of the shell (its window, its door): what they are built as, and where."""
    spawn: Callable[[Float[np.ndarray, "m 2 3"], Float[np.ndarray, "k 2 3"]], Camera]
    """The establishing view, given the world bounds of the objects that were asked for, and of all others."""
