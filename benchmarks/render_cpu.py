"""Time the cpu backend: ``python benchmarks/render_cpu.py [--gaussians 100000] [--size 640x480]``.

Prints wall time and processor time; on a busy machine processor time / cores is the steadier figure.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from spatialwm.bench import synthetic_scene


def main() -> None:
    """Measure import and kernel loading in a fresh process, then each kind of picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gaussians", type=int, default=100_000)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))

    code = "import spatialwm.render.cpu as c, time; t = time.perf_counter(); c.warm_up(); print(time.perf_counter() - t)"
    for label in ("kernel loading, first process", "kernel loading, later process"):
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        print(f"{label:44s} {float(out) * 1e3:8.0f} ms")

    from spatialwm.render.cpu import rasterization
    from spatialwm.render.cpu.threads import machine_threads
    from spatialwm.render.cpu.vectors import machine_lanes

    scene = synthetic_scene(options.gaussians, width, height)
    machine = f"{machine_threads()} threads, {machine_lanes()} lanes"
    print(f"{options.gaussians} Gaussians, {width}x{height}, {machine}: wall / cpu per core")
    kinds: dict[str, Callable[[], object]] = {
        "RGB": lambda: rasterization(*scene, width, height),
        "RGB, plain loops": lambda: rasterization(*scene, width, height, lanes=1),
        "RGB + depth + ids": lambda: rasterization(*scene, width, height, render_mode="RGB+ED", with_ids=True),
        "RGB, one thread": lambda: rasterization(*scene, width, height, threads=1),
    }
    for label, render in kinds.items():
        render()
        wall, cpu = [], []
        for _ in range(options.repeats):
            started, busy = time.perf_counter(), time.process_time()
            render()
            wall.append(time.perf_counter() - started)
            cpu.append(time.process_time() - busy)
        cores = 1 if "one thread" in label else machine_threads()
        print(f"  {label:42s} {np.median(wall) * 1e3:8.1f} ms / {np.min(cpu) / cores * 1e3:6.1f} ms")


if __name__ == "__main__":
    main()
