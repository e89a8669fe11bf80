"""Cameras as JSON: one view, or the keys of a path.

One camera is ``{"world_from_cam": [x, y, z, qw, qx, qy, qz], "fov_x_deg": 62}``, or, easier to write by hand,
``{"position": [x, y, z], "forward": [x, y, z]}`` or ``{"position": ..., "target": ...}``; ``width`` and ``height`` are optional.
A path is ``{"keys": [camera, ...]}`` or just the list.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spatialwm.atomic import write_bytes
from spatialwm.errors import ExportError, FormatError, ShapeError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3

DEFAULT_FOV_X_DEG = 62.0
DEFAULT_SIZE = (1280, 720)
_KNOWN = {"world_from_cam", "position", "forward", "target", "fov_x_deg", "width", "height"}


def camera_to_dict(camera: Camera) -> dict[str, Any]:
    """A camera as plain JSON values; the principal point is the image centre."""
    pose = camera.world_from_cam
    return {
        "world_from_cam": [*pose.position, *pose.quat],
        "fov_x_deg": math.degrees(2 * math.atan(camera.width / 2 / camera.fx)),
        "width": camera.width,
        "height": camera.height,
    }


def camera_from_dict(value: Any, width: int | None = None, height: int | None = None) -> Camera:
    """Inverse of :func:`camera_to_dict`, reading the hand-written forms too; a given size wins over the stored one.

    Raises:
        FormatError: a field is missing, unknown or not numbers.
    """
    if not isinstance(value, dict):
        raise FormatError(f"a camera is a JSON object such as {{'position': [..], 'forward': [..]}}; got {value!r}")
    unknown = set(value) - _KNOWN
    if unknown:
        raise FormatError(f"unknown camera field {sorted(unknown)[0]!r}; known are {', '.join(sorted(_KNOWN))}")
    try:
        fov = float(value.get("fov_x_deg", DEFAULT_FOV_X_DEG))
        w, h = int(width or value.get("width", DEFAULT_SIZE[0])), int(height or value.get("height", DEFAULT_SIZE[1]))
        if "world_from_cam" in value:
            pose = Pose.from_list(value["world_from_cam"])
            if pose.scale != 1.0:
                raise FormatError(f"a camera's world_from_cam is 7 numbers (xyz, wxyz) without scale; got scale {pose.scale}")
            return replace(Camera.look_at((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), w, h, fov), world_from_cam=pose)
        if "position" not in value or not ("forward" in value or "target" in value):
            raise FormatError("a camera needs world_from_cam, or position with forward or target")
        eye = _vec3(value, "position")
        aim = _vec3(value, "target") if "target" in value else None
        if aim is None:
            ahead = _vec3(value, "forward")
            aim = (eye[0] + ahead[0], eye[1] + ahead[1], eye[2] + ahead[2])
        return Camera.look_at(eye, aim, w, h, fov)
    except (TypeError, ValueError, OverflowError, ShapeError) as error:
        raise FormatError(f"bad camera {json.dumps(value)[:200]}: {error}") from error


def read_cameras(path: str | Path, width: int | None = None, height: int | None = None) -> list[Camera]:
    """The camera, or the keys of the path, in a JSON file; all of one size.

    Raises:
        FormatError: not such a file.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FormatError(f"cannot read cameras from {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise FormatError(f"{path} is not JSON: {error}") from error
    if isinstance(content, dict) and "keys" in content:
        content = content["keys"]
    entries = content if isinstance(content, list) else [content]
    if not entries:
        raise FormatError(f"{path} holds no camera; give at least one")
    cameras: list[Camera] = []
    for i, entry in enumerate(entries):
        try:
            cameras.append(camera_from_dict(entry, width, height))
        except FormatError as error:
            raise FormatError(f"{path}: camera {i}: {error}") from error
    return [c.resized(cameras[0].width, cameras[0].height) for c in cameras]


def write_cameras(path: str | Path, cameras: Camera | Sequence[Camera]) -> Path:
    """Write one camera, or the keys of a path; :func:`read_cameras` gives them back.

    Raises:
        ExportError: the file cannot be written.
    """
    path = Path(path)
    content = camera_to_dict(cameras) if isinstance(cameras, Camera) else {"keys": [camera_to_dict(c) for c in cameras]}
    write_bytes(path, json.dumps(content, indent=1).encode(), ExportError)
    return path


def _vec3(value: dict[str, Any], name: str) -> Vec3:
    numbers = value[name]
    if not isinstance(numbers, list) or len(numbers) != 3 or not all(math.isfinite(float(v)) for v in numbers):
        raise FormatError(f"{name} must be three finite numbers; got {numbers!r}")
    return (float(numbers[0]), float(numbers[1]), float(numbers[2]))
