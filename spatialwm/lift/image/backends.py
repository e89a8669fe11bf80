"""Every source of depth for one picture, what keeps it from running here, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spatialwm.errors import LiftError
from spatialwm.lift.image.depth import DepthBackend
from spatialwm.lift.image.hub.models import MODELS, HubModel
from spatialwm.lift.image.hub.weights import MissingModelError, missing, weights_of


@dataclass(frozen=True, slots=True)
class Backend:
    """A source of depth, which may not be possible on every machine."""

    load: Callable[[], DepthBackend]
    missing: Callable[[], str | None]
    """Why it cannot run here and how to mend it; None where it can."""
    model: HubModel | None = None
    """Its weights, licence and needs; None: it has none."""


def _embedded() -> DepthBackend:
    from spatialwm.lift.image.embedded import EmbeddedDepth

    return EmbeddedDepth()


def _nothing() -> None:
    return None


def _hub(model: HubModel) -> Backend:
    def load() -> DepthBackend:
        from spatialwm.lift.image.hub.depth import HubDepth

        return HubDepth(model, weights_of(model))

    return Backend(load, lambda: missing(model), model)


BACKENDS: dict[str, Backend] = {
    **{name: _hub(model) for name, model in MODELS.items()},
    "embedded": Backend(_embedded, _nothing),
}
"""In order of preference for ``auto``; each is imported when it is first asked for."""


def choose(backend: str = "auto", indoors: bool | None = None) -> tuple[str, DepthBackend]:
    """The name and the backend; ``auto`` takes the first whose weights lie here and may be used commercially, else the embedded.

    Args:
        indoors: whether the picture shows a room, where that is known: ``auto`` passes over models of the other kind.

    Raises:
        LiftError: no backend of that name.
        MissingDependencyError: it cannot run here; one line says what to download and where to put it.
    """
    if backend == "auto":
        backend = next(name for name, b in BACKENDS.items() if _suits(b.model, indoors) and b.missing() is None)
    if backend not in BACKENDS:
        raise LiftError(f"unknown depth backend {backend!r}; choose auto or one of {', '.join(BACKENDS)}")
    chosen = BACKENDS[backend]
    why = chosen.missing()
    if why is not None and chosen.model is not None:
        raise MissingModelError(chosen.model, why)
    return backend, chosen.load()


def _suits(model: HubModel | None, indoors: bool | None) -> bool:
    """Research-only weights are used when asked for by name, never by themselves."""
    if model is None:
        return True
    if model.place == "anywhere" or indoors is None:
        return model.commercial
    return model.commercial and (model.place == "indoors") == indoors
