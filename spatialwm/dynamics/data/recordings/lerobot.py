"""Anybody's LeRobotDataset v3 as recordings: state, action, videos and pictures, read with pyarrow alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spatialwm.dynamics.data import layout
from spatialwm.dynamics.data.recordings.cameras import EncodedFrames, Video
from spatialwm.dynamics.data.recordings.recording import Camera, Recording
from spatialwm.errors import FormatError


def is_lerobot(path: Path) -> bool:
    """Whether a folder says so."""
    return (path / layout.INFO).is_file()


def read_lerobot(path: Path) -> Iterator[Recording]:
    """Every episode, one data file in memory at a time. What a state means is the robot's affair, so there are no tool poses.

    Raises:
        FormatError: another version, a file missing or damaged, or no actions.
        MissingDependencyError: pyarrow is not installed.
    """
    info, pq = layout.read_info(path), layout.parquet()
    features: Mapping[str, Mapping[str, Any]] = info["features"]
    if layout.ACTION not in features:
        raise FormatError(f"{path} has no feature called {layout.ACTION}; it has {', '.join(features)}")
    rows, opened = None, ""
    for episode in _episodes(path, pq):
        place = {k: int(episode[f"data/{k}"]) for k in ("chunk_index", "file_index")}
        file = path / str(info["data_path"]).format(**place)
        if str(file) != opened:
            rows, opened = _rows(file, pq, features), str(file)
        assert rows is not None
        yield _recording(path, info, episode, rows)


def _episodes(path: Path, pq: Any) -> Iterator[dict[str, Any]]:
    files = sorted((path / layout.EPISODES).glob("*/*.parquet"))
    if not files:
        raise FormatError(f"{path} has no {layout.EPISODES}: the data set was not copied whole")
    for file in files:
        table = _read(file, pq)
        lacking = [c for c in ("episode_index", "length", "data/chunk_index", "data/file_index") if c not in table.column_names]
        if lacking:
            raise FormatError(f"{file} lacks the column {lacking[0]}")
        yield from table.select([c for c in table.column_names if not c.startswith("stats/")]).to_pylist()


def _rows(file: Path, pq: Any, features: Mapping[str, Mapping[str, Any]]) -> Any:
    table = _read(file, pq)
    needed = [k for k, f in features.items() if f.get("dtype") != "video"]
    lacking = [k for k in needed if k not in table.column_names]
    if lacking:
        raise FormatError(f"{file} lacks the column {lacking[0]}; it has {', '.join(table.column_names)}")
    return table


def _read(file: Path, pq: Any) -> Any:
    import pyarrow as pa

    try:
        return pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise FormatError(f"{file} is not a readable parquet file: {str(error).splitlines()[0]}") from error


def _recording(path: Path, info: Mapping[str, Any], episode: Mapping[str, Any], rows: Any) -> Recording:
    name, features, dt_s = f"{path}#{episode['episode_index']}", info["features"], 1 / float(info["fps"])
    indices = rows["episode_index"].to_numpy()
    first, last = (int(indices.searchsorted(episode["episode_index"], side)) for side in ("left", "right"))
    if last - first != episode["length"] or last - first < 2:
        raise FormatError(f"{name} has {last - first} rows where {episode['length']} are expected: the data set is not whole")
    mine = rows.slice(first, last - first)
    actions, action_names = _numbers(mine, layout.ACTION, features, name)
    has_state = layout.PARTS in features
    states, names = _numbers(mine, layout.PARTS, features, name) if has_state else (np.zeros((len(actions), 0), np.float32), ())
    tasks = episode.get("tasks") or [""]
    return Recording(
        name=name, commands=actions[:-1], command_names=action_names, states=states, state_names=names,
        tool_poses=np.zeros((len(states), 0, 7), np.float32), dt_s=dt_s, text=str(tasks[0]),
        rewards=_numbers(mine, layout.REWARD, features, name)[0][:-1, 0] if layout.REWARD in features else None,
        cameras=_cameras(path, info, episode, mine, dt_s),
    )  # fmt: skip


def _numbers(rows: Any, column: str, features: Mapping[str, Any], name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    width = int(np.prod(features[column]["shape"]))
    try:
        values = np.array(rows[column].to_pylist(), np.float32).reshape(rows.num_rows, -1)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{name}: column {column} is not a table of numbers") from error
    if values.shape[1] != width or not np.isfinite(values).all():
        raise FormatError(f"{name}: column {column} must hold {width} finite numbers per row; got {values.shape[1]}")
    names = features[column].get("names")
    names = next(iter(names.values())) if isinstance(names, Mapping) and names else names
    fits = isinstance(names, list) and len(names) == width
    return values, tuple(str(n) for n in names) if fits and names else tuple(f"{column}_{i}" for i in range(width))


def _cameras(path: Path, info: Mapping[str, Any], episode: Mapping[str, Any], rows: Any, dt_s: float) -> dict[str, Camera]:
    out: dict[str, Camera] = {}
    for key, feature in info["features"].items():
        if feature.get("dtype") == "video":
            try:
                place = {k: int(episode[f"videos/{key}/{k}"]) for k in ("chunk_index", "file_index")}
                start_s = float(episode[f"videos/{key}/from_timestamp"])
            except KeyError as error:
                raise FormatError(f"{path}: its episodes do not say where the video {key} lies: no column {error}") from None
            file = path / str(info["video_path"]).format(video_key=key, **place)
            out[key] = Video(file, rows.num_rows, dt_s, start_s)
        elif feature.get("dtype") == "image":
            out[key] = EncodedFrames([cell["bytes"] for cell in rows[key].to_pylist()], dt_s)
    return out
