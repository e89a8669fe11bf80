"""The bounds of a place as the arranger sees them: where things may stand, hang and lean, and what must stay clear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Wall = Literal["north", "south", "east", "west"]
"""North is the wall at +Y, east the one at +X. The default visitor stands near the south wall and looks north."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A door or window in a wall: a rectangle in the wall's own coordinates, plus what it needs free."""

    kind: Literal["door", "window"]
    wall: Wall
    along: tuple[float, float]
    """Interval on the wall's running axis (x for north and south, y for east and west), metres, low < high."""
    z: tuple[float, float]
    """Lower and upper edge, metres above the floor."""
    clear_m: float = 0.0
    """Depth of the floor strip in front of it in which no large thing may stand (a door needs about 0.9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What the arranger must know of a place before anything stands in it. World frame, +Z up, metres."""

    low: Point
    high: Point
    """Corners of the usable ground: the inner wall faces indoors, the arranged clearing outdoors."""
    ceiling_m: float | None
    """Height of the ceiling; None outdoors."""
    ground_height: Callable[[float, float], float]
    """Height of the ground at (x, y); 0 indoors."""
    openings: tuple[Opening, ...] = ()
    walkable: tuple[Point, ...] = ()
    """Convex polygon, counter-clockwise, in which a visitor may walk."""
    entry: Point = (0.0, 0.0)
    """Where the visitor comes in and first looks from; keep it free."""
    keep_clear: tuple[tuple[Point, Point], ...] = ()
    """Further ``(low, high)`` rectangles in which nothing may stand (water, a path)."""

    @property
    def indoor(self) -> bool:
        """True when there is a ceiling."""
        return self.ceiling_m is not None

    @property
    def center(self) -> Point:
        """Middle of the usable ground."""
        return ((self.low[0] + self.high[0]) / 2, (self.low[1] + self.high[1]) / 2)

    def clear_strips(self) -> tuple[tuple[Point, Point], ...]:
        """``(low, high)`` floor rectangles that openings need free."""
        strips: list[tuple[Point, Point]] = []
        for o in self.openings:
            if o.clear_m <= 0:
                continue
            a, b = o.along
            if o.wall == "north":
                strips.append(((a, self.high[1] - o.clear_m), (b, self.high[1])))
            elif o.wall == "south":
                strips.append(((a, self.low[1]), (b, self.low[1] + o.clear_m)))
            elif o.wall == "east":
                strips.append(((self.high[0] - o.clear_m, a), (self.high[0], b)))
            else:
                strips.append(((self.low[0], a), (self.low[0] + o.clear_m, b)))
        return tuple(strips)
