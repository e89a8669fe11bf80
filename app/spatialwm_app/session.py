"""One open world, shared by every tab that shows it: commands in, scene messages out."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from spatialwm import studio
from spatialwm.dynamics import Push
from spatialwm.errors import ActionError, EditError, ExportError, SpatialwmError, StaleRevisionError
from spatialwm.formats import encode_spz
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.lift.objects import Prompt
from spatialwm.progress import Progress
from spatialwm.scene.script import edit_from_dict
from spatialwm.studio import Prediction
from spatialwm.world import World
from spatialwm_app.audience import Audience, Message
from spatialwm_app.collider import ColliderCache
from spatialwm_app.history_message import history_message
from spatialwm_app.jobs import Job, JobCancelled
from spatialwm_app.pointing import camera_of, outlines, prompt_of
from spatialwm_app.scene_message import Digests, scene_message

EXPORT_FORMATS = {
    "glb": "GLB · meshes",
    "ply": "PLY · splats, exact",
    "spz": "SPZ · splats, small",
    "splat": "SPLAT · splats",
    "sog": "SOG · splats, smallest",
}


class Session(Audience):
    """A world behind an unguessable token. Commands are serialised; listeners hear every change, whoever made it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.token = secrets.token_urlsafe(18)
        self._world = world
        self._lock = threading.RLock()
        self._digests = Digests()
        self._collider = ColliderCache()
        self._gaussians: dict[str, Gaussians] = {}
        self._prediction: Prediction | None = None
        self._asked: tuple[str, int, Camera, Prompt] | None = None
        self._shown: tuple[int, str] | None = None
        self._jobs: dict[str, Job[Any]] = {}
        self._exports: dict[str, Path] = {}
        self._export_dir = Path(tempfile.mkdtemp(prefix="spatialwm-export-"))

    @property
    def path(self) -> Path:
        """Where the world lies."""
        return self._world.path

    @property
    def title(self) -> str:
        """The folder's name without its suffix."""
        return self.path.name.removesuffix(".world")

    def close(self) -> None:
        """Stop running jobs, let go of the world and drop what was exported for download."""
        for job in self._jobs.values():
            job.cancel()
        with self._lock:
            self._world.close()
        shutil.rmtree(self._export_dir, ignore_errors=True)

    # ---- what the page reads -------------------------------------------------------------------------------------

    def state(self) -> Message:
        """The scene, where it stands in the history, and the pending prediction."""
        with self._lock:
            scene = self._world.scene()
            self._gaussians = {self._digests.of(o.gaussians): o.gaussians for o in scene.objects if len(o.gaussians)}
            head = self._world.head
            self._shown = (head.id, self._world.branch)
            if self._prediction is not None and self._prediction.base != head.id:
                self._prediction = None
            return {
                "event": "scene",
                "token": self.token,
                "title": self.title,
                "branch": self._world.branch,
                "revision": head.id,
                **history_message(self._world),
                "prediction": _prediction_message(self._prediction),
                **scene_message(scene, self._digests),
            }

    def spz(self, content: str) -> bytes | None:
        """The SPZ file, in the object's frame, of Gaussians that the last scene message named; None when unknown."""
        with self._lock:
            gaussians = self._gaussians.get(content)
        return None if gaussians is None else encode_spz(gaussians)

    def collider(self) -> bytes:
        """See :meth:`ColliderCache.pack`."""
        with self._lock:
            return self._collider.pack(self._world.scene())

    def rollout(self) -> bytes | None:
        """Poses of the pending prediction as little-endian float32 (t, k, 7), then its uncertainty (t, k)."""
        with self._lock:
            if self._prediction is None:
                return None
            r = self._prediction.rollout
            return r.poses.astype("<f4").tobytes() + r.uncertainty.astype("<f4").tobytes()

    def export_path(self, name: str) -> Path | None:
        """A file that was exported for download."""
        return self._exports.get(name)

    # ---- what the page asks for ----------------------------------------------------------------------------------

    def command(self, message: Message) -> Message:
        """Carry out one command of the page; its ``op`` chooses.

        Raises:
            SpatialwmError: it cannot be done; nothing changed.
        """
        op = message.get("op")
        handler = _HANDLERS.get(op) if isinstance(op, str) else None
        if handler is None:
            raise EditError(f"unknown command {op!r}; there are: {', '.join(_HANDLERS)}")
        reply = handler(self, message)
        self.refresh()
        return reply or {}

    def say(self, text: str) -> int:
        """Apply an edit in words; returns the new revision."""
        with self._lock:
            revision = studio.edit(self._world, text).id
        self.refresh()
        return revision

    def predict_push(self, object_id: str, by: tuple[float, float], progress: Progress) -> Prediction:
        """Predict a push from the present state and show it to everyone."""
        # Not under the lock: people go on looking around, and may edit, while physics runs.
        prediction = studio.predict(self._world, [Push(object=object_id, by=by)], progress=progress)
        with self._lock:
            if prediction.base != self._world.head.id:
                studio.discard_prediction(self._world, prediction)
                raise StaleRevisionError("the world was changed while the prediction ran; predict again")
            self._prediction = prediction
            self._shown = None
        self.refresh()
        return prediction

    def commit_prediction(self) -> int:
        """Make the pending prediction the truth; returns the new revision."""
        with self._lock:
            if self._prediction is None:
                raise ActionError("there is no prediction to commit; push an object first")
            revision = studio.commit_prediction(self._world, self._prediction).id
            self._prediction = None
        self.refresh()
        return revision

    def export(self, suffix: str, progress: Progress) -> Path:
        """Write the present scene in one of ``EXPORT_FORMATS`` for download."""
        if suffix not in EXPORT_FORMATS:
            raise ExportError(f"cannot export {suffix!r}; choose one of: {', '.join(EXPORT_FORMATS)}")
        with self._lock:
            scene, revision = self._world.scene(), self._world.head.id
        name = f"{self.title}-r{revision}.{suffix}"
        path = studio.export(scene, self._export_dir / name, progress=progress)
        self._exports[name] = path
        return path

    def info(self) -> Message:
        """The scene description."""
        with self._lock:
            return studio.info(self._world)

    # ---- listeners -----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Tell everyone the new state if the world has moved since they were last told, for instance by the command line."""
        with self._lock:
            if self._shown == (self._world.head.id, self._world.branch):
                return
            message = self.state()
        self.tell(message)

    # ---- handlers ------------------------------------------------------------------------------------------------

    def _edit(self, message: Message) -> Message:
        with self._lock:
            return {"revision": studio.edit(self._world, edit_from_dict(message["edit"]), base=message.get("base")).id}

    def _undo(self, _: Message) -> None:
        with self._lock:
            self._world.undo()

    def _redo(self, _: Message) -> None:
        with self._lock:
            self._world.redo()

    def _goto(self, message: Message) -> None:
        with self._lock:
            self._world.goto(int(message["revision"]))

    def _predict(self, message: Message) -> Message:
        """Start a prediction; progress and outcome are told to everyone, because everyone will see it."""
        dx, dy = (float(v) for v in message["by"])
        object_id = str(message["object"])
        job_id = secrets.token_hex(4)
        job = Job(lambda progress: self.predict_push(object_id, (dx, dy), progress))
        self._jobs[job_id] = job
        threading.Thread(target=self._follow, args=(job_id, job), daemon=True, name="spatialwm-follow").start()
        return {"job": job_id}

    def _select(self, message: Message) -> None:
        """Look for the thing that a page points at; what is found is told under the page's own name of the question."""
        question, camera, prompt = str(message["question"]), camera_of(message["camera"]), prompt_of(message)
        with self._lock:
            scene, revision = self._world.scene(), self._world.head.id

        def find() -> Message:
            found = studio.find(scene, camera, prompt)
            self._asked = (question, revision, camera, prompt)
            return {"whole": found.source} if found.whole else {"outline": outlines(found.picture)}

        self._answer("found", question, find)

    def _take(self, message: Message) -> None:
        """Make an object of what was found last."""
        question, name = str(message["question"]), str(message.get("name") or "")
        if self._asked is None or self._asked[0] != question:
            raise EditError("what was pointed at is no longer known; click on it again")
        _, revision, camera, prompt = self._asked

        def take() -> Message:
            # Not under the lock: it takes seconds, and what changed meanwhile makes it fail by its base.
            taken = studio.select(self._world, camera, prompt, name=name, base=revision)
            self.refresh()
            return {"object": taken}

        self._answer("taken", question, take)

    def _answer(self, event: str, question: str, work: Callable[[], Message]) -> None:
        """Tell everyone the outcome of work that takes a while; only the page that asked will care."""

        def run() -> None:
            answer: Message = {"event": event, "question": question}
            try:
                answer |= work()
            except SpatialwmError as error:
                answer["error"] = str(error)
            except Exception as error:  # a defect must reach the page rather than leave it waiting
                answer["error"] = f"that failed: {error}"
            self.tell(answer)

        threading.Thread(target=run, daemon=True, name="spatialwm-answer").start()

    def _cancel(self, message: Message) -> None:
        job = self._jobs.get(str(message.get("job")))
        if job is not None:
            job.cancel()

    def _commit(self, _: Message) -> Message:
        return {"revision": self.commit_prediction()}

    def _discard(self, _: Message) -> None:
        with self._lock:
            if self._prediction is not None:
                studio.discard_prediction(self._world, self._prediction)
            self._prediction = None
            self._shown = None

    def _follow(self, job_id: str, job: Job[Any]) -> None:
        for status in job.watch():
            self.tell({"event": "progress", "job": job_id, **asdict(status)})
        outcome: Message = {"event": "done", "job": job_id}
        try:
            job.result()
        except JobCancelled:
            outcome["cancelled"] = True
        except SpatialwmError as error:
            outcome["error"] = str(error)
        except Exception as error:  # a defect must reach the page rather than leave it waiting
            outcome["error"] = f"the prediction failed: {error}"
        self._jobs.pop(job_id, None)
        self.tell(outcome)


_HANDLERS: dict[str, Callable[[Session, Message], Message | None]] = {
    "edit": Session._edit,
    "undo": Session._undo,
    "redo": Session._redo,
    "goto": Session._goto,
    "predict": Session._predict,
    "select": Session._select,
    "take": Session._take,
    "cancel": Session._cancel,
    "commit": Session._commit,
    "discard": Session._discard,
}


def _prediction_message(prediction: Prediction | None) -> Message | None:
    if prediction is None:
        return None
    r = prediction.rollout
    return {
        "branch": prediction.branch,
        "revision": prediction.revision.id,
        "backend": r.backend,
        "object_ids": list(r.object_ids),
        "frames": int(r.poses.shape[0]),
        "dt_s": r.dt_s,
        "uncertainty_m": float(np.max(r.uncertainty[-1], initial=0.0)),
    }
