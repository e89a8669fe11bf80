"""Trained hybrids on disk, and the one that comes with the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from spatialwm.dynamics.hybrid.config import HybridConfig
from spatialwm.dynamics.hybrid.model import Hybrid, Networks
from spatialwm.dynamics.weights import read_weights, write_weights
from spatialwm.errors import FormatError

KIND, VERSION = "hybrid world model", 1
TRAINED = Path(__file__).parent / "trained"

Name = Literal["hybrid", "learned"]


def save_hybrid(path: Path, networks: Networks, trained: Mapping[str, Any]) -> None:
    """Whole or not at all.

    Args:
        trained: for the card: on what, how, how well.
    """
    parameters = sum(p.numel() for p in networks.parameters())
    card = {"config": asdict(networks.config), "parameters": parameters, "trained": dict(trained)}
    write_weights(path, KIND, VERSION, networks.state_dict(), card)


def load_hybrid(path: Path) -> tuple[Networks, dict[str, Any]]:
    """Networks, ready to predict, and their card.

    Raises:
        FormatError: no such file, damaged, of another kind or version.
    """
    tensors, card = read_weights(path, KIND, VERSION)
    try:
        networks = Networks(HybridConfig(**card["config"]))
        networks.load_state_dict(tensors)
    except (KeyError, TypeError, RuntimeError) as e:
        raise FormatError(f"{path} does not fit its own card ({str(e).splitlines()[0]}); fetch or train it again") from e
    return networks.eval().requires_grad_(False), card


@lru_cache
def shipped(name: Name = "hybrid") -> Hybrid:
    """The model that comes with the package.

    Raises:
        FormatError: it does not.
    """
    path = TRAINED / f"{name}.safetensors"
    if not path.exists():
        raise FormatError(f"no weights of {name!r} come with this package; train them: spatialwm train {name}")
    return Hybrid(load_hybrid(path)[0], name)
