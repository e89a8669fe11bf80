"""Training: what is usual of the actuator, what the past tells, what the prior gets wrong; resumes where it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from spatialwm.atomic import replacing
from spatialwm.dynamics.episode import Episode
from spatialwm.dynamics.hybrid.arrays import Casts, Pasts, pasts_of
from spatialwm.dynamics.hybrid.config import PROPERTIES, HybridConfig
from spatialwm.dynamics.hybrid.identify import WINDOW, Belief, Evidence, turned, unlikelihood
from spatialwm.dynamics.hybrid.model import Hybrid, Networks, Run, casts_in, doubts_of, drive_of, look_back
from spatialwm.dynamics.hybrid.prior import Hold, prior_of, properties_of
from spatialwm.dynamics.hybrid.servo import LOOK_BACK, fit, path
from spatialwm.dynamics.motion import points_at
from spatialwm.dynamics.table import Filling, Table
from spatialwm.dynamics.table.table import unseen
from spatialwm.errors import WorldError
from spatialwm.progress import Progress, silent

_LOOK_BACK_AT_ONCE = 64
_STARTS, _AHEAD, _MOVED_M = (10, 30, 50), 50, 0.01
"""Of calibration: forecasts of five seconds, and how far a thing must have gone to count."""
_LEEWAY = 1.5
"""Times the largest correction of calibration: beyond it a network is asked about what it never learnt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long each stage lasts and how it learns; steps and not seconds, so that a seed gives the same curve anywhere."""

    identifier_steps: int = 800
    corrector_steps: int = 900
    batch: int = 48
    rate: float = 1.5e-3
    unroll: tuple[int, ...] = (3, 6, 9)
    """Steps that are rolled out in each part of the corrector's training."""
    save_every: int = 50
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Whole episodes as tensors, and what the prior would have said of each of their steps."""

    episodes: Sequence[Episode]
    casts: Casts
    tracks: Pasts
    truth: Float[Tensor, "n k p"]
    """The properties of the things, in the units of the net."""
    evidence: Evidence
    dt_s: float


def lessons_of(episodes: Sequence[Episode], config: HybridConfig, progress: Progress = silent) -> Lessons:
    """Look back on whole episodes; most of it is spent simulating."""
    situations = [e.situation(len(e.track)) for e in episodes]
    k, steps = max(len(e.cast.object_ids) for e in episodes), max(len(e.track) for e in episodes)
    casts, tracks = casts_in(situations, config), pasts_of(situations, steps, k)
    looks: list[Evidence] = []
    for i in range(0, len(situations), _LOOK_BACK_AT_ONCE):
        progress("looking back", i / len(situations))
        part = slice(i, i + _LOOK_BACK_AT_ONCE)
        some = Pasts(tracks.poses[part], tracks.velocities[part], tracks.places[part], tracks.commands[part])
        index = torch.arange(len(situations))[part]
        looks.append(look_back(config, situations[part], casts.pick(index), some, episodes[0].track.dt_s))
    evidence = Evidence(*(torch.cat([getattr(e, f.name) for e in looks]) for f in fields(Evidence)))
    truth = torch.zeros(len(episodes), k, PROPERTIES)
    for i, episode in enumerate(episodes):
        if isinstance(episode.truth, Table):
            filling = Filling(*(v[None] for v in unseen(episode.truth)))
            truth[i, : len(episode.cast.object_ids)] = properties_of(episode.cast, filling)
    return Lessons(episodes, casts, tracks, truth, evidence, episodes[0].track.dt_s)


def train(
    networks: Networks,
    lessons: Lessons,
    recipe: Recipe,
    out: Path,
    progress: Progress = silent,
    log: Callable[[str, int, float], None] = lambda *_: None,
) -> Networks:
    """Run all stages, or what is left of them; ``out`` holds the checkpoint until the last one is done.

    Args:
        log: called as ``log(stage, step, loss)``.
    """
    stages: tuple[tuple[str, int, nn.Module, Callable[[Networks, Lessons, Recipe, int, torch.Generator], Tensor]], ...] = (
        ("identifier", recipe.identifier_steps, networks.identifier, _identifier_loss),
        ("corrector", recipe.corrector_steps, networks.corrector, _corrector_loss),
    )
    kept: dict[str, Any] = torch.load(out, weights_only=True) if out.exists() else {}
    if kept:
        networks.load_state_dict(kept["networks"])
    else:
        for _ in range(3):  # what is usual helps to tell a servo from what it pushed
            networks.usual.learn(lessons.tracks.places, lessons.tracks.commands)
    total = sum(s[1] for s in stages)
    before = 0
    for number, (name, steps, part, loss_of) in enumerate(stages):
        if kept and kept["stage"] > number:
            before += steps
            continue
        networks.train()
        rate = recipe.rate * (0.7 if name == "corrector" else 1.0)
        optimizer = torch.optim.AdamW(part.parameters(), rate, weight_decay=1e-4)
        generator = torch.Generator().manual_seed(recipe.seed + number)
        first = 0
        if kept and kept["stage"] == number:
            optimizer.load_state_dict(kept["optimizer"])
            generator.set_state(kept["generator"])
            first = kept["step"]
        for step in range(first, steps):
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 1e-6
            loss = loss_of(networks, lessons, recipe, step, generator)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(part.parameters(), 1.0)
            optimizer.step()
            log(name, step, float(loss.detach()))
            if (step + 1) % recipe.save_every == 0 or step + 1 == steps:
                progress(f"training the {name}", (before + step + 1) / total)
                last = step + 1 == steps
                _save(out, networks, optimizer, generator, number + last, 0 if last else step + 1)
        kept = {} if not kept or kept["stage"] == number else kept
        before += steps
    return networks.eval()


def calibrate(networks: Networks, episodes: Sequence[Episode], progress: Progress = silent) -> None:
    """Learn what the trained model's doubts are worth, from episodes that training never saw."""
    networks.corrector.largest.fill_(float("inf"))
    situations = [e.situation(s) for e in episodes for s in _STARTS]
    commands = np.stack([e.track.commands[s : s + _AHEAD] for e in episodes for s in _STARTS])
    true = [e.track.poses[s : s + _AHEAD + 1] for e in episodes for s in _STARTS]
    model = Hybrid(networks)
    found: list[tuple[Tensor, ...]] = []
    largest = []
    for some, futures in model.imagine(situations, commands):
        progress("calibrating", some.start / len(situations))
        doubts = doubts_of(situations[some], futures)
        largest.append(futures.largest)
        for i, (situation, poses) in enumerate(zip(situations[some], true[some], strict=True)):
            n = len(situation.cast.object_ids)
            shape = torch.from_numpy(situation.cast.points).double()
            at = points_at(shape, torch.from_numpy(poses).double())
            error = (points_at(shape, doubts.poses[i, :, :n]) - at[1:]).norm(dim=-1).mean(-1)
            moved = (at[1:] - at[:1]).norm(dim=-1).mean(-1) > _MOVED_M
            found.append((doubts.spread_m[i, :, :n], doubts.own_m[i, :, :n], doubts.gone_m[i, :, :n], error, moved))
    k = max(f[0].shape[1] for f in found)
    padded = [torch.stack([nn.functional.pad(f[j], (0, k - f[j].shape[1])) for f in found]) for j in range(5)]
    networks.calibration.fit(*padded)
    networks.corrector.largest.fill_(_LEEWAY * float(torch.stack(largest).quantile(0.999)))


def _save(
    out: Path, networks: Networks, optimizer: torch.optim.Optimizer, generator: torch.Generator, stage: int, step: int
) -> None:
    kept = {
        "networks": networks.state_dict(), "optimizer": optimizer.state_dict(), "generator": generator.get_state(),
        "stage": stage, "step": step,
    }  # fmt: skip
    with replacing(out, WorldError) as part:
        torch.save(kept, part)


def _identifier_loss(networks: Networks, lessons: Lessons, recipe: Recipe, step: int, generator: torch.Generator) -> Tensor:
    """How unlikely the truth is under what the past told."""
    which, start = _moments(lessons, 2 * recipe.batch, 0, generator)
    quarters, mirrored = (int(torch.randint(n, (1,), generator=generator)) for n in (4, 2))
    evidence, truth = turned(_known(networks, lessons, which, start), lessons.truth[which], quarters, bool(mirrored))
    return unlikelihood(networks.identifier(evidence), truth)[lessons.casts.present[which]].mean()


def _corrector_loss(networks: Networks, lessons: Lessons, recipe: Recipe, step: int, generator: torch.Generator) -> Tensor:
    """Distance of the points after each step of a rollout, and how well it was foreseen."""
    ahead = recipe.unroll[min(len(recipe.unroll) * step // recipe.corrector_steps, len(recipe.unroll) - 1)]
    which, start = _moments(lessons, recipe.batch, ahead, generator)
    with torch.no_grad():
        belief = _belief(networks, lessons, which, start)
    members = torch.randint(networks.config.members, (len(which),), generator=generator)
    sure = (members == 0)[:, None, None]
    noise = torch.randn(belief.mean.shape, generator=generator)
    properties = torch.where(sure, belief.mean, belief.mean + noise * belief.sigma)
    doubts = torch.where(sure, belief.sigma, torch.zeros_like(belief.sigma))
    casts, tracks = lessons.casts.pick(which), lessons.tracks
    situations = [lessons.episodes[int(e)].situation(int(s)) for e, s in zip(which, start, strict=True)]
    total = tracks.poses.new_zeros(())
    weight = casts.present.float() / casts.present.sum()
    pasts = pasts_of(situations, LOOK_BACK, casts.points.shape[1])
    servo = fit(networks.usual, pasts.places, pasts.commands)
    asked = torch.stack([tracks.commands[which, start + h] for h in range(ahead)], 1)
    with prior_of(networks.config, situations, properties, drive_of(servo)) as prior:
        if isinstance(prior, Hold):
            prior.follow(path(servo, pasts.places, pasts.commands, asked).double().numpy())
        run = Run(networks, prior, casts, properties, doubts, lessons.dt_s)
        sigma = torch.zeros_like(weight)
        for h in range(ahead):
            correction = run.step(asked[:, h].double().numpy(), members)
            true = tracks.poses[which, start + h + 1]
            off = (points_at(casts.points, run.poses.float()) - points_at(casts.points, true)).norm(dim=-1).mean(-1)
            sigma = sigma + correction.log_sigma.exp()
            speed = ((run.velocities.float() - tracks.velocities[which, start + h + 1]) * lessons.dt_s)[..., :3].norm(dim=-1)
            doubt = off.detach() / (sigma + 1e-4) + (sigma + 1e-4).log()
            total = total + (weight * ((off + 0.3 * speed) / 0.005 + 0.05 * doubt)).sum() / ahead
    return total


def _moments(lessons: Lessons, count: int, ahead: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Episodes and steps to start from; four in five of them where something moves soon after."""
    n, t = lessons.tracks.commands.shape[:2]
    which = torch.randint(n, (count,), generator=generator)
    start = torch.randint(1, t - max(ahead, 1) + 1, (count,), generator=generator)
    if not ahead:
        return which, start
    for _ in range(6):
        windows = [((start + h) // WINDOW).clamp_max(t // WINDOW - 1) for h in range(ahead)]
        soon = torch.stack([lessons.evidence.active[which, w].any(-1) for w in windows]).any(0)
        again = ~soon & (torch.rand(count, generator=generator) < 0.8)
        which = torch.where(again, torch.randint(n, (count,), generator=generator), which)
        start = torch.where(again, torch.randint(1, t - ahead + 1, (count,), generator=generator), start)
    return which, start


def _known(networks: Networks, lessons: Lessons, which: Tensor, start: Tensor) -> Evidence:
    """What could be looked back upon then."""
    windows = torch.arange(lessons.evidence.active.shape[1])
    now = start[:, None] // WINDOW
    known = (windows < now) & (windows >= now - networks.config.memory // WINDOW)
    return lessons.evidence.pick(which).until(known)


def _belief(networks: Networks, lessons: Lessons, which: Tensor, start: Tensor) -> Belief:
    """What was believed then."""
    return networks.identifier(_known(networks, lessons, which, start))
