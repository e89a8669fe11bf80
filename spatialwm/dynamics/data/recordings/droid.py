"""DROID episodes as Ctrl-World lays them out: a JSON file of states and actions, and videos of fewer frames.

Source: Khazatsky et al. 2024, "DROID"; a Franka arm at 15 Hz, here with every third frame as a picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spatialwm.dynamics.data.layout import read_json
from spatialwm.dynamics.data.recordings.cameras import Video
from spatialwm.dynamics.data.recordings.recording import Camera, Recording, poses_of
from spatialwm.errors import FormatError

DT_S = 1 / 15
_POSE = ("x", "y", "z", "roll", "pitch", "yaw")
_JOINTS = tuple(f"joint_{i}" for i in range(7))
_ANNOTATIONS = "annotation"


def is_droid(path: Path) -> bool:
    """Whether a folder looks like this."""
    return (path / _ANNOTATIONS).is_dir()


def read_droid(path: Path) -> Iterator[Recording]:
    """Every episode of a folder, by number; its state is the pose, the gripper (0 open, 1 shut) and the joints.

    Raises:
        FormatError: an episode lacks a field, or its fields differ in length.
    """
    for file in sorted((path / _ANNOTATIONS).rglob("*.json"), key=lambda f: (f.parent, len(f.stem), f.stem)):
        yield _read(path, file)


def _read(root: Path, file: Path) -> Recording:
    told = read_json(file)
    pose, grip, joints = (_array(told, f"observation.state.{n}_position", w, file) for n, w in _PARTS)
    asked, asked_grip = (_array(told, f"action.{n}_position", w, file) for n, w in _PARTS[:2])
    lengths = {len(a) for a in (pose, grip, joints, asked, asked_grip)}
    if len(lengths) > 1 or len(pose) < 2:
        raise FormatError(f"{file}: states and actions must be of one length of at least 2; got {sorted(lengths)}")
    pictures = int(told.get("video_length", 0))
    every = max(round(len(pose) / pictures), 1) if pictures else 1
    cameras: dict[str, Camera] = {
        f"camera_{i}": Video(root / str(v["video_path"]), pictures, every * DT_S) for i, v in enumerate(told.get("videos", []))
    }
    return Recording(
        name=str(file),
        commands=np.concatenate([asked, asked_grip], 1)[:-1],
        command_names=(*_POSE, "gripper"),
        states=np.concatenate([pose, grip, joints], 1),
        state_names=(*_POSE, "gripper", *_JOINTS),
        tool_poses=poses_of(pose),
        dt_s=DT_S,
        text=next((t for t in told.get("texts", []) if t), ""),
        success=bool(told["success"]) if "success" in told else None,
        cameras=cameras,
    )


_PARTS = (("cartesian", 6), ("gripper", 1), ("joint", 7))


def _array(told: dict[str, Any], key: str, width: int, file: Path) -> np.ndarray:
    if key not in told:
        raise FormatError(f"{file} lacks {key}")
    try:
        values = np.asarray(told[key], np.float32)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{file}: {key} is not a table of numbers") from error
    if values.ndim == 1 and width == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] != width or not np.isfinite(values).all():
        raise FormatError(f"{file}: {key} must be (t, {width}) and finite; got {values.shape}")
    return values
