"""Every picture of a folder becomes a world: seconds, how well it shows its picture, how far one may step.

    python benchmarks/photo_world.py ../shared/data/photos -o photos.json --sheets sheets/
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads

import numpy as np
from PIL import Image

from spatialwm.geometry.camera import Camera
from spatialwm.lift import LiftOptions
from spatialwm.lift.image.layers import Motion, moved
from spatialwm.lift.image.layers.layers import cube
from spatialwm.lift.image.layers.motion import HOLE_ALPHA
from spatialwm.lift.image.lifter import ImageLifter
from spatialwm.lift.image.photo import Photo
from spatialwm.lift.image.reading import read_photo
from spatialwm.lift.pictures.suffixes import is_picture
from spatialwm.render import psnr, render_scene
from spatialwm.scene import Scene, flatten

WORST_DB, WORST_HOLES, WORST_S = 30.0, 0.005, 20.0
LOUD = (1.0, 0.0, 1.0)


def main() -> int:
    """Measure every picture; 1 where one misses a target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quality", choices=("draft", "standard", "high"), default="standard")
    parser.add_argument("--depth", default="auto")
    parser.add_argument("-o", "--out", type=Path, help="report.json")
    parser.add_argument("--sheets", type=Path, help="folder for a picture of each world from all sides, holes in magenta")
    args = parser.parse_args()
    options = LiftOptions(quality=args.quality, depth=args.depth)
    rows = []
    for path in sorted(p for p in args.folder.iterdir() if is_picture(p)):
        wall, cpu = time.perf_counter(), time.process_time()
        scene = ImageLifter().lift(str(path), options)
        seconds = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        rows.append({"picture": path.name, **seconds, "gaussians": len(scene), **judge(scene, path, options, args.sheets)})
        print(" ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in rows[-1].values()), flush=True)
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1))
    missed = [r["picture"] for r in rows if r["own_view_db"] < WORST_DB or r["holes"] > WORST_HOLES or r["wall_s"] > WORST_S]
    print(f"{len(rows) - len(missed)} of {len(rows)} reach {WORST_DB:g} dB, holes <= {WORST_HOLES:.1%}, {WORST_S:g} s", *missed)
    return int(bool(missed))


def judge(scene: Scene, path: Path, options: LiftOptions, sheets: Path | None) -> dict[str, float]:
    """PSNR from the picture's own camera, the motion stated, and the largest share of holes at its extremes."""
    assert scene.spawn is not None
    photo = read_photo(path, options.quality)
    flat = flatten(scene)
    steps = np.asarray(scene.walkable) - scene.spawn.eye[:2]
    motion = Motion(float(steps[:, 0].max()), float(steps[:, 1].max()))
    looks: dict[str, Camera] = {"own": scene.spawn}
    for name, step in zip(("left", "right", "up", "ahead", "back"), motion.extremes(), strict=True):
        looks[name] = moved(scene.spawn, step)
    frames = {n: render_scene(flat, c, background=LOUD if n != "own" else scene.environment.background) for n, c in looks.items()}
    if sheets is not None:
        sheets.mkdir(parents=True, exist_ok=True)
        _sheet([f.rgb for f in frames.values()]).save(sheets / f"{path.stem}.png")
    own = psnr(frames["own"].rgb, photo.rgb / 255) if not photo.panorama else _around_db(scene, photo)
    holes = max(float(np.mean(f.alpha < HOLE_ALPHA)) for n, f in frames.items() if n != "own")
    return {"own_view_db": own, "holes": holes, "aside_m": motion.aside_m, "ahead_m": motion.ahead_m}


def _around_db(scene: Scene, photo: Photo) -> float:
    """PSNR over the six sides of a cube around a panorama's camera."""
    world_from_cam = scene["photo-1"].world_from_object
    flat, errors = flatten(scene), []
    for look, picture in cube(photo.rgb.astype(np.float32) / 255):
        there = replace(look, world_from_cam=world_from_cam @ look.world_from_cam)
        shown = render_scene(flat, there, background=scene.environment.background).rgb
        errors.append(float(np.square(shown - picture).mean()))
    return float(-10 * np.log10(np.mean(errors)))


def _sheet(pictures: list[np.ndarray], across_px: int = 640) -> Image.Image:
    height, width = pictures[0].shape[:2]
    size = (across_px, round(across_px * height / width))
    sheet = Image.new("RGB", (3 * size[0], 2 * size[1]))
    for i, picture in enumerate(pictures):
        small = Image.fromarray((picture * 255 + 0.5).astype(np.uint8)).resize(size)
        sheet.paste(small, (i % 3 * size[0], i // 3 * size[1]))
    return sheet


if __name__ == "__main__":
    raise SystemExit(main())
