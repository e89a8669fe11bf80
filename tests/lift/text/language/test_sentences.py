"""What sentences mean, one behaviour a test."""

from __future__ import annotations

from collections import Counter

import pytest

from spatialwm.lift.text.graph import SceneGraph
from spatialwm.lift.text.language import parse


@pytest.fixture
def read(kinds):
    return lambda text: parse(text, kinds, implied=False)


def kinds_of(graph: SceneGraph) -> Counter[str]:
    return Counter(i.kind for i in graph.items)


def facts(graph: SceneGraph) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(r.subject, r.predicate, r.objects) for r in graph.relations if r.provenance == "stated"}


def one(graph: SceneGraph, kind: str):
    (item,) = [i for i in graph.items if i.kind == kind]
    return item


@pytest.mark.parametrize(
    ("phrase", "count"),
    [
        ("a chair", 1), ("three chairs", 3), ("2 chairs", 2), ("a pair of chairs", 2), ("a dozen chairs", 12),
        ("half a dozen chairs", 6),
        ("several chairs", 4), ("twenty-one chairs", 21), ("chairs", 3), ("a couple of wooden chairs", 2),
        ("two dozen chairs", 24),
    ],
)  # fmt: skip
def test_counts_are_words_digits_or_vague(read, phrase, count):
    assert kinds_of(read(f"a room with {phrase}")) == {"chair": count}


def test_more_than_a_scene_holds_is_capped_and_said(read):
    graph = read("a hall with 5000 chairs")
    assert 10 <= len(graph.items) <= 120
    assert "5000" in graph.notes[0]


def test_color_material_size_and_other_adjectives_are_told_apart(read):
    item = one(read("a large round dark red leather armchair"), "armchair")
    assert (item.color, item.material, item.size, item.adjectives) == ("dark red", "leather", "large", ("round",))


def test_a_color_stated_after_the_verb_belongs_to_its_subject(read):
    assert one(read("There is a sofa. The sofa is green."), "sofa").color == "green"


def test_colors_listed_for_a_group_are_dealt_out_in_order(read):
    graph = read("a stack of three wooden boxes, colored red, green and blue")
    assert [i.color for i in graph.items] == ["red", "green", "blue"]


@pytest.mark.parametrize(
    "phrase", ["a 2 m tall bookshelf", "a bookshelf 2 metres high", "a 200 cm tall bookshelf", "a bookshelf of 2 m height"]
)
def test_heights_before_and_after_the_noun(read, phrase):
    assert one(read(f"a room with {phrase}"), "bookshelf").height_m == pytest.approx(2.0)


def test_feet_and_inches(read):
    assert one(read("a 6'6\" tall bookshelf"), "bookshelf").height_m == pytest.approx(6.5 * 0.3048)


@pytest.mark.parametrize("phrase", ["A room 4 by 5 metres", "a 4x5 m bedroom", "a bedroom of 4 m by 5 m", "a 4 x 5 meter room"])
def test_room_sizes(read, phrase):
    assert read(f"{phrase} with a bed").room_size_m == pytest.approx((4.0, 5.0))


def test_coordination_keeps_every_member(read):
    assert kinds_of(read("a sofa, a floor lamp and two chairs")) == {"sofa": 1, "floor lamp": 1, "chair": 2}


def test_a_lamp_on_each_nightstand_is_as_many_lamps(read):
    graph = read("a bed, two nightstands and a lamp on each nightstand")
    assert kinds_of(graph)["table lamp"] == 2
    assert {("lamp-1", "on_top", ("nightstand-1",)), ("lamp-2", "on_top", ("nightstand-2",))} <= facts(graph)


def test_every_table_has_distributes_down_to_the_flower(read):
    graph = read("A cafe with five tables. Every table has two chairs and a small vase with a flower.")
    assert kinds_of(graph) == {"table": 5, "chair": 10, "vase": 5, "flower": 5}
    assert {
        ("vase-3", "on_top", ("table-3",)),
        ("flower-5", "inside", ("vase-5",)),
        ("chair-4", "next_to", ("table-2",)),
    } <= facts(graph)


def test_either_side_makes_two_and_puts_the_middle_between(read):
    graph = read("a bed with a nightstand on either side")
    assert kinds_of(graph) == {"bed": 1, "nightstand": 2}
    assert ("bed-1", "between", ("nightstand-1", "nightstand-2")) in facts(graph)


@pytest.mark.parametrize(
    ("phrase", "predicate"),
    [
        ("next to", "next_to"), ("beside", "next_to"), ("near", "near"), ("in front of", "in_front_of"), ("behind", "behind"),
        ("to the left of", "left_of"), ("to the right of", "right_of"), ("facing", "facing"), ("opposite", "across"),
        ("far from", "far"), ("under", "under"), ("on", "on_top"),
    ],
)  # fmt: skip
def test_prepositions(read, phrase, predicate):
    assert facts(read(f"a box {phrase} a table")) == {("box-1", predicate, ("table-1",))}


@pytest.mark.parametrize(
    ("phrase", "predicate"),
    [
        ("a wardrobe in the corner", "in_corner"), ("a wardrobe against the back wall", "against_wall"),
        ("a mirror on the wall", "on_wall"), ("a chandelier hanging from the ceiling", "hanging_from_ceiling"),
        ("a table in the middle of the room", "center_of_room"), ("bookshelves along the walls", "against_wall"),
    ],
)  # fmt: skip
def test_relations_to_the_room(read, phrase, predicate):
    graph = read(f"a room with {phrase}")
    assert {p for _, p, _ in facts(graph)} == {predicate}


def test_above_is_the_lower_thing_under_the_upper(read):
    assert ("sink-1", "under", ("mirror-1",)) in facts(read("a mirror on the wall above the sink"))


def test_between_two_and_between_them(read):
    assert ("coffee-table-1", "between", ("sofa-1", "tv-1")) in facts(read("a coffee table between the sofa and the tv"))
    assert ("table-1", "between", ("chair-1", "chair-2")) in facts(read("two chairs and a table between them"))


def test_around_takes_all_as_one_group(read):
    (relation,) = [r for r in read("a table with four chairs around it").relations if r.predicate == "surrounded_by"]
    assert relation.subject == "table-1"
    assert relation.group == relation.objects == ("chair-1", "chair-2", "chair-3", "chair-4")


def test_a_circle_knows_its_center(read):
    (relation,) = read("five mushrooms in a circle around a log").relations
    assert (relation.predicate, relation.objects, len(relation.group)) == ("in_circle", ("log-1",), 5)


def test_rows_and_stacks(read):
    assert read("three lamps in a row").relations[0].predicate == "in_row"
    assert read("a stack of four crates").relations[0].group == tuple(f"crate-{i}" for i in (1, 2, 3, 4))


def test_only_the_lowest_of_a_stack_stands_on_the_table(read):
    assert [f for f in facts(read("a stack of three crates on a table")) if f[1] == "on_top"] == [
        ("crate-1", "on_top", ("table-1",))
    ]


def test_with_puts_small_things_on_furniture_and_seats_around_it(read):
    assert ("mug-1", "on_top", ("table-1",)) in facts(read("a table with a mug"))
    assert ("chair-1", "next_to", ("desk-1",)) in facts(read("a desk with a chair"))
    assert ("apple-1", "inside", ("bowl-1",)) in facts(read("a bowl of apples"))


def test_it_is_what_the_list_belongs_to(read):
    graph = read("a desk with a monitor, a keyboard and a mouse on it")
    assert {(k, "on_top", ("desk-1",)) for k in ("monitor-1", "keyboard-1", "mouse-1")} <= facts(graph)


def test_the_table_is_the_earlier_table_and_another_one_is_not(read):
    assert kinds_of(read("a table and a sofa. The table has a vase. A lamp is next to the table."))["table"] == 1
    assert kinds_of(read("a table by the sofa and another table by the window"))["table"] == 2


def test_the_red_one_of_two_is_chosen_by_its_color(read):
    graph = read("a red box and a blue box. A cat sits on the blue box.")
    assert ("cat-1", "on_top", ("box-2",)) in facts(graph)


@pytest.mark.parametrize(
    "text",
    [
        "a bedroom with no windows",
        "a bedroom without windows",
        "a bedroom. There are no windows.",
        "a bedroom. No window please.",
    ],
)
def test_negation_forbids_and_makes_nothing(read, text):
    graph = read(text)
    assert graph.items == ()
    assert "window" in graph.absent


def test_negation_reaches_over_or_and_nor_but_not_past_with(read):
    graph = read("a bedroom without a rug or a plant and with two chairs; neither a tv nor a computer")
    assert {"rug", "plant", "tv", "laptop"} <= set(graph.absent)
    assert kinds_of(graph) == {"chair": 2}


def test_a_broad_noun_forbids_all_its_kinds(read):
    assert {"floor lamp", "table lamp", "pendant lamp"} <= set(read("a bedroom without any lamps").absent)


def test_a_lamp_is_the_kind_that_fits_its_place(read):
    assert kinds_of(read("a lamp on a desk"))["table lamp"] == 1
    assert kinds_of(read("a room with a lamp hanging from the ceiling"))["pendant lamp"] == 1
    assert kinds_of(read("a sofa with a lamp next to it"))["floor lamp"] == 1


def test_a_near_kind_stands_in_under_the_name_that_was_asked(read):
    (item,) = read("a dresser").items
    assert (item.kind, item.noun) == ("cabinet", "dresser")
    assert item.labels == ()
    assert "dresser" in read("a dresser").notes[0]


def test_unknown_nouns_are_reported_as_written_and_nothing_else_is(read):
    graph = read(
        "Please make me a cozy, rustic living room with a Zorblax machine and a red sofa that sits quietly by the window"
    )
    assert graph.unrecognized == ("Zorblax machine",)
    assert kinds_of(graph) == {"sofa": 1, "window": 1}


def test_what_nothing_builds_still_takes_its_part_in_the_grammar(read):
    graph = read("a bench against the wall and a zorblax in the corner, with a mug on it")
    assert facts(graph) == {("bench-1", "against_wall", ())}


def test_a_picture_of_a_cat_is_no_cat(read):
    assert kinds_of(read("a painting of a cat")) == {"picture": 1}


@pytest.mark.parametrize(
    ("text", "family", "place"),
    [
        ("a cozy living room", "indoor", "living room"), ("A forest clearing with a tent", "outdoor", "forest clearing"),
        ("a bed and a wardrobe", "indoor", "bedroom"), ("a campfire and a tent", "outdoor", "forest clearing"),
        ("Cozy cabin, fireplace", "indoor", "cabin"), ("a cabin by a lake", "outdoor", "lakeside"),
        ("a mountain lake with a rowboat", "outdoor", "mountain lake"), ("a chair in a kitchen", "indoor", "kitchen"),
    ],
)  # fmt: skip
def test_place_and_family(read, text, family, place):
    graph = read(text)
    assert (graph.family, graph.place) == (family, place)


def test_a_cabin_outdoors_is_a_thing(read):
    assert kinds_of(read("a cabin by a lake")) == {"cabin": 1, "lake": 1}


@pytest.mark.parametrize(
    ("text", "time", "weather"),
    [
        ("a forest at night in the rain", "night", "rain"), ("a foggy meadow at dawn", "dawn", "fog"),
        ("a snowy village", None, "snow"),
        ("a bedroom with a night stand", None, None), ("golden hour on a beach", "sunset", None),
        ("a park without snow", None, None),
    ],
)  # fmt: skip
def test_time_and_weather(read, text, time, weather):
    graph = read(text)
    assert (graph.time, graph.weather) == (time, weather)


def test_implied_things_fill_the_room_without_repeating_or_contradicting(kinds):
    graph = parse("a bedroom with a wardrobe, without a rug", kinds)
    implied = Counter(i.kind for i in graph.items if i.provenance == "implied")
    assert implied["bed"] == 1
    assert implied["rug"] == implied["wardrobe"] == 0


def test_no_second_lamp_is_implied_beside_a_stated_one(kinds):
    graph = parse("a living room with a lamp", kinds)
    assert sum("lamp" in i.kind for i in graph.items) == 1


def test_parsing_is_deterministic(kinds):
    text = "a kitchen with a table, four chairs around it and a bowl of apples on the table"
    assert parse(text, kinds) == parse(text, kinds)


def test_a_shelf_above_something_hangs_on_the_wall() -> None:
    assert {i.noun: i.kind for i in parse("a study with a desk and a shelf above the desk").items}["shelf"] == "wall shelf"
    assert {i.noun: i.kind for i in parse("a study with a desk and a shelf").items}["shelf"] == "bookshelf"


def test_what_a_window_looks_out_on_is_not_the_place() -> None:
    assert parse("a reading chair next to a window with a view of the mountains").family == "indoor"


def test_a_stated_chandelier_leaves_no_pendant_lamp_to_be_invented() -> None:
    assert "pendant lamp" not in {i.kind for i in parse("a dining room with a table and a chandelier").items}
