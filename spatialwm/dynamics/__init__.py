"""World models: state and action in, next state out."""

from spatialwm.dynamics.actions import Action, EndEffectorPath, GraspPlace, Push
from spatialwm.dynamics.model import Rollout, WorldModel

__all__ = ["Action", "EndEffectorPath", "GraspPlace", "Push", "Rollout", "WorldModel"]
