"""From a prompt to the Gaussians that it means; nothing is changed yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from spatialwm.errors import LiftError
from spatialwm.gaussians import Gaussians, transform
from spatialwm.geometry.camera import Camera
from spatialwm.lift.objects.point import at_click, seeds_at
from spatialwm.lift.objects.prompt import Click, Prompt
from spatialwm.lift.objects.segment import Box, Window, fill_window, follow_mask, open_window, to_pixels
from spatialwm.lift.objects.shell import Plane, shell_of
from spatialwm.lift.objects.sight import look, thumbnail
from spatialwm.render import render_scene
from spatialwm.render.images import to_bytes
from spatialwm.scene import Scene, SceneObject

MaskAt = Callable[[UInt8[np.ndarray, "h w 3"], Sequence[tuple[float, float, bool]], Box | None], Bool[np.ndarray, "h w"]]
"""The pixels of the thing that points and a box mean, as :func:`spatialwm.lift.image.hub.masks.mask_at`."""
BoxesFor = Callable[[UInt8[np.ndarray, "h w 3"], str], Sequence[Any]]
"""What words name, surest first, each with a ``box``, as :func:`spatialwm.lift.image.hub.words.boxes_for`."""

_ALIKE = 0.7
"""Share of a click's thing and of what a closer look makes of it that both hold, below which the look saw something else."""
PLACE_SHARE = 0.5
"""An object this much of the size of the whole scene, without an exact shape, is a place that things can be taken out of."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a prompt means."""

    source: str
    """The object that it is, or that it is a part of."""
    mask: Bool[Tensor, " n"]
    """Over the Gaussians of ``source``."""
    whole: bool
    """True when ``source`` itself is what was pointed at: there is nothing to take out."""
    picture: Bool[np.ndarray, "h w"]
    """Where it is seen, in the prompt's picture at :data:`spatialwm.lift.objects.sight.LONGEST_PX`."""
    method: str = "geometry"
    """What drew its outline: ``geometry`` (colours, folds and edges in space), or ``masks``, a model."""


def find(
    scene: Scene, camera: Camera, prompt: Prompt, *, masks: MaskAt | None = None, words: BoxesFor | None = None
) -> Found:
    """The thing that clicks, a box or words mean in a camera's picture.

    Args:
        masks: a model that outlines things; None: colours, folds and edges in space decide alone.
        words: a model that finds what words name; needed for words.

    Raises:
        LiftError: nothing is there, or only floor, walls or sky.
    """
    prompt = _located(scene, camera, prompt, words).within(camera)
    small = thumbnail(camera)
    frame = render_scene(scene, small)
    asked = prompt.resized(camera, small)
    source = _pointed_at(scene, frame.object_index, frame.object_ids, asked)
    if not is_place(scene, source):
        everything = torch.ones(len(source.gaussians), dtype=torch.bool)
        return Found(source.id, everything, True, frame.mask_of(source.id))
    gaussians = transform(source.gaussians, source.world_from_object).to("cpu")
    sight = look(gaussians, small)
    chosen = _of_place(gaussians, camera, prompt, shell_of(sight), masks)
    picture = np.append(chosen, False)[sight.row] & frame.mask_of(source.id)
    return Found(source.id, torch.from_numpy(chosen), False, picture, "geometry" if masks is None else "masks")


def is_place(scene: Scene, body: SceneObject) -> bool:
    """Whether an object is a captured place rather than a thing."""
    if body.role != "object" or body.mesh is not None or body.collider or body.mass_kg is not None or body.mobility != "static":
        return False
    size, whole = (float(np.ptp(b, axis=0).max()) for b in (body.bounds(), scene.bounds()))
    return size >= PLACE_SHARE * whole


def _pointed_at(scene: Scene, index: np.ndarray, ids: tuple[str, ...], prompt: Prompt) -> SceneObject:
    """The object most seen at the clicks, or in the middle of the box."""
    spots = [(slice(int(c.y), int(c.y) + 1), slice(int(c.x), int(c.x) + 1)) for c in prompt.clicks if c.add]
    if not spots and prompt.box is not None:
        x0, y0, x1, y1 = prompt.box
        dx, dy = 0.2 * (x1 - x0), 0.2 * (y1 - y0)
        spots = [(slice(int(y0 + dy), int(np.ceil(y1 - dy))), slice(int(x0 + dx), int(np.ceil(x1 - dx))))]
    votes = np.zeros(len(ids) + 1, np.int64)
    for spot in spots:
        votes += np.bincount(index[spot].reshape(-1) + 1, minlength=len(ids) + 1)
    if not votes[1:].any():
        raise LiftError("nothing is there; point at a thing")
    body = scene[ids[int(votes[1:].argmax())]]
    if body.role != "object":
        raise LiftError(f"{body.id} is part of the place ({body.role}) and no thing to take; point at a thing")
    return body


def _located(scene: Scene, camera: Camera, prompt: Prompt, words: BoxesFor | None) -> Prompt:
    """Words turned into the box of what they name."""
    if prompt.box is not None or any(click.add for click in prompt.clicks):
        return prompt
    if words is None:
        raise LiftError(f"nothing here reads words such as {prompt.words!r}; draw a box around the thing or click on it")
    answers = words(to_bytes(render_scene(scene, camera).rgb), prompt.words)
    if not answers:
        raise LiftError(f"{prompt.words!r} is not seen from here; look at it, use other words, or click on it")
    return replace(prompt, box=tuple(map(float, answers[0].box)))


def _of_place(
    gaussians: Gaussians, camera: Camera, prompt: Prompt, planes: list[Plane], masks: MaskAt | None
) -> Bool[np.ndarray, " n"]:
    box, rough = prompt.box, None
    if box is None:
        box, rough = _of_clicks(gaussians, camera, prompt, planes)
    window = open_window(gaussians, camera, box, planes)
    if window is None:
        raise LiftError("there is only floor, wall or nothing there; point at a thing")
    known = np.zeros(len(window.barred))
    for click in prompt.clicks:
        if not click.add and (other := at_click(gaussians, camera, click.x, click.y, planes)) is not None:
            known[window.patches_of(other[1])] = -np.inf
    for click in sorted(prompt.clicks, key=lambda c: not c.add):
        x, y = _pixel(camera, window, click)
        known[seeds_at(window, x, y)] = np.inf if click.add else -np.inf
    if masks is None:
        shown = None if rough is None else np.append(rough, False)[window.sight.row]
        patches = fill_window(window, known) if shown is None else follow_mask(window, shown, known)
    else:
        points = [(*_pixel(camera, window, click), click.add) for click in prompt.clicks]
        patches = follow_mask(window, masks(to_bytes(window.sight.rgb), points, window.box), known)
    chosen = window.gaussians(patches, len(gaussians))
    if masks is None and rough is not None and all(click.add for click in prompt.clicks):
        alike = (chosen & rough).sum() >= _ALIKE * (chosen | rough).sum()
        chosen = chosen if alike else rough
    if not chosen.any():
        raise LiftError("no thing stands out there; draw a box around it, or click on more of it")
    return chosen


def _pixel(camera: Camera, window: Window, click: Click) -> tuple[float, float]:
    """Where a click lies in the window's picture."""
    return to_pixels(camera, window.sight.camera, (click.x, click.y, click.x, click.y))[:2]


def _of_clicks(
    gaussians: Gaussians, camera: Camera, prompt: Prompt, planes: list[Plane]
) -> tuple[Box, Bool[np.ndarray, " n"]]:
    """Everything that was clicked on, together."""
    things = [at_click(gaussians, camera, c.x, c.y, planes) for c in prompt.clicks if c.add]
    found = [thing for thing in things if thing is not None]
    if not found:
        raise LiftError("no thing stands out there; draw a box around it")
    boxes = np.array([box for box, _ in found])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1])), np.any([rough for _, rough in found], axis=0)
