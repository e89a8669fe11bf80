"""What a tray holds, what may be chosen about it, and the options that a page's choices come to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

from spatialwm.errors import LiftError, SpatialwmError
from spatialwm.lift import LiftOptions, Quality, lifter_for
from spatialwm.lift.capture.training.plan import PLANS
from spatialwm.lift.image.photo import Hints
from spatialwm.lift.pictures.suffixes import is_picture, is_video
from spatialwm_app.tray import Tray

Kind = Literal["picture", "panorama", "photos", "posed", "video", "splats"]

PANORAMA_ASPECT = (1.95, 2.05)
_NAMES = {"draft": "Draft", "standard": "Standard", "high": "High"}
_LOOKS = {"draft": "for a first look", "standard": "to walk in", "high": "as sharp as it gets"}
_ONE_PICTURE = {"draft": "A few seconds", "standard": "About ten seconds", "high": "Up to half a minute"}


def tray_message(tray: Tray) -> dict[str, Any]:
    """The tray as its page hears of it: files, what they are together, and what may be chosen."""
    files = tray.files()
    message: dict[str, Any] = {
        "tray": tray.token,
        "files": [{"name": name, "bytes": size} for name, size in files.items()],
        "bytes": sum(files.values()),
        "kind": None,
        "error": None,
    }
    source = tray.source()
    if source is None:
        return message
    try:
        kind = kind_of(source)
    except SpatialwmError as error:
        return {**message, "error": tray.spoken(str(error))}
    return {
        **message,
        "kind": kind,
        "title": _title(kind, source),
        "qualities": qualities(kind),
        "depths": depths() if kind in ("picture", "panorama") else [],
        "hints": kind == "picture",
    }


def kind_of(source: Path) -> Kind:
    """What a file or folder is taken for.

    Raises:
        LiftError: no lifter takes it.
    """
    lifter_for(str(source))
    if source.is_file() and is_picture(source):
        from spatialwm.lift.pictures.picture import read_picture

        picture = read_picture(source)
        return "panorama" if PANORAMA_ASPECT[0] <= picture.width / picture.height <= PANORAMA_ASPECT[1] else "picture"
    if is_video(source):
        return "video"
    from spatialwm.lift.capture.lifter import is_capture
    from spatialwm.lift.capture.posed import posed_reader

    if posed_reader(source) is not None:
        return "posed"
    return "photos" if is_capture(source) else "splats"


def qualities(kind: Kind) -> list[dict[str, str]]:
    """Name and meaning, in time, of each quality; none where it makes no difference."""
    if kind == "splats":
        return []
    return [{"value": value, "name": name, "meaning": _meaning(kind, cast(Quality, value))} for value, name in _NAMES.items()]


def depths() -> list[dict[str, str]]:
    """The depth backends that can run here; none where there is nothing to choose."""
    from spatialwm.lift.image.backends import BACKENDS

    ready = [name for name, backend in BACKENDS.items() if backend.missing() is None]
    if len(ready) < 2:
        return []
    named = [{"value": name, "name": name.replace("-", " ").capitalize()} for name in ready]
    return [{"value": "auto", "name": "Automatic"}, *named]


def options_from(choices: dict[str, Any]) -> LiftOptions:
    """The options of a lift from what the page sent.

    Raises:
        LiftError: one of them makes no sense.
    """
    try:
        drawn = choices.get("hints")
        return LiftOptions(
            quality=choices.get("quality") or "standard",
            depth=str(choices.get("depth") or "auto"),
            hints=_hints(drawn) if drawn else None,
        )
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise LiftError(f"the page sent choices that make no sense here ({error}); reload it") from error


def _hints(drawn: dict[str, Any]) -> Hints:
    horizon = drawn.get("horizon")
    return Hints(
        horizon=(_place(horizon[0]), _place(horizon[1])) if horizon else None,
        corners=tuple(_place(p) for p in drawn.get("corners") or ()),
        depths=tuple((_place(p), float(distance_m)) for p, distance_m in drawn.get("depths") or ()),
        indoors=drawn.get("indoors"),
    )


def _place(point: Any) -> tuple[float, float]:
    x, y = point
    return float(x), float(y)


def _title(kind: Kind, source: Path) -> str:
    if kind in ("photos", "posed"):
        count = sum(is_picture(p) for p in source.rglob("*")) if source.is_dir() else 0
        what = "photos" if kind == "photos" else "pictures with cameras"
        return f"{count:,} {what}" if count else what.capitalize()
    return {"picture": "One picture", "panorama": "Panorama", "video": "Video", "splats": "Splats"}[kind]


def _meaning(kind: Kind, quality: Quality) -> str:
    if kind in ("picture", "panorama"):
        return _ONE_PICTURE[quality]
    minutes = (PLANS[quality].seconds or 60) / 60
    cameras = 0.5 if kind == "posed" else 1
    return f"About {minutes + cameras:.0f} min, {_LOOKS[quality]}"
