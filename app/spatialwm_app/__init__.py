"""The studio: a local web page that creates, shows, edits, pushes and exports worlds."""

from spatialwm_app.server import launch

__all__ = ["launch"]
