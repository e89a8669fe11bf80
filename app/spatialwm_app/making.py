"""A world in the making: the job that makes it, what it shows meanwhile, and the two ways of ending it early."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from spatialwm.errors import LiftError, SpatialwmError
from spatialwm.lift import LiftOptions, Workspace
from spatialwm.progress import Progress
from spatialwm_app.hub import Hub
from spatialwm_app.jobs import Job, Status
from spatialwm_app.session import Session
from spatialwm_app.tray import Tray


@dataclass(frozen=True, slots=True)
class Wish:
    """What a page asks to be made."""

    source: str
    options: LiftOptions
    tray: Tray | None = None
    """Where the source lies, if the page sent it in."""


class Making:
    """Runs from the moment it is built."""

    def __init__(self, hub: Hub, wish: Wish) -> None:
        self._hub, self._wish = hub, wish
        self._enough = threading.Event()
        self.said: list[str] = []
        """What the person should know meanwhile, one sentence each."""
        self.forming = hub.form(Path(wish.source).stem if wish.tray else "")
        self._job = Job(self._make)

    def watch(self) -> Iterator[Status]:
        """Yield the status now and then until the end, telling whoever watches the world form."""
        for status in self._job.watch():
            self.forming.report(status)
            yield status

    def result(self) -> Session:
        """Wait for the end.

        Raises:
            JobCancelled: it was given up in time.
            SpatialwmError: why there is none.
        """
        return self._job.result()

    @property
    def keepable(self) -> bool:
        """Whether stopping now would leave something worth keeping."""
        return self.forming.shown and not self._enough.is_set()

    def keep(self) -> None:
        """End it early and keep what there is."""
        self._enough.set()

    def cancel(self) -> None:
        """Give it up; nothing is kept."""
        self._job.cancel()

    def _make(self, progress: Progress) -> Session:
        tray = self._wish.tray
        workspace = Workspace(preview=self.forming.show, say=self.said.append, enough=self._enough.is_set)
        with tray.in_use() if tray else nullcontext():
            try:
                return self._hub.create(self._wish.source, self._wish.options, progress, workspace)
            except SpatialwmError as error:
                said = str(error) if tray is None else tray.spoken(str(error))
                raise error if said == str(error) else LiftError(said) from error
            finally:
                self.forming.ended = True
