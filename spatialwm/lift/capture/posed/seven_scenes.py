"""RGB-D frames as 7-Scenes keeps them: ``frame-000000.color.png``, ``.depth.png`` (mm) and ``.pose.txt`` (camera to world)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.posed import files
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.capture.posed.shots import Shot, develop_all, summed
from spatialwm.lift.pictures.lens import Optics
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource

INVALID = (0, 65535)
DEPTH_SIGMA = 0.005
"""Relative error of lengths by a structured-light sensor over a room."""

KINECT_DEPTH = Optics(640, 480, 585.0, 585.0, 320.0, 240.0)
"""What 7-Scenes states for its depth camera; its poses are this camera's."""
KINECT_COLOR = Optics(640, 480, 525.0, 525.0, 320.0, 240.0)
KINECT_COLOR_FROM_DEPTH = np.array(
    [
        [0.99996518, 0.00267651, -0.00790410, -0.02555894],
        [-0.00274093, 0.99996303, -0.00815045, 0.00010110],
        [0.00788199, 0.00817183, 0.99993554, 0.00203183],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
"""The Kinect's two cameras sit 2.6 cm apart (calibration of the LIRIS laboratory, Lyon, for this sensor).

Taking the pictures for the depth camera's own puts colours up to 30 px beside their places: pictures warped from frame to frame
by the depth correlate .876 with the pictures there; .926 with the right focal length alone; .953 with both.
"""


def find(path: Path) -> Path | None:
    """The folder with the frames: ``path`` or its first sequence."""
    if not path.is_dir():
        return None
    for folder in (path, *sorted(path.glob("seq-*"))):
        if next(folder.glob("frame-*.pose.txt"), None) is not None:
            return folder
    return None


def read(path: Path, options: PosedOptions = PosedOptions(), progress: Progress = silent) -> Capture:
    """The capture of a folder of frames, in metres.

    Raises:
        LiftError: no complete frame, or a camera that cannot be understood.
    """
    folder = find(path)
    if folder is None:
        raise LiftError(f"{path} holds no frame-XXXXXX.pose.txt; expected frames of colour, depth and pose as in 7-Scenes")
    stems = sorted((p.name.removesuffix(".pose.txt") for p in folder.glob("frame-*.pose.txt")), key=files.natural)
    present = [(stem, picture) for stem in stems if (picture := _picture(folder, stem)) is not None]
    if not present:
        raise LiftError(f"{folder} has poses but no {stems[0]}.color.png or .jpg; put the pictures beside them")
    notes: list[str] = []
    if len(present) < len(stems):
        missing = sorted(set(stems) - {stem for stem, _ in present})
        notes.append(f"{len(missing)} of {len(stems)} frames have no picture: {files.listed(missing)}")
    chosen = options.chosen(present)
    optics, two_cameras = _optics(folder, chosen[0][1])
    if two_cameras:
        notes.append("depth was carried from the Kinect's depth camera to its colour camera by a published calibration")
    shots: list[Shot] = []
    for stem, picture in chosen:
        try:
            what = f"{folder / stem}.pose.txt"
            rows = files.read_rows(Path(what))
            pose = files.camera_pose(files.numbers(rows, (4, 4), what), what)
        except LiftError as error:
            notes.append(f"a frame was left out: {error}")
            continue
        if pose is None:
            notes.append(f"{stem} was left out: tracking was lost there")
            continue
        if two_cameras:
            pose = pose @ Pose.from_matrix(KINECT_COLOR_FROM_DEPTH).inverse()
        depth = folder / f"{stem}.depth.png"
        load = partial(_depth, depth, two_cameras) if depth.is_file() else None
        shots.append(Shot(stem, picture, Pose(pose.position, pose.quat), optics, load))
    if not shots:
        raise LiftError(f"no frame of {folder} has a usable pose; the last: {notes[-1]}")
    views, said = develop_all(shots, options, progress)
    return Capture(
        tuple(view for view in views if view is not None),
        scale=ScaleSource("measured", DEPTH_SIGMA, "depth sensor in millimetres"),
        given=len(chosen),
        notes=(*summed(notes), *said),
    )


def _picture(folder: Path, stem: str) -> Path | None:
    for suffix in (".color.png", ".color.jpg", ".color.jpeg"):
        if (folder / (stem + suffix)).is_file():
            return folder / (stem + suffix)
    return None


def _optics(folder: Path, picture: Path) -> tuple[Optics, bool]:
    """The pictures' camera, and whether depth comes from another one.

    Without a ``camera-intrinsics.txt``, or with one that states 7-Scenes' depth camera, the frames are the Kinect's.
    """
    width, height = files.picture_size(picture)
    for file in (folder / "camera-intrinsics.txt", folder.parent / "camera-intrinsics.txt"):
        if file.is_file():
            k = files.numbers(files.read_rows(file), (3, 3), str(file))
            optics = Optics(width, height, k[0, 0], k[1, 1], k[0, 2], k[1, 2])
            break
    else:
        optics = KINECT_DEPTH.scaled(width, height)
    two_cameras = optics == KINECT_DEPTH.scaled(width, height)
    return (KINECT_COLOR.scaled(width, height) if two_cameras else optics), two_cameras


def _depth(path: Path, two_cameras: bool) -> Float[np.ndarray, "h w"]:
    raw = files.read_grey(path)
    depth_m = np.where(np.isin(raw, INVALID), 0, raw / 1000)
    return _as_seen_by_color(depth_m) if two_cameras else depth_m


def _as_seen_by_color(depth_m: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Depth of the Kinect's depth camera at the pixels of its colour camera: the nearest of what lands in each."""
    rows, columns = depth_m.shape
    d, c = KINECT_DEPTH.scaled(columns, rows), KINECT_COLOR.scaled(columns, rows)
    v, u = np.nonzero(depth_m)
    z = depth_m[v, u].astype(np.float64)
    p = np.stack([(u + 0.5 - d.cx) / d.fx * z, (v + 0.5 - d.cy) / d.fy * z, z], 1)
    p = p @ KINECT_COLOR_FROM_DEPTH[:3, :3].T + KINECT_COLOR_FROM_DEPTH[:3, 3]
    u = np.floor(p[:, 0] / p[:, 2] * c.fx + c.cx)
    v = np.floor(p[:, 1] / p[:, 2] * c.fy + c.cy)
    inside = (p[:, 2] > 0) & (u >= 0) & (u < columns) & (v >= 0) & (v < rows)
    out = np.full(rows * columns, np.inf)
    np.minimum.at(out, (v[inside] * columns + u[inside]).astype(np.intp), p[inside, 2])
    return np.where(np.isfinite(out), out, 0).reshape(rows, columns).astype(np.float32)
