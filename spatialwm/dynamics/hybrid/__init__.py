"""The hybrid world model: physics, what the past has told, and a learned correction."""

from spatialwm.dynamics.hybrid.config import HybridConfig
from spatialwm.dynamics.hybrid.model import Hybrid, Networks
from spatialwm.dynamics.hybrid.scenes import SceneHybrid
from spatialwm.dynamics.hybrid.train import Recipe, calibrate, lessons_of, train
from spatialwm.dynamics.hybrid.weights import load_hybrid, save_hybrid, shipped

__all__ = [
    "Hybrid", "HybridConfig", "Networks", "Recipe", "SceneHybrid", "calibrate", "lessons_of", "load_hybrid", "save_hybrid",
    "shipped", "train",
]  # fmt: skip
