"""From chunks to things and relations: attachment, coordination, distribution, reference, negation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import cast

from spatialwm.lift.text.graph import Predicate, Relation
from spatialwm.lift.text.language import lexicon as lex
from spatialwm.lift.text.language.facts import CONTAINERS, SEATS, Facts, head, is_table
from spatialwm.lift.text.language.phrases import Chunk, NounPhrase
from spatialwm.lift.text.language.prepositions import Phrase, Sense
from spatialwm.lift.text.language.settings import Setting
from spatialwm.lift.text.language.things import Group, Mentions
from spatialwm.lift.text.language.vocabulary import Vocabulary


class Reading:
    """One pass over the chunks of a prompt."""

    def __init__(self, chunks: Sequence[Chunk], vocabulary: Vocabulary) -> None:
        self.chunks = chunks
        self.vocabulary = vocabulary
        self.mentions = Mentions(vocabulary)
        self.facts = Facts(vocabulary)
        self.absent: list[str] = []
        self.places: list[tuple[Setting, str]] = []
        self.room_m: tuple[float, float] | None = None
        self.finishes: list[tuple[str, str]] = []
        self.subjects: list[Group] = []
        self.topic: list[Group] = []
        self.host: Group | None = None
        self.listing: Group | None = None
        self.filling = False
        self.each = False
        self.pending: list[tuple[Phrase, list[Group], NounPhrase | None, float | None]] = []
        self.closed = False
        self.nearest: list[Group] = []
        """Objects of the last relation in this clause."""
        self.owner: list[Group] = []
        """Whose left and right this clause speaks of."""
        self.landmark = False
        """They only say where something is; ``it`` will hardly mean them."""
        self.tied = False
        """The last two subjects are joined by a bare ``and``."""
        self.relation_at = self.relation_before = 0
        self.negated = False
        self.at = 0
        self.outdoor_hint = any(self._is_outdoor(c) for c in chunks)

    @property
    def empty(self) -> bool:
        """Nothing was understood."""
        return not self.places and not any(g.built for g in self.mentions.groups)

    def _is_outdoor(self, item: Chunk) -> bool:
        np = item.noun
        if np is None:
            return False
        kind = self.vocabulary.kinds.get(np.match.kind) if np.match else None
        return bool(kind and kind.family == "outdoor" and np.place is None) or bool(np.place and np.place.family == "outdoor")

    def run(self) -> Reading:
        """Read everything."""
        while self.at < len(self.chunks):
            item = self.chunks[self.at]
            self.at += 1
            getattr(self, f"_on_{item.role if item.role not in ('and', 'or', 'comma') else 'join'}")(item)
        self._end_clause()
        self.facts.compare_sides()
        return self

    def _peek(self, ahead: int = 0) -> Chunk | None:
        i = self.at + ahead
        return self.chunks[i] if 0 <= i < len(self.chunks) else None

    # ------------------------------------------------------------------ chunks
    def _on_stop(self, item: Chunk) -> None:
        bearer = self.subjects[-1] if item.text == ":" and self.subjects and self.subjects[-1].built else None
        self._end_clause()
        if bearer is not None and is_table(self.vocabulary.kinds[bearer.things[0].kind]):  # "a breakfast table: two plates, ..."
            self.subjects, self.host, self.listing, self.closed = [bearer], bearer, bearer, True

    def _end_clause(self) -> None:
        self.facts.settle()
        if self.subjects:
            self.topic = self.subjects[:1]
        self.subjects, self.host, self.listing, self.pending, self.nearest = [], None, None, [], []
        self.each = self.closed = self.negated = False
        self.owner = []

    def _on_join(self, item: Chunk) -> None:
        if self.negated and item.role != "or" and not self._more_negated(item):
            self.negated = False

    def _more_negated(self, item: Chunk) -> bool:
        nearby = [c for c in self.chunks[self.at : self.at + 5]]
        for c in nearby:
            if c.role in ("stop", "relation", "with", "verb"):
                return False
            if c.role == "or" or (c.role == "not" and c.text == "nor"):
                return True
        following = self._peek()
        np = following.noun if following else None
        return item.role == "and" and item.text == "and" and np is not None and np.count is None and not np.definite and np.plural

    def _on_not(self, item: Chunk) -> None:
        self.negated = True

    def _on_verb(self, item: Chunk) -> None:
        if self.negated and item.text not in ("is", "are", "be"):
            self.negated = False
        if self.closed and self.pending:
            self.closed = False

    def _on_each(self, item: Chunk) -> None:
        self.each = True
        if self.subjects:
            self.subjects = self.subjects[-1:]
            self.closed = False

    def _on_ordinal(self, item: Chunk) -> None:
        plural = next(
            (g for g in reversed(self.mentions.groups) if g.plural and -len(g.things) <= item.index < len(g.things)), None
        )
        if plural is not None:
            self.facts.settle()
            self.subjects, self.closed, self.listing = [Group([plural.things[item.index]], plural.phrase)], False, None

    def _on_colors(self, item: Chunk) -> None:
        things = [t for g in self.subjects[-1:] or self.topic[-1:] for t in g.things]
        for i, thing in enumerate(things):
            if item.colors:
                thing.color = item.colors[i % len(item.colors)]

    def _on_pronoun(self, item: Chunk) -> None:
        self.subjects = self._pronoun(item.text, []) or self.subjects
        self.closed = False

    def _on_with(self, item: Chunk) -> None:
        if item.text == "of":
            host = self.subjects[-1] if self.subjects and not self.closed else None
            following = self._peek()
            owned = following is not None and following.noun is not None and following.noun.definite
            if host is None or owned or head(host.things[0].kind) not in CONTAINERS:
                if following is not None and following.noun:  # "a picture of a cat" shows a cat, it is none
                    self.at += 1
                    if following.noun.place and following.noun.match is None:
                        self._place(following.noun)
                    owner = self.mentions.find(following.noun)
                    self.nearest = [owner] if owner else self.nearest
                return
        before = self.chunks[self.at - 2] if self.at >= 2 else None
        after_place = (
            before is not None and before.noun is not None and before.noun.place is not None and before.noun.match is None
        )
        if self.negated:
            self.negated = False
        if self.subjects and not after_place:
            direct = item.text == "with" and self.closed and self.nearest and before is not None and before.role == "noun"
            resumed = (
                self.host is not None and before is not None and before.role == "verb"
            )  # "a table with chairs, set with plates"
            if direct:
                direct = not self._belongs_on(self.subjects[-1], self.nearest[-1])
            self.host = self.listing = self.host if resumed else self.nearest[-1] if direct else self.subjects[-1]
        elif after_place:
            self.host = self.subjects[-1] if self.subjects else None
            self.listing = None
        self.nearest = []
        self.filling = item.text in ("full", "of") or (item.text in ("holds", "holding", "containing", "contains"))
        self.closed = False

    def _belongs_on(self, subject: Group, nearest: Group) -> bool:
        """``a table before the sofa with a mug``: a mug belongs on the table, though the sofa was named last."""
        following = self._peek()
        match = following.noun.match if following is not None and following.noun is not None else None
        if match is None or not (subject.built and nearest.built):
            return False
        kinds = self.vocabulary.kinds
        on_furniture = kinds[match.kind].habitat == "surface"
        return on_furniture and is_table(kinds[subject.things[0].kind]) and not is_table(kinds[nearest.things[0].kind])

    def _on_relation(self, item: Chunk) -> None:
        phrase = cast(Phrase, item.phrase)
        self.negated = False
        self.relation_before, self.relation_at = self.relation_at, self.at - 1
        following = self._peek()
        np = following.noun if following is not None and following.role == "noun" else None
        previous = self.chunks[self.at - 2] if self.at >= 2 else None
        opening = previous is None or (previous.role in ("stop", "and", "verb") and not self.subjects) or previous.role == "and"
        if phrase.sense == "inside" and np is not None and np.place is not None and self._as_place(np, True):
            self.at += 1
            self._place(np)
            return
        if phrase.alone and not (phrase.sense in ("flanking", "in_middle", "in_corner") and opening):
            self._apply_alone(phrase, item)
            return
        objects, used_np = self._objects(phrase)
        if (not self.subjects or opening) and self._noun_follows():
            self.pending.append((phrase, objects, used_np, item.distance_m))
            self.subjects, self.closed, self.listing = [], False, None
            return
        subjects = self._attached(phrase, objects)
        self.facts.relate(phrase, subjects, objects, used_np, item.distance_m, self.each)
        self.subjects = subjects or self.subjects
        self.nearest, self.landmark = objects, phrase.sense not in ("on_top", "inside", "under", "at") or self._verbal()
        self.closed = True

    def _noun_follows(self) -> bool:
        ahead = 0
        while (c := self._peek(ahead)) is not None and c.role in ("verb", "comma"):
            ahead += 1
        return c is not None and (c.role == "noun" or c.role == "not")

    # ------------------------------------------------------------------ nouns
    def _on_noun(self, item: Chunk) -> None:
        np = cast(NounPhrase, item.noun)
        if np.room_m and (np.structure == "room" or np.place or np.match is None):
            self.room_m = np.room_m
        previous = self.chunks[self.at - 2] if self.at >= 2 else None
        if self.negated:
            self._forbid(np)
            return
        if np.place is not None and self._as_place(np, False):
            self._place(np)
            if np.match is None or np.place.family == "indoor":
                return
        if (np.structure and np.match is None) or (np.match is None and np.known):
            self._finish(np)
            return
        joined = previous is not None and previous.role in ("and", "comma", "or")
        if self._drops_out_of_list(np, joined, previous):
            self.listing = self.host = None
            self._keep_topic()
            self.closed = True
        group = self._resolve(np)
        if group is None:
            return
        if joined and self.subjects and not self.closed:
            self.tied = previous is not None and previous.role == "and" and self.chunks[self.at - 3].role != "comma"
            self.subjects.append(group)
        else:
            if previous is not None and previous.role == "comma" and not self.pending:
                self.nearest = []
            if self.closed or not joined:
                self._keep_topic()
            self.subjects = [group]
        self.closed = False
        if self.listing is not None and self.listing is not group:
            self.facts.loose.append((self.listing, group, self.filling))
        for phrase, objects, used, distance in self.pending:
            self.facts.relate(phrase, [group], objects, used, distance, self.each)
        if not self._plain_list_follows():
            self.pending = []
        if np.collective:
            self._group_relation(cast(Predicate, np.collective), [group])

    def _plain_list_follows(self) -> bool:
        """Only nouns up to the end of the clause: ``on the table are a mug, a plate and a bowl``."""
        ahead = 0
        while (c := self._peek(ahead)) is not None and c.role != "stop":
            if c.role not in ("noun", "comma", "and"):
                return False
            ahead += 1
        return ahead > 0

    def _drops_out_of_list(self, np: NounPhrase, joined: bool, previous: Chunk | None) -> bool:
        """A comma ends ``a desk with a lamp, a wardrobe`` unless what follows could stand on the desk too."""
        if self.listing is None or not joined:
            return False
        if self.closed:
            return previous is not None and previous.role == "comma" and self.chunks[self.at - 3].role != "stop"
        kind = self.vocabulary.kinds.get(np.match.kind) if np.match else None
        if kind is None or np.match is None:
            return previous is not None and previous.role == "comma"
        return kind.habitat != "surface" and head(kind.name) not in SEATS and previous is not None and previous.role == "comma"

    def _keep_topic(self) -> None:
        if self.subjects:
            self.topic = self.subjects[:1]

    def _resolve(self, np: NounPhrase) -> Group | None:
        earlier = self.mentions.find(np)
        if earlier is not None:
            if np.each:
                earlier = Group(earlier.things, earlier.phrase, distributed=True)
                self.each = True
            return earlier
        times = 1
        if self.listing is not None and self.listing.plural and not self.listing.filled:
            every = self.each or self.listing.distributed or (np.count in (None, 1) and not np.plural)
            times = len(self.listing.things) if every or (np.count or 9) < len(self.listing.things) else 1
            times = times if not (np.definite and not np.possessive) else 1
        for phrase, objects, used, _ in self.pending:
            if used is not None and used.each and objects:
                times = len(objects[0].things)
            elif phrase.sense == "flanking" and not np.plural and (np.count or 1) == 1:
                times = 2
        after = self._peek()
        if after is not None and after.role == "relation" and after.phrase is not None and (np.count or 1) == 1 and not np.plural:
            then = self._peek(1)
            if after.text == "each":
                times = 4
            elif times > 1 and (then is None or then.role != "noun") and not (then is not None and then.role == "each"):
                times = 1 if then is None or then.text != "it" else times  # "two sofas with a table between them"
            times = max(times, self._times_ahead(after.phrase))
        full = lex.FULL_COUNT if self.filling and (self.listing is not None or self._after_full()) else None
        group = self.mentions.add(np, times, full)
        if group is not None:
            group.filled = full is not None
        return group

    def _after_full(self) -> bool:
        previous = self.chunks[self.at - 2] if self.at >= 2 else None
        return previous is not None and previous.role == "with" and previous.text == "full"

    def _times_ahead(self, phrase: Phrase) -> int:
        """``a lamp on each nightstand`` are as many lamps as nightstands; ``a lamp on either side`` are two."""
        if phrase.sense == "flanking":
            return 2
        following = self._peek(1)
        np = following.noun if following is not None else None
        if np is not None and np.each and not phrase.alone:
            earlier = self.mentions.find(np)
            if earlier is not None:
                return len(earlier.things)
        return 1

    def _forbid(self, np: NounPhrase) -> None:
        if np.noun and not (np.structure or (np.known and np.match is None and np.place is None)):
            for name in (*self.vocabulary.kinds_named(np.noun), np.noun):
                if name not in self.absent:
                    self.absent.append(name)
        following = self._peek()
        if following is None or following.role not in ("or", "and", "comma", "not"):
            self.negated = False

    def _finish(self, np: NounPhrase) -> None:
        """``stone walls``: a wish about a part of the place."""
        part = np.structure
        for word in (*np.colors, *((np.material,) if np.material else ())):
            if part in ("wall", "floor", "ceiling", "roof", "ground"):
                self.finishes.append((part, word))

    # ------------------------------------------------------------------ places
    def _as_place(self, np: NounPhrase, inside: bool) -> bool:
        """Whether a word such as ``cabin`` or ``lake`` names the place rather than a thing in it."""
        if np.match is None:
            return not (np.each or np.ordinal is not None)
        if self.mentions.find(np) is not None or (np.count or 1) > 1 or np.plural:
            return False
        assert np.place is not None
        if np.place.family == "outdoor":
            return not self.places
        following = self._peek(1 if inside else 0)
        ends = following is None or following.role in ("comma", "stop", "with")
        return (inside or (np.first and ends)) and not self.places and not self.outdoor_hint

    def _place(self, np: NounPhrase) -> None:
        assert np.place is not None
        self.places.append((np.place, np.place_name))
        if np.room_m:
            self.room_m = np.room_m
        if not self.subjects:
            self.closed = False

    # ------------------------------------------------------------------ relations
    def _objects(self, phrase: Phrase) -> tuple[list[Group], NounPhrase | None]:
        """What stands behind a preposition, consumed; empty for the room itself and for the unknown."""
        if phrase.of_it or (phrase.alone and phrase.sense == "flanking"):
            self.owner = self.owner or self._pronoun("it", self.subjects)
            return self.owner, None
        if phrase.alone:
            return [], None
        item = self._peek()
        if item is None:
            return [], None
        if item.role == "each":
            self.at += 1
            base = self._pronoun("them", self.subjects)
            return [Group(g.things, g.phrase, distributed=True) for g in base[:1]], None
        if item.role == "pronoun":
            self.at += 1
            return self._pronoun(item.text, self.subjects), None
        if item.role == "ordinal":
            self.at += 1
            plural = next((g for g in reversed(self.mentions.groups) if g.plural and item.index < len(g.things)), None)
            return ([Group([plural.things[item.index]], plural.phrase)] if plural else []), None
        if item.role != "noun" or item.noun is None:
            return [], None
        self.at += 1
        np = item.noun
        if np.structure and np.match is None:
            self._finish(np)
            following = self._peek()
            if following is not None and following.role == "with" and following.text == "of":
                self.at += 2
            return [], np
        if np.place is not None and self._as_place(np, False) and np.match is None:
            self._place(np)
            return [], np
        saved, self.listing = self.listing, None
        group = self.mentions.find(np)
        if group is None and phrase.sense == "between" and np.stated_count:  # "between two columns" of the eight
            of_these = self.mentions.find(replace(np, definite=True, count=None, stated_count=False))
            group = (
                Group(of_these.things[: np.count], of_these.phrase)
                if of_these and len(of_these.things) > (np.count or 0)
                else None
            )
        group = group or self.mentions.add(np)
        self.listing = saved
        objects = [group] if group else []
        joiner, second = self._peek(), self._peek(1)
        if joiner and joiner.role == "and" and second and second.role == "noun" and second.noun and second.noun.match:
            third = self._peek(2)
            own = third is not None and third.role in ("relation", "with") and phrase.sense != "between"
            both = np.definite and second.noun.definite
            if (phrase.sense == "between" and not (group and group.plural)) or (both and not own):
                self.at += 2
                other = self.mentions.find(second.noun) or self.mentions.add(second.noun)
                objects += [other] if other else []
        return objects, np

    def _pronoun(self, word: str, excluded: Sequence[Group]) -> list[Group]:
        """Who ``it`` or ``them`` is, other than the things just being described."""
        last = excluded[-1:] if len(excluded) > 1 else excluded
        shunned = {id(t) for g in last for t in g.things}
        free = [g for g in self.mentions.groups if not any(id(t) in shunned for t in g.things)]
        if word in ("them", "they", "themselves"):
            recent = next((g for g in reversed(free[-2:]) if g.plural), None)
            return [recent] if recent else (free[-2:] if len(free) >= 2 else free)
        nearest = [] if self.landmark else self.nearest[-1:]
        for group in (*nearest, *((self.host,) if self.host else ()), *self.subjects[-2:-1], *self.subjects[:1], *self.topic):
            if any(id(t) in shunned for t in group.things):
                continue
            return [group]
        singular = [g for g in free if not g.plural]
        return (singular or free)[-1:]

    def _attached(self, phrase: Phrase, objects: list[Group]) -> list[Group]:
        """Which of the nouns so far a following preposition describes."""
        if not self.subjects:
            return self.topic[-1:]
        if self.closed:
            rests = {r.subject for r in self.facts.relations if r.predicate in ("on_top", "inside")}
            full = phrase.sense in ("on_top", "inside") and any(t.key in rests for g in self.subjects for t in g.things)
            return self.nearest if self._prefers_nearest() or (full and self.nearest) else self.subjects
        if self.filling and self.listing is not None and self.subjects != [self.listing]:
            return [self.listing]  # "a shelf full of books next to the door": the shelf is
        inside = {id(t) for g in objects for t in g.things}
        if len(self.subjects) > 1:
            surface = [g for g in self.subjects if g.built and self.vocabulary.kinds[g.things[0].kind].habitat == "surface"]
            if phrase.sense in ("on_top", "inside") and self.subjects[-1] in surface:
                tail: list[Group] = []
                for g in reversed(self.subjects):
                    if g not in surface:
                        break
                    tail.append(g)
                return tail[::-1]
            if any(id(t) in inside for g in self.subjects for t in g.things):
                return self.subjects[-1:]
            both = self.tied and len(self.subjects) == 2 and phrase.sense not in ("around", "surrounded_by")
            return self.subjects if both or (objects and objects == [self.host]) else self.subjects[-1:]
        return self.subjects

    def _prefers_nearest(self) -> bool:
        """``a cat on the rug by the fire``: the rug is by the fire; ``a cat sleeps on the rug by the fire``: the cat is."""
        previous = self.chunks[self.relation_at - 1]
        verb = self.relation_before > 0 and self.chunks[self.relation_before - 1].role == "verb"
        return previous.role == "noun" and bool(self.nearest) and not verb

    def _verbal(self) -> bool:
        return self.relation_at > 0 and self.chunks[self.relation_at - 1].role == "verb"

    def _apply_alone(self, phrase: Phrase, item: Chunk) -> None:
        groups = self.subjects or self.topic
        if not groups:
            return
        last = groups[-1:]
        sense = phrase.sense
        if sense == "flanking":
            objects = self._pronoun("it", last)
            self.facts.relate(phrase, last, objects, None, item.distance_m, self.each)
        elif sense in ("in_row", "in_circle", "stacked", "aligned"):
            self._group_relation(cast(Predicate, sense), last if last[0].plural or len(groups) == 1 else groups)
            if last[0].plural:
                self.subjects = last
        elif sense == "side_by_side":
            things = [t for g in (last if last[0].plural else groups) for t in g.things]
            for a, b in pairwise(things):
                self.facts.add("next_to", b, (a,))
            if len(things) > 2:
                self._group_relation("in_row", groups)
        elif sense == "facing_each_other":
            things = [t for g in (last if last[0].plural else groups) for t in g.things]
            for i, t in enumerate(things):
                self.facts.add("facing", t, (things[(i + 1) % len(things)],))
        elif sense == "at_side":
            self.facts.sides.setdefault(item.text, []).extend(last)
        elif sense in ("in_middle", "in_corner"):
            self.facts.relate_to_middle_or_corner(cast(Sense, sense), last)
        self.closed = True

    def _group_relation(self, predicate: Predicate, groups: list[Group]) -> None:
        things = [t for g in groups for t in g.things if t.key]
        if len(things) < 2 or (predicate == "in_circle" and len(things) < 3):
            return
        following, then = self._peek(), self._peek(1)
        center: tuple[str, ...] = ()
        around = following is not None and following.phrase is not None and following.phrase.sense == "around"
        if predicate == "in_circle" and around and then is not None and then.role in ("noun", "pronoun"):
            self.at += 1
            saved, self.subjects = self.subjects, groups
            objects, _ = self._objects(cast(Phrase, following.phrase))  # type: ignore[union-attr]
            self.subjects = saved
            center = tuple(t.key for g in objects for t in g.things if t.key)[:1]
        keys = tuple(t.key for t in things)
        if not any(r.predicate == predicate and r.group == keys for r in self.facts.relations):
            self.facts.relations.append(Relation(keys[0], predicate, center, group=keys))
        if predicate in ("stacked",):
            return
        self.facts.related.update(id(t) for t in things if center)

    # ------------------------------------------------------------------ what "with" leaves open
