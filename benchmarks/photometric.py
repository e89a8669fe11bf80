"""What L1 + SSIM with its gradient costs, and Adam: ``python benchmarks/photometric.py -o benchmarks/results/photometric.json``.

Against torch: SSIM by separable and, as many trainers have it, by dense 11 x 11 convolution; Adam as torch.optim has it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

# Before torch loads: its idle threads would otherwise spin on through the next job's processor time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from torch import Tensor

from spatialwm.bench import describe_machine, interleaved
from spatialwm.render.adam import Adam
from spatialwm.render.cpu.ssim import C1, C2, RADIUS, WINDOW
from spatialwm.render.photometric import photometric_loss
from spatialwm.render.photometric import reference as separable
from spatialwm.report import headline, write_json

GAUSSIANS, VALUES_EACH = 100_000, (3, 4, 3, 1, 3, 45)


def dense(image: Tensor, target: Tensor) -> Tensor:
    """The loss by 11 x 11 convolutions, channels first."""
    x, y = image[0].permute(2, 0, 1)[None], target[0].permute(2, 0, 1)[None]
    window = torch.from_numpy(WINDOW).to(x)
    kernel = (window[:, None] * window).expand(5 * x.shape[1], 1, -1, -1)
    maps = torch.cat([x, y, x * x, y * y, x * y], dim=1)
    a, b, aa, bb, ab = torch.nn.functional.conv2d(maps, kernel, padding=RADIUS, groups=kernel.shape[0]).chunk(5, dim=1)
    similarity = ((2 * a * b + C1) * (2 * (ab - a * b) + C2)) / ((a * a + b * b + C1) * (aa - a * a + bb - b * b + C2))
    return 0.8 * (x - y).abs().mean() + 0.2 * (1 - similarity.mean())


def losses(width: int, height: int) -> dict[str, Callable[[], object]]:
    """Each a value with its gradient, the last without."""
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(1, height, width, 3, generator=generator)
    image = (target + 0.1 * torch.randn(target.shape, generator=generator)).clamp(0, 1).requires_grad_()

    def gradient(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
        torch.autograd.grad(loss(image, target), image)

    return {
        "ours": partial(gradient, photometric_loss),
        "torch, separable": partial(gradient, lambda x, y: separable(x, y, 0.8, 0.2, 0)),
        "torch, dense": partial(gradient, dense),
        "ours, value only": partial(photometric_loss, image.detach(), target),
    }


def optimizers() -> dict[str, Callable[[], object]]:
    """A step on 100,000 Gaussians with SH of degree 3."""

    def parameters() -> list[Tensor]:
        made = [torch.randn(GAUSSIANS, size).requires_grad_() for size in VALUES_EACH]
        for p in made:
            p.grad = torch.randn(p.shape)
        return made

    scattered, neighbours = torch.rand(GAUSSIANS) < 0.1, torch.arange(GAUSSIANS) < 0.1 * GAUSSIANS
    return {
        "Adam, ours": Adam(parameters()).step,
        "Adam, ours, a tenth, scattered": partial(Adam(parameters()).step, visible=scattered),
        "Adam, ours, a tenth, together": partial(Adam(parameters()).step, visible=neighbours),
        "Adam, torch": torch.optim.Adam(parameters()).step,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print, and with ``-o`` write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("-o", "--out", type=Path)
    args = parser.parse_args(argv)
    width, height = map(int, args.size.split("x"))
    machine = describe_machine()
    print(headline(machine))
    print(f"{width}x{height}x3{'':22s} wall ms   cpu ms   quietest")
    told = {}
    for label, timing in interleaved(losses(width, height) | optimizers(), args.repeats).items():
        told[label] = {
            "wall_ms": round(timing.wall_ms, 2),
            "processor_ms": round(timing.processor_ms, 2),
            "processor_ms_min": round(timing.processor_ms_min, 2),
        }
        print(f"  {label:30s} {timing.wall_ms:8.1f} {timing.processor_ms:8.1f} {timing.processor_ms_min:8.1f}")
    if args.out:
        print(write_json(args.out, {"machine": machine, "size": [width, height], "jobs": told}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
