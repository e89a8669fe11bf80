"""Views and start points become Gaussians: start reading at trainer.py."""

from spatialwm.lift.capture.training.plan import Plan, plan_for
from spatialwm.lift.capture.training.prune import pruned
from spatialwm.lift.capture.training.score import ViewScore, held_out_views
from spatialwm.lift.capture.training.trainer import Trained, Trainer

__all__ = ["Plan", "Trained", "Trainer", "ViewScore", "held_out_views", "plan_for", "pruned"]
