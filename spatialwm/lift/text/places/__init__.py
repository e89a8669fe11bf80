"""Families of places: the shell, ground, sky and lights that objects stand in."""

from __future__ import annotations

from collections.abc import Mapping

from spatialwm.lift.lifter import Quality
from spatialwm.lift.text.graph import SceneGraph
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model
from spatialwm.lift.text.places.place import Place


def place_for(graph: SceneGraph, models: Mapping[str, Model], kinds: Mapping[str, Kind], seed: int, quality: Quality) -> Place:
    """The room or landscape of a sentence, large enough for what was built."""
    if graph.family == "outdoor":
        from spatialwm.lift.text.places.outdoor import outdoor_place

        return outdoor_place(graph, dict(kinds), seed, quality)
    from spatialwm.lift.text.arrange import choose_room
    from spatialwm.lift.text.places.room import room

    return room(graph, choose_room(graph, models, kinds))
