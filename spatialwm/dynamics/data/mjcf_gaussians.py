"""Any compiled MuJoCo model as Gaussians: one static template, and one pose for each of its rigid groups and steps.

Nothing is rendered: surfaces are sampled, coloured as MuJoCo would colour them, and what no eye can reach is left out.
"""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
import torch
import trimesh
from jaxtyping import Bool, Float, Int

from spatialwm.dynamics.data import mjcf_surfaces as surfaces
from spatialwm.dynamics.episode import Cast
from spatialwm.errors import DataError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.se3 import quat_multiply, quat_to_matrix

PLANE_HALF_M = 0.6
"""Half the side of what is sampled of an endless floor."""
THICKNESS = 0.1
"""Of a disc, in its radii."""
_SIGHT_LINES = 32
"""Directions in which a point looks for the open."""
_OPEN_M = 1e-4
"""A look begins this far outside the surface, so that it does not meet the surface itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Gaussians of a model, each in the frame of its rigid group: what moves together is one group (``body_weldid``)."""

    gaussians: Gaussians
    normals: Float[np.ndarray, "n 3"]
    groups: Int[np.ndarray, " n"]
    """Which of ``bodies`` a Gaussian belongs to."""
    bodies: Int[np.ndarray, " k"]
    """The body of the model whose frame a group has; 0 is the world, where it has anything to show."""
    names: tuple[str, ...]
    hidden: float
    """Share of the samples that nothing outside could see, and that are not here."""

    def poses(self, data: mujoco.MjData) -> Float[np.ndarray, "k 7"]:
        """World from group, xyz + wxyz."""
        return np.concatenate([data.xpos[self.bodies], data.xquat[self.bodies]], 1).astype(np.float32)

    def velocities(self, model: mujoco.MjModel, data: mujoco.MjData) -> Float[np.ndarray, "k 6"]:
        """Linear m/s of the groups' origins, then angular rad/s, along world axes."""
        out, one = np.zeros((len(self.bodies), 6), np.float32), np.zeros(6)
        for i, body in enumerate(self.bodies):
            # Of the body frame (XBODY): BODY would be the centre of mass, whose velocity belongs to another point.
            mujoco.mj_objectVelocity(model, data, int(mujoco.mjtObj.mjOBJ_XBODY), int(body), one, 0)
            out[i, :3], out[i, 3:] = one[3:], one[:3]
        return out

    def posed(self, poses: Float[np.ndarray, "k 7"]) -> Gaussians:
        """All Gaussians in the world."""
        frames = torch.from_numpy(np.asarray(poses, np.float32))[torch.from_numpy(self.groups)]
        g = self.gaussians
        means = (quat_to_matrix(frames[:, 3:]) @ g.means[:, :, None])[:, :, 0] + frames[:, :3]
        return Gaussians(means, quat_multiply(frames[:, 3:], g.quats), g.scales, g.opacities, g.sh)


def template_of(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    count: int = 4096,
    *,
    least: int = 128,
    boost: Mapping[int, float] | None = None,
    visible_groups: Sequence[int] = (0, 1, 2),
    plane_half_m: float = PLANE_HALF_M,
    seed: int = 0,
) -> Template:
    """Gaussians of everything that is seen.

    Args:
        data: says how things stand while visibility is decided; what hides behind a thing that may move is kept.
        count: how many, about; shared out by the root of each geom's area, lest floors take all.
        least: no movable group gets fewer.
        boost: factors on the area by body of the group, for small things that matter.
        visible_groups: geom groups that MuJoCo's own viewer shows; the others are colliders.
        plane_half_m: half the side of what is sampled of an endless plane.

    Raises:
        DataError: nothing in the model can be seen.
    """
    rng = np.random.default_rng(seed)
    weld = np.asarray(model.body_weldid)[np.asarray(model.geom_bodyid)]
    shown = [
        g for g in range(model.ngeom)
        if int(model.geom_group[g]) in visible_groups and surfaces.alpha(model, g) > 0.05
        and int(model.geom_type[g]) in surfaces.KINDS and surfaces.area(model, g, plane_half_m) > 0
    ]  # fmt: skip
    if not shown:
        raise DataError(f"nothing of the model can be seen in its geom groups {', '.join(map(str, visible_groups))}")
    mujoco.mj_kinematics(model, data)
    solids = _solids(model, shown, weld)
    areas = np.array([surfaces.area(model, g, plane_half_m) for g in shown])
    shares = _shares(areas, weld[shown], count, least, boost or {})
    parts, hidden = [], 0.0
    for geom, geom_area, share in zip(shown, areas, shares, strict=True):
        # Three times as many as are wanted, since two of three of a robot's samples lie inside it.
        samples = surfaces.sample(model, geom, 3 * int(share), rng, plane_half_m)
        points, normals = _in_group(model, geom, weld, samples)
        seen = _open(points, normals, solids[int(weld[geom])], rng)
        hidden += (1 - seen.mean()) * len(points)
        kept = np.flatnonzero(seen)[:share]
        if not len(kept):
            continue
        radius = np.sqrt(geom_area * seen.mean() / len(kept) / np.pi) * 1.2
        color = surfaces.colors(model, geom, samples)
        parts.append((points[kept], normals[kept], np.full(len(kept), radius), color[kept], np.full(len(kept), weld[geom])))
    points, normals, radii, rgb, body = (np.concatenate(column) for column in zip(*parts, strict=True))
    bodies, groups = np.unique(body, return_inverse=True)
    gaussians = Gaussians.from_numpy(
        points, _facing(normals), radii[:, None] * [1, 1, THICKNESS], np.full(len(points), 0.95), rgb=rgb
    )
    names = tuple(model.body(int(b)).name or f"body-{b}" for b in bodies)
    return Template(gaussians, normals.astype(np.float32), groups.astype(np.int64), bodies, names, hidden / (3 * shares.sum()))


def cast_of(
    template: Template,
    model: mujoco.MjModel,
    objects: Sequence[int],
    parts: Sequence[int],
    points_each: int = 128,
    seed: int = 0,
) -> Cast:
    """The template as models take it, the same number of points for each body.

    Args:
        objects, parts: indices into ``template.bodies``: what is acted upon, and what acts.

    Raises:
        DataError: an index of no group.
    """
    rng = np.random.default_rng(seed)
    bad = [i for i in (*objects, *parts) if not 0 <= i < len(template.bodies)]
    if bad:
        raise DataError(f"the template has {len(template.bodies)} groups; there is no group {bad[0]}")
    means, rgb = template.gaussians.means.numpy(), template.gaussians.rgb.numpy().clip(0, 1)

    def chosen(group: int) -> np.ndarray:
        mine = np.flatnonzero(template.groups == group)
        return rng.choice(mine, points_each, replace=len(mine) < points_each)

    picks = np.array([chosen(i) for i in objects], np.int64).reshape(len(objects), points_each)
    actor = np.array([chosen(i) for i in parts], np.int64).reshape(len(parts), points_each)
    masses = np.array([_group_mass(model, int(template.bodies[i])) for i in objects])
    frictions = np.array([_group_friction(model, int(template.bodies[i])) for i in objects])
    return Cast(
        tuple(template.names[i] for i in objects), means[picks], template.normals[picks], rgb[picks],
        tuple(template.names[i] for i in parts), means[actor], masses, frictions,
    )  # fmt: skip


def _shares(areas: np.ndarray, weld: np.ndarray, count: int, least: int, boost: Mapping[int, float]) -> np.ndarray:
    weights = np.sqrt(areas * [boost.get(int(b), 1.0) for b in weld])
    shares = np.maximum(8, np.round(count * weights / weights.sum())).astype(int)
    for body in np.unique(weld[weld > 0]):
        mine = weld == body
        total = shares[mine].sum()
        if total < least:
            shares[mine] = np.ceil(shares[mine] * least / total).astype(int)
    return shares


def _in_group(
    model: mujoco.MjModel, geom: int, weld: np.ndarray, samples: surfaces.Samples
) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals in the frame of the geom's group."""
    rotation, position = _group_from_geom(model, geom, int(weld[geom]))
    return samples.points @ rotation.T + position, samples.normals @ rotation.T


def _group_from_geom(model: mujoco.MjModel, geom: int, group: int) -> tuple[np.ndarray, np.ndarray]:
    rotation, position = _matrix(model.geom_quat[geom]), np.array(model.geom_pos[geom])
    body = int(model.geom_bodyid[geom])
    while body != group:
        turn = _matrix(model.body_quat[body])
        rotation, position = turn @ rotation, turn @ position + model.body_pos[body]
        body = int(model.body_parentid[body])
    return rotation, position


def _solids(model: mujoco.MjModel, shown: Sequence[int], weld: np.ndarray) -> dict[int, trimesh.Trimesh]:
    """By group, all that can hide its own points whatever the joints do: the shapes that move with it."""
    meshes: dict[int, list[trimesh.Trimesh]] = {}
    for geom in shown:
        solid = _solid(model, geom)
        if solid is not None and surfaces.alpha(model, geom) > 0.95:
            rotation, position = _group_from_geom(model, geom, int(weld[geom]))
            frame = np.eye(4)
            frame[:3, :3], frame[:3, 3] = rotation, position
            meshes.setdefault(int(weld[geom]), []).append(solid.apply_transform(frame))
        meshes.setdefault(int(weld[geom]), [])
    return {g: _together(m) for g, m in meshes.items()}


def _together(solids: list[trimesh.Trimesh]) -> trimesh.Trimesh:
    starts = np.cumsum([0, *[len(s.vertices) for s in solids]])
    vertices = [np.asarray(s.vertices) for s in solids]
    faces = [np.asarray(s.faces) + start for s, start in zip(solids, starts[:-1], strict=True)]
    none = np.zeros((0, 3))
    return trimesh.Trimesh(np.concatenate([none, *vertices]), np.concatenate([none.astype(int), *faces]), process=False)


def _solid(model: mujoco.MjModel, geom: int) -> trimesh.Trimesh | None:
    kind, size = int(model.geom_type[geom]), np.asarray(model.geom_size[geom], np.float64)
    corners = surfaces.triangles(model, geom)
    if corners is not None:
        return trimesh.Trimesh(corners.reshape(-1, 3), np.arange(len(corners) * 3).reshape(-1, 3), process=False)
    if kind == surfaces.BOX:
        return trimesh.creation.box(2 * size)
    if kind == surfaces.CYLINDER:
        return trimesh.creation.cylinder(size[0], 2 * size[1], sections=24)
    if kind == surfaces.CAPSULE:
        return trimesh.creation.capsule(2 * size[1], size[0], count=[16, 16])
    if kind in (surfaces.SPHERE, surfaces.ELLIPSOID):
        ball = trimesh.creation.icosphere(2)
        return ball.apply_scale(size if kind == surfaces.ELLIPSOID else size[0])
    return None


def _open(points: np.ndarray, normals: np.ndarray, solid: trimesh.Trimesh, rng: np.random.Generator) -> Bool[np.ndarray, " n"]:
    """Which points see the open past everything that moves with them, in at least one of some directions about their normal.

    Curved surfaces are a little larger than the facets that stand for them here, and a mesh's normals may point inwards, so a
    point is looked from on both sides where one is not open.
    """
    seen = np.zeros(len(points), bool)
    if not len(solid.faces):
        return ~seen
    from trimesh.ray.ray_pyembree import RayMeshIntersector

    caster = RayMeshIntersector(solid)
    for side in (1.0, -1.0):
        for _ in range(_SIGHT_LINES // 2):
            left = np.flatnonzero(~seen)
            if not len(left):
                return seen
            out = side * normals[left]
            directions = rng.normal(size=(len(left), 3))
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
            directions = 0.98 * directions + out
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
            seen[left] = ~caster.intersects_any(points[left] + out * _OPEN_M, directions)
    return seen


def _facing(normals: np.ndarray) -> np.ndarray:
    """Unit wxyz that turn +Z into each normal."""
    quats = np.c_[1 + normals[:, 2], -normals[:, 1], normals[:, 0], np.zeros(len(normals))]
    quats[normals[:, 2] < -1 + 1e-9] = [0, 1, 0, 0]
    return quats / np.linalg.norm(quats, axis=1, keepdims=True)


def _matrix(quat: np.ndarray) -> np.ndarray:
    out = np.zeros(9)
    mujoco.mju_quat2Mat(out, np.asarray(quat, np.float64))
    return out.reshape(3, 3)


def _group_mass(model: mujoco.MjModel, group: int) -> float:
    return float(np.asarray(model.body_mass)[np.asarray(model.body_weldid) == group].sum())


def _group_friction(model: mujoco.MjModel, group: int) -> float:
    mine = (np.asarray(model.body_weldid)[np.asarray(model.geom_bodyid)] == group) & (np.asarray(model.geom_contype) > 0)
    return float(np.asarray(model.geom_friction)[mine, 0].max(initial=0.0))
