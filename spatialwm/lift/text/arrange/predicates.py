"""How far boxes are from satisfying a relation, vectorised; zero means satisfied with a margin.

The geometry is that of the scene description's specification: gaps between axis-aligned boxes, cones of 45 degrees in the
frame of the reference, 0.15 m to a wall. Targets lie inside the specified tolerances, so that rounding turns no met wish into a
missed one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

Array = np.ndarray
VIEW = np.array([0.0, 1.0])
"""Which way the visitor looks."""


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Axis-aligned boxes with fronts; one row, or as many as its partner in a relation."""

    lo: Float[Array, "n 3"]
    hi: Float[Array, "n 3"]
    front: Float[Array, "n 2"] | None = None

    @property
    def center(self) -> Float[Array, "n 3"]:
        return (self.lo + self.hi) / 2

    @property
    def half(self) -> Float[Array, "n 3"]:
        return (self.hi - self.lo) / 2

    def axes(self) -> tuple[Float[Array, "n 2"], Float[Array, "n 2"]]:
        """Front and left: its own (looking out of it), or as the visitor sees it."""
        if self.front is None:
            left = np.array([-VIEW[1], VIEW[0]])
            return np.broadcast_to(-VIEW, (len(self.lo), 2)), np.broadcast_to(left, (len(self.lo), 2))
        return self.front, np.stack([-self.front[:, 1], self.front[:, 0]], axis=1)


@dataclass(frozen=True, slots=True)
class Room:
    """Inner faces of the walls."""

    low: tuple[float, float]
    high: tuple[float, float]
    ceiling_m: float | None

    def gaps(self, a: Boxes) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
        """Distance to the nearer of the two walls across x, and across y."""
        x = np.minimum(a.lo[:, 0] - self.low[0], self.high[0] - a.hi[:, 0])
        y = np.minimum(a.lo[:, 1] - self.low[1], self.high[1] - a.hi[:, 1])
        return x, y


def gap(a: Boxes, b: Boxes, dims: int = 3) -> Float[Array, " n"]:
    """Distance between boxes."""
    d = np.maximum(0, np.maximum(a.lo[:, :dims] - b.hi[:, :dims], b.lo[:, :dims] - a.hi[:, :dims]))
    return np.sqrt((d * d).sum(1))


def overlap(a: Boxes, b: Boxes, grow: float = 0.0) -> Float[Array, " n"]:
    """Shared footprint as a share of the smaller footprint."""
    d = np.maximum(np.minimum(a.hi[:, :2], b.hi[:, :2] + grow) - np.maximum(a.lo[:, :2], b.lo[:, :2] - grow), 0)
    area = np.minimum(np.prod(2 * a.half[:, :2], axis=1), np.prod(2 * b.half[:, :2], axis=1))
    return d[:, 0] * d[:, 1] / np.maximum(area, 1e-6)


def _stacked(a: Boxes, b: Boxes) -> Bool[Array, " n"]:
    apart = (a.lo[:, 2] >= b.hi[:, 2] - 0.05) | (b.lo[:, 2] >= a.hi[:, 2] - 0.05)
    return (overlap(a, b) >= 0.45) & apart


def next_to(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    return np.maximum(gap(a, b) - 0.42, 0) + _stacked(a, b)


def near(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    return np.maximum(gap(a, b) - 1.3, 0)


def far(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    return np.maximum(4.1 - gap(a, b), 0)


def facing(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """Radians beyond 25 degrees between the front and the direction to the centre,
    unless the front's ray meets the footprint."""
    if a.front is None:
        return np.zeros(max(len(a.lo), len(b.lo)))
    d = b.center[:, :2] - a.center[:, :2]
    length = np.maximum(np.linalg.norm(d, axis=1), 1e-9)
    angle = np.arccos(np.clip((d * a.front).sum(1) / length, -1, 1))
    off = np.abs(d[:, 0] * a.front[:, 1] - d[:, 1] * a.front[:, 0])
    across_front = np.abs(a.front[:, 1]) * b.half[:, 0] + np.abs(a.front[:, 0]) * b.half[:, 1]
    meets = ((d * a.front).sum(1) > 0) & (off < 0.7 * across_front) & (gap(a, b, 2) > 0)
    return np.where(meets, 0.0, np.maximum(angle - math.radians(25), 0))


def across(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    g = gap(a, b)
    look = np.maximum(facing(a, b), facing(b, a))
    return np.maximum(1.6 - g, 0) + np.maximum(g - 3.8, 0) + look


def _beyond(a: Boxes, b: Boxes, axis: Float[Array, "n 2"]) -> Float[Array, " n"]:
    perp = np.stack([-axis[:, 1], axis[:, 0]], axis=1)
    d = (a.center - b.center)[:, :2]
    h = (np.abs(axis) * b.half[:, :2]).sum(1)
    s = (d * axis).sum(1)
    t = np.abs((d * perp).sum(1)) - (np.abs(perp) * (a.half + b.half)[:, :2]).sum(1)
    return np.maximum(h + 0.01 - s, 0) + np.maximum(t - np.maximum(s - h, 0), 0)


def left_of(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    return _beyond(a, b, b.axes()[1])


def right_of(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    return _beyond(a, b, -b.axes()[1])


def in_front_of(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    return _beyond(a, b, b.axes()[0])


def behind(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    return _beyond(a, b, -b.axes()[0])


def under(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """Wholly below, or on the floor within the footprint."""
    off = np.maximum(0.4 - overlap(a, b, 0.2), 0) * 2
    below = np.maximum(a.hi[:, 2] - b.lo[:, 2], 0)
    fits = (a.hi[:, 2] <= b.hi[:, 2] - 0.03) & (a.lo[:, 2] <= b.lo[:, 2] + 0.05)
    within = np.where(fits, np.maximum(0.6 - overlap(a, b), 0) * 2, np.inf)
    return np.minimum(off + below, within)


def inside(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    out = np.maximum(np.abs((a.center - b.center)[:, :2]) - b.half[:, :2], 0).sum(1)
    return out + np.maximum(0.6 - overlap(a, b), 0) + np.maximum(a.lo[:, 2] - b.hi[:, 2] + 0.01, 0)


def on_top(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """Rests anywhere from a quarter of the height upward: seats and shelves count."""
    height = b.hi[:, 2] - b.lo[:, 2]
    z = a.lo[:, 2]
    return (
        np.maximum(0.3 - overlap(a, b),
        0) + np.maximum(z - b.hi[:, 2] - 0.05, 0) + np.maximum(b.lo[:, 2] + 0.25 * height - z, 0)
    )


def between(a: Boxes, b: Boxes, c: Boxes) -> Float[Array, " n"]:
    p, q, x = b.center[:, :2], c.center[:, :2], a.center[:, :2]
    d = q - p
    length = np.maximum(np.linalg.norm(d, axis=1), 1e-6)
    t = ((x - p) * d).sum(1) / length**2
    lateral = np.abs((x - p)[:, 0] * d[:, 1] - (x - p)[:, 1] * d[:, 0]) / length
    reach = np.maximum(np.maximum(b.half[:, :2].max(1), c.half[:, :2].max(1)), 0)
    limit = 0.85 * np.maximum(0.25 * length, np.minimum(reach, 0.5 * length))
    return (np.maximum(0.15 - t, 0) + np.maximum(t - 0.85, 0)) * length + np.maximum(lateral - limit, 0)


def centered(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """Squarely before the front, a knee's breadth away."""
    front, left = b.axes()
    d = (a.center - b.center)[:, :2]
    free = (d * front).sum(1) - (np.abs(front) * (a.half + b.half)[:, :2]).sum(1)
    return np.abs((d * left).sum(1)) + np.abs(free - 0.4) + 0.5 * _sideways(a, b)


def _sideways(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """Long sides not parallel."""
    long_a, long_b = a.half[:, 0] >= a.half[:, 1], b.half[:, 0] >= b.half[:, 1]
    return (long_a != long_b).astype(float)


def seat(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """Before the front, close, looking back at it."""
    front, left = b.axes()
    d = (a.center - b.center)[:, :2]
    free = (d * front).sum(1) - (np.abs(front) * (a.half + b.half)[:, :2]).sum(1)
    if b.front is None:
        return np.abs(gap(a, b, 2) - 0.05) + facing(a, b)
    return 0.6 * np.abs((d * left).sum(1)) + np.abs(free - 0.05) + facing(a, b)


def around(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    g = gap(a, b, 2)
    return np.maximum(g - 1.2, 0) + np.maximum(0.35 - g, 0) + facing(a, b)


def camp(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    g = gap(a, b, 2)
    return np.maximum(g - 3.0, 0) + np.maximum(1.8 - g, 0) + facing(a, b) + 0.5 * np.maximum(b.center[:, 1] - a.center[:, 1], 0)


def screen(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    g = gap(a, b, 2)
    return np.maximum(1.7 - g, 0) + np.maximum(g - 3.5, 0) + facing(a, b) + facing(b, a)


def aside(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """At right angles, to the side of the free space before it: neither hides the other from who comes in."""
    front, _ = b.axes()
    turned = 0.0 if a.front is None else np.abs((a.front * front).sum(1))
    ahead = ((a.center - b.center)[:, :2] * front).sum(1)
    return turned + np.maximum(0.8 - ahead, 0) + np.maximum(ahead - 2.2, 0)


def over(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """Centre over centre along the wall, clear of it."""
    d = np.abs((a.center - b.center)[:, :2])
    return d.sum(1) - np.minimum(d.max(1), b.half[:, :2].min(1)) + np.maximum(b.hi[:, 2] + 0.12 - a.lo[:, 2], 0)


def beneath(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    return np.linalg.norm((a.center - b.center)[:, :2], axis=1) + 0.4 * _sideways(a, b)


def before(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """Straight before the front, touching or slightly beneath."""
    front, left = b.axes()
    d = (a.center - b.center)[:, :2]
    reach = (np.abs(front) * (a.half + b.half)[:, :2]).sum(1)
    return np.abs((d * left).sum(1)) + np.abs((d * front).sum(1) - reach)


def beside_bed(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """A rug that reaches out from under the foot end."""
    front, left = b.axes()
    d = (a.center - b.center)[:, :2]
    return np.abs((d * left).sum(1)) + np.abs((d * front).sum(1) - 0.45 * (np.abs(front) * 2 * b.half[:, :2]).sum(1))


def flank(a: Boxes, b: Boxes) -> Float[Array, " n"]:
    """At the head end, a hand's breadth to the left or right, looking the same way."""
    front, left = b.axes()
    d = (a.center - b.center)[:, :2]
    side = np.abs((d * left).sum(1)) - (np.abs(left) * (a.half + b.half)[:, :2]).sum(1)
    back = (d * front).sum(1) + (np.abs(front) * (b.half - a.half)[:, :2]).sum(1)
    turned = 0.0 if a.front is None else 1 - (a.front * front).sum(1)
    return np.abs(side - 0.06) + np.abs(back) + turned


PAIR: dict[str, Callable[[Boxes, Boxes], Float[Array, " n"]]] = {
    f.__name__: f
    for f in (
        next_to, near, far, facing, across, left_of, right_of, in_front_of, behind, under, inside, on_top, centered, seat,
        around, camp,
        screen, aside, over, beneath, before, beside_bed, flank,
    )
}  # fmt: skip
"""Relations between two things."""


def against_wall(a: Boxes, room: Room) -> Float[Array, " n"]:
    return np.maximum(np.minimum(*room.gaps(a)) - 0.1, 0)


def in_corner(a: Boxes, room: Room) -> Float[Array, " n"]:
    x, y = room.gaps(a)
    return np.maximum(x - 0.25, 0) + np.maximum(y - 0.25, 0)


def center_of_room(a: Boxes, room: Room) -> Float[Array, " n"]:
    size = np.array(room.high) - np.array(room.low)
    middle = (np.array(room.high) + np.array(room.low)) / 2
    return np.maximum(np.abs(a.center[:, :2] - middle) - np.maximum(0.12 * size, 0.25), 0).sum(1)


def on_wall(a: Boxes, room: Room) -> Float[Array, " n"]:
    return np.maximum(np.minimum(*room.gaps(a)) - 0.08, 0) + np.maximum(0.22 - a.lo[:, 2], 0)


def hanging_from_ceiling(a: Boxes, room: Room) -> Float[Array, " n"]:
    if room.ceiling_m is None:
        return np.ones(len(a.lo))
    return np.maximum(np.abs(a.hi[:, 2] - room.ceiling_m) - 0.08, 0) + np.maximum(1.0 - a.lo[:, 2], 0)


ROOM: dict[str, Callable[[Boxes, Room], Float[Array, " n"]]] = {
    f.__name__: f for f in (against_wall, in_corner, center_of_room, on_wall, hanging_from_ceiling)
}
"""Relations to the room."""
