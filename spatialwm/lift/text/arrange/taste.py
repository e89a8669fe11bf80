"""What looks right although nobody asked: habits, free space, views, heroes that face the visitor, a framed clearing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.lift.text.arrange import priors
from spatialwm.lift.text.arrange.bodies import Body, Thing
from spatialwm.lift.text.arrange.candidates import Poses
from spatialwm.lift.text.arrange.predicates import PAIR, Boxes, gap
from spatialwm.lift.text.places.shell import Opening

if TYPE_CHECKING:
    from spatialwm.lift.text.arrange.solver import Layout

Array = np.ndarray

PAIR_GAP_M = 0.15
"""Between two of a kind on one wall."""


class Taste:
    """Soft costs of a body's poses in a layout under way."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def cost(self, body: Body, boxes: Mapping[str, Boxes], poses: Poses) -> Float[Array, " n"]:
        lead = body.lead
        own = boxes[body.keys[0]]
        cost = np.zeros(len(poses))
        for member, relation, other, weight in body.habits:
            b = self.layout.where(other)
            if b is not None:
                cost += weight * np.minimum(_habit(relation, boxes[member], b), 4.0)
        for key in body.keys:
            for r in self.layout.relations.get(key, ()):
                if r.objects and r.predicate not in ("far", "across", "facing"):
                    others = [self.layout.where(k) for k in (r.subject, *r.objects) if k not in boxes]
                    for b in others:
                        if b is not None:
                            cost += 0.8 * np.minimum(gap(boxes[key], b), 4.0)
        if body.mount == "surface":
            return cost + self._spot(body, own, poses)
        if self.layout.shell.indoor:
            cost += self._indoor_taste(body, own, boxes)
        else:
            cost += self._outdoor_taste(body, own, lead)
        return cost

    def _spot(self, body: Body, own: Boxes, poses: Poses) -> Float[Array, " n"]:
        """Favourite place on the support, apart from its other guests; higher levels first."""
        if body.support is None or body.support not in self.layout.placed:
            return np.zeros(len(poses))
        host = self.layout.placed[body.support]
        c, s = math.cos(host.yaw), math.sin(host.yaw)
        d = (own.center - (host.lo + host.hi) / 2)[:, :2]
        u, v = d[:, 0] * c + d[:, 1] * s, -d[:, 0] * s + d[:, 1] * c
        wanted = priors.SPOTS.get(body.lead.name, (0.0, 0.0))
        half = np.maximum(host.thing.size[:2] / 2 - body.lead.size[:2] / 2 - 0.04, 0)
        mirrored = -1 if body.lead.name == "table lamp" and host.thing.name == "nightstand" else 1
        cost = 2.0 * np.hypot(u - mirrored * wanted[0] * half[0], v - wanted[1] * half[1])
        if not body.within:
            shelved = body.lead.name == "book" and host.thing.name == "bookshelf"
            cost += (0.8 if shelved else 4.0) * (host.hi[2] - own.lo[:, 2])
        guests = [p.boxes() for k, p in self.layout.placed.items() if p.support == body.support and k not in body.keys]
        for guest in guests:
            cost += 1.2 * np.maximum(0.12 - gap(own, guest), 0) / 0.12
        return cost

    def _indoor_taste(self, body: Body, own: Boxes, boxes: Mapping[str, Boxes]) -> Float[Array, " n"]:
        lead = body.lead
        low, high = np.array(self.layout.shell.low), np.array(self.layout.shell.high)
        size = high - low
        cost = np.zeros(len(own.lo))
        gx, gy = self.layout.room.gaps(own)
        if body.mount == "wall":
            cost += 0.8 * np.abs(own.center[:, 2] - priors.WALL_HEIGHT_M.get(lead.name, 1.6))
            cost += np.where(own.lo[:, 1] < low[1] + 0.3, 1.2, 0.0)  # nobody looks at the wall behind
            for p in self.layout.placed.values():
                if p.thing.kind.habitat == "wall" and p.thing.name != "window":
                    pair = p.thing.name == lead.name  # pictures hang together, side by side at one height
                    clear = gap(own, p.boxes())
                    cost += 8.0 * np.maximum(PAIR_GAP_M - clear, 0) if pair else 1.5 * np.maximum(0.5 - clear, 0)
                    if pair and p.front is not None and own.front is not None:
                        beside = own.front @ p.front > 0.9
                        cost += np.where(beside, 4.0 * np.abs(own.center[:, 2] - (p.lo[2] + p.hi[2]) / 2), 0.0)
            along = np.where(
                gx < gy, np.abs(own.center[:, 1] - low[1] - size[1] / 2), np.abs(own.center[:, 0] - low[0] - size[0] / 2)
            )
            return cost + 0.25 * along
        if body.mount == "ceiling":
            return cost + 1.0 * np.linalg.norm(own.center[:, :2] - (low + high) / 2, axis=1)
        lo, hi = body.extent()
        if lead.kind.against_wall and hi[1] - lo[1] < 1.4 * lead.size[1]:
            back = self._back_gap(own)
            cost += 5.0 * np.minimum(back, 1.0) + np.where(back > 0.1, 3.0 if lead.size[2] < 1.2 else 30.0, 0.0)
            if lead.name in priors.ANCHORS:
                middle = (low + high) / 2
                across, along = np.abs(own.center[:, 0] - middle[0]), np.abs(own.center[:, 1] - middle[1])
                if own.front is not None:
                    cost += 0.5 * np.where(np.abs(own.front[:, 1]) > 0.5, across, along)
                if own.front is not None:  # the visitor looks north: the hero of the room looks back
                    cost += 1.2 * (1 + own.front[:, 1]) if not body.partnered else 0.0
            if body.partnered and own.front is not None:
                cost += 3.0 * np.abs(own.front[:, 1])
            if lead.size[2] > 1.0:
                for o in self.layout.shell.openings:
                    if o.kind == "window":
                        cost += 6.0 * self._before_opening(own, o)
        elif lead.name in priors.CORNERS:
            cost += priors.CORNERS[lead.name] * np.minimum(np.maximum(gx, 0) + np.maximum(gy, 0), 3.0)
        elif len(body.members) > 1:
            union = Boxes(np.min([b.lo for b in boxes.values()], axis=0), np.max([b.hi for b in boxes.values()], axis=0))
            cost += 0.8 * np.linalg.norm((union.center[:, :2] - (low + high) / 2) / size, axis=1)
        elif not body.habits:
            cost += (
                0.6 * np.linalg.norm((own.center[:, :2] - (low + high) / 2) / size, axis=1) * (1 if lead.size[2] < 1.2 else -1)
            )
        if own.front is not None:
            # backs to the visitor look cold, and what faces a wall nearby is useless
            cost += np.where(own.front[:, 1] > 0.7, 1.6, 0.0) * (0.3 if body.habits else 1.0)
            cost += 2.0 * self._blocked_front(lead, own)
        cost += self._crowding(body, own)
        if lead.size[2] > 1.0:
            cost += 1.5 * self._in_view(own)
        return cost

    def _back_gap(self, own: Boxes) -> Float[Array, " n"]:
        """Distance from the back to the wall behind it; to any wall when it has no front."""
        if own.front is None:
            return np.minimum(*self.layout.room.gaps(own))
        f = own.front
        low, high = self.layout.shell.low, self.layout.shell.high
        x = np.where(f[:, 0] < 0, high[0] - own.hi[:, 0], own.lo[:, 0] - low[0])
        y = np.where(f[:, 1] < 0, high[1] - own.hi[:, 1], own.lo[:, 1] - low[1])
        return np.where(np.abs(f[:, 0]) > np.abs(f[:, 1]), x, y)

    def _before_opening(self, own: Boxes, o: Opening) -> Float[Array, " n"]:
        axis = 0 if o.wall in ("north", "south") else 1
        plane = {
            "north": self.layout.shell.high[1],
            "south": self.layout.shell.low[1],
            "east": self.layout.shell.high[0],
            "west": self.layout.shell.low[0],
        }[o.wall]
        close = np.minimum(np.abs(own.lo[:, 1 - axis] - plane), np.abs(own.hi[:, 1 - axis] - plane)) < 0.5
        across = np.minimum(own.hi[:, axis], o.along[1]) - np.maximum(own.lo[:, axis], o.along[0])
        return (close & (across > 0.05) & (own.hi[:, 2] > o.z[0] + 0.1)).astype(float)

    def _blocked_front(self, lead: Thing, own: Boxes) -> Float[Array, " n"]:
        """How much of the free space wanted in front is taken by walls and things."""
        want = priors.FRONT_SPACE_M.get(lead.name, 0.25)
        zone = _front_zone(own, want)
        x, y = self.layout.room.gaps(zone)
        cost = np.clip(-np.minimum(x, y), 0, want) / want
        for p in self.layout.placed.values():
            if (
                p.thing.name in priors.FLAT
                or p.support not in ("floor",)
                or p.thing.name in ("chair", "stool", "coffee table", "armchair")
            ):
                continue
            cost += np.any(_hits(zone, p.boxes())[:, None], axis=1) * 1.0
        return cost

    def _crowding(self, body: Body, own: Boxes) -> Float[Array, " n"]:
        """Intrusion into the free space before what stands already, and narrow slits between tall things."""
        cost = np.zeros(len(own.lo))
        if body.flat:
            return cost
        friends = {o for _, _, o, _ in body.habits} | {
            k for key in body.keys for r in self.layout.relations.get(key, ()) for k in (r.subject, *r.objects)
        }
        for k, p in self.layout.placed.items():
            if k in friends or p.support != "floor" or p.thing.name in priors.FLAT:
                continue
            b = p.boxes()
            if b.front is not None:
                cost += 4.0 * _hits(own, _front_zone(b, priors.FRONT_SPACE_M.get(p.thing.name, 0.25)))
            g = gap(own, b, 2)
            cost += np.where((g > 0.08) & (g < 0.45), 0.9, 0.0)
        return cost

    def _in_view(self, own: Boxes) -> Float[Array, " n"]:
        """Tall things on the line from the entry to the middle of the place."""
        entry, middle = np.array(self.layout.shell.entry), np.array(self.layout.shell.center)
        d = middle - entry
        length = max(float(np.linalg.norm(d)), 1e-6)
        rel = own.center[:, :2] - entry
        t = rel @ d / length**2
        side = np.abs(rel[:, 0] * d[1] - rel[:, 1] * d[0]) / length - own.half[:, :2].max(1)
        return np.where((t > 0) & (t < 0.95), np.clip(1.0 - side, 0, 1.5), 0.0)

    def _in_line(self, own: Boxes) -> Float[Array, " n"]:
        """0..1 and more: how much of what was asked for stands right behind something tall, seen from the open side."""
        out = np.zeros(len(own.lo))
        for p in self.layout.placed.values():
            if p.thing.item.provenance != "stated" or p.thing.name in priors.FLAT or p.thing.name in priors.CROWNS:
                continue
            b = p.boxes()
            shared = np.minimum(own.hi[:, 0], b.hi[:, 0]) - np.maximum(own.lo[:, 0], b.lo[:, 0])
            narrow = np.minimum(own.hi[:, 0] - own.lo[:, 0], b.hi[:, 0] - b.lo[:, 0])
            behind = own.center[:, 1] > b.center[:, 1]
            hides = np.where(behind, b.hi[:, 2] > 0.5 * own.hi[:, 2], own.hi[:, 2] > 0.5 * b.hi[:, 2])
            out += np.clip(shared / np.maximum(narrow, 0.1) + 0.15, 0, 1) * hides
        return out

    def _outdoor_taste(self, body: Body, own: Boxes, lead: Thing) -> Float[Array, " n"]:
        center = np.array(self.layout.shell.center)
        half = (np.array(self.layout.shell.high) - np.array(self.layout.shell.low)) / 2
        rel = (own.center[:, :2] - center) / half
        radius = np.linalg.norm(rel, axis=1)
        edge = priors.EDGE_OF_CLEARING.get(lead.name)
        stated = lead.item.provenance == "stated"
        cost = np.zeros(len(own.lo))
        if edge is not None and not (stated and self.layout.relations.get(lead.item.key)):
            cost += 3.0 * np.maximum(edge - radius, 0) + 0.5 * np.maximum(radius - edge - 0.25, 0)
            cost += 1.0 * self.layout.rng.random(len(own.lo))
            same = [p for p in self.layout.placed.values() if p.thing.name == lead.name]
            for p in same:  # loose groups of uneven spacing look grown, an even grid looks planted
                g = gap(own, p.boxes(), 2)
                cost += np.where(g < 0.5, 0.6, 0.0)
            if lead.name in priors.CROWNS:
                cost += np.where(rel[:, 1] < -0.55, 1.5, 0.0)
        elif not body.habits:
            cost += 1.2 * np.linalg.norm(rel - (0.0, 0.1), axis=1)
        if own.front is not None:
            toward = np.array(self.layout.shell.entry) - own.center[:, :2]
            toward /= np.maximum(np.linalg.norm(toward, axis=1, keepdims=True), 1e-6)
            cost += 0.7 * (1 - (toward * own.front).sum(1))
        if lead.size[2] > 1.2:
            cost += 3.0 * self._in_view(own)
        if stated and lead.name not in priors.FLAT:
            cost += 2.5 * self._in_line(own)
        for p in self.layout.placed.values():
            if p.thing.name in priors.CROWNS and lead.name not in priors.SCENERY:
                cost += 2.0 * np.maximum(0.6 - gap(own, p.boxes(), 2), 0)
        return cost


def _habit(relation: str, a: Boxes, b: Boxes) -> Float[Array, " n"]:
    if relation in PAIR:
        return PAIR[relation](a, b)
    front, left = b.axes()
    d = (a.center - b.center)[:, :2]
    along, side = (d * front).sum(1), (d * left).sum(1)
    reach = (np.abs(front) * b.half[:, :2]).sum(1)
    spread = (np.abs(left) * b.half[:, :2]).sum(1)
    if relation == "head":
        return np.abs(along + 0.78 * reach) + 0.3 * np.maximum(np.abs(side) - 0.6 * spread, 0)
    return np.abs(along - 0.5 * reach) + np.abs(side)


def _front_zone(b: Boxes, depth: float) -> Boxes:
    assert b.front is not None
    shift = b.front * depth
    lo, hi = b.lo.copy(), b.hi.copy()
    lo[:, :2] += np.minimum(shift, 0)
    hi[:, :2] += np.maximum(shift, 0)
    return Boxes(lo, hi)


def _hits(a: Boxes, b: Boxes) -> Bool[Array, " n"]:
    return np.all(np.minimum(a.hi, b.hi) - np.maximum(a.lo, b.lo) > 0.03, axis=1)
