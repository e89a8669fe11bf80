"""What a place holds although nobody says so, and never against what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spatialwm.lift.text.graph import Item, Relation
from spatialwm.lift.text.language.settings import Setting
from spatialwm.lift.text.language.vocabulary import Vocabulary, normal

ENOUGH = {"indoor": 14, "outdoor": 34}
"""Stated things beyond which a place is full already."""


def implied_items(setting: Setting, stated: list[Item], absent: tuple[str, ...], vocabulary: Vocabulary) -> list[Item]:
    """The usual things of a setting that neither repeat a stated category nor were forbidden."""
    taken = {normal(n)[-1] for i in stated for n in (i.noun, i.kind)} | {normal(a)[-1] for a in absent}
    kinds = {i.kind for i in stated} | set(absent)
    hung = any(vocabulary.kinds[i.kind].habitat == "ceiling" for i in stated)
    broader = {h for i in stated if i.noun for h in _hypernyms(i, vocabulary)}
    out: list[Item] = []
    for noun, count in setting.usual:
        kind = vocabulary.named(noun)
        known = vocabulary.kinds[kind] if kind else None
        if (
            kind is None
            or known is None
            or kind in kinds
            or known.family not in ("both", setting.family)
            or vocabulary.heads(kind) & taken
            or (hung and known.habitat == "ceiling")
        ):
            continue
        if normal(kind)[-1] in broader or len(stated) + len(out) + count > ENOUGH[setting.family] + count // 2:
            continue
        slug = kind.replace(" ", "-")
        out += [Item(f"{slug}-{i + 1}", kind, kind, known.synonyms[:3], provenance="implied") for i in range(count)]
    return out


def _hypernyms(item: Item, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Broader nouns of what was asked by a broad noun: ``two seats`` leaves no chair to be invented."""
    return (normal(item.noun)[-1],) if item.noun != item.kind else ()


def completed(relations: Sequence[Relation], items: Sequence[Item], vocabulary: Vocabulary) -> list[Relation]:
    """Relations with what they entail: a stack stands on its lowest member, a mug next to a laptop shares its desk."""
    upper = {k for r in relations if r.predicate == "stacked" for k in r.group[1:]}
    out = [
        r for r in relations if not (r.subject in upper and r.predicate in ("on_top", "next_to", "center_of_room", "in_corner"))
    ]
    base = {r.subject: r.objects[0] for r in out if r.predicate == "on_top"}
    kinds = {i.key: vocabulary.kinds[i.kind] for i in items}
    beside = ("next_to", "near", "left_of", "right_of", "in_front_of", "behind", "between")
    for _ in range(3):  # chains of such references are short
        for r in list(out):
            if r.predicate not in beside or not r.objects or r.subject in base or r.subject not in kinds:
                continue
            support, size = base.get(r.objects[0]), kinds[r.subject].size_m
            own = next(i for i in items if i.key == r.subject)
            small = kinds[r.subject].habitat == "surface" or max(own.width_m or size[0], own.height_m or size[2]) <= 0.5
            if support is not None and support != r.subject and small:
                base[r.subject] = support
                out.append(replace(r, predicate="on_top", objects=(support,), provenance="implied", group=(), distance_m=None))
    return out
