"""Scenes become files that other programs open."""

from __future__ import annotations

from pathlib import Path

from spatialwm.errors import ExportError
from spatialwm.export.glb import ExportReport, write_glb
from spatialwm.export.mesh import Light, mesh_of
from spatialwm.export.splats import write_scene_splats
from spatialwm.formats import WRITABLE
from spatialwm.progress import Progress, silent
from spatialwm.scene import Scene

EXPORTABLE: dict[str, str] = {".glb": "meshes as binary glTF, one node an object", **WRITABLE}
"""Suffixes an export can write, and what each holds."""


def export_scene(
    scene: Scene, path: Path, progress: Progress = silent, light: Light = "baked", backdrop: bool | None = None
) -> ExportReport:
    """Write a scene in the form its suffix names.

    Args:
        light: for meshes, colours with the scene's light or without.
        backdrop: include sky and distant scenery; None: in splat files only.

    Raises:
        ExportError: unknown suffix, an empty scene, or a file that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in EXPORTABLE:
        raise ExportError(f"cannot export to {path.suffix or path.name!r}; choose one of {', '.join(EXPORTABLE)}")
    if suffix == ".glb":
        return write_glb(scene, path, progress, light, bool(backdrop))
    progress("writing", 0.1)
    report = write_scene_splats(scene, path, backdrop is not False)
    progress("done", 1.0)
    return report


__all__ = ["EXPORTABLE", "ExportReport", "Light", "export_scene", "mesh_of", "write_glb", "write_scene_splats"]
