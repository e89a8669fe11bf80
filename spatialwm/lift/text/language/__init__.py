"""English in, a scene graph out. ``parse`` is all the rest of the lifter needs."""

from spatialwm.lift.text.language.parse import MAX_WORDS, parse

__all__ = ["MAX_WORDS", "parse"]
