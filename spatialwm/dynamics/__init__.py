"""World models: state and action in, next state out."""

from spatialwm.dynamics.actions import Action, EndEffectorPath, GraspPlace, JointTargets, OpenClose, Pull, Push, Walk
from spatialwm.dynamics.files import action_to_dict, parse_actions, read_actions, read_rollout, write_rollout
from spatialwm.dynamics.model import Rollout, WorldModel
from spatialwm.dynamics.physics import Physics

__all__ = [
    "Action", "EndEffectorPath", "GraspPlace", "JointTargets", "OpenClose", "Physics", "Pull", "Push", "Rollout", "Walk",
    "WorldModel", "action_to_dict", "parse_actions", "read_actions", "read_rollout", "write_rollout",
]  # fmt: skip
