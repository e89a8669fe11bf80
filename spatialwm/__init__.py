"""spatialwm: words, pictures, video or a layout become a persistent world of 3D Gaussians.

Public names load on first use, so that ``import spatialwm`` costs nothing and needs no optional dependency.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Pose": "spatialwm.geometry.se3",
    "Camera": "spatialwm.geometry.camera",
    "Mesh": "spatialwm.geometry.mesh",
    "Gaussians": "spatialwm.gaussians",
    "RawGaussians": "spatialwm.gaussians",
    "Scene": "spatialwm.scene",
    "SceneObject": "spatialwm.scene",
    "Environment": "spatialwm.scene",
    "edits": "spatialwm.scene",
    "World": "spatialwm.world",
    "Rollout": "spatialwm.dynamics",
    "SpatialwmError": "spatialwm.errors",
}
_VERBS = ("create", "edit", "predict", "render", "export", "info", "history", "check")

__all__ = ["__version__", *_PUBLIC, *_VERBS]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    if name in _VERBS:
        return getattr(import_module("spatialwm.studio"), name)
    raise AttributeError(f"module 'spatialwm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
