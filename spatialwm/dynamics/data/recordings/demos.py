"""Meta-World demonstrations as iVideoGPT keeps them: npz files of stacked pictures, actions and rewards."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spatialwm.dynamics.data.recordings.cameras import Frames
from spatialwm.dynamics.data.recordings.recording import Recording
from spatialwm.errors import FormatError

DT_S = 0.025
"""Meta-World moves at 80 Hz; iVideoGPT's configuration says that every action was given twice."""
_ACTIONS = ("d_x", "d_y", "d_z", "gripper")
_SPREAD = {"observation": 4, "action": 2, "reward": 2}


def is_demos(path: Path) -> bool:
    """Whether a folder holds npz files, by themselves or one folder per task."""
    return path.suffix == ".npz" or any(path.glob("*.npz")) or any(path.glob("*/*.npz"))


def read_demos(path: Path) -> Iterator[Recording]:
    """Every demonstration; pictures only, for they keep no state. The folder's name is the text.

    Raises:
        FormatError: a file is damaged or lacks an array.
    """
    files = [path] if path.is_file() else sorted([*path.glob("*.npz"), *path.glob("*/*.npz")])
    for file in files:
        yield _read(file)


def _read(file: Path) -> Recording:
    try:
        with np.load(file, allow_pickle=False) as kept:
            lacking = [name for name in _SPREAD if name not in kept.files]
            if lacking:
                raise FormatError(f"{file} lacks {', '.join(lacking)}; it has {', '.join(kept.files)}")
            arrays = {name: kept[name] for name in _SPREAD}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FormatError(f"{file} is not a readable npz file: {error}") from error
    stacks, actions, rewards = arrays.values()
    shapes = [a.shape for a in arrays.values()]
    if any(a.ndim != n or len(a) != len(stacks) for a, n in zip(arrays.values(), _SPREAD.values(), strict=True)):
        raise FormatError(f"{file}: observation, action and reward must be (t, c, h, w), (t, a) and (t, 1); got {shapes}")
    if len(stacks) < 2 or stacks.shape[1] % 3 or stacks.dtype != np.uint8:
        raise FormatError(f"{file}: pictures must be at least 2 stacks of RGB bytes; got {shapes[0]} {stacks.dtype}")
    names = _ACTIONS if actions.shape[1] == len(_ACTIONS) else tuple(f"action_{i}" for i in range(actions.shape[1]))
    return Recording(
        name=str(file),
        commands=actions[1:].astype(np.float32),  # row t holds what led to picture t, so the first is a filler
        command_names=names,
        states=np.zeros((len(stacks), 0), np.float32),
        state_names=(),
        tool_poses=np.zeros((len(stacks), 0, 7), np.float32),
        dt_s=DT_S,
        text=file.parent.name.replace("-", " "),
        rewards=rewards[1:, 0].astype(np.float32),
        cameras={"corner": Frames(np.moveaxis(stacks[:, -3:], 1, -1), DT_S)},
    )
