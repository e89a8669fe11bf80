"""Which lifter takes which input."""

from __future__ import annotations

import re
from pathlib import Path

from spatialwm.errors import LiftError
from spatialwm.formats import READABLE
from spatialwm.lift.lifter import Lifter
from spatialwm.lift.pictures.suffixes import PICTURES, VIDEOS

_FUTURE = {".glb", ".gltf"}
_TAKES = "a picture, a folder of photos, a video, a transforms.json, a COLMAP or RGB-D folder"


def lifter_for(source: str) -> Lifter:
    """The lifter of a path to splats, pictures or a video, or of a sentence.

    Raises:
        LiftError: a path that does not exist, or whose kind of file no lifter takes.
    """
    from spatialwm.lift.splatfile import SplatFileLifter

    path = Path(source)
    if _is_path(source):
        suffix = path.suffix.lower()
        if not path.exists():
            raise LiftError(f"no such file: {source}; to describe a place, write a sentence of several words")
        if path.is_dir() and ((path / "meta.json").is_file() or (path / "lod-meta.json").is_file()):
            return SplatFileLifter()
        if path.is_file() and suffix in READABLE and suffix != ".json":  # a .json may be cameras, which takes a look inside
            return SplatFileLifter()
        from spatialwm.lift.capture.lifter import CaptureLifter, is_capture

        if is_capture(path):
            return CaptureLifter()
        if path.is_file() and (suffix in READABLE or path.name.endswith("meta.json")):
            return SplatFileLifter()
        if path.is_dir():
            raise LiftError(f"{source} holds neither pictures nor a meta.json; give {_TAKES}, or a SOG folder")
        if suffix in PICTURES:
            from spatialwm.lift.image.lifter import ImageLifter

            return ImageLifter()
        known = "a layout cannot be lifted yet" if suffix in _FUTURE else f"unknown kind of file {suffix!r}"
        raise LiftError(f"{source}: {known}; give a sentence, {_TAKES}, or a splat file ({', '.join(READABLE)})")
    from spatialwm.lift.text.lifter import TextLifter

    return TextLifter()


def _is_path(source: str) -> bool:
    """A source is a path when it exists or is written like one: a single word with a suffix or a slash, or a known suffix."""
    try:
        if source and Path(source).exists():
            return True
    except (OSError, ValueError):  # too long for the file system, or a NUL inside
        return False
    if re.search(r"\s", source.strip()):
        return Path(source.strip()).suffix.lower() in {*READABLE, *_FUTURE, *PICTURES, *VIDEOS}
    return "/" in source or re.search(r"\.[A-Za-z]\w{1,7}$", source) is not None
