"""Robot descriptions as compiled MuJoCo models: MJCF as it is, URDF with its visuals kept and its mesh files found."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import mujoco
import numpy as np

from spatialwm.errors import FormatError

MESH_KINDS = (".stl", ".obj", ".msh")


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """A compiled robot that stands on the place, and what was left out of its file."""

    model: mujoco.MjModel
    name: str
    home: np.ndarray
    """Joint coordinates to begin with."""
    is_urdf: bool
    notes: tuple[str, ...]


def read_description(path: Path) -> Description:
    """Compile a robot file.

    Raises:
        FormatError: the file or a mesh is missing, or it describes no robot that this program can move.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        root = ElementTree.fromstring(text)
    except OSError as error:
        raise FormatError(f"cannot read the robot {path}: {error.strerror or error}") from error
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not XML: {error}") from error
    if root.tag not in ("mujoco", "robot"):
        raise FormatError(f"{path} is neither MJCF nor URDF: its first element is <{root.tag}>, not <mujoco> or <robot>")
    is_urdf = root.tag == "robot"
    mujoco.set_mju_user_warning(_unheard)
    try:
        spec = mujoco.MjSpec.from_string(_with_visuals(root, path)) if is_urdf else mujoco.MjSpec.from_file(str(path))
        if not is_urdf:
            _check_meshes(spec, path)
        home = _home(spec)
        notes = _make_fit(spec)
        model = spec.compile()
    except (ValueError, mujoco.FatalError) as error:
        raise FormatError(f"{path} does not compile: {' '.join(str(error).split())[:200]}") from error
    _check_joints(model, path)
    start = np.array(model.qpos0)
    if home is not None and len(home) >= model.nq:
        start = home[-model.nq :] if model.nq else home[:0]  # a floating base comes first, and is gone
    return Description(model, root.get("name") or root.get("model") or path.stem, start, is_urdf, notes)


def _unheard(message: str) -> None:
    """MuJoCo would append its warnings to a file in the working directory."""


def _with_visuals(root: ElementTree.Element, path: Path) -> str:
    """The URDF with absolute mesh files, told to MuJoCo not to drop what does not collide."""
    missing: list[str] = []
    for mesh in root.iter("mesh"):
        named = mesh.get("filename", "")
        found = _find(named, path.parent)
        if found is None:
            missing.append(named)
        else:
            mesh.set("filename", str(found))
    _complain(path, missing, [m.get("filename", "") for m in root.iter("mesh")])
    for old in root.findall("mujoco"):
        root.remove(old)
    extension = ElementTree.SubElement(root, "mujoco")
    options = {"discardvisual": "false", "strippath": "false", "fusestatic": "true", "balanceinertia": "true"}
    ElementTree.SubElement(extension, "compiler", options)
    return ElementTree.tostring(root, encoding="unicode")


def _find(named: str, folder: Path) -> Path | None:
    """A mesh beside the description; ``package://`` paths are tried below every folder above it."""
    plain = named.removeprefix("file://").removeprefix("package://")
    parts = PurePosixPath(plain).parts
    tails = [plain, str(PurePosixPath(*parts[1:]))] if named.startswith("package://") and len(parts) > 1 else [plain]
    for above in (folder, *folder.resolve().parents[:4]):
        for tail in tails:
            if (above / tail).is_file():
                return (above / tail).resolve()
    return None


def _check_meshes(spec: mujoco.MjSpec, path: Path) -> None:
    folder = path.parent / spec.meshdir
    files = [m.file for m in spec.meshes if m.file]
    _complain(path, [f for f in files if not (folder / f).is_file()], files)


def _complain(path: Path, missing: list[str], files: list[str]) -> None:
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise FormatError(f"{path} needs the mesh {missing[0]}{more}, which is not there; put its meshes beside it")
    strange = [f for f in files if Path(f).suffix.lower() not in MESH_KINDS]
    if strange:
        raise FormatError(f"{path} uses the mesh {Path(strange[0]).name}; meshes are read as {', '.join(MESH_KINDS)}: convert it")


def _home(spec: mujoco.MjSpec) -> np.ndarray | None:
    keys = [k for k in spec.keys if k.name == "home"] or list(spec.keys)
    return np.array(keys[0].qpos, np.float64) if keys and len(keys[0].qpos) else None


def _make_fit(spec: mujoco.MjSpec) -> tuple[str, ...]:
    """Take out what a robot that stands in a scene does not have, and say so."""
    notes: list[str] = []
    for joint in list(spec.joints):
        if joint.type == mujoco.mjtJoint.mjJNT_FREE:
            notes.append(f"its floating base {joint.parent.name or 'body'} is fixed where it is put")
            spec.delete(joint)
    for key in list(spec.keys):  # their length no longer fits
        spec.delete(key)
    if len(spec.equalities):
        notes.append(f"{len(spec.equalities)} equality constraints (coupled joints, closed loops) are left out")
    if len(spec.tendons):
        notes.append(f"{len(spec.tendons)} tendons are left out; joints they drive get a motor of their own")
    return tuple(notes)


def _check_joints(model: mujoco.MjModel, path: Path) -> None:
    for body in range(1, model.nbody):
        first, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
        name = model.body(body).name or f"body {body}"
        if count > 1:
            raise FormatError(f"{path}: {name} hangs on {count} joints at once; give each of them a body of its own")
        if count and int(model.jnt_type[first]) == mujoco.mjtJoint.mjJNT_BALL:
            raise FormatError(f"{path}: {name} hangs on a ball joint; replace it by three hinges on bodies of their own")
    if not model.njnt:
        raise FormatError(f"{path} describes nothing that moves: it has no joints")
