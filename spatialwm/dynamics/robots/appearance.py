"""Gaussians of a robot's link: its visual shapes sampled where they can be seen, coloured and softly lit."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from dataclasses import dataclass

import mujoco
import numpy as np
import torch
import trimesh
from jaxtyping import Float
from scipy.spatial import cKDTree  # pyright: ignore[reportAttributeAccessIssue]

from spatialwm.dynamics.surface import area_of, samples_of
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.color import linear_to_srgb, srgb_to_linear
from spatialwm.geometry.mesh import Mesh, concatenate
from spatialwm.geometry.se3 import Pose

RAYS = 24
"""Per sample; those that leave the link tell whether it is seen and how much light of the sky reaches it."""
OVERSAMPLING = 5
"""Samples drawn for each that is kept: slivers of CAD meshes leave gaps at rims otherwise."""
_LIGHT = np.array([0.35, -0.45, 0.82])
_PLAIN = np.array([0.5, 0.5, 0.5, 1.0], np.float32)
"""What MuJoCo gives a geom that names no colour; its material then counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a link looks."""

    gaussians: Gaussians
    albedo: torch.Tensor
    mesh: Mesh


def look_of(model: mujoco.MjModel, geoms: list[int], link_from_geom: list[Pose], up: np.ndarray, spacing_m: float) -> Look:
    """The look of a link.

    Args:
        geoms: its visual shapes.
        up: rotation from the link to the world in which it is lit.
        spacing_m: distance of neighbouring samples.
    """
    points, normals, colors = [np.zeros((0, 3))], [np.zeros((0, 3))], [np.zeros((0, 3))]
    meshes: list[Mesh] = []
    for geom, pose in zip(geoms, link_from_geom, strict=True):
        samples = samples_of(model, geom, math.ceil(OVERSAMPLING * area_of(model, geom) / spacing_m**2))
        even = _evenly(samples.points, samples.normals, spacing_m)
        points.append(pose.apply(samples.points[even]))
        normals.append(pose.rotate(samples.normals[even]))
        colors.append(_colors(model, geom, len(samples.points), samples.texcoords)[even])
        meshes.append(_mesh_of(model, geom, pose))
    mesh = concatenate([m for m in meshes if len(m.faces)])
    where, facing, albedo = np.concatenate(points), np.concatenate(normals), np.concatenate(colors)
    sky = _openness(mesh, where, facing, spacing_m) if len(mesh.faces) else np.ones(len(where))
    seen = sky > 1 / RAYS  # a single ray may have slipped through a seam between two meshes
    where, facing, albedo, sky = where[seen], facing[seen], albedo[seen], _smooth(where[seen], facing[seen], sky[seen])
    return Look(_discs(where, facing, _lit(albedo, facing @ up.T, sky), spacing_m), torch.from_numpy(albedo).float(), mesh)


def shown(model: mujoco.MjModel, geoms: list[int], is_urdf: bool) -> list[int]:
    """Which shapes of a link are there to be seen: groups 0 to 2, not transparent; of a URDF those that do not collide."""
    out = [g for g in geoms if int(model.geom_group[g]) <= 2 and _rgba(model, g)[3] > 0.05 and area_of(model, g) > 0]
    quiet = [g for g in out if not (model.geom_contype[g] or model.geom_conaffinity[g])]
    return quiet if is_urdf and quiet else out


def _rgba(model: mujoco.MjModel, geom: int) -> np.ndarray:
    material = int(model.geom_matid[geom])
    own = model.geom_rgba[geom]
    return model.mat_rgba[material] if material >= 0 and np.array_equal(own, _PLAIN) else own


def _evenly(points: np.ndarray, normals: np.ndarray, spacing_m: float) -> np.ndarray:
    """Indices of one sample for each cell of a grid and main direction: the one nearest to the middle of the cell."""
    at = points / (0.9 * spacing_m)
    side = np.abs(normals).argmax(1) * 2 + (normals[np.arange(len(normals)), np.abs(normals).argmax(1)] > 0)
    off = np.linalg.norm(at - np.floor(at) - 0.5, axis=1)
    nearest_first = np.argsort(off, kind="stable")
    cells = np.c_[np.floor(at).astype(np.int64), side][nearest_first]
    return np.sort(nearest_first[np.unique(cells, axis=0, return_index=True)[1]])


def _colors(model: mujoco.MjModel, geom: int, count: int, texcoords: np.ndarray | None) -> Float[np.ndarray, "n 3"]:
    plain = np.tile(_rgba(model, geom)[:3].astype(np.float64), (count, 1))
    material = int(model.geom_matid[geom])
    # A material has one texture for each role (colour, roughness, normals and more): only one of them is its colour.
    role = int(mujoco.mjtTextureRole.mjTEXROLE_RGB)
    texture = int(model.mat_texid[material, role]) if material >= 0 else -1
    if texture < 0:
        return plain.clip(0, 1)
    rows, cols, channels = (int(a[texture]) for a in (model.tex_height, model.tex_width, model.tex_nchannel))
    first = int(model.tex_adr[texture])
    image = model.tex_data[first : first + rows * cols * channels].reshape(rows, cols, channels)[..., :3] / 255.0
    if channels < 3:
        image = np.repeat(image[..., :1], 3, axis=-1)
    if texcoords is None or int(model.tex_type[texture]) != int(mujoco.mjtTexture.mjTEXTURE_2D):
        return (plain * image.reshape(-1, 3).mean(0)).clip(0, 1)
    at = np.mod(texcoords * model.mat_texrepeat[material], 1.0) * (cols, rows)
    return (plain * image[np.minimum(at[:, 1].astype(int), rows - 1), np.minimum(at[:, 0].astype(int), cols - 1)]).clip(0, 1)


def _mesh_of(model: mujoco.MjModel, geom: int, pose: Pose) -> Mesh:
    if int(model.geom_type[geom]) == int(mujoco.mjtGeom.mjGEOM_MESH):
        mesh = int(model.geom_dataid[geom])
        v, n = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
        f, k = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
        vertices, faces = model.mesh_vert[v : v + n], model.mesh_face[f : f + k]
    else:
        solid = trimesh.convex.convex_hull(samples_of(model, geom, 600).points)
        vertices, faces = np.asarray(solid.vertices), np.asarray(solid.faces)
    colors = np.tile(_colors(model, geom, 1, None), (len(vertices), 1))
    return Mesh(pose.apply(vertices).astype(np.float32), faces.astype(np.int32), colors.astype(np.float32))


def _openness(mesh: Mesh, points: np.ndarray, normals: np.ndarray, spacing_m: float) -> Float[np.ndarray, " n"]:
    """Share of the hemisphere over each sample that the link itself does not cover; 0 for what nobody can see.

    Two in three samples of a robot lie inside it: motors in their brackets, the undersides of shells.
    """
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    i = np.arange(RAYS)
    height = np.sqrt(1 - (i + 0.5) / RAYS)  # by the cosine, as light falls
    angle = i * math.pi * (3 - math.sqrt(5))
    ring = np.sqrt(1 - height**2)
    helper = np.where(np.abs(normals[:, :1]) > 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    u = np.cross(normals, helper)
    u /= np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-12)
    v = np.cross(normals, u)
    open_rays = np.zeros(len(points))
    start = points + normals * min(3e-4, 0.2 * spacing_m)
    for h, a, r in zip(height, angle, ring, strict=True):
        direction = h * normals + r * (math.cos(a) * u + math.sin(a) * v)
        open_rays += ~surface.ray.intersects_any(start, direction)
    return open_rays / RAYS


def _smooth(points: np.ndarray, normals: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Means over neighbours that face the same way: few rays make noisy light, which looks like pits in the surface."""
    if len(points) < 2:
        return values
    features = np.c_[points, normals * 0.02]
    _, near = cKDTree(features).query(features, k=min(12, len(points)))
    return values[near].mean(1)


def _lit(albedo: np.ndarray, normals: np.ndarray, sky: np.ndarray) -> np.ndarray:
    light = (0.2 + 0.8 * sky) * (0.5 + 0.2 * normals[:, 2]) + 0.45 * np.maximum(normals @ (_LIGHT / np.linalg.norm(_LIGHT)), 0)
    return linear_to_srgb((srgb_to_linear(albedo.astype(np.float32)) * light[:, None]).clip(0, 1).astype(np.float32))


def _discs(points: np.ndarray, normals: np.ndarray, rgb: np.ndarray, spacing_m: float) -> Gaussians:
    turn = np.c_[1 + normals[:, 2], -normals[:, 1], normals[:, 0], np.zeros(len(normals))]  # from +Z to the normal
    turn[np.linalg.norm(turn, axis=1) < 1e-6] = (0, 1, 0, 0)
    turn /= np.linalg.norm(turn, axis=1, keepdims=True)
    scales = np.tile(np.array([0.8, 0.8, 0.08]) * spacing_m, (len(points), 1))
    return Gaussians.from_numpy(points, turn, scales, np.full(len(points), 0.97), rgb=rgb.astype(np.float64))
