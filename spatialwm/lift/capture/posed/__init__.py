"""Pictures whose cameras are known already: which reader takes which folder or file.

To add a format, write a module with ``find(path) -> Path | None`` (recognise it by content, cheaply) and
``read(path, options, progress) -> Capture``, and list it in :data:`READERS`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from spatialwm.lift.capture.capture import Capture
from spatialwm.lift.capture.posed import arkit, colmap, seven_scenes, transforms, tum
from spatialwm.lift.capture.posed.options import PosedOptions
from spatialwm.progress import Progress

__all__ = ["READERS", "PosedOptions", "PosedReader", "posed_reader"]


@runtime_checkable
class PosedReader(Protocol):
    """Reads one format."""

    def __call__(self, path: Path, options: PosedOptions = ..., progress: Progress = ...) -> Capture: ...


READERS = {
    "transforms.json": transforms,
    "7-Scenes": seven_scenes,
    "TUM RGB-D": tum,
    "ARKit": arkit,
    "COLMAP": colmap,
}
"""By name, in the order they are asked; what carries metres comes before what does not."""


def posed_reader(path: Path | str) -> PosedReader | None:
    """The reader of a file or folder of posed pictures, recognised by what it holds; None: no format of these."""
    place = Path(path)
    for module in READERS.values():
        try:
            if module.find(place) is not None:
                return module.read
        except (OSError, ValueError):  # a path too long, with a NUL inside, or a folder that may not be listed
            continue
    return None
