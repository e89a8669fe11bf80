"""A report as a picture: each scene as it looks, and beside it how long every backend takes for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spatialwm.bench.render import Cell, Report
from spatialwm.errors import ExportError
from spatialwm.report import INK, new_figure, plain_axes, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = {"cpu": "#3366cc", "reference": "#9aa3b5", "cuda": "#5b8c2a", "gsplat": "#d9822b"}
OTHER_COLORS = ("#8e5bb5", "#c2476b", "#2a8c82", "#b58b1d")
_WIDE_RANGE = 100
"""Times further apart than this share a logarithmic axis."""


def draw(report: Report, path: Path) -> Path:
    """Write the picture; returns its path.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ExportError: nothing was measured, or the file cannot be written.
    """
    measured = [c for c in report.cells if c.wall_ms is not None]
    if not measured:
        raise ExportError(f"{path}: no cell could be measured, so there is nothing to draw")
    scenes = list(dict.fromkeys(c.scene for c in measured))
    passes = list(dict.fromkeys(c.passes for c in measured))
    rows = [len(_rows(measured, scene)) for scene in scenes]
    heights = [max(1.5, 0.34 * n + 0.7) for n in rows]
    figure = new_figure(4.2 + 3.6 * len(passes), sum(heights) + 0.9)
    grid = figure.add_gridspec(len(scenes), 1 + len(passes), height_ratios=heights, width_ratios=[1.0, *[1.35] * len(passes)])
    for r, scene in enumerate(scenes):
        cells = [c for c in measured if c.scene == scene]
        _thumbnail(figure.add_subplot(grid[r, 0]), report, cells[0])
        for k, kind in enumerate(passes):
            axes = figure.add_subplot(grid[r, 1 + k])
            _times(axes, [c for c in cells if c.passes == kind], _rows(measured, scene), labels=k == 0)
            _scale(axes, [c.wall_ms or 0.0 for c in measured if c.passes == kind])
            if r == 0:
                axes.set_title(kind.replace("+", " + ") + ", ms", loc="left", fontsize=9.5, color=INK)
    return write_figure(figure, path, "Rendering Gaussians: median wall time per picture", report.machine)


def _rows(cells: Sequence[Cell], scene: str) -> list[tuple[int, int, str]]:
    """Size and backend of each line of a scene, first at the top."""
    return list(dict.fromkeys((c.width, c.height, c.backend) for c in cells if c.scene == scene))


def _thumbnail(axes: Axes, report: Report, cell: Cell) -> None:
    axes.set_axis_off()
    picture = report.pictures.get(cell.scene)
    if picture is not None:
        axes.imshow(picture)
        axes.set_anchor("NW")
    axes.set_title(f"{cell.scene}  {cell.gaussians:,} Gaussians", loc="left", fontsize=9.5, color=INK)


def _times(axes: Axes, cells: Sequence[Cell], rows: list[tuple[int, int, str]], *, labels: bool) -> None:
    plain_axes(axes)
    at = {row: -i - 0.4 * (rows[0][:2] != row[:2]) for i, row in enumerate(rows)}
    axes.set_ylim(min(at.values()) - 0.6, 0.6)
    axes.set_yticks([at[row] for row in rows])
    axes.set_yticklabels([f"{w}x{h}  {backend}" for w, h, backend in rows] if labels else [], color=INK)
    for cell in cells:
        assert cell.wall_ms is not None
        y, color = at[cell.width, cell.height, cell.backend], color_of(cell.backend)
        axes.barh([y], [cell.wall_ms], height=0.62, color=color)
        text = f"{cell.wall_ms:,.0f}" if cell.wall_ms >= 100 else f"{cell.wall_ms:.1f}"
        axes.annotate(text, (cell.wall_ms, y), (4, 0), textcoords="offset points", va="center", fontsize=8.5, color=INK)


def _scale(axes: Axes, times: list[float]) -> None:
    """One scale for all scenes, so that lengths compare; logarithmic where the shortest would vanish."""
    if max(times) > _WIDE_RANGE * min(times):
        axes.set_xscale("log")
        axes.set_xlim(10 ** math.floor(math.log10(min(times)) - 0.01), max(times) * 3)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.tick_params(which="minor", length=0)
    else:
        axes.set_xlim(0, max(times) * 1.2)


def color_of(backend: str) -> str:
    """The same colour for a backend in every picture."""
    return COLORS.get(backend) or OTHER_COLORS[sum(backend.encode()) % len(OTHER_COLORS)]
