"""Every world the studio has open or in the making, what pages sent in for more, and where new ones go."""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path

from spatialwm import studio
from spatialwm.errors import WorldError
from spatialwm.lift import LiftOptions, Workspace
from spatialwm.progress import Progress
from spatialwm_app.forming import Forming
from spatialwm_app.jobs import JobCancelled
from spatialwm_app.session import Session
from spatialwm_app.tray import Trays

NAME_WORDS = 5


class Hub:
    """Sessions by token. One world is opened once, however many tabs show it."""

    def __init__(self, worlds_dir: Path) -> None:
        self.worlds_dir = worlds_dir
        self.trays = Trays()
        self._sessions: dict[str, Session] = {}
        self._forming: dict[str, Forming] = {}
        self._reserved: set[Path] = set()
        self._lock = threading.Lock()

    def open(self, path: Path) -> Session:
        """The session of a world on disk, opened now if it was not.

        Raises:
            WorldError: there is no sound world at ``path``.
        """
        resolved = path.expanduser().resolve()
        with self._lock:
            for session in self._sessions.values():
                if session.path.resolve() == resolved:
                    return session
            session = Session(studio.open_world(resolved))
            self._sessions[session.token] = session
            return session

    def create(
        self, source: str, options: LiftOptions, progress: Progress, workspace: Workspace = Workspace()
    ) -> Session:  # fmt: skip
        """Lift a sentence, a file or a folder into a new world under ``worlds_dir`` and open it."""
        self.worlds_dir.mkdir(parents=True, exist_ok=True)
        with self._lock:  # several may be made at once, for hours
            out = self._free_path(source)
            self._reserved.add(out)
        try:
            world = studio.create(source, out, options=options, progress=progress, workspace=workspace)
        except JobCancelled:  # given up on purpose: nobody will go on with it
            shutil.rmtree(studio.unfinished_folder(out), ignore_errors=True)
            raise
        finally:
            self._reserved.discard(out)
        session = Session(world)
        with self._lock:
            self._sessions[session.token] = session
        return session

    def form(self, title: str) -> Forming:
        """A place for a world that is being made; those of worlds that are made by now are dropped."""
        forming = Forming(title)
        with self._lock:
            self._forming = {f.token: f for f in (*self._forming.values(), forming) if not f.ended}
        return forming

    def get(self, token: str) -> Session | None:
        """The session of a token, if there is one."""
        return self._sessions.get(token)

    def shown(self, token: str) -> Session | Forming | None:
        """Whatever a token lets a tab look at."""
        return self._sessions.get(token) or self._forming.get(token)

    def find(self, world: str) -> Session:
        """The session of a token or of a path.

        Raises:
            WorldError: it is neither.
        """
        session = self.get(world)
        if session is not None:
            return session
        if not world.strip():
            raise WorldError("no world is open; create one from a sentence first")
        return self.open(Path(world))

    def latest(self) -> Session | None:
        """The one opened last."""
        return next(reversed(self._sessions.values()), None)

    def choices(self) -> list[tuple[str, str]]:
        """``(title, path)`` of open worlds, newest first, then of other worlds in ``worlds_dir``."""
        opened = [(s.title, str(s.path.resolve())) for s in reversed(self._sessions.values())]
        known = {path for _, path in opened}
        found = sorted(self.worlds_dir.glob("*.world"), key=lambda p: p.stat().st_mtime, reverse=True)
        rest = [(p.name.removesuffix(".world"), str(p.resolve())) for p in found if str(p.resolve()) not in known]
        return opened + rest

    def close(self) -> None:
        """Close every world."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()
        self.trays.close()

    def _free_path(self, source: str) -> Path:
        """``a-few-words.world``, numbered when taken."""
        is_path = "\n" not in source and len(source) < 4096 and Path(source).exists()
        words = re.findall(r"\w+", (Path(source).resolve().stem if is_path else source).lower())
        telling = [w for w in words if w not in ("a", "an", "the")][:NAME_WORDS]
        stem = "-".join(telling)[:48].strip("-") or "world"
        path, n = self.worlds_dir / f"{stem}.world", 2
        while path.exists() or path in self._reserved:
            path, n = self.worlds_dir / f"{stem}-{n}.world", n + 1
        return path
