"""How fast this machine renders, and in ``lift`` how good lifts are: interleaved timing, tables and pictures of the result."""

from spatialwm.bench.render import Cell, Report, measure
from spatialwm.bench.scenes import BenchScene, load_scene
from spatialwm.bench.synthetic import synthetic_scene
from spatialwm.bench.timing import Timing, interleaved
from spatialwm.report import describe_machine

__all__ = [
    "BenchScene",
    "Cell",
    "Report",
    "Timing",
    "describe_machine",
    "interleaved",
    "load_scene",
    "measure",
    "synthetic_scene",
]
