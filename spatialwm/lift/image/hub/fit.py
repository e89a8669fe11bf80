"""Making a network fit the machine: where it runs, in which precision, whole or in tiles; and what to do when memory runs out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import torch

from spatialwm.errors import LiftError
from spatialwm.lift.image.hub.models import WORKSPACE_BYTES, HubModel

Device = Literal["cuda", "mps", "cpu"]
Made = TypeVar("Made")

_MARGIN = 1.1
"""Allocators round up, and free memory is seldom in one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One way to run a network."""

    device: Device
    half: bool = False
    """float16 instead of float32. Not bfloat16: its eight bits put steps of 0.4 % into a depth map."""
    tiles: int = 1
    """Along each side."""
    shrink: float = 1.0
    """Of the resolution at which it is processed."""
    offload: bool = False
    """Weights wait in main memory and visit the device layer by layer."""

    def __str__(self) -> str:
        words = [f"on {self.device}"]
        if self.half:
            words.append("in float16")
        if self.tiles > 1:
            words.append(f"in {self.tiles} x {self.tiles} tiles")
        if self.shrink < 1:
            words.append(f"at {self.shrink:.0%} of its resolution")
        if self.offload:
            words.append("with its weights in main memory")
        return ", ".join(words)

    def memory_bytes(self, model: HubModel) -> int:
        """What it needs on its device."""
        pixels = model.size[0] * model.size[1] * self.shrink**2
        if self.tiles > 1:
            pixels /= (self.tiles - 0.25 * (self.tiles - 1)) ** 2
        worked_on = pixels * model.bytes_per_px * (0.5 if self.half else 1.0)
        return round((self.weights_bytes(model) + worked_on) * _MARGIN) + WORKSPACE_BYTES

    def weights_bytes(self, model: HubModel) -> int:
        """What its weights take on the device at any time."""
        # Offloaded, one layer at a time is there: less than a tenth.
        return round(model.parameters_m * 1e6 * (2 if self.half else 4) / (10 if self.offload else 1))


def ladder(model: HubModel, devices: Sequence[Device]) -> tuple[Plan, ...]:
    """All ways to run a model on these devices, best first; every step needs less than the one before it on its device.

    On each device: as it is, in half precision (not on the CPU), in tiles, at lower resolution, with its weights offloaded (not
    on the CPU); then the next device.
    """
    tileable, scalable = model.architecture == "depth-anything", model.architecture in ("depth-anything", "zoedepth")
    # The others are entered by other doors than forward(), past what carries their weights.
    offloadable = model.architecture in ("depth-anything", "depth-pro", "zoedepth", "grounding-dino")
    plans: list[Plan] = []
    for device in devices:
        plan = Plan(device=device)
        plans.append(plan)
        if device != "cpu":
            plan = replace(plan, half=True)
            plans.append(plan)
        if tileable:
            plan = replace(plan, tiles=2)
            plans.append(plan)
        if scalable:
            for shrink in (0.7, 0.5):
                plan = replace(plan, shrink=shrink)
                plans.append(plan)
        if device != "cpu" and offloadable:
            plans.append(replace(plan, offload=True))
    return tuple(plans)


def devices_here() -> tuple[Device, ...]:
    """Those that torch can use, fastest first."""
    found: list[Device] = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return (*found, "cpu")


def free_bytes(device: Device) -> int | None:
    """Memory that can be had on a device now; None: unknown."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[0]
    if device == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            found = dict(line.split(":", 1) for line in lines)
        return int(found["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:  # macOS: half of what is there can be had in practice
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return None


def climb(
    model: HubModel,
    plans: Sequence[Plan],
    run: Callable[[Plan], Made],
    free: Callable[[Device], int | None] = free_bytes,
) -> tuple[Made, Plan, tuple[str, ...]]:
    """Run the first plan that fits, by its estimate and in fact.

    Returns:
        What it made, the plan, and a sentence for each step that was not taken or failed.

    Raises:
        LiftError: none of them fits.
    """
    notes: list[str] = []
    for plan in plans:
        needed, there = plan.memory_bytes(model), free(plan.device)
        if there is not None and needed > there:
            notes.append(f"{model.name} {plan} needs {_gb(needed)}, and {_gb(there)} are free")
            continue
        try:
            return run(plan), plan, tuple(notes)
        except (MemoryError, RuntimeError) as e:
            if not out_of_memory(e):
                raise
            notes.append(f"{model.name} {plan} ran out of memory")
        # Outside of the handler: while the exception lives, so do the tensors of its frames.
        if plan.device == "cuda":
            torch.cuda.empty_cache()
    said = "; ".join(notes[-2:])
    raise LiftError(f"there is not enough memory for {model.name}: {said}; choose a smaller model, or the embedded depth")


def out_of_memory(error: BaseException) -> bool:
    """Whether this is what torch raises when memory runs out, on any device."""
    said = str(error).lower()
    known = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "alloc_failed")
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(words in said for words in known)


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
