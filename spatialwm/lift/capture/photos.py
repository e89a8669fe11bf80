"""A folder of photos or a video clip, from nothing but pixels, becomes a capture."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.moving import without_moving
from spatialwm.lift.capture.posed.files import natural
from spatialwm.lift.capture.register import PRESETS, READERS, register
from spatialwm.lift.capture.sharpness import sharpness
from spatialwm.lift.capture.video import SHARPNESS_PX, choose_frames
from spatialwm.lift.lifter import Quality
from spatialwm.lift.pictures.masks import mask_beside
from spatialwm.lift.pictures.picture import Picture, load_mask, load_rgb, read_picture
from spatialwm.lift.pictures.suffixes import PICTURES, is_picture, listing
from spatialwm.progress import Progress, part_of, silent

SAME_LEVELS = 1.5
"""Mean difference of 64-pixel thumbnails, in levels of 256, up to which two photos are one saved twice."""
BLANK_LEVELS = 3.0
"""Standard deviation below which a picture shows nothing."""
_THUMB = (64, 48)


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """The photos worth placing, in natural order of their names."""

    pictures: tuple[Picture, ...]
    given: int
    notes: tuple[str, ...] = ()


def capture_from_photos(
    paths: Sequence[Path | str] | Path | str, preset: Quality = "standard", seed: int = 0, progress: Progress = silent,
    scratch: Path | None = None,
) -> Capture:  # fmt: skip
    """Photos (files, or folders of them) with unknown cameras become views with cameras and a few points.

    Args:
        scratch: where temporary files lie; None: the system's place for them.

    Raises:
        MissingDependencyError: pycolmap is not installed.
        LiftError: no readable photos, or too few that fit together; the message says what to shoot.
    """
    photos = read_photos(paths, part_of(progress, 0.0, 0.08))
    # The order of shooting tells neighbours better than names do, where the cameras wrote it down.
    times = [p.taken for p in photos.pictures]
    order = sorted(range(len(times)), key=lambda i: (times[i], i)) if all(times) else list(range(len(times)))
    pictures = [photos.pictures[i] for i in order]
    capture = register(pictures, PRESETS[preset], seed, ordered=True, progress=part_of(progress, 0.08, 1.0), scratch=scratch)
    capture = _in_order(capture, [p.name for p in photos.pictures])
    return replace(capture, given=photos.given, notes=(*photos.notes, *capture.notes))


def capture_from_video(
    path: Path | str, preset: Quality = "standard", seed: int = 0, progress: Progress = silent, scratch: Path | None = None
) -> Capture:
    """The sharpest frames of a clip, placed, what moves masked; ``given`` counts the chosen frames.

    Args:
        scratch: where temporary files lie; None: the system's place for them.

    Raises:
        MissingDependencyError: pycolmap is not installed.
        LiftError: not a video, the camera did not move, or too few frames fit together; the message says what to shoot.
    """
    path = Path(path)
    if not path.is_file():
        raise LiftError(f"no such video: {path}")
    wanted = PRESETS[preset]
    with tempfile.TemporaryDirectory(prefix="spatialwm-", dir=scratch, ignore_cleanup_errors=True) as folder:
        long_px = max(wanted.sfm.sift_px, wanted.view_px)
        clip = choose_frames(path, Path(folder), wanted.frames, long_px, part_of(progress, 0.0, 0.2))
        capture = register(clip.pictures, wanted, seed, ordered=True, progress=part_of(progress, 0.2, 0.9), scratch=Path(folder))
    capture = without_moving(capture, part_of(progress, 0.9, 1.0))
    chosen = f"{len(clip.pictures)} of {clip.decoded} frames of {path.name} ({clip.duration_s:.0f} s) were used"
    return replace(capture, notes=(chosen, *clip.notes, *capture.notes))


def find_photos(paths: Sequence[Path | str] | Path | str) -> list[Path]:
    """The picture files among ``paths`` and in their folders (or a folder's ``images``), in natural order of names.

    Raises:
        LiftError: a path does not exist, or there is no picture.
    """
    given = [Path(paths)] if isinstance(paths, str | Path) else [Path(p) for p in paths]
    found: dict[Path, None] = {}
    for path in given:
        if not path.exists():
            raise LiftError(f"no such file or folder: {path}")
        if path.is_dir():
            inside = _pictures_in(path) or (_pictures_in(path / "images") if (path / "images").is_dir() else [])
            if not inside:
                raise LiftError(f"{path} holds no pictures; expected files ending in {', '.join(sorted(PICTURES))}")
            found.update(dict.fromkeys(inside))
        else:
            found[path] = None
    return sorted(found, key=lambda p: (natural(p.name), str(p)))


def read_photos(paths: Sequence[Path | str] | Path | str, progress: Progress = silent) -> PhotoSet:
    """Headers, sharpness and a look at each photo; broken, blank and doubled files are left out with a note.

    Raises:
        LiftError: no photo can be read, or all show the same or nothing.
    """
    files = find_photos(paths)
    names = [f.name for f in files]
    kept: list[tuple[Picture, UInt8[np.ndarray, "h w"]]] = []
    notes: list[str] = []
    broken: list[str] = []

    def look(file: Path) -> tuple[Picture, UInt8[np.ndarray, "h w"]] | LiftError:
        try:
            name = file.name if names.count(file.name) == 1 else f"{file.parent.name}/{file.name}"
            picture = replace(read_picture(file, name), mask=mask_beside(file.parent, file.name))
            if picture.mask is not None:
                load_mask(picture.mask)  # a damaged one is said before anything long begins
            gray = Image.fromarray(load_rgb(file, SHARPNESS_PX)[0]).convert("L")
        except LiftError as e:
            return e
        k = SHARPNESS_PX / max(gray.size)
        if k < 1:
            gray = gray.resize((max(1, round(gray.width * k)), max(1, round(gray.height * k))), Image.Resampling.BOX)
        return replace(picture, sharpness=sharpness(np.asarray(gray))), np.asarray(gray.resize(_THUMB, Image.Resampling.BOX))

    with ThreadPoolExecutor(READERS) as pool:
        for i, seen in enumerate(pool.map(look, files)):
            progress("reading the photos", i / len(files))
            if isinstance(seen, LiftError):
                broken.append(str(seen))
                continue
            picture, thumb = seen
            twin = next((other.name for other, t in kept if _same(thumb, t)), None)
            if thumb.std() < BLANK_LEVELS:
                notes.append(f"{picture.name} was left out: it is all one color")
            elif twin is not None:
                notes.append(f"{picture.name} was left out: it is the same as {twin}")
            else:
                kept.append((picture, thumb))
    masked = sum(picture.mask is not None for picture, _ in kept)
    if masked:
        notes.append(f"the masks of {masked} pictures were used")
    notes += [f"left out: {b}" for b in broken[:4]]
    if len(broken) > 4:
        notes.append(f"left out: {len(broken) - 4} more files that cannot be read")
    if not kept:
        raise LiftError(f"none of {len(files)} files can be used; {notes[0]}")
    if len(kept) == 1 and len(files) > 1 and len(broken) < len(files) - 1:
        mend = "walk around the place and take 20 to 60, each from another position"
        raise LiftError(f"all {len(files)} pictures show the same; {mend}")
    return PhotoSet(tuple(p for p, _ in kept), len(files), tuple(notes))


def _in_order(capture: Capture, names: list[str]) -> Capture:
    """Views in the order of ``names``."""
    rank = {name: i for i, name in enumerate(names)}
    order = sorted(range(len(capture.views)), key=lambda i: rank[capture.views[i].name])
    new = np.argsort(np.array(order, np.int64))
    tracks = capture.points.tracks.copy()
    tracks[:, 1] = new[tracks[:, 1]]
    tracks = tracks[np.lexsort((tracks[:, 1], tracks[:, 0]))]
    return replace(capture, views=tuple(capture.views[i] for i in order), points=replace(capture.points, tracks=tracks))


def _pictures_in(folder: Path) -> list[Path]:
    return [p for p in listing(folder) if p.is_file() and is_picture(p)]


def _same(a: UInt8[np.ndarray, "h w"], b: UInt8[np.ndarray, "h w"]) -> bool:
    return float(np.abs(a.astype(np.int16) - b).mean()) <= SAME_LEVELS
