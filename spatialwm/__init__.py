"""spatialwm: a sentence or a splat file becomes a persistent world of 3D Gaussians that predicts what an action will do.

Public names load on first use, so that ``import spatialwm`` costs nothing and needs no optional dependency.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers and editors see; at run time __getattr__ below brings them
    from spatialwm.dynamics import Rollout
    from spatialwm.errors import SpatialwmError
    from spatialwm.gaussians import Gaussians, RawGaussians
    from spatialwm.geometry.camera import Camera
    from spatialwm.geometry.mesh import Mesh
    from spatialwm.geometry.se3 import Pose
    from spatialwm.scene import Environment, Scene, SceneObject, edits
    from spatialwm.studio import check, create, edit, export, history, info, open_world, predict
    from spatialwm.world import World

__version__ = "0.1.0"

__all__ = [
    "Camera",
    "Environment",
    "Gaussians",
    "Mesh",
    "Pose",
    "RawGaussians",
    "Rollout",
    "Scene",
    "SceneObject",
    "SpatialwmError",
    "World",
    "__version__",
    "check",
    "create",
    "edit",
    "edits",
    "export",
    "history",
    "info",
    "open_world",
    "predict",
]

_HOMES = {
    "spatialwm.dynamics": ("Rollout",),
    "spatialwm.errors": ("SpatialwmError",),
    "spatialwm.gaussians": ("Gaussians", "RawGaussians"),
    "spatialwm.geometry.camera": ("Camera",),
    "spatialwm.geometry.mesh": ("Mesh",),
    "spatialwm.geometry.se3": ("Pose",),
    "spatialwm.scene": ("Environment", "Scene", "SceneObject", "edits"),
    "spatialwm.studio": ("check", "create", "edit", "export", "history", "info", "open_world", "predict"),
    "spatialwm.world": ("World",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'spatialwm' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
