"""Parametric object kinds, one module a family; :data:`KINDS` names them all."""

from __future__ import annotations

from collections.abc import Iterable

from spatialwm.lift.text.kinds import (
    animals,
    appliances,
    beds,
    camp,
    decor,
    handheld,
    houseplants,
    lamps,
    livestock,
    plants,
    rocks,
    seating,
    shelter,
    storage,
    tables,
    tableware,
    tech,
    toys,
    trees,
    vehicles,
    waterside,
    wheels,
    yard,
)
from spatialwm.lift.text.kinds.kind import Kind

_FAMILIES = (
    seating, tables, beds, storage, lamps, decor, houseplants, tableware, tech, appliances, toys, animals,
    trees, plants, rocks, camp, shelter, yard, waterside, vehicles,
    livestock, handheld, wheels,
)  # fmt: skip


def registry(kinds: Iterable[Kind]) -> dict[str, Kind]:
    """Kinds by their names.

    Raises:
        ValueError: two kinds share a name, or one's synonym is another's name or synonym: one of them could never be asked for.
    """
    kinds = tuple(kinds)
    owner: dict[str, str] = {}
    for kind in kinds:
        if kind.name in owner:
            raise ValueError(f"two kinds are named {kind.name!r}: rename one of them")
        owner[kind.name] = kind.name
    for kind in kinds:
        for noun in kind.synonyms:
            if owner.setdefault(noun, kind.name) != kind.name:
                raise ValueError(f"{noun!r} is a synonym of {kind.name!r} but means {owner[noun]!r} already: drop one")
    for kind in kinds:
        if kind.indoors is not None and kind.indoors not in owner:
            raise ValueError(f"{kind.name!r} is to be {kind.indoors!r} indoors, which is no kind")
    return {kind.name: kind for kind in kinds}


KINDS: dict[str, Kind] = registry(kind for family in _FAMILIES for kind in family.KINDS)
"""Every kind by its name."""
