"""What a step is worth, and whether it ends the task: read off the latent tokens before and after it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from spatialwm.dynamics.gwm.config import OutcomeConfig

Memory = tuple[Tensor, Tensor]
"""What the LSTM carries from step to step."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Of t steps of b rollouts."""

    symlog_rewards: Float[Tensor, "b t"]
    termination_logits: Float[Tensor, "b t"]

    @property
    def rewards(self) -> Float[Tensor, "b t"]:
        """In the unit of the data."""
        return symexp(self.symlog_rewards)

    @property
    def terminations(self) -> Float[Tensor, "b t"]:
        """Probability that the step ends the task."""
        return self.termination_logits.sigmoid()


class OutcomeHeads(nn.Module):
    """Convolutions along the tokens, pooled, an LSTM along time, and one small network each for reward and termination.

    The kernels are one token wide and pooling is symmetric: the order of bodies and tokens means nothing.
    """

    def __init__(self, config: OutcomeConfig, latent_channels: int, chunk_width: int) -> None:
        super().__init__()
        c, hidden = config.channels, config.lstm
        self.convolutions = nn.Sequential(
            nn.Conv1d(2 * latent_channels + chunk_width, c, 1), nn.SiLU(), nn.Conv1d(c, c, 1), nn.SiLU(), nn.Conv1d(c, c, 1)
        )
        self.lstm = nn.LSTM(2 * c, hidden, batch_first=True)
        self.reward, self.termination = (
            nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1)) for _ in range(2)
        )

    def forward(
        self, before: Float[Tensor, "b t m c"], after: Float[Tensor, "b t m c"], chunks: Float[Tensor, "b t a"],
        memory: Memory | None = None,
    ) -> tuple[Outcome, Memory]:  # fmt: skip
        """Of consecutive steps, and the memory that goes on from the last."""
        b, t, m, _ = before.shape
        told = torch.cat([before, after, chunks[:, :, None].expand(-1, -1, m, -1)], -1)
        features = self.convolutions(told.flatten(0, 1).transpose(1, 2))
        pooled = torch.cat([features.mean(-1), features.amax(-1)], -1).view(b, t, -1)
        hidden, after_all = self.lstm(pooled, memory)
        return Outcome(self.reward(hidden)[..., 0], self.termination(hidden)[..., 0]), after_all


def outcome_loss(
    outcome: Outcome, rewards: Float[Tensor, "b t"], terminations: Float[Tensor, "b t"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Squared error of the symlog of the reward, and cross-entropy of termination; steps of unknown (NaN) reward count not."""
    known = ~rewards.isnan()
    error = (outcome.symlog_rewards - symlog(rewards.nan_to_num())) ** 2
    return (error * known).sum() / known.sum().clamp(min=1), F.binary_cross_entropy_with_logits(
        outcome.termination_logits, terminations
    )


def symlog(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Logarithm of magnitudes, odd and smooth through zero (Hafner et al. 2023)."""
    return x.sign() * x.abs().log1p()


def symexp(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """The inverse of :func:`symlog`."""
    return x.sign() * x.abs().expm1()
