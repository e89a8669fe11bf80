"""How deep things are predicted to lie in each other and in the ground: signed distances of convex pieces, by MuJoCo."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import mujoco
import numpy as np
from jaxtyping import Float

from spatialwm.dynamics.decompose import hull
from spatialwm.dynamics.episode import Cast, Episode
from spatialwm.errors import ShapeError
from spatialwm.geometry.se3 import Vec3

Piece = Float[np.ndarray, "_ 3"]
"""Corners of a convex solid in the object's frame, metres."""
Solids = Callable[[Episode], Sequence[Sequence[Piece]]]
"""The convex pieces of each object of an episode, as they truly are."""
_SIDES = 48
"""Of the prism in a cylinder's place: 0.1 mm from round at a radius of 5 cm."""


def hulls(episode: Episode) -> list[list[Piece]]:
    """One hull of its surface samples per object: too full where a shape is hollow, a little too small elsewhere."""
    return [[hull(p).vertices] for p in episode.cast.points]


def box_piece(half: Vec3, position: Vec3 = (0.0, 0.0, 0.0), yaw_rad: float = 0.0) -> Piece:
    """The corners of a box of given half extents."""
    return placed(np.array(list(itertools.product((-1.0, 1.0), repeat=3))) * half, position, yaw_rad)


def cylinder_piece(radius: float, half: float, position: Vec3 = (0.0, 0.0, 0.0)) -> Piece:
    """A prism in an upright cylinder."""
    angle = np.linspace(0, 2 * math.pi, _SIDES, endpoint=False)
    ring = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return placed(np.concatenate([np.c_[ring, np.full(_SIDES, z)] for z in (-half, half)]), position, 0.0)


class Contact:
    """Solids that can be put anywhere, and how deep the deepest pair then is."""

    def __init__(self, cast: Cast, solids: Sequence[Sequence[Piece]], ground_m: float | None = 0.0) -> None:
        """
        Args:
            ground_m: height of the ground; None: there is none.

        Raises:
            ShapeError: not one solid per object, or a piece without volume.
        """
        if len(solids) != len(cast.object_ids):
            raise ShapeError(f"solids are of {len(solids)} objects; the cast has {len(cast.object_ids)}")
        self._pieces = [[np.asarray(p, np.float64) for p in pieces] for pieces in solids]
        self._ground_m = ground_m
        spec = mujoco.MjSpec()
        for i, pieces in enumerate(self._pieces):
            body = spec.worldbody.add_body(name=str(i), mocap=True)
            for j, corners in enumerate(pieces):
                spec.add_mesh(name=f"{i}/{j}", uservert=corners.reshape(-1).tolist())
                body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=f"{i}/{j}", name=f"{i}/{j}")
        try:
            self._model = spec.compile()
        except ValueError as e:
            why = " ".join(str(e).split())
            raise ShapeError(f"a piece is no solid: {why}; give at least 4 corners that are not in a plane") from e
        self._data = mujoco.MjData(self._model)
        owner = self._model.geom_bodyid
        self._pairs = [(a, b) for a, b in itertools.combinations(range(self._model.ngeom), 2) if owner[a] != owner[b]]
        self._mocap = [int(self._model.body_mocapid[self._model.body(str(i)).id]) for i in range(len(self._pieces))]

    def depth_m(self, poses: Float[np.ndarray, "k 7"]) -> float:
        """Of the deepest overlap of two things, or of a thing and the ground; 0 where nothing overlaps."""
        m, d = self._model, self._data
        for i, place in enumerate(self._mocap):
            d.mocap_pos[place], d.mocap_quat[place] = poses[i, :3], poses[i, 3:] / np.linalg.norm(poses[i, 3:])
        mujoco.mj_kinematics(m, d)
        nearest = min((mujoco.mj_geomDistance(m, d, a, b, 0.001, None) for a, b in self._pairs if self._close(a, b)), default=0.0)
        return max(0.0, -nearest, self._ground_depth())

    def _close(self, a: int, b: int) -> bool:
        reach = self._model.geom_rbound[a] + self._model.geom_rbound[b]
        return bool(((self._data.geom_xpos[a] - self._data.geom_xpos[b]) ** 2).sum() < reach * reach)

    def _ground_depth(self) -> float:
        if self._ground_m is None or not self._pieces:
            return 0.0
        lowest = math.inf
        for i, pieces in enumerate(self._pieces):
            body = self._model.body(str(i)).id
            up = self._data.xmat[body].reshape(3, 3)[2]
            lowest = min(lowest, *(float((corners @ up).min() + self._data.xpos[body, 2]) for corners in pieces))
        return self._ground_m - lowest


def placed(corners: Piece, position: Vec3, yaw_rad: float) -> Piece:
    """Turned about the vertical, then shifted."""
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    return corners @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) + np.asarray(position, np.float64)
