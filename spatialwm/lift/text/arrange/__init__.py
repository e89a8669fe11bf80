"""A scene graph and built models in, poses out. It does not own what is wanted, how things look or where walls are."""

from spatialwm.lift.text.arrange.arrangement import Arrangement, arrange
from spatialwm.lift.text.arrange.room import choose_room

__all__ = ["Arrangement", "arrange", "choose_room"]
