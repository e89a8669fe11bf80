"""Inputs become scenes: words and splat files now; one lifter a kind of input."""

from spatialwm.lift.choose import lifter_for
from spatialwm.lift.lifter import Lifter, LiftOptions, Quality, Workspace

__all__ = ["LiftOptions", "Lifter", "Quality", "Workspace", "lifter_for"]
