"""Long work in a thread of its own: watched from outside, timed, and stopped at its next progress report."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from spatialwm.progress import Progress

T = TypeVar("T")


class JobCancelled(Exception):
    """The person who started the job stopped it."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a job reports while it runs."""

    stage: str
    fraction: float
    elapsed_s: float
    eta_s: float | None
    """None while there is too little to extrapolate from."""


class Job(Generic[T]):
    """One call of ``work(progress)`` on a daemon thread."""

    def __init__(self, work: Callable[[Progress], T]) -> None:
        self._work = work
        self._cancelled = threading.Event()
        self._done = threading.Event()
        self._started_s = time.monotonic()
        self._last = ("starting", 0.0, 0.0)
        self._value: T | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, daemon=True, name="spatialwm-job").start()

    def cancel(self) -> None:
        """Ask the work to stop; it does so at its next report, before anything is committed."""
        self._cancelled.set()

    def watch(self, period_s: float = 0.15) -> Iterator[Status]:
        """Yield the status now and then until the work has ended."""
        yield self.status()
        while not self._done.wait(period_s):
            yield self.status()

    def status(self) -> Status:
        """Stage, share done, and an estimate of what is left from the share done so far."""
        elapsed = time.monotonic() - self._started_s
        stage, fraction, reported = self._last
        return Status(stage, fraction, elapsed, _remaining_s(fraction, reported, elapsed))

    def result(self) -> T:
        """Wait for the end and return what the work returned.

        Raises:
            JobCancelled: it was cancelled in time; else whatever the work raised.
        """
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # pyright: ignore[reportReturnType]

    def _run(self) -> None:
        try:
            self._value = self._work(self._report)
        except BaseException as error:  # handed to whoever asks for the result
            self._error = error
        finally:
            self._done.set()

    def _report(self, stage: str, fraction: float, /) -> None:
        if self._cancelled.is_set():
            raise JobCancelled("stopped")
        self._last = (stage, min(max(fraction, 0.0), 1.0), time.monotonic() - self._started_s)


def _remaining_s(fraction: float, reported_s: float, now_s: float) -> float | None:
    """What is left, extrapolated from the last report; between reports it counts down, ever more slowly, and never up."""
    if fraction < 0.03 or now_s < 0.4:
        return None
    if reported_s < 0.4:  # too early to tell anything about pace
        return now_s * (1 - fraction) / fraction
    left = reported_s * (1 - fraction) / fraction
    return left * math.exp((reported_s - now_s) / left) if left else 0.0
