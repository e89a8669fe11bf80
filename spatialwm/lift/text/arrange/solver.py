"""The search: greedy placement in order of constraint, then ruin and repair of what is still wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.lift.text.arrange import priors
from spatialwm.lift.text.arrange.bodies import Body, Member, Placed, Thing
from spatialwm.lift.text.arrange.candidates import Poses, poses_for
from spatialwm.lift.text.arrange.predicates import PAIR, ROOM, Boxes, Room, between, gap
from spatialwm.lift.text.arrange.taste import Taste
from spatialwm.lift.text.graph import Relation
from spatialwm.lift.text.places.shell import Shell

Array = np.ndarray
STATED = 60.0
"""Cost of breaking a stated relation, plus as much again per metre (or radian) short of it."""
UNPLACED = 400.0
SPOILS = 25.0
"""Cost above which what nobody asked for is better left out than put where it does not belong."""
TOUCH_M = 0.012
"""Boxes may share this much; the eye does not see it."""
MOST_WORK = 12_000_000
"""Box comparisons after which no further repair is begun; counting work, not time, keeps one seed at one layout."""
ENTRY_M = 0.9
"""Radius kept free where the visitor comes in."""


class Layout:
    """Bodies, the relations between them, and the best places found so far."""

    def __init__(self, bodies: Sequence[Body], things: Mapping[str, Thing], relations: Sequence[Relation], shell: Shell,
                 rng: np.random.Generator) -> None:  # fmt: skip
        self.bodies = list(bodies)
        self.things = things
        self.shell = shell
        self.rng = rng
        self.room = Room(shell.low, shell.high, shell.ceiling_m)
        self.placed: dict[str, Placed] = {}
        self.body_of = {k: b for b in self.bodies for k in b.keys}
        self.costs: dict[int, float] = {}
        self.work = 0
        self.relations: dict[str, list[Relation]] = {}
        for r in relations:
            mine = self.body_of.get(r.subject)
            if mine is None or not all(o in self.body_of for o in r.objects) or r.group:
                continue
            if r.objects and all(self.body_of[o] is mine for o in r.objects):
                continue
            for key in {r.subject, *r.objects}:
                self.relations.setdefault(key, []).append(r)
        self.taste = Taste(self)
        self._rank()

    # ------------------------------------------------------------------ order
    def _rank(self) -> None:
        """What others refer to and what is large goes first; what stands on something after it."""
        for body in self.bodies:
            lo, hi = body.extent()
            area = float((hi[0] - lo[0]) * (hi[1] - lo[1]))
            pull = sum(len(self.relations.get(k, ())) for k in body.keys)
            room = sum(r.predicate in ROOM for k in body.keys for r in self.relations.get(k, ()))
            stated = any(m.thing.item.provenance == "stated" for m in body.members)
            depends = sum(
                r.subject in body.keys and bool(r.objects) and r.predicate != "under"
                for k in body.keys
                for r in self.relations.get(k, ())
            )
            body.rank = (
                area + 0.4 * pull + 1.5 * room + (4.0 if stated else 0.0) - 1.2 * depends - 3.0 * len(body.habits) * (area < 1.2)
            )
            if body.lead.name in ("door", "window"):
                body.rank += 50
            if body.flat:
                body.rank += 20 if body.lead.name in priors.WET else -6
            if body.lead.name in priors.SCENERY and not stated:
                body.rank -= 8
            if body.mount != "floor" and body.lead.name not in ("door", "window"):
                body.rank -= {"wall": 20, "ceiling": 25, "surface": 30}.get(body.mount, 0)

    def order(self, bodies: Sequence[Body]) -> list[Body]:
        """By rank, but never before what carries it or what its habits refer to."""
        waiting = sorted(bodies, key=lambda b: -b.rank)
        out: list[Body] = []
        done = {k for b in self.bodies if b not in waiting for k in b.keys}
        while waiting:
            ready = next((b for b in waiting if self._needs(b) <= done), None) or next(
                (b for b in waiting if b.support is None or b.support in done), waiting[0]
            )
            waiting.remove(ready)
            out.append(ready)
            done.update(ready.keys)
        return out

    def _needs(self, body: Body) -> set[str]:
        return {host for _, _, host, _ in body.habits} | ({body.support} if body.support else set())

    # ------------------------------------------------------------------ search
    def solve(self, rounds: int) -> None:
        """Place everything, then ``rounds`` times lift what is wrong together with its neighbours and place it anew."""
        for body in self.order(self.bodies):
            self._place(body)
        temperature = 12.0
        for i in range(rounds):
            if self.work > MOST_WORK:
                break
            wrong = [b for b in self.bodies if self.costs[id(b)] > STATED * 0.5 and b.mount != "surface"]
            wrong += [
                self.body_of[b.support] for b in self.bodies if b.mount == "surface" and self.costs[id(b)] > STATED and b.support
            ]
            if not wrong:
                break
            victim = wrong[int(self.rng.integers(len(wrong)))]
            lifted = self._with_neighbours(victim, everything=i % 4 == 3)
            saved, costs, before = dict(self.placed), dict(self.costs), self.total()
            for body in lifted:
                for k in body.keys:
                    self.placed.pop(k, None)
            order = self.order(lifted)
            if victim in order and i % 2 == 0:
                order = [victim, *(b for b in order if b is not victim)]
                order = self._carriers_first(order)
            for body in order:
                self._place(body)
            self._refresh()
            delta = self.total() - before
            if delta > 0 and self.rng.random() >= math.exp(-delta / temperature):
                self.placed, self.costs = saved, costs
            temperature *= 0.8

    def turn(self) -> None:
        """Turn on the spot whatever was asked to face something and still does not, where it has the room to."""
        for r in {id(r): r for rs in self.relations.values() for r in rs if r.predicate == "facing"}.values():
            own, target = self.placed.get(r.subject), self.placed.get(r.objects[0])
            if (
                own is None
                or target is None
                or not own.thing.model.has_front
                or PAIR["facing"](own.boxes(), target.boxes())[0] <= 0
            ):
                continue
            d = (target.lo + target.hi - own.lo - own.hi)[:2]
            yaw = math.atan2(float(d[0]), -float(d[1]))
            body = Body([Member(own.thing)], "floor")
            lo, hi = body.members[0].bounds(np.array([yaw]))
            offset = np.array([own.x, own.y, own.z])
            turned = replace(own, yaw=yaw, lo=lo[0] + offset, hi=hi[0] + offset)
            if bool(self._free(body, {r.subject: turned.boxes()})[0]):
                self.placed[r.subject] = turned

    def _carriers_first(self, order: list[Body]) -> list[Body]:
        own = {k for b in order for k in b.keys}
        late = [b for b in order if b.support in own]
        return [b for b in order if b not in late] + late

    def _with_neighbours(self, victim: Body, everything: bool) -> list[Body]:
        linked = {id(victim): victim}
        for key in victim.keys:
            for r in self.relations.get(key, ()):
                for k in (r.subject, *r.objects):
                    if (everything or self.rng.random() < 0.6) and k in self.body_of:
                        linked[id(self.body_of[k])] = self.body_of[k]
        if everything:
            loose = [b for b in self.bodies if b.mount == "floor" and all(m.thing.item.provenance != "stated" for m in b.members)]
            for b in loose[:8]:
                linked[id(b)] = b
        for _ in range(3):  # what stands on a lifted thing goes with it
            for b in self.bodies:
                if b.support is not None and id(self.body_of[b.support]) in linked:
                    linked[id(b)] = b
        return list(linked.values())

    def total(self) -> float:
        """Cost of the whole layout."""
        return sum(self.costs.values())

    def _refresh(self) -> None:
        for body in self.bodies:
            first = self.placed.get(body.keys[0])
            if first is None:
                self.costs[id(body)] = 0.0 if _unasked(body) else UNPLACED
                continue
            origin = _origin(body, first)
            self.costs[id(body)] = float(self._judge(body, origin[None], hard=False)[0])

    def _place(self, body: Body) -> None:
        poses = poses_for(body, self.shell, self.placed, self.rng)
        best = self._best(body, poses)
        if best is None and body.mount == "surface" and body.support is not None and not body.within and not self._told(body):
            body.mount, body.support = "floor", None
            best = self._best(body, poses_for(body, self.shell, self.placed, self.rng))
        if best is None:
            self.costs[id(body)] = 0.0 if _unasked(body) else UNPLACED
            return
        pose, cost = best
        if cost > SPOILS and _unasked(body):
            self.costs[id(body)] = 0.0
            return
        self.costs[id(body)] = cost
        for m in body.members:
            lo, hi = m.bounds(pose[3:4])
            c, s = math.cos(pose[3]), math.sin(pose[3])
            x, y = pose[0] + m.x * c - m.y * s, pose[1] + m.x * s + m.y * c
            support = m.support or (body.support if body.mount == "surface" else "floor" if body.mount == "floor" else body.mount)
            key = m.thing.item.key
            lift = np.zeros(3)
            if not self.shell.indoor and body.mount == "floor" and len(body.members) > 1 and m.support is None:
                lift[2] = self.shell.ground_height(float(x), float(y)) - pose[2]  # each of a ring stands on its own ground
            self.placed[key] = Placed(
                m.thing, x, y, pose[2] + m.z + lift[2], pose[3] + m.yaw, lo[0] + pose[:3] + lift, hi[0] + pose[:3] + lift, support
            )

    def _told(self, body: Body) -> bool:
        return any(
            r.subject in body.keys and r.predicate in ("on_top", "inside") for k in body.keys for r in self.relations.get(k, ())
        )

    def _best(self, body: Body, poses: Poses) -> tuple[Float[Array, 4], float] | None:
        if not len(poses):
            return None
        cost = self._judge(body, poses, hard=True)
        i = int(np.argmin(cost))
        return (poses[i], float(cost[i])) if np.isfinite(cost[i]) else None

    # ------------------------------------------------------------------ judgement
    def _judge(self, body: Body, poses: Poses, hard: bool) -> Float[Array, " n"]:
        """Cost of each pose; infinite where something is hit. ``hard=False`` trusts that nothing is."""
        self.work += len(poses) * len(body.members) * (len(self.placed) + 4)
        boxes = {m.thing.item.key: self._boxes(m, poses) for m in body.members}
        cost = np.zeros(len(poses))
        if hard:
            free = self._free(body, boxes)
            cost[~free] = np.inf
            keep = np.flatnonzero(free)
            if not len(keep):
                return cost
            poses = poses[keep]
            boxes = {k: Boxes(b.lo[keep], b.hi[keep], None if b.front is None else b.front[keep]) for k, b in boxes.items()}
        else:
            keep = np.arange(len(poses))
        soft = self._wishes(body, boxes) + self.taste.cost(body, boxes, poses)
        if hard:
            soft = soft + self.rng.random(len(poses)) * 0.15
        cost[keep] += soft
        return cost

    def _boxes(self, m: Member, poses: Poses) -> Boxes:
        lo, hi = m.bounds(poses[:, 3])
        front = None
        if m.thing.model.has_front:
            front = np.stack([np.sin(poses[:, 3] + m.yaw), -np.cos(poses[:, 3] + m.yaw)], axis=1)
        return Boxes(lo + poses[:, :3], hi + poses[:, :3], front)

    def _free(self, body: Body, boxes: Mapping[str, Boxes]) -> Bool[Array, " n"]:
        n = len(next(iter(boxes.values())).lo)
        free = np.ones(n, bool)
        if body.fixed is not None:
            return free
        own = set(body.keys)
        exempt = own | self._chain(body.support)
        others = [p for k, p in self.placed.items() if k not in exempt and not self._passes(body, p)]
        for m in body.members:
            b = _solid(m.thing, boxes[m.thing.item.key], self.shell.indoor)
            if others:
                solid = [_solid(p.thing, p.boxes(), self.shell.indoor) for p in others]
                lo, hi = np.concatenate([s.lo for s in solid]), np.concatenate([s.hi for s in solid])
                shared = np.minimum(b.hi[:, None], hi[None]) - np.maximum(b.lo[:, None], lo[None])
                free &= ~np.any(np.all(shared > TOUCH_M, axis=2), axis=1)
            if body.mount == "floor" and not body.flat:
                free &= self._clear_floor(m.thing, b)
            if body.mount == "wall" and body.lead.name not in ("door", "window", "curtain"):
                free &= self._clear_wall(b)
            if self.shell.indoor:
                inside = np.all(b.lo[:, :2] >= np.array(self.shell.low) - 0.015, axis=1) & np.all(
                    b.hi[:, :2] <= np.array(self.shell.high) + 0.015, axis=1
                )
                free &= inside & (b.hi[:, 2] <= (self.shell.ceiling_m or 1e9) + 0.01)
        return free

    def _chain(self, key: str | None) -> set[str]:
        out: set[str] = set()
        while key is not None and key in self.placed and key not in out:
            out.add(key)
            key = self.placed[key].support
        return out

    def _passes(self, body: Body, other: Placed) -> bool:
        """Rugs lie under everything; small things may slip under a table that was asked to be over them."""
        name = other.thing.name
        if name in priors.FLAT or body.flat:
            wet = name in priors.WET or (body.flat and body.lead.name in priors.WET)
            both = name in priors.FLAT and body.flat
            carried = body.support is not None
            return not both and (not wet or carried)
        if name in priors.CROWNS:  # what stands under a tree stands beside its trunk
            return False
        for k in body.keys:
            for r in self.relations.get(k, ()):
                if r.predicate != "under":
                    continue
                if (
                    r.subject == k and other.thing.item.key in r.objects and other.thing.kind.habitat not in ("wall", "ceiling")
                ) or (k in r.objects and other.thing.item.key == r.subject and body.mount == "floor"):
                    low, high = (self.things[k], other.thing) if r.subject == k else (other.thing, self.things[k])
                    return bool(low.size[2] < 0.9 * high.size[2] and np.all(np.sort(low.size[:2]) < np.sort(high.size[:2])))
        return False

    def _clear_floor(self, thing: Thing, b: Boxes) -> Bool[Array, " n"]:
        free = np.ones(len(b.lo), bool)
        strips = self.shell.clear_strips() if thing.size[2] > 0.1 else ()
        for low, high in (*strips, *self.shell.keep_clear):
            free &= ~np.all((b.hi[:, :2] > np.array(low) + 0.02) & (b.lo[:, :2] < np.array(high) - 0.02), axis=1)
        d = np.maximum(np.maximum(b.lo[:, :2] - self.shell.entry, self.shell.entry - b.hi[:, :2]), 0)
        entry = ENTRY_M if not self.shell.indoor else 0.5
        return free & ((d * d).sum(1) > entry**2)

    def _clear_wall(self, b: Boxes) -> Bool[Array, " n"]:
        free = np.ones(len(b.lo), bool)
        for o in self.shell.openings:
            axis = 0 if o.wall in ("north", "south") else 1
            plane = {
                "north": self.shell.high[1],
                "south": self.shell.low[1],
                "east": self.shell.high[0],
                "west": self.shell.low[0],
            }[o.wall]
            touches = (b.lo[:, 1 - axis] < plane + 0.2) & (b.hi[:, 1 - axis] > plane - 0.2)
            across = (b.hi[:, axis] > o.along[0] - 0.05) & (b.lo[:, axis] < o.along[1] + 0.05)
            level = (b.hi[:, 2] > o.z[0]) & (b.lo[:, 2] < o.z[1])
            free &= ~(touches & across & level)
        return free

    def where(self, key: str) -> Boxes | None:
        """Where a thing is, or what will carry it while it has no place yet."""
        seen: set[str] = set()
        while key not in self.placed:
            body = self.body_of.get(key)
            if body is None or body.support is None or key in seen:
                return None
            seen.add(key)
            key = body.support
        return self.placed[key].boxes()

    def _wishes(self, body: Body, boxes: Mapping[str, Boxes]) -> Float[Array, " n"]:
        n = len(next(iter(boxes.values())).lo)
        cost = np.zeros(n)
        for key, own in boxes.items():
            for r in self.relations.get(key, ()):
                if r.subject in boxes and r.subject != key:
                    continue
                short = self._shortfall(r, key, own, boxes)
                if short is not None:
                    stated = 1.0 if r.provenance == "stated" else 0.2
                    cost += stated * STATED * np.where(short > 1e-6, 0.6 + np.minimum(short, 5.0), 0.0)
        return cost

    def _shortfall(self, r: Relation, key: str, own: Boxes, boxes: Mapping[str, Boxes]) -> Float[Array, " n"] | None:
        if not r.objects:
            known = r.predicate in ROOM and (self.shell.indoor or r.predicate in ("center_of_room", "in_corner"))
            return ROOM[r.predicate](own, self.room) if known else None
        if r.predicate in ("on_top", "inside") and key != r.subject:
            return None
        parties = [own if k == key else boxes.get(k) or self.where(k) for k in (r.subject, *r.objects)]
        if any(p is None for p in parties):
            return None
        if r.predicate == "between":
            return between(parties[0], parties[1], parties[2]) if len(parties) == 3 else None  # type: ignore[arg-type]
        if r.predicate not in PAIR:
            return None
        short = PAIR[r.predicate](parties[0], parties[1])  # type: ignore[arg-type]
        if r.distance_m is not None:
            short = short + np.maximum(np.abs(gap(parties[0], parties[1]) - r.distance_m) - 0.05, 0)  # type: ignore[arg-type]
        elif r.predicate in ("left_of", "right_of", "in_front_of", "behind"):
            # a stranger expects "in front of" to be at hand, not at the far end of the room
            short = short + np.where(short > 1e-6, 0, 1e-7 * np.maximum(gap(parties[0], parties[1]) - 0.6, 0))  # type: ignore[arg-type]
        return short


def _unasked(body: Body) -> bool:
    return all(m.thing.item.provenance != "stated" for m in body.members)


def _origin(body: Body, first: Placed) -> Float[Array, 4]:
    m = body.members[0]
    yaw = first.yaw - m.yaw
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([first.x - (m.x * c - m.y * s), first.y - (m.x * s + m.y * c), first.z - m.z, yaw])


def _solid(thing: Thing, b: Boxes, indoor: bool) -> Boxes:
    """The part that takes room: a tree's trunk and its lower branches, not the reach of its crown; the space over water."""
    if thing.name in priors.WET:  # a film of water is thin, yet nothing stands in it
        return Boxes(b.lo - np.array([0.0, 0.0, 1.0]), b.hi + np.array([0.0, 0.0, 3.0]), b.front)
    share = priors.CROWNS.get(thing.name)
    if share is None or indoor:
        return b
    center, half = b.center, b.half.copy()
    half[:, :2] *= share
    return Boxes(center - half, center + half, b.front)
