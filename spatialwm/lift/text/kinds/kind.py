"""What the solver and the parser know of a kind of object without building it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.model import Model

Habitat = Literal["floor", "surface", "wall", "ceiling", "ground", "air"]
"""Where it lives unless told: on the floor, on furniture, on a wall, from the ceiling, on the ground outdoors, in the air."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A parametric kind of object."""

    name: str
    """The plain singular noun, also the category of what it builds."""
    synonyms: tuple[str, ...] = ()
    """Nouns and noun phrases that mean it, singular: ``couch``, ``settee``."""
    build: Callable[[Item, np.random.Generator], Model]
    size_m: tuple[float, float, float]
    """Usual width, depth, height."""
    habitat: Habitat = "floor"
    family: Literal["indoor", "outdoor", "both"] = "both"
    hypernyms: tuple[str, ...] = ()
    """Broader nouns it also answers to: ``seat``, ``furniture``."""
    indoors: str | None = None
    """The kind that its nouns mean within a room: flowers stand there cut, in a vase."""
    against_wall: bool = False
    """Usually backs onto a wall."""
