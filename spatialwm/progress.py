"""How long work reports itself: a callback that any layer may call and any front end may draw."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class Progress(Protocol):
    """Receives ``progress(stage, fraction)``: a short name of what runs now, and 0..1 of the whole job."""

    def __call__(self, stage: str, fraction: float, /) -> None: ...


def silent(stage: str, fraction: float, /) -> None:
    """A progress callback that shows nothing."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Map a sub-task's own 0..1 onto ``start..end`` of the whole job."""

    def report(stage: str, fraction: float, /) -> None:
        progress(stage, start + (end - start) * min(max(fraction, 0.0), 1.0))

    return report


class StageTimes:
    """Hands progress on, and keeps the seconds that each stage took; what follows a comma in a stage's name is detail."""

    def __init__(self, onto: Progress = silent) -> None:
        self._onto = onto
        self._stage, self._since = "", time.perf_counter()
        self._seconds: dict[str, float] = {}

    def __call__(self, stage: str, fraction: float, /) -> None:
        self._count(stage.partition(",")[0])
        self._onto(stage, fraction)

    def seconds(self) -> dict[str, float]:
        """By stage, in the order they first ran, up to now."""
        self._count(self._stage)
        return dict(self._seconds)

    def _count(self, next_stage: str) -> None:
        now = time.perf_counter()
        if self._stage:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = next_stage, now
