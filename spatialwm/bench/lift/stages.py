"""What each stage of a long job takes: time, processor time and memory, read off its progress."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from types import TracebackType

from spatialwm.bench.memory import resident_bytes
from spatialwm.progress import Progress, silent

SAMPLE_S = 0.1
"""Between looks at the memory: allocations shorter than this are missed."""


@dataclass(slots=True)
class Stage:
    """One stage, by its name up to the first comma."""

    name: str
    seconds: float = 0.0
    processor_s: float = 0.0
    """Over all cores, ended child processes included: divide by the cores for what it takes on a machine that is free."""
    peak_mb: float | None = None
    """Most that was held during it, all that lay there before included."""


class StageMeter:
    """A progress callback for use in a ``with`` statement, which hands on what it hears."""

    def __init__(self, onto: Progress = silent) -> None:
        self._onto = onto
        self._stages: dict[str, Stage] = {}
        self._stage = self._entered("starting")
        self._since = self._clocks()
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """In the order they first ran, without those too short to tell."""
        return tuple(s for s in self._stages.values() if s.seconds >= 0.005)

    def __enter__(self) -> StageMeter:
        self._since = self._clocks()
        self._sampler.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._turn(self._stage.name)
        self._ended.set()
        self._sampler.join()

    def __call__(self, stage: str, fraction: float, /) -> None:
        self._turn(stage.partition(",")[0])
        self._onto(stage, fraction)

    def _turn(self, name: str) -> None:
        wall, processor = self._clocks()
        self._stage.seconds += wall - self._since[0]
        self._stage.processor_s += processor - self._since[1]
        self._since = wall, processor
        if name != self._stage.name:
            self._look()
            self._stage = self._entered(name)
            self._look()

    def _entered(self, name: str) -> Stage:
        return self._stages.setdefault(name, Stage(name))

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_S):
            self._look()

    def _look(self) -> None:
        held = resident_bytes()
        if held is not None:
            stage = self._stage
            stage.peak_mb = max(stage.peak_mb or 0.0, held / 2**20)

    @staticmethod
    def _clocks() -> tuple[float, float]:
        told = os.times()
        return time.perf_counter(), told.user + told.system + told.children_user + told.children_system
