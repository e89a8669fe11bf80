"""From a listed picture with its camera to a view: straightened, averaged down, with depth and mask beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import View
from spatialwm.lift.capture.posed.files import read_grey, read_picture
from spatialwm.lift.capture.posed.lens import Optics
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.lift.pictures.area import area_averaged
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
    image, alpha = read_picture(shot.picture, (shot.optics.width, shot.optics.height))
    optics = _fitted(shot, image.size)
    size = _target_size(image.size, longest_px)
    notes: list[str] = []
    usable = None if alpha is None else _bright(alpha, optics, size)
    if shot.mask is not None:
        try:
            mask = Image.fromarray(np.where(read_grey(shot.mask) > 0, 255, 0).astype(np.uint8))
            usable = _both(usable, _bright(mask, optics, size))
        except LiftError as error:
            notes.append(f"the mask of {shot.name} was left out: {error}")
    rgb, seen = _straightened(image, optics, size)
    usable = _both(usable, seen)
    depth = None
    if shot.depth is not None:
        try:
            depth = _nearest(shot.depth(), optics.scaled(*size))
        except LiftError as error:
            notes.append(f"the depth of {shot.name} was left out: {error}")
    o = optics.scaled(*size)
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


def _target_size(size: tuple[int, int], longest_px: int | None) -> tuple[int, int]:
    k = 1.0 if longest_px is None else min(1.0, longest_px / max(size))
    return max(1, round(size[0] * k)), max(1, round(size[1] * k))


def _straightened(image: Image.Image, optics: Optics, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray | None]:
    """Pixels of the straight picture at ``size``, and which of them the lens saw; None: all.

    Averaging comes after straightening, at no less than twice the final size: resampling the small picture would blur it a
    second time, resampling the large one costs 2 s and 1 GB at 12 megapixels.
    """
    pixels = np.asarray(image)
    if optics.lens.straight:
        return _rounded(area_averaged(pixels, *size)), None
    work = (min(image.width, 2 * size[0]), min(image.height, 2 * size[1]))
    grid, seen = _grid(optics.scaled(*work))
    bent = torch.from_numpy(area_averaged(pixels, *work)).permute(2, 0, 1)[None]
    straight = torch.nn.functional.grid_sample(bent, grid, mode="bilinear", padding_mode="border", align_corners=False)
    inside = area_averaged(seen, *size) > 1 - 1e-4
    return _rounded(area_averaged(straight[0].permute(1, 2, 0).numpy(), *size)), None if inside.all() else inside


def _rounded(pixels: Float[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w 3"]:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


@lru_cache(maxsize=2)  # one camera takes many pictures
def _grid(optics: Optics) -> tuple[Tensor, np.ndarray]:
    """Where each straight pixel lies, -1..1 between the outer pixel edges for ``grid_sample``; and where the lens saw it."""
    at = optics.source_pixels() / (optics.width, optics.height)
    seen = np.asarray(((at >= 0) & (at <= 1)).all(-1))
    return torch.from_numpy(np.nan_to_num(at * 2 - 1, nan=3.0)).float()[None], seen


def _bright(mask: Image.Image, optics: Optics, size: tuple[int, int]) -> np.ndarray:
    """Where a mask over the bent picture is more than half on, per straight pixel."""
    if optics.lens.straight:
        return area_averaged(np.asarray(mask), *size) > 127
    return _nearest(np.asarray(mask), optics.scaled(*size)) > 127


def _both(a: Bool[np.ndarray, "h w"] | None, b: Bool[np.ndarray, "h w"] | None) -> Bool[np.ndarray, "h w"] | None:
    return b if a is None else a if b is None else a & b


def _nearest(values: np.ndarray, optics: Optics) -> Float[np.ndarray, "h w"]:
    """A map over the bent picture, of any resolution, at the straight pixels; 0 where unknown.

    Depth is never interpolated: between a cup and the wall behind it there is nothing half-way.
    """
    rows, columns = values.shape
    if optics.lens.straight:
        v = ((np.arange(optics.height) + 0.5) * rows / optics.height).astype(np.intp)
        u = ((np.arange(optics.width) + 0.5) * columns / optics.width).astype(np.intp)
        picked = values[v[:, None], u[None, :]]
    else:
        at = optics.source_pixels() / (optics.width, optics.height)
        with np.errstate(invalid="ignore"):
            inside = ((at >= 0) & (at < 1)).all(-1)
        u, v = (np.where(inside, at[..., i], 0) for i in (0, 1))
        picked = np.where(inside, values[(v * rows).astype(np.intp), (u * columns).astype(np.intp)], 0)
    return np.where(np.isfinite(picked) & (picked > 0), picked, 0).astype(np.float32)
