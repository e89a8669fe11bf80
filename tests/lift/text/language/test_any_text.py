"""No text whatever breaks the parser, and none takes long."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatialwm.errors import LiftError
from spatialwm.lift.text.graph import SceneGraph
from spatialwm.lift.text.language import MAX_WORDS, parse
from spatialwm.lift.text.language.near import NEAR
from spatialwm.lift.text.language.prepositions import PHRASES

WORDS = [
    *(" ".join(p) for p in PHRASES), *(" ".join(n) for n in NEAR), "a", "the", "each", "two", "12", "with", "of", "and", ",",
    ".", ":",
    "it", "them", "no", "neither", "nor", "without", "red", "wooden", "2 m tall", "4x5 m", "6 ft", "room", "wall", "ceiling",
    "corner",
    "sofa", "chairs", "lamp", "kitchen", "lake", "forest", "all", "one", "second", "the first", "colored", "is", "stands",
    "w/", "'s", "-",
    "a row of", "a stack of", "full of", "its", "other", "another", "zorblax", "both", "half a dozen",
    "99999999999999999999", "0", "1e9",
]  # fmt: skip


# A fixture argument would be printed in full with every counterexample.
@pytest.fixture(autouse=True, scope="module")
def _vocabulary(kinds):
    global KINDS
    KINDS = kinds


def check(graph: SceneGraph) -> None:
    keys = [i.key for i in graph.items]
    assert len(set(keys)) == len(keys)
    assert not any(c.isspace() for k in keys for c in k)
    for r in graph.relations:
        assert {r.subject, *r.objects, *r.group} <= set(keys)
        assert r.subject not in r.objects


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_unicode_text_becomes_a_graph_or_one_clear_error(text):
    with contextlib.suppress(LiftError):
        check(parse(text, KINDS))


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=30))
@settings(max_examples=600, deadline=None)
def test_any_order_of_known_words_becomes_a_sound_graph(words):
    check(parse(" ".join(words), KINDS))


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_refused_with_the_mend(kinds, text):
    with pytest.raises(LiftError, match=r"empty.*describe a place"):
        parse(text, kinds)


def test_a_long_prompt_is_refused_at_once_naming_limit_and_count(kinds):
    start = time.process_time()
    with pytest.raises(LiftError, match=f"10000 words.*at most {MAX_WORDS}"):
        parse("chair " * 10_000, kinds)
    assert time.process_time() - start < 1


def test_unknown_words_alone_make_an_empty_place_and_are_all_reported(kinds):
    graph = parse("a zorblax, two quimbles and the frobnitz", kinds)
    assert graph.items == ()
    assert graph.family == "indoor"
    assert graph.unrecognized == ("zorblax", "quimbles", "frobnitz")


def test_a_prompt_at_the_limit_is_parsed_in_a_second(kinds):
    start = time.process_time()
    parse(" ".join(["a red chair next to the table,"] * (MAX_WORDS // 7)), kinds)
    assert time.process_time() - start < 1
