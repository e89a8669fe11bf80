"""A training on disk, so that it goes on where it was interrupted: parameters, what Adam remembers, random numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from spatialwm.atomic import replacing
from spatialwm.errors import LiftError

MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Whole or not at all: a process killed while writing leaves the last checkpoint."""
    with replacing(path, LiftError) as temporary:
        copies = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        save_file(copies, temporary, metadata={"facts": json.dumps(dict(facts))})


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What :func:`write_checkpoint` wrote.

    Raises:
        LiftError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            facts = json.loads((file.metadata() or {})["facts"])
    except (OSError, SafetensorError, KeyError, ValueError) as e:
        raise LiftError(f"{path} is not a checkpoint of a training ({e}); delete it to start anew") from e
    return tensors, facts


def optimizer_tensors(optimizer: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    """Adam's memory of the single parameter of each group, by group."""
    found: dict[str, Tensor] = {}
    for i, group in enumerate(optimizer.param_groups):
        for name in MOMENTS:
            state = optimizer.state.get(group["params"][0], {})
            if name in state:
                found[f"{prefix}.{i}.{name}"] = state[name]
    return found


def restore_optimizer(optimizer: torch.optim.Optimizer, prefix: str, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of :func:`optimizer_tensors`."""
    for i, group in enumerate(optimizer.param_groups):
        parameter = group["params"][0]
        if f"{prefix}.{i}.step" in tensors:
            state = {name: tensors[f"{prefix}.{i}.{name}"].clone() for name in MOMENTS}
            # As torch does, the count of steps stays on the CPU.
            optimizer.state[parameter] = {n: t if n == "step" else t.to(parameter.device) for n, t in state.items()}
