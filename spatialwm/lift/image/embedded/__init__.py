"""Depth of one picture by geometry alone, without learned weights: start reading at estimator.py."""

from spatialwm.lift.image.embedded.estimator import EmbeddedDepth

__all__ = ["EmbeddedDepth"]
