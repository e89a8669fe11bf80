"""Episodes written as a LeRobotDataset v3, with pyarrow alone; shapes and truth lie beside it in files of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from spatialwm.atomic import replacing
from spatialwm.dynamics.data import layout
from spatialwm.dynamics.data.casts import cast_to_value
from spatialwm.dynamics.data.layout import Form
from spatialwm.dynamics.data.shelf import write_shelf
from spatialwm.dynamics.data.statistics import Statistics, merged, statistics
from spatialwm.dynamics.episode import Episode
from spatialwm.errors import DataError, FormatError
from spatialwm.progress import Progress, silent

EPISODES_PER_FILE = 50
"""What a kill can cost. Less makes more files, of which LeRobot reads each one's footer at every start."""


def episodes_written(path: Path) -> int:
    """How many episodes a data set holds; 0 where none has been begun.

    Raises:
        FormatError: something else lies there.
    """
    path = Path(path)
    if not path.exists() or (path.is_dir() and not (path / layout.INFO).exists()):
        return 0
    return int(layout.read_info(path)["total_episodes"])


def write_dataset(
    path: Path,
    episodes: Iterable[Episode],
    progress: Progress = silent,
    *,
    total: int | None = None,
    task: str = "push things about",
    robot: str = "pusher",
    max_objects: int | None = None,
    about: Mapping[str, Any] | None = None,
    episodes_per_file: int = EPISODES_PER_FILE,
) -> int:
    """Write episodes as they come, after those that are there already; :data:`EPISODES_PER_FILE` at a time.

    ``meta/info.json`` is replaced last, so that a run killed at any instant leaves a data set of whole files, and the same call
    with the rest of the episodes goes on. Its bytes do not depend on how often it was killed.

    Args:
        total: how many come, for the progress bar; asked of ``episodes`` where it knows.
        task: what LeRobot's ``task`` column says.
        max_objects: columns for so many; by default as many as the first file needs.
        about: how the episodes were made; a data set that was made otherwise is not added to.

    Returns:
        How many episodes the data set holds now.

    Raises:
        DataError: an episode does not fit the data set.
        FormatError: the folder cannot be written, or holds something else.
        MissingDependencyError: pyarrow is not installed.
    """
    path = Path(path)
    layout.parquet()
    if episodes_per_file < 1:
        raise DataError(f"episodes_per_file must be at least 1; got {episodes_per_file}")
    if total is None and isinstance(episodes, Sequence):
        total = len(episodes)
    try:
        path.mkdir(parents=True, exist_ok=True)
        before = held = episodes_written(path)
        frames = int(layout.read_info(path)["total_frames"]) if held else 0
        form = layout.read_form(path) if held else None
        _check_about(path, form, about)
        number, whole = _so_far(path, held)
        stream = iter(episodes)
        while batch := list(islice(stream, episodes_per_file)):
            if form is None:
                form = _form_of(batch, max_objects, about)
                layout.write_form(path, form)
                _write_tasks(path, task)
            columns = _columns(batch, form, held, frames)
            each = _statistics(batch, columns)
            rows = _episode_rows(batch, each, task, held, frames, number)
            _write_table(layout.file_path(path, layout.DATA, number), columns)
            _write_shelves(path, number, held, batch)
            _write_table(layout.file_path(path, layout.EPISODES, number), rows)
            held, frames = held + len(batch), frames + len(columns["index"])
            whole = reduce(merged, each if whole is None else [whole, *each])
            layout.write_json(path / layout.STATS, whole)
            layout.write_json(path / layout.INFO, layout.info_of(form, held, frames, robot))
            number += 1
            progress(f"{held} episodes written", (held - before) / total if total else 0.0)
        return held
    except OSError as error:
        raise FormatError(f"cannot write the data set {path}: {error.strerror or error}") from error


def _check_about(path: Path, form: Form | None, about: Mapping[str, Any] | None) -> None:
    if form is None or about is None or dict(about) == form.about:
        return
    other = next(k for k in [*about, *form.about] if about.get(k) != form.about.get(k))
    raise DataError(
        f"{path} was made with {other}={form.about.get(other)!r}, and {about.get(other)!r} is asked for now: "
        "write to another folder, or remove this one"
    )


def _so_far(path: Path, held: int) -> tuple[int, Statistics | None]:
    """Number of the next file, and the statistics of the episodes before it.

    Taken from the episodes' own rows: a run may have been killed after it wrote ``stats.json`` and before it counted.
    """
    number, whole = 0, None
    while held > 0 and (file := layout.file_path(path, layout.EPISODES, number)).exists():
        rows = layout.parquet().read_table(file).to_pydict()
        names = [k.split("/")[1:] for k in rows if k.startswith("stats/")]
        for i in range(len(rows["length"])):
            one: Statistics = {}
            for name, key in names:
                one.setdefault(name, {})[key] = rows[f"stats/{name}/{key}"][i]
            whole = one if whole is None else merged(whole, one)
        held -= len(rows["length"])
        number += 1
    if held:
        raise FormatError(f"{path}: {layout.EPISODES} does not hold the episodes that {layout.INFO} counts; generate it again")
    return number, whole


def _form_of(batch: Sequence[Episode], max_objects: int | None, about: Mapping[str, Any] | None) -> Form:
    first = batch[0]
    return Form(
        parts=len(first.cast.part_ids),
        max_objects=max_objects or max(len(e.cast.object_ids) for e in batch),
        commands=first.track.commands.shape[1],
        dt_s=float(first.track.dt_s),
        rewards=first.rewards is not None,
        about=dict(about or {}),
    )


def _check_fits(episode: Episode, form: Form, index: int) -> None:
    cast, track = episode.cast, episode.track
    objects = len(cast.object_ids)
    if objects > form.max_objects:
        most = form.max_objects
        raise DataError(f"episode {index} has {objects} objects, and the data set {most}: start it with more max_objects")
    for what, got, expected in (
        ("parts of the actor", len(cast.part_ids), form.parts), ("poses of parts", track.part_poses.shape[1], form.parts),
        ("poses of objects", track.poses.shape[1], objects), ("values per command", track.commands.shape[1], form.commands),
        ("seconds per step", track.dt_s, form.dt_s), ("rewards", episode.rewards is not None, form.rewards),
    ):  # fmt: skip
        if got != expected:
            raise DataError(f"episode {index} has {what}: {got}, where {expected} is expected: write it to another data set")
    if episode.rewards is not None and episode.rewards.shape != (len(track),):
        raise DataError(f"episode {index} has {len(track)} steps and rewards of shape {episode.rewards.shape}")
    arrays = (track.poses, track.velocities, track.part_poses, track.commands)
    if not all(np.isfinite(a).all() for a in arrays):
        raise DataError(f"episode {index} holds NaN or infinity: the simulation diverged; leave it out")


def _columns(batch: Sequence[Episode], form: Form, first: int, first_frame: int) -> dict[str, np.ndarray]:
    """One row per instant; the last has no step after it: its action repeats the one before, its reward is 0, it is done."""
    per: dict[str, list[np.ndarray]] = {k: [] for k in form.features()}
    for i, episode in enumerate(batch):
        _check_fits(episode, form, first + i)
        track, rows, k = episode.track, len(episode.track) + 1, len(episode.cast.object_ids)
        objects = np.zeros((rows, form.max_objects, layout.PER_OBJECT), np.float32)
        objects[:, :k, :7], objects[:, :k, 7:] = track.poses, track.velocities
        hold = track.commands[-1:] if len(track) else np.zeros((1, form.commands))
        values = {
            layout.PARTS: track.part_poses.reshape(rows, -1),
            layout.OBJECTS: objects.reshape(rows, -1),
            layout.ACTION: np.concatenate([track.commands, hold]),
            layout.REWARD: np.zeros(rows) if episode.rewards is None else np.append(episode.rewards, 0.0),
            layout.DONE: np.arange(rows) == rows - 1,
            "timestamp": np.arange(rows) * form.dt_s,
            "frame_index": np.arange(rows),
            "episode_index": np.full(rows, first + i),
            "index": np.arange(rows),
            "task_index": np.zeros(rows),
        }
        for name in per:
            per[name].append(values[name])
    dtypes = {k: np.dtype(f["dtype"]) for k, f in form.features().items()}
    columns = {k: np.concatenate(v).astype(dtypes[k]) for k, v in per.items()}
    columns["index"] = first_frame + np.arange(len(columns["index"]), dtype=np.int64)
    return columns


def _statistics(batch: Sequence[Episode], columns: Mapping[str, np.ndarray]) -> list[Statistics]:
    ends = np.cumsum([len(e.track) + 1 for e in batch])
    numbers = {k: v for k, v in columns.items() if k != layout.DONE}
    return [
        statistics({k: v[end - len(e.track) - 1 : end] for k, v in numbers.items()}) for e, end in zip(batch, ends, strict=True)
    ]


def _episode_rows(
    batch: Sequence[Episode], each: Sequence[Statistics], task: str, first: int, first_frame: int, number: int
) -> dict[str, Any]:
    """The rows of ``meta/episodes``, in LeRobot's names."""
    lengths = np.array([len(e.track) + 1 for e in batch])
    ends = first_frame + np.cumsum(lengths)
    chunk, file = divmod(number, layout.FILES_PER_CHUNK)
    rows: dict[str, Any] = {
        "episode_index": first + np.arange(len(batch)), "tasks": [[task]] * len(batch), "length": lengths,
        "data/chunk_index": np.full(len(batch), chunk), "data/file_index": np.full(len(batch), file),
        "dataset_from_index": ends - lengths, "dataset_to_index": ends,
        "meta/episodes/chunk_index": np.full(len(batch), chunk), "meta/episodes/file_index": np.full(len(batch), file),
        "objects": np.array([len(e.cast.object_ids) for e in batch]),
    }  # fmt: skip
    for name, values in each[0].items():
        for key in values:
            rows[f"stats/{name}/{key}"] = [one[name][key] for one in each]
    return rows


def _write_shelves(path: Path, number: int, first: int, batch: Sequence[Episode]) -> None:
    casts = {str(first + i): cast_to_value(e.cast) for i, e in enumerate(batch)}
    truths = {str(first + i): e.truth for i, e in enumerate(batch)}
    for kind, values in ((layout.CASTS, casts), (layout.TRUTHS, truths)):
        file = layout.file_path(path, kind, number)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_shelf(file, values)


def _write_tasks(path: Path, task: str) -> None:
    # LeRobot reads this file with pandas and looks tasks up by its index, which is a note in the schema.
    note = (
        b'{"index_columns": ["task"], "column_indexes": [], "columns": [{"name": "task_index", "field_name": "task_index", '
        b'"pandas_type": "int64", "numpy_type": "int64", "metadata": null}, {"name": "task", "field_name": "task", '
        b'"pandas_type": "unicode", "numpy_type": "object", "metadata": null}], "pandas_version": "2.2.0"}'
    )
    _write_table(path / layout.TASKS, {"task_index": np.zeros(1, np.int64), "task": [task]}, {b"pandas": note})


def _write_table(path: Path, columns: Mapping[str, Any], notes: dict[bytes, bytes] | None = None) -> None:
    import pyarrow as pa

    arrays = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray) and column.ndim == 2 and column.shape[1] == 1:
            arrays[name] = pa.array(column[:, 0])  # LeRobot keeps a feature of shape (1,) as a plain number
        elif isinstance(column, np.ndarray) and column.ndim == 2:
            arrays[name] = pa.FixedSizeListArray.from_arrays(pa.array(column.reshape(-1)), column.shape[1])
        else:
            arrays[name] = pa.array(column)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, FormatError) as temporary:
        table = pa.table(arrays)
        layout.parquet().write_table(table.replace_schema_metadata(notes) if notes else table, temporary, compression="zstd")
