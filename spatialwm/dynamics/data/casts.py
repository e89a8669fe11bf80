"""Casts as plain values, body by body, so that a shape that many episodes share is stored once."""

from __future__ import annotations

from typing import Any

import numpy as np

from spatialwm.dynamics.episode import Cast
from spatialwm.errors import FormatError

_BODY = ("points", "normals", "colors")


def cast_to_value(cast: Cast) -> dict[str, Any]:
    """What :func:`cast_from_value` takes; ``maker`` must be of the types that a shelf keeps."""
    bodies = tuple({name: getattr(cast, name)[i] for name in _BODY} for i in range(len(cast.object_ids)))
    parts = tuple(cast.part_points[i] for i in range(len(cast.part_ids)))
    return {
        "object_ids": cast.object_ids, "bodies": bodies, "part_ids": cast.part_ids, "parts": parts,
        "points_each": cast.points.shape[1], "masses_kg": cast.masses_kg, "frictions": cast.frictions, "maker": cast.maker,
    }  # fmt: skip


def cast_from_value(value: Any) -> Cast:
    """The inverse of :func:`cast_to_value`.

    Raises:
        FormatError: a field is missing, or bodies differ in their number of points.
    """
    try:
        each = value["points_each"]
        points, normals, colors = (_stacked([b[name] for b in value["bodies"]], each) for name in _BODY)
        parts = _stacked(list(value["parts"]), each)
        return Cast(
            value["object_ids"], points, normals, colors, value["part_ids"], parts, value["masses_kg"], value["frictions"],
            value["maker"],
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"not the cast of an episode: {error}") from error


def _stacked(bodies: list[np.ndarray], points_each: int) -> np.ndarray:
    return np.stack(bodies) if bodies else np.zeros((0, points_each, 3), np.float32)
