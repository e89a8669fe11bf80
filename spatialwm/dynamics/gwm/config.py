"""Sizes of the Gaussian world model: frozen values, from one that a laptop trains in minutes to the published one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from spatialwm.errors import SpatialwmError


@dataclass(frozen=True, slots=True, kw_only=True)
class VaeConfig:
    """What brings Gaussians to latent tokens and back."""

    gaussians: int
    """Per scene, spread evenly over its bodies."""
    tokens: int
    latent_channels: int
    width: int
    heads: int
    self_attention_layers: int
    kl_weight: float = 2e-4
    """Of nats per latent value, beside a position loss of about 1 at an error of one centimetre."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiserConfig:
    """The diffusion transformer."""

    hidden: int
    depth: int
    heads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeConfig:
    """The reward and termination heads."""

    channels: int
    lstm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EdmConfig:
    """Noise levels. Source: Karras et al. 2022, "Elucidating the design space of diffusion-based generative models"."""

    sigma_data: float = 0.5
    p_mean: float = -1.2
    p_std: float = 1.2
    sigma_min: float = 2e-3
    sigma_max: float = 20.0
    rho: float = 7.0
    steps: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How it is learnt; batches are those of all processes together."""

    vae_batch: int
    batch: int
    learning_rate: float
    vae_learning_rate: float
    weight_decay: float = 1e-2
    warmup: float = 0.03
    """Share of the training over which the rate rises; from there it falls along a cosine."""
    max_gradient: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GwmConfig:
    """Everything that fixes the shapes of the weights, and how they are learnt."""

    name: str
    vae: VaeConfig
    denoiser: DenoiserConfig
    outcome: OutcomeConfig
    training: TrainingConfig
    edm: EdmConfig = EdmConfig()
    context: int = 2
    """Frames that the next is predicted from; as many commands make the action chunk."""
    segment: int = 10
    """Frames of a training segment: the context is given, the rest follows from the model's own denoised outputs."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a model card."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> GwmConfig:
        """The inverse of :meth:`to_dict`."""
        parts = {
            "vae": VaeConfig, "denoiser": DenoiserConfig, "outcome": OutcomeConfig, "training": TrainingConfig, "edm": EdmConfig,
        }  # fmt: skip
        return GwmConfig(**{name: parts[name](**v) if name in parts else v for name, v in values.items()})


TINY = GwmConfig(
    name="tiny",
    vae=VaeConfig(gaussians=120, tokens=20, latent_channels=12, width=64, heads=4, self_attention_layers=1),
    denoiser=DenoiserConfig(hidden=96, depth=4, heads=4),
    outcome=OutcomeConfig(channels=32, lstm=48),
    training=TrainingConfig(vae_batch=32, batch=16, learning_rate=1.5e-3, vae_learning_rate=2e-3),
    segment=5,
)
"""About a million parameters; minutes on one processor core."""

SMALL = GwmConfig(
    name="small",
    vae=VaeConfig(gaussians=512, tokens=32, latent_channels=24, width=128, heads=4, self_attention_layers=2),
    denoiser=DenoiserConfig(hidden=192, depth=6, heads=6),
    outcome=OutcomeConfig(channels=64, lstm=128),
    training=TrainingConfig(vae_batch=64, batch=32, learning_rate=6e-4, vae_learning_rate=1e-3),
    segment=8,
)
"""Hours on a processor, minutes on a GPU."""

RELEASED = GwmConfig(
    name="released",
    vae=VaeConfig(gaussians=2048, tokens=64, latent_channels=64, width=384, heads=6, self_attention_layers=4),
    denoiser=DenoiserConfig(hidden=384, depth=12, heads=6),
    outcome=OutcomeConfig(channels=128, lstm=384),
    training=TrainingConfig(vae_batch=64, batch=32, learning_rate=2e-4, vae_learning_rate=4e-4),
)
"""The published sizes (Lu et al. 2025, "GWM: Towards scalable Gaussian world models"); the width of its VAE is not published."""

CONFIGS = {config.name: config for config in (TINY, SMALL, RELEASED)}


def config_named(name: str) -> GwmConfig:
    """One of :data:`CONFIGS`.

    Raises:
        SpatialwmError: there is none of that name.
    """
    if name not in CONFIGS:
        raise SpatialwmError(f"no Gaussian world model is called {name!r}; choose one of {', '.join(CONFIGS)}")
    return CONFIGS[name]
