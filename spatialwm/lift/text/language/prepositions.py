"""Phrases that relate things to one another or to the room, and how long they are. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Sense = Literal[
    "on_top", "under", "above", "inside", "next_to", "near", "far", "across", "facing", "left_of", "right_of", "in_front_of",
    "behind", "against", "along", "between", "around", "surrounded_by", "with", "flanking", "from", "at", "in_middle",
    "at_side",
    "in_corner", "in_row", "in_circle", "stacked", "aligned", "side_by_side", "facing_each_other", "off",
]  # fmt: skip
"""What a phrase means before its object is known: ``on`` is ``on_wall`` with a wall behind it and ``on_top`` with a table."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sense and what grammar the phrase brings along."""

    sense: Sense
    alone: bool = False
    """Needs no object (``in a row``)."""
    of_it: bool = False
    """Carries its object as a possessive (``to its left``)."""


def _table() -> dict[tuple[str, ...], Phrase]:
    plain: dict[Sense, str] = {
        "on_top": "on|upon|atop|on top of|onto|resting on|on the top of|above on",
        "under": "under|underneath|beneath|below|under neath",
        "above": "above|over|hovering over",
        "inside": "in|inside|inside of|within|into",
        "next_to": "next to|beside|besides|alongside|adjacent to|right by|at the side of|on the side of|just by",
        "near": "near|close to|by|nearby|not far from|in the vicinity of",
        "far": "far from|far away from|away from|a long way from",
        "across": "across from|opposite|opposite to|opposite of|across",
        "facing": "facing|faces|facing towards|facing toward|looking at|looking towards|turned towards|turned toward|pointing at|"
        "oriented towards|pointed at|facing to|face|looks at|looks towards",
        "left_of": "to the left of|left of|on the left of|on the left side of|at the left of",
        "right_of": "to the right of|right of|on the right of|on the right side of|at the right of",
        "in_front_of": "in front of|before|at the foot of|in the front of",
        "behind": "behind|in back of|at the back of|at the rear of",
        "against": "against|leaning against|leaning on|up against|backed against|flush against|propped against",
        "along": "along|lining|all along",
        "between": "between|in between|amid|amidst|among",
        "around": "around|surrounding|encircling|all around|round about|gathered around|circling",
        "surrounded_by": "surrounded by|encircled by|ringed by|flanked by",
        "flanking": "on either side of|on both sides of|at either side of|on each side of|flanking|at both sides of",
        "from": "from|hanging from|suspended from|hangs from|hang from",
        "at": "at",
        "in_middle": "in the middle of|in the center of|at the center of|at the middle of|in the centre of|at the centre of|"
        "on the center of|on the middle of",
        "in_corner": "in the corner of|in a corner of|at the corner of|in one corner of|in the far corner of",
    }  # fmt: skip
    alone: dict[Sense, str] = {
        "in_corner": "in the corner|in a corner|in one corner|in the other corner|in another corner|in the far corner|"
        "at the corner|"
        "in the back corner|in the left corner|in the right corner|in opposite corners|in the corners|in each corner",
        "in_middle": "in the middle|in the center|at the center|in the centre|at the centre|in the very middle|centered|"
        "marks the center|marks the centre",
        "in_row": "in a row|in a line|in line|lined up|in a straight line|in rows|side by side in a row|in a neat row|in a queue",
        "in_circle": "in a circle|in a ring|arranged in a circle|in a semicircle",
        "stacked": "stacked|in a stack|in a pile|piled up|on top of each other|on top of one another|stacked on each other|"
        "stacked up|stacked on top of each other|piled on top of each other",
        "aligned": "aligned|in alignment|neatly aligned|in a grid",
        "side_by_side": "side by side|next to each other|beside each other|next to one another",
        "facing_each_other": "facing each other|facing one another|opposite each other|face to face|across from each other",
        "flanking": "on either side|on both sides|on each side|at either side",
        "at_side": "on the left|on the right|at the left|at the right|to the left|to the right|on the left side|"
        "on the right side",
    }
    of_it: dict[Sense, str] = {
        "left_of": "to its left|on its left|to the left of it|on its left side",
        "right_of": "to its right|on its right|to the right of it|on its right side",
        "next_to": "at its side|by its side",
        "flanking": "on either side of it|on both sides of it|on each side of it",
        "on_top": "on its top",
    }
    table: dict[tuple[str, ...], Phrase] = {}
    for group, flags in ((plain, {}), (alone, {"alone": True}), (of_it, {"of_it": True})):
        for sense, text in group.items():
            for phrase in text.split("|"):
                table[tuple(phrase.split())] = Phrase(sense, **flags)
    return table


PHRASES: dict[tuple[str, ...], Phrase] = _table()
"""Lower-case words -> meaning; the longest match wins."""

LONGEST = max(len(words) for words in PHRASES)
