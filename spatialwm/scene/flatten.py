"""A scene as one set of world-frame Gaussians, for renderers and splat files."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from spatialwm.gaussians import Gaussians, concatenate, transform
from spatialwm.scene.scene import Scene


@dataclass(frozen=True, slots=True, eq=False)
class Flattened:
    """All Gaussians of a scene in the world frame, and whose each is."""

    gaussians: Gaussians
    owner: Int[Tensor, " n"]
    """Index into ``object_ids``."""
    object_ids: tuple[str, ...]


def flatten(scene: Scene) -> Flattened:
    """Carry every object's Gaussians into the world, in object order."""
    parts = [transform(o.gaussians, o.world_from_object) for o in scene.objects]
    counts = torch.tensor([len(p) for p in parts], dtype=torch.int64)
    owner = torch.repeat_interleave(torch.arange(len(parts), dtype=torch.int32), counts)
    return Flattened(concatenate(parts), owner, tuple(o.id for o in scene.objects))
