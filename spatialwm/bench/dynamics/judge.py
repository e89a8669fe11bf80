"""Which models are judged on what, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spatialwm.dynamics.episode import Episode, Forecaster
from spatialwm.dynamics.evaluate import AttachToGripper, ConstantVelocity, CopyLast, Protocol, Results, evaluate
from spatialwm.dynamics.evaluate.tables import look_at_table, table_solids
from spatialwm.dynamics.hybrid.weights import shipped
from spatialwm.dynamics.learn import episodes_from
from spatialwm.dynamics.table import NominalPhysics, TruePhysics
from spatialwm.errors import ActionError
from spatialwm.progress import Progress, part_of, silent

FIRST = 1_000_000
"""Seed of the first table that models are judged on; they learn from tables that begin at 0."""


def _gwm() -> Forecaster:
    from spatialwm.dynamics.gwm import Gwm, read_weights
    from spatialwm.dynamics.gwm import shipped as weights

    return Gwm(read_weights(weights())[0])


MODELS: dict[str, Callable[[Sequence[Episode]], Forecaster]] = {
    "copy last": lambda _: CopyLast(),
    "constant velocity": lambda _: ConstantVelocity(),
    "attach to gripper": lambda _: AttachToGripper(),
    "nominal physics": lambda _: NominalPhysics(),
    "learned actuator": lambda _: shipped("hybrid").without_learning(),
    "learned": lambda _: shipped("learned"),
    "hybrid": lambda _: shipped("hybrid"),
    "gwm": lambda _: _gwm(),
    "true physics": TruePhysics,
}
"""By name: baselines, ours, and the floor. ``learned actuator`` is nominal physics that knows how the rod really goes."""
REFERENCE = "nominal physics"
PROTOCOL = Protocol(solids=table_solids, look=look_at_table)
"""Tables are judged and shown by their true shapes."""


def judge(
    source: str = "push",
    episodes: int = 200,
    *,
    models: Sequence[str] = tuple(MODELS),
    first: int | None = None,
    protocol: Protocol = PROTOCOL,
    progress: Progress = silent,
) -> Results:
    """Judge models by name on tables of a variant, or on a data set of them.

    Args:
        first: seed of the first table, or number of the first episode.

    Raises:
        ActionError: an unknown model or source.
        FormatError: a model whose weights do not come with the package.
    """
    unknown = [m for m in models if m not in MODELS]
    if unknown:
        raise ActionError(f"there is no model {unknown[0]!r} to judge; there are: {', '.join(MODELS)}")
    from spatialwm.dynamics.table import VARIANTS

    start = first if first is not None else FIRST if source in VARIANTS else 0
    made = episodes_from(source, episodes, first=start, progress=part_of(progress, 0.0, 0.1))
    asked = [MODELS[m](made) for m in models]
    reference = REFERENCE if REFERENCE in models else None
    return evaluate(asked, made, protocol, reference=reference, progress=part_of(progress, 0.1, 1.0))
