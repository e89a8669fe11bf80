"""Which models are judged on what, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from spatialwm.dynamics.episode import Episode, Forecaster
from spatialwm.dynamics.evaluate import AttachToGripper, ConstantVelocity, CopyLast, Protocol, Results, Twin, evaluate
from spatialwm.dynamics.evaluate.tables import look_at_table, table_solids
from spatialwm.dynamics.hybrid.weights import shipped
from spatialwm.dynamics.learn import episodes_from
from spatialwm.dynamics.table import DT_S, VARIANTS, NominalPhysics, TruePhysics, make_twins
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
_TURN = 30
"""Step at which twins part."""
REFERENCE = "nominal physics"
PROTOCOL = Protocol(solids=table_solids, look=look_at_table)
"""Tables are judged and shown by their true shapes."""


def judge(
    source: str = "push",
    episodes: int = 200,
    *,
    models: Sequence[str] = tuple(MODELS),
    first: int | None = None,
    seconds: float = 5.0,
    twins: int = 20,
    protocol: Protocol = PROTOCOL,
    progress: Progress = silent,
) -> Results:
    """Judge models by name on tables of a variant, or on a data set of them.

    Args:
        first: seed of the first table, or number of the first episode.
        seconds: that the longest prediction looks ahead.
        twins: pairs of tables on which two different actions follow on one state; none on a data set.

    Raises:
        ActionError: an unknown model or source.
        FormatError: a model whose weights do not come with the package.
    """
    unknown = [m for m in models if m not in MODELS]
    if unknown:
        raise ActionError(f"there is no model {unknown[0]!r} to judge; there are: {', '.join(MODELS)}")
    start = first if first is not None else FIRST if source in VARIANTS else 0
    ahead = round(seconds / DT_S)
    steps = max(100, ahead + 20)
    made = episodes_from(source, episodes, first=start, steps=steps, progress=part_of(progress, 0.0, 0.1))
    pairs = [make_twins(source, start + i) for i in range(min(twins, episodes) if source in VARIANTS else 0)]
    asked = [MODELS[m]([*made, *(e for pair in pairs for e in pair)]) for m in models]
    reference = REFERENCE if REFERENCE in models else None
    if ahead != protocol.horizons[-1]:
        horizons = tuple(h for h in protocol.horizons if h < ahead)
        protocol = replace(protocol, horizons=(*horizons, ahead), starts=tuple(s for s in protocol.starts if s + ahead <= steps))
    compared = [Twin(*pair, _TURN) for pair in pairs]
    return evaluate(asked, made, protocol, twins=compared, reference=reference, progress=part_of(progress, 0.1, 1.0))
