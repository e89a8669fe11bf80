"""LeRobotDataset v3: where its files lie, which columns they hold, and what of ours lies beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spatialwm.atomic import write_bytes
from spatialwm.errors import FormatError, MissingDependencyError

VERSION = "v3.0"
OWN_VERSION = 1
"""Of what lies beside LeRobot's files."""
FILES_PER_CHUNK = 1000
DATA, EPISODES, CASTS, TRUTHS = "data", "meta/episodes", "gaussians", "truth"
INFO, STATS, TASKS, OWN = "meta/info.json", "meta/stats.json", "meta/tasks.parquet", "meta/spatialwm.json"
PARTS, OBJECTS, ACTION, REWARD, DONE = "observation.state", "observation.environment_state", "action", "next.reward", "next.done"
PER_PART, PER_OBJECT = 7, 13
"""Values: a pose; a pose and a velocity."""
INDICES = {"timestamp": "float32", "frame_index": "int64", "episode_index": "int64", "index": "int64", "task_index": "int64"}
_POSE = ("x", "y", "z", "qw", "qx", "qy", "qz")
_VELOCITY = ("vx", "vy", "vz", "wx", "wy", "wz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What all episodes of one data set have in common."""

    parts: int
    """Rigid parts of the actor."""
    max_objects: int
    """Columns are there for so many; where an episode has fewer, the rest is zero, and a zero quaternion is nobody's."""
    commands: int
    """Values of one command."""
    dt_s: float
    rewards: bool
    """Whether rewards were given; their column is there either way."""
    about: dict[str, Any] = field(default_factory=dict)
    """How it was made: strings and numbers."""

    def features(self) -> dict[str, dict[str, Any]]:
        """LeRobot's description of every column."""
        parts = [f"part_{i}.{n}" for i in range(self.parts) for n in _POSE]
        objects = [f"object_{i}.{n}" for i in range(self.max_objects) for n in _POSE + _VELOCITY]
        commands = [f"command_{i}" for i in range(self.commands)]
        named = {PARTS: parts, OBJECTS: objects, ACTION: commands}
        out = {k: _feature("float32", (len(names),), names) for k, names in named.items() if names}
        out[REWARD] = _feature("float32", (1,), None)
        out[DONE] = _feature("bool", (1,), None)
        return out | {k: _feature(dtype, (1,), None) for k, dtype in INDICES.items()}


def _feature(dtype: str, shape: tuple[int, ...], names: list[str] | None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "names": names}


def file_path(root: Path, kind: str, number: int) -> Path:
    """The ``number``-th file of a kind (:data:`DATA`, :data:`EPISODES`, :data:`CASTS`, :data:`TRUTHS`)."""
    chunk, file = divmod(number, FILES_PER_CHUNK)
    suffix = "parquet" if kind in (DATA, EPISODES) else "safetensors"
    return root / kind / f"chunk-{chunk:03d}" / f"file-{file:03d}.{suffix}"


def info_of(form: Form, episodes: int, frames: int, robot: str) -> dict[str, Any]:
    """``meta/info.json``."""
    pattern = "chunk-{chunk_index:03d}/file-{file_index:03d}"
    fps = 1 / form.dt_s
    return {
        "codebase_version": VERSION,
        "robot_type": robot,
        "total_episodes": episodes,
        "total_frames": frames,
        "total_tasks": 1,
        "chunks_size": FILES_PER_CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": round(fps) if abs(fps - round(fps)) < 1e-6 * fps else fps,
        "splits": {"train": f"0:{episodes}"},
        "data_path": f"{DATA}/{pattern}.parquet",
        "video_path": None,
        "features": form.features(),
    }


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """All of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, json.dumps(value, indent=2).encode(), FormatError)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        FormatError: missing, or not one.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise FormatError(f"{path} must hold a JSON object; got {type(value).__name__}")
    return value


def read_info(root: Path) -> dict[str, Any]:
    """``meta/info.json`` of any LeRobotDataset v3.

    Raises:
        FormatError: none is there, or it is of another version.
    """
    if not (root / INFO).is_file():
        raise FormatError(f"{root} is not a LeRobot data set: it has no {INFO}")
    info = read_json(root / INFO)
    version = str(info.get("codebase_version"))
    major = version.lstrip("v").partition(".")[0]
    if major != VERSION[1]:
        newer = major.isdigit() and int(major) > int(VERSION[1])
        mend = "use a newer spatialwm" if newer else "convert it with LeRobot's own converter to v3.0"
        raise FormatError(f"{root} is a LeRobot data set of version {version}, and v3 is read here: {mend}")
    lacking = [k for k in ("total_episodes", "total_frames", "fps", "features", "data_path") if k not in info]
    if lacking or not isinstance(info["features"], dict):
        raise FormatError(f"{root / INFO} lacks {', '.join(lacking) or 'a table of features'}")
    return info


def write_form(root: Path, form: Form) -> None:
    """``meta/spatialwm.json``."""
    write_json(root / OWN, {"version": OWN_VERSION, **asdict(form)})


def read_form(root: Path) -> Form:
    """What :func:`write_form` wrote.

    Raises:
        FormatError: the data set is not ours, or of a newer version.
    """
    if not (root / OWN).is_file():
        raise FormatError(f"{root} has no {OWN}: it holds no episodes of known shapes; read it as recordings instead")
    kept = read_json(root / OWN)
    version = kept.pop("version", None)
    if version != OWN_VERSION:
        raise FormatError(f"{root / OWN} is of version {version}, and {OWN_VERSION} is read here: use a newer spatialwm")
    try:
        return Form(**kept)
    except TypeError as error:
        raise FormatError(f"{root / OWN} does not describe a data set: {error}") from error


def parquet() -> Any:
    """``pyarrow.parquet``.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingDependencyError("pyarrow", "data", "reading and writing data sets") from None
    return pyarrow.parquet
