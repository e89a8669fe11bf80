"""What the table knows of its own episodes: true solids for overlaps, and for pictures that show true shapes."""

from __future__ import annotations

import numpy as np

from spatialwm.dynamics.episode import Episode
from spatialwm.dynamics.evaluate.contact import Piece, box_piece, cylinder_piece, placed
from spatialwm.dynamics.evaluate.pictures import Fixture, Look, look_at_cast
from spatialwm.dynamics.table.shapes import Part
from spatialwm.dynamics.table.table import Table
from spatialwm.errors import ActionError


def table_solids(episode: Episode) -> list[list[Piece]]:
    """The boxes, cylinders and hulls that each thing of a simulated table was made of.

    Raises:
        ActionError: the episode was not simulated on a table.
    """
    return [[_piece(p) for p in thing.parts] for thing in _table(episode).things]


def look_at_table(episode: Episode, size: tuple[int, int] = (560, 420)) -> Look:
    """A table as it truly is, with what stands fixed on it.

    Raises:
        ActionError: the episode was not simulated on a table.
    """
    fixed = [
        Fixture([placed(_piece(p), thing.position, thing.yaw_rad) for p in thing.parts], thing.color)
        for thing in _table(episode).fixed
    ]
    return look_at_cast(episode, table_solids, size, fixed)


def _table(episode: Episode) -> Table:
    if not isinstance(episode.truth, Table):
        raise ActionError(f"the episode was not simulated on a table: its truth is {type(episode.truth).__name__}; use hulls")
    return episode.truth


def _piece(part: Part) -> Piece:
    if part.kind == "box":
        a, b, c = part.size
        return box_piece((a, b, c), part.position, part.yaw_rad)
    if part.kind == "cylinder":
        return cylinder_piece(part.size[0], part.size[1], part.position)
    return np.array(part.vertices, np.float64)
