"""What every lifter promises: one input becomes a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from spatialwm.errors import LiftError
from spatialwm.progress import Progress, silent
from spatialwm.scene import Scene

Quality = Literal["draft", "standard", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftOptions:
    """What a caller may choose about any lift."""

    quality: Quality = "standard"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.quality not in get_args(Quality):
            raise LiftError(f"quality must be one of {', '.join(get_args(Quality))}; got {self.quality!r}")
        if self.seed < 0:
            raise LiftError(f"seed must be at least 0; got {self.seed}")


class Lifter(Protocol):
    """Turns one source (a sentence, a path) into a scene, deterministically for one seed on one machine."""

    def lift(self, source: str, options: LiftOptions = LiftOptions(), progress: Progress = silent) -> Scene:
        """The scene.

        Raises:
            LiftError: the source cannot be turned into a scene; the message says what would help.
        """
        ...
