"""Triangle meshes as frozen numpy values, because every mesh consumer (trimesh, MuJoCo, Embree) is numpy."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from spatialwm.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Mesh:
    """Triangles with optional per-vertex colour, compared by identity."""

    vertices: Float[np.ndarray, "v 3"]
    """float32, metres, in the owner's frame."""
    faces: Int[np.ndarray, "f 3"]
    """int32 vertex indices, counter-clockwise seen from outside."""
    colors: Float[np.ndarray, "v 3"] | None = None
    """float32 sRGB base colour in 0..1, without light."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", _frozen(self.vertices, np.float32))
        object.__setattr__(self, "faces", _frozen(self.faces, np.int32))
        if self.colors is not None:
            object.__setattr__(self, "colors", _frozen(self.colors, np.float32))
        if self.vertices.ndim != 2 or self.vertices.shape[1] != 3:
            raise ShapeError(f"mesh vertices must be (v, 3); got {self.vertices.shape}")
        if self.faces.ndim != 2 or self.faces.shape[1] != 3:
            raise ShapeError(f"mesh faces must be (f, 3); got {self.faces.shape}")
        if self.colors is not None and self.colors.shape != self.vertices.shape:
            raise ShapeError(f"mesh colors must be {self.vertices.shape}; got {self.colors.shape}")
        if not np.isfinite(self.vertices).all():
            raise ShapeError("mesh vertices hold NaN or infinite values")
        if len(self.faces) and (self.faces.min() < 0 or self.faces.max() >= len(self.vertices)):
            raise ShapeError(f"mesh faces index past the {len(self.vertices)} vertices")

    def bounds(self) -> Float[np.ndarray, "2 3"]:
        """``[min, max]`` corner; zeros for an empty mesh."""
        if not len(self.vertices):
            return np.zeros((2, 3), np.float32)
        return np.stack([self.vertices.min(0), self.vertices.max(0)])


def concatenate(meshes: list[Mesh]) -> Mesh:
    """One mesh of all triangles; colours are kept when every part has them."""
    if not meshes:
        return Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))
    offsets = np.cumsum([0, *[len(m.vertices) for m in meshes[:-1]]])
    colors = [m.colors for m in meshes if m.colors is not None]
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + o for m, o in zip(meshes, offsets, strict=True)]),
        np.concatenate(colors) if len(colors) == len(meshes) else None,
    )


def _frozen(array: np.ndarray, dtype: type) -> np.ndarray:
    out = np.ascontiguousarray(array, dtype)
    if out is array and array.flags.writeable:
        out = array.copy()
    out.flags.writeable = False
    return out
