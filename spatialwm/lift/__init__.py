"""Inputs become scenes: words and splat files now; one lifter a kind of input."""

from spatialwm.lift.choose import lifter_for
from spatialwm.lift.lifter import Lifter, LiftOptions, Quality

__all__ = ["LiftOptions", "Lifter", "Quality", "lifter_for"]
