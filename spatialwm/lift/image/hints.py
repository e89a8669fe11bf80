"""Hints as people write them: a JSON file, or flags of a command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from spatialwm.errors import LiftError
from spatialwm.lift.image.photo import Hints, Px

EXAMPLE = (
    '{"focal_mm": 28, "horizon": [[0, 0.5], [1, 0.48]], "corners": [[0.1, 0.9], [0.3, 0.7]], '
    '"depths": [[[0.5, 0.8], 2.5]], "indoors": true}'
)  # fmt: skip


def read_hints(path: Path) -> Hints:
    """The hints of a JSON file.

    Raises:
        LiftError: it cannot be read, or does not hold hints; the message shows an example.
    """
    try:
        told = json.loads(path.read_text("utf-8"))
    except OSError as e:
        raise LiftError(f"cannot read the hints {path}: {e.strerror or e}") from e
    except ValueError as e:
        raise LiftError(f"{path} is not JSON: {e}; hints look like {EXAMPLE}") from e
    return hints_from_dict(told)


def hints_from_dict(told: Any) -> Hints:
    """The hints of a JSON object with the fields of :class:`Hints`; places are ``[x, y]``, depths ``[[x, y], metres]``.

    Raises:
        LiftError: an unknown field, or a value that does not fit.
    """
    names = [f.name for f in fields(Hints)]
    if not isinstance(told, Mapping) or set(told) - set(names):
        raise LiftError(f"hints are an object with some of {', '.join(names)}; for example {EXAMPLE}")
    try:
        focal, horizon, indoors = told.get("focal_mm"), told.get("horizon"), told.get("indoors")
        if indoors not in (None, True, False):
            raise ValueError(f"indoors is {indoors!r}")
        return Hints(
            focal_mm=None if focal is None else float(focal),
            horizon=None if horizon is None else _two(horizon),
            corners=tuple(_place(p) for p in told.get("corners") or ()),
            depths=tuple((_place(p), float(distance_m)) for p, distance_m in told.get("depths") or ()),
            indoors=indoors,
        )
    except (TypeError, ValueError) as e:
        raise LiftError(f"hints do not fit ({e}); for example {EXAMPLE}") from e


def hints_to_dict(hints: Hints) -> dict[str, Any]:
    """What :func:`hints_from_dict` reads, with only what was told."""
    told = {f.name: getattr(hints, f.name) for f in fields(Hints)}
    return {name: _plain(value) for name, value in told.items() if value not in (None, ())}


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def hints_from_words(
    base: Hints | None = None,
    *,
    focal_mm: float | None = None,
    horizon: Sequence[str] | None = None,
    corners: Sequence[str] = (),
    depths: Sequence[str] = (),
    indoors: bool | None = None,
) -> Hints | None:
    """Hints from the words of a command line over those of ``base``; None where neither tells anything.

    Args:
        horizon: two places ``X,Y``.
        corners: places ``X,Y``.
        depths: ``X,Y=METRES``.

    Raises:
        LiftError: a word that is no place; names it.
    """
    told: dict[str, Any] = {}
    if focal_mm is not None:
        told["focal_mm"] = focal_mm
    if horizon:
        told["horizon"] = [_words(w, "horizon") for w in horizon]
    if corners:
        told["corners"] = [_words(w, "corner") for w in corners]
    if depths:
        told["depths"] = [_depth(w) for w in depths]
    if indoors is not None:
        told["indoors"] = indoors
    if not told:
        return base
    known = {} if base is None else {f.name: getattr(base, f.name) for f in fields(Hints)}
    return hints_from_dict({**known, **told})


def _two(places: Any) -> tuple[Px, Px]:
    a, b = (_place(p) for p in places)
    return a, b


def _place(place: Any) -> Px:
    x, y = place
    return float(x), float(y)


def _words(word: str, what: str) -> Px:
    try:
        return _place(word.split(","))
    except ValueError:
        raise LiftError(f"a {what} is given as X,Y in shares of width and height from the top left; got {word!r}") from None


def _depth(word: str) -> tuple[Px, float]:
    place, found, metres = word.partition("=")
    try:
        return _words(place, "place"), float(metres if found else "nothing")
    except ValueError:
        raise LiftError(f"a distance is given as X,Y=METRES, such as 0.5,0.8=2.5; got {word!r}") from None
