"""Diffusion as Karras et al. 2022 set it out: preconditioning, noise levels and the Euler sampler; nothing is clamped."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from spatialwm.dynamics.gwm.config import EdmConfig

Network = Callable[[Tensor, Tensor], Tensor]
"""Takes scaled noisy tokens (b, m, c) and the noise level's code (b,); returns tokens like the first."""


def sigmas(config: EdmConfig) -> Float[Tensor, " s"]:
    """The sampler's noise levels, falling from ``sigma_max`` to ``sigma_min``, then 0 (equation 5)."""
    share = torch.linspace(0, 1, config.steps, dtype=torch.float64)
    high, low = config.sigma_max ** (1 / config.rho), config.sigma_min ** (1 / config.rho)
    return torch.cat([(high + share * (low - high)) ** config.rho, torch.zeros(1, dtype=torch.float64)]).float()


def training_sigmas(config: EdmConfig, normal: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Noise levels to train at, log-normal, from standard normal numbers."""
    return (config.p_mean + config.p_std * normal).exp()


def denoised(
    network: Network, noisy: Float[Tensor, "b m c"], sigma: Float[Tensor, " b"], config: EdmConfig
) -> Float[Tensor, "b m c"]:
    """The network's guess of what is under the noise (table 1, equation 7), of any magnitude."""
    s, data = sigma[:, None, None], config.sigma_data
    total = (s**2 + data**2).sqrt()
    return data**2 / total**2 * noisy + s * data / total * network(noisy / total, sigma.log() / 4)


def loss_weight(sigma: Float[Tensor, " b"], config: EdmConfig) -> Float[Tensor, " b"]:
    """Makes the effective loss of the bare network alike at every noise level."""
    return (sigma**2 + config.sigma_data**2) / (sigma * config.sigma_data) ** 2


def sample(network: Network, noise: Float[Tensor, "b m c"], config: EdmConfig) -> Float[Tensor, "b m c"]:
    """Values drawn by Euler steps from standard normal noise (algorithm 1 without churn and second order)."""
    levels = sigmas(config).to(noise)
    x = noise * levels[0]
    for sigma, following in pairwise(levels):
        slope = (x - denoised(network, x, sigma.expand(len(x)), config)) / sigma
        x = x + (following - sigma) * slope
    return x
