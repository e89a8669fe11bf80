"""Situations and episodes as padded tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from spatialwm.dynamics.episode import Cast, Situation

AWAY = (0.0, 0.0, -9.0, 1.0, 0.0, 0.0, 0.0)
"""Where places stand that hold no thing."""


@dataclass(frozen=True, slots=True, eq=False)
class Casts:
    """Who takes part in B scenes."""

    points: Float[Tensor, "b k p 3"]
    believed: Float[Tensor, "b k 2"]
    """Logarithm of mass in kg and friction."""
    actor: Float[Tensor, "b q 3"]
    """Points of the actor in its own frame."""
    actor_height_m: Float[Tensor, " b"]
    present: Bool[Tensor, "b k"]

    def actor_at(self, places: Float[Tensor, "b *t 2"]) -> Float[Tensor, "b *t q 3"]:
        """The actor's points in the world."""
        ones = (1,) * (places.ndim - 2)
        heights = self.actor_height_m.reshape(-1, *ones, 1).expand(*places.shape[:-1], 1)
        return self.actor.reshape(len(self.actor), *ones, -1, 3) + torch.cat([places, heights], -1)[..., None, :]

    def pick(self, which: Tensor) -> Casts:
        """Some of the scenes, in this order."""
        return Casts(
            self.points[which], self.believed[which], self.actor[which], self.actor_height_m[which], self.present[which]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pasts:
    """The latest ``t`` steps of B scenes; what is older than a scene repeats its first instant, in which nothing moves."""

    poses: Float[Tensor, "b t1 k 7"]
    velocities: Float[Tensor, "b t1 k 6"]
    places: Float[Tensor, "b t1 2"]
    commands: Float[Tensor, "b t 2"]


def casts_of(casts: Sequence[Cast], heights_m: Sequence[float], points: int) -> Casts:
    """Stacked, padded, with evenly chosen points."""
    b, k = len(casts), max(len(c.object_ids) for c in casts)
    shape = torch.zeros(b, k, points, 3)
    believed = torch.zeros(b, k, 2)
    present = torch.zeros(b, k, dtype=torch.bool)
    actor = torch.zeros(b, points, 3)
    for i, cast in enumerate(casts):
        n = len(cast.object_ids)
        # Points are stored farthest first, so that the first of them spread over the whole thing.
        shape[i, :n] = torch.from_numpy(cast.points[:, :points])
        believed[i, :n] = torch.from_numpy(np.stack([np.log(cast.masses_kg), cast.frictions], -1)).float()
        present[i, :n] = True
        actor[i] = torch.from_numpy(cast.part_points[0, :points])
    return Casts(shape, believed, actor, torch.tensor(list(heights_m), dtype=torch.float32), present)


def pasts_of(situations: Sequence[Situation], memory: int, k: int, aligned: int = 1) -> Pasts:
    """The latest ``memory`` steps of each.

    Args:
        aligned: leave out what has happened since the latest whole number of so many steps.
    """
    poses, velocities, places, commands = [], [], [], []
    away = torch.tensor(AWAY)
    for situation in situations:
        n = len(situation.cast.object_ids)
        past = situation.past.until(len(situation.past) // aligned * aligned)
        seen = torch.cat([torch.from_numpy(past.poses).float(), away.expand(len(past) + 1, k - n, 7)], 1)
        speed = torch.cat([torch.from_numpy(past.velocities).float(), torch.zeros(len(past) + 1, k - n, 6)], 1)
        place = torch.from_numpy(past.part_poses[:, 0, :2]).float()
        asked = torch.from_numpy(past.commands).float() if len(past) else place
        poses.append(padded(seen[None], memory + 1)[0])
        velocities.append(padded(speed[None], memory + 1)[0])
        places.append(padded(place[None], memory + 1)[0])
        commands.append(padded(asked[None], memory)[0])
    return Pasts(*(torch.stack(v) for v in (poses, velocities, places, commands)))


def padded(series: Float[Tensor, "b t *n"], length: int) -> Float[Tensor, "b l *n"]:
    """The latest ``length`` values; the first is repeated where there are fewer, for what waits does not move."""
    lacking = length - series.shape[1]
    return series[:, -length:] if lacking <= 0 else torch.cat([series[:, :1].expand(-1, lacking, *series.shape[2:]), series], 1)
