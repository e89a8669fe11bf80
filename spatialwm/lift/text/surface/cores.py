"""Loops on all cores: kernels that release the interpreter lock, over the renderer's thread pool."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from spatialwm.render.cpu.threads import machine_threads, run, spans

T = TypeVar("T")

SMALLEST = 4096
"""Fewer items than this are not worth a second thread."""

_inside = threading.local()


def over(count: int, kernel: Callable[..., None], *arguments: object) -> None:
    """``kernel(start, stop, *arguments)`` over ``range(count)`` in one piece per core; in one piece inside :func:`each`."""
    pieces = 1 if count < SMALLEST or getattr(_inside, "each", False) else machine_threads()
    run([partial(kernel, a, b, *arguments) for a, b in spans(count, pieces)], pieces)


def each(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """The results of all jobs in order, run side by side; what they call stays on their own thread, so the pool cannot starve."""
    if getattr(_inside, "each", False):
        return [job() for job in jobs]

    def alone(job: Callable[[], T]) -> T:
        _inside.each = True
        try:
            return job()
        finally:
            _inside.each = False

    return run([partial(alone, job) for job in jobs], machine_threads())
