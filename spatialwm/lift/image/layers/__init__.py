"""An estimate of depth becomes layers of Gaussians that may be looked at from a step aside."""

from spatialwm.lift.image.layers.layers import Layers, Part, layered, mean_color
from spatialwm.lift.image.layers.motion import Motion, hole_share, moved

__all__ = ["Layers", "Motion", "Part", "hole_share", "layered", "mean_color", "moved"]
