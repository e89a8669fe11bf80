"""The edit that takes a found thing out of a place."""

from __future__ import annotations

from spatialwm.geometry.camera import Camera
from spatialwm.lift.objects.find import Found
from spatialwm.scene import Scene
from spatialwm.scene.edits import MakeObject

_ARTICLES = frozenset(("a", "an", "the", "my", "this", "that"))


def take(scene: Scene, camera: Camera, found: Found, name: str = "") -> MakeObject:
    """Make an object of what was found, standing where it is.

    Args:
        camera: from where it was pointed at.
        name: a noun phrase; its last word becomes the category.
    """
    words = [w for w in name.lower().split() if w not in _ARTICLES]
    category = "".join(c for c in (words[-1] if words else "") if c.isalnum() or c == "-") or "object"
    return MakeObject(found.source, found.mask, scene.new_id(category), category, name=" ".join(words) if len(words) > 1 else "")
