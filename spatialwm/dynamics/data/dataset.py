"""Episodes read back: whole, or as windows for training, without ever showing a model the truth."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np

from spatialwm.dynamics.data import layout
from spatialwm.dynamics.data.casts import cast_from_value
from spatialwm.dynamics.data.layout import Form
from spatialwm.dynamics.data.shelf import read_shelf
from spatialwm.dynamics.episode import Cast, Episode, Situation, Track
from spatialwm.errors import DataError, FormatError

CACHE_BYTES = 2_000_000_000
"""Decoded columns that stay in memory; the least recently used file goes first."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """``length`` steps of one episode."""

    episode: int
    start: int
    """The step at which it begins."""
    track: Track


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where an episode lies."""

    file: int
    row: int
    """Of its first instant in that file."""
    instants: int
    objects: int


class Dataset:
    """A data set on disk; files are opened when they are first needed."""

    def __init__(self, path: Path, form: Form, entries: Sequence[_Entry], rows: Mapping[int, int]) -> None:
        self._path, self._form, self._entries, self._rows = path, form, tuple(entries), dict(rows)
        self._decoded: OrderedDict[int, dict[str, np.ndarray]] = OrderedDict()
        self.cast = lru_cache(maxsize=4096)(self._cast)

    def __getstate__(self) -> tuple[Any, ...]:
        return self._path, self._form, self._entries, self._rows

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(*state)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def path(self) -> Path:
        """Its folder."""
        return self._path

    @property
    def form(self) -> Form:
        """What its episodes have in common."""
        return self._form

    def lengths(self) -> np.ndarray:
        """Steps of every episode."""
        return np.array([e.instants - 1 for e in self._entries], np.int64)

    def episode(self, index: int) -> Episode:
        """One episode, whole, without its truth.

        Raises:
            DataError: there is no such episode.
            FormatError: its file is missing or damaged.
        """
        entry = self._entry(index)
        rewards = None
        if self._form.rewards:
            rewards = self._columns(entry.file)[layout.REWARD][entry.row : entry.row + entry.instants - 1]
        return Episode(self.cast(index), self.track(index), rewards)

    def track(self, index: int, start: int = 0, steps: int | None = None) -> Track:
        """Some steps of an episode, as views of the decoded file: do not write to them."""
        entry = self._entry(index)
        steps = entry.instants - 1 - start if steps is None else steps
        if start < 0 or steps < 0 or start + steps >= entry.instants:
            raise DataError(f"episode {index} has {entry.instants - 1} steps; {steps} from {start} on are asked for")
        columns = self._columns(entry.file)
        first, last = entry.row + start, entry.row + start + steps
        objects = columns[layout.OBJECTS][first : last + 1, : entry.objects]
        return Track(
            objects[..., :7], objects[..., 7:], columns[layout.PARTS][first : last + 1], columns[layout.ACTION][first:last],
            self._form.dt_s,
        )  # fmt: skip

    def situation(self, window: Window, steps: int) -> Situation:
        """What was known after the first steps of a window; nothing before it."""
        return Situation(self.cast(window.episode), window.track.until(steps))

    def truth(self, index: int) -> Any:
        """What the simulator was really made from: for floors and referees, never for models.

        Raises:
            FormatError: the data set came without its truth.
        """
        entry = self._entry(index)
        return read_shelf(layout.file_path(self._path, layout.TRUTHS, entry.file), str(index))

    def windows(self, length: int, stride: int = 1) -> Windows:
        """Every run of ``length`` steps, beginning ``stride`` steps apart.

        Raises:
            DataError: no episode is that long, or a number below 1.
        """
        if length < 1 or stride < 1:
            raise DataError(f"windows need a length and a stride of at least 1; got {length} and {stride}")
        counts = np.maximum(0, (self.lengths() - length) // stride + 1)
        if not counts.sum():
            longest = int(self.lengths().max(initial=0))
            raise DataError(f"{self._path}: no episode has {length} steps; the longest has {longest}")
        return Windows(self, length, stride, counts)

    def _cast(self, index: int) -> Cast:
        entry = self._entry(index)
        return cast_from_value(read_shelf(layout.file_path(self._path, layout.CASTS, entry.file), str(index)))

    def _entry(self, index: int) -> _Entry:
        if not 0 <= index < len(self._entries):
            raise DataError(f"{self._path} holds {len(self._entries)} episodes; there is no episode {index}")
        return self._entries[index]

    def _columns(self, file: int) -> dict[str, np.ndarray]:
        if file in self._decoded:
            self._decoded.move_to_end(file)
            return self._decoded[file]
        columns = _decoded(layout.file_path(self._path, layout.DATA, file), self._form, self._rows[file])
        self._decoded[file] = columns
        while len(self._decoded) > 1 and sum(a.nbytes for c in self._decoded.values() for a in c.values()) > CACHE_BYTES:
            self._decoded.popitem(last=False)
        return columns


class Windows(Sequence[Window]):
    """All windows of a data set, by number."""

    def __init__(self, dataset: Dataset, length: int, stride: int, counts: np.ndarray) -> None:
        self.dataset, self.length = dataset, length
        self._stride, self._ends = stride, np.cumsum(counts)

    def __len__(self) -> int:
        return int(self._ends[-1])

    @overload
    def __getitem__(self, index: int) -> Window: ...
    @overload
    def __getitem__(self, index: slice) -> list[Window]: ...
    def __getitem__(self, index: int | slice) -> Window | list[Window]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} windows; no window {index}")
        index = int(index) % len(self)
        episode = int(self._ends.searchsorted(index, side="right"))
        start = (index - (int(self._ends[episode - 1]) if episode else 0)) * self._stride
        return Window(episode, start, self.dataset.track(episode, start, self.length))


def read_dataset(path: Path) -> Dataset:
    """Open what :func:`~spatialwm.dynamics.data.lerobot.write_dataset` wrote; a run that was killed left a shorter one.

    Raises:
        FormatError: not a data set, of a newer version, a file missing or damaged, a column missing or of another shape.
        MissingDependencyError: pyarrow is not installed.
    """
    path = Path(path)
    info, form, pq = layout.read_info(path), layout.read_form(path), layout.parquet()
    total, entries, rows, number = int(info["total_episodes"]), [], {}, 0
    while len(entries) < total:
        table = _table(layout.file_path(path, layout.EPISODES, number), ("episode_index", "length", "objects"))
        lengths, objects = table["length"].to_pylist(), table["objects"].to_pylist()
        if table["episode_index"].to_pylist() != list(range(len(entries), len(entries) + len(lengths))) or not lengths:
            raise FormatError(f"{layout.file_path(path, layout.EPISODES, number)} does not go on from episode {len(entries)}")
        starts = np.cumsum([0, *lengths]).tolist()
        entries += [_Entry(number, *e) for e in zip(starts[:-1], lengths, objects, strict=True)]
        rows[number] = starts[-1]
        _check_columns(layout.file_path(path, layout.DATA, number), form, starts[-1], pq)
        number += 1
    return Dataset(path, form, entries[:total], rows)


def _widths(form: Form) -> dict[str, int]:
    """Values per row of the columns that are read."""
    widths = {layout.PARTS: form.parts * layout.PER_PART, layout.OBJECTS: form.max_objects * layout.PER_OBJECT}
    widths |= {layout.ACTION: form.commands, layout.REWARD: 1}
    return {k: w for k, w in widths.items() if w}


def _check_columns(file: Path, form: Form, rows: int, pq: Any) -> None:
    """Refuse at once what would fail in the middle of training; looks at the footer only."""
    import pyarrow as pa

    try:
        metadata = pq.read_metadata(file)
    except (OSError, pa.ArrowException) as error:
        raise FormatError(_unreadable(file, error)) from error
    schema = metadata.schema.to_arrow_schema()
    for name, width in _widths(form).items():
        if name not in schema.names:
            raise FormatError(f"{file} lacks the column {name}; it has {', '.join(schema.names)}")
        kind = schema.field(name).type
        got = kind.list_size if pa.types.is_fixed_size_list(kind) else 1
        number = kind.value_type if pa.types.is_fixed_size_list(kind) else kind
        if got != width or not pa.types.is_floating(number):
            raise FormatError(f"{file}: column {name} must hold {width} numbers per row; got {kind}")
    if metadata.num_rows != rows:
        raise FormatError(f"{file} has {metadata.num_rows} rows, and its episodes {rows}: it was cut short; generate it again")


def _decoded(file: Path, form: Form, rows: int) -> dict[str, np.ndarray]:
    import pyarrow as pa

    widths = _widths(form)
    table = _table(file, tuple(widths))
    none = np.zeros((rows, 0), np.float32)
    out: dict[str, np.ndarray] = {layout.PARTS: none, layout.OBJECTS: none}
    for name in widths:
        column = table[name].combine_chunks()
        numbers = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
        values = np.asarray(numbers.to_numpy(zero_copy_only=False), np.float32)
        if values.size != rows * widths[name]:
            raise FormatError(f"{file}: column {name} has empty places; generate the data set again")
        out[name] = values.reshape(rows, -1)
    out[layout.PARTS] = out[layout.PARTS].reshape(rows, form.parts, layout.PER_PART)
    out[layout.OBJECTS] = out[layout.OBJECTS].reshape(rows, form.max_objects, layout.PER_OBJECT)
    out[layout.REWARD] = out[layout.REWARD][:, 0]
    return out


def _table(file: Path, columns: tuple[str, ...]) -> Any:
    import pyarrow as pa

    try:
        with layout.parquet().ParquetFile(file) as opened:
            names = opened.schema_arrow.names
            lacking = [c for c in columns if c not in names]
            if lacking:
                raise FormatError(f"{file} lacks the column {lacking[0]}; it has {', '.join(names)}")
            return opened.read(columns=list(columns))
    except (OSError, pa.ArrowException) as error:
        raise FormatError(_unreadable(file, error)) from error


def _unreadable(file: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{file} is missing: the data set was not copied whole"
    why = str(error).splitlines()[0]
    return f"{file} is not a readable parquet file ({why}); copy or generate the data set again"
