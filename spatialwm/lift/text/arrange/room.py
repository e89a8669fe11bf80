"""How large a room must be for what it holds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from spatialwm.lift.text.arrange import priors
from spatialwm.lift.text.arrange.bodies import bodies_of, things_of
from spatialwm.lift.text.graph import SceneGraph
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model

FILL = 0.34
"""Share of the floor that furniture may take before a room feels stuffed."""
LONGEST_M = 30.0


def choose_room(
    graph: SceneGraph, models: Mapping[str, Model], kinds: Mapping[str, Kind] | None = None
) -> tuple[float, float, float]:
    """Width (x), length (y) and height in metres of a room in which everything fits; a stated size wins."""
    if kinds is None:
        from spatialwm.lift.text.kinds import KINDS  # imports every builder: only when nobody brings a registry

        kinds = KINDS
    width, length, height = priors.ROOMS_M.get(graph.place, (4.4, 4.2, 2.6))
    things = things_of(graph, models, kinds)
    standing = [b for b in bodies_of(graph, things, indoor=True) if b.mount == "floor" and not b.flat]
    height = max([height, *(float(t.hi[2]) + 0.3 for t in things.values())])
    if graph.room_size_m is not None:
        return (*graph.room_size_m, height)
    extents = [b.extent() for b in standing]
    area = sum(float((hi[0] - lo[0] + 0.15) * (hi[1] - lo[1] + 0.25)) for lo, hi in extents)
    backs = sum(float(hi[0] - lo[0]) + 0.2 for b, (lo, hi) in zip(standing, extents, strict=True) if b.lead.kind.against_wall)
    deepest = max((float(min(hi[0] - lo[0], hi[1] - lo[1])) for lo, hi in extents), default=0.0)
    longest = max((float(max(hi[0] - lo[0], hi[1] - lo[1])) for lo, hi in extents), default=0.0)
    roomy = (
        max((1.8 if r.predicate == "across" else 4.4 if r.predicate == "far" else 0.0) for r in graph.relations)
        if graph.relations
        else 0.0
    )
    scale = max(1.0, math.sqrt(area / FILL / (width * length)), backs / (1.3 * (width + length)))
    width, length = max(width * scale, longest + 1.2), max(length * scale, deepest + 1.6, 1.6 + roomy + 1.2)
    return (float(np.round(min(width, LONGEST_M), 2)), float(np.round(min(length, LONGEST_M), 2)), float(np.round(height, 2)))
