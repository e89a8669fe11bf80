"""RGB-D sequences with lists by time, as the TUM benchmark keeps them: ``rgb.txt``, ``depth.txt``, ``groundtruth.txt``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.posed import files
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.capture.posed.shots import Shot, develop_all
from spatialwm.lift.pictures.lens import Lens, Optics
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource

UNITS_PER_M = 5000.0
DEPTH_SIGMA = 0.005
APART_S = 0.02
"""A picture, a depth map and a pose belong together when no further apart than this, as in the benchmark's own script."""
CALIBRATION_FILES = ("calibration.txt", "camera.txt", "intrinsics.txt")

_FREIBURG = {
    "freiburg1": Optics(640, 480, 517.3, 516.5, 319.1, 255.8, Lens((0.2624, -0.9531, 1.1633), tangential=(-0.0054, 0.0026))),
    "freiburg2": Optics(640, 480, 520.9, 521.0, 325.6, 250.2, Lens((0.2312, -0.7849, 0.9172), tangential=(-0.0033, -0.0001))),
    "freiburg3": Optics(640, 480, 535.4, 539.2, 320.6, 248.1),
}  # fmt: skip
"""The benchmark's own calibrations; it counts pixels from the centre of the first, hence half a pixel more here."""
_DEFAULT = Optics(640, 480, 525.0, 525.0, 320.0, 240.0)


def find(path: Path) -> Path | None:
    """The sequence's folder."""
    return path if path.is_dir() and all((path / name).is_file() for name in ("rgb.txt", "groundtruth.txt")) else None


def read(path: Path, options: PosedOptions = PosedOptions(), progress: Progress = silent) -> Capture:
    """The capture of a sequence, in metres.

    Raises:
        LiftError: a malformed list, or nothing in the lists belongs together.
    """
    picture_s, pictures = _listed(path / "rgb.txt")
    truth = path / "groundtruth.txt"
    rows = files.read_rows(truth)
    poses = files.numbers(rows, (len(rows), 8), f"{truth}: rows of time, position and quaternion (xyzw)")
    poses = poses[np.isfinite(poses).all(1)]
    depth_s, depths = _listed(path / "depth.txt") if (path / "depth.txt").is_file() else (np.zeros(0), [])
    at_pose, pose_near = _nearest(poses[:, 0], picture_s)
    at_depth, depth_near = _nearest(depth_s, picture_s)
    exist = np.array([(path / name).is_file() for name in pictures], bool)
    together = np.nonzero(pose_near & exist)[0].tolist()
    if not together:
        raise LiftError(
            f"{path}: of {len(pictures)} pictures {int(exist.sum())} exist and none of these has a pose within {APART_S} s;"
            " check that rgb.txt and groundtruth.txt belong together"
        )
    notes: list[str] = []
    if len(together) < len(pictures):
        lost = len(pictures) - len(together)
        notes.append(f"{lost} of {len(pictures)} pictures have no file or no pose within {APART_S} s and were left out")
    chosen = options.chosen(together)
    optics, note = _optics(path, path / pictures[chosen[0]])
    shots: list[Shot] = []
    for i in chosen:
        _, x, y, z, qx, qy, qz, qw = (float(v) for v in poses[at_pose[i]])
        if qx * qx + qy * qy + qz * qz + qw * qw < 1e-6:
            notes.append(f"{pictures[i]} was left out: its quaternion is zero")
            continue
        depth = path / depths[at_depth[i]] if depth_near[i] else None
        load = partial(_depth, depth) if depth is not None else None
        pose = Pose(vec3((x, y, z)), (qw, qx, qy, qz))
        shots.append(Shot(pictures[i], path / pictures[i], pose, optics, load, time_s=float(picture_s[i] - picture_s[0])))
    if not shots:
        raise LiftError(f"{truth}: no picture has a usable pose; the last: {notes[-1]}")
    views, said = develop_all(shots, options, progress)
    return Capture(
        tuple(view for view in views if view is not None),
        scale=ScaleSource("measured", DEPTH_SIGMA, "depth sensor and tracked poses in metres"),
        given=len(chosen),
        notes=(*notes, *note, *said),
    )


def _listed(file: Path) -> tuple[Float[np.ndarray, " n"], list[str]]:
    rows = [row for row in files.read_rows(file) if len(row) >= 2]
    if not rows:
        raise LiftError(f"{file} lists nothing; expected lines of a time and a file name")
    times = files.numbers([row[0] for row in rows], (len(rows),), f"{file}: times")
    return times, [row[1] for row in rows]


def _nearest(times_s: Float[np.ndarray, " n"], wanted_s: Float[np.ndarray, " m"]) -> tuple[np.ndarray, np.ndarray]:
    """For each wanted time: the index of the nearest, and whether it is near enough."""
    if not len(times_s):
        return np.zeros(len(wanted_s), np.intp), np.zeros(len(wanted_s), bool)
    order = np.argsort(times_s, kind="stable")
    ordered = times_s[order]
    right = np.searchsorted(ordered, wanted_s).clip(0, len(ordered) - 1)
    left = np.maximum(right - 1, 0)
    near = np.where(np.abs(ordered[left] - wanted_s) <= np.abs(ordered[right] - wanted_s), left, right)
    return order[near], np.abs(ordered[near] - wanted_s) <= APART_S


def _optics(folder: Path, picture: Path) -> tuple[Optics, tuple[str, ...]]:
    """From a calibration file (fx fy cx cy and up to five OpenCV coefficients), the sequence's name, or the sensor's default."""
    width, height = files.picture_size(picture)
    for name in CALIBRATION_FILES:
        if (folder / name).is_file():
            rows = files.read_rows(folder / name)
            row = rows[0] if rows else []
            if not 4 <= len(row) <= 9:
                raise LiftError(f"{folder / name} must hold fx fy cx cy and at most k1 k2 p1 p2 k3; got {len(row)} numbers")
            v = [*files.numbers(row, (len(row),), str(folder / name)).tolist(), *[0.0] * (9 - len(row))]
            lens = Lens(radial=(v[4], v[5], v[8]), tangential=(v[6], v[7]))
            return Optics(width, height, v[0], v[1], v[2] + 0.5, v[3] + 0.5, lens), ()
    for name, optics in _FREIBURG.items():
        if name in str(folder.resolve()).lower():
            return optics.scaled(width, height), ()
    note = f"no {CALIBRATION_FILES[0]} (fx fy cx cy): the sensor's default focal length of 525 px at 640x480 was taken"
    return _DEFAULT.scaled(width, height), (note,)


def _depth(path: Path) -> Float[np.ndarray, "h w"]:
    return files.read_grey(path) / UNITS_PER_M
