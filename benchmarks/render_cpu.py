"""What the cpu backend costs before its first picture, and what vectors and threads bring: ``python benchmarks/render_cpu.py``.

Cold start is measured in processes of their own: the first with an empty kernel cache, as after an install, then later ones.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

# Before torch loads: its idle threads would otherwise spin on through the next job's processor time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch

from spatialwm.bench import describe_machine, interleaved, load_scene
from spatialwm.render.cpu import rasterization
from spatialwm.report import headline, write_json

_FIRST_RENDER = """
import json, time
started = time.perf_counter()
import torch
from spatialwm.bench.synthetic import synthetic_scene
from spatialwm.render.cpu import rasterization
scene = [*synthetic_scene(1000, 160, 120)]
told = {"imports_s": time.perf_counter() - started}
for name in ("first_picture_s", "first_gradient_s", "second_gradient_s"):
    started = time.perf_counter()
    image = rasterization(*scene, 160, 120)[0]
    if name != "first_picture_s":
        image.sum().backward()
    told[name] = time.perf_counter() - started
    scene[0].requires_grad_()
print(json.dumps({name: round(seconds, 3) for name, seconds in told.items()}))
"""


def cold_start() -> dict[str, dict[str, float]]:
    """Seconds of a first process with nothing cached, and of a later one."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        told = {}
        for label in ("first process", "later process"):
            words = [sys.executable, "-c", _FIRST_RENDER]
            out = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True, check=True)
            told[label] = json.loads(out.stdout)
            figures = "  ".join(f"{name[:-2].replace('_', ' ')} {seconds:.2f} s" for name, seconds in told[label].items())
            print(f"{label:14s} {figures}", flush=True)
    return told


def variants(scene_name: str, width: int, height: int, repeats: int) -> dict[str, dict[str, float]]:
    """Median times of kinds of pictures, and without what makes them fast."""
    scene = load_scene(scene_name)
    camera = scene.camera(width, height)
    view = camera.viewmat()[None], camera.K()[None], width, height
    render = partial(rasterization, *scene.gaussians, *view, sh_degree=scene.sh_degree)
    fields = [t.detach().requires_grad_() for t in scene.gaussians]
    upstream = torch.randn(1, height, width, 3, generator=torch.Generator().manual_seed(0))

    def gradients(**options: int) -> None:
        image = rasterization(*fields, *view, sh_degree=scene.sh_degree, **options)[0]
        torch.autograd.grad(image, fields, upstream)

    jobs = {
        "forward": render,
        "forward, depth and ids": partial(render, render_mode="RGB+ED", with_ids=True),
        "forward, one thread": partial(render, threads=1),
        "forward, plain loops": partial(render, lanes=1),
        "forward + backward": gradients,
        "forward + backward, one thread": partial(gradients, threads=1),
        "forward + backward, plain loops": partial(gradients, lanes=1),
    }
    told = {}
    print(f"{scene_name} {width}x{height}{'':20s} wall ms   cpu ms")
    for label, timing in interleaved(jobs, repeats).items():
        told[label] = {"wall_ms": round(timing.wall_ms, 2), "processor_ms": round(timing.processor_ms, 2)}
        print(f"  {label:34s} {timing.wall_ms:8.1f} {timing.processor_ms:8.1f}")
    return told


def main(argv: Sequence[str] | None = None) -> int:
    """Print, and with ``-o`` write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", default="synth100k")
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("-o", "--out", type=Path)
    args = parser.parse_args(argv)
    width, height = map(int, args.size.split("x"))
    machine = describe_machine()
    print(headline(machine))
    told = {"machine": machine, "scene": args.scene, "size": [width, height]}
    told["cold_start"] = cold_start()
    told["variants"] = variants(args.scene, width, height, args.repeats)
    if args.out:
        print(write_json(args.out, told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
