"""Sets of 3D Gaussians: physical values, their raw (trainable) form, and what moves them."""

from spatialwm.gaussians.gaussians import Gaussians, concatenate
from spatialwm.gaussians.raw import RawGaussians, from_raw, to_raw
from spatialwm.gaussians.transform import transform

__all__ = ["Gaussians", "RawGaussians", "concatenate", "from_raw", "to_raw", "transform"]
