"""Scenes: immutable values, the edits that turn one into the next, and their description."""

from spatialwm.scene import edits
from spatialwm.scene.describe import describe
from spatialwm.scene.flatten import Flattened, flatten
from spatialwm.scene.objects import SceneObject
from spatialwm.scene.scene import Environment, ScaleSource, Scene

__all__ = ["Environment", "Flattened", "ScaleSource", "Scene", "SceneObject", "describe", "edits", "flatten"]
