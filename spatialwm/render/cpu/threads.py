"""Kernels on all cores: plain Python threads over kernels that release the interpreter lock.

numba's own ``parallel=True`` is not used: its default threading layer aborts when two Python threads enter it, which is how web
servers call, and it takes seconds longer to compile. A pool needs no lock, and any number of callers may share it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def machine_threads() -> int:
    """Cores this process may use; SPATIALWM_CPU_THREADS overrides it."""
    asked = os.environ.get("SPATIALWM_CPU_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool(threads: int, process_id: int) -> ThreadPoolExecutor:
    # Keyed by the process: threads do not survive a fork.
    return ThreadPoolExecutor(threads, thread_name_prefix=f"spatialwm-cpu-{process_id}")


def run(jobs: Sequence[Callable[[], T]], threads: int) -> list[T]:
    """The results of all jobs, in order."""
    if threads == 1 or len(jobs) == 1:
        return [job() for job in jobs]
    return list(_pool(threads, os.getpid()).map(lambda job: job(), jobs))


def spans(count: int, parts: int) -> list[tuple[int, int]]:
    """``range(count)`` in at most ``parts`` contiguous ``(start, stop)`` pieces."""
    edges = [count * i // parts for i in range(parts + 1)]
    return [(a, b) for a, b in pairwise(edges) if b > a]
