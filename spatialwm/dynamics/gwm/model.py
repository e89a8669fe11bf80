"""The whole Gaussian world model: autoencoder, denoiser and outcome heads, and the scales between them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from spatialwm.dynamics.episode import Cast
from spatialwm.dynamics.gwm.config import GwmConfig
from spatialwm.dynamics.gwm.denoiser import Denoiser
from spatialwm.dynamics.gwm.edm import Network, denoised, sample
from spatialwm.dynamics.gwm.outcome import OutcomeHeads
from spatialwm.dynamics.gwm.template import Template
from spatialwm.dynamics.gwm.vae import GaussianVae


class GwmModel(nn.Module):
    """State and action to next state, in a latent space of tokens that belong to Gaussians.

    What is diffused is the *change* of the latent from one frame to the next, each channel in units of its usual size: a step
    moves most things by millimetres, which would drown in noise meant for whole scenes.
    """

    latent_mean: Tensor
    latent_std: Tensor
    change_std: Tensor
    command_mean: Tensor
    command_std: Tensor
    command_change_std: Tensor
    dt_s: Tensor
    sigma_scale: Tensor

    def __init__(self, config: GwmConfig, command_width: int) -> None:
        super().__init__()
        self.config, self.command_width = config, command_width
        channels = config.vae.latent_channels
        self.vae = GaussianVae(config.vae)
        chunk = (2 * config.context - 1) * command_width
        self.denoiser = Denoiser(config, chunk)
        self.outcome = OutcomeHeads(config.outcome, channels, chunk)
        for name, size in (("latent", channels), ("command", command_width)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_std", torch.ones(size))
        self.register_buffer("change_std", torch.ones(channels))
        self.register_buffer("command_change_std", torch.ones(command_width))
        self.register_buffer("dt_s", torch.full((), 0.1))
        # Distance from the truth over the spread of the samples, as measured on episodes kept aside.
        self.register_buffer("sigma_scale", torch.ones(()))

    def template_of(self, cast: Cast) -> Template:
        """The Gaussians of a cast as this model takes them; see :meth:`Template.of`."""
        return Template.of(cast, self.config.vae.gaussians, self.config.vae.tokens)

    def latents(self, poses: Float[Tensor, "b k 7"], template: Template) -> Float[Tensor, "b m c"]:
        """Of bodies at ``poses``, standardised."""
        return (self.vae.encode(template.posed(poses), template).mean - self.latent_mean) / self.latent_std

    def decoded(self, latents: Float[Tensor, "b m c"], template: Template) -> Float[Tensor, "b n 14"]:
        """The Gaussians that standardised latents stand for."""
        return self.vae.decode(latents * self.latent_std + self.latent_mean, template)

    def chunk(self, commands: Float[Tensor, "b k a"]) -> Float[Tensor, "b c"]:
        """An action chunk as the network takes it: commands and their differences, each in its own unit."""
        values = (commands - self.command_mean) / self.command_std
        differences = commands.diff(dim=1) / self.command_change_std
        return torch.cat([values.flatten(1), differences.flatten(1)], -1)

    def to_change(self, before: Float[Tensor, "b m c"], after: Float[Tensor, "b m c"]) -> Float[Tensor, "b m c"]:
        """What is diffused: standard deviation ``sigma_data`` in every channel."""
        return (after - before) * (self.config.edm.sigma_data / self.change_std)

    def from_change(self, before: Float[Tensor, "b m c"], change: Float[Tensor, "b m c"]) -> Float[Tensor, "b m c"]:
        """The inverse of :meth:`to_change`."""
        return before + change * (self.change_std / self.config.edm.sigma_data)

    def network(self, context: Float[Tensor, "b f m c"], chunk: Float[Tensor, "b a"], template: Template) -> Network:
        """The bare network under a context of frames, oldest first."""
        changes = [self.to_change(a, b) for a, b in zip(context[:, :-1].unbind(1), context[:, 1:].unbind(1), strict=True)]
        frames = torch.cat([context[:, -1], *changes], -1)
        own = self.vae.own(template)
        own = own.gather(1, template.anchors[..., None].expand(-1, -1, own.shape[-1]))
        body = template.token_body
        return lambda noisy, level: self.denoiser(noisy, level, frames, chunk, own, body)

    def denoised_next(
        self, context: Float[Tensor, "b f m c"], chunk: Float[Tensor, "b a"], template: Template,
        noisy_change: Float[Tensor, "b m c"], sigma: Float[Tensor, " b"],
    ) -> Float[Tensor, "b m c"]:  # fmt: skip
        """The clean change that the model sees under a noisy one."""
        return denoised(self.network(context, chunk, template), noisy_change, sigma, self.config.edm)

    def sampled_next(
        self, context: Float[Tensor, "b f m c"], chunk: Float[Tensor, "b a"], template: Template, noise: Float[Tensor, "b m c"]
    ) -> Float[Tensor, "b m c"]:
        """Latents of the next frame."""
        return self.from_change(context[:, -1], sample(self.network(context, chunk, template), noise, self.config.edm))
