"""The usual world model at the same size: the scene becomes one vector, actions carry it on, poses are read from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from spatialwm.dynamics.episode import Episode, Forecast, Situation, check_commands
from spatialwm.dynamics.evaluate.fitting import HISTORY, Actuator, Batch, Fit, Windows, as_batch, train
from spatialwm.dynamics.motion import moved, points_at, twist_between
from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.progress import Progress, silent

_WIDTH, _LATENT = 128, 192
"""Make 0.4 million parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class LatentModel:
    """A trained network; its sigmas are NaN, for it does not say how sure it is."""

    network: LatentNetwork
    name: str = "latent model"

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """Poses after each step."""
        check_commands(situations, commands, self.network.values)
        answers: list[Forecast | None] = [None] * len(situations)
        kinds: dict[tuple[int, ...], list[int]] = {}
        for i, s in enumerate(situations):
            kinds.setdefault(s.cast.points.shape, []).append(i)
        for places in kinds.values():
            with torch.no_grad():
                poses = self.network(as_batch([situations[i] for i in places], commands[places]), commands.shape[1]).numpy()
            for i, pose in zip(places, poses, strict=True):
                answers[i] = Forecast(pose, np.full(pose.shape[:2], np.nan))
        return [a for a in answers if a is not None]


class LatentNetwork(nn.Module):
    """Objects are pooled into one vector; a gated unit moves it on under the commands; each object asks it where it is."""

    def __init__(self, parts: int, values: int) -> None:
        super().__init__()
        self.values = values
        self.actuator = Actuator(parts, values)
        self.shape = nn.Sequential(nn.Linear(3, 64), nn.GELU(), nn.Linear(64, 64))
        self.thing = nn.Sequential(nn.Linear(64 + 3 + 6 + 2, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH))
        self.scene = nn.Sequential(nn.Linear(2 * _WIDTH + parts * 3, _LATENT), nn.GELU(), nn.Linear(_LATENT, _LATENT))
        self.action = nn.Sequential(nn.Linear(values + parts * 6, 64), nn.GELU(), nn.Linear(64, 64))
        self.step = nn.GRUCell(64, _LATENT)
        self.pose = nn.Sequential(nn.Linear(_LATENT + _WIDTH, 256), nn.GELU(), nn.Linear(256, 128), nn.GELU(), nn.Linear(128, 6))

    def forward(self, batch: Batch, steps: int) -> Float[Tensor, "b h k 7"]:
        """Where the objects will be."""
        before, now = batch.poses[:, :2].unbind(1)
        turned = batch.points @ quat_to_matrix(now[..., 3:]).transpose(-1, -2)
        known = [self.shape(20 * turned).amax(2), 5 * now[..., :3], 20 * twist_between(before, now), batch.beliefs]
        things = self.thing(torch.cat(known, -1))
        path = torch.cat([batch.parts[:, 1:], self.actuator.path(batch.parts, batch.commands, steps)], 1)[..., :3]
        scene = self.scene(torch.cat([things.amax(1), things.mean(1), 5 * path[:, 0].flatten(1)], -1))
        out = []
        for t in range(steps):
            part = [5 * path[:, t + 1].flatten(1), 50 * (path[:, t + 1] - path[:, t]).flatten(1)]
            scene = self.step(self.action(torch.cat([5 * batch.commands[:, t + HISTORY], *part], -1)), scene)
            asked = torch.cat([scene[:, None].expand(-1, things.shape[1], -1), things], -1)
            out.append(moved(now, self.pose(asked) * _REACH))
        return torch.stack(out, 1)


_REACH = torch.tensor([0.05] * 3 + [0.5] * 3)
"""Metres and radians that a network of unit outputs speaks of."""


def train_latent(
    episodes: Sequence[Episode], fit: Fit = Fit(unroll=30), *, checkpoint: Path | None = None, progress: Progress = silent
) -> LatentModel:
    """Train on whole windows; the same episodes and ``fit`` give the same network, interrupted or not.

    Args:
        checkpoint: a .safetensors that is kept up to date; a run that finds one goes on from it.

    Raises:
        ActionError: episodes that are too short or have different actors.
        FormatError: the checkpoint is damaged or of another training.
    """
    torch.manual_seed(fit.seed)
    windows = Windows(episodes, fit)
    track = episodes[0].track
    network = LatentNetwork(track.part_poses.shape[1], track.commands.shape[1])
    network.actuator.solve(episodes)

    def loss(batch: Batch, _: int) -> Tensor:
        ahead = batch.poses[:, 2:]
        off = points_at(batch.points[:, None], network(batch, ahead.shape[1])) - points_at(batch.points[:, None], ahead)
        return (off.norm(dim=-1) / 0.01).mean()

    train(network, "latent model", loss, windows, fit, checkpoint, progress)
    return LatentModel(network)
