"""The trained model at work: what each situation becomes, body by body, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.dynamics.episode import Cast, Forecast, Situation, check_commands
from spatialwm.dynamics.gwm.model import GwmModel
from spatialwm.dynamics.gwm.outcome import Memory
from spatialwm.dynamics.gwm.template import XYZ, Template, stack
from spatialwm.dynamics.gwm.weights import read_weights
from spatialwm.dynamics.motion import mean_pose, points_at, rigid_fit
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import quat_multiply, quat_to_matrix

SAMPLES = 4
"""Futures drawn per situation; their mean is the forecast and their spread its uncertainty."""
ROWS = 256
"""Futures computed at once; bounds memory when a planner asks for thousands."""


@dataclass(frozen=True, slots=True, eq=False)
class Imagined:
    """S futures of one situation over H steps."""

    poses: Float[np.ndarray, "s h k 7"]
    """Of the objects, world_from_object."""
    part_poses: Float[np.ndarray, "s h l 7"]
    """Of the actor's parts."""
    rewards: Float[np.ndarray, "s h"]
    terminations: Float[np.ndarray, "s h"]
    """Probability that the step ends the task."""


class Gwm:
    """A Gaussian world model as a :class:`spatialwm.dynamics.episode.Forecaster`.

    Bodies are moved by the rigid motion between the decoded present and the decoded future, so the forecast starts from where
    things truly are, whatever the autoencoder loses, and no Gaussian is ever made, lost or bent. Each predicted frame is
    encoded anew from the moved bodies: the latent cannot drift to where no scene is.
    """

    def __init__(self, model: GwmModel, *, samples: int = SAMPLES, seed: int = 0) -> None:
        """
        Args:
            seed: of the noise; the same question gives the same answer.
        """
        self.model, self.samples, self._seed = model.eval(), samples, seed

    @staticmethod
    def load(path: Path, device: torch.device | str = "cpu", *, samples: int = SAMPLES, seed: int = 0) -> Gwm:
        """A model from its weights.

        Raises:
            FormatError: no such file, damaged, or of another version.
        """
        return Gwm(read_weights(path, device)[0], samples=samples, seed=seed)

    @property
    def name(self) -> str:
        """``gwm/`` and its size."""
        return f"gwm/{self.model.config.name}"

    def forecast(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Forecast]:
        """See :class:`spatialwm.dynamics.episode.Forecaster`."""
        return [self._summed_up(s, i) for s, i in zip(situations, self.imagine(situations, commands), strict=True)]

    def imagine(self, situations: Sequence[Situation], commands: Float[np.ndarray, "b h a"]) -> list[Imagined]:
        """Several futures of each situation, with rewards and terminations.

        Raises:
            ActionError: commands of the wrong shape, not finite, or of a horizon of 0, or another step length than trained on.
            ShapeError: a cast of more bodies than the model has tokens.
        """
        check_commands(situations, commands, self.model.command_width)
        dt_s = float(self.model.dt_s)
        for s in situations:
            if abs(s.past.dt_s - dt_s) > 1e-3 * dt_s:
                raise ActionError(f"{self.name} was trained on steps of {dt_s:g} s; the situation has steps of {s.past.dt_s:g} s")
        casts: dict[int, Template] = {}
        by_bodies: dict[int, list[int]] = {}
        for i, s in enumerate(situations):
            if id(s.cast) not in casts:
                casts[id(s.cast)] = self.model.template_of(s.cast)
            by_bodies.setdefault(_bodies(s.cast), []).append(i)
        generator, found = torch.Generator().manual_seed(self._seed), {}
        at_once = max(1, ROWS // self.samples)
        for same in by_bodies.values():
            for first in range(0, len(same), at_once):
                rows = same[first : first + at_once]
                template = stack([casts[id(situations[i].cast)] for i in rows])
                imagined = self._imagine([situations[i] for i in rows], commands[rows], template, generator)
                found.update(zip(rows, imagined, strict=True))
        return [found[i] for i in range(len(situations))]

    @torch.no_grad()
    def _imagine(
        self, situations: Sequence[Situation], commands: np.ndarray, template: Template, generator: torch.Generator
    ) -> list[Imagined]:
        """Futures of situations with equally many bodies."""
        model, device, copies = self.model, self.model.change_std.device, self.samples
        count, horizon, frames = len(situations), commands.shape[1], model.config.context
        index = torch.arange(count).repeat_interleave(copies)
        template = template.take(index).to(device)
        members = template.members()
        past, chunks = (t[index].to(device) for t in self._known(situations, commands))
        poses = past[:, -1]
        context = torch.stack([model.latents(p, template) for p in past.unbind(1)], 1)
        memory: Memory | None = None
        told: list[tuple[Tensor, Tensor, Tensor]] = []
        for step in range(horizon):
            noise = torch.randn(len(index), *context.shape[2:], generator=generator).to(device)
            following = model.sampled_next(context, chunks[:, step], template, noise)
            here, there = (_body_points(model.decoded(z, template), members) for z in (context[:, -1], following))
            poses = _carried(rigid_fit(here, there), poses)
            settled = model.latents(poses, template)
            outcome, memory = model.outcome(context[:, -1:], settled[:, None], chunks[:, step, None], memory)
            told.append((poses, outcome.rewards[:, 0], outcome.terminations[:, 0]))
            context = torch.cat([context[:, 1:], settled[:, None]], 1)[:, -frames:]
        together = (torch.stack(t, 1) for t in zip(*told, strict=True))
        everything, rewards, terminations = (
            t.view(count, copies, horizon, *t.shape[2:]).cpu().double().numpy() for t in together
        )
        objects = [len(s.cast.object_ids) for s in situations]
        return [
            Imagined(everything[i, :, :, :k], everything[i, :, :, k:], rewards[i], terminations[i]) for i, k in enumerate(objects)
        ]

    def _known(self, situations: Sequence[Situation], commands: np.ndarray) -> tuple[Tensor, Tensor]:
        """Poses of the context frames (b, f, k, 7) and the action chunk of every step (b, h, c); before all began, the first."""
        frames, horizon = self.model.config.context, commands.shape[1]
        poses, asked = [], []
        for s, own in zip(situations, commands, strict=True):
            last = len(s.past)
            at = np.clip(np.arange(last - frames + 1, last + 1), 0, None)
            poses.append(np.concatenate([s.past.poses[at], s.past.part_poses[at]], 1))
            every = np.concatenate([s.past.commands, own])
            asked.append(every[np.clip(np.arange(last - frames + 1, last + horizon), 0, None)])
        model = self.model
        sequence = torch.from_numpy(np.stack(asked).astype(np.float32)).to(model.command_mean.device)
        chunks = torch.stack([model.chunk(sequence[:, i : i + frames]) for i in range(horizon)], 1)
        return torch.from_numpy(np.stack(poses).astype(np.float32)), chunks.cpu()

    def _summed_up(self, situation: Situation, imagined: Imagined) -> Forecast:
        """The mean future, and the mean distance of the others from it in units of what that has turned out to mean."""
        poses = torch.from_numpy(imagined.poses)
        mean = mean_pose(poses)
        points = torch.from_numpy(np.asarray(situation.cast.points, np.float64))
        apart = (points_at(points, poses) - points_at(points, mean)).norm(dim=-1).mean(-1)
        return Forecast(mean.numpy(), apart.mean(0).numpy() * float(self.model.sigma_scale))


def _bodies(cast: Cast) -> int:
    return len(cast.object_ids) + len(cast.part_ids)


def _body_points(state: Float[Tensor, "b n 14"], members: Tensor) -> Float[Tensor, "b k p 3"]:
    flat = members.flatten(1)[..., None].expand(-1, -1, 3)
    return state[..., XYZ].gather(1, flat).view(*members.shape, 3)


def _carried(motion: Float[Tensor, "b k 7"], poses: Float[Tensor, "b k 7"]) -> Float[Tensor, "b k 7"]:
    """Poses after a motion of the world they are in."""
    turned = (quat_to_matrix(motion[..., 3:]) @ poses[..., :3, None])[..., 0] + motion[..., :3]
    quats = quat_multiply(motion[..., 3:], poses[..., 3:])
    return torch.cat([turned, torch.nn.functional.normalize(quats, dim=-1)], -1)
