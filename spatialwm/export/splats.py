"""Scenes as one splat file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spatialwm.errors import ExportError, FormatError
from spatialwm.export.glb import ExportReport
from spatialwm.formats import write_splats
from spatialwm.scene import Scene, flatten


def write_scene_splats(scene: Scene, path: Path, backdrop: bool = True) -> ExportReport:
    """Write all Gaussians in the world frame; the suffix chooses the format.

    Args:
        backdrop: False leaves out sky and distant scenery.

    Raises:
        ExportError: nothing to write, or the file cannot be written; what was at ``path`` before is kept.
    """
    path = Path(path)
    kept = tuple(o for o in scene.objects if len(o.gaussians) and (backdrop or o.role != "backdrop"))
    if not kept:
        raise ExportError(f"nothing to write to {path}: the scene has no Gaussians")
    try:
        write_splats(flatten(replace(scene, objects=kept)).gaussians, path)
        size = path.stat().st_size
    except (OSError, FormatError) as error:
        raise ExportError(f"cannot write {path}: {error}") from error
    ids = tuple(o.id for o in kept)
    return ExportReport(path, ids, tuple(o.id for o in scene.objects if o.id not in ids), 0, 0, size)
