"""The diffusion transformer: from the noisy change of the latent tokens, the context and the commands to the clean change."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spatialwm.dynamics.gwm.attention import AdaptiveBlock
from spatialwm.dynamics.gwm.config import GwmConfig
from spatialwm.dynamics.gwm.vae import OWN_WIDTH


class Denoiser(nn.Module):
    """Tokens attend to all tokens; noise level and action chunk act through adaLN-zero; context frames lie on the channels."""

    frequencies: Tensor

    def __init__(self, config: GwmConfig, chunk_width: int) -> None:
        super().__init__()
        hidden, channels = config.denoiser.hidden, config.vae.latent_channels
        self.into = nn.Linear((1 + config.context) * channels, hidden)
        self.whose = nn.Linear(OWN_WIDTH, hidden)
        self.register_buffer("frequencies", 2.0 ** torch.linspace(-2, 5, hidden // 4))
        self.noise_level = nn.Sequential(nn.Linear(2 * (hidden // 4), hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.action = nn.Sequential(nn.Linear(chunk_width, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.blocks = nn.ModuleList(AdaptiveBlock(hidden, config.denoiser.heads) for _ in range(config.denoiser.depth))
        self.norm = nn.LayerNorm(hidden, elementwise_affine=False)
        self.modulation, self.out = nn.Linear(hidden, 2 * hidden), nn.Linear(hidden, channels)
        for layer in (self.modulation, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        noisy: Float[Tensor, "b m c"],
        level: Float[Tensor, " b"],
        context: Float[Tensor, "b m d"],
        chunk: Float[Tensor, "b a"],
        own: Float[Tensor, "b m f"],
        body: Int[Tensor, "b m"],
    ) -> Float[Tensor, "b m c"]:
        """The bare network of the preconditioned denoiser.

        Args:
            level: the code of the noise level.
            chunk: commands of the context and of the step to come, standardised.
            own: what the Gaussians are that the tokens belong to.
            body: the body of each token; only which are equal matters.
        """
        waves = level[:, None] * self.frequencies
        condition = self.noise_level(torch.cat([waves.sin(), waves.cos()], -1)) + self.action(chunk)
        together = (body[:, :, None] == body[:, None, :]).to(noisy.dtype)[:, None]
        x = self.into(torch.cat([noisy, context], -1)) + self.whose(own)
        for block in self.blocks:
            x = block(x, condition, together)
        shift, scale = self.modulation(nn.functional.silu(condition))[:, None].chunk(2, -1)
        return self.out(self.norm(x) * (1 + scale) + shift)
