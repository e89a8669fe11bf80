"""Relations as they are understood: predicates chosen, plurals paired, rings and seats recognised."""

from __future__ import annotations

from spatialwm.lift.text.graph import Predicate, Relation
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.language import lexicon as lex
from spatialwm.lift.text.language.near import USUAL_M
from spatialwm.lift.text.language.phrases import NounPhrase
from spatialwm.lift.text.language.prepositions import Phrase, Sense
from spatialwm.lift.text.language.things import Group, Thing
from spatialwm.lift.text.language.vocabulary import Vocabulary

CONTAINERS = lex.words("bowl plate mug cup glass vase box crate barrel basket tray cart")
"""Kinds that hold what they are ``full of``."""
SEATS = frozenset({"chair", "stool", "bench", "armchair"})
DIRECT: dict[Sense, Predicate] = {
    "on_top": "on_top", "under": "under", "inside": "inside", "next_to": "next_to", "near": "near", "far": "far",
    "across": "across", "facing": "facing", "left_of": "left_of", "right_of": "right_of", "in_front_of": "in_front_of",
    "behind": "behind", "against": "next_to", "along": "near", "at": "near", "from": "near", "in_middle": "on_top",
    "in_corner": "near",
}  # fmt: skip
"""Senses whose object is another thing, as predicates."""
TABLES = frozenset({"table", "desk", "nightstand", "cabinet", "bookshelf", "shelf", "counter"})


def head(kind: str) -> str:
    """``chair`` of ``office chair``."""
    return kind.split()[-1] if kind else ""


def small(thing: Thing, kind: Kind) -> bool:
    """Whether a thing is of a size that stands on furniture."""
    return kind.habitat == "surface" or USUAL_M.get(thing.noun, max(kind.size_m)) <= 0.5


def is_table(kind: Kind) -> bool:
    """Whether a kind is made to put things on."""
    return bool({kind.name.split()[-1], *kind.hypernyms} & TABLES)


class Facts:
    """Relations between things, in the order they were stated."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.relations: list[Relation] = []
        self.related: set[int] = set()
        """Identities of things whose place was stated."""
        self.loose: list[tuple[Group, Group, bool]] = []
        """Host, what it has, and whether it is filled with it; a preposition may still say more."""
        self.sides: dict[str, list[Group]] = {}
        """Groups that are ``on the left`` and ``on the right`` of nothing in particular."""

    def relate(
        self,
        phrase: Phrase,
        subjects: list[Group],
        objects: list[Group],
        np: NounPhrase | None,
        distance_m: float | None,
        each: bool,
    ) -> None:
        """Write down what a preposition says."""
        things = [t for g in subjects for t in g.things]
        if not things:
            return
        sense = phrase.sense
        structure = np.structure if np is not None and np.match is None else None
        if not objects:
            self._relate_room(sense, things, structure, np)
            return
        others = [t for g in objects for t in g.things if all(t is not s for s in things)]
        if not others:
            return
        each = each or any(g.distributed for g in objects) or (np is not None and np.each)
        if sense == "between":
            pair = (others[0], others[1] if len(others) > 1 else others[0])
            for t in things:
                self.add("between", t, pair)
        elif sense == "flanking":
            for o in others[:1]:
                if len(things) >= 2:
                    self.add("between", o, (things[0], things[1]))
                for t in things:
                    self.add("next_to", t, (o,))
        elif sense in ("around", "surrounded_by"):
            ring, centers = (things, others) if sense == "around" else (others, things)
            if not centers[0].key or not ring[0].key:
                return
            self._ring(ring, centers)
        elif sense == "above":
            pairs = [(things[0], o) for o in others] if len(things) == 1 else self._pairs(things, others, each)
            for t, o in pairs:
                self.add("under", o, (t,))
                self.related.add(id(t))
        elif sense == "at" and any(head(t.kind) in SEATS for t in things):
            for t, o in self._pairs(things, others, each):
                self._seat(t, o)
        else:
            predicate = DIRECT.get(sense, "near")
            if sense == "inside" and np is not None and np.match is not None and head(others[0].kind) in ("lake", "path", "pond"):
                predicate = "on_top"
            if predicate == "on_top":  # on a stack is on its top
                stack = next((r.group for r in self.relations if r.predicate == "stacked" and others[0].key in r.group), None)
                others = [o for o in others if o.key == stack[-1]] or others if stack and len(others) > 1 else others
            directed = predicate in ("left_of", "right_of", "in_front_of", "behind") and len(things) == 1 and not each
            pairs = [(things[0], o) for o in others] if directed else self._pairs(things, others, each)
            for t, o in pairs:
                self.add(predicate, t, (o,), distance_m)

    def relate_to_middle_or_corner(self, sense: Sense, groups: list[Group]) -> None:
        for thing in (t for g in groups for t in g.things):
            circle = next((r for r in reversed(self.relations) if r.predicate == "in_circle" and thing.key not in r.group), None)
            if sense == "in_middle" and circle is not None and not circle.objects:
                at = self.relations.index(circle)
                self.relations[at] = Relation(circle.subject, "in_circle", (thing.key,), group=circle.group)
                base = next((r for r in self.relations if r.predicate == "on_top" and r.subject in circle.group), None)
                if base is not None:
                    self.relations.append(Relation(thing.key, "on_top", base.objects))
                self.related.add(id(thing))
            else:
                self.add("center_of_room" if sense == "in_middle" else "in_corner", thing)

    def _relate_room(self, sense: Sense, things: list[Thing], structure: str | None, np: NounPhrase | None) -> None:
        predicate: Predicate | None = None
        if structure == "wall":
            predicate = (
                "on_wall"
                if sense in ("on_top", "from", "above") or (sense == "along" and self._hangs(things))
                else "against_wall"
            )
        elif structure == "ceiling":
            predicate = "hanging_from_ceiling"
        elif structure == "corner" or sense == "in_corner":
            predicate = "in_corner"
        elif structure in ("center", "middle") or sense == "in_middle":
            predicate = "center_of_room"
        elif structure in ("floor", "ground", "grass", "sand") and sense == "on_top":
            predicate = "on_floor"
        if predicate is None and np is not None and not np.known and sense not in ("inside", "from", "at"):
            return
        for t in things:
            if predicate:
                self.add(predicate, t)

    def _hangs(self, things: list[Thing]) -> bool:
        return all(not t.kind or self.vocabulary.kinds[t.kind].habitat in ("wall", "ceiling") for t in things)

    def _pairs(self, things: list[Thing], others: list[Thing], each: bool) -> list[tuple[Thing, Thing]]:
        if len(others) == 1:
            return [(t, others[0]) for t in things]
        if len(things) == 1 and not each:
            return [(things[0], others[0])]
        if len(things) <= len(others):
            return list(zip(things, others, strict=False))
        per = -(-len(things) // len(others))
        return [(t, others[i // per]) for i, t in enumerate(things)]

    def _ring(self, ring: list[Thing], centers: list[Thing]) -> None:
        per = max(1, len(ring) // len(centers))
        for i, center in enumerate(centers):
            members = ring[i * per : (i + 1) * per if i + 1 < len(centers) else None]
            if len(members) >= 3 or (len(members) == 1 and members[0].kind in ("fence", "path", "lake", "rug")):
                keys = tuple(m.key for m in members)
                self.add("surrounded_by", center, tuple(members), group=keys)
                self.related.update(id(m) for m in members)
            else:
                for m in members:
                    self._seat(m, center)

    def _seat(self, seat: Thing, table: Thing) -> None:
        self.add("next_to", seat, (table,))
        if head(seat.kind) in SEATS and not any(r.subject == seat.key and r.predicate == "facing" for r in self.relations):
            self.add("facing", seat, (table,))

    def add(
        self, predicate: Predicate, subject: Thing, objects: tuple[Thing, ...] = (), distance_m: float | None = None,
        group: tuple[str, ...] = (), implied: bool = False,
    ) -> None:  # fmt: skip
        if not implied and predicate != "facing":  # where a thing looks leaves open where it is
            self.related.add(id(subject))
        if not subject.key or not all(o.key and o is not subject for o in objects):
            return
        relation = Relation(
            subject.key, predicate, tuple(o.key for o in objects), "implied" if implied else "stated", group, distance_m
        )
        if relation not in self.relations:
            self.relations.append(relation)

    def settle(self) -> None:
        """Give everything that something ``has`` its natural place there, unless a preposition said more."""
        for host, group, filling in self.loose:
            things = [t for t in group.things if id(t) not in self.related]
            if not things:
                continue
            if not group.built or not host.built:
                continue
            kind, base = self.vocabulary.kinds[things[0].kind], self.vocabulary.kinds[host.things[0].kind]
            ring = head(kind.name) in SEATS and head(base.name) not in SEATS
            if ring:
                self._ring(things, host.things)
                continue
            for t, o in self._pairs(things, host.things, True):
                if t is o:
                    continue
                if head(o.kind) in CONTAINERS and small(t, kind) and (filling or o.kind in ("vase", "bowl")):
                    self.add("inside", t, (o,))
                elif small(t, kind) and (
                    is_table(base) or (kind.habitat == "surface" and base.habitat in ("floor", "ground", "surface"))
                ):
                    self.add("on_top", t, (o,))
                elif "water" in (*base.hypernyms, base.name) or base.name == "lake":
                    self.add("on_top" if kind.name == "boat" else "near", t, (o,))
                elif kind.habitat in ("floor", "ground") and base.habitat in ("floor", "ground"):
                    self.add("next_to", t, (o,), implied=True)
        self.loose = []

    def compare_sides(self) -> None:
        left, right = self.sides.get("left", []), self.sides.get("right", [])
        if left and right:
            self.add("left_of", left[0].things[0], (right[0].things[0],))
            self.add("right_of", right[0].things[0], (left[0].things[0],))
