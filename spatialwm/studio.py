"""The one orchestrator: create, edit, predict, render, export. The command line and the browser studio call only this."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spatialwm.dynamics import Action, Rollout
from spatialwm.errors import ActionError, LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.lift import LiftOptions, Workspace, lifter_for
from spatialwm.progress import Progress, part_of, silent
from spatialwm.scene import Scene, describe
from spatialwm.scene.edits import Edit
from spatialwm.scene.script import parse_command, parse_script
from spatialwm.world import PREDICT, Revision, World, check_free

if TYPE_CHECKING:
    from spatialwm.dynamics import WorldModel
    from spatialwm.lift.objects import Found, Prompt
    from spatialwm.render import Frame

DEFAULT_SIZE = (1280, 720)
"""Pixels of a still when nothing else is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A predicted future of a world. It lies on a branch of its own: not the truth until committed."""

    rollout: Rollout
    branch: str
    revision: Revision
    """The predicted end state."""
    base: int
    """The revision it was predicted from."""


def create(
    source: str,
    out: Path,
    *,
    options: LiftOptions = LiftOptions(),
    progress: Progress = silent,
    overwrite: bool = False,
    workspace: Workspace = Workspace(),
) -> World:
    """Lift a sentence or a file into a new world on disk.

    Args:
        source: a sentence, or the path of a splat file.
        out: folder of the new world, customarily ``NAME.world``.
        overwrite: replace a world that is there already; otherwise that is an error.
        workspace: what a long lift may use while it runs; without a folder it is given :func:`unfinished_folder`, so that
            after any interruption the same call goes on where this one was.

    Raises:
        LiftError, FormatError: the source is no good; nothing was written.
        WorldError: ``out`` exists or cannot be written.
    """
    check_free(out, overwrite)
    folder = workspace.folder or unfinished_folder(out)
    lifter = lifter_for(source)
    try:
        scene = lifter.lift(source, options, part_of(progress, 0.0, 0.95), replace(workspace, folder=folder))
    except LiftError:  # the same again would end the same
        _forget(folder)
        raise
    progress("saving", 0.95)
    command = {"op": "create", "source": source, **options.to_dict()}
    world = World.create(out, scene, command=command, overwrite=overwrite)
    _forget(folder)
    progress("saving", 1.0)
    return world


def unfinished_folder(out: Path) -> Path:
    """Where a long lift keeps what it has reached, beside the world to be and until that is there."""
    out = Path(os.path.abspath(out))
    return out.with_name(f"{out.name}.unfinished")


def _forget(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)


def assist(source: str, options: LiftOptions = LiftOptions()) -> None:
    """Take part in a lift that the first process of the same ``torchrun`` reports and saves."""
    lifter_for(source).lift(source, options)


def open_world(path: Path, *, read_only: bool = False) -> World:
    """A world on disk; close it, or use it in a ``with`` statement."""
    return World.open(path, read_only=read_only)


def info(world: World) -> dict[str, Any]:
    """The scene description of the present state, with where it stands in the history."""
    return {**describe(world.scene()), "revision": world.head.id, "branch": world.branch}


def edit(world: World, change: Edit | str, *, base: int | None = None) -> Revision:
    """Apply one edit value or command line and commit it.

    Raises:
        EditError: it does not fit the scene; nothing was committed.
        StaleRevisionError: ``base`` is no longer the head.
    """
    return world.apply(parse_command(change, world.scene()) if isinstance(change, str) else change, base=base)


def edit_script(world: World, text: str) -> list[Revision]:
    """Apply a JSON script of edits, one revision each; a bad entry leaves the world as it was.

    Raises:
        EditError: names the entry; nothing was committed.
    """
    return [world.apply(e) for e in parse_script(text, world.scene())]


def find(scene: Scene, camera: Camera, prompt: Prompt) -> Found:
    """What clicks, a box or words in a camera's picture mean, without changing anything: what a page highlights before it asks.

    Args:
        prompt: ``Prompt(clicks=(Click(x, y), Click(x, y, add=False)))``, ``Prompt(box=(x0, y0, x1, y1))`` or
            ``Prompt(words="the red chair")``, of :mod:`spatialwm.lift.objects`; pixels count from the upper left corner.

    Returns:
        ``found.picture`` is the mask in the camera's picture, at most 384 pixels long; ``found.mask`` is over the Gaussians of
        ``found.source``; ``found.whole`` says that it is an object already; ``found.method`` names what drew the line.

    Raises:
        LiftError: nothing is there, or only floor, walls or sky.
        MissingModelError: words, without the ``hub`` extra or its weights.
    """
    from spatialwm.lift.objects import find as find_thing
    from spatialwm.lift.objects.models import mask_model, word_model

    return find_thing(scene, camera, prompt, masks=mask_model(), words=word_model() if prompt.words.strip() else None)


def select(
    world: World, camera: Camera, prompt: Prompt, *, name: str = "", base: int | None = None, progress: Progress = silent
) -> str:
    """Make an object of the thing that clicks, a box or words mean, and fill in what it hid; returns the object's id.

    One revision, with collider and estimated mass; none where the thing is an object already. Takes a few seconds.

    Args:
        prompt: as :func:`find` takes it.
        name: what it is, a plain noun; it becomes the category and the start of the id.

    Raises:
        LiftError: as :func:`find`; nothing was committed.
        StaleRevisionError: ``base`` is no longer the head.
    """
    from spatialwm.dynamics.taken import with_body
    from spatialwm.lift.objects import take

    base = world.head.id if base is None else base
    scene = world.scene(base)
    progress("looking", 0.0)
    found = find(scene, camera, prompt)
    if found.whole:
        return found.source
    progress("filling in what it hid", 0.4)
    edit = take(scene, camera, found, name or prompt.words)
    progress("feeling its shape", 0.8)
    edit = with_body(scene, edit)
    world.apply(edit, base=base)
    progress("done", 1.0)
    return edit.new_id


def history(world: World) -> list[Revision]:
    """Every revision of every branch, oldest first."""
    return world.history()


def world_model(name: str = "physics") -> WorldModel:
    """The world model of that name.

    Raises:
        ActionError: there is none.
    """
    if name == "physics":
        from spatialwm.dynamics.physics import Physics

        return Physics()
    if name == "hybrid":
        from spatialwm.dynamics.hybrid import SceneHybrid

        return SceneHybrid()
    raise ActionError(f"no world model {name!r}; there are: physics, hybrid")


def predict(
    world: World,
    actions: Sequence[Action],
    *,
    model: str = "physics",
    commit: bool = False,
    dt_s: float = 1 / 30,
    progress: Progress = silent,
) -> Prediction:
    """Predict what actions do to the present state; the result lands on a new branch.

    Args:
        commit: also make the predicted end state the next revision of the current branch.

    Raises:
        ActionError: an action does not fit the scene; nothing was committed.
    """
    from spatialwm.dynamics.files import action_to_dict

    base = world.head.id
    scene = world.scene(base)
    rollout = world_model(model).rollout(scene, actions, dt_s, part_of(progress, 0.0, 0.95))
    branch = _free_branch(world)
    command = {"op": PREDICT, "model": model, "backend": rollout.backend, "actions": [action_to_dict(a) for a in actions]}
    progress("saving", 0.95)
    revision = world.commit(rollout.scene_at(scene, -1), command, base=base, branch=branch)
    world.put_attachment(
        revision.id,
        "rollout",
        {"poses": rollout.poses, "uncertainty": rollout.uncertainty},
        {"object_ids": list(rollout.object_ids), "dt_s": rollout.dt_s, "backend": rollout.backend},
    )
    prediction = Prediction(rollout, branch, revision, base)
    if commit:
        commit_prediction(world, prediction)
    progress("done", 1.0)
    return prediction


def commit_prediction(world: World, prediction: Prediction) -> Revision:
    """Make the predicted end state the truth of the current branch.

    Raises:
        StaleRevisionError: the world was edited since; predict again.
    """
    return world.apply(prediction.rollout.edit_at(world.scene(prediction.base), -1), base=prediction.base)


def discard_prediction(world: World, prediction: Prediction) -> None:
    """Forget the branch of a prediction; what was predicted stays reachable by its revision number.

    Raises:
        WorldError: the branch is the current one by now, or somebody built on it.
    """
    if world.branches().get(prediction.branch) == prediction.revision.id:
        world.delete_branch(prediction.branch)


def check(path: Path) -> list[str]:
    """Every damaged or missing part of a world, one sentence each; empty when it is sound."""
    with World.open(path, read_only=True) as world:
        return world.check()


def render_still(
    scene: Scene, out: Path, *, camera: Camera | None = None, size: tuple[int, int] = DEFAULT_SIZE, backend: str = "auto"
) -> str:
    """Write a PNG of a scene, by default from its establishing view; returns the backend that made it."""
    from spatialwm.render import establishing_view, render_scene, write_png

    frame = render_scene(scene, camera or establishing_view(scene, *size), backend=backend)
    write_png(out, frame.rgb)
    return frame.backend


def render_film(
    scene: Scene, out: Path, cameras: Sequence[Camera], *, fps: int = 30, backend: str = "auto", progress: Progress = silent
) -> str:
    """Write an MP4 along a camera path; returns the backend that made it."""
    from spatialwm.render import film

    return _film(out, film(scene, [{}] * len(cameras), cameras, backend=backend), len(cameras), fps, progress)


def render_rollout(
    scene: Scene,
    rollout: Rollout,
    out: Path,
    *,
    camera: Camera | None = None,
    size: tuple[int, int] = (960, 540),
    fps: int = 30,
    backend: str = "auto",
    progress: Progress = silent,
) -> str:
    """Write an MP4 of a prediction in real time, by default from a view that shows what moves; returns the backend."""
    from spatialwm.render import film

    camera = camera or view_of_rollout(scene, rollout, *size)
    count = max(1, round(rollout.horizon * rollout.dt_s * fps)) + 1
    steps = [rollout.poses_at(scene, min(round(i / fps / rollout.dt_s), rollout.horizon)) for i in range(count)]
    return _film(out, film(scene, steps, camera, backend=backend), count, fps, progress)


def view_of_rollout(scene: Scene, rollout: Rollout, width: int, height: int) -> Camera:
    """A view of everything that moves in a rollout; the establishing view when nothing does."""
    from spatialwm.render import establishing_view, subject_view

    travel_m = np.ptp(rollout.poses[..., :3], axis=0).max(-1)
    moving = [i for i, d in zip(rollout.object_ids, travel_m, strict=True) if d > 0.02]
    if not moving:
        return establishing_view(scene, width, height)
    path = [scene[i].bounds() for i in moving]
    path += [rollout.scene_at(scene, step)[i].bounds() for step in (rollout.horizon // 2, -1) for i in moving]
    return subject_view(scene, tuple(moving), np.concatenate(path), width, height)


def export(scene: Scene, out: Path, *, progress: Progress = silent) -> Path:
    """Write a scene for other programs; the suffix chooses the format.

    Raises:
        ExportError: unknown suffix, or nothing in the scene can be written so.
    """
    from spatialwm.export import export_scene

    export_scene(scene, out, progress=progress)
    return out


def _free_branch(world: World) -> str:
    # Discarded ones too: a number that came back would give an old revision a new meaning.
    taken = {*world.branches(), *(r.branch for r in world.history())}
    n = 1
    while f"prediction-{n}" in taken:
        n += 1
    return f"prediction-{n}"


def _film(out: Path, frames: Iterable[Frame], count: int, fps: int, progress: Progress) -> str:
    from spatialwm.render import write_mp4

    used = ""

    def pictures() -> Iterator[Any]:
        nonlocal used
        for frame in frames:
            used = frame.backend
            yield frame.rgb

    write_mp4(out, pictures(), fps=fps, progress=progress, total=count)
    return used
