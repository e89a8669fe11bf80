"""How a user points at a thing: clicks, a box, or words."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from spatialwm.errors import LiftError
from spatialwm.geometry.camera import Camera


@dataclass(frozen=True, slots=True)
class Click:
    """One place in the picture of a camera, in its pixels from the upper left corner."""

    x: float
    y: float
    add: bool = True
    """False: this belongs to something else."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is meant in the picture of a camera; clicks refine a box, and words stand alone."""

    clicks: tuple[Click, ...] = ()
    box: tuple[float, float, float, float] | None = None
    """``x0, y0, x1, y1`` in pixels, in any order of the corners."""
    words: str = ""
    """A noun phrase such as ``the red chair``; needs the ``hub`` extra."""

    def __post_init__(self) -> None:
        if not any(click.add for click in self.clicks) and self.box is None and not self.words.strip():
            raise LiftError("nothing is pointed at; give a click, a box or words")
        numbers = [v for click in self.clicks for v in (click.x, click.y)] + list(self.box or ())
        if not all(map(math.isfinite, numbers)):
            raise LiftError(f"clicks and boxes are finite pixels; got {numbers}")
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            object.__setattr__(self, "box", (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
            if abs(x1 - x0) < 2 or abs(y1 - y0) < 2:
                raise LiftError(f"a box must be at least two pixels wide and high; got {self.box}; click to point at a place")

    def within(self, camera: Camera) -> Prompt:
        """The same with its box cut to the picture.

        Raises:
            LiftError: a click or the whole box lies outside.
        """
        w, h = camera.width, camera.height
        for click in self.clicks:
            if not (0 <= click.x < w and 0 <= click.y < h):
                raise LiftError(f"the click ({click.x:g}, {click.y:g}) is outside the picture of {w}x{h} pixels")
        if self.box is None:
            return self
        x0, y0, x1, y1 = self.box
        if x0 >= w or y0 >= h or x1 <= 0 or y1 <= 0:
            raise LiftError(f"the box {self.box} is outside the picture of {w}x{h} pixels")
        return replace(self, box=(max(x0, 0.0), max(y0, 0.0), min(x1, float(w)), min(y1, float(h))))

    def resized(self, camera: Camera, to: Camera) -> Prompt:
        """The same in the picture of ``to``, which is ``camera`` with another number of pixels."""
        k, shift = to.fx / camera.fx, (to.height - camera.height * to.fx / camera.fx) / 2
        clicks = tuple(Click(c.x * k, c.y * k + shift, c.add) for c in self.clicks)
        box = self.box
        if box is not None:
            box = (box[0] * k, box[1] * k + shift, box[2] * k, box[3] * k + shift)
        return replace(self, clicks=clicks, box=box)
