"""What the solver moves: single things, and rows, rings and stacks that move as one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from spatialwm.lift.text.arrange import priors
from spatialwm.lift.text.arrange.predicates import Boxes
from spatialwm.lift.text.graph import Item, Relation, SceneGraph
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model

Array = np.ndarray
Mount = Literal["floor", "wall", "ceiling", "surface"]


@dataclass(frozen=True, slots=True, eq=False)
class Thing:
    """An item with its model and all that placing it needs."""

    item: Item
    kind: Kind
    model: Model
    lo: Float[Array, 3]
    hi: Float[Array, 3]

    @property
    def size(self) -> Float[Array, 3]:
        """Extent of the unturned model."""
        return self.hi - self.lo

    @property
    def name(self) -> str:
        """The name by which the tables of habits know it."""
        return priors.role(self.kind.name)


@dataclass(frozen=True, slots=True)
class Member:
    """A thing's place inside a body."""

    thing: Thing
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw: float = 0.0
    support: str | None = None
    """The member it stands on."""

    def bounds(self, yaw: Float[Array, " n"]) -> tuple[Float[Array, "n 3"], Float[Array, "n 3"]]:
        """Box relative to the body's origin when the body is turned by ``yaw``."""
        c, s = np.cos(yaw), np.sin(yaw)
        cx, cy = self.x * c - self.y * s, self.x * s + self.y * c
        ct, st = np.cos(yaw + self.yaw), np.sin(yaw + self.yaw)
        t = self.thing
        mid, half = (t.lo + t.hi) / 2, (t.hi - t.lo) / 2
        mx, my = mid[0] * ct - mid[1] * st, mid[0] * st + mid[1] * ct
        hx, hy = half[0] * np.abs(ct) + half[1] * np.abs(st), half[0] * np.abs(st) + half[1] * np.abs(ct)
        z = np.full_like(cx, self.z)
        lo = np.stack([cx + mx - hx, cy + my - hy, z + t.lo[2]], axis=1)
        hi = np.stack([cx + mx + hx, cy + my + hy, z + t.hi[2]], axis=1)
        return lo, hi


@dataclass(slots=True, eq=False)
class Body:
    """One or more members that move as one; the first leads."""

    members: list[Member]
    mount: Mount
    support: str | None = None
    within: bool = False
    """Goes into its support, not onto it."""
    facing: bool = False
    """Must look at something: finer turns are worth trying."""
    partnered: bool = False
    """Something will stand across and look back, so that a side wall shows both."""
    rank: float = 0.0
    habits: list[tuple[str, str, str, float]] = field(default_factory=list)
    """``(own member, relation, other thing, weight)``."""
    fixed: Float[Array, "1 4"] | None = None
    """The one pose it can have: x, y, z, yaw."""

    @property
    def lead(self) -> Thing:
        return self.members[0].thing

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(m.thing.item.key for m in self.members)

    @property
    def flat(self) -> bool:
        """A rug, path or pond: others may overlap it."""
        return len(self.members) == 1 and self.lead.name in priors.FLAT

    def extent(self, yaw: float = 0.0) -> tuple[Float[Array, 3], Float[Array, 3]]:
        """Union of the members' boxes."""
        boxes = [m.bounds(np.array([yaw])) for m in self.members]
        return np.min([b[0][0] for b in boxes], axis=0), np.max([b[1][0] for b in boxes], axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A thing that has its place."""

    thing: Thing
    x: float
    y: float
    z: float
    yaw: float
    lo: Float[Array, 3]
    hi: Float[Array, 3]
    support: str | None

    @property
    def front(self) -> Float[Array, 2] | None:
        """The model's -Y, turned."""
        return np.array([math.sin(self.yaw), -math.cos(self.yaw)]) if self.thing.model.has_front else None

    def boxes(self) -> Boxes:
        """As one row for the predicates."""
        front = self.front
        return Boxes(self.lo[None], self.hi[None], None if front is None else front[None])


def things_of(graph: SceneGraph, models: Mapping[str, Model], kinds: Mapping[str, Kind]) -> dict[str, Thing]:
    """Every item that has a model."""
    out: dict[str, Thing] = {}
    for item in graph.items:
        if item.key in models:
            lo, hi = models[item.key].bounds()
            out[item.key] = Thing(item, kinds[item.kind], models[item.key], lo, hi)
    return out


def bodies_of(graph: SceneGraph, things: Mapping[str, Thing], indoor: bool) -> list[Body]:
    """Group things that must move as one, and decide how each body is held."""
    bodies: list[Body] = []
    taken: set[str] = set()
    for relation in graph.relations:
        keys = [k for k in relation.group if k in things and k not in taken]
        center = things.get(relation.subject if relation.predicate == "surrounded_by" else (relation.objects or ("",))[0])
        if center is not None and center.item.key in taken:
            center = None
        members = _pattern(relation, [things[k] for k in keys], center, graph, things)
        if members:
            taken.update(m.thing.item.key for m in members)
            bodies.append(Body(members, "floor"))
    for relation in graph.relations:
        flanked = _flanked(relation, graph, things)
        if flanked and not taken & {m.thing.item.key for m in flanked}:
            taken.update(m.thing.item.key for m in flanked)
            bodies.append(Body(flanked, "floor"))
    bodies += _dining(graph, things, taken)
    bodies += [Body([Member(t)], "floor") for key, t in things.items() if key not in taken]
    for body in bodies:
        body.members = [replace(m, z=-float(m.thing.lo[2])) if m.support is None else m for m in body.members]
        _mount(body, graph, things, indoor)
    _house(bodies, things, indoor, graph)
    return bodies


def _with_seats(desks: list[Member], graph: SceneGraph, things: Mapping[str, Thing]) -> list[Member]:
    """Chairs that belong to desks of a grid move with them, behind each desk's front and looking across it."""
    out = list(desks)
    for m in desks:
        if not m.thing.model.has_front:
            continue
        near = [
            r.subject
            for r in graph.relations
            if r.predicate == "next_to" and r.objects == (m.thing.item.key,) and r.subject in things
        ]
        seat = next((things[k] for k in near if things[k].name in ("chair", "stool")), None)
        if seat is not None and seat.item.key not in {o.thing.item.key for o in out}:
            out.append(Member(seat, x=m.x, y=m.y - (m.thing.size[1] + seat.size[1]) / 2 - 0.14, yaw=math.pi))
    return out


def _pattern(
    relation: Relation, group: list[Thing], center: Thing | None, graph: SceneGraph, things: Mapping[str, Thing]
) -> list[Member]:
    if relation.predicate == "in_row" and len(group) >= 2:
        return row(group)
    if relation.predicate == "stacked" and len(group) >= 2:
        return stack(group)
    if relation.predicate == "aligned" and len(group) >= 2:
        return _with_seats(grid(group), graph, things)
    if relation.predicate == "in_circle" and len(group) >= 3:
        return ring(center, group)
    if relation.predicate == "surrounded_by" and len(group) >= 3 and center is not None:
        return ring(center, group)
    return []


def _flanked(relation: Relation, graph: SceneGraph, things: Mapping[str, Thing]) -> list[Member]:
    """A bed with a nightstand on either side: symmetric, and near enough to its middle for it to be between them."""
    keys = (relation.subject, *relation.objects)
    if relation.predicate != "between" or len(set(keys)) != 3 or not all(k in things for k in keys):
        return []
    beside = {(r.subject, r.objects) for r in graph.relations if r.predicate == "next_to"}
    if not all((k, (keys[0],)) in beside for k in keys[1:]) or any(things[k].kind.habitat == "surface" for k in keys):
        return []
    center, sides = things[keys[0]], [things[k] for k in keys[1:]]
    free = 0.06 if center.size[1] < 1.2 else 0.3
    reach = center.size[0] + 2 * free + max(t.size[0] for t in sides)
    out = [Member(center)]
    for sign, t in zip((-1, 1), sides, strict=True):
        # Backs flush where the specification still calls the middle "between" (lateral offset up to a quarter of the distance).
        y = min((center.size[1] - t.size[1]) / 2, 0.2 * reach)
        out.append(Member(t, x=sign * (center.size[0] / 2 + t.size[0] / 2 + free), y=y))
    return out


def _dining(graph: SceneGraph, things: Mapping[str, Thing], taken: set[str]) -> list[Body]:
    """Chairs that nobody placed gather around the table that nobody claimed."""
    placed = {r.subject for r in graph.relations if r.predicate not in ("facing",)} | {
        k for r in graph.relations for k in r.group
    }
    own: dict[str, list[Thing]] = {}
    for r in graph.relations:
        chair, table = things.get(r.subject), things.get((r.objects or ("",))[0])
        if r.predicate == "next_to" and chair and table and chair.name in ("chair", "stool") and table.name == "table":
            own.setdefault(table.item.key, []).append(chair)
    free = [t for k, t in things.items() if t.name in ("chair", "stool") and k not in placed and k not in taken]
    tables = [t for k, t in things.items() if t.name == "table" and k not in taken]
    desks = sum(t.name == "desk" for t in things.values())
    spare = free[min(desks, len(free)) :] if tables else []
    out: list[Body] = []
    for i, table in enumerate(tables):
        mine = own.get(table.item.key, []) or spare[i :: len(tables)]
        mine = [t for t in mine if t.item.key not in taken][:10]
        if mine and _clear_to_ring(graph, table, mine):
            body = Body(ring(table, mine), "floor")
            out.append(body)
            taken.update(body.keys)
    return out


def _clear_to_ring(graph: SceneGraph, table: Thing, seats: Sequence[Thing]) -> bool:
    """No seat has a further wish of its own that a fixed place would break."""
    keys = {t.item.key for t in seats}
    return not any(
        r.subject in keys and r.objects != (table.item.key,) and not (r.predicate == "facing" and set(r.objects) <= keys)
        for r in graph.relations
    )  # fmt: skip


def row(group: Sequence[Thing]) -> list[Member]:
    """Side by side along x, evenly spaced."""
    widest = max(t.size[0] for t in group)
    pitch = widest + (0.12 if widest > 0.5 else max(0.35 * widest, 0.02))
    if group[0].kind.habitat == "ground":
        pitch = widest * 1.25 + 0.3
    if group[0].name == "street lamp":
        pitch = 3.5
    start = -pitch * (len(group) - 1) / 2
    return [Member(t, x=start + i * pitch) for i, t in enumerate(group)]


def grid(group: Sequence[Thing]) -> list[Member]:
    """Rows and columns with aisles, all looking the same way."""
    columns = math.ceil(math.sqrt(len(group)))
    small = max(group[0].size[:2]) < 0.4
    if small:
        columns = len(group)
    w, d = max(t.size[0] for t in group), max(t.size[1] for t in group)
    pitch = (w * 1.35 + 0.01, d * 1.35) if small else (w + 0.5, d + 1.0)
    rows = math.ceil(len(group) / columns)
    return [
        Member(t, x=(i % columns - (columns - 1) / 2) * pitch[0], y=(i // columns - (rows - 1) / 2) * pitch[1])
        for i, t in enumerate(group)
    ]


def stack(group: Sequence[Thing]) -> list[Member]:
    """One on top of the other, each turned by a few degrees as hands leave it."""
    out: list[Member] = []
    z = 0.0
    for i, t in enumerate(group):
        out.append(Member(t, z=z - t.lo[2], yaw=math.radians((0, 4, -3, 2)[i % 4]), support=group[i - 1].item.key if i else None))
        z += t.size[2]
    return out


def ring(center: Thing | None, group: Sequence[Thing]) -> list[Member]:
    """``group`` evenly around ``center``, looking at it: at the sides of a table, on a circle around anything else."""
    if len(group) == 1 and center is not None and max(group[0].size[:2]) > 1.5 * max(center.size[:2]):
        return []
    if center is not None and center.name in ("table", "desk") and "round" not in center.item.adjectives:
        seats = _table_sides(center, group)
        if seats:
            return [Member(center), *seats]
    size = max(max(t.size[:2]) for t in group)
    depth = max(t.size[1] for t in group)
    base = 0.0 if center is None else max(center.size[:2]) / 2
    space = priors.RING_GAP_M.get(center.name, 0.3 * min(size, 4) if size > 0.6 else 0.06) if center is not None else 0.0
    members: list[Member] = []
    radius = max(base + depth / 2 + space, 1.15 * size * len(group) / (2 * math.pi))
    lead = [Member(center)] if center is not None else []
    for _ in range(40):
        members = [
            *lead,
            *(_at_angle(t, -math.pi / 2 + 2 * math.pi * (i + 0.5) / len(group), radius) for i, t in enumerate(group)),
        ]
        if not _collide(members):
            break
        radius *= 1.06
    return members


def _at_angle(t: Thing, angle: float, radius: float) -> Member:
    # The front of an unturned model is -Y, so that at the south (-90 degrees) it must turn half way round to look at the middle.
    return Member(t, x=radius * math.cos(angle), y=radius * math.sin(angle), yaw=angle - math.pi / 2)


def _table_sides(table: Thing, seats: Sequence[Thing]) -> list[Member]:
    """Chairs at the long sides first, then at the ends; [] when they do not fit."""
    n = len(seats)
    w, d = table.size[0], table.size[1]
    turn = 0.0 if w >= d else math.pi / 2
    length, breadth = max(w, d), min(w, d)
    seat_w, seat_d = max(t.size[0] for t in seats), max(t.size[1] for t in seats)
    ends = 2 if n >= 6 and n % 2 == 0 and breadth >= seat_w else 1 if n % 2 and n > 1 else 0
    if n == 4 and length < 1.15 and breadth >= seat_w:
        ends = 2
    per_side = [(n - ends + 1) // 2, (n - ends) // 2]
    if max(per_side) * (seat_w + 0.06) > length:
        return []
    out: list[Member] = []
    queue = list(seats)
    for side, count in zip((-1, 1), per_side, strict=True):
        for k in range(count):
            u = 0.0 if count == 1 else (k + 0.5) / count * length - length / 2
            if ends == 1:  # leave the crowded end, so that nobody's neighbour is half a turn away
                u -= length / 4 if count == 1 else 0.0
            out.append(_placed_seat(queue.pop(0), u, side * (breadth / 2 + seat_d / 2 + 0.04), 0.0 if side > 0 else math.pi))
    for e in range(ends):
        sign = 1 if e == 0 else -1
        out.append(
            _placed_seat(queue.pop(0), sign * (length / 2 + seat_d / 2 + 0.04), 0.0, -math.pi / 2 if sign > 0 else math.pi / 2)
        )
    return [_turned(m, turn) for m in out]


def _placed_seat(t: Thing, x: float, y: float, yaw: float) -> Member:
    return Member(t, x=x, y=y, yaw=yaw)


def _turned(m: Member, angle: float) -> Member:
    c, s = math.cos(angle), math.sin(angle)
    return Member(m.thing, m.x * c - m.y * s, m.x * s + m.y * c, m.z, m.yaw + angle, m.support)


def _collide(members: Sequence[Member]) -> bool:
    boxes = [m.bounds(np.zeros(1)) for m in members]
    for i, (lo, hi) in enumerate(boxes):
        for other_lo, other_hi in boxes[:i]:
            if np.all(np.minimum(hi, other_hi)[0] - np.maximum(lo, other_lo)[0] > 0.005):
                return True
    return False


def _mount(body: Body, graph: SceneGraph, things: Mapping[str, Thing], indoor: bool) -> None:
    keys = set(body.keys)
    habitat = body.lead.kind.habitat
    for r in graph.relations:
        if r.subject not in keys:
            continue
        if r.predicate in ("on_top", "inside") and r.objects[0] in things and r.objects[0] not in keys:
            body.mount, body.support, body.within = "surface", r.objects[0], r.predicate == "inside"
            return
        if r.predicate == "on_wall":
            habitat = "wall"
        elif r.predicate == "hanging_from_ceiling":
            habitat = "ceiling"
        elif r.predicate == "on_floor":
            habitat = "floor"
        elif r.predicate == "facing":
            body.facing = True
    if habitat in ("wall", "ceiling") and indoor:
        body.mount = habitat
    elif habitat == "surface":
        body.mount = "surface"


def _house(bodies: list[Body], things: Mapping[str, Thing], indoor: bool, graph: SceneGraph) -> None:
    """Give small things that nobody placed a home among the furniture; the floor is the last resort."""
    load: dict[str, int] = {}
    for body in bodies:
        if body.support:
            load[body.support] = load.get(body.support, 0) + 1
    for body in bodies:
        if body.mount != "surface" or body.support is not None:
            continue
        if indoor and body.lead.name == "tv" and not any(t.name in priors.HOMES["tv"] for t in things.values()):
            body.mount = "wall"  # on a coffee table it would stand between the sofa and everything
            continue
        beside = [o for r in graph.relations if r.subject in body.keys and r.provenance == "stated" for o in r.objects]
        grounded = any(o in things and things[o].kind.habitat in ("floor", "ground", "wall") for o in beside)
        if (
            grounded
            or len(body.members) > 1
            or (not indoor and body.lead.kind.family != "indoor" and body.lead.name not in priors.TABLEWARE)
        ):
            body.mount = "floor"
            continue
        wanted = (*priors.HOMES.get(body.lead.name, ()), *priors.ANY_HOME)
        hosts = [
            (wanted.index(t.name), load.get(k, 0), k)
            for k, t in things.items()
            if t.name in wanted and k not in body.keys and t.model.surfaces
        ]
        hosts = [h for h in hosts if things[h[2]].item.key not in body.keys]
        if not hosts:
            body.mount = "floor"
            continue
        _, _, body.support = min(
            hosts,
            key=lambda h: (h[1] if h[0] < len(wanted) else 9, h[0]) if body.lead.name in ("pillow", "table lamp") else h[:2],
        )
        load[body.support] = load.get(body.support, 0) + 1
