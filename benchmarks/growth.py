"""Time and memory of the cpu backend against Gaussians and pixels: ``python benchmarks/growth.py -o growth.json``.

Every cell runs in a process of its own, whose peak of resident memory is therefore the cell's. Memory per Gaussian and per pixel
come from a least-squares fit of ``constant + a * Gaussians + b * pixels`` over all cells.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spatialwm.bench import describe_machine, load_scene
from spatialwm.bench.synthetic import synthetic_camera, synthetic_scene
from spatialwm.bench.timing import Timing
from spatialwm.render.cpu import rasterization
from spatialwm.report import INK, RULE, headline, new_figure, plain_axes, write_figure, write_json

SIZES = "854x480,1280x720,1920x1080,3840x2160"
SCENES = "synth10k,synth100k,synth1M,synth5M"
PASSES = ("forward", "forward_backward")
SHADES = ("#a9c1ee", "#6d93dd", "#3366cc", "#173a86")
LIMIT_GB = 8
"""What a newcomer's machine has."""


def peak_bytes() -> int:
    """Most memory this process held so far."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux's ru_maxrss also counts the process that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def render(fields: list[torch.Tensor], width: int, height: int) -> torch.Tensor:
    """The synthetic camera's picture."""
    camera = synthetic_camera(width, height)
    return rasterization(*fields, camera.viewmat()[None], camera.K()[None], width, height)[0]


def load_kernels() -> None:
    """From the cache on disk, or at first compile them, which itself takes memory."""
    fields = [t.requires_grad_() for t in synthetic_scene(100, 32, 32)[:5]]
    render(fields, 32, 32).sum().backward()


def measure_cell(scene: Path, width: int, height: int, repeats: int) -> dict[str, Any]:
    """Run in a process that has done nothing else: times and peak memory above what the libraries and kernels take."""
    load_kernels()
    before = peak_bytes()
    fields = [torch.from_numpy(np.load(scene / f"{i}.npy")) for i in range(5)]
    told: dict[str, Any] = {"gaussians": len(fields[0]), "width": width, "height": height}
    upstream = torch.ones(1, height, width, 3)

    def forward() -> None:
        with torch.no_grad():
            render(fields, width, height)

    def forward_backward() -> None:
        torch.autograd.grad(render(fields, width, height), fields, upstream)

    for name, job in zip(PASSES, (forward, forward_backward), strict=True):
        job()
        timing = Timing()
        for _ in range(repeats):
            timing.add(job)
        peak = peak_bytes()
        told[name] = {
            "wall_ms": round(timing.wall_ms, 2), "processor_ms": round(timing.processor_ms, 2),
            "memory_mb": round((peak - before) / 2**20, 1), "process_mb": round(peak / 2**20, 1),
        }  # fmt: skip
        for field in fields:
            field.requires_grad_()
    return told


def fit(cells: list[dict[str, Any]], passes: str) -> dict[str, float]:
    """Bytes per Gaussian and per pixel, and the worst error of the fit."""
    n = np.array([c["gaussians"] for c in cells], np.float64)
    pixels = np.array([c["width"] * c["height"] for c in cells], np.float64)
    used = np.array([c[passes]["memory_mb"] for c in cells]) * 2**20
    columns = np.column_stack([n, pixels, np.ones_like(n)])
    solution = np.linalg.lstsq(columns, used, rcond=None)[0]
    worst = np.abs(columns @ solution - used).max()
    return {
        "bytes_per_gaussian": round(float(solution[0]), 1), "bytes_per_pixel": round(float(solution[1]), 1),
        "constant_mb": round(float(solution[2]) / 2**20, 1), "worst_error_mb": round(float(worst) / 2**20, 1),
    }  # fmt: skip


def measure(scenes: Sequence[str], sizes: Sequence[tuple[int, int]], repeats: int) -> tuple[list[dict[str, Any]], bool]:
    """All cells, and whether none is missing: Ctrl-C keeps what was measured."""
    load_kernels()  # so that no cell compiles
    cells: list[dict[str, Any]] = []
    try:
        for name in scenes:
            with tempfile.TemporaryDirectory() as folder:
                for i, field in enumerate(load_scene(name).gaussians):
                    np.save(Path(folder) / f"{i}.npy", field.numpy())
                for width, height in sizes:
                    words = [sys.executable, __file__, "--cell", folder, f"{width}x{height}", "--repeats", str(repeats)]
                    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
                    cells.append(json.loads(done.stdout))
                    print(_line(cells[-1]), flush=True)
    except KeyboardInterrupt:
        if not cells:
            raise
        return cells, False
    return cells, True


def _line(cell: dict[str, Any]) -> str:
    figures = "   ".join(f"{cell[p]['wall_ms']:9,.1f} ms {cell[p]['memory_mb']:8,.1f} MB" for p in PASSES)
    return f"{cell['gaussians']:>11,} {cell['width']:>5}x{cell['height']:<5} {figures}"


def draw(told: dict[str, Any], path: Path) -> Path:
    """Time and memory against the number of Gaussians, a line per image size."""
    figure = new_figure(10.5, 4.6)
    time_axes, memory_axes = figure.subplots(1, 2)
    sizes = list(dict.fromkeys((c["width"], c["height"]) for c in told["cells"]))
    for i, size in enumerate(sizes):
        cells = [c for c in told["cells"] if (c["width"], c["height"]) == size]
        n = [c["gaussians"] for c in cells]
        color = SHADES[i % len(SHADES)]
        for passes, style in zip(PASSES, ("--", "-"), strict=True):
            label = f"{size[0]}x{size[1]}" if passes == PASSES[1] else None
            time_axes.plot(n, [c[passes]["wall_ms"] for c in cells], style, marker="o", markersize=4, color=color, label=label)
            memory_axes.plot(n, [c[passes]["process_mb"] / 1024 for c in cells], style, marker="o", markersize=4, color=color)
    memory_axes.axhline(LIMIT_GB, color="#c2476b", linewidth=1)
    beside_the_line = memory_axes.get_yaxis_transform()
    memory_axes.text(0.01, LIMIT_GB * 0.97, f"{LIMIT_GB} GB", va="top", fontsize=8.5, color=INK, transform=beside_the_line)
    fitted = told["memory"]["forward_backward"]
    forward = told["memory"]["forward"]
    memory_axes.set_title(
        f"peak memory of the process, GB: {fitted['bytes_per_gaussian']:.0f} B per Gaussian, {fitted['bytes_per_pixel']:.0f} B "
        f"per pixel\n(forward alone {forward['bytes_per_gaussian']:.0f} and {forward['bytes_per_pixel']:.0f})",
        loc="left", fontsize=9.5, color=INK,
    )  # fmt: skip
    time_axes.set_title("wall time, ms: forward + backward\n(dashed: forward alone)", loc="left", fontsize=9.5, color=INK)
    for axes in (time_axes, memory_axes):
        plain_axes(axes)
        axes.grid(axis="y", color=RULE, linewidth=0.8)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.tick_params(which="minor", length=0, labelleft=False, labelbottom=False)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.set_xticks(sorted({c["gaussians"] for c in told["cells"]}))
        axes.set_xlabel("Gaussians", fontsize=8.5, color=INK)
    memory_axes.set_yticks([LIMIT_GB / 2**i for i in range(6)])
    memory_axes.set_ylim(bottom=0.8 * min(c["forward"]["process_mb"] for c in told["cells"]) / 1024)
    time_axes.legend(frameon=False, fontsize=8.5)
    return write_figure(figure, path, "How rendering on the processor grows", told["machine"])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and with ``-o`` write JSON and a picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", default=SCENES)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, help="x.json; the picture is x.png")
    parser.add_argument("--cell", nargs=2, metavar=("FOLDER", "SIZE"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.cell:
        print(json.dumps(measure_cell(Path(args.cell[0]), *_size(args.cell[1]), args.repeats)))
        return 0
    machine = describe_machine()
    print(f"{headline(machine)}\n{'Gaussians':>11} {'size':^11} {'forward':^26} {'forward + backward':^26}", flush=True)
    cells, complete = measure(args.scenes.split(","), [_size(s) for s in args.sizes.split(",")], args.repeats)
    told = {"machine": machine, "complete": complete, "cells": cells, "memory": {p: fit(cells, p) for p in PASSES}}
    for passes, fitted in told["memory"].items():
        print(f"{passes}: " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fitted.items()))
    if args.out:
        print(write_json(args.out, told), draw(told, args.out.with_suffix(".png")))
    return 0 if complete else 130


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


if __name__ == "__main__":
    sys.exit(main())
