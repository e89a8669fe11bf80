"""Weights on disk: one safetensors file whose header holds a model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from spatialwm.atomic import replacing
from spatialwm.errors import FormatError


def write_weights(path: Path, kind: str, version: int, tensors: Mapping[str, Tensor], card: Mapping[str, Any]) -> None:
    """Whole or not at all: a process killed while writing leaves what was there.

    Args:
        kind: of model; others are refused when reading.
        version: changes whenever older weights would no longer mean the same.
        card: on what it was trained, how and how well; anything that JSON holds.
    """
    header = json.dumps({"kind": kind, "version": version, **card})
    with replacing(path, FormatError) as temporary:
        copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        save_file(copies, temporary, metadata={"card": header})


def read_weights(path: Path, kind: str, version: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and card.

    Raises:
        FormatError: no such file, damaged, of another kind, or of another version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            card = json.loads((file.metadata() or {}).get("card", "{}"))
    except (OSError, SafetensorError, ValueError) as e:
        raise FormatError(f"cannot read {path} as weights of {kind}: {e}") from e
    if card.get("kind") != kind:
        raise FormatError(f"{path} holds no weights of {kind}; its card says {card.get('kind')!r}")
    if card.get("version") != version:
        raise FormatError(
            f"{path} holds weights of version {card.get('version')} and version {version} is read here; "
            "train them again or take the release that wrote them"
        )
    return tensors, card
