"""The history of a world as the page lists it: one short phrase for each revision."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spatialwm.world import PREDICT, World

SHOWN = 200


def history_message(world: World) -> dict[str, Any]:
    """The last revisions, and whether undo and redo lead anywhere; a discarded prediction is not listed."""
    head, branches = world.head, world.branches()
    listed = [r for r in world.history() if r.op != PREDICT or r.branch in branches or r.id == head.id]
    return {
        "history": [
            {
                "id": r.id,
                "label": phrase(r.command),
                "branch": r.branch,
                "time": r.created_at,
                "current": r.id == head.id,
            }
            for r in listed[-SHOWN:]
        ],
        "can_undo": world.can_undo,
        "can_redo": world.can_redo,
    }


def phrase(command: dict[str, Any]) -> str:
    """What a command did, in a few words."""
    say = _PHRASES.get(command.get("op", ""))
    if say is not None:
        try:
            return say(command)
        except (KeyError, TypeError, ValueError):  # written by another version: its name alone still tells something
            pass
    return str(command.get("op", "?")).replace("_", " ")


def _created(c: dict[str, Any]) -> str:
    source = str(c["source"])
    return f"Create: {Path(source).name if Path(source).is_absolute() else source}"


def _moved(c: dict[str, Any]) -> str:
    length = math.sqrt(sum(float(v) ** 2 for v in c["by"]))
    return f"Move {c['object']} {length:.2f} m"


def _predicted(c: dict[str, Any]) -> str:
    first = c["actions"][0]
    return f"Predicted: {first.get('type', first.get('op', 'action'))} {first.get('object', '')}".rstrip()


_PHRASES: dict[str, Callable[[dict[str, Any]], str]] = {
    "create": _created,
    "move": _moved,
    "rotate": lambda c: f"Turn {c['object']} {float(c['angle_deg']):.0f}°",
    "scale": lambda c: f"Resize {c['object']} × {float(c['factor']):.2f}",
    "duplicate": lambda c: f"Duplicate {c['object']}",
    "delete": lambda c: f"Delete {c['object']}",
    "recolor": lambda c: f"Recolor {c['object']} {c['color']}",
    "rename": lambda c: f"Rename {c['object']}: {c['name']}",
    "set_physics": lambda c: f"Physics of {c['object']}",
    "set_environment": lambda c: "Surroundings",
    "make_object": lambda c: f"Take out {c['name'] or c['new_id']}",
    "fix_scale": lambda c: f"Fix the scale: {float(c['length_m']):g} m",
    "set_poses": lambda c: f"Commit a prediction ({len(c['poses'])} objects)",
    "predict": _predicted,
}
