"""``parse``: a sentence becomes a scene graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spatialwm.errors import LiftError
from spatialwm.lift.text.graph import Item, Relation, SceneGraph
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.language import lexicon as lex
from spatialwm.lift.text.language.grammar import Reading
from spatialwm.lift.text.language.implied import completed, implied_items
from spatialwm.lift.text.language.near import USUAL_M
from spatialwm.lift.text.language.phrases import PLACES, chunk
from spatialwm.lift.text.language.settings import DEFAULT, GREEN, SETTINGS, Setting
from spatialwm.lift.text.language.things import Thing
from spatialwm.lift.text.language.vocabulary import Vocabulary
from spatialwm.lift.text.language.words import Token, tokenize

MAX_WORDS = 400
MAX_CHARACTERS = 8_000


def parse(sentence: str, vocabulary: Mapping[str, Kind] | None = None, implied: bool = True) -> SceneGraph:
    """Understand one English description of a place.

    Args:
        sentence: up to 400 words.
        vocabulary: what can be built; the registry of kinds by default.
        implied: also add what such a place usually holds.

    Raises:
        LiftError: the sentence is empty or too long.
    """
    words = len(sentence.split())
    if words == 0:
        raise LiftError("the prompt is empty: describe a place, for example 'a living room with a red sofa and a floor lamp'")
    if words > MAX_WORDS or len(sentence) > MAX_CHARACTERS:
        raise LiftError(
            f"the prompt has {words} words and {len(sentence)} characters; at most {MAX_WORDS} words and "
            f"{MAX_CHARACTERS} characters can be understood: shorten it, and add the rest by editing the world"
        )
    if vocabulary is None:
        from spatialwm.lift.text.kinds import KINDS  # the registry imports every builder: only when nobody brings a vocabulary

        vocabulary = KINDS
    known = Vocabulary(vocabulary)
    tokens = tokenize(sentence)
    reading = Reading(chunk(tokens, known), known).run()
    things = [t for g in reading.mentions.groups for t in g.things if t.kind]
    setting, place = _setting(reading, things, known)
    kinds = {t.key: _settled_kind(t, reading.facts.relations, setting, known) for t in things}
    stated = [_item(t, kinds[t.key], known) for t in things]
    absent = tuple(reading.absent)
    weather = _mood(tokens, lex.WEATHERS)
    usual = PLACES[("snowfield",)][0] if setting.name in GREEN and weather == "snow" else setting
    extra = implied_items(usual, stated, absent, known) if implied and not reading.empty else []
    used = {i.key for i in stated}
    extra = [i for i in extra if i.key not in used]
    return SceneGraph(
        prompt=sentence, family=setting.family, place=place, items=(*stated, *extra),
        relations=tuple(completed(reading.facts.relations, stated, known)),
        time=_mood(tokens, lex.TIMES), weather=weather,
        room_size_m=reading.room_m, absent=absent, unrecognized=tuple(reading.mentions.unrecognized),
        notes=tuple(reading.mentions.notes), finishes=tuple(reading.finishes),
    )  # fmt: skip


def _setting(reading: Reading, things: Sequence[Thing], known: Vocabulary) -> tuple[Setting, str]:
    """The stated place, or the one that the things give away."""
    kinds = [t.kind for t in things]
    families = [known.kinds[k].family for k in kinds]
    outdoor = families.count("outdoor") > families.count("indoor")
    # A window with furniture about it is seen from inside: mountains named beside it are its view.
    looks_out = "window" in kinds and "indoor" in families and not outdoor
    places = [p for p in reading.places if not (looks_out and p[0].family == "outdoor")]
    if places:
        return places[0]
    family = "outdoor" if outdoor else "indoor"
    best, votes = None, 0
    for setting in SETTINGS:
        signs = {known.named(s) for s in setting.signs}
        score = sum(k in signs for k in dict.fromkeys(kinds))
        if setting.family == family and score > votes:
            best, votes = setting, score
    name = best.name if best else DEFAULT[family]
    return PLACES[tuple(name.split())]


def _settled_kind(thing: Thing, relations: Sequence[Relation], setting: Setting, known: Vocabulary) -> str:
    """A broad noun (``lamp``, ``tree``) becomes the kind that fits where the thing is and what it must do."""
    own = {r.predicate for r in relations if r.subject == thing.key}
    over = any(r.predicate == "under" and thing.key in r.objects for r in relations)
    indoors = known.kinds[thing.kind].indoors
    if setting.family == "indoor" and indoors in known.kinds:
        # Stems that stand in a vase bring none of their own.
        held = {o for r in relations if r.subject == thing.key and r.predicate in ("inside", "on_top") for o in r.objects}
        return thing.kind if any("vase" in o or "pot" in o for o in held) else str(indoors)
    if thing.how == "name" or (thing.how == "near" and thing.noun != "tree"):
        hung = own & {"on_wall"} or (over and not own & {"on_top", "next_to", "against_wall"})
        if hung and known.kinds[thing.kind].habitat == "floor":  # "a shelf above the desk" is no bookcase
            return next((k for k in known.kinds_named(thing.noun) if known.kinds[k].habitat == "wall"), thing.kind)
        return thing.kind
    candidates = [k for k in known.kinds_named(thing.noun) if known.kinds[k].family in ("both", setting.family)]
    if not candidates:
        return thing.kind
    wanted = (
        "surface" if own & {"on_top", "inside"} else "ceiling" if "hanging_from_ceiling" in own or over
        else "wall" if "on_wall" in own else "ground" if setting.family == "outdoor" else "floor"
    )  # fmt: skip
    named = [k for k in candidates if k.split()[0] in setting.name or k in dict(setting.usual)]
    fitting = [k for k in candidates if known.kinds[k].habitat == wanted]
    return next((k for k in named if k in fitting), (fitting or named or candidates)[0])


def _item(thing: Thing, kind: str, known: Vocabulary) -> Item:
    m = dict(thing.measures_m)
    if thing.how == "near" and thing.noun in USUAL_M and not m:
        factor = USUAL_M[thing.noun] / max(known.kinds[kind].size_m)
        w, d, h = (round(v * factor, 4) for v in known.kinds[kind].size_m)
        m = {"width": w, "length": max(w, d), "height": h}
    loose = m.pop("long", None)
    built = known.kinds[kind]
    width, depth, height = built.size_m
    usual = {"width": width, "length": max(width, depth), "height": height}
    for dimension, factor in (lex.PROPORTIONS[a] for a in thing.adjectives if a in lex.PROPORTIONS):
        m.setdefault(dimension, round(usual[dimension] * factor, 3))
    if {"width", "length"} & set(m) and "height" not in m and any(a in lex.PROPORTIONS for a in thing.adjectives):
        m["height"] = height  # a long table is longer, not taller
    labels = () if thing.how == "near" else (kind, *built.synonyms)
    upright = built.size_m[2] >= max(built.size_m[:2])
    return Item(
        key=thing.key, kind=kind, noun=thing.noun, labels=tuple(n for n in dict.fromkeys(labels) if n != thing.noun)[:12],
        color=thing.color, material=thing.material, size=thing.size, adjectives=thing.adjectives,
        height_m=m.get("height", loose if upright else None), width_m=m.get("width"),
        length_m=m.get("length", None if upright else loose),
    )  # fmt: skip


def _mood(tokens: Sequence[Token], table: Mapping[str, str]) -> str | None:
    """The first time of day or weather named and not denied."""
    for i, token in enumerate(tokens):
        following = tokens[i + 1].base if i + 1 < len(tokens) else ""
        if token.word == "golden" and following == "hour" and table is lex.TIMES:
            return "sunset"
        value = table.get(token.word) or table.get(token.base)
        if value is None or any(t.word in lex.NEGATIONS for t in tokens[max(0, i - 2) : i]):
            continue
        if token.word == "clear" and following not in ("sky", "day", "night", "weather", "morning", "evening"):
            continue
        if following in ("stand", "lamp", "light", "table", "globe"):  # a night stand is no night, a snow globe no snow
            continue
        return value
    return None
