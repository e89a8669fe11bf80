"""What a training step costs, stage by stage: ``python benchmarks/training_step.py -o benchmarks/results/training_step.json``.

100,000 Gaussians against pictures of 500x375 px from 12 sides: activations and rendering, L1 + SSIM with its gradient, the
gradient of the Gaussians, Adam. The variants take turns and each trains a model of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

# Before torch loads: its idle threads would otherwise spin on through the next stage.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from torch import Tensor

from spatialwm.bench import describe_machine, load_scene
from spatialwm.bench.timing import Timing
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.sh import num_bases, rgb_to_dc
from spatialwm.render.cpu import rasterization
from spatialwm.render.photometric import photometric_loss
from spatialwm.render.photometric import reference as torch_loss
from spatialwm.report import INK, headline, new_figure, plain_axes, write_figure, write_json

VIEWS = 12
STAGES = ("render", "loss", "gradient", "optimizer")
COLORS = ("#3366cc", "#d9822b", "#173a86", "#5b8c2a")
LEARNING_RATES = {"means": 1.6e-4, "quats": 1e-3, "log_scales": 5e-3, "logit_opacities": 5e-2, "dc": 2.5e-3, "rest": 1.25e-4}

Loss = Callable[[Tensor, Tensor], Tensor]


def cameras(width: int, height: int) -> list[Camera]:
    """Across the room, from a quarter circle around its corner."""
    angles = np.linspace(np.pi * 1.05, np.pi * 1.45, VIEWS)
    eyes = [(4.8 * np.cos(a), 4.8 * np.sin(a), 1.6) for a in angles]
    return [Camera.look_at(eye, (0.0, 0.0, 0.0), width, height, fov_x_deg=58.0) for eye in eyes]


class Training:
    """A model that is being trained towards pictures of a scene, from blurred colours and sizes."""

    def __init__(
        self, fields: Sequence[Tensor], views: list[Camera], targets: list[Tensor], sh_degree: int, loss: Loss, **options: int
    ) -> None:
        means, quats, scales, opacities, colors = fields
        rest = torch.zeros(len(means), num_bases(sh_degree) - 1, 3)
        start = {
            "means": means, "quats": quats, "log_scales": torch.log(scales) + 0.2,
            "logit_opacities": torch.logit(opacities) - 0.5,
            "dc": rgb_to_dc(0.5 * colors + 0.25)[:, None], "rest": rest,
        }  # fmt: skip
        self.parameters = {name: value.detach().clone().requires_grad_() for name, value in start.items()}
        groups = [{"params": [p], "lr": LEARNING_RATES[name]} for name, p in self.parameters.items() if p.numel()]
        self.optimizer = torch.optim.Adam(groups, eps=1e-15, fused=True)
        self.views, self.targets, self.sh_degree, self.loss, self.options = views, targets, sh_degree, loss, options
        self.step_number = 0
        self.losses: list[float] = []
        self.timings = {stage: Timing() for stage in (*STAGES, "step")}

    def step(self) -> None:
        """One step on the next view, every stage timed."""
        view = self.step_number % len(self.views)
        self.step_number += 1
        state: dict[str, Tensor] = {}

        def render() -> None:
            state["image"] = self._render(self.views[view])

        def loss() -> None:
            image = state["image"].detach().requires_grad_()
            value = self.loss(image, self.targets[view])
            (state["v_image"],) = torch.autograd.grad(value, image)
            self.losses.append(float(value.detach()))

        def gradient() -> None:
            state["image"].backward(state["v_image"])

        def optimizer() -> None:
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)

        for stage, job in zip(STAGES, (render, loss, gradient, optimizer), strict=True):
            self.timings[stage].add(job)
        step = self.timings["step"]
        step.wall.append(sum(self.timings[s].wall[-1] for s in STAGES))
        step.processor.append(sum(self.timings[s].processor[-1] for s in STAGES))

    def _render(self, camera: Camera) -> Tensor:
        p = self.parameters
        coefficients = torch.cat([p["dc"], p["rest"]], dim=1) if self.sh_degree else p["dc"]
        return rasterization(
            p["means"], p["quats"], torch.exp(p["log_scales"]), torch.sigmoid(p["logit_opacities"]), coefficients,
            camera.viewmat()[None], camera.K()[None], camera.width, camera.height, sh_degree=self.sh_degree, **self.options,
        )[0]  # fmt: skip


def variants(scene_name: str, width: int, height: int, plain: bool) -> dict[str, Training]:
    """SH of degree 0 and 3, and degree 0 without our loss kernel and without vectors."""
    fields = load_scene(scene_name).gaussians
    views = cameras(width, height)
    with torch.no_grad():
        targets = [rasterization(*fields, c.viewmat()[None], c.K()[None], width, height)[0] for c in views]
    start = partial(Training, fields, views, targets)
    made = {
        "SH degree 0": start(0, photometric_loss),
        "SH degree 3": start(3, photometric_loss),
        "degree 0, SSIM by torch": start(0, lambda image, target: torch_loss(image, target, 0.8, 0.2, 0)),
    }
    if plain:
        made["degree 0, plain loops"] = start(0, photometric_loss, lanes=1)
    return made


def measure(trainings: dict[str, Training], steps: int, warm_up: int, cores: int) -> dict[str, dict[str, Any]]:
    """Steps in turns; Ctrl-C keeps what was measured."""
    for _ in range(warm_up):
        for training in trainings.values():
            training.step()
    for training in trainings.values():
        training.timings = {stage: Timing() for stage in training.timings}
    try:
        for _ in range(steps):
            for training in trainings.values():
                training.step()
    except KeyboardInterrupt:
        if not all(t.timings["step"].wall for t in trainings.values()):
            raise
    told: dict[str, dict[str, Any]] = {}
    for name, training in trainings.items():
        step = training.timings["step"]
        told[name] = {
            "steps": len(step.wall),
            "it_per_s": round(1e3 / step.wall_ms, 2),
            "it_per_s_on_free_cores": round(1e3 * cores / step.processor_ms, 2),
            "wall_ms": {stage: round(t.wall_ms, 2) for stage, t in training.timings.items()},
            "processor_ms": {stage: round(t.processor_ms, 2) for stage, t in training.timings.items()},
            "loss": [round(training.losses[i], 4) for i in (0, -1)],
        }
    return told


def draw(told: dict[str, Any], path: Path) -> Path:
    """Each variant's step as a bar of stages."""
    variants = told["variants"]
    figure = new_figure(9.5, 1.3 + 0.55 * len(variants))
    axes = figure.subplots()
    plain_axes(axes)
    for y, row in enumerate(variants.values()):
        left = 0.0
        for stage, color in zip(STAGES, COLORS, strict=True):
            axes.barh([-y], [row["wall_ms"][stage]], left=left, height=0.62, color=color, label=stage if y == 0 else None)
            left += row["wall_ms"][stage]
        text = f"{row['wall_ms']['step']:.0f} ms, {row['it_per_s']:.1f} it/s"
        axes.annotate(text, (left, -y), (5, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK)
    axes.set_yticks([-y for y in range(len(variants))])
    axes.set_yticklabels(list(variants), color=INK)
    axes.set_xlim(0, 1.25 * max(sum(row["wall_ms"][s] for s in STAGES) for row in variants.values()))
    figure.legend(loc="outside upper right", ncols=len(STAGES), frameon=False, fontsize=8.5)
    size = "x".join(map(str, told["size"]))
    return write_figure(figure, path, f"A training step, ms: {told['scene']} at {size}", told["machine"])


def main(argv: Sequence[str] | None = None) -> int:
    """Print, and with ``-o`` write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", default="synth100k", help="synthetic: synth100k, synth1M, ...")
    parser.add_argument("--size", default="500x375")
    parser.add_argument("--steps", type=int, default=36)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--no-plain", action="store_true", help="leave out the plain loops, which are slow")
    parser.add_argument("-o", "--out", type=Path, help="x.json; the picture is x.png")
    args = parser.parse_args(argv)
    width, height = map(int, args.size.split("x"))
    machine = describe_machine()
    print(f"{headline(machine)}\n{args.scene}, {width}x{height}", flush=True)
    told = measure(variants(args.scene, width, height, not args.no_plain), args.steps, args.warm_up, machine["cores"])
    print(f"{'wall ms':26}" + "".join(f"{stage:>10}" for stage in (*STAGES, "step")) + "      it/s   it/s on free cores")
    for name, row in told.items():
        figures = "".join(f"{row['wall_ms'][stage]:10.1f}" for stage in (*STAGES, "step"))
        print(f"{name:26}{figures} {row['it_per_s']:9.1f} {row['it_per_s_on_free_cores']:9.1f}")
    if args.out:
        result = {"machine": machine, "scene": args.scene, "size": [width, height], "views": VIEWS, "variants": told}
        print(write_json(args.out, result), draw(result, args.out.with_suffix(".png")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
