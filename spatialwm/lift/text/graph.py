"""What a sentence asks for, before anything has a shape: items, relations, surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spatialwm.scene.objects import Provenance

Predicate = Literal[
    "on_top", "under", "inside", "next_to", "near", "far", "across", "facing", "left_of", "right_of", "in_front_of", "behind",
    "against_wall", "in_corner", "center_of_room", "hanging_from_ceiling", "on_wall", "surrounded_by", "between", "in_row",
    "in_circle", "stacked", "aligned", "on_floor",
]  # fmt: skip
"""Spatial relations; their geometry is that of the scene description's specification."""


@dataclass(frozen=True, slots=True)
class Item:
    """One wanted instance; three chairs are three items."""

    key: str
    """Unique in the graph, becomes the object id, e.g. ``chair-2``."""
    kind: str
    """Name of the parametric kind that builds it, a key of ``kinds.KINDS``."""
    noun: str
    """The noun phrase as written, without its adjectives: ``coffee table``."""
    labels: tuple[str, ...] = ()
    """Further fitting nouns."""
    color: str | None = None
    material: str | None = None
    size: Literal["large", "small"] | None = None
    height_m: float | None = None
    width_m: float | None = None
    length_m: float | None = None
    provenance: Provenance = "stated"
    adjectives: tuple[str, ...] = ()
    """Remaining adjectives that a kind may honour: ``round``, ``striped``, ``rustic``."""


@dataclass(frozen=True, slots=True)
class Relation:
    """``subject predicate objects``; ``objects`` is empty for relations to the room, two keys for ``between``."""

    subject: str
    predicate: Predicate
    objects: tuple[str, ...] = ()
    provenance: Provenance = "stated"
    group: tuple[str, ...] = ()
    """All subjects that must satisfy it together (``in_row``, ``in_circle``, ``stacked``, ``surrounded_by``)."""
    distance_m: float | None = None
    """Stated gap: ``10 cm to the right of``."""


@dataclass(frozen=True, slots=True)
class SceneGraph:
    """A sentence, understood."""

    prompt: str
    family: Literal["indoor", "outdoor"]
    place: str
    """The kind of place, e.g. ``living room`` or ``forest clearing``."""
    items: tuple[Item, ...] = ()
    relations: tuple[Relation, ...] = ()
    time: str | None = None
    weather: str | None = None
    room_size_m: tuple[float, float] | None = None
    """Stated width and length of the room."""
    absent: tuple[str, ...] = ()
    """Kinds that must not appear: ``no windows``."""
    unrecognized: tuple[str, ...] = ()
    """Content words that nothing was made of, as written."""
    finishes: tuple[tuple[str, str], ...] = ()
    """Wishes about parts of the place, ``("wall", "stone")``: part and colour or material."""
    notes: tuple[str, ...] = ()
    """Understood wishes that were dropped, one sentence each."""
