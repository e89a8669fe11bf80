"""Models and episodes in, results out: every model is asked the same, and judged by what then truly happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spatialwm.dynamics.episode import Episode, Forecaster
from spatialwm.dynamics.evaluate.bootstrap import Drawn, Estimate, Resamples
from spatialwm.dynamics.evaluate.certainty import NOMINAL, covered, most_certain, risk_curve
from spatialwm.dynamics.evaluate.contact import Contact, Solids, hulls
from spatialwm.dynamics.evaluate.measure import Close, Hold, Measured, deepest, differing, hold_last, measure, measure_twins
from spatialwm.dynamics.evaluate.pictures import Look, look_at_cast, render_error
from spatialwm.dynamics.evaluate.results import Counterfactual, HorizonScore, ModelScore, Plausibility, Results, Shown
from spatialwm.dynamics.evaluate.windows import RULE, Rows, Twin, Window, cut, rows_of
from spatialwm.errors import ActionError
from spatialwm.progress import Progress, part_of, silent
from spatialwm.report import describe_machine

RISK_SHARES = np.round(np.linspace(0.1, 1.0, 10), 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """How models are judged; the defaults are what the package reports."""

    horizons: tuple[int, ...] = (1, 10, 30, 50)
    """Steps."""
    starts: tuple[int, ...] = (10, 20, 30, 40, 50)
    """Steps of an episode after which windows begin."""
    resamples: int = 1000
    seed: int = 0
    batch: int = 64
    """Windows that a model is asked about at once."""
    close_windows: int = 100
    """On which overlaps, energy and frozen actions are looked at, spread evenly."""
    rendered_windows: int = 0
    """On which pictures are compared."""
    films: int = 3
    """Windows that are kept to be shown."""
    solids: Solids = hulls
    hold: Hold = hold_last
    look: Callable[[Episode], Look] = look_at_cast


def evaluate(
    forecasters: Sequence[Forecaster],
    episodes: Sequence[Episode],
    protocol: Protocol = Protocol(),
    *,
    reference: str | None = None,
    twins: Sequence[Twin] = (),
    progress: Progress = silent,
) -> Results:
    """Judge models on episodes that none of them has seen.

    Args:
        forecasters: those of one name are seeds of one model and are judged together.
        reference: name of the model that the others are compared with; None: the first.
        twins: for the counterfactual test.

    Raises:
        ActionError: no forecasters, an unknown reference, no window that fits, or an answer that is no answer.
    """
    by_name: dict[str, list[Forecaster]] = {}
    for forecaster in forecasters:
        by_name.setdefault(forecaster.name, []).append(forecaster)
    reference = reference or next(iter(by_name), None)
    if reference not in by_name:
        names = ", ".join(by_name) or "none given"
        raise ActionError(f"{reference!r} is to be compared with and must be among the models: {names}")
    horizons = tuple(sorted(set(protocol.horizons)))
    progress("looking at what happened", 0.0)
    windows = cut(episodes, protocol.starts, horizons[-1])
    rows = rows_of(windows)
    resamples = Resamples(len(episodes), protocol.resamples, protocol.seed)
    close = _close(windows, episodes, protocol)
    shown, rendered = _worth_showing(windows, rows, protocol.films), _spread(len(windows), protocol.rendered_windows)
    looks = {windows[i].episode: protocol.look(episodes[windows[i].episode]) for i in rendered}

    ask = part_of(progress, 0.05, 0.9)
    measured: dict[str, list[Measured]] = {}
    for n, forecaster in enumerate(forecasters):
        part = part_of(ask, n / len(forecasters), (n + 1) / len(forecasters))
        found = measure(forecaster, windows, rows, horizons, close, (*shown, *rendered), protocol.batch, part)
        measured.setdefault(forecaster.name, []).append(found)
    judge = _Judge(windows, rows, horizons, resamples, close, twins, protocol)
    against = judge.curve(measured[reference])
    models = []
    for n, (name, found) in enumerate(measured.items()):
        progress(f"judging {name}", 0.9 + 0.1 * n / len(measured))
        psnr = {h: render_error(windows, rendered, looks, [m.kept for m in found], h) for h in horizons} if rendered else {}
        models.append(judge.score(name, by_name[name], found, None if name == reference else against, psnr, rendered))
    progress("done", 1.0)
    counts = [len(e.cast.object_ids) for e in episodes]
    return Results(
        machine=describe_machine(), rule=RULE, reference=reference, dt_s=float(episodes[0].track.dt_s), episodes=len(episodes),
        windows=len(windows), objects=(min(counts), max(counts)), moved=tuple(int(rows.moved[:, h - 1].sum()) for h in horizons),
        still=int(rows.still.sum()), penetration_true_m=judge.true_penetration(), models=tuple(models),
        shown=tuple(_shown(windows[i], episodes, {name: found[0].kept[i] for name, found in measured.items()}) for i in shown),
    )  # fmt: skip


class _Judge:
    """Measurements become estimates, with the same draws for all models."""

    def __init__(
        self, windows: Sequence[Window], rows: Rows, horizons: tuple[int, ...], resamples: Resamples, close: Close,
        twins: Sequence[Twin], protocol: Protocol,
    ) -> None:  # fmt: skip
        self._windows, self._rows, self._horizons, self._draw = windows, rows, horizons, resamples
        self._close, self._twins, self._protocol = close, twins, protocol
        self._window_episode = np.array([w.episode for w in windows])
        self._close_episode = self._window_episode[list(close.places)]
        self._close_rows = np.isin(rows.window, close.places).nonzero()[0]

    def curve(self, found: Sequence[Measured]) -> list[Drawn]:
        """Mean error of what moved, after each step."""
        moved = self._rows.moved
        return [self._rows_mean(np.stack([m.error_m[:, h] for m in found]), moved[:, h]) for h in range(self._horizons[-1])]

    def true_penetration(self) -> Estimate:
        """Of the truth itself."""
        depths = [deepest(self._close.contacts[self._windows[i].episode], self._windows[i].truth[1:]) for i in self._close.places]
        return self._mean(np.array(depths)[None], self._close_episode).estimate()

    def score(
        self, name: str, models: Sequence[Forecaster], found: Sequence[Measured], against: list[Drawn] | None,
        psnr: dict[int, np.ndarray], rendered: Sequence[int],
    ) -> ModelScore:  # fmt: skip
        """All there is to say of a model."""
        curve = self.curve(found)
        last = self._horizons[-1] - 1
        moved = self._rows.moved[:, last]
        error = np.concatenate([m.error_m[moved, last] for m in found])
        sigma = np.concatenate([m.sigma_m[moved, last] for m in found])
        sure = len(sigma) > 0 and bool(np.isfinite(sigma).all())
        risks = [risk_curve(m.error_m[moved, last], m.sigma_m[moved, last], RISK_SHARES) for m in found] if sure else []
        steps = len(self._windows) * (last + 1) * len(found)
        answers = sum(sum(m.trusted.values()) for m in found)
        trusted = sorted({k for m in found for k in m.trusted})
        return ModelScore(
            name=name, seeds=len(found),
            horizons=tuple(self._at(found, h, curve, against, psnr, rendered) for h in self._horizons),
            curve=tuple(c.estimate() for c in curve), plausibility=self._plausibility(found),
            counterfactual=self._counterfactual(models, found),
            calibration=tuple((p, float(covered(error, sigma, p).mean())) for p in NOMINAL) if sure else (),
            risk=tuple((float(s), float(v)) for s, v in zip(RISK_SHARES, np.mean(risks, 0), strict=True)) if sure else (),
            trusted={k: sum(m.trusted.get(k, 0) for m in found) / answers for k in trusted if k},
            ms_per_step=1e3 * sum(m.seconds for m in found) / steps,
        )  # fmt: skip

    def _at(
        self, found: Sequence[Measured], steps: int, curve: list[Drawn], against: list[Drawn] | None, psnr: dict[int, np.ndarray],
        rendered: Sequence[int],
    ) -> HorizonScore:  # fmt: skip
        h, rows = steps - 1, self._rows
        error = np.stack([m.error_m[:, h] for m in found])
        sigma = np.stack([m.sigma_m[:, h] for m in found])
        drift = np.stack([m.drift_m[:, h] for m in found])
        moved = np.broadcast_to(rows.moved[:, h], error.shape)
        sure = moved.any() and bool(np.isfinite(sigma).all())
        coverage = everywhere = kept = None
        if sure:
            inside = covered(error, sigma).astype(np.float64)
            coverage, everywhere = (self._draw.mean(inside, rows.episode, which) for which in (moved, moved | True))
            certain = np.zeros_like(moved, bool)
            for s in range(len(found)):
                certain[s, moved[s]] = most_certain(sigma[s, moved[s]], 0.7)
            kept = self._draw.mean(error, rows.episode, certain).ratio_to(curve[h])
        place = self._horizons.index(steps)
        return HorizonScore(
            steps=steps, moved_mean_m=curve[h].estimate(),
            moved_median_m=self._draw.median(error, rows.episode, moved).estimate(),
            below=None if against is None else curve[h].below(against[h]).estimate(),
            chamfer_m=self._mean(np.stack([m.chamfer_m[:, place] for m in found]), self._window_episode).estimate(),
            still_m=self._rows_mean(drift, rows.still).estimate(),
            coverage_90=coverage and coverage.estimate(), coverage_90_all=everywhere and everywhere.estimate(),
            kept_70=kept and kept.estimate(),
            psnr_db=self._mean(psnr[steps], self._window_episode[list(rendered)]).estimate() if steps in psnr else None,
        )  # fmt: skip

    def _plausibility(self, found: Sequence[Measured]) -> Plausibility:
        momentum = np.stack([m.momentum for m in found])
        drift, scale = (self._mean(momentum[..., i], self._window_episode) for i in (0, 1))
        depth = np.stack([m.penetration_m for m in found])
        gain = np.stack([m.energy_gain_j for m in found])
        still = [m.drift_m[self._rows.still] for m in found]
        return Plausibility(
            lost=sum(m.lost for m in found), added=sum(m.added for m in found), residual_m=max(m.residual_m for m in found),
            penetration_m=self._mean(depth, self._close_episode).estimate(), penetration_worst_m=float(depth.max(initial=0.0)),
            still_worst_m=max(float(s.max(initial=0.0)) for s in still),
            energy_gain_j=self._mean(gain, self._close_episode).estimate() if np.isfinite(gain).any() else None,
            momentum_drift=drift.ratio_to(scale).estimate(),
        )  # fmt: skip

    def _counterfactual(self, models: Sequence[Forecaster], found: Sequence[Measured]) -> Counterfactual:
        error = ratio = frozen = None
        if self._twins:
            parts = [measure_twins(m, self._twins, self._horizons[-1:], self._protocol.batch) for m in models]
            off, size = (np.stack([p[i][:, 0] for p in parts]) for i in (0, 1))
            twin = np.repeat(np.arange(len(self._twins)), [len(t.first.cast.object_ids) for t in self._twins])
            draw = Resamples(len(self._twins), self._protocol.resamples, self._protocol.seed)
            wrong, real = (draw.mean(v, twin, differing(size)) for v in (off, size))
            error, ratio = wrong.estimate(), wrong.ratio_to(real).estimate()
        if self._close.held:
            told = np.stack([m.frozen_m[:, -1] for m in found])
            moved = self._rows.moved[self._close_rows, self._horizons[-1] - 1]
            frozen = self._draw.mean(told, self._rows.episode[self._close_rows], np.isfinite(told) & moved).estimate()
        return Counterfactual(error_m=error, ratio=ratio, frozen_m=frozen)

    def _rows_mean(self, values: np.ndarray, counted: np.ndarray) -> Drawn:
        return self._draw.mean(values, self._rows.episode, np.broadcast_to(counted, values.shape))

    def _mean(self, values: np.ndarray, episode: np.ndarray) -> Drawn:
        return self._draw.mean(values, episode, np.isfinite(values))


def _close(windows: Sequence[Window], episodes: Sequence[Episode], protocol: Protocol) -> Close:
    places = _spread(len(windows), protocol.close_windows)
    asked = dict.fromkeys(windows[i].episode for i in places)
    contacts = {e: Contact(episodes[e].cast, protocol.solids(episodes[e])) for e in asked}
    held = {i: protocol.hold(windows[i].situation, len(windows[i].commands)) for i in places}
    return Close(places, contacts, {i: c for i, c in held.items() if c is not None})


def _spread(count: int, most: int) -> tuple[int, ...]:
    return tuple(np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int)).tolist())


def _worth_showing(windows: Sequence[Window], rows: Rows, most: int) -> tuple[int, ...]:
    """Of different episodes, those in which most moves: chosen by the truth alone."""
    moved = np.bincount(rows.window, rows.moved[:, -1], len(windows))
    chosen: dict[int, int] = {}
    for i in np.argsort(-moved, kind="stable").tolist():
        chosen.setdefault(windows[i].episode, i)
    return tuple(list(chosen.values())[:most])


def _shown(window: Window, episodes: Sequence[Episode], answers: dict) -> Shown:
    episode = episodes[window.episode]
    end = window.step + len(window.commands)
    return Shown(
        episode=episode, label=f"episode {window.episode}, from {window.step * episode.track.dt_s:g} s", cast=episode.cast,
        truth=window.truth, part_poses=episode.track.part_poses[window.step : end + 1], dt_s=episode.track.dt_s,
        forecasts={name: (f.poses, f.sigma_m) for name, f in answers.items()},
    )  # fmt: skip
