"""Episodes as tensors: what is drawn from them in every step of a training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from spatialwm.dynamics.episode import Episode
from spatialwm.dynamics.gwm.config import GwmConfig
from spatialwm.dynamics.gwm.template import Template, stack
from spatialwm.dynamics.motion import quat_of
from spatialwm.errors import DataError
from spatialwm.geometry.se3 import quat_multiply

MOVED_M = 0.005
"""A segment in which some object moves farther has motion in it."""
MOVING_SHARE = 0.75
"""Of the segments drawn, where there are such; most of what happens on a table is nothing."""
SHIFT, TUMBLED = 0.15, 0.1
"""Augmentation of frames: standard deviation of the shift over the size of the place; share of bodies turned any way up."""


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """E episodes of up to T steps with up to K bodies, padded."""

    templates: Template
    poses: Float[Tensor, "e t1 k 7"]
    """Objects, then the actor's parts; beyond an episode's end its last."""
    commands: Float[Tensor, "e t a"]
    rewards: Float[Tensor, "e t"]
    """NaN where not known."""
    terminations: Float[Tensor, "e t"]
    steps: Int[Tensor, " e"]
    dt_s: float
    digest: str
    """Tells one collection of episodes from another."""

    @staticmethod
    def of(episodes: Sequence[Episode], config: GwmConfig) -> Corpus:
        """All episodes.

        Raises:
            DataError: none, shorter than a training segment, of several step lengths or command widths, or not finite.
        """
        if not episodes:
            raise DataError("training needs at least one episode")
        tracks = [e.track for e in episodes]
        least, width, dt_s = config.segment - config.context, tracks[0].commands.shape[1], tracks[0].dt_s
        bodies = max(t.poses.shape[1] + t.part_poses.shape[1] for t in tracks)
        longest = max(len(t) for t in tracks)
        poses = np.tile(np.array([0, 0, 0, 1, 0, 0, 0], np.float32), (len(tracks), longest + 1, bodies, 1))
        commands = np.zeros((len(tracks), longest, width), np.float32)
        rewards, terminations = np.full((len(tracks), longest), np.nan, np.float32), np.zeros((len(tracks), longest), np.float32)
        for i, (episode, track) in enumerate(zip(episodes, tracks, strict=True)):
            steps, k = len(track), track.poses.shape[1] + track.part_poses.shape[1]
            if steps < least:
                raise DataError(f"episode {i} has {steps} steps; a segment of this model needs at least {least}")
            if track.commands.shape[1] != width or abs(track.dt_s - dt_s) > 1e-6:
                found = f"{track.commands.shape[1]} values every {track.dt_s:g} s"
                raise DataError(f"episode {i} has commands of {found}; the first has {width} values every {dt_s:g} s")
            both = np.concatenate([track.poses, track.part_poses], 1)
            if not (np.isfinite(both).all() and np.isfinite(track.commands).all()):
                raise DataError(f"episode {i} holds poses or commands that are not finite; leave it out")
            poses[i, : steps + 1, :k], poses[i, steps + 1 :, :k] = both, both[-1]
            commands[i, :steps], commands[i, steps:] = track.commands, track.commands[-1]
            if episode.rewards is not None:
                rewards[i, :steps] = episode.rewards
            terminations[i, steps - 1] = episode.terminated
        digest = hashlib.sha256(poses.tobytes() + commands.tobytes()).hexdigest()[:16]
        templates = stack([Template.of(e.cast, config.vae.gaussians, config.vae.tokens) for e in episodes])
        return Corpus(
            templates, torch.from_numpy(poses), torch.from_numpy(commands), torch.from_numpy(rewards),
            torch.from_numpy(terminations), torch.tensor([len(t) for t in tracks]), dt_s, digest,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.steps)

    def place(self) -> tuple[Float[Tensor, " 3"], Tensor, Tensor]:
        """Middle of where bodies are, the size of that place, and of a body; metres."""
        known = torch.cat([
            self.poses[e, : int(n) + 1, : int(b) + 1, :3].reshape(-1, 3)
            for e, (n, b) in enumerate(zip(self.steps, self.templates.body[:, -1], strict=True))
        ])  # fmt: skip
        middle = known.mean(0)
        extent = 2 * (known - middle).std(0).max().clamp(min=0.01)
        return middle, extent, self.templates.gaussians[..., :3].norm(dim=-1).square().mean().sqrt()

    def frames(
        self, count: int, extent: float, generator: torch.Generator
    ) -> tuple[Int[Tensor, " b"], Float[Tensor, "b k 7"]]:
        """Episodes and poses of single frames, bodies shifted and turned about: any place is a place."""
        e = torch.randint(len(self), (count,), generator=generator)
        t = (torch.rand(count, generator=generator) * (self.steps[e] + 1)).long()
        poses = self.poses[e, t].clone()
        b, k = poses.shape[:2]
        # Half of the bodies stay where they were seen, so that what is usual is met often.
        shifted = torch.rand(b, k, 1, generator=generator) < 0.5
        poses[..., :3] += shifted * SHIFT * extent * torch.randn(b, k, 3, generator=generator)
        turn = torch.zeros(b, k, 3)
        turn[..., 2] = (torch.rand(b, k, generator=generator) * 2 - 1) * torch.pi
        tumbled = torch.rand(b, k, 1, generator=generator) < TUMBLED
        turn = torch.where(tumbled, 2 * torch.randn(b, k, 3, generator=generator), turn)
        poses[..., 3:] = quat_multiply(quat_of(turn * shifted), poses[..., 3:])
        return e, poses

    def starts(self, config: GwmConfig) -> tuple[Int[Tensor, "n 2"], Int[Tensor, "m 2"]]:
        """Episode and present frame of every possible segment, and of those with motion in them."""
        ahead = config.segment - config.context
        objects = self.templates.is_actor.shape[1] - self.templates.is_actor.sum(1)
        everywhere, moving = [], []
        for e in range(len(self)):
            last = int(self.steps[e]) - ahead
            bodies = int(self.templates.body[e, int(objects[e]) - 1]) + 1 if objects[e] else 0
            here = self.poses[e, :, :bodies, :3]
            far = (here[ahead : last + ahead + 1] - here[: last + 1]).norm(dim=-1).amax(-1) if bodies else torch.zeros(last + 1)
            segments = torch.stack([torch.full((last + 1,), e), torch.arange(last + 1)], 1)
            everywhere.append(segments)
            moving.append(segments[far > MOVED_M])
        return torch.cat(everywhere), torch.cat(moving)


def draw(
    starts: tuple[Int[Tensor, "n 2"], Int[Tensor, "m 2"]], count: int, generator: torch.Generator
) -> Int[Tensor, "b 2"]:
    """Segments to train on, :data:`MOVING_SHARE` of them with motion."""
    everywhere, moving = starts
    drawn = everywhere[torch.randint(len(everywhere), (count,), generator=generator)]
    if not len(moving):
        return drawn
    others = moving[torch.randint(len(moving), (count,), generator=generator)]
    return torch.where(torch.rand(count, 1, generator=generator) < MOVING_SHARE, others, drawn)
