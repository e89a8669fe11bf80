"""One forecaster asked about all windows, its answers measured."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from spatialwm.dynamics.episode import Forecast, Forecaster, Situation
from spatialwm.dynamics.evaluate.contact import Contact
from spatialwm.dynamics.evaluate.metrics import (
    Answer,
    answer_of,
    difference_error,
    energy_gain,
    momentum_drift,
    moved_chamfer,
    rigidity_residual,
)  # fmt: skip
from spatialwm.dynamics.evaluate.windows import MOVED_M, Rows, Twin, Window, batches, cut, point_distance
from spatialwm.errors import ActionError
from spatialwm.progress import Progress, silent

Hold = Callable[[Situation, int], np.ndarray | None]
"""Commands ``(h, a)`` under which the actor stays as it is; None where there are none."""
REST_S = 0.5
"""How long an actor that is told to stay may still be moving."""
CONTACT_EVERY = 5
"""Steps between the instants at which overlaps are looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """n rows (see :class:`Rows`), w windows, H steps, q horizons; c of the windows are looked at more closely."""

    error_m: Float[np.ndarray, "n h"]
    sigma_m: Float[np.ndarray, "n h"]
    drift_m: Float[np.ndarray, "n h"]
    """From where the object was."""
    residual_m: float
    chamfer_m: Float[np.ndarray, "w q"]
    momentum: Float[np.ndarray, "w 2"]
    """Error, and what it is to be compared with."""
    lost: int
    added: int
    trusted: dict[str, int]
    seconds: float
    """Of the processor, for all windows."""
    penetration_m: Float[np.ndarray, " c"]
    energy_gain_j: Float[np.ndarray, " c"]
    frozen_m: Float[np.ndarray, "n_c q"]
    """Errors of the rows of the close windows when told that the actor stays."""
    kept: dict[int, Forecast]
    """The answers about the windows that are to be shown or rendered."""


@dataclass(frozen=True, slots=True, eq=False)
class Close:
    """Windows that are looked at more closely: overlaps, and what happens when the actor stays."""

    places: tuple[int, ...]
    contacts: dict[int, Contact]
    """By episode."""
    held: dict[int, np.ndarray]
    """By place: the commands under which the actor stays; not all windows have them."""


def hold_last(situation: Situation, steps: int) -> np.ndarray | None:
    """The last command again and again: where commands are places, the actor stays."""
    last = situation.past.commands[-1:]
    return np.repeat(last, steps, 0) if len(last) else None


def measure(
    forecaster: Forecaster, windows: Sequence[Window], rows: Rows, horizons: Sequence[int], close: Close,
    keep: Sequence[int] = (), batch: int = 64, progress: Progress = silent,
) -> Measured:  # fmt: skip
    """Ask in batches and measure.

    Raises:
        ActionError: an answer has not the asked number of steps.
    """
    first = np.searchsorted(rows.window, np.arange(len(windows) + 1))
    error, sigma, drift = (np.full(rows.moved.shape, np.nan) for _ in range(3))
    chamfers, momenta = np.full((len(windows), len(horizons)), np.nan), np.full((len(windows), 2), np.nan)
    lost = added = done = 0
    seconds, residual = 0.0, 0.0
    trusted: Counter[str] = Counter()
    kept: dict[int, Forecast] = {}
    looked: dict[int, Forecast] = {}
    closer = set(close.places)
    for places in batches(windows, batch):
        asked = [windows[i] for i in places]
        since = time.process_time()
        answers = forecaster.forecast([w.situation for w in asked], np.stack([w.commands for w in asked]))
        seconds += time.process_time() - since
        for i, window, forecast in zip(places, asked, answers, strict=True):
            answer = checked(forecaster.name, forecast, window)
            truth = window.true_points()
            own = slice(first[i], first[i + 1])
            error[own] = point_distance(answer.points, truth[1:]).numpy().T
            drift[own] = point_distance(answer.points, truth[:1]).numpy().T
            sigma[own] = answer.sigma_m.T
            at = [h - 1 for h in horizons]
            if len(truth[0]):
                shapes = torch.from_numpy(np.asarray(window.situation.cast.points, np.float64))
                residual = max(residual, float(rigidity_residual(shapes, answer.points[at]).max()))
            for j, h in enumerate(at):
                chamfers[i, j] = moved_chamfer(answer.points[h], truth[h + 1], rows.moved[own, h])
            centers = truth.mean(2)
            past, cast = window.situation.past, window.situation.cast
            momenta[i] = momentum_drift(torch.cat([centers[:1], answer.points.mean(2)]), centers, cast.masses_kg, past.dt_s)
            lost, added = lost + answer.lost, added + answer.added
            trusted[forecast.trusted] += 1
            if i in closer:
                looked[i] = forecast
            if i in keep:
                kept[i] = forecast
        done += len(places)
        progress(f"asking {forecaster.name}", done / len(windows))
    penetration = np.array([deepest(close.contacts[windows[i].episode], looked[i].poses) for i in close.places])
    gain, frozen = _frozen(forecaster, windows, horizons, close, batch)
    return Measured(
        error, sigma, drift, residual, chamfers, momenta, lost, added, dict(trusted), seconds, penetration, gain, frozen, kept
    )


def checked(name: str, forecast: Forecast, window: Window) -> Answer:
    """The answer about a window.

    Raises:
        ActionError: it has not the asked number of steps, or its shapes are no poses.
    """
    steps, poses = len(window.commands), forecast.poses
    if poses.ndim != 3 or poses.shape[0] != steps or poses.shape[2] != 7 or forecast.sigma_m.shape != poses.shape[:2]:
        told = f"poses {poses.shape} and sigmas {forecast.sigma_m.shape}"
        raise ActionError(f"{name} was asked for poses ({steps}, k, 7) and sigmas ({steps}, k), one per step; got {told}")
    return answer_of(forecast, window.situation.cast, window.truth)


def deepest(contact: Contact, poses: Float[np.ndarray, "h k 7"]) -> float:
    """The deepest overlap, looked for every few steps and at the last."""
    steps = sorted({*range(CONTACT_EVERY - 1, len(poses), CONTACT_EVERY), len(poses) - 1})
    return max((contact.depth_m(poses[s]) for s in steps if np.isfinite(poses[s]).all()), default=0.0)


def measure_twins(
    forecaster: Forecaster, twins: Sequence[Twin], horizons: Sequence[int], batch: int = 64
) -> tuple[Float[np.ndarray, "n q"], Float[np.ndarray, "n q"]]:
    """Per object of each twin: the error of the difference that the other action makes, and its true size."""
    off, size = [], []
    pairs = [cut([t.first, t.second], [t.step], max(horizons)) for t in twins]
    at = [h - 1 for h in horizons]
    for group in batches([p[0] for p in pairs], batch):
        told = []
        for side in (0, 1):
            asked = [pairs[i][side] for i in group]
            answers = forecaster.forecast([w.situation for w in asked], np.stack([w.commands for w in asked]))
            told.append([checked(forecaster.name, f, w).points[at] for f, w in zip(answers, asked, strict=True)])
        for i, a, b in zip(group, *told, strict=True):
            real = [w.true_points()[1:][at] for w in pairs[i]]
            o, s = difference_error((a, b), (real[0], real[1]))
            off.append((i, o))
            size.append((i, s))
    return tuple(np.concatenate([v for _, v in sorted(part, key=lambda p: p[0])]) for part in (off, size))  # pyright: ignore[reportReturnType]


def differing(size_m: Float[np.ndarray, "n q"]) -> np.ndarray:
    """Where the other action truly makes a difference."""
    return size_m > MOVED_M


def _frozen(
    forecaster: Forecaster, windows: Sequence[Window], horizons: Sequence[int], close: Close, batch: int
) -> tuple[np.ndarray, np.ndarray]:
    gains = np.full(len(close.places), np.nan)
    errors = {i: np.full((windows[i].truth.shape[1], len(horizons)), np.nan) for i in close.places}
    held = [i for i in close.places if i in close.held]
    for group in batches([windows[i] for i in held], batch):
        places = [held[g] for g in group]
        answers = forecaster.forecast([windows[i].situation for i in places], np.stack([close.held[i] for i in places]))
        for i, forecast in zip(places, answers, strict=True):
            window = windows[i]
            answer, truth = checked(forecaster.name, forecast, window), window.true_points()
            at = [h - 1 for h in horizons]
            errors[i] = point_distance(answer.points[at], truth[1:][at]).numpy().T
            past, cast = window.situation.past, window.situation.cast
            after = math.ceil(REST_S / past.dt_s - 1e-9)
            if after < len(answer.points) - 1:
                gains[close.places.index(i)] = energy_gain(answer.points, cast.masses_kg, past.dt_s, after)
    return gains, np.concatenate([errors[i] for i in close.places])
