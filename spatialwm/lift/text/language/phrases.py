"""From words to phrases: noun phrases with all that describes them, and the small words between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from spatialwm.lift.text.language import lexicon as lex
from spatialwm.lift.text.language.near import NOUNS
from spatialwm.lift.text.language.prepositions import LONGEST, PHRASES, Phrase
from spatialwm.lift.text.language.settings import SETTINGS, Setting
from spatialwm.lift.text.language.vocabulary import Match, Vocabulary, normal
from spatialwm.lift.text.language.words import UNITS_M, Token

PLACES: dict[tuple[str, ...], tuple[Setting, str]] = {normal(n): (s, n) for s in SETTINGS for n in (s.name, *s.synonyms)}
_ING_NOUNS = lex.words(
    """
    painting building railing ceiling ring king swing string wing awning clothing shelving pudding earring thing
    """
)
_ED_NOUNS = frozenset({"bed", "shed", "seed", "weed", "reed", "sled", "bobsled", "feed", "speed", "flatbed"})
_LY_NOUNS = lex.words(
    """
    lily family jelly butterfly fly dragonfly firefly trolley dolly belly gully holly assembly
    """
)
_DIMENSIONS = {
    **dict.fromkeys(("tall", "high", "height"), "height"), **dict.fromkeys(("wide", "width", "across", "broad"), "width"),
    **dict.fromkeys(("long", "length", "deep"), "length"),
}  # fmt: skip

Role = Literal["noun", "relation", "with", "pronoun", "and", "or", "comma", "stop", "verb", "not", "each", "ordinal", "colors"]


@dataclass(slots=True)
class NounPhrase:
    """A noun with its count, colour, size and other descriptions; not yet anything in the scene."""

    text: str = ""
    """As written, without determiner, count and colour."""
    noun: str = ""
    """Singular, without adjectives."""
    match: Match | None = None
    place: Setting | None = None
    place_name: str = ""
    structure: str | None = None
    """``wall``, ``ceiling``, ``corner`` and the like."""
    count: int | None = None
    stated_count: bool = False
    plural: bool = False
    each: bool = False
    definite: bool = False
    another: bool = False
    ordinal: int | None = None
    possessive: bool = False
    colors: tuple[str, ...] = ()
    material: str | None = None
    size: Literal["large", "small"] | None = None
    adjectives: tuple[str, ...] = ()
    measures_m: dict[str, float] = field(default_factory=dict)
    collective: str = ""
    """Relation shared by the members of ``a row of ...``."""
    room_m: tuple[float, float] | None = None
    negated: bool = False
    known: bool = True
    first: bool = False
    """Opens the prompt."""


@dataclass(slots=True)
class Chunk:
    """One step of the grammar."""

    role: Role
    text: str = ""
    noun: NounPhrase | None = None
    phrase: Phrase | None = None
    distance_m: float | None = None
    colors: tuple[str, ...] = ()
    index: int = 0


def chunk(tokens: Sequence[Token], vocabulary: Vocabulary) -> list[Chunk]:
    """Cut tokens into chunks, left to right, longest phrase first."""
    return list(_Chunker(tokens, vocabulary).run())


class _Chunker:
    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
        self.tokens = list(tokens)
        self.vocabulary = vocabulary
        self.at = 0
        self.distance: float | None = None
        self.last: Role | None = None

    def word(self, ahead: int = 0) -> str:
        i = self.at + ahead
        return self.tokens[i].word if i < len(self.tokens) else ""

    def base(self, ahead: int = 0) -> str:
        i = self.at + ahead
        return self.tokens[i].base if i < len(self.tokens) else ""

    def run(self) -> Iterator[Chunk]:
        while self.at < len(self.tokens):
            for item in self._step():
                self.last = item.role
                yield item

    def _step(self) -> Iterator[Chunk]:
        token = self.tokens[self.at]
        w = token.word
        if token.mark:
            self.at += 1
            yield Chunk({",": "comma", "&": "and", "/": "comma", "(": "comma", ")": "comma"}.get(w, "stop"), w)  # type: ignore[arg-type]
            return
        if (n := self._measure_then_relation()) is not None:
            self.distance = n
            return
        if (found := self._relation()) is not None:
            words, phrase = found
            if not self._hides_a_noun(words):
                self.at += words
                distance, self.distance = self.distance, None
                side = next((s for s in ("left", "right", "each") if s in (self.word(-1), self.word(-2))), "")
                yield Chunk("relation", side, phrase=phrase, distance_m=distance)
                return
        if (
            w in lex.NEGATIONS
            or w in lex.NEGATIONS_AFTER
            or (w in ("isn't", "aren't", "don't", "not") and self.word(1) in ("any", "a"))
        ):
            self.at += 1
            yield Chunk("not", w)
            return
        if w == "of" and self.last == "noun":
            self.at += 1
            yield Chunk("with", "of")
            return
        if w in ("and", "plus", "but"):
            self.at += 1
            yield Chunk("and", w)
            return
        if w == "or":
            self.at += 1
            yield Chunk("or", w)
            return
        if w in ("colored", "coloured"):
            colors = self._color_list(1)
            yield Chunk("colors", colors=colors)
            return
        if w in ("is", "are", "be", "was", "were") and self.base(1) in lex.COLORS and not self._noun_after(2):
            colors = self._color_list(1)
            yield Chunk("colors", colors=colors)
            return
        if w in lex.HAS and not (w in ("full", "filled", "supports", "houses") and self.word(1) not in ("of", "with")):
            self.at += 2 if self.word(1) in ("of", "with") else 1
            yield Chunk("with", "full" if w in ("full", "filled") else w)
            return
        if w in ("each", "every") and not self._starts_noun(1):
            self.at += 1
            yield Chunk("each", w)
            return
        if w in lex.PRONOUNS and w not in ("one", "ones"):
            self.at += 1
            yield Chunk("pronoun", w)
            return
        if (w in lex.VERBS and not self._verb_is_noun()) or self._looks_like_verb():
            self.at += 1
            yield Chunk("verb", w)
            return
        if w in ("the", "a") and self.word(1) in lex.ORDINALS and not self._starts_noun(2):
            index = lex.ORDINALS[self.word(1)]
            self.at += 3 if self.word(2) in ("one", "ones") else 2
            yield Chunk("ordinal", index=index)
            return
        noun = self._noun_phrase()
        if noun is not None:
            yield Chunk("noun", noun.text, noun=noun)

    # ------------------------------------------------------------------ small decisions
    def _relation(self) -> tuple[int, Phrase] | None:
        for n in range(min(LONGEST, len(self.tokens) - self.at), 0, -1):
            span = self.tokens[self.at : self.at + n]
            if any(t.mark for t in span):
                continue
            found = PHRASES.get(tuple(t.word for t in span)) or PHRASES.get(tuple(t.base for t in span))
            if found and not (found.sense == "facing" and self.base(1) in ("wall",) and n == 1 and self.word() == "face"):
                return n, found
        return None

    def _hides_a_noun(self, words: int) -> bool:
        """``over`` in ``over 5 chairs``, ``in`` as inches, ``across`` in ``2 m across``."""
        return words == 1 and self.word() == "before" and self.word(1) in lex.TIMES

    def _measure_then_relation(self) -> float | None:
        """``10 cm to the right of``: the distance, with the position moved behind it."""
        token = self.tokens[self.at]
        if token.value is None or self.base(1) not in UNITS_M:
            return None
        here, self.at = self.at, self.at + 2
        if self.word() in ("away", "apart"):
            self.at += 1
        found = self._relation()
        if found and self.word() == "by" and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1].value is not None:
            found = None  # "4 m by 5 m"
        if found and found[1].sense not in ("inside", "on_top", "across", "along", "above") and self.word() not in _DIMENSIONS:
            return token.value * UNITS_M[self.tokens[here + 1].base]
        self.at = here
        return None

    def _color_list(self, skip: int) -> tuple[str, ...]:
        self.at += skip
        out: list[str] = []
        while self.at < len(self.tokens) and (self.base() in lex.COLORS or self.word() in ("and", ",", "all", *lex.TINTS)):
            if self.word() in (",", "and") and not any(c in lex.COLORS for c in (self.base(1), self.base(2))):
                break
            if self.base() in lex.COLORS:
                out.append(_color_word(self.tokens[self.at]))
            self.at += 1
        return tuple(out)

    def _noun_after(self, ahead: int) -> bool:
        i = self.at + ahead
        return i < len(self.tokens) and not self.tokens[i].mark and self._is_noun_word(self.tokens[i])

    def _is_noun_word(self, token: Token) -> bool:
        return (
            self.vocabulary.match((token.base,)) is not None or token.base in NOUNS or (token.base,) in PLACES
            or token.base in lex.STRUCTURE
        )  # fmt: skip

    def _starts_noun(self, ahead: int) -> bool:
        i = self.at + ahead
        if i >= len(self.tokens):
            return False
        t = self.tokens[i]
        closed = t.mark or t.word in lex.FILLERS or t.word in lex.VERBS or t.word in lex.HAS or t.word in ("and", "with", "of")
        return not closed or t.value is not None

    def _verb_is_noun(self) -> bool:
        """``a stand``, ``the set``: a determiner in front makes a noun of it, if one is known."""
        if self.last is not None and self.word(-1) not in lex.DEFINITE | lex.INDEFINITE:
            return False
        return self._is_noun_word(self.tokens[self.at])

    def _looks_like_verb(self) -> bool:
        token = self.tokens[self.at]
        w = token.word
        if self._is_noun_word(token) or self.last != "noun" or token.joined:
            return False
        if (w.endswith("ing") and w not in _ING_NOUNS and len(w) > 4) or (w.endswith("ed") and w not in _ED_NOUNS and len(w) > 3):
            return True
        # "a cat naps on": an unlisted word after a known noun that ends the phrase and reads like a verb
        follows = self.word(1) in lex.FILLERS or self.at + 1 >= len(self.tokens) or self.tokens[self.at + 1].mark
        return w.endswith("s") and not w.endswith("ss") and follows

    # ------------------------------------------------------------------ noun phrases
    def _noun_phrase(self) -> NounPhrase | None:
        np = NounPhrase(first=self.at == 0)
        start = self.at
        self._front(np)
        body: list[Token] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.mark or self._ends_noun(token, body):
                break
            if token.value is not None and self._measure(np):
                continue
            if token.value is not None and body and not token.joined:
                break
            body.append(token)
            self.at += 1
        self._back(np)
        if not body:
            if self.at == start:
                self.at += 1
            return self._collective(np) if np.collective else (np if np.room_m or np.measures_m else None)
        self._describe(np, body)
        whole = self.vocabulary.match((body[-1].base, "of", self.base(1))) if self.word() == "of" else None
        if whole is not None and whole.words == 3:
            body += self.tokens[self.at : self.at + 2]  # "a stack of books" may be a kind of its own
            self.at += 2
            self._describe(np, body)
            np.plural = body[-3].plural
        elif self.word() == "of" and body:
            head = body[-1].base
            if head in lex.COLLECTIVES and (np.match is None or head == "bed") and self._starts_noun(1):
                return self._collective(np, head)
        return np

    def _front(self, np: NounPhrase) -> None:
        """Determiners, counts, quantifiers."""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            w = token.word
            if token.mark:
                return
            if (vague := self._vague()) is not None:
                np.count, np.stated_count = vague[1], vague[1] in (2, 12)
                np.definite |= w == "both"
                np.plural = True
                self.at += vague[0]
                continue
            if self._measure(np):
                continue
            if (token.value is not None and not token.joined and w not in ("one",)) or (w == "one" and not np.definite):
                if not self._count(np):
                    return
                continue
            if w in ("about", "around", "roughly", "approximately", "nearly", "almost", "exactly", "of", "at", "over"):
                pass  # how exact a count is changes nothing
            elif w in lex.EACH:
                np.each, np.definite = w != "all" or np.each, True
            elif w in lex.ANOTHER and not (w == "other" and np.definite):
                np.another = True
            elif w in lex.DEFINITE:
                np.definite = True
                np.possessive |= w in ("his", "her", "their", "its")
            elif w in lex.ORDINALS:
                np.ordinal = lex.ORDINALS[w]
            elif w not in lex.INDEFINITE and w not in lex.FILLERS:
                return
            elif w in lex.INDEFINITE:
                np.count = 1 if np.count is None else np.count
            self.at += 1

    def _vague(self) -> tuple[int, int] | None:
        for n in (3, 2, 1):
            words = tuple(t.word for t in self.tokens[self.at : self.at + n])
            if len(words) == n and words in lex.VAGUE_COUNTS and (n > 1 or self._starts_noun(1) or self.word(1) in ("of", "the")):
                return n + (self.word(n) == "of"), lex.VAGUE_COUNTS[words]
        return None

    def _count(self, np: NounPhrase) -> bool:
        """One number, in words or digits, with its multipliers; False when it was not a count after all."""
        value, digits = 0.0, False
        while self.at < len(self.tokens) and self.tokens[self.at].value is not None:
            token = self.tokens[self.at]
            v = float(token.value or 0.0)
            if token.word in lex.MULTIPLIERS:
                value = max(value, 1.0) * v
            elif digits or (value and v >= value):
                break
            else:
                value += v
            digits |= token.word[0].isdigit()
            self.at += 1
            if self.word() == "dozen":
                value *= 12
                self.at += 1
        if self.word() == "x":  # "3 x chair"
            self.at += 1
        if self.word() == "or" and self.at + 1 < len(self.tokens) and self.tokens[self.at + 1].value is not None:
            self.at += 2  # "two or three": the first will do
        np.count, np.stated_count = int(min(value, 1e9)), True
        np.plural = np.count != 1
        return True

    def _measure(self, np: NounPhrase) -> bool:
        """``2 m tall``, ``4 by 5 metres``, ``1.5 m`` in front of or behind a noun."""
        i = self.at
        values: list[float] = []
        while i < len(self.tokens) and self.tokens[i].value is not None:
            values.append(float(self.tokens[i].value or 0.0))
            unit = self.tokens[i + 1].base if i + 1 < len(self.tokens) else ""
            if unit in UNITS_M and self.tokens[i + 1].word != "in":
                i += 1
            if i + 1 < len(self.tokens) and self.tokens[i + 1].word in ("by", "x", "×"):
                i += 2
                continue
            i += 1
            break
        unit = next((t.base for t in reversed(self.tokens[self.at : i]) if t.base in UNITS_M), None)
        if not values or unit is None:
            return False
        metres = [v * UNITS_M[unit] for v in values]
        if (
            i < len(self.tokens)
            and self.tokens[i].word == "in"
            and self.tokens[min(i + 1, len(self.tokens) - 1)].word in _DIMENSIONS
        ):
            i += 1
        dimension = _DIMENSIONS.get(self.tokens[i].word) if i < len(self.tokens) else None
        if dimension:
            i += 1
        if len(metres) >= 2:
            np.room_m = (metres[0], metres[1])
            if len(metres) > 2:
                np.measures_m["height"] = metres[2]
        else:
            np.measures_m[dimension or "long"] = metres[0]
        self.at = i
        return True

    def _back(self, np: NounPhrase) -> None:
        """Measures that follow the noun: ``a shelf 2 m tall``, ``a room of 4 by 5 m``."""
        skip = 1 if self.word() in ("of", "measuring", "about", "at", ",") else 0
        here = self.at
        self.at += skip
        if self.at < len(self.tokens) and self.tokens[self.at].value is not None and self._peek_measure() and self._measure(np):
            return
        self.at = here

    def _peek_measure(self) -> bool:
        """A measure here belongs to the noun before it, not to a relation (``10 cm to the right``) or a new noun."""
        here, distance = self.at, self.distance
        relation = self._measure_then_relation() is not None
        self.at, self.distance = here, distance
        probe = NounPhrase()
        if relation or not self._measure(probe):
            self.at = here
            return False
        tail = self.at
        self.at = here
        named = bool(probe.room_m) or any(k != "long" for k in probe.measures_m)
        after = self.tokens[tail] if tail < len(self.tokens) else None
        return named and (after is None or after.mark or not self._is_noun_word(after))

    def _ends_noun(self, token: Token, body: list[Token]) -> bool:
        w = token.word
        if token.possessive or token.joined:
            return False
        if not body and w in lex.VERBS and not self._is_noun_word(token):
            determined = self.word(-1) in lex.DEFINITE | lex.INDEFINITE
            return not (determined and (w in lex.ADJECTIVES or w.endswith(("ing", "ed"))))
        if w in ("and", "or", "nor", "with", "of") or w in lex.DEFINITE or w in lex.INDEFINITE or w in lex.EACH:
            colors = w == "and" and body and body[-1].base in lex.COLORS and self.base(1) in lex.COLORS
            return not colors  # "a red and white umbrella" goes on
        if w in lex.NEGATIONS or (w in lex.PRONOUNS and w != "one"):
            return True
        if w in lex.HAS or (w in ("colored", "coloured")):
            return not (w in ("full", "filled") and not body and self._noun_after(1))
        if (found := self._relation()) is not None and not (found[0] == 1 and w in ("by",)):
            return bool(body) or found[1].sense not in ("on_top",) or w != "atop"
        if body and (w in lex.FILLERS or w in lex.ANOTHER) and w not in lex.ADJECTIVES:
            return True
        if body and w in lex.VERBS and not (self._noun_after(1) and not self._is_noun_word(body[-1])):
            return not self._is_noun_word(token)
        if body and self._is_noun_word(body[-1]):
            previous, self.last = self.last, "noun"
            verb = self._looks_like_verb()
            self.last = previous
            if verb:
                return True
            if w in lex.ADJECTIVES and not self._noun_after(1):
                return not self._is_noun_word(token)
            return w.endswith("ly") and w not in _LY_NOUNS
        return False

    def _describe(self, np: NounPhrase, body: list[Token]) -> None:
        """Sort the words of the phrase into noun, colour, material, size and the rest."""
        bases = [t.base for t in body]
        np.plural |= body[-1].plural
        np.match = self.vocabulary.match(bases)
        place = self._place(bases, body[-1].plural)
        covered = np.match.words if np.match else 0
        if place and len(place[2]) >= max(covered, 1):
            np.place, np.place_name = place[0], place[1]
        if bases[-1] in lex.STRUCTURE and covered <= 1:
            np.structure = bases[-1]
        keep = max(covered, len(place[2]) if place else 0, 1)
        lead, head = body[: len(body) - keep], body[len(body) - keep :]
        for token in head[:-1]:  # "wooden crate" may be a name of its own, and is of wood all the same
            if token.word in lex.MATERIALS and np.match and token.base not in np.match.kind:
                np.material = lex.MATERIALS[token.word]
        modifiers: list[Token] = []
        colors: list[str] = []
        adjectives: list[str] = []
        for i, token in enumerate(lead):
            w, b = token.word, token.base
            if i + 1 < len(lead) and lead[i + 1].joined and b not in lex.COLORS:  # "open-air", "low-poly": one adjective
                adjectives.append(f"{w}-{lead[i + 1].word}")
                continue
            if token.joined and w not in lex.COLORS and b not in lex.COLORS:
                continue
            if token.possessive:
                np.possessive = True
                modifiers.append(token)
            elif b in lex.COLORS or w in lex.COLORS:
                colors.append(
                    _color_word(token)
                    if not (i and lead[i - 1].word in lex.TINTS)
                    else f"{lead[i - 1].word} {_color_word(token)}"
                )
            elif w in lex.TINTS and i + 1 < len(lead) and lead[i + 1].base in lex.COLORS:
                continue
            elif w in lex.MATERIALS and np.material is None:
                np.material = w if w in lex.FINE_WOODS else lex.MATERIALS[w]
            elif w in lex.SIZES:
                np.size = lex.SIZES[w]
            elif w in lex.ADJECTIVES or b in lex.WEATHERS or b in lex.TIMES or w in lex.ORDINALS:
                adjectives.append(w)
                if w in lex.ORDINALS:
                    np.ordinal = lex.ORDINALS[w]
            elif w in ("and", "x") or w in lex.FILLERS or token.value is not None:
                continue
            elif w.endswith("ly"):
                adjectives.append(w)
            else:
                modifiers.append(token)
        np.colors, np.adjectives = tuple(colors), tuple(adjectives)
        last = body[-1]
        describes = (
            (last.word.endswith("ly") and last.word not in _LY_NOUNS)
            or last.base in lex.COLORS
            or last.word in lex.ADJECTIVES
            or last.word in lex.SIZES
            or last.word in lex.MATERIALS
        )
        idle = (
            describes
            or last.base in lex.ABSTRACT
            or last.word in lex.FILLERS
            or last.base in lex.TIMES
            or last.base in lex.WEATHERS
        )
        np.known = np.match is not None or np.place is not None or np.structure is not None or idle or last.value is not None
        words = [*modifiers, *head]
        np.text = " ".join(t.text for t in words)
        np.noun = " ".join([*(t.word for t in words[:-1]), words[-1].base if words[-1].plural else words[-1].word])

    def _place(self, bases: list[str], plural: bool) -> tuple[Setting, str, tuple[str, ...]] | None:
        for n in range(min(3, len(bases)), 0, -1):
            tail = tuple(bases[len(bases) - n :])
            if tail in PLACES and (plural or tail != ("wood",)):
                return (*PLACES[tail], tail)
        return None

    def _collective(self, np: NounPhrase, head: str = "") -> NounPhrase | None:
        """``a stack of four crates``, ``three rows of seats``: the members take over."""
        relation, usual = lex.COLLECTIVES.get(head, (np.collective, lex.PLURAL_COUNT))
        self.at += 1
        inner = self._noun_phrase()
        if inner is None or (inner.match is None and inner.known):
            return inner
        groups = np.count if np.count is not None and np.count > 1 else 1
        inner.count = (inner.count if inner.stated_count and inner.count else usual) * groups
        inner.plural, inner.stated_count = True, inner.stated_count
        inner.collective = relation or inner.collective
        inner.definite |= np.definite
        inner.first = np.first
        return inner


def _color_word(token: Token) -> str:
    return token.word if token.word in lex.COLORS else token.base
