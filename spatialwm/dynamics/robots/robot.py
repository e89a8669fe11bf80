"""A robot as objects of a scene: its base stands still, every link hangs on its joint and is held by its motor."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import mujoco
import numpy as np

from spatialwm.dynamics.decompose import ConvexPiece, convex_pieces, hull
from spatialwm.dynamics.robots.appearance import look_of, shown
from spatialwm.dynamics.robots.description import Description, read_description
from spatialwm.dynamics.robots.motors import GRIPPER_WORDS
from spatialwm.dynamics.surface import area_of, samples_of
from spatialwm.errors import FormatError, SpatialwmError
from spatialwm.geometry.se3 import Pose, Vec3
from spatialwm.progress import Progress, silent
from spatialwm.scene import Drive, Inertia, Joint, Scene, SceneObject, edits
from spatialwm.scene.articulation import moved

SAMPLES = 150_000
"""Surface samples of the whole robot before those inside it are dropped; two in three are."""
FINGER_POCKET_M = 0.008
"""Hollows of a gripper that matter: what it takes goes in there."""
_SAG_RAD, _STIFFEST_HZ = 0.01, 16.0


@dataclass(frozen=True, slots=True, eq=False)
class Robot:
    """The links of a robot; the first is the base, whose id is the robot's."""

    links: tuple[SceneObject, ...]
    notes: tuple[str, ...]
    """What its file says that the scene does not have, one sentence each."""

    @property
    def insertion(self) -> edits.InsertAll:
        """The edit that puts it into a scene."""
        return edits.InsertAll(self.links)


def load_robot(
    path: Path,
    robot_id: str,
    at: Pose = Pose(),
    positions: Mapping[str, float] | None = None,
    samples: int = SAMPLES,
    progress: Progress = silent,
) -> Robot:
    """A robot from MJCF or URDF.

    Motors are those of the file that hold positions. Joints without such a motor get one that is stiff enough to hold the
    links behind it, because a URDF has none. Motors hold against gravity through their stiffness alone.

    Args:
        robot_id: id of the base; links are called ``ROBOT-LINK``.
        at: where the base stands; its scale scales the robot.
        positions: joint names and where they begin; others at the file's home pose, else at 0 or the end of their range.
        samples: how finely its surface is sampled.

    Raises:
        FormatError: the file, one of its meshes or a named joint is missing, or it cannot be moved.
    """
    progress("reading the robot", 0.0)
    description = read_description(path)
    m = description.model
    d = mujoco.MjData(m)
    mujoco.mj_forward(m, d)
    roots = sorted({int(w) for w in m.body_weldid})
    total = sum(area_of(m, g) for b in roots for g in shown(m, _geoms(m, b), description.is_urdf))
    spacing = math.sqrt(max(total, 1e-6) / max(samples, 1))
    names = {b: robot_id if b == 0 else f"{robot_id}-{_word(m.body(b).name or f'link-{b}')}" for b in roots}
    links: list[SceneObject] = []
    for n, body in enumerate(roots):
        progress("sampling its links", 0.1 + 0.85 * n / len(roots))
        links.append(_link(description, d, body, names, spacing))
    links = [replace(o, world_from_object=at @ o.world_from_object) for o in links]
    scene = Scene(tuple(links))
    start = _start(description, dict(positions or {}), names, path)
    if start:
        scene = scene.with_objects(moved(scene, start))
    progress("done", 1.0)
    return Robot(scene.objects, tuple(f"{robot_id}: {note}" for note in description.notes))


def _link(description: Description, d: mujoco.MjData, body: int, names: dict[int, str], spacing: float) -> SceneObject:
    m = description.model
    world_from_link = _pose(d.xpos[body], d.xquat[body])
    geoms = _geoms(m, body)
    inside = world_from_link.inverse()
    link_from_geom = {g: inside @ _pose(d.geom_xpos[g], _quat(d.geom_xmat[g])) for g in geoms}
    visible = shown(m, geoms, description.is_urdf)
    look = look_of(m, visible, [link_from_geom[g] for g in visible], world_from_link.rotation(), spacing)
    solid = [g for g in geoms if (m.geom_contype[g] or m.geom_conaffinity[g]) and area_of(m, g) > 0] or visible
    joint = None if body == 0 else _joint(m, d, body, names)
    holds = joint is not None and (_grips(joint.name) or _grips(m.body(body).name))
    pieces = [p for g in solid for p in _pieces(m, g, link_from_geom[g], holds)]
    mass, inertia = _mass(m, d, body)
    try:
        return SceneObject(
            names[body], "robot" if body == 0 else "robot link", look.gaussians, world_from_link,
            name=description.name if body == 0 else (m.body(body).name or ""), labels=("robot",) if body == 0 else (),
            mobility="static" if joint is None else "articulated", mass_kg=mass, inertia=inertia,
            friction=max((float(m.geom_friction[g, 0]) for g in solid), default=1.0), mesh=look.mesh,
            collider=tuple(p.as_mesh() for p in pieces), supported_by=None if joint is None else joint.parent, group=names[0],
            provenance="stated", albedo=look.albedo, joint=joint,
        )  # fmt: skip
    except SpatialwmError as error:
        raise FormatError(f"link {m.body(body).name}: {error}") from error


def _mass(m: mujoco.MjModel, d: mujoco.MjData, root: int) -> tuple[float | None, Inertia | None]:
    """Kilograms of a link, and where they are, over all bodies that are welded to its root; None where the file has none."""
    bodies = [b for b in range(m.nbody) if int(m.body_weldid[b]) == root and m.body_mass[b] > 0]
    mass = float(sum(m.body_mass[b] for b in bodies))
    if root == 0 or mass <= 0:
        return (mass or None), None
    link_from_world = _pose(d.xpos[root], d.xquat[root]).inverse()
    centers = {b: link_from_world.apply(d.xipos[b][None])[0] for b in bodies}
    center = np.sum([m.body_mass[b] * centers[b] for b in bodies], axis=0) / mass
    tensor = np.zeros((3, 3))
    for b in bodies:
        turn = link_from_world.rotation() @ d.ximat[b].reshape(3, 3)
        off = centers[b] - center
        tensor += turn @ np.diag(m.body_inertia[b]) @ turn.T + m.body_mass[b] * (off @ off * np.eye(3) - np.outer(off, off))
    moments, axes = np.linalg.eigh(tensor / mass)
    if np.linalg.det(axes) < 0:
        axes[:, 0] *= -1
    w, x, y, z = (float(v) for v in _quat(axes.reshape(-1)))
    return mass, Inertia(_vec3(center), _vec3(moments), (w, x, y, z)) if moments[0] > 0 else None


def _joint(m: mujoco.MjModel, d: mujoco.MjData, body: int, names: dict[int, str]) -> Joint:
    j = int(m.body_jntadr[body])
    dof = int(m.jnt_dofadr[j])
    parent = int(m.body_weldid[m.body_parentid[body]])
    kind = "hinge" if int(m.jnt_type[j]) == int(mujoco.mjtJoint.mjJNT_HINGE) else "slide"
    limits = (float(m.jnt_range[j, 0]), float(m.jnt_range[j, 1])) if m.jnt_limited[j] else None
    drive, armature = _drive(m, j, dof, body)
    joint = Joint(
        kind, _vec3(m.jnt_axis[j]), limits, _vec3(m.jnt_pos[j]), names[parent], name=m.joint(j).name or names[body],
        damping=float(m.dof_damping[dof]), friction=float(m.dof_frictionloss[dof]), armature=armature, drive=drive,
    )  # fmt: skip
    parent_from_link = _pose(d.xpos[parent], d.xquat[parent]).inverse() @ _pose(d.xpos[body], d.xquat[body])
    back = joint.motion(-float(m.qpos0[m.jnt_qposadr[j]]))
    return replace(joint, parent_from_zero=parent_from_link @ back)


def _drive(m: mujoco.MjModel, j: int, dof: int, body: int) -> tuple[Drive, float]:
    """The motor of a joint and the inertia of its rotor: the file's, else what holds the links behind it."""
    armature = float(m.dof_armature[dof])
    limit = float(m.jnt_actfrcrange[j, 1]) if m.jnt_actfrclimited[j] else None
    for a in range(m.nu):
        if int(m.actuator_trntype[a]) != int(mujoco.mjtTrn.mjTRN_JOINT) or int(m.actuator_trnid[a, 0]) != j:
            continue
        gear = abs(float(m.actuator_gear[a, 0])) or 1.0
        if m.actuator_forcelimited[a]:
            limit = min(limit or math.inf, gear * float(np.abs(m.actuator_forcerange[a]).max()))
        stiffness, damping = -float(m.actuator_biasprm[a, 1]), -float(m.actuator_biasprm[a, 2])
        if int(m.actuator_biastype[a]) == int(mujoco.mjtBias.mjBIAS_AFFINE) and stiffness > 0:
            return Drive(stiffness * gear**2, max(damping, 0.0) * gear**2, limit), armature
    below = [b for b in range(m.nbody) if _hangs_on(m, b, body)]
    reach = max(float(np.linalg.norm(m.body_ipos[b])) + (float(np.linalg.norm(m.body_pos[b])) if b != body else 0) for b in below)
    weight = 9.81 * sum(float(m.body_mass[b]) for b in below)
    lever = 1.0 if int(m.jnt_type[j]) == int(mujoco.mjtJoint.mjJNT_SLIDE) else max(reach, 0.05) * len(below) ** 0.5
    stiffness = max(weight * lever / _SAG_RAD, 1.0)
    # A rotor behind gears is what keeps a stiff motor with a light link slow enough for the time step.
    armature = max(armature, stiffness / (2 * math.pi * _STIFFEST_HZ) ** 2)
    inertia = max(float(m.dof_M0[dof]), armature)
    return Drive(stiffness, 1.4 * math.sqrt(stiffness * inertia), limit), armature


def _hangs_on(m: mujoco.MjModel, body: int, root: int) -> bool:
    while body not in (0, root):
        body = int(m.body_parentid[body])
    return body == root


def _pieces(m: mujoco.MjModel, geom: int, link_from_geom: Pose, holds: bool) -> list[ConvexPiece]:
    """Convex solids of a shape in its link's frame: its hull, as MuJoCo itself has it, and more for what takes hold."""
    if int(m.geom_type[geom]) == int(mujoco.mjtGeom.mjGEOM_MESH):
        mesh = int(m.geom_dataid[geom])
        first, count = int(m.mesh_vertadr[mesh]), int(m.mesh_vertnum[mesh])
        corners = link_from_geom.apply(m.mesh_vert[first : first + count])
        if holds:
            samples = link_from_geom.apply(samples_of(m, geom, 6000).points)
            return convex_pieces(np.concatenate([samples, corners]), FINGER_POCKET_M, 8)
        return [hull(corners)]
    if int(m.geom_type[geom]) == int(mujoco.mjtGeom.mjGEOM_BOX):
        signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        return [hull(link_from_geom.apply(signs * m.geom_size[geom]))]
    return [hull(link_from_geom.apply(samples_of(m, geom, 300).points))]


def _start(description: Description, asked: dict[str, float], names: dict[int, str], path: Path) -> dict[str, float]:
    """Link ids and where their joints begin."""
    m = description.model
    start: dict[str, float] = {}
    known: list[str] = []
    for j in range(m.njnt):
        name, body = m.joint(j).name, int(m.jnt_bodyid[j])
        known.append(name)
        value = asked.pop(name, float(description.home[m.jnt_qposadr[j]]))
        low, high = (float(v) for v in m.jnt_range[j]) if m.jnt_limited[j] else (-math.inf, math.inf)
        if not math.isfinite(value):
            raise FormatError(f"{path}: the position of joint {name} must be finite; got {value}")
        start[names[body]] = min(max(value, low), high)
    if asked:
        raise FormatError(f"{path} has no joint {next(iter(asked))!r}; its joints are: {', '.join(known)}")
    return start


def _geoms(m: mujoco.MjModel, root: int) -> list[int]:
    """Shapes of a link: of all bodies that are welded to its root."""
    return [g for g in range(m.ngeom) if int(m.body_weldid[m.geom_bodyid[g]]) == root]


def _grips(name: str) -> bool:
    return any(word in name.lower() for word in GRIPPER_WORDS)


def _word(name: str) -> str:
    return "-".join(name.replace("/", " ").split())


def _pose(position: np.ndarray, quat: np.ndarray) -> Pose:
    w, x, y, z = (float(v) for v in quat)
    return Pose(_vec3(position), (w, x, y, z))


def _quat(matrix: np.ndarray) -> np.ndarray:
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, matrix)
    return quat


def _vec3(values: np.ndarray) -> Vec3:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
