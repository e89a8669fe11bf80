"""How good a lift is: start reading at evaluate.py."""

from spatialwm.bench.lift.evaluate import evaluate
from spatialwm.bench.lift.photos import DepthTruth
from spatialwm.bench.lift.report import LiftReport, Row, Shown, SourceReport
from spatialwm.bench.lift.sheet import draw_sheet
from spatialwm.bench.lift.stages import Stage, StageMeter

__all__ = ["DepthTruth", "LiftReport", "Row", "Shown", "SourceReport", "Stage", "StageMeter", "draw_sheet", "evaluate"]
