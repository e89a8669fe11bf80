"""What rests on what, from geometry alone."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import numpy as np

from spatialwm.scene.objects import SceneObject
from spatialwm.scene.scene import Scene

TOUCH_M = 0.05
"""An underside this close to a top rests on it (the tolerance of the scene description)."""
FOOTPRINT_SHARE = 0.3
"""At least this share of the smaller footprint must overlap."""


def resting_on(scene: Scene, body: SceneObject) -> str | None:
    """The id of the highest object right below ``body``, ``"floor"`` at z = 0, or None in mid-air."""
    low, high = body.bounds()
    best: tuple[float, str] | None = None
    for other in scene.objects:
        if other.id == body.id or other.role != "object":
            continue
        other_low, other_high = other.bounds()
        if abs(other_high[2] - low[2]) > TOUCH_M:
            continue
        overlap = np.minimum(high[:2], other_high[:2]) - np.maximum(low[:2], other_low[:2])
        smaller = min(float(np.prod(high[:2] - low[:2])), float(np.prod(other_high[:2] - other_low[:2])))
        shares = bool((overlap > 0).all()) and float(np.prod(overlap)) >= FOOTPRINT_SHARE * smaller
        if shares and (best is None or other_high[2] > best[0]):
            best = (float(other_high[2]), other.id)
    if best is not None:
        return best[1]
    return "floor" if abs(float(low[2])) <= TOUCH_M else None


def carried_by(scene: Scene, object_id: str) -> tuple[str, ...]:
    """Ids of everything that stands on an object or is held to it by joints, directly or through others, nearest first."""
    found: list[str] = []
    frontier = [object_id]
    while frontier:
        base = frontier.pop(0)
        for o in scene.objects:
            held = o.joint is not None and o.jointed and o.joint.parent == base
            if (o.supported_by == base or held) and o.id not in found and o.id != object_id:
                found.append(o.id)
                frontier.append(o.id)
    return tuple(found)
