"""RLDS episodes in TFRecord files, as BridgeData V2 and Open X-Embodiment publish them.

Source: Walke et al. 2023, "BridgeData V2"; a WidowX arm at 5 Hz, actions are changes of the tool's pose.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from spatialwm.dynamics.data.layout import read_json
from spatialwm.dynamics.data.recordings.cameras import EncodedFrames
from spatialwm.dynamics.data.recordings.recording import Camera, Recording, poses_of
from spatialwm.dynamics.data.recordings.tfrecord import Feature, read_records
from spatialwm.errors import FormatError

BRIDGE_DT_S = 0.2
_POSE = ("x", "y", "z", "roll", "pitch", "yaw", "gripper")
_STEPS, _OBSERVATION = "steps/", "steps/observation/"


def is_rlds(path: Path) -> bool:
    """Whether this is a TFRecord file, or a folder that holds some."""
    return bool(_files(path))


def read_rlds(path: Path, dt_s: float = BRIDGE_DT_S) -> Iterator[Recording]:
    """Every episode. The last step has an observation and no command that counts.

    Args:
        path: one file, or a folder of them; ``features.json`` beside the file tells how long a state and an action are.
        dt_s: between two steps; the files do not say.

    Raises:
        FormatError: a file is cut, or holds no episodes of this kind.
    """
    for file in _files(path):
        widths = _widths(file.parent / "features.json")
        for number, record in enumerate(read_records(file)):
            yield _read(f"{file}#{number}", record, widths, dt_s)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if ".tfrecord" in path.name else []
    return sorted(p for p in path.glob("*.tfrecord*") if p.is_file())


def _widths(features: Path) -> dict[str, int]:
    """Values per step of every tensor of the steps."""
    out: dict[str, int] = {}

    def walk(node: object, name: str) -> None:
        if not isinstance(node, Mapping):
            return
        if isinstance(tensor := node.get("tensor"), Mapping) and isinstance(shape := tensor.get("shape"), Mapping):
            out[name.strip("/")] = math.prod(int(d) for d in shape.get("dimensions", []))
        for key, child in node.items():
            walk(child, name if key in ("featuresDict", "features", "sequence", "feature") else f"{name}/{key}")

    if features.is_file():
        walk(read_json(features), "")
    return out


def _read(name: str, record: Mapping[str, Feature], widths: Mapping[str, int], dt_s: float) -> Recording:
    if _STEPS + "action" not in record:
        raise FormatError(f"{name} is not an RLDS episode: it lacks {_STEPS}action; it has {', '.join(sorted(record))[:200]}")
    count = len(record.get(_STEPS + "is_last", []))
    actions = _table(name, record, _STEPS + "action", count, widths)
    state = _OBSERVATION + "state"
    states = _table(name, record, state, count, widths) if state in record else np.zeros((count, 0), np.float32)
    if count < 2:
        raise FormatError(f"{name} has {count} steps; an episode has at least 2")
    rewards = _table(name, record, _STEPS + "reward", count, widths)[:-1, 0] if _STEPS + "reward" in record else None
    bridge = states.shape[1] == len(_POSE) and actions.shape[1] == len(_POSE)
    words = record.get(_STEPS + "language_instruction", [])
    return Recording(
        name=name,
        commands=actions[:-1],
        command_names=tuple(f"d_{n}" for n in _POSE[:6]) + _POSE[6:] if bridge else _numbered("action", actions.shape[1]),
        states=states,
        state_names=_POSE if bridge else _numbered("state", states.shape[1]),
        tool_poses=poses_of(states[:, :6]) if bridge else np.zeros((count, 0, 7), np.float32),
        dt_s=dt_s,
        text=words[0].decode(errors="replace") if isinstance(words, list) and words else "",
        rewards=rewards,
        cameras=_cameras(record, count, dt_s),
    )


def _cameras(record: Mapping[str, Feature], count: int, dt_s: float) -> dict[str, Camera]:
    """Those that were there. BridgeData fills absent ones with black, and its ``has_image`` flags are not to be relied upon."""
    out: dict[str, Camera] = {}
    for key, value in sorted(record.items()):
        if not key.startswith(_OBSERVATION) or not isinstance(value, list) or len(value) != count:
            continue
        camera = EncodedFrames(value, dt_s)
        if len(set(value)) > 1 or camera.frame(0).any():
            out[key.removeprefix(_OBSERVATION)] = camera
    return out


def _table(name: str, record: Mapping[str, Feature], key: str, count: int, widths: Mapping[str, int]) -> np.ndarray:
    values = np.asarray(record[key], np.float32) if isinstance(record[key], np.ndarray) else np.zeros(0, np.float32)
    width = widths.get(key, len(values) // max(count, 1))
    if len(values) != width * count or not np.isfinite(values).all():
        raise FormatError(f"{name}: {key} must be {count} steps of {width} finite numbers; got {len(values)} numbers")
    return values.reshape(count, width)


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name}_{i}" for i in range(count))
