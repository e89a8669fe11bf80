"""Free per-point flow, learned: every point is moved on its own, and nothing keeps a thing in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from spatialwm.dynamics.episode import Episode, Forecast, Situation, check_commands
from spatialwm.dynamics.evaluate.fitting import Actuator, Batch, Fit, Windows, as_batch, train
from spatialwm.dynamics.evaluate.metrics import PointForecast
from spatialwm.dynamics.motion import points_at, rigid_fit
from spatialwm.progress import Progress, silent

_WIDTH = 112
"""Makes 0.4 million parameters."""
_NOISE_M = 5e-4
"""Of the points a training window starts from: a rollout sees its own errors."""


@dataclass(frozen=True, slots=True, eq=False)
class FreePointFlow:
    """A trained network; its sigmas are NaN, for it does not say how sure it is."""

    network: FlowNetwork
    name: str = "free per-point flow"

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """Points after each step, and the rigid motions nearest to them."""
        check_commands(situations, commands, self.network.values)
        answers: list[Forecast | None] = [None] * len(situations)
        kinds: dict[tuple[int, ...], list[int]] = {}
        for i, s in enumerate(situations):
            kinds.setdefault(s.cast.points.shape, []).append(i)
        for places in kinds.values():
            batch = as_batch([situations[i] for i in places], commands[places])
            with torch.no_grad():
                points = self.network(batch, commands.shape[1])
                poses = rigid_fit(batch.points[:, None].double(), points.double()).numpy()
            for i, p, pose in zip(places, points.numpy(), poses, strict=True):
                answers[i] = PointForecast(pose, np.full(pose.shape[:2], np.nan), points=p)
        return [a for a in answers if a is not None]


class FlowNetwork(nn.Module):
    """Points see themselves, the nearest of other things and the actor; things see each other; every point moves alone."""

    def __init__(self, parts: int, values: int) -> None:
        super().__init__()
        self.values = values
        self.actuator = Actuator(parts, values)
        d = _WIDTH
        self.point = nn.Sequential(nn.Linear(24, d), nn.GELU(), nn.Linear(d, d))
        layer = nn.TransformerEncoderLayer(d, 4, 4 * d, dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        self.things = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.move = nn.Sequential(nn.Linear(2 * d, d), nn.GELU(), nn.Linear(d, d), nn.GELU(), nn.Linear(d, 3))

    def forward(self, batch: Batch, steps: int, noise: Tensor | None = None) -> Float[Tensor, "b h k p 3"]:
        """Where the points will be."""
        before, now = points_at(batch.points[:, None], batch.poses[:, :2]).unbind(1)
        if noise is not None:
            before, now = before + noise[0], now + noise[1]
        path = torch.cat([batch.parts[:, 1:], self.actuator.path(batch.parts, batch.commands, steps)], 1)[..., :3]
        beliefs = batch.beliefs[:, :, None].expand(*now.shape[:3], 2)
        flow = []
        for t in range(steps):
            seen = self.point(_features(before, now, path[:, t], path[:, t + 1], beliefs))
            told = self.things(seen.amax(2))[:, :, None].expand_as(seen)
            before, now = now, now + (now - before) + 0.01 * self.move(torch.cat([seen, told], -1))
            flow.append(now)
        return torch.stack(flow, 1)


def train_flow(
    episodes: Sequence[Episode], fit: Fit = Fit(batch=16, unroll=6), *, checkpoint: Path | None = None,
    progress: Progress = silent,
) -> FreePointFlow:  # fmt: skip
    """Train on unrolled windows; the same episodes and ``fit`` give the same network, interrupted or not.

    Args:
        checkpoint: a .safetensors that is kept up to date; a run that finds one goes on from it.

    Raises:
        ActionError: episodes that are too short or have different actors.
        FormatError: the checkpoint is damaged or of another training.
    """
    torch.manual_seed(fit.seed)
    windows = Windows(episodes, fit)
    track = episodes[0].track
    network = FlowNetwork(track.part_poses.shape[1], track.commands.shape[1])
    network.actuator.solve(episodes)

    def loss(batch: Batch, step: int) -> Tensor:
        drawn = torch.Generator().manual_seed(fit.seed * 1_000_003 + step)  # by the step: a resumed run draws the same
        noise = _NOISE_M * torch.randn((2, *batch.points.shape), generator=drawn)
        truth = points_at(batch.points[:, None], batch.poses[:, 2:])
        off = (network(batch, truth.shape[1], noise) - truth).norm(dim=-1)
        return (off / 0.005).mean()

    train(network, "free per-point flow", loss, windows, fit, checkpoint, progress)
    return FreePointFlow(network)


def _features(before: Tensor, now: Tensor, part: Tensor, part_next: Tensor, beliefs: Tensor) -> Float[Tensor, "b k p 24"]:
    b, k, p, _ = now.shape
    flat = now.flatten(1, 2)
    owner = torch.arange(k).repeat_interleave(p)
    apart = torch.cdist(flat, flat).masked_fill(owner[:, None] == owner, float("inf"))
    nearest = apart.argmin(-1) if k > 1 else torch.arange(k * p).expand(b, -1)
    other = (flat.gather(1, nearest[..., None].expand(-1, -1, 3)) - flat).unflatten(1, (k, p))
    other_speed = (now - before).flatten(1, 2).gather(1, nearest[..., None].expand(-1, -1, 3)).unflatten(1, (k, p))
    gaps = part[:, None] - flat[:, :, None]
    which = gaps.norm(dim=-1).argmin(-1)[..., None, None].expand(-1, -1, 1, 3)
    gap = gaps.gather(2, which)[:, :, 0].unflatten(1, (k, p))
    push = (part_next - part)[:, None].expand_as(gaps).gather(2, which)[:, :, 0].unflatten(1, (k, p))
    near, touch = gap.norm(dim=-1, keepdim=True), other.norm(dim=-1, keepdim=True)
    offset = now - now.mean(2, keepdim=True)
    return torch.cat(
        [10 * now[..., 2:], 10 * offset, 50 * (now - before), 5 * gap, torch.exp(-near / 0.03), torch.exp(-near / 0.1), 50 * push,
         10 * other, torch.exp(-touch / 0.02), 50 * other_speed, beliefs], -1,
    )  # fmt: skip
