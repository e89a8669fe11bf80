"""Sources in, report out: whichever lifter a source would get from ``spatialwm create`` is the one that is judged."""

from __future__ import annotations

from collections.abc import Sequence

from spatialwm.bench.lift.captures import evaluate_capture
from spatialwm.bench.lift.photos import DepthTruth, evaluate_photo, paired
from spatialwm.bench.lift.report import LiftReport, SourceReport
from spatialwm.errors import LiftError, SpatialwmError
from spatialwm.lift import LiftOptions, lifter_for
from spatialwm.lift.capture.lifter import CaptureLifter
from spatialwm.lift.capture.training import plan_for
from spatialwm.lift.image.lifter import ImageLifter
from spatialwm.progress import Progress, part_of, silent
from spatialwm.report import describe_machine


def evaluate(
    sources: Sequence[str],
    options: LiftOptions = LiftOptions(),
    *,
    steps: int | None = None,
    truths: Sequence[DepthTruth] = (),
    progress: Progress = silent,
) -> LiftReport:
    """Lift every source and judge it; one that cannot be lifted is a line of the report, not the end of it.

    Args:
        steps: of training, instead of the time that ``options`` give it: the same on any machine.
        truths: measured depth of the single pictures among the sources, in their order.

    Raises:
        LiftError: a source that is not made of pictures, or truths without pictures.
    """
    plan = plan_for(options.quality, seconds=options.seconds, steps=steps)
    lifters = {source: lifter_for(source) for source in sources}
    for source, lifter in lifters.items():
        if not isinstance(lifter, CaptureLifter | ImageLifter):
            raise LiftError(f"{source} is not made of pictures; evaluate lift takes photos, videos and posed or RGB-D folders")
    truth_of = paired([s for s, lifter in lifters.items() if isinstance(lifter, ImageLifter)], truths)
    reports: list[SourceReport] = []
    for i, (source, lifter) in enumerate(lifters.items()):
        part = part_of(progress, i / len(lifters), (i + 1) / len(lifters))
        kind = "capture" if isinstance(lifter, CaptureLifter) else "photo"
        try:
            if kind == "capture":
                reports.append(evaluate_capture(source, options, plan, part))
            else:
                reports.append(evaluate_photo(source, options, truth_of.get(source), part))
        except SpatialwmError as e:
            reports.append(SourceReport(source=source, kind=kind, refused=" ".join(str(e).split())))
    progress("done", 1.0)
    budget = f"{steps} steps of training" if steps is not None else f"{plan.seconds:g} s of training"
    return LiftReport(machine=describe_machine(), quality=options.quality, budget=budget, sources=tuple(reports))
