"""Learning the Gaussian world model: first the autoencoder, then, in its latent space, the dynamics and the outcomes."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from spatialwm.dynamics.episode import Episode
from spatialwm.dynamics.gwm.config import GwmConfig
from spatialwm.dynamics.gwm.corpus import Corpus, draw
from spatialwm.dynamics.gwm.edm import loss_weight, training_sigmas
from spatialwm.dynamics.gwm.loop import Budget, Ended, Loop
from spatialwm.dynamics.gwm.measure import Measured, measure
from spatialwm.dynamics.gwm.model import GwmModel
from spatialwm.dynamics.gwm.outcome import outcome_loss
from spatialwm.dynamics.gwm.template import Template
from spatialwm.dynamics.gwm.vae import reconstruction_loss
from spatialwm.dynamics.gwm.weights import write_weights
from spatialwm.progress import Progress, part_of, silent
from spatialwm.ranks import Ranks

VAE_SHARE = 0.3
"""Of the budget of a whole training."""
KEPT_ASIDE = 0.1
"""Share of the episodes, the last ones, that are not trained on but measured on."""
ENCODED_AT_ONCE = 256
"""Frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What a training ends with."""

    model: GwmModel
    weights: Path
    vae: Ended
    dynamics: Ended
    measured: Measured | None
    """On the episodes kept aside; None when there were too few to keep any."""


def train(
    config: GwmConfig, episodes: Sequence[Episode], out: Path, *, steps: int | None = None, seconds: float | None = None,
    seed: int = 0, device: str = "auto", progress: Progress = silent, facts: dict[str, Any] | None = None,
) -> Trained:  # fmt: skip
    """Train from nothing to weights in ``out``; called again after an interruption it goes on where it was.

    Under ``torchrun`` every process calls this with the same arguments, and each batch is shared out among them.

    Args:
        out: a folder for checkpoints, logs and ``gwm-NAME.safetensors``.
        steps, seconds: the budget of the whole, one of them; a number of steps gives the same weights again.
        device: ``auto`` takes a GPU where there is one.
        facts: what else the model card shall say: the command, where the episodes are from.

    Raises:
        DataError: the episodes do not fit together or the model.
        ShapeError: a cast has more bodies than the model has tokens.
        FormatError: ``out`` holds checkpoints of another training.
    """
    budget, ranks = Budget(steps=steps, seconds=seconds), Ranks()
    ranks.from_first(lambda: out.mkdir(parents=True, exist_ok=True))
    aside = round(KEPT_ASIDE * len(episodes))
    corpus = Corpus.of(episodes[: len(episodes) - aside], config)
    model = new_model(config, corpus.commands.shape[-1], seed).to(device_named(device))
    first, second = part_of(progress, 0.0, VAE_SHARE), part_of(progress, VAE_SHARE, 0.97)
    vae = train_vae(model, corpus, budget.part(VAE_SHARE), out, seed=seed, progress=first, ranks=ranks)
    dynamics = train_dynamics(model, corpus, budget.part(1 - VAE_SHARE), out, seed=seed + 1, progress=second, ranks=ranks)
    model.eval().requires_grad_(False)
    measured = measure(model, episodes[len(episodes) - aside :], seed=seed) if aside else None
    if measured is not None:
        model.sigma_scale.fill_(measured.sigma_scale)
    weights = out / f"gwm-{config.name}.safetensors"
    card = {
        "episodes": len(corpus), "data": corpus.digest, "seed": seed, "vae_steps": vae.steps, "dynamics_steps": dynamics.steps,
        "seconds": round(vae.seconds + dynamics.seconds, 1), "processes": ranks.count, "hardware": _hardware(model),
        "torch": torch.__version__, "measured": measured.to_dict() if measured is not None else None, **(facts or {}),
    }  # fmt: skip
    ranks.from_first(lambda: write_weights(weights, model, card))
    progress("trained", 1.0)
    return Trained(model, weights, vae, dynamics, measured)


def new_model(config: GwmConfig, command_width: int, seed: int = 0) -> GwmModel:
    """An untrained model; the same seed gives the same weights."""
    with torch.random.fork_rng():  # torch's initialisers know no generator but the global one
        torch.manual_seed(seed)
        return GwmModel(config, command_width)


def train_vae(
    model: GwmModel, corpus: Corpus, budget: Budget, out: Path, *, seed: int = 0, progress: Progress = silent,
    ranks: Ranks | None = None,
) -> Ended:  # fmt: skip
    """Learn to bring single frames to latent tokens and back."""
    ranks, config, vae = ranks or Ranks(), model.config, model.vae
    for buffer, value in zip((vae.center, vae.extent, vae.reach), corpus.place(), strict=True):
        buffer.copy_(value)
    model.dt_s.fill_(corpus.dt_s)
    extent, channels, device = float(vae.extent), config.vae.latent_channels, vae.center.device

    def losses(generator: torch.Generator) -> dict[str, Tensor]:
        count = config.training.vae_batch
        episodes, poses = corpus.frames(count, extent, generator)
        noise = torch.randn(count, config.vae.tokens, channels, generator=generator)
        mine = slice(ranks.rank, None, ranks.count)
        template = corpus.templates.take(episodes[mine]).to(device)
        state = template.posed(poses[mine].to(device))
        posterior = vae.encode(state, template)
        reconstruction = reconstruction_loss(vae.decode(posterior.sample(noise[mine].to(device)), template), state)
        kl = posterior.kl()
        return {"loss": reconstruction + config.vae.kl_weight * kl, "reconstruction": reconstruction, "kl": kl}

    rate = config.training.vae_learning_rate
    loop = Loop("vae", model, vae, rate, config.training, budget, out, seed=seed, facts=_facts(model, corpus), ranks=ranks)
    return loop.run(losses, progress)


def train_dynamics(
    model: GwmModel, corpus: Corpus, budget: Budget, out: Path, *, seed: int = 0, progress: Progress = silent,
    ranks: Ranks | None = None,
) -> Ended:  # fmt: skip
    """Learn what follows, what it is worth and whether it ends the task, in the latent space of a trained autoencoder.

    Only the first context of a segment is data: the frames after it are the model's own denoised outputs, so that it learns to
    go on from what it makes itself.
    """
    ranks, config = ranks or Ranks(), model.config
    model.vae.requires_grad_(False)
    latents = _standardise(model, corpus)
    learning, starts, device = nn.ModuleList([model.denoiser, model.outcome]), corpus.starts(config), model.change_std.device
    ahead = config.segment - config.context
    frame_offsets = torch.arange(1 - config.context, ahead + 1)

    def losses(generator: torch.Generator) -> dict[str, Tensor]:
        segments = draw(starts, config.training.batch, generator)
        normal = torch.randn(len(segments), ahead, generator=generator)
        noise = torch.randn(len(segments), ahead, *latents.shape[2:], generator=generator)
        mine = slice(ranks.rank, None, ranks.count)
        e, present, normal, noise = segments[mine, :1], segments[mine, 1:], normal[mine].to(device), noise[mine].to(device)
        template = corpus.templates.take(e[:, 0]).to(device)
        frames = latents[e, (present + frame_offsets).clamp(min=0)].to(device)
        chunks = action_chunks(model, corpus.commands[e[:, 0]].to(device), present.to(device), ahead)
        denoising = _rolled_out(model, frames, chunks, template, training_sigmas(config.edm, normal), noise)
        last = config.context - 1
        outcome, _ = model.outcome(frames[:, last:-1], frames[:, config.context :], chunks)
        steps = present + torch.arange(ahead)
        reward, termination = outcome_loss(outcome, corpus.rewards[e, steps].to(device), corpus.terminations[e, steps].to(device))
        return {"loss": denoising + reward + termination, "denoising": denoising, "reward": reward, "termination": termination}

    rate, facts = config.training.learning_rate, _facts(model, corpus)
    loop = Loop("dynamics", model, learning, rate, config.training, budget, out, seed=seed, facts=facts, ranks=ranks)
    return loop.run(losses, progress)


def action_chunks(
    model: GwmModel, commands: Float[Tensor, "b t a"], present: Int[Tensor, "b 1"], ahead: int
) -> Float[Tensor, "b h c"]:
    """The chunk of each of ``ahead`` steps: its own command and those before; before the first there is only the first."""
    offsets = torch.arange(1 - model.config.context, 1, device=commands.device)
    rows = []
    for step in range(ahead):
        index = (present + step + offsets).clamp(min=0)
        rows.append(model.chunk(commands.gather(1, index[..., None].expand(-1, -1, commands.shape[-1]))))
    return torch.stack(rows, 1)


def device_named(device: str) -> torch.device:
    """``auto`` is the GPU of this process, or the processor."""
    if device != "auto":
        return torch.device(device)
    return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else torch.device("cpu")


def _rolled_out(
    model: GwmModel, frames: Float[Tensor, "b s m c"], chunks: Float[Tensor, "b h c2"], template: Template,
    sigmas: Float[Tensor, "b h"], noise: Float[Tensor, "b h m c"],
) -> Float[Tensor, ""]:  # fmt: skip
    """The loss of denoising frame after frame, each from a context that ends in what was denoised before it."""
    config, total = model.config, torch.zeros((), device=frames.device)
    context = frames[:, : config.context]
    for step in range(chunks.shape[1]):
        sigma = sigmas[:, step]
        target = model.to_change(context[:, -1], frames[:, config.context + step])
        noisy = target + sigma[:, None, None] * noise[:, step]
        clean = model.denoised_next(context, chunks[:, step], template, noisy, sigma)
        total = total + (loss_weight(sigma, config.edm) * ((clean - target) ** 2).mean((1, 2))).mean()
        own = model.from_change(context[:, -1], clean.detach())
        context = torch.cat([context[:, 1:], own[:, None]], 1)
    return total / chunks.shape[1]


@torch.no_grad()
def _standardise(model: GwmModel, corpus: Corpus) -> Float[Tensor, "e t1 m c"]:
    """Encode everything once, and fix the units of latents, of their changes and of commands."""
    device = model.change_std.device
    model.latent_mean.zero_()
    model.latent_std.fill_(1.0)
    rows, frames = [], corpus.poses.shape[1]
    for e in range(len(corpus)):
        template = corpus.templates.take(torch.full((ENCODED_AT_ONCE,), e)).to(device)
        parts = corpus.poses[e].to(device).split(ENCODED_AT_ONCE)
        rows.append(torch.cat([
            model.latents(p, template.take(torch.arange(len(p), device=device))).cpu() for p in parts
        ]))  # fmt: skip
    latents = torch.stack(rows)
    within = (torch.arange(frames) <= corpus.steps[:, None])
    known = latents[within].flatten(0, 1)
    mean, std = known.mean(0), known.std(0).clamp(min=1e-4)
    model.latent_mean.copy_(mean)
    model.latent_std.copy_(std)
    latents = (latents - mean) / std
    changes = latents.diff(dim=1)[within[:, 1:]].flatten(0, 1)
    model.change_std.copy_(changes.square().mean(0).sqrt().clamp(min=1e-4))
    commands = corpus.commands[within[:, 1:]]
    model.command_mean.copy_(commands.mean(0))
    model.command_std.copy_(commands.std(0).clamp(min=1e-6))
    differences = corpus.commands.diff(dim=1)[within[:, 2:]]
    model.command_change_std.copy_(differences.square().mean(0).sqrt().clamp(min=1e-6))
    return latents


def _facts(model: GwmModel, corpus: Corpus) -> dict[str, Any]:
    """What two trainings must share for one to go on where the other stopped."""
    return {"config": model.config.to_dict(), "data": corpus.digest}


def _hardware(model: GwmModel) -> str:
    if model.change_std.is_cuda:
        return torch.cuda.get_device_name(model.change_std.device)
    return f"{platform.machine()} processor, {torch.get_num_threads()} threads"
