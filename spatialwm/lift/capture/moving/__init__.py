"""What moves in a clip is found and masked: start reading at clip.py."""

from spatialwm.lift.capture.moving.clip import without_moving

__all__ = ["without_moving"]
