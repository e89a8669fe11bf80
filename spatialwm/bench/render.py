"""Backends x scenes x sizes, forward and with gradients, every backend in turns on the same picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from spatialwm.bench.scenes import BenchScene
from spatialwm.bench.timing import Timing, turns
from spatialwm.errors import SpatialwmError
from spatialwm.progress import Progress, silent
from spatialwm.render.images import to_bytes
from spatialwm.render.photometric import psnr
from spatialwm.render.renderer import BACKENDS, Rasterizer, available, choose
from spatialwm.report import describe_machine

SCHEMA = "spatialwm.bench.render/1"

_NOTHING = np.zeros(0, np.uint8)

Passes = Literal["forward", "forward+backward"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One backend, scene, size and kind of pass."""

    scene: str
    gaussians: int
    width: int
    height: int
    backend: str
    passes: Passes
    runs: int = 0
    wall_ms: float | None = None
    """Median, as are the processor times; None where it could not run, see ``note``."""
    processor_ms: float | None = None
    """Over all cores together: divide by their number for what they take when nothing else runs."""
    processor_ms_min: float | None = None
    psnr_db: float | None = None
    """Of the picture, against the backend that was asked to judge."""
    note: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What was measured, and on what."""

    machine: dict[str, Any]
    cells: tuple[Cell, ...]
    pictures: dict[str, UInt8[np.ndarray, "h w 3"]]
    """Per scene, what was rendered at the largest size; not part of the JSON."""
    judge: str | None
    complete: bool
    """False when interrupted: the cells are those measured by then."""

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        cells = [asdict(cell) for cell in self.cells]
        return {"schema": SCHEMA, "machine": self.machine, "psnr_against": self.judge, "complete": self.complete, "cells": cells}


def default_backends() -> list[str]:
    """Those that can run here, without the oracle, which is slow on purpose."""
    return [name for name in available() if name != "reference"]


def measure(
    scenes: Sequence[BenchScene],
    sizes: Sequence[tuple[int, int]],
    backends: Sequence[str],
    *,
    backward: bool = False,
    repeats: int = 9,
    judge: str | None = None,
    progress: Progress = silent,
) -> Report:
    """Time every backend on every scene at every size (width, height).

    Ctrl-C ends the measuring early; what was measured by then is returned. Interrupted before the first run it passes on.

    Args:
        backward: also time forward and backward together, with gradients to everything that describes a Gaussian.
        judge: a backend whose picture the others' are compared with; ``reference`` renders it in float64.

    Raises:
        SpatialwmError: a backend is unknown or cannot run here.
    """
    rasterizers = {name: choose(name)[1] for name in backends}
    judging = choose(judge)[1] if judge else None
    cells: list[Cell] = []
    pictures: dict[str, np.ndarray] = {}
    groups = [(scene, width, height) for scene in scenes for width, height in sizes]
    complete = False
    try:
        for done, (scene, width, height) in enumerate(groups):
            group = _Group(scene, width, height, rasterizers, backward)
            stage = f"{scene.name} {width}x{height}"

            def tell(share: float, stage: str = stage, done: int = done) -> None:
                progress(stage, (done + share) / len(groups))

            tell(0.0)
            try:
                group.run(judge, judging, repeats, tell)
            finally:
                cells += group.cells()
                if group.picture is not None and group.picture.size > pictures.get(scene.name, _NOTHING).size:
                    pictures[scene.name] = group.picture
        complete = True
    except KeyboardInterrupt:
        if not cells:
            raise
    progress("done", 1.0)
    return Report(describe_machine(), tuple(cells), pictures, judge, complete)


class _Group:
    """All cells of one scene and size."""

    def __init__(self, scene: BenchScene, width: int, height: int, rasterizers: dict[str, Rasterizer], backward: bool) -> None:
        self._rasterizers, self._scene, self._camera = rasterizers, scene, scene.camera(width, height)
        self._passes: list[Passes] = ["forward", "forward+backward"] if backward else ["forward"]
        self._timings: dict[str, Timing] = {}
        self._blank: dict[str, Cell] = {}
        self.picture: np.ndarray | None = None

    def run(self, judge: str | None, judging: Rasterizer | None, repeats: int, tell: Callable[[float], None]) -> None:
        """Warm every cell up, compare the pictures, then take turns."""
        exact = torch.float64 if judge == "reference" else torch.float32
        judged = self._image(judge, judging, exact) if judge and judging else None
        jobs: dict[str, Callable[[], object]] = {}
        for name, rasterizer in self._rasterizers.items():
            for passes in self._passes:
                key = f"{name} {passes}"
                blank = Cell(self._scene.name, len(self._scene), self._camera.width, self._camera.height, name, passes)
                try:
                    job = self._job(name, rasterizer, passes)
                    job()
                    if passes == "forward":
                        image = self._image(name, rasterizer)
                        self.picture = to_bytes(image[0, ..., :3]) if self.picture is None else self.picture
                        blank = replace(blank, psnr_db=None if judged is None else round(psnr(image, judged), 2))
                    jobs[key], self._timings[key] = job, Timing()
                except (SpatialwmError, MemoryError, torch.OutOfMemoryError) as e:
                    blank = replace(blank, note=" ".join(str(e).split()) or type(e).__name__)
                self._blank[key] = blank
        for share in turns(jobs, self._timings, repeats):
            tell(share)

    def cells(self) -> list[Cell]:
        """What is known: cells that ran at least once, and those that cannot run, with the reason."""
        cells = []
        for key, cell in self._blank.items():
            timing = self._timings.get(key)
            if timing and timing.wall:
                cells.append(
                    replace(
                        cell, runs=len(timing.wall), wall_ms=round(timing.wall_ms, 3), processor_ms=round(timing.processor_ms, 3),
                        processor_ms_min=round(timing.processor_ms_min, 3),
                    )
                )  # fmt: skip
            elif cell.note:
                cells.append(cell)
        return cells

    def _arguments(self, backend: str, dtype: torch.dtype = torch.float32) -> list[Tensor]:
        # Cameras stay in main memory, where backends on a GPU look at them.
        fields = [t.detach().to(BACKENDS[backend].device, dtype) for t in self._scene.gaussians]
        return [*fields, *(t[None].to(dtype) for t in (self._camera.viewmat(), self._camera.K()))]

    def _render(self, rasterizer: Rasterizer, arguments: list[Tensor]) -> Tensor:
        means, quats, scales, opacities, colors, viewmats, Ks = arguments
        size = self._camera.width, self._camera.height
        degree = self._scene.sh_degree
        return rasterizer(means, quats, scales, opacities, colors, viewmats, Ks, *size, sh_degree=degree)[0]

    @torch.no_grad()
    def _image(self, backend: str, rasterizer: Rasterizer, dtype: torch.dtype = torch.float32) -> np.ndarray:
        return self._render(rasterizer, self._arguments(backend, dtype)).cpu().numpy()

    def _job(self, backend: str, rasterizer: Rasterizer, passes: Passes) -> Callable[[], object]:
        arguments = self._arguments(backend)
        if passes == "forward":

            @torch.no_grad()
            def forward() -> None:
                self._render(rasterizer, arguments)
                _finish(arguments[0])

            return forward
        inputs = [field.requires_grad_() for field in arguments[:5]]
        shape = (1, self._camera.height, self._camera.width, 3)
        upstream = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(arguments[0].device)

        def forward_backward() -> None:
            torch.autograd.grad(self._render(rasterizer, arguments), inputs, upstream)
            _finish(arguments[0])

        return forward_backward


def _finish(on: Tensor) -> None:
    """Wait for what a GPU was only told to do."""
    if on.is_cuda:
        torch.cuda.synchronize(on.device)
