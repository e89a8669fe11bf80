"""Where the camera stood for each picture: features, matches and bundle adjustment by pycolmap, in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from PIL import Image

from spatialwm.errors import LiftError, MissingDependencyError
from spatialwm.lift.pictures.picture import Picture, load_mask, load_pixels
from spatialwm.lift.pictures.straighten import OPAQUE
from spatialwm.progress import Progress, part_of, silent

MIN_MATCHES = 15
"""Verified matches below which two pictures do not count as overlapping."""
_STAGES = {
    "finding features": (0.1, 0.4), "matching": (0.4, 0.75),
    "placing cameras": (0.75, 0.95), "placing cameras all at once": (0.95, 1.0),
}  # fmt: skip
"""Share of the whole job each stage takes, measured on 11 to 29 pictures."""
_TICK_S = 0.2
"""How soon a cancellation reaches the worker."""


@dataclass(frozen=True, slots=True)
class SfmPreset:
    """How much work goes into matching; SIFT only, because the other extractors of the library abort the process."""

    sift_px: int = 1280
    """Longer side of the pictures in which features are sought."""
    features: int = 6000
    """At most, in a picture."""
    upsample_below_px: int = 700
    """Smaller pictures are searched at twice their size."""


FAST = SfmPreset()
HIGH = SfmPreset(sift_px=1600, features=8192, upsample_below_px=1600)


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """What is known of each picture, in their order; lengths in a unit and a frame that mean nothing yet."""

    cam_from_world: Float[np.ndarray, "n 3 4"]
    """NaN where a picture found no place."""
    intrinsics: Float[np.ndarray, "n 5"]
    """Focal length, principal point, and the radial distortion terms k1 and k2, in pixels of the upright picture."""
    means: Float[np.ndarray, "p 3"]
    error_px: Float[np.ndarray, " p"]
    """Mean reprojection error of each point, in pixels of the pictures that were matched."""
    tracks: Int[np.ndarray, "k 2"]
    """Pairs of point and picture, sorted by point."""
    mapper: str
    """``incremental`` or ``global``."""
    models: tuple[int, ...]
    """Pictures in each unconnected part; the largest is the one kept."""
    features: Int[np.ndarray, " n"]
    inliers: Int[np.ndarray, "n n"]
    """Verified matches between pictures."""
    rotation_only: int
    """Pairs that show no parallax."""

    @property
    def placed(self) -> Int[np.ndarray, " m"]:
        """Indices of the pictures that found a place."""
        return np.flatnonzero(np.isfinite(self.cam_from_world[:, 0, 0]))


def solve(
    pictures: Sequence[Picture], preset: SfmPreset, folder: Path, seed: int = 0, ordered: bool = False,
    progress: Progress = silent,
) -> Structure:  # fmt: skip
    """Find the camera of every picture.

    Args:
        folder: takes the intermediate files.
        ordered: neighbours in the list overlap.

    Raises:
        MissingDependencyError: pycolmap is not installed.
        LiftError: the native library broke off.
    """
    if importlib.util.find_spec("pycolmap") is None:
        raise MissingDependencyError("pycolmap", "capture", "finding where photos were taken")
    images, masks = folder / "gray", folder / "masks"
    images.mkdir()
    masks.mkdir()
    sizes: list[tuple[int, int]] = []
    for i, picture in enumerate(pictures):
        progress("reading the pictures", 0.1 * i / len(pictures))
        sizes.append(_write_gray(picture, preset.sift_px, images / _name(i), masks / f"{_name(i)}.png"))
    masked = any(masks.iterdir())
    if masked:  # the library leaves out pictures without a mask once there are masks
        for i, size in enumerate(sizes):
            if not (masks / f"{_name(i)}.png").exists():
                Image.new("L", size, 255).save(masks / f"{_name(i)}.png")
    groups: dict[tuple[str, int, int], list[int]] = {}
    for i, (picture, size) in enumerate(zip(pictures, sizes, strict=True)):
        groups.setdefault((picture.camera, *size), []).append(i)
    job = {
        "images": str(images),
        "masks": str(masks) if masked else None,
        "groups": [
            {
                "names": [_name(i) for i in members], "width": width, "height": height,
                "focal_px": _focal(pictures[members[0]], width),
            }
            for (_, width, height), members in groups.items()
        ],
        "sift_px": preset.sift_px,
        "features": preset.features,
        "first_octave": -1 if max(max(s) for s in sizes) < preset.upsample_below_px else 0,
        "min_matches": MIN_MATCHES,
        "ordered": ordered,
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "seed": seed,
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    _run(path, progress)
    with np.load(folder / "result.npz") as result:
        found = {name: result[name] for name in result.files}
    scale = np.array([p.width / w for p, (w, _) in zip(pictures, sizes, strict=True)])
    found["camera"][:, :3] *= scale[:, None]
    return Structure(
        found["cam_from_world"], found["camera"], found["means"], found["error_px"], found["tracks"], str(found["mapper"]),
        tuple(sorted((int(m) for m in found["models"]), reverse=True)),
        found["features"], found["inliers"], int(found["rotation_only"]),
    )  # fmt: skip


def _name(index: int) -> str:
    return f"{index:05d}.png"


def _focal(picture: Picture, width: int) -> float | None:
    return None if picture.focal_px is None else picture.focal_px * width / picture.width


def _write_gray(picture: Picture, long_px: int, path: Path, mask_path: Path) -> tuple[int, int]:
    """A gray copy no larger than features are sought in; the library then needs no decoder, no EXIF and no odd file name.

    Where not all of it is to be used, a mask is written beside it, in which no features are sought.
    """
    pixels = load_pixels(picture.path, long_px)
    k = min(1.0, long_px / max(picture.width, picture.height))
    size = (max(1, round(picture.width * k)), max(1, round(picture.height * k)))
    gray = Image.fromarray(pixels.rgb).convert("L")
    gray.resize(size, Image.Resampling.BOX, reducing_gap=None).save(path, compress_level=1)
    layers = [] if pixels.alpha is None else [pixels.alpha > OPAQUE]
    if picture.mask is not None:
        layers.append(load_mask(picture.mask))
    if layers:
        fitted = [np.asarray(Image.fromarray(layer).resize(size)) for layer in layers]
        Image.fromarray(np.logical_and.reduce(fitted)).convert("L").save(mask_path, compress_level=1)
    return size


def _run(job: Path, progress: Progress) -> None:
    """Run the worker to its end; an exception out of ``progress`` (a cancellation, Ctrl-C) ends it at once."""
    worker = Path(__file__).with_name("sfm_worker.py")
    log = job.with_name("log.txt")
    with log.open("w") as errors:
        # -P: the folder of the worker is not searched for modules, so none of ours can shadow a library's.
        command = [sys.executable, "-P", str(worker), str(job)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True)
    lines: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    stage, fraction = "finding features", 0.0
    try:
        while True:
            try:
                line = lines.get(timeout=_TICK_S)
            except queue.Empty:
                line = ""
            if line is None:
                break
            if line.startswith("{"):
                said = json.loads(line)
                stage, fraction = said["stage"], said["fraction"]
            part_of(progress, *_STAGES[stage])(stage, fraction)
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        listener.join()
        if process.stdout is not None:
            process.stdout.close()
    if code != 0:
        raise LiftError(f"finding the cameras broke off while {stage} ({_cause(code, log)}); try other or fewer pictures")


def _cause(code: int, log: Path) -> str:
    if code == -signal.SIGKILL:
        return "the system ended it, most likely for want of memory"
    last = next((line for line in reversed(log.read_text(errors="replace").splitlines()) if line.strip()), "")
    return f"exit {code}: {last.strip()[-200:]}" if last else f"exit {code}"
