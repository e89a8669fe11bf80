"""Bodies to push about, made of exact meshes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import trimesh

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.scene import SceneObject


def _object(object_id: str, at: Vec3, *parts: trimesh.Trimesh, **fields: Any) -> SceneObject:
    solid = trimesh.util.concatenate(list(parts))
    one = Gaussians.from_numpy(
        np.zeros((1, 3)), np.array([[1.0, 0, 0, 0]]), np.full((1, 3), 0.01), np.ones(1), rgb=np.full((1, 3), 0.5)
    )
    return SceneObject(
        id=object_id, category=object_id.split("-")[0], gaussians=one, mesh=Mesh(solid.vertices, solid.faces),
        world_from_object=Pose((float(at[0]), float(at[1]), float(at[2]))), **fields,
    )  # fmt: skip


def box(object_id: str, size: Vec3, at: Vec3, **fields: Any) -> SceneObject:
    """A box whose origin is its middle."""
    return _object(object_id, at, trimesh.creation.box(size), **fields)


def table(object_id: str = "table-1", at: Vec3 = (0.0, 0.0, 0.0), **fields: Any) -> SceneObject:
    """1.2 x 0.8 m, top at 0.75 m, on four legs."""
    parts = [trimesh.creation.box((1.2, 0.8, 0.04)).apply_translation((0, 0, 0.73))]
    legs = [(x, y) for x in (-0.55, 0.55) for y in (-0.35, 0.35)]
    parts += [trimesh.creation.box((0.05, 0.05, 0.71)).apply_translation((x, y, 0.355)) for x, y in legs]
    return _object(object_id, at, *parts, material="wood", **fields)


def mug(object_id: str, at: Vec3, **fields: Any) -> SceneObject:
    """10 cm high, open at the top; the origin is its middle."""
    wall = trimesh.creation.annulus(0.035, 0.04, 0.1)
    base = trimesh.creation.cylinder(0.04, 0.006).apply_translation((0, 0, -0.047))
    return _object(object_id, at, wall, base, material="ceramic", **fields)


def wall(object_id: str, size: Vec3, at: Vec3) -> SceneObject:
    """A part of the place."""
    return box(object_id, size, at, role="structure", mobility="static")


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Builders of test bodies."""
    return SimpleNamespace(assembled=_object, box=box, table=table, mug=mug, wall=wall)
