"""Tables of a Markdown page, and values as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spatialwm.atomic import write_bytes
from spatialwm.errors import ExportError


def markdown_table(header: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose first column is text and whose others are numbers."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return ["| " + " | ".join(row) + " |" for row in (header, rule, *cells)]


def number_text(value: float | None, spec: str) -> str:
    """The number as ``spec`` formats it; ``-`` where there is none."""
    return "-" if value is None or math.isnan(value) else format(value, spec)


def plain_json(told: Any) -> Any:
    """The same with null for numbers that are none: JSON knows no NaN."""
    if isinstance(told, dict):
        return {key: plain_json(value) for key, value in told.items()}
    if isinstance(told, (list, tuple)):
        return [plain_json(value) for value in told]
    return None if isinstance(told, float) and not math.isfinite(told) else told


def write_json(path: Path, told: object) -> Path:
    """Write anything JSON knows, whole or not at all; returns the path.

    Raises:
        ExportError: the file cannot be written.
    """
    write_bytes(path, (json.dumps(told, indent=1) + "\n").encode(), ExportError)
    return path
