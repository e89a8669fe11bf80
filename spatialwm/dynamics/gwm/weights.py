"""Weights on disk: one safetensors file with a model card in its header."""

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
from spatialwm.dynamics.gwm.config import GwmConfig
from spatialwm.dynamics.gwm.model import GwmModel
from spatialwm.errors import FormatError

FORMAT, VERSION = "spatialwm-gwm", 1
"""The version changes whenever older weights would no longer mean the same."""
TRAINED = Path(__file__).parent / "trained"
"""Weights that come with the package."""


def shipped(name: str = "tiny") -> Path:
    """The weights of a size that come with the package.

    Raises:
        FormatError: none of that size do.
    """
    path = TRAINED / f"gwm-{name}.safetensors"
    if not path.exists():
        raise FormatError(f"no weights of a {name!r} Gaussian world model come with us; train them: benchmarks/train_gwm.py")
    return path


def write_weights(path: Path, model: GwmModel, trained: Mapping[str, Any]) -> None:
    """Whole or not at all.

    Args:
        trained: for the card: on what, how long, how well; anything that JSON holds.
    """
    card = {
        "format": FORMAT, "version": VERSION, "config": model.config.to_dict(), "command_width": model.command_width,
        "parameters": sum(p.numel() for p in model.parameters()), "trained": dict(trained),
    }  # fmt: skip
    write_tensors(path, model.state_dict(), {"card": card})


def read_weights(path: Path, device: torch.device | str = "cpu") -> tuple[GwmModel, dict[str, Any]]:
    """The model, ready to predict, and its card.

    Raises:
        FormatError: no such file, damaged, no weights of this kind, or of another version.
    """
    tensors, header = read_tensors(path, "weights of a Gaussian world model")
    card = header.get("card")
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise FormatError(f"{path} holds no Gaussian world model: its header has no card of {FORMAT!r}")
    if card.get("version") != VERSION:
        raise FormatError(
            f"{path} holds weights of version {card.get('version')}, this release reads version {VERSION}; "
            "train them again or take the release that wrote them"
        )
    try:
        model = GwmModel(GwmConfig.from_dict(card["config"]), card["command_width"])
        model.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as e:
        raise FormatError(f"{path} does not fit its own card ({str(e).splitlines()[0]}); fetch or train it again") from e
    return model.to(device).eval().requires_grad_(False), card


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> None:
    """Whole or not at all: a process killed while writing leaves what was there."""
    with replacing(path, FormatError) as temporary:
        copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        save_file(copies, temporary, metadata={name: json.dumps(value) for name, value in header.items()})


def read_tensors(path: Path, what: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What :func:`write_tensors` wrote.

    Raises:
        FormatError: no such file, or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            header = {name: json.loads(value) for name, value in (file.metadata() or {}).items()}
    except (OSError, SafetensorError, ValueError) as e:
        raise FormatError(f"cannot read {path} as {what}: {e}") from e
    return tensors, header
