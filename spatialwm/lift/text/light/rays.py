"""Rays against all triangles that cast shadows, through Embree, on two threads and more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from spatialwm.lift.text.surface.cores import each

CHUNK = 65536
"""Rays per task; Embree lets go of the interpreter lock, so tasks run side by side."""


class Rays:
    """A ray index over triangle soups, each with its thinness and owner.

    Args:
        soups: per solid (f, 3, 3) world-space corners.
        thinness: per solid, 0 opaque to 1 a sheet.
    """

    def __init__(self, soups: Sequence[np.ndarray], thinness: Sequence[float]) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        corners = np.concatenate(soups).astype(np.float32) if soups else np.zeros((0, 3, 3), np.float32)
        self.solid: Int[np.ndarray, " f"] = np.repeat(np.arange(len(soups)), [len(s) for s in soups])
        self.thin: Float[np.ndarray, " f"] = np.asarray(thinness, np.float32)[self.solid] if soups else np.zeros(0, np.float32)
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.linalg.norm(cross, axis=1)
        self.areas: Float[np.ndarray, " f"] = length / 2
        self.normals: Float[np.ndarray, "f 3"] = cross / (length[:, None] + 1e-20)
        self.centers: Float[np.ndarray, "f 3"] = corners.mean(1)
        self._scene = EmbreeScene()
        self._mesh = TriangleMesh(self._scene, corners) if len(corners) else None

    def __len__(self) -> int:
        return len(self.areas)

    def blocked(
        self, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"], reach: Float[np.ndarray, " n"]
    ) -> Bool[np.ndarray, " n"]:
        """True where something lies on the ray nearer than ``reach``."""
        return self._run(origins, directions, reach, "OCCLUDED") != -1

    def first_hit(self, origins: Float[np.ndarray, "n 3"], directions: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
        """Index of the nearest triangle on each ray, -1 for none."""
        return self._run(origins, directions, None, "INTERSECT")

    def _run(self, origins: np.ndarray, directions: np.ndarray, reach: np.ndarray | None, query: str) -> np.ndarray:
        n = len(origins)
        if self._mesh is None or not n:
            return np.full(n, -1, np.int32)
        f = np.float32
        o, d = np.ascontiguousarray(origins, f), np.ascontiguousarray(directions, f)
        far = None if reach is None else np.ascontiguousarray(reach, f)

        def task(start: int) -> np.ndarray:
            part = slice(start, start + CHUNK)
            if far is None:
                return self._scene.run(o[part], d[part], query=query)
            return self._scene.run(o[part], d[part], dists=far[part].copy(), query=query)

        return np.concatenate(each([partial(task, s) for s in range(0, n, CHUNK)]))
