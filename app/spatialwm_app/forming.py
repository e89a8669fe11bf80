"""A world while it is being made: what there is so far, to look at and to walk in, not yet to change."""

from __future__ import annotations

import secrets
import threading
from dataclasses import asdict
from pathlib import Path

from spatialwm.errors import EditError
from spatialwm.formats import encode_spz
from spatialwm.gaussians import Gaussians
from spatialwm.scene import Scene
from spatialwm_app.audience import Audience, Message
from spatialwm_app.collider import ColliderCache
from spatialwm_app.jobs import Status
from spatialwm_app.scene_message import Digests, scene_message


class Forming(Audience):
    """Answers a tab as a session does, from the last preview alone."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.token = secrets.token_urlsafe(18)
        self.title = title
        self.ended = False
        """It is made or given up; tabs may still be fetching what they were told of."""
        self._lock = threading.RLock()
        self._scene = Scene()
        self._previews = 0
        self._digests = Digests()
        self._collider = ColliderCache()
        self._latest: dict[str, Gaussians] = {}
        self._gaussians: dict[str, Gaussians] = {}

    @property
    def shown(self) -> bool:
        """Whether there is anything to see yet."""
        return self._previews > 0

    def show(self, scene: Scene) -> None:
        """Take up a preview and tell everyone."""
        with self._lock:
            self._scene = scene
            self._previews += 1
            # Those of the last preview too: a tab may be about to fetch them.
            now = {self._digests.of(o.gaussians): o.gaussians for o in scene.objects if len(o.gaussians)}
            self._gaussians = self._latest | now
            self._latest = now
            message = self.state()
        self.tell(message)

    def report(self, status: Status) -> None:
        """Tell everyone how far it is."""
        self.tell({"event": "forming", **asdict(status)})

    def state(self) -> Message:
        """The last preview, in the words of a session's scene message."""
        with self._lock:
            return {
                "event": "scene", "token": self.token, "title": self.title, "branch": "", "revision": self._previews,
                "history": [], "can_undo": False, "can_redo": False, "prediction": None, "forming": True,
                **scene_message(self._scene, self._digests),
            }  # fmt: skip

    def spz(self, content: str) -> bytes | None:
        """The SPZ file, in the object's frame, of Gaussians that a recent preview named; None when unknown."""
        with self._lock:
            gaussians = self._gaussians.get(content)
        return None if gaussians is None else encode_spz(gaussians)

    def collider(self) -> bytes:
        """See :meth:`ColliderCache.pack`."""
        with self._lock:
            scene = self._scene
        return self._collider.pack(scene)

    def rollout(self) -> None:
        """Nothing is predicted of what is not there yet."""

    def export_path(self, name: str) -> Path | None:
        """Nothing is exported of it."""
        return None

    def command(self, message: Message) -> Message:
        """Refuse it.

        Raises:
            EditError: always; there is no world yet that could be changed.
        """
        raise EditError("this world is still being made; edit it when it is done")

    def refresh(self) -> None:
        """Nobody else works on it."""
