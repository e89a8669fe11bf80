"""Splitting an object by a mask over its Gaussians; a selection is data, never a closure."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool
from scipy.spatial import KDTree  # pyright: ignore[reportMissingTypeStubs]
from torch import Tensor

from spatialwm.errors import EditError
from spatialwm.gaussians import transform
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.scene.objects import SceneObject


def cut(body: SceneObject, mask: Bool[Tensor, " n"]) -> tuple[SceneObject, SceneObject]:
    """``(taken, rest)``: the object twice, once with the masked Gaussians and once with the others.

    The exact mesh is divided too: a face goes with the Gaussian nearest to its middle.

    Raises:
        EditError: the mask is not a boolean vector of the object's length.
    """
    n = len(body.gaussians)
    if mask.dtype != torch.bool or tuple(mask.shape) != (n,):
        raise EditError(f"mask of {body.id} must be {n} booleans; got {tuple(mask.shape)} {mask.dtype}")
    keep, changes = ~mask, bool(mask.any())
    mesh_taken, mesh_rest = _cut_mesh(body, mask) if body.mesh is not None else (None, None)

    def part(which: Tensor, mesh: Mesh | None) -> SceneObject:
        return replace(
            body,
            gaussians=body.gaussians.select(which),
            albedo=None if body.albedo is None else body.albedo[which],
            confidence=None if body.confidence is None else body.confidence[which],
            mesh=mesh,
            # Convex pieces of the whole would keep pushing where nothing is any more; physics derives new ones.
            collider=() if changes else body.collider,
            inertia=None if changes else body.inertia,
        )

    return part(mask, mesh_taken), part(keep, mesh_rest)


def move_to_own_frame(body: SceneObject) -> SceneObject:
    """Re-centre the object frame on the middle of the underside, axes along the world, scale 1; nothing moves."""
    low, high = body.bounds()
    foot = Pose((float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2, float(low[2])))
    new_from_old = foot.inverse() @ body.world_from_object
    mesh = body.mesh
    if mesh is not None:
        mesh = replace(mesh, vertices=new_from_old.apply(mesh.vertices).astype(np.float32))
    return replace(body, gaussians=transform(body.gaussians, new_from_old), mesh=mesh, world_from_object=foot)


def _cut_mesh(body: SceneObject, mask: Tensor) -> tuple[Mesh | None, Mesh | None]:
    mesh = body.mesh
    assert mesh is not None
    if not len(mesh.faces) or not len(mask):
        return None, mesh
    middles = mesh.vertices[mesh.faces].mean(1)
    nearest = KDTree(body.gaussians.means.detach().cpu().numpy()).query(middles)[1]
    goes = mask.cpu().numpy()[nearest]
    return _faces(mesh, goes), _faces(mesh, ~goes)


def _faces(mesh: Mesh, keep: np.ndarray) -> Mesh | None:
    if not keep.any():
        return None
    used, faces = np.unique(mesh.faces[keep], return_inverse=True)
    colors = None if mesh.colors is None else mesh.colors[used]
    return Mesh(mesh.vertices[used], faces.reshape(-1, 3), colors)


def inside_box(body: SceneObject, low: Vec3, high: Vec3) -> Bool[Tensor, " n"]:
    """Which of an object's Gaussians have their centre inside a world-aligned box, corners in metres and any order."""
    points = body.world_from_object.apply(body.gaussians.means.detach().cpu().numpy())
    corners = np.sort(np.array([low, high]), axis=0)
    return torch.from_numpy(((points >= corners[0]) & (points <= corners[1])).all(-1))
