"""The edit that takes a found thing out of a place and closes the hole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from spatialwm.errors import LiftError
from spatialwm.gaussians import Gaussians, transform
from spatialwm.geometry.camera import Camera
from spatialwm.lift.objects.fill import fill, support_of
from spatialwm.lift.objects.find import Found
from spatialwm.lift.objects.segment import box_around, cropped
from spatialwm.lift.objects.shell import planes_in, shell_of
from spatialwm.lift.objects.sight import look, thumbnail
from spatialwm.scene import Scene
from spatialwm.scene.edits import MakeObject
from spatialwm.scene.objects import OPAQUE
from spatialwm.scene.support import TOUCH_M

_CONTEXT = 0.5
"""Of the thing's size, that is looked at around it for surfaces to continue."""
_ARTICLES = frozenset(("a", "an", "the", "my", "this", "that"))


def take(scene: Scene, camera: Camera, found: Found, name: str = "") -> MakeObject:
    """Make an object of what was found, standing where it is.

    Args:
        camera: from where it was pointed at.
        name: a noun phrase; its last word becomes the category.

    Raises:
        LiftError: it is an object already.
    """
    if found.whole:
        raise LiftError(f"{found.source} is an object already; there is nothing to take out")
    body = scene[found.source]
    words = [w for w in name.lower().split() if w not in _ARTICLES]
    category = "".join(c for c in (words[-1] if words else "") if c.isalnum() or c == "-") or "object"
    new_id = scene.new_id(category)
    gaussians = transform(body.gaussians, body.world_from_object).to("cpu")
    small = thumbnail(camera)
    shell, seen = shell_of(look(gaussians, small)), box_around(found.picture)
    rest = gaussians.select(~found.mask)
    backdrops = [] if seen is None else planes_in(look(rest, cropped(small, seen, _CONTEXT)))
    patch = fill(gaussians, found.mask.numpy(), camera, shell, backdrops, scene.new_id("fill"))
    note = "" if patch is None else f"{patch.id}: what {new_id} hid is invented from what is around it"
    title = " ".join(words) if len(words) > 1 else ""
    edit = MakeObject(found.source, found.mask, new_id, category, name=title, fill=patch, note=note)
    if edit.apply(scene)[new_id].supported_by is None and _stands(gaussians, found.mask.numpy()):
        return replace(edit, supported_by=found.source)
    return edit


def _stands(gaussians: Gaussians, chosen: Bool[np.ndarray, " n"]) -> bool:
    """Whether a level surface of the place shows around a thing's foot: the boxes of objects do not know a captured table."""
    thing = gaussians.means.double().numpy()[chosen & (gaussians.opacities.numpy() > OPAQUE)]
    support = support_of(gaussians, chosen, thing) if len(thing) else None
    if support is None:
        return False
    return abs(support.offset_m - float(np.quantile(thing[:, 2], 0.01))) < TOUCH_M and support.thickness_m < 2 * TOUCH_M
