"""Pictures whose cameras are unknown become a capture: placed, straightened, and what went wrong said in plain words."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import Capture, Points, View
from spatialwm.lift.capture.posed.files import listed
from spatialwm.lift.capture.sfm import FAST, HIGH, MIN_MATCHES, SfmPreset, Structure, solve
from spatialwm.lift.lifter import Quality
from spatialwm.lift.pictures.lens import Lens, Optics
from spatialwm.lift.pictures.picture import Picture, load_mask, load_pixels
from spatialwm.lift.pictures.straighten import SAMPLES, pinhole_of, straighten, usable_pixels
from spatialwm.progress import Progress, part_of, silent

MIN_PLACED, MIN_PLACED_SHARE = 3, 0.3
"""Fewer pictures with a place are not made a world of."""
LOW_PARALLAX_DEG = 2.0
"""Median triangulation angle below which depths are uncertain: 3 % of the distance and more."""
BLURRED = 0.25
"""Of the median sharpness."""
FEW_FEATURES = 200
READERS = min(4, os.cpu_count() or 1)
"""Pictures decoded at once."""


@dataclass(frozen=True, slots=True)
class CapturePreset:
    """What a quality means before training."""

    sfm: SfmPreset
    view_px: int
    """Longer side of the views."""
    frames: int
    """Taken from a video at most."""


PRESETS: dict[Quality, CapturePreset] = {
    "draft": CapturePreset(FAST, 640, 48),
    "standard": CapturePreset(FAST, 640, 60),
    "high": CapturePreset(HIGH, 960, 120),
}


def register(
    pictures: Sequence[Picture], preset: CapturePreset, seed: int = 0, ordered: bool = False, progress: Progress = silent,
    scratch: Path | None = None,
) -> Capture:  # fmt: skip
    """Place the pictures and straighten them; ``ordered`` says that neighbours in the list overlap.

    Args:
        scratch: where a temporary folder is made; it is gone when the call returns or fails.

    Raises:
        MissingDependencyError: pycolmap is not installed.
        LiftError: too few pictures fit together; the message says what to shoot.
    """
    if len(pictures) < MIN_PLACED:
        few = f"{len(pictures)} picture{'s' * (len(pictures) != 1)}"
        mend = f"give at least {MIN_PLACED}, better 20 to 60, each sharing two thirds with the next"
        raise LiftError(f"{few} cannot be placed in space: {mend}")
    with tempfile.TemporaryDirectory(prefix="spatialwm-", dir=scratch, ignore_cleanup_errors=True) as folder:
        structure = solve(pictures, preset.sfm, Path(folder), seed, ordered, part_of(progress, 0.0, 0.9))
    placed = structure.placed
    if len(placed) < max(MIN_PLACED, MIN_PLACED_SHARE * len(pictures)):
        raise LiftError(f"only {len(placed)} of {len(pictures)} pictures could be placed in space: {_what_to_shoot(structure)}")
    views = _straighten([pictures[i] for i in placed], structure, preset.view_px, part_of(progress, 0.9, 1.0))
    points = _points(structure, views)
    progress("straightening", 1.0)
    return Capture(views=tuple(views), points=points, given=len(pictures), notes=_notes(pictures, structure))


def _straighten(pictures: list[Picture], structure: Structure, view_px: int, progress: Progress) -> list[View]:
    """One pinhole camera for each lens; the largest photo is never held twice."""
    pinholes: dict[Optics, Optics] = {}
    jobs: list[tuple[Picture, Optics, np.ndarray]] = []
    for picture, row in zip(pictures, structure.placed, strict=True):
        focal, cx, cy, k1, k2 = (float(v) for v in structure.intrinsics[row])
        bent = Optics(picture.width, picture.height, focal, focal, cx, cy, Lens(radial=(k1, k2)))
        if bent not in pinholes:
            pinholes[bent] = pinhole_of(bent, view_px)
        jobs.append((picture, bent, structure.cam_from_world[row]))

    def view(job: tuple[Picture, Optics, np.ndarray]) -> View:
        picture, bent, cam_from_world = job
        p = pinholes[bent]
        # Left at up to SAMPLES times the final size, so that one resampling both straightens and averages.
        pixels = load_pixels(picture.path, SAMPLES * max(p.width, p.height) // 2)
        rgb, seen = straighten(pixels.rgb, pixels.reduced, bent, p)
        usable = usable_pixels(seen, pixels, None if picture.mask is None else load_mask(picture.mask), bent, p)
        camera = Camera(Pose.from_matrix(cam_from_world).inverse(), p.width, p.height, p.fx, p.fy, p.cx, p.cy)
        return View(picture.name, camera, rgb, usable=usable, time_s=picture.time_s)

    views: list[View] = []
    with ThreadPoolExecutor(READERS) as pool:
        for done in pool.map(view, jobs):
            views.append(done)
            progress("straightening", len(views) / len(jobs))
    return views


def _points(structure: Structure, views: list[View]) -> Points:
    """The points that at least two straightened views show, in the mean colour of those."""
    index = np.full(len(structure.cam_from_world), -1)
    index[structure.placed] = np.arange(len(views))
    point, view = structure.tracks[:, 0], index[structure.tracks[:, 1]]
    seen = np.zeros(len(point), bool)
    colors = np.zeros((len(point), 3))
    for i, v in enumerate(views):
        rows = np.flatnonzero(view == i)
        c = v.camera
        p = c.world_from_cam.inverse().apply(structure.means[point[rows]])
        with np.errstate(divide="ignore", invalid="ignore"):
            x, y = c.fx * p[:, 0] / p[:, 2] + c.cx, c.fy * p[:, 1] / p[:, 2] + c.cy
            inside = (p[:, 2] > 0) & (x >= 0) & (y >= 0) & (x < c.width) & (y < c.height)
        seen[rows] = inside
        colors[rows[inside]] = v.rgb[y[inside].astype(np.int64), x[inside].astype(np.int64)]
    count = np.bincount(point[seen], minlength=len(structure.means))
    total = np.stack([np.bincount(point[seen], colors[seen, k], minlength=len(structure.means)) for k in range(3)], axis=1)
    kept = count >= 2
    renumbered = np.cumsum(kept) - 1
    rows = seen & kept[point]
    tracks = np.stack([renumbered[point[rows]], view[rows]], axis=1)
    rgb = (total[kept] / count[kept, None] + 0.5).astype(np.uint8)
    return Points(structure.means[kept], rgb, tracks[np.lexsort((tracks[:, 1], tracks[:, 0]))])


def triangulation_angles(structure: Structure) -> Float[np.ndarray, " p"]:
    """The widest angle under which each point was seen, degrees."""
    rotation, shift = structure.cam_from_world[:, :, :3], structure.cam_from_world[:, :, 3]
    eyes = -np.einsum("nji,nj->ni", rotation, shift)
    point, picture = structure.tracks[:, 0], structure.tracks[:, 1]
    rays = eyes[picture] - structure.means[point]
    rays /= np.maximum(np.linalg.norm(rays, axis=1, keepdims=True), 1e-12)
    lengths = np.bincount(point, minlength=len(structure.means))
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    widest = np.zeros(len(structure.means))
    for length in np.unique(lengths[lengths >= 2]):
        of_length = np.flatnonzero(lengths == length)
        bundle = rays[starts[of_length, None] + np.arange(length)]
        cosine = np.einsum("pik,pjk->pij", bundle, bundle).min(axis=(1, 2))
        widest[of_length] = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return widest


def _notes(pictures: Sequence[Picture], structure: Structure) -> tuple[str, ...]:
    placed = structure.placed
    error = f"reprojection error {structure.error_px.mean():.2f} px" if len(structure.error_px) else "no points"
    notes = [f"{len(placed)} of {len(pictures)} pictures were placed in space by the {structure.mapper} mapper ({error})"]
    angle = float(np.median(triangulation_angles(structure))) if len(structure.means) else 0.0
    if angle < LOW_PARALLAX_DEG:
        notes.append(
            f"the pictures lie close together for how far they see (median angle {angle:.1f} degrees), so depth is uncertain; "
            "walk sideways around the place, not only straight ahead, and never turn on the spot"
        )
    reasons: dict[str, list[str]] = {}
    for i in np.setdiff1d(np.arange(len(pictures)), placed):
        reasons.setdefault(_reason(int(i), pictures, structure), []).append(pictures[i].name)
    for reason, names in reasons.items():
        notes.append(f"{len(names)} found no place: {listed(names)} ({reason})")
    return tuple(notes)


def _reason(i: int, pictures: Sequence[Picture], structure: Structure) -> str:
    """Why a picture most likely found no place."""
    median = float(np.median([p.sharpness for p in pictures]))
    shared = int(structure.inliers[i, structure.placed].max(initial=0))
    if pictures[i].sharpness < BLURRED * median:
        return "blurred; hold still or use more light"
    if structure.features[i] < FEW_FEATURES:
        return "too little texture, as bare walls or sky have; keep furniture or ground in view"
    if shared < 2 * MIN_MATCHES:
        return "shares too little with the placed ones; take pictures in between"
    if len(structure.models) > 1:
        return "belongs to another group of pictures that does not connect; take pictures in between"
    return "its matches fit no one position, as with moving things, mirrors or repeated patterns"


def _what_to_shoot(structure: Structure) -> str:
    """The likeliest cause of a failure and its mend."""
    n = len(structure.features)
    connected = int((structure.inliers >= MIN_MATCHES).sum()) // 2
    if np.median(structure.features) < FEW_FEATURES:
        return "they are blurred or show little texture; use more light, hold still, and keep textured things in view"
    if connected < n - 1:
        return "most show nothing in common; move less between pictures, so that two thirds of each are in the next one too"
    if structure.rotation_only > 0.5 * connected:
        return "the camera turned on the spot; take a step sideways before each picture, as if walking around the place"
    return "too little sideways movement, or too much moves or mirrors; take 20 to 60 pictures in an arc around the place"
