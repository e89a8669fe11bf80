"""Which kind builds what a noun phrase names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.language.lexicon import SPELLINGS
from spatialwm.lift.text.language.near import NEAR
from spatialwm.lift.text.language.words import singular

Exactness = Literal["name", "broader", "near"]


@dataclass(frozen=True, slots=True)
class Match:
    """A noun that something can be made of."""

    kind: str
    words: int
    """How many of the last words of the phrase it covers."""
    how: Exactness
    """The kind's own name or synonym; a broader noun; or a noun that only a similar kind can stand in for."""


class Vocabulary:
    """The nouns of a registry of kinds, asked for by the final words of a phrase."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = dict(kinds)
        self._table: dict[tuple[str, ...], tuple[str, Exactness]] = {}
        self._broader: dict[tuple[str, ...], list[str]] = {}
        for name, kind in self.kinds.items():
            for noun in (name, *kind.synonyms):
                self._table.setdefault(normal(noun), (name, "name"))
            for noun in kind.hypernyms:
                self._broader.setdefault(normal(noun), []).append(name)
        for noun, candidates in NEAR.items():
            stand_in = next((k for k in map(self.named, candidates) if k is not None), None)
            if stand_in is not None:
                self._table.setdefault(noun, (stand_in, "near"))
        for noun, names in self._broader.items():
            self._table.setdefault(noun, (names[0], "broader"))
        self._longest = max((len(words) for words in self._table), default=1)

    def match(self, words: Sequence[str]) -> Match | None:
        """The longest known noun at the end of ``words`` (singular, lower case); None when even the last is unknown."""
        for n in range(min(self._longest, len(words)), 0, -1):
            tail = tuple(words[len(words) - n :])
            found = self._table.get(tail) or (self._table.get(("".join(tail),)) if n > 1 else None)
            if found:
                return Match(found[0], n, found[1])
        return None

    def named(self, noun: str) -> str | None:
        """The kind whose name or synonym ``noun`` is."""
        found = self._table.get(normal(noun))
        return found[0] if found and found[1] == "name" else None

    def kinds_named(self, noun: str) -> tuple[str, ...]:
        """Every kind that answers to ``noun`` by name, by synonym, by a broader noun or as the last words of its name."""
        words = normal(noun)
        found = self._table.get(words)
        tails = [k for k in self.kinds if normal(k)[-len(words) :] == words]
        return tuple(dict.fromkeys([*([found[0]] if found else []), *tails, *self._broader.get(words, [])]))

    def heads(self, kind: str) -> frozenset[str]:
        """Last words of a kind's name and synonyms: two kinds that share one are confusable (``desk`` lamp, ``floor`` lamp)."""
        known = self.kinds.get(kind)
        names = (kind, *known.synonyms) if known else (kind,)
        return frozenset(normal(n)[-1] for n in names)


def normal(noun: str) -> tuple[str, ...]:
    """A noun phrase as the tables spell it: lower case, singular, one spelling."""
    words = noun.lower().replace("-", " ").replace("'s", "").split()
    return tuple(SPELLINGS.get(singular(w), singular(w)) for w in words) or ("",)
