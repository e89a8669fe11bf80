"""Outdoor kinds build what their catalogue entry promises."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds import KINDS, camp, plants, registry, rocks, shelter, trees, vehicles, waterside, yard
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.language import parse
from spatialwm.lift.text.model import Model, Surfels

OUTDOOR = [k for m in (camp, plants, rocks, shelter, trees, vehicles, waterside, yard) for k in m.KINDS]


def built(kind: Kind, **wishes: object) -> Model:
    return kind.build(Item(key="it-1", kind=kind.name, noun=kind.name, **wishes), np.random.default_rng(0))  # pyright: ignore[reportArgumentType]


def named(name: str) -> Kind:
    return next(k for k in OUTDOOR if k.name == name)


def solid_height(model: Model) -> float:
    tops = [p.solid.vertices[:, 2].max() for p in model.parts] + [s.tips[:, 2].max() for s in model.strands if s.emission is None]
    return float(max(tops))


@pytest.mark.parametrize("kind", OUTDOOR, ids=lambda k: k.name)
def test_kind_has_about_its_usual_size_and_stands_on_the_ground(kind: Kind) -> None:
    low, high = built(kind).bounds()
    width, depth, _ = kind.size_m
    assert 0.5 * max(width, depth) < max(high[:2] - low[:2]) < 1.9 * max(width, depth)
    assert solid_height(built(kind)) < 1.5 * kind.size_m[2] + 0.12
    assert -0.2 < low[2] < 0.06


@pytest.mark.parametrize("kind", OUTDOOR, ids=lambda k: k.name)
def test_everything_built_is_finite_and_materials_answer_physical_colors(kind: Kind) -> None:
    model = built(kind)
    for part in model.parts:
        s = part.solid
        assert np.isfinite(s.vertices).all()
        assert s.faces.max() < len(s.vertices)
        pick = s.faces[:: max(1, len(s.faces) // 50), 0]
        look = part.material(Surfels(s.texture[pick], s.vertices[pick], np.tile([0.0, 0.0, 1.0], (len(pick), 1))))
        assert np.isfinite(look.albedo).all()
        assert look.albedo.min() >= 0
        assert look.albedo.max() <= 1.3
    for strands in model.strands:
        assert np.isfinite(strands.roots).all()
        assert np.isfinite(strands.tips).all()
        assert (strands.width_m > 0).all()
        assert np.linalg.norm(strands.normals, axis=1) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("name", ["pine tree", "oak tree", "campfire", "flower", "path"])
def test_the_same_seed_builds_the_same_thing(name: str) -> None:
    one, other = built(named(name)), built(named(name))
    for a, b in zip(one.parts, other.parts, strict=True):
        assert np.array_equal(a.solid.vertices, b.solid.vertices)
    for a, b in zip(one.strands, other.strands, strict=True):
        assert np.array_equal(a.roots, b.roots)


@pytest.mark.parametrize("name", ["snowman", "pine tree", "cactus", "log cabin", "bench"])
def test_a_stated_height_is_honored(name: str) -> None:
    kind = named(name)
    usual, tall = solid_height(built(kind, height_m=kind.size_m[2])), solid_height(built(kind, height_m=2 * kind.size_m[2]))
    assert tall == pytest.approx(2 * usual, rel=0.12)


def test_large_is_larger_and_small_is_smaller() -> None:
    large, usual, small = (np.ptp(built(named("barrel"), size=s).bounds(), axis=0).max() for s in ("large", None, "small"))
    assert large > 1.1 * usual
    assert small < 0.9 * usual


def test_a_stated_color_reaches_the_material() -> None:
    cloth = next(p for p in built(named("tent"), color="blue").parts if p.name == "cloth")
    points = cloth.solid.vertices[:50]
    albedo = cloth.material(Surfels(points, points, np.tile([0.0, 0.0, 1.0], (50, 1)))).albedo.mean(0)
    assert albedo[2] > 2 * albedo[0]


def test_a_word_that_is_no_color_is_not_an_error() -> None:
    assert built(named("tent"), color="red and white").parts


def test_fire_and_lamps_give_light() -> None:
    for name in ("campfire", "lantern", "torch", "street lamp", "log cabin"):
        assert built(named(name)).emitters, name


def test_what_hides_the_sky_throws_shade_without_being_drawn() -> None:
    for name in ("pine tree", "oak tree", "palm tree", "bush"):
        shade = [p for p in built(named(name)).parts if p.opacity == 0]
        assert len(shade) == 1, name
        assert shade[0].casts_shadow


def test_roofs_and_hulls_face_outward() -> None:
    def mean_normal(model: Model, part: str) -> np.ndarray:
        s = next(p for p in model.parts if p.name == part).solid
        a, b, c = (s.vertices[s.faces[:, k]] for k in range(3))
        return np.cross(b - a, c - a).mean(0)

    assert mean_normal(built(named("log cabin")), "roof")[2] > 0
    assert mean_normal(built(named("boat")), "hull")[2] < 0
    assert mean_normal(built(named("boat")), "inside")[2] > 0
    assert mean_normal(built(named("lake")), "water")[2] > 0


def _plain(name: str, **more: object) -> Kind:
    return Kind(name=name, build=KINDS["bench"].build, size_m=(1.0, 1.0, 1.0), **more)  # pyright: ignore[reportArgumentType]


def test_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two kinds are named 'bench'"):
        registry([_plain("bench"), _plain("bench")])


def test_a_synonym_that_means_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'park bench' is a synonym"):
        registry([_plain("bench", synonyms=("park bench",)), _plain("pew", synonyms=("park bench",))])
    with pytest.raises(ValueError, match="'bench' is a synonym"):
        registry([_plain("pew", synonyms=("bench",)), _plain("bench")])


def test_a_stand_in_for_rooms_must_exist() -> None:
    with pytest.raises(ValueError, match="no kind"):
        registry([_plain("flower", indoors="bouquet")])


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("a living room with roses on a table", "bouquet"),
        ("a garden with roses", "flower"),
        ("an office desk with a cactus on it", "potted cactus"),
        ("a desert with a cactus", "cactus"),
    ],
)
def test_a_noun_means_what_grows_there_or_what_stands_in_a_room(sentence: str, kind: str) -> None:
    assert kind in {i.kind for i in parse(sentence).items if i.provenance == "stated"}
