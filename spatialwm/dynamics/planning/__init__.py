"""Planning: which commands bring objects to where they are wanted, over any world model."""

from spatialwm.dynamics.planning.control import Limits, Outcome, Plant, control
from spatialwm.dynamics.planning.cost import Costable, CostModel
from spatialwm.dynamics.planning.floors import NoOp, RandomPush, RandomWalk
from spatialwm.dynamics.planning.goals import EditGoal, Goal, PoseGoal
from spatialwm.dynamics.planning.image_goal import ImageGoal
from spatialwm.dynamics.planning.knots import KnotPlanner, Knots
from spatialwm.dynamics.planning.plan import Plan, Planner
from spatialwm.dynamics.planning.pushes import PushPlanner
from spatialwm.dynamics.planning.quasistatic import QuasiStatic
from spatialwm.dynamics.planning.search import CPU_PRESET, Cem, Mppi, Search, Space
from spatialwm.dynamics.planning.tabletop import PushTask, TablePlant, make_push_task
from spatialwm.dynamics.planning.trust import Trust

__all__ = [
    "CPU_PRESET", "Cem", "CostModel", "Costable", "EditGoal", "Goal", "ImageGoal", "KnotPlanner", "Knots", "Limits", "Mppi",
    "NoOp", "Outcome", "Plan", "Planner", "Plant", "PoseGoal", "PushPlanner", "PushTask", "QuasiStatic", "RandomPush",
    "RandomWalk", "Search", "Space", "TablePlant", "Trust", "control", "make_push_task",
]  # fmt: skip
