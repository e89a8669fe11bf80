"""Phone scans with ARKit's poses: Polycam's raw export and the frames of 3D Scanner App.

Source: PolyCam/polyform README, "Polycam's data format". World axes are +Y up and gravity-aligned, camera axes OpenGL's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.posed import files
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.capture.posed.shots import Shot, develop_all, summed
from spatialwm.lift.pictures.lens import Optics
from spatialwm.lift.pictures.suffixes import PICTURES, is_picture
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource

UP = (0.0, 1.0, 0.0)
SCALE_SIGMA = 0.01
"""Relative error of lengths by visual-inertial tracking over a room."""
REACH_M = 5.0
"""The laser sees no further; depth beyond it is the phone's guess."""


@dataclass(frozen=True, slots=True)
class _Frame:
    camera: Path
    picture: Path
    depth: Path
    confidence: Path


def find(path: Path) -> Path | None:
    """The folder of the frames, or of Polycam's keyframes."""
    if not path.is_dir():
        return None
    for folder in (path / "keyframes", path):
        if (folder / "images").is_dir() and next((folder / "cameras").glob("*.json"), None) is not None:
            return folder
    return path if next(_scanner_frames(path), None) is not None else None


def read(path: Path, options: PosedOptions = PosedOptions(), progress: Progress = silent) -> Capture:
    """The capture of a scan, in metres, with gravity known.

    Raises:
        LiftError: no complete frame.
    """
    folder = find(path)
    if folder is None:
        raise LiftError(f"{path} holds no phone scan; expected Polycam's keyframes folder, or frame_00000.json with its picture")
    frames = list(_polycam_frames(folder) if (folder / "cameras").is_dir() else _scanner_frames(folder))
    present = [frame for frame in frames if frame.picture.is_file()]
    if not present:
        names = files.listed(frame.picture.name for frame in frames)
        raise LiftError(f"none of the {len(frames)} pictures of {folder} exist ({names}); export the raw data again")
    notes: list[str] = []
    if len(present) < len(frames):
        missing = [frame.picture.name for frame in frames if not frame.picture.is_file()]
        notes.append(f"{len(missing)} of {len(frames)} pictures are missing: {files.listed(missing)}")
    chosen = options.chosen(present)
    shots: list[Shot] = []
    for frame in chosen:
        try:
            shots.append(_shot(frame))
        except LiftError as error:
            notes.append(f"a frame was left out: {error}")
    if not shots:
        raise LiftError(f"no frame of {folder} has a usable camera; the last: {notes[-1]}")
    views, said = develop_all(shots, options, progress)
    return Capture(
        tuple(view for view in views if view is not None),
        scale=ScaleSource("measured", SCALE_SIGMA, "ARKit's tracking, in metres"),
        up=UP,
        given=len(chosen),
        notes=(*summed(notes), *said),
    )


def _polycam_frames(folder: Path) -> Iterator[_Frame]:
    """Pictures and poses after Polycam's own global adjustment where it ran; they come together or not at all."""
    corrected = "corrected_" if (folder / "corrected_images").is_dir() and (folder / "corrected_cameras").is_dir() else ""
    pictures = {p.stem: p for p in (folder / f"{corrected}images").iterdir() if is_picture(p)}
    for camera in sorted((folder / f"{corrected}cameras").glob("*.json"), key=lambda p: files.natural(p.name)):
        stem = camera.stem
        picture = pictures.get(stem, folder / f"{corrected}images" / f"{stem}.jpg")
        yield _Frame(camera, picture, folder / "depth" / f"{stem}.png", folder / "confidence" / f"{stem}.png")


def _scanner_frames(folder: Path) -> Iterator[_Frame]:
    for camera in sorted(folder.glob("frame_*.json"), key=lambda p: files.natural(p.name)):
        stem = camera.stem
        number = stem.removeprefix("frame_")
        picture = next((p for p in (folder / (stem + s) for s in sorted(PICTURES)) if p.is_file()), None)
        if picture is not None:  # the app stores poses and depth more often than pictures
            yield _Frame(camera, picture, folder / f"depth_{number}.png", folder / f"conf_{number}.png")


def _shot(frame: _Frame) -> Shot:
    values = files.read_json(frame.camera)
    matrix, optics = _polycam_camera(values, frame) if "t_00" in values else _scanner_camera(values, frame)
    pose = files.camera_pose(matrix, f"{frame.camera}: the pose", "opengl")
    if pose is None:
        raise LiftError(f"{frame.camera}: the pose is not finite: tracking was lost there")
    load = partial(_depth, frame) if frame.depth.is_file() else None
    return Shot(frame.picture.name, frame.picture, Pose(pose.position, pose.quat), optics, load)


def _polycam_camera(values: dict[str, Any], frame: _Frame) -> tuple[Float[np.ndarray, "3 4"], Optics]:
    matrix = np.array([[files.number(values, f"t_{i}{j}", frame.camera) for j in range(4)] for i in range(3)])
    width, height = files.picture_size(frame.picture)
    fx, fy, cx, cy = (files.number(values, key, frame.camera) for key in ("fx", "fy", "cx", "cy"))
    w, h = (round(files.number(values, key, frame.camera, float(size))) for key, size in (("width", width), ("height", height)))
    return matrix, Optics(w, h, fx, fy, cx, cy)


def _scanner_camera(values: dict[str, Any], frame: _Frame) -> tuple[Float[np.ndarray, "4 4"], Optics]:
    matrix = files.numbers(values.get("cameraPoseARFrame"), (4, 4), f"{frame.camera}: cameraPoseARFrame")
    k = files.numbers(values.get("intrinsics"), (3, 3), f"{frame.camera}: intrinsics")
    width, height = files.picture_size(frame.picture)
    return matrix, Optics(width, height, k[0, 0], k[1, 1], k[0, 2], k[1, 2])


def _depth(frame: _Frame) -> Float[np.ndarray, "h w"]:
    """Metres; 0 beyond the laser's reach and where ARKit itself trusts it least (0 of 0, 1, 2 or of 0, 127, 255)."""
    depth_m = files.read_grey(frame.depth) / 1000
    depth_m[depth_m > REACH_M] = 0
    if frame.confidence.is_file():
        confidence = files.read_grey(frame.confidence)
        if confidence.shape == depth_m.shape:
            depth_m[confidence <= 0] = 0
    return depth_m
