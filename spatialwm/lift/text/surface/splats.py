"""Surface Gaussians between sampling and lighting: plain arrays, one row a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float, Int

from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.model import Strands


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Splats:
    """n unlit Gaussians; linear light."""

    means: Float[np.ndarray, "n 3"]
    axes: Float[np.ndarray, "n 3 3"]
    """Columns are the directions of the three scales; the last is the surface normal (strands: the length)."""
    scales: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    """Of the surface."""
    shading: Float[np.ndarray, "n 3"]
    """Bumped normals."""
    albedo: Float[np.ndarray, "n 3"]
    emission: Float[np.ndarray, "n 3"]
    gloss: Float[np.ndarray, " n"]
    roughness: Float[np.ndarray, " n"]
    thin: Float[np.ndarray, " n"]
    opacity: Float[np.ndarray, " n"]
    owner: Int[np.ndarray, " n"]
    """Number of the object that they belong to."""

    def __len__(self) -> int:
        return len(self.means)

    def select(self, keep: np.ndarray) -> Splats:
        """Rows under a mask or index."""
        return Splats(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})

    def placed(self, world_from_object: Pose, owner: int) -> Splats:
        """The same in the world, as property of an object."""
        rotation = world_from_object.rotation().astype(np.float32)
        return replace(
            self,
            means=world_from_object.apply(self.means).astype(np.float32),
            axes=rotation @ self.axes,
            scales=self.scales * np.float32(world_from_object.scale),
            normals=self.normals @ rotation.T,
            shading=self.shading @ rotation.T,
            owner=np.full(len(self), owner, np.int32),
        )


def concatenate(items: list[Splats]) -> Splats:
    """All rows in order."""
    return Splats(**{f.name: np.concatenate([getattr(i, f.name) for i in items]) for f in fields(Splats)})


def frames(normals: Float[np.ndarray, "n 3"]) -> tuple[np.ndarray, np.ndarray]:
    """Two unit tangents per unit normal, right-handed with it."""
    n = np.asarray(normals)
    helper = np.where(np.abs(n[:, 2:3]) < 0.9, np.array([[0, 0, 1.0]], n.dtype), np.array([[1.0, 0, 0]], n.dtype))
    t = np.cross(helper, n)
    t /= np.linalg.norm(t, axis=1, keepdims=True) + 1e-12
    return t, np.cross(n, t)


def from_strands(strands: Strands) -> Splats:
    """One long Gaussian each; sigma along it is 0.36 of its length, so that consecutive strands join without beads."""
    f = np.float32
    a, b = np.asarray(strands.roots, f), np.asarray(strands.tips, f)
    d = b - a
    length = np.linalg.norm(d, axis=1)
    t = d / (length[:, None] + 1e-12)
    x, y = frames(t)
    n = len(a)
    normals = np.asarray(strands.normals, f)
    normals = normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12)
    return Splats(
        means=(a + b) / 2,
        axes=np.stack([x, y, t], 2).astype(f),
        scales=np.stack([strands.width_m, strands.width_m, np.maximum(length * 0.36, 1e-4)], 1).astype(f),
        normals=normals,
        shading=normals,
        albedo=np.asarray(strands.albedo, f),
        emission=np.zeros((n, 3), f) if strands.emission is None else np.asarray(strands.emission, f),
        gloss=np.zeros(n, f),
        roughness=np.full(n, 0.4, f),
        thin=np.full(n, strands.thin, f),
        opacity=np.full(n, strands.opacity, f),
        owner=np.zeros(n, np.int32),
    )
