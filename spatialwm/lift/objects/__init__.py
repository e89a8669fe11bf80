"""Things that a user points at become objects of their own, and what they hid is filled in."""

from spatialwm.lift.objects.find import Found, find
from spatialwm.lift.objects.prompt import Click, Prompt
from spatialwm.lift.objects.take import take

__all__ = ["Click", "Found", "Prompt", "find", "take"]
