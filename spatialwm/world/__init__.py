"""Worlds on disk: persistent scenes with their whole history."""

from spatialwm.world.history import Revision
from spatialwm.world.integrity import Report, check_world
from spatialwm.world.store import PREDICT, World, check_free

__all__ = ["PREDICT", "Report", "Revision", "World", "check_free", "check_world"]
