"""Sizes and settings of the hybrid model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class HybridConfig:
    """What the networks look like; stored with the weights."""

    prior: Literal["physics", "hold"] = "physics"
    """What is corrected: a simulation, or the present itself (``learned``, which needs no simulator)."""
    width: int = 96
    layers: int = 3
    heads: int = 4
    points: int = 32
    """Per object, of those a cast holds."""
    members: int = 4
    """Of the ensemble: each has a head of its own and its own idea of what cannot be seen."""
    memory: int = 60
    """Steps of the past that are looked back upon."""


PROPERTIES = 5
"""Centre of mass in x and y, logarithm of mass, friction and damping: what the past may tell and a simulator can use."""
