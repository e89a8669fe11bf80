"""Rollouts and actions as files: an npz without pickles, and a JSON list."""

from __future__ import annotations

import dataclasses
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from spatialwm.atomic import replacing
from spatialwm.dynamics.actions import Action, EndEffectorPath, GraspPlace, JointTargets, OpenClose, Pull, Push, Walk
from spatialwm.dynamics.model import Rollout
from spatialwm.errors import ActionError, FormatError, SpatialwmError
from spatialwm.geometry.se3 import Pose

ACTION_TYPES: dict[str, type[Action]] = {
    "push": Push, "pull": Pull, "grasp_place": GraspPlace, "end_effector_path": EndEffectorPath, "open_close": OpenClose,
    "joint_targets": JointTargets, "walk": Walk,
}  # fmt: skip
"""Every action by the ``type`` of its JSON form."""
MAX_POSES = 20_000_000
"""Poses a rollout file may claim; a bound on what a hostile header can make us allocate."""


def write_rollout(rollout: Rollout, path: Path) -> None:
    """Write a rollout as npz; a failed write leaves what was there before.

    Raises:
        FormatError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    with replacing(path, FormatError) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, object_ids=np.array(rollout.object_ids, dtype=np.str_), poses=rollout.poses,
            uncertainty=rollout.uncertainty, dt_s=np.float64(rollout.dt_s), backend=np.str_(rollout.backend),
            allow_pickle=False,
        )  # fmt: skip


def read_rollout(path: Path) -> Rollout:
    """Read what :func:`write_rollout` wrote.

    Raises:
        FormatError: missing, truncated, not a rollout, or holding values that no rollout has.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > MAX_POSES * 64:
                raise FormatError(f"{path}: claims {size} bytes, more than any rollout holds")
        with np.load(path, allow_pickle=False) as data:
            missing = {"object_ids", "poses", "uncertainty", "dt_s", "backend"} - set(data.files)
            if missing:
                raise FormatError(f"{path} is not a rollout: it lacks {', '.join(sorted(missing))}")
            ids = tuple(str(i) for i in np.atleast_1d(data["object_ids"]))
            poses = np.asarray(data["poses"], np.float64)
            uncertainty = np.asarray(data["uncertainty"], np.float64)
            dt_s, backend = float(data["dt_s"]), str(data["backend"])
        if poses.ndim != 3 or uncertainty.ndim != 2 or not len(poses):
            got = f"{poses.shape} and {uncertainty.shape}"
            raise FormatError(f"{path}: expected poses (t, k, 7) with t >= 1 and uncertainty (t, k); got {got}")
        if not (math.isfinite(dt_s) and dt_s > 0) or not np.isfinite(uncertainty).all():
            raise FormatError(f"{path}: dt_s and uncertainty must be finite and dt_s positive; got dt_s={dt_s}")
        return Rollout(ids, poses, uncertainty, dt_s, backend)
    except FormatError:
        raise
    except OSError as error:
        raise FormatError(f"cannot read rollout {path}: {error.strerror or error}") from error
    except Exception as error:  # damage provokes ValueError, zlib.error, struct.error and more inside zipfile and numpy
        raise FormatError(f"{path} is not a readable rollout: {error or type(error).__name__}") from error


def read_actions(path: Path) -> list[Action]:
    """Actions of a JSON file: a list, or one action alone. See :func:`parse_actions`.

    Raises:
        ActionError: the file cannot be read, is not JSON, or holds something that is no action.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ActionError(f"cannot read actions {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ActionError(f"{path} is not JSON: {error}") from error
    return parse_actions([data] if isinstance(data, dict) else data)


def parse_actions(data: Any) -> list[Action]:
    """Actions of JSON values such as ``[{"type": "push", "object": "mug-1", "by": [0.3, 0]}]``.

    ``type`` is a key of :data:`ACTION_TYPES`; the other keys are the fields of that action. A waypoint is ``[x, y, z]`` or
    ``[x, y, z, qw, qx, qy, qz]``, of a walk ``[x, y]``.

    Raises:
        ActionError: names the entry, what was found and what was expected.
    """
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        raise ActionError(f"actions must be a JSON list of objects; got {type(data).__name__}")
    return [_action(entry, f"action {i + 1}") for i, entry in enumerate(data)]


def action_to_dict(action: Action) -> dict[str, Any]:
    """The JSON form of an action, as :func:`parse_actions` reads it."""
    names = {cls: name for name, cls in ACTION_TYPES.items()}
    out: dict[str, Any] = {"type": names[type(action)]}
    for f in dataclasses.fields(action):
        value = getattr(action, f.name)
        out[f.name] = [_listed(v) for v in value] if isinstance(value, tuple) else value
    return out


def _listed(value: Any) -> Any:
    if isinstance(value, Pose):
        return [*value.position, *value.quat]
    return list(value) if isinstance(value, tuple) else value


def _action(entry: Any, where: str) -> Action:
    if not isinstance(entry, Mapping):
        raise ActionError(f"{where} must be an object with a type; got {entry!r:.60}")
    kind = ACTION_TYPES.get(entry["type"]) if isinstance(entry.get("type"), str) else None
    if kind is None:
        raise ActionError(f"{where} has type {entry.get('type')!r:.60}; expected one of {', '.join(ACTION_TYPES)}")
    known = {f.name: f for f in dataclasses.fields(kind)}
    unknown = [k for k in entry if k != "type" and k not in known]
    if unknown:
        raise ActionError(f"{where} ({entry['type']}) has unknown key {unknown[0]!r}; it takes {', '.join(known)}")
    lacking = [n for n, f in known.items() if f.default is dataclasses.MISSING and n not in entry]
    if lacking:
        raise ActionError(f"{where} ({entry['type']}) lacks {lacking[0]!r}; it takes {', '.join(known)}")
    hints = get_type_hints(kind)
    values = {k: _value(v, str(hints[k]), f"{where}: {k}") for k, v in entry.items() if k != "type"}
    return kind(**values)


def _value(value: Any, hint: str, where: str) -> Any:
    if "Pose" in hint:
        if not isinstance(value, list) or not value:
            raise ActionError(f"{where} must be a list of waypoints; got {value!r:.60}")
        return tuple(_waypoint(v, where) for v in value)
    if "bool" in hint:
        if not isinstance(value, list) or not all(isinstance(v, bool) for v in value):
            raise ActionError(f"{where} must be a list of true and false; got {value!r:.60}")
        return tuple(value)
    if hint.startswith("tuple[tuple["):
        if not isinstance(value, list) or not value:
            raise ActionError(f"{where} must be a list of rows of numbers; got {value!r:.60}")
        return tuple(_row(v, hint.removeprefix("tuple["), where) for v in value)
    if "tuple" in hint:
        return _row(value, hint, where)
    if "float" in hint:
        return _numbers([value], (1,), where)[0]
    if not isinstance(value, str) or not value:
        raise ActionError(f"{where} must be an object id; got {value!r:.60}")
    return value


def _row(value: Any, hint: str, where: str) -> tuple[float, ...]:
    """Numbers of a ``tuple[float, float]`` or ``tuple[float, ...]``."""
    any_length = hint.startswith("tuple[float, ...]")
    count = len(value) if any_length and isinstance(value, list) else hint.count("float")
    return _numbers(value, (count,), where)


def _waypoint(value: Any, where: str) -> Pose:
    numbers = _numbers(value, (3, 7), where)
    try:
        return Pose.from_list(numbers if len(numbers) == 7 else (*numbers, 1.0, 0.0, 0.0, 0.0))
    except SpatialwmError as error:
        raise ActionError(f"{where}: {error}") from error


def _numbers(value: Any, lengths: tuple[int, ...], where: str) -> tuple[float, ...]:
    fits = isinstance(value, list | tuple) and len(value) in lengths
    if not fits or not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in value):
        count = " or ".join(map(str, lengths))
        raise ActionError(f"{where} must be {count} finite number{'s' if lengths != (1,) else ''}; got {value!r:.60}")
    return tuple(float(v) for v in value)
