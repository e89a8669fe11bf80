"""Real robots' data, one reader per layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from spatialwm.dynamics.data.recordings.demos import is_demos, read_demos
from spatialwm.dynamics.data.recordings.droid import is_droid, read_droid
from spatialwm.dynamics.data.recordings.lerobot import is_lerobot, read_lerobot
from spatialwm.dynamics.data.recordings.recording import Camera, Recording
from spatialwm.dynamics.data.recordings.rlds import is_rlds, read_rlds
from spatialwm.errors import FormatError

READERS: dict[str, tuple[Callable[[Path], bool], Callable[[Path], Iterator[Recording]]]] = {
    "lerobot": (is_lerobot, read_lerobot),
    "droid": (is_droid, read_droid),
    "rlds": (is_rlds, read_rlds),
    "demos": (is_demos, read_demos),
}
"""By layout: whether a path is of it, and its reader; the first that fits reads."""

__all__ = ["READERS", "Camera", "Recording", "read_recordings"]


def read_recordings(path: Path) -> Iterator[Recording]:
    """The recordings under a path, whatever their layout, one at a time.

    Raises:
        FormatError: nothing that any reader knows, or damaged.
    """
    path = Path(path)
    for fits, read in READERS.values():
        if path.exists() and fits(path):
            return read(path)
    raise FormatError(
        f"{path} holds no recordings: expected a LeRobot v3 data set (meta/info.json), DROID annotations (annotation/*.json), "
        "RLDS files (*.tfrecord) or demonstrations (*.npz)"
    )
