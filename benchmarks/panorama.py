"""Depth, level and seam of panoramas whose truth is known: ``python benchmarks/panorama.py``.

Worlds made from sentences are rendered all around from a tilted camera, lifted, and compared with what they are. The seam is
judged in views of the lifted world: how much the two columns beside it differ, over what neighbouring columns of the view differ.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before OpenMP loads: its waiting threads would count as processor time

import argparse
import math
import tempfile
import time
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from spatialwm import studio
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift import LiftOptions
from spatialwm.lift.image.lifter import ImageLifter
from spatialwm.lift.image.panorama import PanoramaDepth
from spatialwm.lift.image.photo import Photo
from spatialwm.lift.image.rays import Rays
from spatialwm.render import render_scene
from spatialwm.scene import Scene, flatten

WORLDS = {
    "room": ("a cosy living room with a sofa, a coffee table, a bookshelf and a lamp", (0.3, -0.2, 1.6)),
    "bedroom": ("a small bedroom with a bed, a desk and a wardrobe, in the evening", (0.4, -0.5, 1.6)),
    "meadow": ("a meadow with a lake, pine trees and a wooden cabin at noon", (0.0, -6.0, 1.6)),
    "street": ("a village street with houses and a fountain", (0.0, -6.0, 1.6)),
}
TILTS_DEG = (0.0, 5.0, 12.0)
FAR_M = 60.0
"""Beyond it distances are not compared."""
_FACE_DEG = 100.0
"""Wider than a quarter turn: faces are blended where they overlap, as splats look a little different in each."""


def panorama(
    scene: Scene, eye: tuple[float, float, float], width: int, world_from_pano: Float[np.ndarray, "3 3"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colours, distances and coverage all around, from six faces of a cube."""
    rays = Rays.panorama(width, width // 2).directions @ world_from_pano.T
    rgb, distance = np.zeros(rays.shape), np.zeros(rays.shape[:2])
    alpha, total, best = np.zeros(rays.shape[:2]), np.zeros(rays.shape[:2]), np.full(rays.shape[:2], -1.0)
    flat = flatten(scene)
    for axis in ((1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)):
        up = (0.0, 0.0, 1.0) if axis[2] == 0 else (0.0, 1.0, 0.0)
        target = vec3(np.add(eye, axis))
        camera = Camera.look_at(eye, target, width * 2 // 5, width * 2 // 5, _FACE_DEG, up)
        frame = render_scene(flat, camera, background=scene.environment.background)
        x, y, z = np.moveaxis(rays @ camera.world_from_cam.rotation(), -1, 0)
        ahead = np.maximum(z, 1e-3)
        u, v = (camera.fx * x / ahead + camera.cx).astype(int), (camera.fy * y / ahead + camera.cy).astype(int)
        seen = (z > 0.3) & (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
        edge = np.maximum(np.abs(x), np.abs(y)) / ahead / math.tan(math.radians(_FACE_DEG / 2))
        weight = np.where(seen, np.clip((1 - edge) / 0.15, 1e-6, 1), 0)
        u, v = u.clip(0, camera.width - 1), v.clip(0, camera.height - 1)
        rgb += frame.rgb[v, u] * weight[..., None]
        total += weight
        nearer = seen & (z > best)
        distance = np.where(nearer, frame.depth_m[v, u] / ahead, distance)
        alpha = np.where(nearer, frame.alpha[v, u], alpha)
        best = np.where(nearer, z, best)
    return (rgb / total[..., None] * 255 + 0.5).astype(np.uint8), distance, alpha


def hung(tilt_deg: float, seed: int) -> Float[np.ndarray, "3 3"]:
    """``world_from_pano`` of a camera that hangs to a random side."""
    rng = np.random.default_rng(seed)
    side, heading = rng.uniform(0, 2 * np.pi, 2)
    upright = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    tilt = Pose.about_axis((math.cos(side), math.sin(side), 0.0), math.radians(tilt_deg)).rotation()
    return tilt @ Pose.about_axis((0.0, 0.0, 1.0), heading).rotation() @ upright


def errors(estimated: np.ndarray, true: np.ndarray, where: np.ndarray) -> tuple[float, float]:
    """AbsRel and delta 1.25, by solid angle."""
    level = np.sin((np.arange(len(true)) + 0.5) / len(true) * np.pi)[:, None] * where
    off = np.abs(estimated - true) / np.maximum(true, 1e-6)
    good = np.maximum(estimated / np.maximum(true, 1e-6), true / estimated) < 1.25
    return float((off * level).sum() / level.sum()), float((good * level).sum() / level.sum())


def seam(scene: Scene, step_m: float, size: int = 400) -> float:
    """Difference across the middle of a view towards the seam, over the mean one of its neighbours.

    1 is invisible; an edge of the picture that happens to lie at the seam, such as a door, counts too.
    """
    assert scene.spawn is not None
    eye, ahead = np.asarray(scene.spawn.eye), np.asarray(scene.spawn.forward)
    ratios = []
    for aside in (-step_m, 0.0, step_m):
        place = eye + aside * np.array([ahead[1], -ahead[0], 0])
        towards = eye - 1000 * ahead
        frame = render_scene(scene, Camera.look_at(vec3(place), vec3(towards), size, size, 70.0))
        steps = np.abs(np.diff(frame.rgb, axis=1)).mean((0, 2))
        middle = size // 2
        ratios.append(float(steps[middle - 2 : middle + 1].max() / steps[middle - 40 : middle + 40].mean()))
    return max(ratios)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Depth, level and seam of panoramas whose truth is known.")
    arguments.add_argument("--width", type=int, default=1024)
    arguments.add_argument("--worlds", nargs="*", default=list(WORLDS))
    arguments.add_argument("--walk", action="store_true", help="also lift each level panorama and judge seam and steps")
    asked = arguments.parse_args()
    print(f"{'world':9} {'tilt':>5} {'off level':>9} {'AbsRel':>7} {'sphere':>7} {'d1.25':>6} {'sphere':>7} {'CPU-s':>6}  kind")
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.worlds:
            sentence, eye = WORLDS[name]
            with studio.create(sentence, Path(folder) / f"{name}.world", options=LiftOptions(quality="draft")) as world:
                scene = world.scene()
            for seed, tilt_deg in enumerate(TILTS_DEG):
                world_from_pano = hung(tilt_deg, seed)
                rgb, true, alpha = panorama(scene, eye, asked.width, world_from_pano)
                start = time.process_time()
                found = PanoramaDepth().estimate(Photo(name=name, rgb=rgb, panorama=True))
                seconds = time.process_time() - start
                up = world_from_pano.T @ np.array([0.0, 0.0, 1.0])
                off_deg = math.degrees(math.acos(min(1.0, float(up @ np.asarray(found.up)))))
                where = (true > 0) & (true < FAR_M) & (alpha > 0.9) & ~found.sky
                ours, sphere = (errors(d, true, where) for d in (found.distance_m, np.full_like(true, np.median(true[where]))))
                print(
                    f"{name:9} {tilt_deg:5.0f} {off_deg:8.2f}° {ours[0]:7.3f} {sphere[0]:7.3f} {ours[1]:6.2f} {sphere[1]:7.2f} "
                    f"{seconds:6.1f}  {found.kind}",
                    flush=True,
                )
                if asked.walk and tilt_deg == 0:
                    path = Path(folder) / f"{name}.png"
                    Image.fromarray(rgb).save(path)
                    lifted = ImageLifter().lift(str(path), LiftOptions(quality="draft"))
                    reach_m = max(math.dist(lifted.walkable[0], p) for p in lifted.walkable) / 2
                    print(f"{'':9} walkable {reach_m:.2f} m around, seam {seam(lifted, reach_m):.2f}", flush=True)


if __name__ == "__main__":
    main()
