"""What every lifter promises: one input becomes a scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from spatialwm.errors import LiftError
from spatialwm.lift.image.hints import hints_to_dict
from spatialwm.lift.image.photo import Hints
from spatialwm.progress import Progress, silent
from spatialwm.scene import Scene

Quality = Literal["draft", "standard", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftOptions:
    """What a caller may choose about any lift."""

    quality: Quality = "standard"
    seed: int = 0
    seconds: float | None = None
    """Of training, where photographs are trained on; None: as the quality says."""
    depth: str = "auto"
    """Name of the depth backend, for a single picture."""
    hints: Hints | None = None
    """What the user knows about a single picture."""

    def __post_init__(self) -> None:
        if self.quality not in get_args(Quality):
            raise LiftError(f"quality must be one of {', '.join(get_args(Quality))}; got {self.quality!r}")
        if self.seed < 0:
            raise LiftError(f"seed must be at least 0; got {self.seed}")
        if self.seconds is not None and not 1 <= self.seconds <= 1e6:
            raise LiftError(f"seconds of training must lie between 1 and 1,000,000; got {self.seconds:g}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they are kept in a world's history; of the rest only what was chosen."""
        told: dict[str, Any] = {"quality": self.quality, "seed": self.seed}
        if self.seconds is not None:
            told["seconds"] = self.seconds
        if self.depth != "auto":
            told["depth"] = self.depth
        if self.hints is not None:
            told["hints"] = hints_to_dict(self.hints)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What a long lift may use while it runs; a short one ignores it."""

    folder: Path | None = None
    """For unfinished work, so that the same lift goes on where it was interrupted; None: nothing is kept."""
    preview: Callable[[Scene], None] | None = None
    """Called now and then with the scene as it is so far."""
    say: Callable[[str], None] | None = None
    """Called with a sentence that the user should read now, as when unfinished work is found."""
    enough: Callable[[], bool] | None = None
    """Asked between steps: True ends a training early, and what it has reached is kept."""


class Lifter(Protocol):
    """Turns one source (a sentence, a path) into a scene, deterministically for one seed on one machine."""

    def lift(
        self,
        source: str,
        options: LiftOptions = LiftOptions(),
        progress: Progress = silent,
        workspace: Workspace = Workspace(),
    ) -> Scene:
        """The scene.

        Raises:
            LiftError: the source cannot be turned into a scene; the message says what would help.
        """
        ...
