"""Where the losses of a training are written down: lines of JSON, and TensorBoard where it is installed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Log:
    """``NAME.jsonl`` in a folder, one line per report; TensorBoard's files beside it when the package is there."""

    def __init__(self, folder: Path, name: str, step: int) -> None:
        """Continue at ``step``: what an interrupted training reported after its last checkpoint is cut off."""
        self.path = folder / f"{name}.jsonl"
        kept = [line for line in read_log(self.path) if line["step"] <= step]
        self.path.write_text("".join(json.dumps(line) + "\n" for line in kept))
        self._board = _board(folder / "tensorboard" / name, step)

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """What was found in the step of that number."""
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Nothing is written afterwards."""
        if self._board is not None:
            self._board.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, oldest first; a line cut off by a kill is left out."""
    if not path.exists():
        return []
    lines = []
    for line in path.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines


def _board(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
