"""Scenes: immutable values, the edits that turn one into the next, and their description."""

from spatialwm.scene import edits
from spatialwm.scene.describe import describe
from spatialwm.scene.flatten import Flattened, flatten
from spatialwm.scene.inertia import Inertia
from spatialwm.scene.joint import Drive, Joint
from spatialwm.scene.objects import SceneObject
from spatialwm.scene.scene import Environment, ScaleSource, Scene

__all__ = [
    "Drive", "Environment", "Flattened", "Inertia", "Joint", "ScaleSource", "Scene", "SceneObject", "describe", "edits",
    "flatten",
]  # fmt: skip
