"""The cpu backend against the same design in C++ with AVX2: ``python benchmarks/against_cpp.py --experiment DIR``.

DIR holds ``splat_cpu.cpp`` and ``build.sh``; both are copied to a temporary folder and built there. Both sides take turns on the
same scenes. Beside the ratio stands a limit: the pixels that the C++ evaluates times what our innermost loop takes for one in
cache, at the width of the C++ (8 lanes) and at the machine's.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before OpenMP loads: its waiting threads would count as processor time

import argparse
import ctypes
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from inner_loop import ns_per_lane
from scipy.spatial import cKDTree
from torch import Tensor

from spatialwm.bench import BenchScene, describe_machine, interleaved, load_scene
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.render.cpu import rasterization
from spatialwm.render.photometric import psnr
from spatialwm.render.reference import rasterization as reference
from spatialwm.report import headline, write_json

GARDEN = "mv_gsplat_test_garden/test_garden.npz"
CPP_LANES = 8
"""Of the AVX2 build."""


def shared_data() -> Path:
    """The folder of real data beside the checkout."""
    return Path(os.environ.get("SPATIALWM_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"


def garden(data: Path) -> BenchScene:
    """139k coloured points of a real garden as Gaussians as wide as their neighbours are far, like a trained scene's.

    Flat, of log-normal size, opacities mostly near 0 or 1; seen by the first of the capture's cameras.
    """
    path = data / GARDEN
    if not path.is_file():
        raise SystemExit(f"no {path}: give --data, or leave garden out of --scenes")
    capture = np.load(path)
    means, n = capture["means3d"].astype(np.float32), len(capture["means3d"])
    rng = np.random.default_rng(0)
    distances = cKDTree(means).query(means, 4)[0][:, 1:]
    size = np.sqrt((distances**2).mean(1))
    size = np.minimum(size, np.quantile(size, 0.995))  # a few stray points lie far from all others
    scales = size[:, None] * np.exp(rng.normal(0, 0.5, (n, 3))) * [1.2, 1.2, 0.25]
    opacities = rng.beta(0.7, 0.5, n) * 0.98 + 0.01
    fields = (means, rng.normal(size=(n, 4)), scales, opacities, capture["colors"] / 255)
    viewmat, K = capture["viewmats"][0].astype(np.float64), capture["Ks"][0].astype(np.float64)
    world_from_cam = np.linalg.inv(viewmat)

    def camera(width: int, height: int) -> Camera:
        sx, sy = width / int(capture["width"]), height / int(capture["height"])
        pose = Pose.from_matrix(world_from_cam)
        return Camera(pose, width, height, K[0, 0] * sx, K[1, 1] * sy, K[0, 2] * sx, K[1, 2] * sy)

    means_t, quats, scales_t, opacities_t, colors = (torch.from_numpy(np.asarray(f, np.float32)) for f in fields)
    return BenchScene("garden", (means_t, quats, scales_t, opacities_t, colors), None, camera)


class Experiment:
    """The C++ rasteriser behind ctypes: 3 channels, one camera, float32."""

    def __init__(self, folder: Path) -> None:
        with tempfile.TemporaryDirectory() as build:
            for name in ("splat_cpu.cpp", "build.sh"):
                if not (folder / name).is_file():
                    raise SystemExit(f"no {folder / name}: --experiment must hold splat_cpu.cpp and build.sh")
                shutil.copyfile(folder / name, Path(build) / name)
            subprocess.run(["bash", "build.sh"], cwd=build, check=True)
            self._library = ctypes.CDLL(str(Path(build) / "libsplat_v3.so"))
        self._library.sc_new.restype = ctypes.c_void_p
        self._library.sc_vecs.restype = ctypes.c_double
        self._context = ctypes.c_void_p(self._library.sc_new())

    def forward(self, view: View) -> np.ndarray:
        """The image (h, w, 3)."""
        self._image = np.empty((view.height, view.width, 3), np.float32)
        self._transmittance = np.empty((view.height, view.width), np.float32)
        gaussians = [_pointer(a) for a in (*view.arrays, view.viewmat, view.K)]
        self._library.sc_prep(self._context, len(view.arrays[0]), *gaussians, view.width, view.height)
        self._library.sc_fwd(self._context, _pointer(self._image), _pointer(self._transmittance))
        return self._image

    def forward_backward(self, view: View) -> list[np.ndarray]:
        """Gradients of means, quats, scales, opacities and colors."""
        self.forward(view)
        screen = np.zeros((len(view.arrays[0]), 9), np.float32)
        no_alpha = np.zeros_like(self._transmittance)
        pixels = [_pointer(a) for a in (self._image, self._transmittance, view.upstream.numpy(), no_alpha, screen)]
        self._library.sc_bwd(self._context, *pixels)
        gradients = [np.zeros_like(a) for a in view.arrays]
        means, quats, scales, *_ = view.arrays
        inputs = [_pointer(a) for a in (means, quats, scales, view.viewmat, view.K, screen)]
        self._library.sc_proj_bwd(self._context, *inputs, *(_pointer(g) for g in gradients))
        return gradients

    def lanes(self) -> float:
        """Pixels the last picture's innermost loop went through, those masked out included."""
        return self._library.sc_vecs(self._context) * CPP_LANES


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    assert array.flags.c_contiguous
    assert array.dtype == np.float32
    return array.ctypes.data_as(ctypes.c_void_p)


@dataclass(slots=True, eq=False)
class View:
    """A scene at one size, as both sides take it."""

    scene: BenchScene
    width: int
    height: int
    arrays: list[np.ndarray] = field(init=False)
    fields: list[Tensor] = field(init=False)
    viewmat: np.ndarray = field(init=False)
    K: np.ndarray = field(init=False)
    upstream: Tensor = field(init=False)

    def __post_init__(self) -> None:
        camera = self.scene.camera(self.width, self.height)
        self.viewmat, self.K = camera.viewmat().float().numpy().copy(), camera.K().float().numpy().copy()
        self.arrays = [t.numpy() for t in self.scene.gaussians]
        self.fields = [t.detach().requires_grad_() for t in self.scene.gaussians]
        self.upstream = torch.randn(1, self.height, self.width, 3, generator=torch.Generator().manual_seed(0))

    def render(self, rasterizer: Callable[..., Any] = rasterization, dtype: torch.dtype = torch.float32) -> Tensor:
        """Our picture (1, h, w, 3)."""
        camera = torch.from_numpy(self.viewmat)[None].to(dtype), torch.from_numpy(self.K)[None].to(dtype)
        return rasterizer(*(f.to(dtype) for f in self.fields), *camera, self.width, self.height)[0]

    @torch.no_grad()
    def forward(self) -> np.ndarray:
        return self.render()[0].numpy()

    def forward_backward(self) -> list[np.ndarray]:
        return [g.numpy() for g in torch.autograd.grad(self.render(), self.fields, self.upstream)]


def compare(view: View, experiment: Experiment, repeats: int, cores: int, lane_ns: dict[int, float]) -> dict[str, Any]:
    """One scene and size: both sides in turns, the ratio, and the limit."""
    jobs: dict[str, Callable[[], object]] = {
        "ours forward": view.forward, "C++ forward": partial(experiment.forward, view),
        "ours forward+backward": view.forward_backward, "C++ forward+backward": partial(experiment.forward_backward, view),
    }  # fmt: skip
    agreement = round(psnr(view.forward(), experiment.forward(view)), 2)
    limits_ms = {width: experiment.lanes() * ns / 1e6 for width, ns in lane_ns.items()}
    worst_gradient = max(_relative(a, b) for a, b in zip(view.forward_backward(), experiment.forward_backward(view), strict=True))
    timings = interleaved(jobs, repeats)
    told: dict[str, Any] = {
        "scene": view.scene.name, "gaussians": len(view.scene), "width": view.width, "height": view.height,
        "images_agree_db": agreement, "gradients_differ": worst_gradient,
        "lanes_million": round(experiment.lanes() / 1e6, 2),
        "limit_processor_ms": {width: round(ms, 2) for width, ms in limits_ms.items()},
    }  # fmt: skip
    for name, timing in timings.items():
        told[name] = {
            "wall_ms": round(timing.wall_ms, 2), "processor_ms_per_core": round(timing.processor_ms / cores, 2),
            "processor_ms_per_core_min": round(timing.processor_ms_min / cores, 2),
        }  # fmt: skip
    for passes in ("forward", "forward+backward"):
        ours, theirs = timings[f"ours {passes}"], timings[f"C++ {passes}"]
        told[f"ratio {passes}"] = {
            "wall": round(ours.wall_ms / theirs.wall_ms, 3), "processor": round(ours.processor_ms / theirs.processor_ms, 3),
        }  # fmt: skip
    told["forward over limit"] = {w: round(timings["ours forward"].processor_ms / ms, 2) for w, ms in limits_ms.items()}
    return told


def accuracy(view: View) -> dict[str, Any]:
    """Our picture against the float64 reference."""
    started = time.perf_counter()
    with torch.no_grad():
        exact = view.render(reference, torch.float64)[0].numpy()
    seconds = time.perf_counter() - started
    return {"scene": view.scene.name, "size": [view.width, view.height], "psnr_db": round(psnr(view.forward(), exact), 2),
            "reference_minutes": round(seconds / 60, 2)}  # fmt: skip


def _relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    """L2 norm of the difference over that of theirs. They clamp alpha at 0.99 and we at 0.999, so it is not zero."""
    return round(float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)), 5)


def main(argv: Sequence[str] | None = None) -> int:
    """Print, and with ``-o`` write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiment", type=Path, required=True, help="folder of splat_cpu.cpp and build.sh")
    parser.add_argument("--data", type=Path, default=shared_data(), help=f"folder of {GARDEN} (default: %(default)s)")
    parser.add_argument("--scenes", default="garden,synth100k")
    parser.add_argument("--sizes", default="640x480,1280x720")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--accuracy", default="garden,synth100k,synth500k", help="scenes compared with float64, or ''")
    parser.add_argument("--accuracy-size", default="640x480")
    parser.add_argument("-o", "--out", type=Path)
    args = parser.parse_args(argv)
    machine = describe_machine()
    os.environ.setdefault("OMP_NUM_THREADS", str(machine["cores"]))
    experiment = Experiment(args.experiment)
    scenes = {name: garden(args.data) if name == "garden" else load_scene(name)
              for name in dict.fromkeys([*args.scenes.split(","), *args.accuracy.split(",")]) if name}  # fmt: skip
    lane_ns = {width: round(ns_per_lane(lanes=width), 4) for width in sorted({CPP_LANES, max(machine["vector_lanes"], 4)})}
    inner = ", ".join(f"{ns:.3f} ns at {width} lanes" for width, ns in lane_ns.items())
    print(f"{headline(machine)}\ninner loop per pixel and splat in cache: {inner}\n")
    print(f"{'processor ms / core':34}{'forward':^26}{'forward + backward':^26}{'forward / limit':^18}")
    widths = "".join(f"{f'{width} lanes':>9}" for width in lane_ns)
    print(" " * 34 + f"{'ours':>8}{'C++':>9}{'ratio':>9}" * 2 + widths, flush=True)
    told: dict[str, Any] = {"machine": machine, "ns_per_lane": lane_ns, "cells": [], "accuracy": [], "complete": False}
    try:
        for size in args.sizes.split(","):
            for name in args.scenes.split(","):
                cell = compare(View(scenes[name], *_size(size)), experiment, args.repeats, machine["cores"], lane_ns)
                told["cells"].append(cell)
                print(_line(cell), flush=True)
        for name in filter(None, args.accuracy.split(",")):
            told["accuracy"].append(accuracy(View(scenes[name], *_size(args.accuracy_size))))
            print("accuracy: {scene} {psnr_db:.1f} dB against float64 ({reference_minutes} min)".format(**told["accuracy"][-1]))
        told["complete"] = True
    except KeyboardInterrupt:
        if not told["cells"]:
            raise
    if args.out:
        print(write_json(args.out, told))
    return 0 if told["complete"] else 130


def _line(cell: dict[str, Any]) -> str:
    line = f"{cell['scene']:>16} {cell['width']:>5}x{cell['height']:<5}      "
    for passes in ("forward", "forward+backward"):
        ours, theirs = (cell[f"{side} {passes}"]["processor_ms_per_core"] for side in ("ours", "C++"))
        line += f"{ours:8.1f} {theirs:8.1f} {cell[f'ratio {passes}']['processor']:8.2f} "
    return line + "".join(f"{ratio:9.2f}" for ratio in cell["forward over limit"].values())


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


if __name__ == "__main__":
    sys.exit(main())
