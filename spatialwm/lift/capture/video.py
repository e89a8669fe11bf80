"""A video clip becomes pictures: the sharpest frames along the way the camera moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import Colorspace
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.lift.capture.sharpness import displacement, sharpness
from spatialwm.lift.pictures.picture import Picture
from spatialwm.progress import Progress, silent

SHARPNESS_PX, MOTION_PX = 480, 96
"""Longer side at which sharpness and motion are measured."""
FIRST_WINDOW_S = 0.1
"""Of each window one frame stays a candidate; windows grow with the clip, so that candidates are never many."""
CANDIDATES = 5
"""Kept for each frame that is wanted in the end."""
MOVED_PX = 0.5
"""At ``MOTION_PX``: less is noise of a camera at rest."""
STEP_PX = 0.8
"""At ``MOTION_PX``: frames that show less change than this between them are not both worth keeping."""
_UNSPECIFIED = 2
"""``AVCOL_SPC_UNSPECIFIED``."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The chosen frames, in order of time."""

    pictures: tuple[Picture, ...]
    decoded: int
    """Frames the clip has."""
    duration_s: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    picture: Picture
    path_px: float
    """How far the picture had moved since the beginning, at ``MOTION_PX``."""


def choose_frames(path: Path, folder: Path, count: int, long_px: int, progress: Progress = silent) -> Clip:
    """Decode a clip once and write at most ``count`` sharp frames into ``folder``, spread evenly over the motion of the picture.

    Frames are turned upright and reduced to ``long_px``; memory does not grow with the length of the clip.

    Raises:
        LiftError: not a video, or the camera did not move.
    """
    candidates: list[_Candidate] = []
    window_s, window, best = FIRST_WINDOW_S, 0, None
    path_px, reference, last_s, decoded = 0.0, None, 0.0, 0
    notes: list[str] = []
    for frame, time_s, share in _frames(path, notes):
        progress("reading the video", share)
        decoded, last_s = decoded + 1, time_s
        gray = _gray(frame, SHARPNESS_PX)
        thumb = np.asarray(Image.fromarray(gray).resize(_fit(gray.shape[1], gray.shape[0], MOTION_PX), Image.Resampling.BOX))
        # Measured against the last frame that moved: the noise of a camera at rest does not add up.
        moved = displacement(reference, thumb) if reference is not None else 0.0
        if reference is None or moved > MOVED_PX:
            path_px, reference = path_px + moved, thumb
        if best is not None and int(time_s / window_s) != window:
            candidates.append(_keep(*best, folder, long_px))
            best = None
            if len(candidates) >= CANDIDATES * count:
                candidates, window_s = _thin(candidates), 2 * window_s
        window = int(time_s / window_s)
        sharp = sharpness(gray)
        if best is None or sharp > best[3]:
            best = (frame, time_s, path_px, sharp)
    if best is not None:
        candidates.append(_keep(*best, folder, long_px))
    if not decoded:
        raise LiftError(f"{path.name} has no frame that can be decoded; expected a video of 10 to 60 seconds")
    if decoded == 1:
        mend = "film for 10 to 60 seconds while walking around, or give the frame as a photo"
        raise LiftError(f"{path.name} has a single frame; {mend}")
    chosen = _spread(candidates, count)
    if len(chosen) < 3 and decoded > 2:
        mend = "walk slowly around the place while filming"
        raise LiftError(f"the camera hardly moves in {path.name}: only {len(chosen)} of {decoded} frames differ; {mend}")
    kept = {c.picture.path for c in chosen}
    for candidate in candidates:
        if candidate.picture.path not in kept:
            candidate.picture.path.unlink()
    progress("reading the video", 1.0)
    return Clip(tuple(c.picture for c in chosen), decoded, last_s, tuple(notes))


def _frames(path: Path, notes: list[str]) -> Iterator[tuple[av.VideoFrame, float, float]]:
    """Frames with their time and how much of the clip has passed; a damaged tail ends the clip with a note."""
    try:
        container = av.open(str(path))
    except (FFmpegError, OSError) as e:
        raise LiftError(f"{path.name} is not a video that can be read ({_reason(e)}); expected MP4, MOV, MKV or WebM") from e
    with container:
        if not container.streams.video:
            raise LiftError(f"{path.name} has no picture, only {', '.join({s.type for s in container.streams}) or 'nothing'}")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = float(stream.average_rate or 25)
        length_s = container.duration / av.time_base if container.duration else 0.0
        count, time_s = 0, 0.0
        try:
            for frame in container.decode(stream):
                time_s = frame.time if frame.time is not None else count / rate
                count += 1
                yield frame, time_s, min(time_s / length_s, 1.0) if length_s > 0 else 0.0
        except FFmpegError as e:
            if count < 2:
                raise LiftError(f"{path.name} cannot be decoded ({_reason(e)}); copy it again from the camera") from e
            notes.append(f"{path.name} is damaged after {time_s:.1f} s ({_reason(e)}); what came before was used")
            return
        if length_s > 0 and time_s < 0.9 * length_s - 1.5:
            notes.append(f"{path.name} says it lasts {length_s:.1f} s but ends after {time_s:.1f} s; what is there was used")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


def _fit(width: int, height: int, long_px: int) -> tuple[int, int]:
    k = min(1.0, long_px / max(width, height))
    return max(1, round(width * k)), max(1, round(height * k))


def _gray(frame: av.VideoFrame, long_px: int) -> np.ndarray:
    width, height = _fit(frame.width, frame.height, long_px)
    return frame.reformat(width=width, height=height, format="gray").to_ndarray()


def _keep(frame: av.VideoFrame, time_s: float, path_px: float, sharp: float, folder: Path, long_px: int) -> _Candidate:
    """Write the upright frame; JPEG at this quality keeps every feature and is three times smaller than PNG."""
    width, height = _fit(frame.width, frame.height, long_px)
    # Encoders often leave the matrix unsaid; players then take HD for BT.709, the conversion would take BT.601.
    unsaid = frame.colorspace == _UNSPECIFIED and min(frame.width, frame.height) >= 720
    source = {"src_colorspace": Colorspace.ITU709} if unsaid else {}
    rgb = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA", **source).to_ndarray()
    rgb = np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90) % 4))
    path = folder / f"frame_{round(time_s * 1000):08d}_{frame.pts or 0}.jpg"
    Image.fromarray(rgb).save(path, quality=95, subsampling=0)
    height, width = rgb.shape[:2]
    name = f"{time_s:.2f} s"
    return _Candidate(Picture(name, path, width, height, f"video {width}x{height}", time_s=time_s, sharpness=sharp), path_px)


def _thin(candidates: list[_Candidate]) -> list[_Candidate]:
    """The sharper of each two in a row; the other's file is removed."""
    kept = []
    for pair in (candidates[i : i + 2] for i in range(0, len(candidates), 2)):
        best = max(pair, key=lambda c: c.picture.sharpness)
        kept.append(best)
        for other in pair:
            if other is not best:
                other.picture.path.unlink()
    return kept


def _spread(candidates: list[_Candidate], count: int) -> list[_Candidate]:
    """At most ``count`` frames evenly spaced in motion, the sharpest of each stretch; of a camera at rest one frame stays."""
    total = candidates[-1].path_px - candidates[0].path_px
    wanted = min(count, int(total / STEP_PX) + 1)
    moved = [candidates[0]]
    for candidate in candidates[1:]:
        if candidate.path_px - moved[-1].path_px >= STEP_PX:
            moved.append(candidate)
        elif candidate.picture.sharpness > moved[-1].picture.sharpness:
            moved[-1] = replace(candidate, path_px=moved[-1].path_px)
    if len(moved) <= wanted:
        return moved
    windows: dict[int, _Candidate] = {}
    for candidate in moved:
        window = min(int((candidate.path_px - candidates[0].path_px) / total * wanted), wanted - 1)
        if window not in windows or candidate.picture.sharpness > windows[window].picture.sharpness:
            windows[window] = candidate
    return [windows[w] for w in sorted(windows)]
