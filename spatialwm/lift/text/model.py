"""What a parametric kind builds: solids with materials, in the object's own frame, before any light.

Object frame: +Z up, metres, origin at the middle of the underside, the front looks along -Y.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

Array = np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """Triangles with texture-space coordinates, so that a material stays put when the solid is moved."""

    vertices: Float[Array, "v 3"]
    """float64 metres."""
    faces: Int[Array, "f 3"]
    """int64, counter-clockwise from outside."""
    texture: Float[Array, "v 3"]
    """float64; the vertices as they were when the solid was made, unless a maker chose otherwise."""

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Solid:
        """Shifted; the texture moves along."""
        return replace(self, vertices=self.vertices + (x, y, z))

    def turned(self, angle_deg: float, axis: str = "z") -> Solid:
        """Rotated about a coordinate axis through the origin."""
        i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
        c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        rotation = np.eye(3)
        rotation[i, i] = rotation[j, j] = c
        rotation[i, j], rotation[j, i] = -s, s
        return replace(self, vertices=self.vertices @ rotation.T)

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> Solid:
        """Scaled about the origin; one number scales uniformly."""
        return replace(self, vertices=self.vertices * (x, x if y is None else y, x if z is None else z))

    def retextured(self, offset: tuple[float, float, float] | None = None) -> Solid:
        """Texture coordinates taken anew from the present vertices, or the old ones shifted by ``offset``."""
        return replace(self, texture=self.vertices.copy() if offset is None else self.texture + offset)


@dataclass(frozen=True, slots=True, eq=False)
class Surfels:
    """Points on a surface at which a material is asked how it looks."""

    texture: Float[Array, "n 3"]
    points: Float[Array, "n 3"]
    """Metres, object frame (the world frame for a place's own shell)."""
    normals: Float[Array, "n 3"]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A material's answer; everything but the albedo may be left out. Linear light, never sRGB."""

    albedo: Float[Array, "n 3"]
    height_m: Float[Array, " n"] | None = None
    """Bump displacement along the normal."""
    gloss: Float[Array, " n"] | None = None
    """0..1 strength of the clear coat."""
    roughness: Float[Array, " n"] | None = None
    emission: Float[Array, "n 3"] | None = None
    """Radiance it gives off."""


Material = Callable[[Surfels], Look]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Part:
    """One solid of one material, and how finely it deserves to be covered."""

    name: str
    solid: Solid
    material: Material
    spacing_m: float
    """Wanted distance between Gaussians at standard quality."""
    smooth: bool = True
    """Shade with vertex normals; False keeps creases."""
    thin: float = 0.0
    """0 opaque; 1 a sheet that light passes (leaf, curtain, lampshade)."""
    casts_shadow: bool = True
    emits: bool = False
    """Its emission is only seen, it lights nothing by itself (a lamp's light comes from its :class:`Emitter`)."""
    opacity: float = 0.97
    """0: never drawn, but still throws its shadow (a stand-in for a crown of leaves)."""
    collides: bool = True


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Strands:
    """Thin things drawn as one long Gaussian each: needles, grass, fringe, fur, flames."""

    roots: Float[Array, "n 3"]
    tips: Float[Array, "n 3"]
    width_m: Float[Array, " n"]
    albedo: Float[Array, "n 3"]
    """Linear."""
    normals: Float[Array, "n 3"]
    """Directions they are shaded with."""
    emission: Float[Array, "n 3"] | None = None
    opacity: float = 0.95
    thin: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitter:
    """A light that belongs to an object: a ball, or a standing cylinder when it has a height."""

    center: tuple[float, float, float]
    radius_m: float
    height_m: float = 0.0
    power: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Linear RGB radiant intensity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A level place on which other things may stand."""

    z: float
    low: tuple[float, float]
    high: tuple[float, float]
    """Corners in the object's xy plane, metres."""
    clearance_m: float = 10.0
    """Free height above it."""
    name: str = "top"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Model:
    """A built object, waiting for a pose and light."""

    kind: str
    parts: tuple[Part, ...]
    strands: tuple[Strands, ...] = ()
    emitters: tuple[Emitter, ...] = ()
    surfaces: tuple[Surface, ...] = ()
    has_front: bool = False
    mass_kg: float = 1.0
    friction: float = 0.6
    color: str | None = None
    """What was made, as a word or ``#rrggbb``; honours the request where the kind can."""
    material: str | None = None
    movable: bool = True
    """False: physics keeps it where it is (a tree, a cabin, a wall lamp)."""

    def bounds(self) -> Float[Array, "2 3"]:
        """``[min, max]`` of all solids and strands in the object frame."""
        points = [p.solid.vertices for p in self.parts] + [a for s in self.strands for a in (s.roots, s.tips)]
        stacked = np.concatenate(points)
        return np.stack([stacked.min(0), stacked.max(0)])
