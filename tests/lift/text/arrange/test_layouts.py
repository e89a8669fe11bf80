"""What any layout must keep, and what sentences get from it. Geometry is judged on boxes, never on the solver's own word."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from spatialwm.lift.text.arrange import arrange, choose_room
from spatialwm.lift.text.language import parse
from spatialwm.lift.text.places.shell import Opening, Shell

INDOOR = [
    "A red leather sofa in a living room with a floor lamp next to it.",
    "Small kitchen: white fridge against the wall, a wooden table with four chairs around it, a bowl on the table.",
    "bedroom with a double bed, two nightstands on either side, and a lamp on each nightstand",
    "a desk with a monitor, keyboard and mouse on it and a chair in front of the desk",
    "a bathroom with a bathtub, a toilet in the corner and a mirror on the wall above the sink",
    "A room 4 by 5 metres with a 2 m tall bookshelf against the wall and a green armchair facing it",
    "TV on a low cabinet opposite a grey couch, coffee table between them",
    "A cafe with five round tables. Every table has two chairs and a small vase with a flower.",
    "a living room with a table in the middle of the room, a chandelier hanging from the ceiling and a cat on the rug",
    "a table with three red boxes in a row and a blue bowl to the left of them",
    "a storeroom with a stack of four crates next to a barrel, three boxes behind the barrel",
    "a wardrobe, a bed, a desk, a cabinet, a bookshelf and a large plant in a small bedroom",
]
OUTDOOR = [
    "A forest clearing with a campfire, a tent and three logs around the fire",
    "five cabins in a circle around a well, a barrel next to the well",
    "a lake with a boat and a bench facing the lake",
    "A cabin by a lake with a boat and a campfire",
    "five mushrooms in a circle around a log, a dog next to the log",
]


def shell_of(graph, models, kinds) -> Shell:
    if graph.family == "indoor":
        width, length, height = choose_room(graph, models, kinds)
        door = Opening(kind="door", wall="south", along=(width / 2 - 1.4, width / 2 - 0.5), z=(0.0, 2.05), clear_m=0.9)
        window = Opening(kind="window", wall="west", along=(-0.6, 0.6), z=(0.9, 2.1))
        return Shell(
            low=(-width / 2, -length / 2), high=(width / 2, length / 2), ceiling_m=height, ground_height=lambda x, y: 0.0,
            openings=(door, window), entry=(0.0, -length / 2 + 0.4),
        )  # fmt: skip
    return Shell(
        low=(-11, -11),
        high=(11, 11),
        ceiling_m=None,
        ground_height=lambda x, y: 0.3 * math.sin(0.2 * x) + 0.05 * y,
        entry=(0, -10),
    )


class Scene:
    """An arranged sentence, as world boxes."""

    def __init__(self, text: str, kinds, seed: int = 0) -> None:
        self.graph = parse(text, kinds)
        rng = np.random.default_rng(seed)
        self.models = {i.key: kinds[i.kind].build(i, rng) for i in self.graph.items}
        self.shell = shell_of(self.graph, self.models, kinds)
        start = time.process_time()
        self.result = arrange(self.graph, self.models, self.shell, rng, kinds=kinds)
        self.seconds = time.process_time() - start
        self.kind = {i.key: i.kind for i in self.graph.items}
        self.lo, self.hi, self.front = {}, {}, {}
        for key, pose in self.result.poses.items():
            lo, hi = self.models[key].bounds()
            corners = pose.apply(np.array([(x, y, z) for x in (lo[0], hi[0]) for y in (lo[1], hi[1]) for z in (lo[2], hi[2])]))
            self.lo[key], self.hi[key] = corners.min(0), corners.max(0)
            self.front[key] = pose.rotate(np.array([0.0, -1.0, 0.0]))[:2]

    def center(self, key: str) -> np.ndarray:
        return (self.lo[key] + self.hi[key]) / 2

    def gap(self, a: str, b: str, dims: int = 3) -> float:
        d = np.maximum(0, np.maximum(self.lo[a] - self.hi[b], self.lo[b] - self.hi[a]))[:dims]
        return float(np.linalg.norm(d))

    def supports(self, key: str) -> set[str]:
        out: set[str] = set()
        while (key := self.result.supported_by.get(key) or "") in self.lo:
            out.add(key)
        return out

    def wall_gap(self, key: str) -> float:
        low, high = np.array(self.shell.low), np.array(self.shell.high)
        return float(min((self.lo[key][:2] - low).min(), (high - self.hi[key][:2]).min()))


@pytest.fixture(scope="module")
def scenes(kinds):
    return {text: Scene(text, kinds) for text in (*INDOOR, *OUTDOOR)}


@pytest.mark.parametrize("text", INDOOR + OUTDOOR)
def test_nothing_is_left_out_and_every_stated_wish_is_met(scenes, text):
    scene = scenes[text]
    assert scene.result.unmet == ()
    assert set(scene.result.poses) == set(scene.models)


@pytest.mark.parametrize("text", INDOOR + OUTDOOR)
def test_no_two_things_share_more_than_two_centimetres(scenes, text):
    scene = scenes[text]
    flat, crowns = {"rug", "path", "lake"}, {"pine tree", "oak tree"}
    keys = [k for k in scene.lo if scene.kind[k] not in flat | crowns]
    for i, a in enumerate(keys):
        for b in keys[:i]:
            if a in scene.supports(b) or b in scene.supports(a):
                continue
            shared = np.minimum(scene.hi[a], scene.hi[b]) - np.maximum(scene.lo[a], scene.lo[b])
            assert shared.min() <= 0.02, (a, b)


@pytest.mark.parametrize("text", INDOOR)
def test_everything_is_inside_and_the_door_is_free(scenes, text):
    scene = scenes[text]
    low, high = np.array([*scene.shell.low, 0.0]), np.array([*scene.shell.high, scene.shell.ceiling_m])
    (door_low, door_high) = scene.shell.clear_strips()[0]
    for key in scene.lo:
        assert np.all(scene.lo[key] >= low - 0.02), key
        assert np.all(scene.hi[key] <= high + 0.02), key
        blocks = np.all(scene.hi[key][:2] > np.array(door_low) + 0.03) and np.all(scene.lo[key][:2] < np.array(door_high) - 0.03)
        assert not blocks or scene.kind[key] == "rug" or scene.lo[key][2] > 1.0, key


@pytest.mark.parametrize("text", INDOOR)
def test_everything_rests_on_something(scenes, text):
    scene = scenes[text]
    for key, support in scene.result.supported_by.items():
        if support == "floor":
            assert scene.lo[key][2] == pytest.approx(0, abs=0.005), key
        elif support == "wall":
            assert scene.wall_gap(key) < 0.05, key
        elif support == "ceiling":
            assert scene.hi[key][2] == pytest.approx(scene.shell.ceiling_m, abs=0.01), key
        else:
            assert scene.lo[support][2] <= scene.lo[key][2] <= scene.hi[support][2] + 0.02, key
            assert scene.gap(key, support, 2) == 0, key


@pytest.mark.parametrize("text", OUTDOOR)
def test_outdoors_things_stand_on_the_slope(scenes, text):
    scene = scenes[text]
    for key, support in scene.result.supported_by.items():
        x, y, _ = scene.result.poses[key].position
        if support == "floor":
            assert scene.lo[key][2] <= scene.shell.ground_height(x, y) + 0.01, key


def test_chairs_stand_around_the_table_and_look_at_it(scenes):
    scene = scenes[INDOOR[1]]
    angles = []
    for i in range(1, 5):
        d = (scene.center("table-1") - scene.center(f"chair-{i}"))[:2]
        angles.append(math.atan2(*-d[::-1]))
        assert float(scene.front[f"chair-{i}"] @ d) > 0
        assert scene.gap("table-1", f"chair-{i}") < 0.2
    angles = np.sort(angles)
    assert max(np.diff([*angles, angles[0] + 2 * math.pi])) <= math.radians(150)


def test_the_bed_has_its_head_at_a_wall_and_a_nightstand_at_each_side(scenes):
    scene = scenes[INDOOR[2]]
    assert scene.wall_gap("double-bed-1") < 0.1
    left, right = scene.center("nightstand-1")[:2], scene.center("nightstand-2")[:2]
    middle = (left + right) / 2
    assert np.linalg.norm(middle - scene.center("double-bed-1")[:2]) < 1.0
    assert abs(scene.gap("double-bed-1", "nightstand-1") - scene.gap("double-bed-1", "nightstand-2")) < 0.02


def test_the_desk_is_used_from_its_chair(scenes):
    scene = scenes[INDOOR[3]]
    toward = (scene.center("desk-1") - scene.center("chair-1"))[:2]
    assert float(scene.front["chair-1"] @ toward) > 0.9 * np.linalg.norm(toward)
    assert scene.wall_gap("desk-1") < 0.1
    back_to_front = scene.front["desk-1"]
    assert float((scene.center("keyboard-1") - scene.center("monitor-1"))[:2] @ back_to_front) > 0.05


def test_the_sofa_looks_into_the_room_over_its_coffee_table(kinds):
    scene = Scene("a living room with a sofa and a coffee table", kinds)
    ahead = (scene.center("coffee-table-1") - scene.center("sofa-1"))[:2]
    assert scene.wall_gap("sofa-1") < 0.1
    assert float(ahead @ scene.front["sofa-1"]) > 0.95 * np.linalg.norm(ahead)
    assert 0.2 < scene.gap("sofa-1", "coffee-table-1") < 0.6
    assert np.linalg.norm((scene.center("rug-1") - scene.center("coffee-table-1"))[:2]) < 0.3


def test_the_mirror_hangs_above_the_sink(scenes):
    scene = scenes[INDOOR[4]]
    assert scene.lo["mirror-1"][2] >= scene.hi["sink-1"][2]
    assert scene.gap("mirror-1", "sink-1", 2) < 0.05


def test_left_is_left_as_the_visitor_sees_it(scenes):
    scene = scenes[INDOOR[9]]
    assert scene.hi["bowl-1"][0] <= min(scene.lo[f"box-{i}"][0] for i in (1, 2, 3)) + 0.02


def test_a_stack_is_a_chain_of_supports(scenes):
    scene = scenes[INDOOR[10]]
    for i in (2, 3, 4):
        assert scene.result.supported_by[f"crate-{i}"] == f"crate-{i - 1}"
        assert scene.lo[f"crate-{i}"][2] == pytest.approx(scene.hi[f"crate-{i - 1}"][2], abs=0.005)


def test_trees_leave_the_view_to_the_fire_open(scenes):
    scene = scenes[OUTDOOR[0]]
    entry, fire = np.array(scene.shell.entry), scene.center("campfire-1")[:2]
    for key in (k for k in scene.lo if scene.kind[k] == "pine tree"):
        for t in np.linspace(0.05, 1, 20):
            assert np.linalg.norm(entry + t * (fire - entry) - scene.center(key)[:2]) > 0.8, key


def test_nothing_but_the_boat_is_in_the_water(scenes):
    scene = scenes[OUTDOOR[3]]
    assert scene.result.supported_by["boat-1"] == "lake-1"
    for key in (k for k in scene.lo if scene.kind[k] in ("cabin", "campfire", "rock", "bush")):
        shared = np.minimum(scene.hi[key], scene.hi["lake-1"]) - np.maximum(scene.lo[key], scene.lo["lake-1"])
        assert shared[:2].min() <= 0.02, key


def test_one_seed_is_one_layout_and_another_seed_another(kinds):
    a, b, c = (Scene(INDOOR[11], kinds, seed) for seed in (3, 3, 4))
    assert a.result == b.result
    assert a.result != c.result


def test_thirty_things_take_little_time(kinds):
    scene = Scene(
        "a cafe with six tables. Every table has three chairs and a vase. A sofa next to a bookshelf and a plant in the corner.",
        kinds,
    )
    assert len(scene.graph.items) >= 30
    assert scene.seconds < 3  # half that on an idle machine


def test_the_impossible_is_said_in_a_sentence_and_breaks_nothing(kinds):
    scene = Scene("a room 3 by 3 metres with a bed far from a wardrobe", kinds)
    assert any("far from the wardrobe" in s for s in scene.result.unmet)
    assert {"bed-1", "wardrobe-1"} <= set(scene.result.poses)


def test_what_finds_no_room_is_left_out_and_said(kinds):
    scene = Scene("a room 2 by 2 metres with two sofas and a bed", kinds)
    missing = {i.key for i in scene.graph.items if i.provenance == "stated"} - set(scene.result.poses)
    assert missing
    assert all(any(k in s for s in scene.result.unmet) for k in missing)


def test_stated_room_sizes_win_and_others_grow_with_their_furniture(kinds):
    def room(text: str):
        graph = parse(text, kinds, implied=False)
        rng = np.random.default_rng(0)
        return choose_room(graph, {i.key: kinds[i.kind].build(i, rng) for i in graph.items}, kinds)

    assert room("a bedroom of 3 by 4 metres with a bed")[:2] == (3.0, 4.0)
    small, large = room("a cafe with a table"), room("a cafe with twelve tables, each with four chairs")
    assert large[0] * large[1] > 1.5 * small[0] * small[1]
