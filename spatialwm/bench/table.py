"""A report as lines in a terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TextIO

from spatialwm.bench.render import Cell, Report
from spatialwm.report import headline


def print_table(report: Report, file: TextIO | None = None) -> None:
    """One row per scene, size and backend; medians."""
    from rich.console import Console
    from rich.table import Table

    console = Console(file=file, highlight=False)
    backward = any(c.passes == "forward+backward" for c in report.cells)
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for title in ("scene", "size", "backend"):
        table.add_column(title, no_wrap=True)
    for title in ("forward\nwall ms", "\ncpu ms", *(("fwd + bwd\nwall ms", "\ncpu ms") if backward else ())):
        table.add_column(title, justify="right")
    if report.judge:
        table.add_column(f"PSNR dB\nvs {report.judge}", justify="right")
    notes: list[str] = []
    for (scene, width, height, backend), group in groupby(report.cells, lambda c: (c.scene, c.width, c.height, c.backend)):
        cells = {c.passes: c for c in group}
        row = [scene, f"{width}x{height}", backend]
        for passes in ("forward", "forward+backward") if backward else ("forward",):
            cell = cells.get(passes)
            row += [_ms(cell.wall_ms if cell else None), _ms(cell.processor_ms if cell else None)]
        if report.judge:
            accuracy = cells["forward"].psnr_db if "forward" in cells else None
            row.append("-" if accuracy is None else f"{accuracy:.1f}")
        table.add_row(*row)
        notes += [_note(c) for c in cells.values() if c.note]
    console.print(table)
    console.print(f"[dim]{headline(report.machine)}[/dim]", soft_wrap=True)
    for note in dict.fromkeys(notes):
        console.print(f"[dim]{note}[/dim]", soft_wrap=True)


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _note(cell: Cell) -> str:
    return f"{cell.backend}, {cell.passes}: {cell.note}"
