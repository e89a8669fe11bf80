"""Gaussians to latent tokens and back. A body is encoded and decoded by its own tokens: what stands elsewhere cannot move it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from spatialwm.dynamics.gwm.attention import Block
from spatialwm.dynamics.gwm.config import VaeConfig
from spatialwm.dynamics.gwm.template import DC, LOG_SCALES, LOGIT, QUATS, STATE_WIDTH, XYZ, Template
from spatialwm.dynamics.motion import inverse_quat
from spatialwm.geometry.se3 import matrix_to_quat, quat_multiply, quat_to_matrix

OWN_WIDTH, WORLD_WIDTH = 15, 33
OCTAVES = 3
MAX_LOG_VARIANCE = 12.0
QUIET = -8.0
"""Log variance to start with: millimetres drown in more noise until the weights have grown, for a thousand steps."""
TYPICAL_ERROR_M = 0.01
"""Position errors are squared below it and absolute above."""
WEIGHTS = {"xyz": 1.0, "quats": 1.0, "attributes": 0.1}


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What the encoder says of the latent tokens: a diagonal normal distribution."""

    mean: Float[Tensor, "b m c"]
    log_variance: Float[Tensor, "b m c"]

    def sample(self, noise: Float[Tensor, "b m c"]) -> Float[Tensor, "b m c"]:
        """The latent that standard normal ``noise`` picks; differentiable."""
        return self.mean + noise * (0.5 * self.log_variance).exp()

    def kl(self) -> Float[Tensor, ""]:
        """Nats from the standard normal distribution, mean over all latent values."""
        return 0.5 * (self.mean**2 + self.log_variance.exp() - 1 - self.log_variance).mean()


class GaussianVae(nn.Module):
    """A variational autoencoder of posed templates.

    The encoder sees the Gaussians where they are: farthest-point anchors attend to the Gaussians of their body, then to each
    other. The decoder asks for every Gaussian of the template by what it is in its body's frame, and is never shown where it
    is: that must come through the latent. It answers with a frame and small changes of the other attributes, so an untrained
    decoder already draws every body whole.
    """

    center: Tensor
    extent: Tensor
    reach: Tensor

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        width = config.width
        self.config = config
        # Metres: the middle and the size of the places trained on, and the size of a body.
        self.register_buffer("center", torch.zeros(3))
        self.register_buffer("extent", torch.ones(()))
        self.register_buffer("reach", torch.full((), 0.1))
        self.embed = nn.Linear(OWN_WIDTH + WORLD_WIDTH, width)
        self.gather = Block(width, config.heads)
        self.mix = nn.ModuleList(Block(width, config.heads) for _ in range(config.self_attention_layers))
        self.to_posterior = nn.Linear(width, 2 * config.latent_channels)
        self.from_latent = nn.Linear(config.latent_channels, width)
        self.whose = nn.Linear(OWN_WIDTH, width)
        self.ask = nn.Sequential(nn.Linear(OWN_WIDTH, width), nn.GELU(), nn.Linear(width, width))
        self.answer = Block(width, config.heads)
        self.head = nn.Linear(width, 16)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([0.0, 0, 0, 1, 0, 0, 0, 1, 0, *[0.0] * 7]))
            self.to_posterior.bias[config.latent_channels :] = QUIET

    def own(self, template: Template) -> Float[Tensor, "b n f"]:
        """What each Gaussian is, wherever its body may be."""
        g = template.gaussians
        quats = torch.where(g[..., 6:7] < 0, -g[..., QUATS], g[..., QUATS])
        parts = [g[..., XYZ] / self.reach, g[..., LOG_SCALES] - self.reach.log() + 2, quats, g[..., DC], g[..., LOGIT] / 5]
        return torch.cat([*parts, template.is_actor[..., None]], -1)

    def encode(self, state: Float[Tensor, "b n 14"], template: Template) -> Posterior:
        """The latent tokens of a posed template."""
        seen = self.embed(torch.cat([self.own(template), self._world(state, template)], -1))
        anchors = template.anchors[..., None].expand(-1, -1, seen.shape[-1])
        tokens = self.gather(seen.gather(1, anchors), seen, _same(template.token_body, template.body))
        together = _same(template.token_body, template.token_body)
        for block in self.mix:
            tokens = block(tokens, tokens, together)
        mean, log_variance = self.to_posterior(tokens).chunk(2, -1)
        return Posterior(mean, log_variance.clamp(-MAX_LOG_VARIANCE, MAX_LOG_VARIANCE))

    def decode(self, latents: Float[Tensor, "b m c"], template: Template) -> Float[Tensor, "b n 14"]:
        """Every Gaussian of the template, where the latent says it is."""
        own = self.own(template)
        anchors = template.anchors[..., None].expand(-1, -1, OWN_WIDTH)
        memory = self.from_latent(latents) + self.whose(own.gather(1, anchors))
        out = self.head(self.answer(self.ask(own), memory, _same(template.body, template.token_body)))
        rotation, g = _rotation(out[..., 3:9]), template.gaussians
        means = self.center + self.extent * out[..., :3] + (rotation @ g[..., XYZ, None])[..., 0]
        quats = quat_multiply(matrix_to_quat(rotation), g[..., QUATS])
        return torch.cat([means, g[..., LOG_SCALES] + out[..., 9:12], quats, g[..., DC] + out[..., 12:15],
                          g[..., LOGIT] + out[..., 15:]], -1)  # fmt: skip

    def _world(self, state: Tensor, template: Template) -> Float[Tensor, "b n f"]:
        place = (state[..., XYZ] - self.center) / self.extent
        waves = torch.cat([place * (math.pi * 2**i) for i in range(OCTAVES)], -1)
        turn = quat_multiply(state[..., QUATS], inverse_quat(template.gaussians[..., QUATS]))
        rotation = quat_to_matrix(turn)
        # Where this Gaussian says that the origin of its body is; every one of them says it with its own error.
        origin = (state[..., XYZ] - (rotation @ template.gaussians[..., XYZ, None])[..., 0] - self.center) / self.extent
        return torch.cat([place, waves.sin(), waves.cos(), rotation.flatten(-2), origin], -1)


def reconstruction_loss(decoded: Float[Tensor, "b n 14"], target: Float[Tensor, "b n 14"]) -> Float[Tensor, ""]:
    """How far Gaussians are from those they stand for; 0 only if they are the same.

    Both come in the template's order, so the order plays no part, and each is compared with itself, which no nearest-neighbour
    distance between sets can promise.
    """
    near = F.smooth_l1_loss(decoded[..., XYZ] / TYPICAL_ERROR_M, target[..., XYZ] / TYPICAL_ERROR_M)
    turned = 1 - (F.normalize(decoded[..., QUATS], dim=-1) * F.normalize(target[..., QUATS], dim=-1)).sum(-1) ** 2
    rest = [*range(3, 6), *range(10, STATE_WIDTH)]
    other = F.mse_loss(decoded[..., rest], target[..., rest])
    return WEIGHTS["xyz"] * near + WEIGHTS["quats"] * turned.mean() + WEIGHTS["attributes"] * other


def chamfer(a: Float[Tensor, "b n 3"], b: Float[Tensor, "b m 3"]) -> Float[Tensor, " b"]:
    """Mean distance to the nearest of the other set, mean of both ways, metres."""
    apart = torch.cdist(a, b)
    return (apart.amin(2).mean(1) + apart.amin(1).mean(1)) / 2


def _same(queries: Tensor, keys: Tensor) -> Bool[Tensor, "b 1 q k"]:
    return (queries[:, :, None] == keys[:, None, :])[:, None]


def _rotation(six: Float[Tensor, "*n 6"]) -> Float[Tensor, "*n 3 3"]:
    """Rotation of two columns made orthonormal. Source: Zhou et al. 2019, "On the continuity of rotation representations"."""
    first = F.normalize(six[..., :3], dim=-1)
    second = F.normalize(six[..., 3:] - (first * six[..., 3:]).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)
