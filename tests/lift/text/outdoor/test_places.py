"""Outdoor places: ground, sky, surroundings and the first view."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.arrange import arrange
from spatialwm.lift.text.assemble import sparser
from spatialwm.lift.text.graph import SceneGraph
from spatialwm.lift.text.kinds import KINDS
from spatialwm.lift.text.language import parse
from spatialwm.lift.text.lifter import build
from spatialwm.lift.text.model import Strands
from spatialwm.lift.text.places import surroundings
from spatialwm.lift.text.places.biomes import BIOMES, biome_of
from spatialwm.lift.text.places.cover import grass
from spatialwm.lift.text.places.mirror import mirror
from spatialwm.lift.text.places.outdoor import outdoor_place
from spatialwm.lift.text.places.place import Standing
from spatialwm.lift.text.places.sky import TIMES, sky_for
from spatialwm.lift.text.places.terrain import Terrain
from spatialwm.lift.text.places.vantage import outdoor_view
from spatialwm.lift.text.surface.splats import from_strands
from spatialwm.render.frame import render_scene
from spatialwm.scene import Scene, SceneObject

POND = Standing(
    id="pond-1",
    kind="lake",
    low=(-2.2, -0.8),
    high=(2.2, 2.8),
    extent=(4.4, 3.6),
    world_from_object=Pose((0.0, 1.0, 0.0)),
    material="water",
)


def graph(place: str = "meadow", time: str | None = None, weather: str | None = None) -> SceneGraph:
    return SceneGraph(prompt=place, family="outdoor", place=place, time=time, weather=weather)


@pytest.mark.parametrize("name", sorted(BIOMES))
def test_ground_is_level_where_things_stand_and_nowhere_torn(name: str) -> None:
    terrain = Terrain(biome=BIOMES[name], half_m=7.0, seed=3)
    g = np.linspace(-6.9, 6.9, 40)
    x, y = (a.ravel() for a in np.meshgrid(g, g))
    assert np.abs(terrain.height(x, y)).max() < 1e-9
    line = np.arange(-80, 80, 0.05)
    for heights in (terrain.height(line, 0 * line), terrain.height(0 * line + 3, line)):
        assert np.isfinite(heights).all()
        assert np.abs(np.diff(heights)).max() < 0.06


def test_a_lake_hollows_the_ground_and_grass_keeps_out_of_it() -> None:
    terrain = Terrain(biome=BIOMES["meadow"], half_m=7.0, seed=3, standing=(POND,))
    assert terrain.at(0.0, 1.0) < -0.8
    assert abs(terrain.at(0.0, -3.0)) < 1e-6
    blades = grass(terrain, (0.0, -3.0), 4000, np.random.default_rng(0))
    assert blades is not None
    assert terrain.lakes[0].reach(blades.roots[:, 0], blades.roots[:, 1]).min() > 0.9


def test_grass_spares_a_house() -> None:
    house = Standing(id="h", kind="house", low=(-3, -3), high=(3, 3), extent=(6, 6))
    blades = grass(
        Terrain(biome=BIOMES["meadow"], half_m=8.0, seed=0, standing=(house,)), (0.0, 0.0), 6000, np.random.default_rng(0)
    )
    assert blades is not None
    inside = (np.abs(blades.roots[:, :2]) < 2.6).all(1)
    assert inside.mean() < 0.01


@pytest.mark.parametrize("time", [*TIMES, "sunset", "midnight", None, "someday"])
@pytest.mark.parametrize("weather", [None, "fog", "snow", "rain", "overcast"])
def test_every_sky_shines_in_every_direction(time: str | None, weather: str | None) -> None:
    d = np.random.default_rng(0).normal(size=(300, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    sky = sky_for(time, weather)
    for light in (sky.radiance(d), sky.illumination(d), sky.gradient(d)):
        assert np.isfinite(light).all()
        assert (light > 0).all()


def test_fog_hides_the_distance_and_not_the_foreground() -> None:
    eye, black = np.array([0.0, 0.0, 1.6]), np.zeros((2, 3))
    near, far = sky_for("day", "fog").fogged(np.array([[0, 3.0, 1.0], [0, 150.0, 1.0]]), black, eye).mean(1)
    assert near < 0.01
    assert far > 0.25


@pytest.mark.parametrize("time", ["day", "dawn", "night"])
def test_the_dome_leaves_no_hole_above_the_horizon(time: str) -> None:
    pieces = surroundings.dome(sky_for(time, None), 3200)
    parts = [from_strands(s) for s in pieces.strands[:1]]
    from spatialwm.geometry.se3 import matrix_to_quat

    s = parts[0]
    quats = matrix_to_quat(torch.from_numpy(np.ascontiguousarray(s.axes)))
    g = Gaussians.from_numpy(s.means, quats.numpy(), s.scales, s.opacity, rgb=np.clip(s.emission, 0, 1))
    scene = Scene(objects=(SceneObject(id="sky", category="sky", gaussians=g, role="backdrop", mobility="static"),))
    for turn in range(0, 360, 60):
        for pitch in (0.42, 1.2):
            a = math.radians(turn)
            target = (math.cos(a), math.sin(a), 1.6 + math.tan(pitch))
            frame = render_scene(scene, Camera.look_at((0.0, 0.0, 1.6), target, 160, 90, 66.0))
            assert frame.alpha.min() > 0.95, (turn, pitch)


def test_biomes_follow_the_words() -> None:
    assert biome_of(graph("beach")).sea
    assert biome_of(graph("desert")).ground.pattern == "sand"
    assert biome_of(graph("meadow", weather="snow")).snow == 1.0
    assert biome_of(graph("somewhere never heard of")).grass > 0


@pytest.mark.parametrize("place", ["forest clearing", "beach", "street", "desert"])
def test_a_place_dresses_the_same_way_twice_and_stays_finite(place: str) -> None:
    one, other = (outdoor_place(graph(place), dict(KINDS), 5, "draft") for _ in range(2))
    assert one.dress is not None
    assert other.dress is not None
    first, second = one.dress((POND,)), other.dress((POND,))
    assert [p.id for p in first] == [p.id for p in second]
    assert {"ground", "sky"} <= {p.id for p in first}
    for a, b in zip(first, second, strict=True):
        for u, v in zip(a.strands, b.strands, strict=True):
            assert np.array_equal(u.roots, v.roots)
            assert np.isfinite(u.roots).all()
            assert np.isfinite(u.albedo).all()
        for u, v in zip(a.parts, b.parts, strict=True):
            assert np.array_equal(u.solid.vertices, v.solid.vertices)


def test_the_ground_carries_physics() -> None:
    place = outdoor_place(graph(), dict(KINDS), 0, "draft")
    assert place.dress is not None
    ground = next(p for p in place.dress(()) if p.id == "ground")
    assert ground.role == "structure"
    assert ground.colliders[0].bounds()[1][2] == 0.0
    assert ground.colliders[0].bounds()[1][0] >= place.shell.high[0]


def test_a_mirror_image_lies_below_the_water_and_keeps_its_distance() -> None:
    n = 400
    rng = np.random.default_rng(0)
    means = np.column_stack([rng.uniform(-20, 20, n), rng.uniform(6, 70, n), rng.uniform(0.5, 12, n)])
    world = Gaussians.from_numpy(
        means, np.tile([1.0, 0, 0, 0], (n, 1)), np.full((n, 3), 0.3), np.full(n, 0.9), rgb=np.full((n, 3), 0.5)
    )
    lakes = Terrain(biome=BIOMES["meadow"], half_m=7.0, seed=0, standing=(POND,)).lakes
    overlays = mirror(world, lakes, np.array([[0.0, -5.0, 1.6]]), 1.0, 0)
    image = overlays[0].gaussians.means
    assert len(image) > 5
    assert image[:, 2].max() < 0
    assert image[:, 2].min() > -13


def test_the_first_view_shows_what_was_asked_for() -> None:
    bounds = np.array([[[-2.0, 1.0, 0.0], [-1.0, 2.0, 1.0]], [[2.0, 0.0, 0.0], [3.0, 1.0, 2.0]]])
    camera = outdoor_view(7.0, bounds)
    K, view = camera.K().numpy(), camera.viewmat().numpy()
    for box in bounds:
        p = view[:3, :3] @ box.mean(0) + view[:3, 3]
        u, v = (K @ p)[:2] / p[2]
        assert p[2] > 0.5
        assert 0 < u < camera.width
        assert 0 < v < camera.height


def test_a_first_view_shows_fronts_and_whole_trees() -> None:
    tree = np.array([[[-4.0, 1.0, 0.0], [4.0, 9.0, 9.0]]])
    camera = outdoor_view(10.0, tree, crowns=np.array([True]))
    K, view = camera.K().numpy(), camera.viewmat().numpy()
    for z in (0.0, 8.2):
        p = view[:3, :3] @ np.array([0.0, 5.0, z]) + view[:3, 3]
        assert 0 < ((K @ p)[:2] / p[2])[1] < camera.height
    hut = np.array([[[-1.0, -1.0, 0.0], [1.0, 1.0, 2.0]]])
    for x, y in ((0.0, -1.0), (0.9, 0.44), (-0.9, 0.44)):
        eye = np.array(outdoor_view(10.0, hut, fronts=np.array([[x, y]])).eye)[:2]
        assert float(eye @ (x, y)) > 0


def test_the_level_square_is_level() -> None:
    land = Terrain(biome=BIOMES["forest"], half_m=7.0, seed=3)
    inside = np.random.default_rng(0).uniform(-7, 7, (50, 2))
    assert np.allclose(land.height(*inside.T), 0.0)
    assert land.at(12.0, 3.0) == pytest.approx(float(land.height(np.array([12.0]), np.array([3.0]))[0]))
    assert land.at(12.0, 3.0) != 0.0


@pytest.mark.parametrize(
    ("sentence", "place", "never"),
    [
        ("a park bench under a big oak tree", "park", {"pine tree"}),
        ("a snowy mountain meadow with a red tent and a snowman", None, {"flower", "bush", "oak tree"}),
    ],
)
def test_what_fills_a_place_belongs_there(sentence: str, place: str | None, never: set[str]) -> None:
    understood = parse(sentence)
    assert place in (None, understood.place)
    assert not {i.kind for i in understood.items} & never


def test_what_stands_under_a_tree_stands_beside_its_trunk() -> None:
    understood = parse("a park bench under a big oak tree")
    models = {i.key: build(i) for i in understood.items}
    land = outdoor_place(understood, KINDS, 0, "draft")
    poses = arrange(understood, models, land.shell, np.random.default_rng(0), kinds=KINDS).poses
    stated = {i.kind: i.key for i in understood.items if i.provenance == "stated"}
    bench, oak = stated["bench"], stated["oak tree"]
    away = np.subtract(poses[bench].position, poses[oak].position)
    assert 0.6 < float(np.hypot(*away[:2])) < 5.0


def test_thinned_strands_cover_as_much() -> None:
    rng = np.random.default_rng(0)
    n = 4000
    roots = rng.normal(size=(n, 3))
    blades = Strands(
        roots=roots,
        tips=roots + (0.0, 0.0, 0.2),
        width_m=np.full(n, 0.01),
        albedo=np.full((n, 3), 0.5),
        normals=np.tile([0.0, 0.0, 1.0], (n, 1)),
    )
    fewer = sparser(blades, 0.3, rng)

    def area(s: Strands) -> float:
        return float((s.width_m * np.linalg.norm(s.tips - s.roots, axis=1)).sum())

    assert len(fewer.roots) == 1200
    assert 0.85 < area(fewer) / area(blades) < 1.1
