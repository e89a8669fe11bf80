"""Every source of depth for one picture, what keeps it from running here, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spatialwm.errors import LiftError
from spatialwm.lift.image.depth import DepthBackend
from spatialwm.lift.image.hub.models import MODELS, HubModel
from spatialwm.lift.image.hub.weights import MissingModelError, missing, weights_of
from spatialwm.lift.image.photo import Photo


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


def choose(backend: str = "auto", photo: Photo | None = None) -> tuple[str, DepthBackend]:
    """The name and the backend; ``auto`` takes the first whose weights lie here and may be used commercially, else the embedded.

    Args:
        photo: for which; of models made for rooms or for outdoors ``auto`` takes one that suits it.

    Raises:
        LiftError: no backend of that name.
        MissingDependencyError: it cannot run here; one line says what to download and where to put it.
    """
    if backend == "auto":
        backend = _first_suitable(photo)
    if backend not in BACKENDS:
        raise LiftError(f"unknown depth backend {backend!r}; choose auto or one of {', '.join(BACKENDS)}")
    chosen = BACKENDS[backend]
    why = chosen.missing()
    if why is not None and chosen.model is not None:
        raise MissingModelError(chosen.model, why)
    return backend, chosen.load()


def _first_suitable(photo: Photo | None) -> str:
    indoors = None if photo is None else photo.hints.indoors
    for name, backend in BACKENDS.items():
        model = backend.model
        # Research-only weights are used when asked for by name, never by themselves.
        if model is not None and (not model.commercial or backend.missing() is not None):
            continue
        if model is not None and model.place != "anywhere" and photo is not None:
            if indoors is None:
                from spatialwm.lift.image.hub.surroundings import shows_sky

                indoors = not shows_sky(photo)
            if indoors != (model.place == "indoors"):
                continue
        return name
    return "embedded"
