"""Cameras in ``transforms.json``, as nerfstudio, instant-ngp and the NeRF synthetic scenes write them."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import Capture, Points
from spatialwm.lift.capture.posed import files
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.capture.posed.shots import Shot, develop_all, summed
from spatialwm.lift.pictures.lens import Lens, Optics
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource

NAMES = ("transforms.json", "transforms_train.json")
_MODELS = ("PINHOLE", "SIMPLE_PINHOLE", "OPENCV", "OPENCV_FISHEYE", "SIMPLE_RADIAL", "RADIAL")
_MM = 1e-3
DEPTH_SIGMA = 0.01
"""Relative error of lengths where depth maps came with the poses."""


def find(path: Path) -> Path | None:
    """The file, when ``path`` is one (by its name, or by what it begins with) or holds one."""
    if path.is_dir():
        return next((path / name for name in NAMES if (path / name).is_file()), None)
    known = path.name in NAMES or (path.suffix.lower() == ".json" and '"transform_matrix"' in _beginning(path))
    return path if known and path.is_file() else None


def read(path: Path, options: PosedOptions = PosedOptions(), progress: Progress = silent) -> Capture:
    """The capture of a ``transforms.json`` or of the folder that holds it.

    ``applied_transform`` is undone, so that the frame is the one of the reconstruction that the file was made from.

    Raises:
        LiftError: malformed, or no picture of it can be read.
    """
    file = find(path) or path
    meta = files.read_json(file)
    frames = meta.get("frames")
    if not isinstance(frames, list) or not frames:
        raise LiftError(f"{file} lists no frames; expected a list 'frames' with file_path and transform_matrix each")
    source_from_file = _applied(meta, file).inverse()
    present: list[dict[str, Any]] = []
    missing: list[str] = []
    for i, frame in enumerate(frames):
        if not isinstance(frame, dict) or not isinstance(frame.get("file_path"), str):
            raise LiftError(f"{file}: frame {i} has no file_path; expected the path of its picture")
        if _picture(file.parent, frame["file_path"]) is None:
            missing.append(frame["file_path"])
        else:
            present.append(frame)
    if not present:
        raise LiftError(f"none of the {len(frames)} pictures of {file} exist ({files.listed(missing)}); put them beside the file")
    notes: list[str] = []
    if missing:
        notes.append(f"{len(missing)} of {len(frames)} pictures listed in {file.name} are missing: {files.listed(missing)}")
    shots: list[Shot] = []
    chosen = options.chosen(present)
    for frame in chosen:
        try:
            shot = _shot(file, meta, frame, source_from_file)
        except LiftError as error:
            notes.append(f"a picture was left out: {error}")
            continue
        if shot is None:
            notes.append(f"{frame['file_path']} was left out: its pose is not finite")
        else:
            shots.append(shot)
    if not shots:
        raise LiftError(f"no frame of {file} has a usable camera; the last: {notes[-1]}")
    views, said = develop_all(shots, options, progress)
    with_depth = sum(shot.depth is not None for shot in shots)
    scale = ScaleSource()
    if with_depth * 2 > len(shots):
        scale = ScaleSource("measured", DEPTH_SIGMA, f"depth maps beside the pictures of {file.name}")
    points, note = _points(file, meta, source_from_file)
    return Capture(
        tuple(view for view in views if view is not None),
        points,
        scale,
        given=len(chosen) + (len(missing) if len(chosen) == len(present) else 0),
        notes=(*summed(notes), *said, *note),
    )


def _beginning(file: Path) -> str:
    """Enough of a file to tell what it is; a list of cameras has its first matrix there."""
    try:
        with file.open("rb") as stream:
            return stream.read(1 << 16).decode("utf-8", "replace")
    except OSError:
        return ""


def _picture(folder: Path, name: str) -> Path | None:
    """The picture a frame names; the NeRF synthetic scenes leave the suffix out."""
    try:
        for candidate in (folder / name, *(folder / (name + suffix) for suffix in (".png", ".jpg", ".jpeg"))):
            if candidate.is_file():
                return candidate
    except (OSError, ValueError):  # a name too long, or with a NUL inside
        pass
    return None


def _applied(meta: dict[str, Any], file: Path) -> Pose:
    """``file_from_source``: what nerfstudio did to the poses before it wrote them."""
    pose = Pose()
    if "applied_transform" in meta:
        rows = files.numbers(np.asarray(meta["applied_transform"], dtype=object)[:3], (3, 4), f"{file}: applied_transform")
        if not np.isfinite(rows).all() or np.linalg.det(rows[:, :3]) <= 0:
            raise LiftError(f"{file}: applied_transform must be a finite rotation and shift without mirror; remove it to go on")
        pose = Pose.from_matrix(rows)
    if "applied_scale" in meta:
        scale = files.number(meta, "applied_scale", file)
        if scale <= 0:
            raise LiftError(f"{file}: applied_scale must be positive; got {scale}")
        pose = Pose(scale=scale) @ pose
    return pose


def _shot(file: Path, meta: dict[str, Any], frame: dict[str, Any], source_from_file: Pose) -> Shot | None:
    name: str = frame["file_path"]
    picture = _picture(file.parent, name)
    assert picture is not None
    matrix = files.numbers(frame.get("transform_matrix"), (4, 4), f"{file}: transform_matrix of {name}")
    file_from_cam = files.camera_pose(matrix, f"{file}: transform_matrix of {name}", "opengl")
    if file_from_cam is None:
        return None
    carried = source_from_file @ file_from_cam
    optics = _optics({**meta, **frame}, picture, file)
    depth_name = frame.get("depth_file_path") or frame.get("depth_path")
    depth = None
    if isinstance(depth_name, str):
        default = files.number(meta, "integer_depth_scale", file, _MM)
        unit = files.number({**meta, **frame}, "depth_unit_scale_factor", file, default)
        depth = partial(_depth, file.parent / depth_name, unit * source_from_file.scale)
    mask = frame.get("mask_path")
    return Shot(
        name, picture, Pose(carried.position, carried.quat), optics, depth, file.parent / mask if isinstance(mask, str) else None,
    )  # fmt: skip


def _depth(path: Path, unit: float) -> Float[np.ndarray, "h w"]:
    values = files.read_grey(path)
    return values * unit


def _optics(values: dict[str, Any], picture: Path, file: Path) -> Optics:
    """Numbers of the frame win over those of the whole file (merged by the caller)."""
    model = str(values.get("camera_model", "OPENCV"))
    if model not in _MODELS:
        raise LiftError(f"{file}: camera_model {model} is not known; use one of {', '.join(_MODELS)}")

    def get(key: str, default: float | None = None) -> float:
        return files.number(values, key, file, default)

    stored = files.picture_size(picture)
    width, height = round(get("w", float(stored[0]))), round(get("h", float(stored[1])))
    if "fl_x" in values or "fl_y" in values:
        fx = get("fl_x" if "fl_x" in values else "fl_y")
        fy = get("fl_y", fx)
    elif "camera_angle_x" in values:
        fx = width / 2 / math.tan(_angle(get("camera_angle_x"), file) / 2)
        fy = height / 2 / math.tan(_angle(get("camera_angle_y"), file) / 2) if "camera_angle_y" in values else fx
    else:
        raise LiftError(f"{file} has no focal length; add fl_x (pixels) or camera_angle_x (radians)")
    fisheye = model == "OPENCV_FISHEYE" or values.get("is_fisheye") is True
    k = tuple(get(f"k{i}", 0.0) for i in (1, 2, 3, 4))
    if fisheye:
        lens = Lens(radial=k, fisheye=True)
    elif "PINHOLE" in model:
        lens = Lens()
    else:
        lens = Lens(radial=k[:3], tangential=(get("p1", 0.0), get("p2", 0.0)))
    return Optics(width, height, fx, fy, get("cx", width / 2), get("cy", height / 2), lens)


def _angle(angle_rad: float, file: Path) -> float:
    if not 0 < angle_rad < math.pi:
        raise LiftError(f"{file}: camera angles must lie between 0 and pi radians; got {angle_rad}")
    return angle_rad


def _points(file: Path, meta: dict[str, Any], source_from_file: Pose) -> tuple[Points, tuple[str, ...]]:
    """The sparse points that nerfstudio keeps beside the file, without knowing which view saw which."""
    name = meta.get("ply_file_path")
    if not isinstance(name, str) or not (file.parent / name).is_file():
        return Points.none(), ()
    import trimesh

    try:
        cloud = trimesh.load(file.parent / name, process=False)
        means = np.asarray(cloud.vertices, np.float64).reshape(-1, 3)  # pyright: ignore[reportAttributeAccessIssue]
        colors = np.asarray(cloud.visual.vertex_colors if hasattr(cloud, "faces") else cloud.colors)  # pyright: ignore[reportAttributeAccessIssue]
    except Exception as error: # the parser raises whatever a damaged file leads it into; the points are optional
        return Points.none(), (f"the points of {name} were left out: it cannot be read ({error})",)
    rgb = colors[:, :3].astype(np.uint8) if colors.shape[:1] == means.shape[:1] else np.full(means.shape, 128, np.uint8)
    finite = np.isfinite(means).all(-1)
    return Points(source_from_file.apply(means[finite]), rgb[finite], np.zeros((0, 2), np.int64)), ()
