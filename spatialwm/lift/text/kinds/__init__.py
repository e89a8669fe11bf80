"""Parametric object kinds, one module a family; :data:`KINDS` names them all."""

from __future__ import annotations

from spatialwm.lift.text.kinds import (
    animals,
    appliances,
    beds,
    camp,
    decor,
    houseplants,
    lamps,
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
    yard,
)
from spatialwm.lift.text.kinds.kind import Kind

_FAMILIES = (
    seating, tables, beds, storage, lamps, decor, houseplants, tableware, tech, appliances, toys, animals,
    trees, plants, rocks, camp, shelter, yard, waterside, vehicles,
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.name: kind for family in _FAMILIES for kind in family.KINDS}
"""Every kind by its name. A later family replaces a namesake of an earlier one."""
