"""Figures of a report: error over time, what abstaining buys, whether claimed intervals hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spatialwm.dynamics.evaluate.results import ModelScore, Results
from spatialwm.report import FAINT, INK, RULE, new_figure, plain_axes, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS = ("#3366cc", "#d9822b", "#5b8c2a", "#c2476b", "#8e5bb5", "#2a8c82", "#b58b1d", "#7a5230")
_FLOORS = {
    "copy last": "#b9c0cc", "constant velocity": "#9aa3b5", "attach to gripper": "#7d879c",
    "nominal physics": "#4c566b", "true physics": "#1f2430",
}  # fmt: skip
"""Baselines are grey, so that what is new stands out."""


def draw_errors(results: Results, path: Path) -> Path:
    """Mean error of moved points over time with 95 % bands, all models and, beside it, near the best.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ExportError: the file cannot be written.
    """
    figure = new_figure(11.2, 4.9)
    axes = figure.subplots(1, 2)
    time_s = results.dt_s * np.arange(1, results.horizons[-1] + 1)
    ends = {m.name: 1e3 * m.curve[-1].value for m in results.models}
    top = max((v for v in ends.values() if np.isfinite(v)), default=1.0)
    reference = ends[results.reference]
    close = 2.2 * (reference if np.isfinite(reference) and reference > 0 else top)
    for ax, limit, title in ((axes[0], 1.12 * top, "all models"), (axes[1], min(1.12 * top, close), "near the best")):
        _plain(ax, "seconds ahead", "mean error of moved points, mm")
        shown = [m for m in results.models if ends[m.name] <= limit]
        for model in results.models:
            _band(ax, time_s, model, color_of(model.name, results), behind=model.name in _FLOORS)
        ax.set_xlim(0, time_s[-1])
        ax.set_ylim(0, limit)
        ax.set_title(title, loc="left", fontsize=10, color=INK)
        _label_ends(ax, [(m.name, ends[m.name], color_of(m.name, results)) for m in shown], time_s[-1], limit)
    return write_figure(figure, path, "How far predictions are off, the further they look", results.machine)


def draw_certainty(results: Results, path: Path) -> Path | None:
    """Claimed against true coverage, and error against the share that is answered; None where no model says how sure it is.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ExportError: the file cannot be written.
    """
    sure = [m for m in results.models if m.calibration]
    if not sure:
        return None
    figure = new_figure(11.2, 4.9)
    left, right = figure.subplots(1, 2)
    _plain(left, "claimed share of errors within the interval, %", "true share, %")
    left.plot([0, 100], [0, 100], color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    left.axvline(90, color=RULE, linewidth=1)
    left.set(xlim=(0, 100), ylim=(0, 101))
    ahead = f"{results.dt_s * results.horizons[-1]:g} s ahead"
    left.set_title(f"calibration, {ahead}", loc="left", fontsize=10, color=INK)
    _plain(right, "share of the predictions that are answered, most certain first, %", "mean error of moved points, mm")
    right.set_title(f"what abstaining buys, {ahead}", loc="left", fontsize=10, color=INK)
    for model in sure:
        color = color_of(model.name, results)
        claimed, true = 100 * np.array(model.calibration).T
        left.plot(claimed, true, color=color, linewidth=2, marker="o", markersize=3.5, label=model.name)
        share, error = np.array(model.risk).T
        right.plot(100 * share, 1e3 * error, color=color, linewidth=2, marker="o", markersize=3.5)
        right.plot([100], [1e3 * error[-1]], color=color, marker="o", markersize=6)
    right.set_xlim(5, 103)
    right.set_ylim(0, None)
    right.axvline(70, color=RULE, linewidth=1)
    left.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper left")
    return write_figure(figure, path, "Whether models know how sure they may be", results.machine)


def color_of(name: str, results: Results) -> str:
    """The same color for a model in every figure of a report."""
    if name in _FLOORS:
        return _FLOORS[name]
    ours = [m.name for m in results.models if m.name not in _FLOORS]
    return _OURS[ours.index(name) % len(_OURS)]


def _plain(axes: Axes, x: str, y: str) -> None:
    plain_axes(axes)
    axes.grid(axis="y", color=RULE, linewidth=0.8)
    axes.set_xlabel(x, fontsize=9, color=FAINT)
    axes.set_ylabel(y, fontsize=9, color=FAINT)


def _band(axes: Axes, time_s: np.ndarray, model: ModelScore, color: str, *, behind: bool) -> None:
    value, low, high = 1e3 * np.array([(e.value, e.low, e.high) for e in model.curve]).T
    axes.fill_between(time_s, low, high, color=color, alpha=0.13, linewidth=0)
    axes.plot(time_s, value, color=color, linewidth=1.5 if behind else 2.2, zorder=2 if behind else 3)


def _label_ends(axes: Axes, ends: Sequence[tuple[str, float, str]], x: float, limit: float) -> None:
    """Names beside the ends of the curves, pushed apart where they would overlap."""
    gap, height = 0.052 * limit, -np.inf
    for name, value, color in sorted((e for e in ends if np.isfinite(e[1])), key=lambda e: e[1]):
        height = max(value, height + gap)
        axes.annotate(
            f"{name}  {value:.1f}", (x, value), (x * 1.025, height), fontsize=8.5, color=color, va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.6, "alpha": 0.5, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
