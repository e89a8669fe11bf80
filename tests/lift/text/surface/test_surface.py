"""Solids are closed and face outward; materials say the colour they were asked for; Gaussians cover."""

import math

import numpy as np
import pytest
import torch
import trimesh

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.color import linear_to_srgb, parse_color
from spatialwm.geometry.se3 import Pose, matrix_to_quat
from spatialwm.lift.text.model import Part, Surfels
from spatialwm.lift.text.surface import materials as m
from spatialwm.lift.text.surface import solids as s
from spatialwm.lift.text.surface.exact import colored_mesh, convex_pieces, hull
from spatialwm.lift.text.surface.finish import MATERIAL_WORDS, finish
from spatialwm.lift.text.surface.noise import fbm, worley
from spatialwm.lift.text.surface.sampling import sample
from spatialwm.render import render_scene
from spatialwm.scene import Scene, SceneObject

CLOSED = {
    "box": (s.box(1, 2, 3, 0.05), 6.0),
    "sharp box": (s.box(1, 2, 3, 0), 6.0),
    "cylinder": (s.cylinder(0.5, 1.0), np.pi / 4),
    "rod": (s.rod((0, 0, 0), (0, 0, 2), 0.1), np.pi * 0.02),
    "ring": (s.ring(1.0, 0.1), 2 * np.pi**2 * 0.01),
    "sphere": (s.sphere(1.0, 3), 4 / 3 * np.pi),
    "prism": (s.extrude(s.rounded_rectangle(0.5, 0.4, 0.1), 1.0, 0.02), 0.8),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_solids_face_outward_and_enclose_their_volume(name: str) -> None:
    made, volume = CLOSED[name]
    assert trimesh.Trimesh(made.vertices, made.faces, process=False).volume == pytest.approx(volume, rel=0.1)


def test_turning_a_solid_leaves_its_texture_behind() -> None:
    made = s.box(1, 2, 3)
    turned = made.turned(90).moved(5, 0, 0)
    assert np.array_equal(turned.texture, made.texture)
    assert np.ptp(turned.vertices[:, 0]) == pytest.approx(2)


def test_noise_is_the_same_for_the_same_points_on_any_number_of_threads() -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 3))
    assert np.array_equal(fbm(points, 3.0, 4, 1), np.concatenate([fbm(points[:7], 3.0, 4, 1), fbm(points[7:], 3.0, 4, 1)]))
    near, second, _ = worley(points, 2.0)
    assert (near <= second).all()
    assert abs(float(fbm(points, 3.0).mean())) < 0.05


def _mean_color(material) -> np.ndarray:
    points = np.random.default_rng(1).uniform(-0.3, 0.3, (4000, 3))
    look = material(Surfels(points, points, np.tile([0.0, 0.0, 1.0], (4000, 1))))
    assert np.isfinite(look.albedo).all()
    assert look.albedo.min() > 0
    assert look.albedo.max() < 1
    return linear_to_srgb(look.albedo.mean(0))


@pytest.mark.parametrize(
    "material", ["wood", "oak", "leather", "velvet", "fabric", "metal", "brass", "ceramic", "plastic", "wicker", "marble"]
)
@pytest.mark.parametrize("color", ["red", "green", "blue", "yellow"])
def test_a_color_word_decides_the_hue_of_any_material(material: str, color: str) -> None:
    got, want = _mean_color(finish("wood", color, material).material), parse_color(color)
    got, want = got - got.mean(), want - want.mean()
    assert got @ want / (np.linalg.norm(got) * np.linalg.norm(want)) > 0.9


@pytest.mark.parametrize("word", sorted(MATERIAL_WORDS))
def test_every_material_word_makes_a_finite_material(word: str) -> None:
    made = finish("wood", None, word)
    _mean_color(made.material)


def test_unknown_words_fall_back_to_what_the_kind_usually_is() -> None:
    assert finish("leather", "sparkling", "unobtainium").name == "leather"


def _one_color(surfels: Surfels):
    return m.look(np.full((len(surfels.texture), 3), 0.5))


def _scene(part: Part, density: float = 1.0) -> Scene:
    made = sample(part, np.random.default_rng(0), density)
    quats = matrix_to_quat(torch.from_numpy(np.ascontiguousarray(made.axes))).numpy()
    g = Gaussians.from_numpy(made.means, quats, made.scales, made.opacity, rgb=linear_to_srgb(made.albedo))
    return Scene((SceneObject(id="thing", category="thing", gaussians=g),))


@pytest.mark.parametrize("smooth", [True, False])
def test_a_plane_is_covered_without_holes(smooth: bool) -> None:
    part = Part(name="p", solid=s.quad((-1, 0, -1), (2, 0, 0), (0, 0, 2)), material=_one_color, spacing_m=0.03, smooth=smooth)
    frame = render_scene(_scene(part), Camera.look_at((0.2, -1.2, 0.1), (0.0, 0.0, 0.0), 240, 160, 50.0))
    assert frame.alpha.min() > 0.9
    assert frame.alpha.mean() > 0.985


def test_splats_stay_within_their_silhouette() -> None:
    part = Part(name="p", solid=s.quad((-0.5, 0, -0.5), (1, 0, 0), (0, 0, 1)), material=_one_color, spacing_m=0.02, smooth=False)
    frame = render_scene(_scene(part), Camera.look_at((0.0, -2.0, 0.0), (0.0, 0.0, 0.0), 200, 200, 50.0))
    edge = round(100 + 0.5 / 2.0 * 100 / np.tan(np.radians(25)))
    assert frame.alpha[100, edge + 4] < 0.1
    assert frame.alpha[100, edge - 4] > 0.8


def test_patterns_get_more_splats_than_plain_ground() -> None:
    def stripes(surfels: Surfels):
        wave = np.sin(surfels.texture[:, :1] * 2 * np.pi / 0.12) > 0
        return m.look(np.where(wave, 0.8, 0.05) * np.ones((1, 3)))

    plane = s.quad((-1, -1, 0), (2, 0, 0), (0, 2, 0))
    rng = np.random.default_rng
    plain = sample(Part(name="p", solid=plane, material=_one_color, spacing_m=0.03, smooth=False), rng(0))
    fine = sample(Part(name="p", solid=plane, material=stripes, spacing_m=0.03, smooth=False), rng(0))
    assert len(fine) > 1.2 * len(plain)


def test_density_scales_the_number_of_splats_and_infinite_coarseness_leaves_faces_out() -> None:
    part = Part(name="p", solid=s.quad((-1, -1, 0), (2, 0, 0), (0, 2, 0)), material=_one_color, spacing_m=0.03, smooth=False)
    one, two = (len(sample(part, np.random.default_rng(0), k)) for k in (1.0, 2.0))
    assert 1.7 < two / one < 2.3
    assert len(sample(part, np.random.default_rng(0), 1.0, np.full(len(part.solid.faces), np.inf))) == 0


def test_meshes_are_refined_within_their_budget_and_carry_base_colors() -> None:
    part = Part(name="p", solid=s.slab(2.0, 1.0, 0.02), material=m.wood("oak"), spacing_m=0.02)
    mesh = colored_mesh([part], 5000)
    assert 1500 < len(mesh.faces) <= 5000
    assert mesh.colors is not None
    assert mesh.colors.std() > 0.01
    assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).area == pytest.approx(4.12, rel=0.02)


def test_colliders_are_convex_and_limited_in_number() -> None:
    balls = s.join([s.sphere(0.1, 2).moved(0.3 * i, 0.3 * j) for i in range(6) for j in range(6)])
    pieces = convex_pieces([Part(name="p", solid=balls, material=_one_color, spacing_m=0.02)])
    assert 2 <= len(pieces) <= 24
    assert all(trimesh.Trimesh(p.vertices, p.faces).is_convex for p in pieces)


def test_a_flat_cloud_still_gets_a_hull_with_volume() -> None:
    flat = s.quad((0, 0, 0), (1, 0, 0), (0, 1, 0)).vertices
    made = hull(flat)
    assert trimesh.Trimesh(made.vertices, made.faces).volume > 0.003


def test_placed_splats_turn_with_their_pose() -> None:
    part = Part(name="p", solid=s.quad((-1, -1, 0), (2, 0, 0), (0, 2, 0)), material=_one_color, spacing_m=0.1, smooth=False)
    made = sample(part, np.random.default_rng(0)).placed(Pose.about_axis((1.0, 0.0, 0.0), math.pi / 2, (0.0, 0.0, 3.0)), 7)
    assert np.allclose(made.normals, [0, -1, 0], atol=1e-5)
    assert np.allclose(made.means[:, 1], 0, atol=1e-5)
    assert set(made.owner.tolist()) == {7}
