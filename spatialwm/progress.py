"""How long work reports itself: a callback that any layer may call and any front end may draw."""

from __future__ import annotations

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
