"""Data sets made by simulation: as many workers as there are, and the same bytes however many they were."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spatialwm.dynamics.data.lerobot import EPISODES_PER_FILE, episodes_written, write_dataset
from spatialwm.dynamics.data.pools import Pool, Result, open_pool
from spatialwm.dynamics.episode import Episode
from spatialwm.errors import DataError, SpatialwmError
from spatialwm.progress import Progress, silent

Maker = Callable[[str, int], Episode]
"""``make(variant, seed)``: the same arguments give the same episode on any machine. A function of a module, not a lambda."""


def generate(
    variant: str,
    episodes: int,
    out: Path,
    workers: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
    cluster: str | None = None,
    *,
    make: Maker | None = None,
    task: str = "push things about",
    episodes_per_file: int = EPISODES_PER_FILE,
) -> int:
    """Make a data set of so many episodes, or what an interrupted run left to do of it.

    Ctrl-C and a kill leave a data set of whole files; the same call then goes on to the same bytes.

    Args:
        variant: handed to ``make``.
        episodes: how many the data set shall hold in the end.
        workers: processes; all cores by default, 1 to stay in this one.
        seed: of the whole data set; episode i of it is the same whatever ``episodes`` and ``workers`` are.
        cluster: a Ray address, see :func:`~spatialwm.dynamics.data.pools.open_pool`.
        make: by default :func:`spatialwm.dynamics.table.make_episode`.

    Returns:
        How many episodes the data set holds.

    Raises:
        DataError: a number out of range, an episode that cannot be made, or a data set that was made otherwise.
        FormatError: the folder cannot be written, or holds something else.
        MissingDependencyError: pyarrow, or ray for a cluster, is not installed.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    if episodes < 1 or workers < 1 or seed < 0:
        raise DataError(f"episodes and workers must be at least 1 and seed at least 0; got {episodes}, {workers}, {seed}")
    if make is None:
        from spatialwm.dynamics.table import make_episode

        make = make_episode
    about = {"variant": variant, "seed": seed, "maker": f"{make.__module__}.{make.__qualname__}"}
    held = episodes_written(out)
    with open_pool(min(workers, max(episodes - held, 1)), cluster if held < episodes else None) as pool:
        stream = _in_order(pool, make, variant, seed, range(held, episodes), progress)
        return write_dataset(Path(out), stream, task=task, about=about, episodes_per_file=episodes_per_file)


def episode_seed(seed: int, index: int) -> int:
    """The seed of one episode of a data set; those of two data sets have nothing in common."""
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _in_order(pool: Pool, make: Maker, variant: str, seed: int, indices: range, progress: Progress) -> Iterator[Episode]:
    """Episodes as they become ready, but never before one that comes earlier: that is what makes the files the same."""
    waiting: deque[tuple[int, Result]] = deque()
    ahead = iter(indices)

    def hand_out() -> None:
        for index in ahead:
            waiting.append((index, pool.submit(make, variant, episode_seed(seed, index))))
            return

    for _ in range(pool.ahead):
        hand_out()
    while waiting:
        index, result = waiting.popleft()
        yield _made(result, index, variant, seed)
        hand_out()
        progress(f"{index + 1} of {indices.stop} episodes", (index + 1) / indices.stop)


def _made(result: Result, index: int, variant: str, seed: int) -> Episode:
    try:
        made: Any = result()
    except SpatialwmError:
        raise
    except Exception as error:  # whatever a simulator raises
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(f"episode {index} of {variant!r} cannot be made (seed {episode_seed(seed, index)}): {why}") from error
    if not isinstance(made, Episode):
        raise DataError(f"episode {index} of {variant!r} is a {type(made).__name__}, not an Episode")
    return made
