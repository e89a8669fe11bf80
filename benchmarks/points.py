"""Time farthest points, nearest neighbours and relocation: ``python benchmarks/points.py [--points 100000] [--device cuda]``.

Each line gives the median wall time and the least processor time of runs that take turns.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import scipy.spatial
import torch

from spatialwm.bench.timing import interleaved
from spatialwm.render import farthest_points, nearest_neighbors, relocated
from spatialwm.report import describe_machine, headline


def main() -> None:
    """Our functions, and beside them the plain way of doing the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=1024)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    n, samples = options.points, options.samples
    generator = torch.Generator().manual_seed(0)
    on_cpu = torch.randn(n, 3, generator=generator)
    points = on_cpu.to(options.device)
    scales, opacities = points.abs(), torch.rand(n, generator=generator).to(options.device)
    counts = torch.randint(1, 8, (n,), generator=generator).to(options.device)
    kernels: dict[str, Callable[[], object]] = {
        f"{samples} farthest points": lambda: farthest_points(points, samples),
        f"{samples} farthest points of 8 clouds": lambda: farthest_points(points[: n // 8 * 8].reshape(8, -1, 3), samples),
        "3 nearest neighbours": lambda: nearest_neighbors(points, 3),
        "16 nearest neighbours": lambda: nearest_neighbors(points, 16),
        "relocation": lambda: relocated(opacities, scales, counts),
    }
    plain: dict[str, Callable[[], object]] = {
        f"{samples} farthest points, numpy": lambda: _farthest_in_numpy(on_cpu.numpy(), samples),
        "3 nearest neighbours, scipy on one thread": lambda: scipy.spatial.cKDTree(on_cpu.numpy()).query(on_cpu.numpy(), k=4),
    }
    print(f"{n} points on {options.device}; {headline(describe_machine())}")
    finished = {name: _finished(job, options.device) for name, job in kernels.items()} | plain
    for name, timing in interleaved(finished, options.repeats).items():
        print(f"  {name:44s} {timing.wall_ms:9.1f} ms wall {timing.processor_ms_min:9.1f} ms processor")


def _finished(job: Callable[[], object], device: str) -> Callable[[], object]:
    def run() -> None:
        job()
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def _farthest_in_numpy(points: np.ndarray, count: int) -> list[int]:
    left, chosen = np.full(len(points), np.inf, np.float32), [0]
    while len(chosen) < count:
        away = points - points[chosen[-1]]
        np.minimum(left, np.einsum("ij,ij->i", away, away), out=left)
        chosen.append(int(left.argmax()))
    return chosen


if __name__ == "__main__":
    main()
