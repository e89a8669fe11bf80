"""``arrange``: every thing of a scene graph gets a pose, or a sentence that says why not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.arrange import priors
from spatialwm.lift.text.arrange.bodies import Body, Placed, Thing, bodies_of, things_of
from spatialwm.lift.text.arrange.predicates import PAIR, ROOM, Room, between, on_top, under
from spatialwm.lift.text.arrange.solver import Layout
from spatialwm.lift.text.graph import SceneGraph
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model
from spatialwm.lift.text.places.shell import Shell
from spatialwm.progress import Progress, silent

ROUNDS = 24
"""Repairs tried when something stated is still unmet; each costs some 20 ms."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where everything stands."""

    poses: dict[str, Pose] = field(default_factory=dict)
    """``world_from_object``; what found no place is missing."""
    supported_by: dict[str, str | None] = field(default_factory=dict)
    """``floor``, ``wall``, ``ceiling`` or the key of the thing beneath."""
    unmet: tuple[str, ...] = ()
    """Stated wishes that the layout breaks, one plain sentence each."""


def arrange(
    graph: SceneGraph, models: Mapping[str, Model], shell: Shell, rng: np.random.Generator, progress: Progress = silent,
    kinds: Mapping[str, Kind] | None = None, fixed: Mapping[str, Pose] | None = None,
) -> Arrangement:  # fmt: skip
    """Find a layout without collisions that keeps the stated relations and looks lived in.

    Args:
        graph: what is wanted.
        models: what was built, by item key; items without a model are left out.
        shell: the place.
        rng: all chance comes from it, so that one seed gives one layout.
        kinds: registry that ``item.kind`` refers to; the full one by default.
        fixed: poses that are given, of what is part of the place; upright, and free to reach into its walls.
    """
    if kinds is None:
        from spatialwm.lift.text.kinds import KINDS  # imports every builder: only when nobody brings a registry

        kinds = KINDS
    things = things_of(graph, models, kinds)
    bodies = bodies_of(graph, things, shell.indoor)
    for body in bodies:
        pose = (fixed or {}).get(body.keys[0])
        if pose is not None and len(body.members) == 1:
            yaw = 2 * math.atan2(pose.quat[3], pose.quat[0])
            body.fixed = np.array([[*pose.position, yaw]])
    _adopt_habits(graph, bodies, things)
    layout = Layout(bodies, things, graph.relations, shell, rng)
    progress("arranging", 0.1)
    layout.solve(ROUNDS)
    layout.turn()
    progress("arranging", 1.0)
    placed = {k: layout.placed[k] for k in things if k in layout.placed}
    return Arrangement(
        poses={k: Pose((p.x, p.y, p.z), (math.cos(p.yaw / 2), 0.0, 0.0, math.sin(p.yaw / 2))) for k, p in placed.items()},
        supported_by={k: p.support for k, p in placed.items()},
        unmet=tuple(_unmet(graph, things, placed, Room(shell.low, shell.high, shell.ceiling_m), shell.indoor)),
    )


def _adopt_habits(graph: SceneGraph, bodies: list[Body], things: Mapping[str, Thing]) -> None:
    """What nobody placed follows the habits of its kind."""
    loose = ("facing", "on_wall", "hanging_from_ceiling", "on_top", "against_wall")
    close = ("next_to", "near", "between", "in_front_of")
    beside = {(r.subject, o) for r in graph.relations for o in r.objects if r.predicate in close}
    told = {r.subject for r in graph.relations if r.predicate not in loose}
    told |= {
        r.subject
        for r in graph.relations
        if r.predicate == "on_top" and things.get(r.subject) and things[r.subject].kind.habitat == "floor"
    }
    of_body = {k: b for b in bodies for k in b.keys}
    for r in graph.relations:
        if r.predicate == "across" and all(k in of_body for k in (r.subject, *r.objects)):
            for k in (r.subject, *r.objects):
                carrier = of_body[k].support
                of_body[carrier if carrier in of_body else k].partnered = True
    followers: dict[tuple[str, str], int] = {}
    for body in bodies:
        lead = body.lead
        key = lead.item.key
        for habit in priors.HABITS:
            if habit.subject != lead.name:
                continue
            hosts = [k for k, t in things.items() if t.name == habit.object and of_body[k] is not body]
            if (habit.relation in ("seat", "centered", "flank") and len(hosts) > 1) or habit.relation == "flank":
                hosts = [k for k in hosts if followers.get((habit.relation, k), 0) < (2 if habit.relation == "flank" else 1)]
            if key in told:  # "a nightstand next to the bed" leaves open where next to it
                hosts = [k for k in hosts if (key, k) in beside]
            if (
                habit.relation == "screen"
                and habit.subject == "cabinet"
                and not any(b.support == key and b.lead.name == "tv" for b in bodies)
            ):
                continue
            if not hosts:
                continue
            host = min(hosts, key=lambda k: followers.get((habit.subject, k), 0))
            followers[habit.subject, host] = followers.get((habit.subject, host), 0) + 1
            followers[habit.relation, host] = followers.get((habit.relation, host), 0) + 1
            body.habits.append((key, habit.relation, host, habit.weight))
            if habit.relation == "screen":
                of_body[host].partnered = True
            break


WORDS = {
    "on_top": "on", "under": "under", "inside": "inside", "next_to": "next to", "near": "near", "far": "far from",
    "across": "across from",
    "facing": "facing", "left_of": "to the left of", "right_of": "to the right of", "in_front_of": "in front of",
    "behind": "behind",
    "against_wall": "against a wall", "in_corner": "in a corner", "center_of_room": "in the middle",
    "hanging_from_ceiling": "from the ceiling", "on_wall": "on a wall", "surrounded_by": "surrounded by", "between": "between",
}  # fmt: skip


def _unmet(graph: SceneGraph, things: Mapping[str, Thing], placed: Mapping[str, Placed], room: Room, indoor: bool) -> list[str]:
    missing = [(k, t.item) for k, t in things.items() if k not in placed and t.item.provenance == "stated"]
    out = [f"There was no room for the {item.noun} ({k}), so it was left out." for k, item in missing]
    for r in graph.relations:
        parties = [placed.get(k) for k in (r.subject, *r.objects)]
        if r.provenance != "stated" or any(p is None for p in parties) or r.predicate not in WORDS:
            continue
        boxes = [p.boxes() for p in parties if p is not None]
        if r.predicate == "surrounded_by" or (
            not r.objects and not ((indoor or r.predicate == "center_of_room") and r.predicate in ROOM)
        ):
            short = 0.0 if r.objects or indoor else 1.0
        elif not r.objects:
            short = float(ROOM[r.predicate](boxes[0], room)[0])
        elif r.predicate == "between":
            short = float(between(*boxes[:3])[0]) if len(boxes) >= 3 else 0.0
        elif r.predicate == "under":
            short = float(under(boxes[0], boxes[1])[0])
        elif r.predicate == "on_top":
            short = float(on_top(boxes[0], boxes[1])[0]) if things[r.objects[0]].name not in priors.FLAT else 0.0
        else:
            short = float(PAIR[r.predicate](boxes[0], boxes[1])[0])
        if short > 0.03:
            others = " and ".join(f"the {things[o].item.noun}" for o in r.objects)
            out.append(
                f"The {things[r.subject].item.noun} ({r.subject}) could not be placed {WORDS[r.predicate]} {others}".rstrip()
                + "."
            )
    return out
