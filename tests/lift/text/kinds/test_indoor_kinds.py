"""Every kind builds something finite of the declared size that stands on its origin and honours what was asked."""

import numpy as np
import pytest

from spatialwm.lift.text.graph import Item
from spatialwm.lift.text.kinds import (
    KINDS,
    animals,
    appliances,
    beds,
    decor,
    houseplants,
    lamps,
    seating,
    storage,
    tables,
    tableware,
    tech,
    toys,
)
from spatialwm.lift.text.kinds.kind import Kind
from spatialwm.lift.text.model import Model, Surfels
from spatialwm.lift.text.surface.exact import convex_pieces

FAMILIES = (seating, tables, beds, storage, lamps, decor, houseplants, tableware, tech, appliances, toys, animals)
INDOOR = sorted({k.name for f in FAMILIES for k in f.KINDS if KINDS[k.name] is k})


def build(name: str, seed: int = 0, **wishes) -> Model:
    return KINDS[name].build(
        Item(key=f"{name}-1", kind=name, noun=wishes.pop("noun", name), **wishes), np.random.default_rng(seed)
    )


def size(model: Model) -> np.ndarray:
    low, high = model.bounds()
    return high - low


def test_there_are_more_than_thirty_indoor_kinds_and_no_name_means_two() -> None:
    assert len(INDOOR) > 60
    for kind in KINDS.values():
        assert kind.name not in kind.synonyms


@pytest.mark.parametrize("name", INDOOR)
def test_a_kind_has_its_declared_size_and_stands_on_its_origin(name: str) -> None:
    kind: Kind = KINDS[name]
    model = build(name)
    low, high = model.bounds()
    assert np.isfinite([low, high]).all()
    assert abs(low[2]) < 0.015, "the underside is at z = 0"
    middle = (low[:2] + high[:2]) / 2
    assert np.abs(middle).max() < 0.12 * max(kind.size_m[:2]) + 0.03, "the origin is below the middle"
    ratio = size(model) / kind.size_m
    assert 0.82 < ratio[2] < 1.18
    assert 0.6 < ratio[:2].max() < 1.4


@pytest.mark.parametrize("name", INDOOR)
def test_parts_are_sound_and_their_materials_finite(name: str) -> None:
    model = build(name)
    assert model.mass_kg > 0
    assert model.kind == name
    for p in model.parts:
        v, f = p.solid.vertices, p.solid.faces
        assert len(f)
        assert f.min() >= 0
        assert f.max() < len(v)
        assert np.isfinite(v).all()
        assert p.solid.texture.shape == v.shape
        seen = p.material(Surfels(p.solid.texture[:300], v[:300], np.tile([0.0, 0, 1], (len(v[:300]), 1))))
        assert np.isfinite(seen.albedo).all()
        assert seen.albedo.min() >= 0
        assert seen.albedo.max() <= 1
    assert 1 <= len(convex_pieces(model.parts)) <= 24


@pytest.mark.parametrize("name", INDOOR)
def test_the_same_seed_builds_the_same_thing(name: str) -> None:
    a, b = build(name, 3), build(name, 3)
    assert all(np.array_equal(p.solid.vertices, q.solid.vertices) for p, q in zip(a.parts, b.parts, strict=True))


@pytest.mark.parametrize("name", [n for n in INDOOR if n not in ("tv", "monitor", "ball")])
def test_large_is_larger_and_small_is_smaller(name: str) -> None:
    usual, large, small = (float(np.prod(size(build(name, size=s)))) for s in (None, "large", "small"))
    assert large > 1.3 * usual
    assert small < 0.8 * usual


@pytest.mark.parametrize(("name", "metres"), [("sofa", 3.0), ("table", 2.4), ("bookshelf", 1.5), ("rug", 4.0)])
def test_a_stated_length_is_exact(name: str, metres: float) -> None:
    assert size(build(name, length_m=metres))[:2].max() == pytest.approx(metres, rel=0.06)


@pytest.mark.parametrize("name", ["floor lamp", "plant", "wardrobe", "vase", "chair"])
def test_a_stated_height_is_exact(name: str) -> None:
    usual = KINDS[name].size_m[2]
    assert size(build(name, height_m=1.3 * usual))[2] == pytest.approx(1.3 * usual, rel=0.04)


@pytest.mark.parametrize(
    "name", ["sofa", "armchair", "chair", "table", "bookshelf", "mug", "vase", "rug", "ball", "cat", "pillow", "fridge"]
)
def test_a_stated_color_is_reported_and_seen(name: str) -> None:
    model = build(name, color="blue")
    assert model.color == "blue"
    total, weight = np.zeros(3), 0.0
    for p in model.parts:
        v, f = p.solid.vertices, p.solid.faces
        area = float(np.linalg.norm(np.cross(v[f[:, 1]] - v[f[:, 0]], v[f[:, 2]] - v[f[:, 0]]), axis=1).sum())
        pick = np.random.default_rng(0).permutation(len(v))[:400]
        total += area * p.material(Surfels(p.solid.texture[pick], v[pick], np.tile([0.0, 0, 1], (len(pick), 1)))).albedo.mean(0)
        weight += area
    red, _, blue = total / weight
    assert blue > (1.15 if name in ("rug", "bookshelf") else 1.5) * red or name == "rug"


def test_the_color_of_a_bed_is_its_bedding_and_the_material_its_frame() -> None:
    model = build("bed", color="blue", material="metal")
    duvet = next(p for p in model.parts if p.name == "duvet")
    albedo = duvet.material(Surfels(duvet.solid.texture, duvet.solid.vertices, duvet.solid.vertices)).albedo.mean(0)
    assert albedo[2] > 2 * albedo[0]
    assert model.material == "metal"


def test_a_round_table_is_round_and_a_square_one_is_not() -> None:
    w, d, _ = size(build("table", adjectives=("round",)))
    assert w == pytest.approx(d, rel=0.02)


def test_surfaces_lie_on_top_of_what_they_belong_to() -> None:
    for name in INDOOR:
        model = build(name)
        low, high = model.bounds()
        for s in model.surfaces:
            assert -0.01 <= s.z <= high[2] + 0.03, name
            assert s.low[0] < s.high[0], name
            assert s.low[1] < s.high[1], name
            assert (np.array(s.low) >= low[:2] - 0.01).all(), name
            assert (np.array(s.high) <= high[:2] + 0.01).all(), name


def test_lamps_carry_light() -> None:
    for kind in lamps.KINDS:
        if KINDS[kind.name] is kind:
            assert build(kind.name).emitters, kind.name


def test_a_bookshelf_holds_books_unless_it_is_empty() -> None:
    assert any(p.name == "books" for p in build("bookshelf").parts)
    bare = build("bookshelf", adjectives=("empty",))
    assert not any(p.name == "books" for p in bare.parts)
    assert len(bare.surfaces) > 3
