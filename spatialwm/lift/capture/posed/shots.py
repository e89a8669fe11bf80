"""From a listed picture with its camera to a view: straightened, averaged down, with depth and mask beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import View
from spatialwm.lift.capture.posed.files import picture_size
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.pictures.area import area_averaged
from spatialwm.lift.pictures.lens import Lens, Optics
from spatialwm.lift.pictures.picture import Pixels, load_mask, load_pixels
from spatialwm.lift.pictures.straighten import SAMPLES, picked, straighten, usable_pixels
from spatialwm.progress import Progress

_ASPECT_TOLERANCE = 0.01
_READERS = 2
"""Pictures decoded at once: more would hold more 12-megapixel pictures in memory than they save time."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture as a source lists it."""

    name: str
    picture: Path
    world_from_cam: Pose
    optics: Optics
    depth: Callable[[], Float[np.ndarray, "h w"]] | None = None
    """Reads depth along the optical axis, in the capture's unit, 0 where unknown; of any size over the same field of view."""
    mask: Path | None = None
    """0 where the picture is not to be used."""
    time_s: float | None = None


def develop(shot: Shot, longest_px: int | None) -> tuple[View, tuple[str, ...]]:
    """The view of a shot, and what went wrong with its depth or mask.

    Raises:
        LiftError: the picture is damaged or of another shape than its camera's.
    """
    pixels = _loaded(shot, longest_px)
    bent = _fitted(shot, (pixels.width, pixels.height))
    k = 1.0 if longest_px is None else min(1.0, longest_px / max(pixels.width, pixels.height))
    straight = replace(bent.scaled(max(1, round(pixels.width * k)), max(1, round(pixels.height * k))), lens=Lens())
    notes: list[str] = []
    mask = None
    if shot.mask is not None:
        try:
            mask = load_mask(shot.mask)
        except LiftError as error:
            notes.append(f"the mask of {shot.name} was left out: {error}")
    rgb, seen = _straightened(pixels, bent, straight)
    usable = usable_pixels(seen, pixels, mask, bent, straight)
    depth = None
    if shot.depth is not None:
        try:
            depth = picked(shot.depth(), bent, straight)
        except LiftError as error:
            notes.append(f"the depth of {shot.name} was left out: {error}")
    o = straight
    camera = Camera(shot.world_from_cam, o.width, o.height, o.fx, o.fy, o.cx, o.cy)
    return View(shot.name, camera, rgb, depth, usable, shot.time_s), tuple(notes)


def develop_all(shots: Sequence[Shot], options: PosedOptions, progress: Progress) -> tuple[list[View | None], tuple[str, ...]]:
    """A view per shot, None where its picture is damaged, and a note for each thing that was left out.

    Raises:
        LiftError: no picture could be read.
    """

    def attempt(shot: Shot) -> tuple[View | None, tuple[str, ...]]:
        try:
            return develop(shot, options.longest_px)
        except LiftError as error:
            return None, (f"a picture was left out: {error}",)

    views: list[View | None] = []
    notes: list[str] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for view, said in pool.map(attempt, shots):
            views.append(view)
            notes.extend(said)
            progress("reading pictures", len(views) / len(shots))
    if not any(view is not None for view in views):
        raise LiftError(f"none of the {len(shots)} pictures could be read; the first: {notes[0]}")
    return views, summed(notes)


def summed(notes: Sequence[str], shown: int = 4) -> tuple[str, ...]:
    """A folder with hundreds of damaged files should not fill the screen."""
    if len(notes) <= shown:
        return tuple(notes)
    return (*notes[:shown], f"{len(notes) - shown} more pictures, poses, masks or depth maps were left out for such reasons")


def _fitted(shot: Shot, size: tuple[int, int]) -> Optics:
    """The optics for the picture's own size: photographs are often shrunk after their cameras were found."""
    o = shot.optics
    if abs(size[0] / o.width / (size[1] / o.height) - 1) > _ASPECT_TOLERANCE:
        raise LiftError(
            f"{shot.picture} is {size[0]}x{size[1]} px but its camera is for {o.width}x{o.height}; give the uncropped picture"
        )
    return o if size == (o.width, o.height) else o.scaled(*size)


def _loaded(shot: Shot, longest_px: int | None) -> Pixels:
    """As stored, because programs that find cameras ignore EXIF orientation; turned where only that fits the camera's shape."""
    width, height = picture_size(shot.picture)
    lying = width > height
    turned = width != height and lying != (shot.optics.width > shot.optics.height)
    long_px = max(width, height)
    if longest_px is not None:
        long_px = longest_px if shot.optics.lens.straight else SAMPLES * longest_px // 2
    return load_pixels(shot.picture, long_px, upright=turned, exact=shot.optics.lens.straight)


def _straightened(pixels: Pixels, bent: Optics, straight: Optics) -> tuple[UInt8[np.ndarray, "h w 3"], np.ndarray | None]:
    """Pixels of the straight picture, and which of them the lens saw; None: all."""
    if bent.lens.straight:  # nothing to resample: the average is exact
        return np.clip(np.rint(area_averaged(pixels.rgb, straight.width, straight.height)), 0, 255).astype(np.uint8), None
    return straighten(pixels.rgb, pixels.reduced, bent, straight)
