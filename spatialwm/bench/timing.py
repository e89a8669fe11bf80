"""Timing on a machine that does other things too: runs take turns, the median counts, processor time is kept too.

Runs of one job in a row would all fall into the same quiet or busy spell. Taking turns, every job meets the same spells, so that
ratios hold even where the figures themselves waver.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

SLOW_JOB_S = 10.0
"""A job is not repeated further once its runs took this long together."""


@dataclass(slots=True)
class Timing:
    """The runs of one job, milliseconds. ``processor`` sums over all cores, so it is above ``wall`` where threads work."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @property
    def wall_ms(self) -> float:
        """Median."""
        return statistics.median(self.wall)

    @property
    def processor_ms(self) -> float:
        """Median."""
        return statistics.median(self.processor)

    @property
    def processor_ms_min(self) -> float:
        """The quietest run: others only add to it."""
        return min(self.processor)

    def add(self, job: Callable[[], object]) -> None:
        """Run once."""
        started, busy = time.perf_counter(), time.process_time()
        job()
        self.wall.append((time.perf_counter() - started) * 1e3)
        self.processor.append((time.process_time() - busy) * 1e3)


def turns(jobs: Mapping[str, Callable[[], object]], timings: Mapping[str, Timing], repeats: int) -> Iterator[float]:
    """Add ``repeats`` runs of every job to ``timings``, in turns; yields the share that is done after each run."""
    for turn in range(repeats):
        for place, (name, job) in enumerate(jobs.items()):
            if sum(timings[name].wall) < SLOW_JOB_S * 1e3:
                timings[name].add(job)
                yield (turn + (place + 1) / len(jobs)) / repeats


def interleaved(jobs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Timing]:
    """Each job once to warm up, then ``repeats`` times in turns."""
    for job in jobs.values():
        job()
    timings = {name: Timing() for name in jobs}
    for _ in turns(jobs, timings, repeats):
        pass
    return timings
