"""Figures in the project's style: little ink, no global state, the machine named below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from spatialwm.atomic import replacing
from spatialwm.errors import ExportError, MissingDependencyError
from spatialwm.report.machine import headline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, RULE = "#1f2430", "#7a8194", "#e3e6ec"


def new_figure(width_in: float, height_in: float) -> Figure:
    """A figure in the project's style that belongs to no global state.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "bench", "a picture of a benchmark") from None
    figure = Figure(figsize=(width_in, height_in), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, path: Path, title: str, machine: dict[str, Any]) -> Path:
    """Title it, say below what it was measured on, and write a PNG, whole or not at all; returns the path.

    Raises:
        ExportError: the file cannot be written.
    """
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    figure.supxlabel(f"{headline(machine)}, {machine['measured_at'][:10]}", x=0.01, ha="left", fontsize=7.5, color=FAINT)
    with replacing(path, ExportError) as temporary:
        figure.savefig(temporary, format="png", dpi=130)
    return path


def plain_axes(axes: Axes) -> None:
    """Only what is read: no box, faint grid behind."""
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.tick_params(length=0, labelsize=8.5, colors=FAINT)
    axes.grid(axis="x", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
