"""Every error a user can meet: each names the value, what was expected, and the mend."""

from __future__ import annotations


class SpatialwmError(Exception):
    """Base of all errors raised on purpose; the command line prints it as one line and exits non-zero."""


class ShapeError(SpatialwmError):
    """An array has the wrong shape, type or non-finite values."""


class FormatError(SpatialwmError):
    """A file is malformed, truncated, of an unknown kind or larger than its header may claim."""


class EditError(SpatialwmError):
    """An edit cannot be applied to this scene: unknown object, bad argument, mask of the wrong length."""


class WorldError(SpatialwmError):
    """A world on disk cannot be opened, written or trusted."""


class StaleRevisionError(WorldError):
    """A commit was based on a revision that is no longer the branch head."""


class LiftError(SpatialwmError):
    """An input cannot be turned into a scene."""


class ActionError(SpatialwmError):
    """An action does not fit the scene it is applied to."""


class DataError(SpatialwmError):
    """Episodes cannot be generated, or do not fit the data set they are for."""


class ExportError(SpatialwmError):
    """A scene cannot be written in the requested form."""


class MissingDependencyError(SpatialwmError):
    """An optional package is needed for this call.

    Args:
        package: import name that was not found.
        extra: the spatialwm extra that brings it, e.g. ``"app"``.
        purpose: what it is needed for, in a few words.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed: pip install 'spatialwm[{extra}]'")
        self.package = package
        self.extra = extra
