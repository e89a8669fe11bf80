"""What has been mentioned so far: things, the groups they were named in, and which of them a phrase refers back to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from spatialwm.lift.text.language.lexicon import COLLECTIVES
from spatialwm.lift.text.language.phrases import NounPhrase
from spatialwm.lift.text.language.vocabulary import Vocabulary, normal

MAX_PER_PHRASE = 40
MAX_THINGS = 120


@dataclass(slots=True, eq=False)
class Thing:
    """One wanted instance while its description still grows."""

    key: str
    kind: str
    how: str
    noun: str
    color: str | None = None
    material: str | None = None
    size: Literal["large", "small"] | None = None
    adjectives: tuple[str, ...] = ()
    measures_m: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Group:
    """Things named by one phrase: ``four chairs``."""

    things: list[Thing]
    phrase: NounPhrase
    distributed: bool = False
    """Its members stand for ``each`` of a set."""
    filled: bool = False
    """Its number was made up, for a place ``full of`` them."""

    @property
    def built(self) -> bool:
        """False for a group of things that nothing can build."""
        return bool(self.things[0].kind)

    @property
    def plural(self) -> bool:
        """More than one thing."""
        return len(self.things) > 1


class Mentions:
    """All groups in the order of mention."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.groups: list[Group] = []
        self.unrecognized: list[str] = []
        self.notes: list[str] = []
        self._numbers: dict[str, int] = {}
        self.total = 0

    def add(self, np: NounPhrase, times: int = 1, default_count: int | None = None) -> Group | None:
        """New things for a phrase, ``times`` over; None when nothing can build them."""
        if np.match is None:
            return None if np.known else self._ghost(np, times)
        one = np.count if np.count is not None else ((default_count or 3) if np.plural else 1)
        wanted = one * times
        count = max(0, min(wanted, MAX_PER_PHRASE, MAX_THINGS - self.total))
        if count < wanted:
            self.notes.append(f"{wanted} of '{np.noun}' were asked for; {count} were made, which is as many as a scene holds.")
        if count == 0:
            return None
        if np.match.how == "near":
            note = f"Nothing builds a {np.noun} yet; a {np.match.kind} of that name stands in."
            if note not in self.notes:
                self.notes.append(note)
        group = Group([self._thing(np, i, count) for i in range(count)], np, distributed=times > 1)
        self.groups.append(group)
        self.total += count
        return group

    def _ghost(self, np: NounPhrase, times: int) -> Group:
        """What nothing can build is reported, yet still takes its part in the grammar: ``a zorb with a lamp on it``."""
        self.report(np.text)
        count = max(1, min((np.count if np.count is not None else 3 if np.plural else 1) * times, MAX_PER_PHRASE))
        group = Group([Thing("", "", "unknown", np.noun) for _ in range(count)], np, distributed=times > 1)
        self.groups.append(group)
        return group

    def _thing(self, np: NounPhrase, index: int, count: int) -> Thing:
        assert np.match is not None
        slug = re.sub(r"[^a-z0-9]+", "-", np.noun.lower()).strip("-") or re.sub(r"[^a-z0-9]+", "-", np.match.kind)
        self._numbers[slug] = self._numbers.get(slug, 0) + 1
        color = None
        if np.colors:
            color = np.colors[index % len(np.colors)] if count == len(np.colors) and count > 1 else np.colors[0]
        return Thing(
            f"{slug}-{self._numbers[slug]}", np.match.kind, np.match.how, np.noun, color, np.material, np.size,
            np.adjectives + (tuple(np.colors[1:]) if count == 1 else ()), dict(np.measures_m),
        )  # fmt: skip

    def report(self, words: str) -> None:
        """Remember words that nothing was made of."""
        if words and words not in self.unrecognized:
            self.unrecognized.append(words)

    def find(self, np: NounPhrase) -> Group | None:
        """The earlier group that ``the ...`` or ``each ...`` means; a part of it for ``the red one`` or ``the second chair``."""
        if np.another or not (np.definite or np.each):
            return None
        wanted = normal(np.noun)
        if wanted[-1] in COLLECTIVES and np.match is None:
            return next((g for g in reversed(self.groups) if g.phrase.collective), None)
        if np.stated_count and np.count == 2 and np.plural:  # "both machines"
            ones = [g for g in self.groups if not g.plural and (self._answers(g, np, wanted) or g is self.groups[-1])][-2:]
            if len(ones) == 2:
                return Group([t for g in ones for t in g.things], ones[0].phrase)
        for group in reversed(self.groups):
            if not self._answers(group, np, wanted):
                continue
            things = self._narrowed(group, np)
            if things is None or (np.stated_count and np.count != len(things)):
                continue
            return group if len(things) == len(group.things) else Group(things, group.phrase)
        return None

    def _answers(self, group: Group, np: NounPhrase, wanted: tuple[str, ...]) -> bool:
        noun = normal(group.phrase.noun)
        if noun[-len(wanted) :] == wanted:
            return True
        if wanted[-1] == noun[-1]:  # "the student desk" is not an earlier "teacher's desk"; "the left pump" was handled above
            return not group.plural and len(noun) == 1 and not np.possessive
        if not group.built:
            return False
        if np.match is None or np.match.kind not in {t.kind for t in group.things}:
            return bool(np.match) and wanted in {normal(h) for t in group.things for h in self._hypernyms(t.kind)}
        return np.match.how != "near" or group.phrase.match is None or group.phrase.match.how != "near"

    def _hypernyms(self, kind: str) -> tuple[str, ...]:
        known = self.vocabulary.kinds.get(kind)
        return known.hypernyms if known else ()

    def _narrowed(self, group: Group, np: NounPhrase) -> list[Thing] | None:
        things = list(group.things)
        if np.colors:
            things = [t for t in things if t.color == np.colors[0]]
        if np.material:
            things = [t for t in things if t.material in (None, np.material)]
        if np.size:
            things = [t for t in things if t.size in (None, np.size)]
        if not things:
            return None
        if np.ordinal is not None:
            return [things[np.ordinal]] if -len(things) <= np.ordinal < len(things) else None
        side = next((a for a in np.adjectives if a in ("left", "right")), None)
        if side and len(things) == 2:
            return [things[0 if side == "left" else 1]]
        if not np.plural and not np.each and len(things) > 1 and np.match and np.count is None:
            return things if np.possessive else things[:1] if np.ordinal is not None else things
        return things
