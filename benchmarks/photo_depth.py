"""How well the embedded depth of one picture agrees with measured depth: ``python benchmarks/photo_depth.py --data DIR``.

DIR holds ``rgbd_nyu_kitti_pairs``, ``rgbd_iphone_lidar`` and ``rgbd_7scenes_redkitchen``; what is absent is left out. Beside the
estimate stand three answers that look at nothing: one plane; level ground below the middle row with a far wall above it; and the
average depth of the other pictures of the same set (which has seen their truth). Focal lengths are those of the data sets.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import zoom

from spatialwm.bench.depth_metrics import Alignment, constant_plane, relative_error
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.embedded import EmbeddedDepth
from spatialwm.lift.image.photo import Photo
from spatialwm.lift.image.rays import Rays

ALIGNMENTS: dict[Alignment, str] = {"scale": "the median ratio", "disparity": "scale and shift of inverse depth"}


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A photo and the measured depth along its optical axis, 0 where unknown."""

    photo: Photo
    truth_m: np.ndarray
    group: str


def pairs(data: Path) -> Iterator[Pair]:
    """The photos of ``data`` that have measured depth."""
    for kind in ("nyu", "kitti"):
        folder = data / "rgbd_nyu_kitti_pairs"
        notes = folder / f"{kind}_demo" / "test_annotations.json"
        if notes.is_file():
            for entry in json.loads(notes.read_text())["files"]:
                rgb, depth = (folder / Path(entry[key]).relative_to("data") for key in ("rgb", "depth"))
                yield _pair(f"{kind} {rgb.stem}", rgb, depth, entry["depth_scale"], entry["cam_in"][0], kind)
    phone = data / "rgbd_iphone_lidar"
    if phone.is_dir():
        yield _pair("iphone", phone / "image.jpg", phone / "arkit_depth.png", 1000, None, "iphone")
    kitchen = data / "rgbd_7scenes_redkitchen"
    for k in range(0, 473, 59):
        frame = kitchen / f"frame-{k // 8 * 8:06d}"
        if frame.with_suffix(".color.jpg").is_file():
            rgb, depth = frame.with_suffix(".color.jpg"), frame.with_suffix(".depth.png")
            yield _pair(f"kitchen {k // 8 * 8}", rgb, depth, 1000, 585.0, "kitchen")


def _pair(name: str, rgb: Path, depth: Path, scale: float, focal_px: float | None, group: str) -> Pair:
    pixels = np.asarray(Image.open(rgb).convert("RGB"))
    stored = np.asarray(Image.open(depth))
    truth = np.where((stored > 0) & (stored < 65535), stored, 0) / scale
    return Pair(Photo(name=name, rgb=pixels, focal_px=focal_px), truth, group)


def depth_ahead(estimate: Estimate, shape: tuple[int, ...]) -> np.ndarray:
    """Along the optical axis, sampled at the size of the truth."""
    assert estimate.camera is not None
    ahead = estimate.distance_m * Rays.pinhole(estimate.camera).directions[..., 2]
    rows = ((np.arange(shape[0]) + 0.5) * ahead.shape[0] / shape[0]).astype(int)
    cols = ((np.arange(shape[1]) + 0.5) * ahead.shape[1] / shape[1]).astype(int)
    return ahead[np.ix_(rows, cols)]


def level_ground(shape: tuple[int, ...]) -> np.ndarray:
    """Ground from the middle row down, by a camera held level, and a wall where it is 20 times as far as at the lower edge."""
    down = (np.arange(shape[0]) + 0.5) / shape[0] - 0.5
    return np.repeat((0.5 / np.maximum(down, 0.5 / 20))[:, None], shape[1], 1)


def average_of_others(pair: Pair, everything: list[Pair]) -> np.ndarray | None:
    """Mean log depth of the other pictures of the set, each over its own median; None where there is no other."""
    others = [p for p in everything if p.group == pair.group and p is not pair]
    if not others:
        return None
    total, weight = np.zeros((24, 32)), np.zeros((24, 32))
    for other in others:
        known = other.truth_m > 0
        v, u = np.nonzero(known)
        cell = v * 24 // known.shape[0] * 32 + u * 32 // known.shape[1]
        logs = np.log(other.truth_m[known] / np.median(other.truth_m[known]))
        total += np.bincount(cell, logs, 24 * 32).reshape(24, 32)
        weight += np.bincount(cell, minlength=24 * 32).reshape(24, 32)
    rows = total.sum(1) / np.maximum(weight.sum(1), 1)
    mean = np.where(weight > 0, total / np.maximum(weight, 1), rows[:, None])
    shape = pair.truth_m.shape
    return np.exp(np.asarray(zoom(mean, (shape[0] / 24, shape[1] / 32), order=1, mode="nearest", grid_mode=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    everything = list(pairs(args.data))
    if not everything:
        parser.error(f"no pictures with depth in {args.data}")
    answers: dict[str, Callable[[Pair], np.ndarray | None]] = {
        "embedded": lambda p: depth_ahead(EmbeddedDepth().estimate(p.photo), p.truth_m.shape),
        "plane": lambda p: constant_plane(p.truth_m),
        "ground": lambda p: level_ground(p.truth_m.shape),
        "average": lambda p: average_of_others(p, everything),
    }
    for alignment, by in ALIGNMENTS.items():
        print(f"aligned by {by}: AbsRel / delta_1.25")
        print(f"{'':18s}" + "".join(f"{name:>16s}" for name in answers) + "   truth/estimate   CPU s")
        means: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for pair in everything:
            line, factor, spent = f"{pair.photo.name:18s}", float("nan"), 0.0
            for name, answer in answers.items():
                started = time.process_time()
                depth = answer(pair)
                if depth is None:
                    line += f"{'':>16s}"
                    continue
                error = relative_error(depth, pair.truth_m, alignment=alignment)
                if name == "embedded":
                    factor, spent = error.factor, time.process_time() - started
                means.setdefault((pair.group, name), []).append((error.abs_rel, error.delta_125))
                line += f"{error.abs_rel:>9.3f} /{error.delta_125:5.2f}"
            print(f"{line}{factor:>17.2f}{spent:>8.1f}")
        for group in dict.fromkeys(p.group for p in everything):
            shown = (means.get((group, name)) for name in answers)
            print(f"{'mean ' + group:18s}" + "".join(_mean(values) for values in shown))


def _mean(values: list[tuple[float, float]] | None) -> str:
    if not values:
        return f"{'':>16s}"
    abs_rel, delta = np.mean(values, 0)
    return f"{abs_rel:>9.3f} /{delta:5.2f}"


if __name__ == "__main__":
    main()
