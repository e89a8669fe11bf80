"""A scene graph and built models in, poses out. What it does not own: what is wanted, how things look, where walls and openings are."""

from spatialwm.lift.text.arrange.arrangement import Arrangement, arrange
from spatialwm.lift.text.arrange.room import choose_room

__all__ = ["Arrangement", "arrange", "choose_room"]
