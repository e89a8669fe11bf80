"""From characters to words: tokens, singular forms, numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from spatialwm.lift.text.language.lexicon import IRREGULAR_PLURALS, NUMBER_WORDS, SPELLINGS, UNCOUNTED_S

_TOKEN = re.compile(
    r"""
    (?P<by>\d+(?:[.,]\d+)?\s*[x×]\s*\d+(?:[.,]\d+)?)(?=\W|m|f|$)   # 4x5
    | (?P<feet>\d+(?:\.\d+)?\s*(?:'|ft\b)\s*\d*(?:"|in\b)?)         # 6'2", 6 ft
    | (?P<number>\d+(?:[.,]\d+)*)
    | (?P<with>\bw/)
    | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*['’]?)
    | (?P<mark>[.,;:!?()&/\n])
    """,
    re.VERBOSE,
)

UNITS_M = {
    "m": 1.0, "meter": 1.0, "metre": 1.0, "cm": 0.01, "centimeter": 0.01, "centimetre": 0.01, "mm": 0.001, "millimeter": 0.001,
    "millimetre": 0.001, "ft": 0.3048, "foot": 0.3048, "inch": 0.0254, "in": 0.0254, "yard": 0.9144,
}  # fmt: skip
"""Metres per unit of length."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or mark of the prompt."""

    text: str
    """As written."""
    word: str
    """Lower case, straight quotes, without a possessive ending."""
    base: str
    """Singular, in one spelling; what tables are asked for."""
    mark: bool = False
    value: float | None = None
    """What a number stands for."""
    possessive: bool = False
    joined: bool = False
    """A hyphen ties it to the word before."""

    @property
    def plural(self) -> bool:
        """True when the word was written in a plural form."""
        return self.base != self.word and SPELLINGS.get(self.word, self.word) != self.base


def singular(word: str) -> str:
    """The singular of a lower-case English noun; other words come back nearly unchanged."""
    if word in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[word]
    if word in UNCOUNTED_S or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("shelves"):
        return word[:-3] + "f"
    if re.search(r"(ch|sh|x|ss|zz)es$", word):
        return word[:-2]
    return word[:-1]


def tokenize(text: str) -> list[Token]:
    """Words, numbers and marks of any text, in order; what is none of these is skipped."""
    text = unicodedata.normalize("NFKC", text).replace("’", "'").replace("‘", "'")
    out: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        joined = text[end : match.start()] == "-" and match.start() > 0
        end = match.end()
        kind, raw = match.lastgroup, match.group()
        if kind == "by":
            a, b = re.split(r"[x×]", raw)
            out += [_number(a.strip()), Token("x", "by", "by"), _number(b.strip())]
        elif kind == "feet":
            out += _feet(raw)
        elif kind == "number":
            out.append(_number(raw, joined))
        elif kind == "with":
            out.append(Token(raw, "with", "with"))
        elif kind == "mark":
            out.append(Token(raw, raw, raw, mark=True))
        else:
            out.append(_word(raw, joined))
    return out


def _number(raw: str, joined: bool = False) -> Token:
    grouped = re.sub(r",(?=\d{3}(?:\D|$))", "", raw).replace(",", ".")
    head = re.match(r"\d+(?:\.\d+)?", grouped)
    value = float(head.group()[:12]) if head else 0.0
    return Token(raw, raw, raw, value=value, joined=joined)


def _feet(raw: str) -> list[Token]:
    parts = [float(p) for p in re.findall(r"\d+(?:\.\d+)?", raw)]
    feet = parts[0] + (parts[1] / 12 if len(parts) > 1 else 0.0)
    return [Token(raw, raw, raw, value=feet), Token("ft", "ft", "ft")]


def _word(raw: str, joined: bool) -> Token:
    word = raw.lower().rstrip("'")
    possessive = raw.lower().endswith(("'s", "s'"))
    if word.endswith("'s"):
        word = word[:-2]
    if word in ("it", "there", "that", "here", "what", "who", "he", "she") and possessive:  # "there's": a verb, not an owner
        possessive = False
    word = word.replace("é", "e") or raw.lower()
    base = singular(word)
    base = SPELLINGS.get(base, base)
    value = NUMBER_WORDS.get(word)
    return Token(raw, word, base, value=value, possessive=possessive, joined=joined)
