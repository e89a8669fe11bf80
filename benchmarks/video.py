"""Time a film of a moving object in a large still scene: ``python benchmarks/video.py [--frames 72] [--size 960x540]``."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from spatialwm.bench import synthetic_scene
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.render import film, write_mp4
from spatialwm.scene import Scene, SceneObject


def main() -> None:
    """40 objects of 5,000 Gaussians, one of which moves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=72)
    parser.add_argument("--gaussians", type=int, default=200_000)
    parser.add_argument("--size", default="960x540")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    means, quats, scales, opacities, colors = (t.numpy() for t in synthetic_scene(options.gaussians, width, height)[:5])
    parts = np.array_split(np.argsort(means[:, 0]), 40)
    scene = Scene(
        tuple(
            SceneObject(f"part-{i}", "part", Gaussians.from_numpy(means[p], quats[p], scales[p], opacities[p], rgb=colors[p]))
            for i, p in enumerate(parts)
        )
    )
    camera = Camera.look_at((-3.6, -3.2, 1.6), (0.0, 0.0, 0.0), width, height, fov_x_deg=58.0)
    steps = [{"part-20": Pose((0.0, 0.0, i / 100))} for i in range(options.frames)]
    with tempfile.TemporaryDirectory() as folder:
        started, busy = time.perf_counter(), time.process_time()
        write_mp4(Path(folder) / "film.mp4", (frame.rgb for frame in film(scene, steps, camera)), fps=30)
        wall, cpu = time.perf_counter() - started, time.process_time() - busy
    size = f"{options.frames} frames of {options.gaussians} Gaussians at {width}x{height}"
    print(f"{size}: {wall:.1f} s wall, {cpu:.1f} s processor time")


if __name__ == "__main__":
    main()
