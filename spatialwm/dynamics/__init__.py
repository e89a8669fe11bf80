"""World models: state and action in, next state out."""

from spatialwm.dynamics.actions import Action, EndEffectorPath, GraspPlace, Push
from spatialwm.dynamics.files import action_to_dict, parse_actions, read_actions, read_rollout, write_rollout
from spatialwm.dynamics.model import Rollout, WorldModel
from spatialwm.dynamics.physics import Physics

__all__ = [
    "Action", "EndEffectorPath", "GraspPlace", "Physics", "Push", "Rollout", "WorldModel", "action_to_dict", "parse_actions",
    "read_actions", "read_rollout", "write_rollout",
]  # fmt: skip
