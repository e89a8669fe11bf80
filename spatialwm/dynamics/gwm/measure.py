"""How well a trained model does on episodes it has not seen, beside the assumption that nothing moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch

from spatialwm.dynamics.episode import Episode, Forecast
from spatialwm.dynamics.gwm.forecaster import Gwm
from spatialwm.dynamics.gwm.model import GwmModel
from spatialwm.dynamics.gwm.pictures import camera_over, drawn, dynamic_region, region_psnr
from spatialwm.dynamics.gwm.template import XYZ
from spatialwm.dynamics.gwm.vae import chamfer
from spatialwm.dynamics.motion import points_at

HORIZONS = (1, 10, 30)
MOVED_M = 0.005
"""Objects that truly move less count neither for the model nor for standing still."""
WINDOWS, PICTURES = 96, 12
"""At most; a card is not an evaluation."""
FRAMES = 4
"""Of each episode, to measure the autoencoder on."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Of objects that moved, means by horizon in steps."""

    point_mm: dict[int, float] = field(default_factory=dict)
    """From predicted to true points."""
    chamfer_mm: dict[int, float] = field(default_factory=dict)
    region_psnr_db: dict[int, float] = field(default_factory=dict)
    """Of rendered pictures, where the true picture changes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a model card says."""

    vae_point_mm: float
    """From where a Gaussian is to where the autoencoder puts it."""
    vae_chamfer_mm: float
    model: Errors
    copy: Errors
    """The same if nothing moved."""
    windows: int
    sigma_scale: float
    """Distance of predicted from true points over the distance of samples from their mean."""

    def to_dict(self) -> dict[str, Any]:
        """For a model card."""
        return asdict(self)


def measure(model: GwmModel, episodes: Sequence[Episode], seed: int = 0) -> Measured:
    """Forecasts from starts spread over the episodes, as far as the longest horizon or the shortest episode goes."""
    gwm, rng = Gwm(model), np.random.default_rng(seed)
    ahead = min(max(HORIZONS), min(len(e.track) for e in episodes))
    each = max(1, WINDOWS // len(episodes))
    starts = [(e, int(s)) for e in episodes[:WINDOWS] for s in rng.integers(0, len(e.track) - ahead + 1, each)]
    commands = np.stack([e.track.commands[s : s + ahead] for e, s in starts])
    forecasts = gwm.forecast([e.situation(s) for e, s in starts], commands)
    still = [unmoved(e, s, ahead) for e, s in starts]
    near, between = _reconstruction(model, episodes[:WINDOWS])
    told = sum(float(f.sigma_m.sum()) for f in forecasts) / float(model.sigma_scale)
    true = sum(float(_apart(e, s, f)[0].sum()) for (e, s), f in zip(starts, forecasts, strict=True))
    scale = true / told if told > 1e-6 else 1.0  # an untrained model knows no spread
    return Measured(near, between, errors(starts, forecasts), errors(starts, still), len(starts), scale)


def errors(starts: Sequence[tuple[Episode, int]], forecasts: Sequence[Forecast]) -> Errors:
    """Of forecasts of what came after steps of episodes."""
    ahead = len(forecasts[0].poses)
    horizons = [h for h in HORIZONS if h <= ahead]
    point: dict[int, list[float]] = {h: [] for h in horizons}
    between: dict[int, list[float]] = {h: [] for h in horizons}
    seen: dict[int, list[float]] = {h: [] for h in horizons}
    pictured = set(np.linspace(0, len(starts) - 1, min(PICTURES, len(starts))).astype(int).tolist())
    for i, ((episode, start), forecast) in enumerate(zip(starts, forecasts, strict=True)):
        wrong, moved, sets = _apart(episode, start, forecast)
        for h in horizons:
            which = moved[h - 1] > MOVED_M
            point[h] += wrong[h - 1][which].tolist()
            between[h] += sets[h - 1][which].tolist()
            if i in pictured and bool(which.any()):
                seen[h] += _seen(episode, start, forecast, h)
    means = [{h: round(scale * float(np.mean(v)), 3) for h, v in d.items() if v}
             for scale, d in ((1e3, point), (1e3, between), (1.0, seen))]  # fmt: skip
    return Errors(*means)


def _apart(episode: Episode, start: int, forecast: Forecast) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Per step and object, metres: from predicted to true points, how far those truly came, and the distance of the two sets."""
    ahead = len(forecast.poses)
    points = torch.from_numpy(np.asarray(episode.cast.points, np.float64))
    poses = torch.from_numpy(np.asarray(episode.track.poses[start : start + ahead + 1], np.float64))
    before, after = points_at(points, poses[0]), points_at(points, poses[1:])
    guess = points_at(points, torch.from_numpy(forecast.poses))
    sets = chamfer(guess.flatten(0, 1), after.flatten(0, 1)).view(guess.shape[:2])
    return (guess - after).norm(dim=-1).mean(-1), (after - before).norm(dim=-1).mean(-1), sets


def _seen(episode: Episode, start: int, forecast: Forecast, step: int) -> list[float]:
    """The picture's error where the true picture changes; nothing where it does not."""
    track, cast = episode.track, episode.cast
    camera = camera_over(track.poses.reshape(-1, 7))
    before, after = (drawn(cast, track.poses[i], camera) for i in (start, start + step))
    region = dynamic_region(before, after)
    return [region_psnr(drawn(cast, forecast.poses[step - 1], camera), after, region)] if region.any() else []


def unmoved(episode: Episode, start: int, ahead: int) -> Forecast:
    """The forecast that everything stays where it is."""
    poses = np.repeat(np.asarray(episode.track.poses[start : start + 1], np.float64), ahead, 0)
    return Forecast(poses, np.zeros(poses.shape[:2]))


@torch.no_grad()
def _reconstruction(model: GwmModel, episodes: Sequence[Episode]) -> tuple[float, float]:
    near, between = [], []
    for episode in episodes:
        track, device = episode.track, model.change_std.device
        at = np.linspace(0, len(track), FRAMES).astype(int)
        template = model.template_of(episode.cast).take(torch.zeros(FRAMES, dtype=torch.long)).to(device)
        poses = torch.from_numpy(np.concatenate([track.poses[at], track.part_poses[at]], 1).astype(np.float32)).to(device)
        state = template.posed(poses)
        decoded = model.decoded(model.latents(poses, template), template)
        near.append(float((decoded - state)[..., XYZ].norm(dim=-1).mean()))
        between.append(float(chamfer(decoded[..., XYZ], state[..., XYZ]).mean()))
    return round(1e3 * float(np.mean(near)), 3), round(1e3 * float(np.mean(between)), 3)
