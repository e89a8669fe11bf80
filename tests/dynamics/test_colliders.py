"""Shapes for collision: solid where things are solid, open where they are open."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import trimesh

from spatialwm.dynamics.colliders import MAX_PIECES, pieces_of, pieces_of_gaussians, pieces_of_mesh
from spatialwm.dynamics.decompose import ConvexPiece, hull
from spatialwm.dynamics.mjcf import immovable_because
from spatialwm.dynamics.place import HeightField, place_of
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.scene import SceneObject


def holds(pieces: list[ConvexPiece], point: tuple[float, float, float]) -> bool:
    return any(trimesh.convex.convex_hull(p.vertices).contains([point])[0] for p in pieces)


def splats(points: np.ndarray, sigma: float = 0.012) -> Gaussians:
    n = len(points)
    quats = np.tile([1.0, 0, 0, 0], (n, 1))
    return Gaussians.from_numpy(points, quats, np.full((n, 3), sigma), np.full(n, 0.9), rgb=np.full((n, 3), 0.5))


def bowl() -> Mesh:
    profile = [(0.2 * np.sin(a), -0.2 * np.cos(a)) for a in np.linspace(0, np.pi / 2, 20)]
    profile += [(0.18 * np.sin(a), -0.18 * np.cos(a)) for a in np.linspace(np.pi / 2, 0, 20)]
    solid = trimesh.creation.revolve(np.array(profile), sections=48)
    return Mesh(solid.vertices, solid.faces)


def test_a_box_is_one_box(make: SimpleNamespace) -> None:
    pieces = pieces_of(make.box("box-1", (0.3, 0.2, 0.1), (0, 0, 0)))
    assert len(pieces) == 1
    assert pieces[0].is_box
    assert pieces[0].volume == pytest.approx(0.006, rel=1e-3)


def test_a_table_leaves_room_between_its_legs(make: SimpleNamespace) -> None:
    pieces = list(pieces_of(make.table()))
    assert len(pieces) == 5
    assert holds(pieces, (0, 0, 0.73))
    assert not holds(pieces, (0, 0, 0.3))


def test_a_bowl_stays_open(make: SimpleNamespace) -> None:
    pieces = pieces_of_mesh(bowl())
    assert 1 < len(pieces) <= 16
    assert not holds(pieces, (0, 0, -0.06))
    assert holds(pieces, (0, 0, -0.19))


def test_an_l_shape_is_cut_and_not_filled() -> None:
    parts = [trimesh.creation.box((1.0, 0.3, 0.3)).apply_translation((0.5, 0.15, 0.15))]
    parts.append(trimesh.creation.box((0.3, 1.0, 0.3)).apply_translation((0.15, 0.5, 0.15)))
    mesh = trimesh.util.concatenate(parts)
    points = splats(trimesh.sample.sample_surface(mesh, 6000, seed=0)[0])
    pieces = pieces_of_gaussians(points)
    assert not holds(pieces, (0.75, 0.75, 0.15))
    assert holds(pieces, (0.8, 0.15, 0.15))
    assert holds(pieces, (0.15, 0.8, 0.15))


def test_a_ball_of_splats_is_one_round_piece_without_its_floaters() -> None:
    rng = np.random.default_rng(0)
    shell = rng.normal(size=(3000, 3))
    shell *= 0.3 / np.linalg.norm(shell, axis=1, keepdims=True)
    floaters = np.array([[3.0, 0, 0], [0, 2.5, 1.0]])
    pieces = pieces_of_gaussians(splats(np.concatenate([shell, floaters])))
    assert len(pieces) == 1
    assert 0.11 < pieces[0].volume < 0.14


def test_given_colliders_come_first(make: SimpleNamespace) -> None:
    small = trimesh.creation.box((0.1, 0.1, 0.1))
    body = make.box("box-1", (1, 1, 1), (0, 0, 0), collider=(Mesh(small.vertices, small.faces),))
    assert pieces_of(body)[0].volume == pytest.approx(0.001, rel=1e-3)


def test_flat_and_degenerate_sets_get_a_body() -> None:
    sheet = hull(np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]))
    line = hull(np.array([[0.0, 0, 0], [1, 1, 1]]))
    dot = hull(np.zeros((5, 3)))
    assert all(p.volume > 0 for p in (sheet, line, dot))


def test_the_number_of_pieces_is_bounded() -> None:
    rng = np.random.default_rng(0)
    leaves = [trimesh.creation.box((0.2, 0.1, 0.002)).apply_translation(rng.uniform(-1, 1, 3)) for _ in range(300)]
    mesh = trimesh.util.concatenate(leaves)
    assert len(pieces_of_mesh(Mesh(mesh.vertices, mesh.faces))) <= MAX_PIECES


def test_terrain_is_a_height_field_at_its_heights() -> None:
    x, y = np.meshgrid(np.linspace(-10, 10, 81), np.linspace(-8, 8, 65))
    z = 0.5 * np.sin(x / 2) * np.cos(y / 3)
    i = np.arange(81 * 65).reshape(65, 81)
    a, b, c, d = (k.reshape(-1) for k in (i[:-1, :-1], i[:-1, 1:], i[1:, 1:], i[1:, :-1]))
    mesh = Mesh(np.stack([x, y, z], -1).reshape(-1, 3), np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]))
    ground = SceneObject(id="ground", category="ground", gaussians=Gaussians.empty(), mesh=mesh, role="structure")
    (field,) = place_of(ground)
    assert isinstance(field, HeightField)
    rows, cols = field.heights.shape
    heights = field.position[2] + field.heights * field.size[2]
    px, py = np.linspace(-10, 10, cols)[cols // 3], np.linspace(-8, 8, rows)[rows // 4]
    assert heights[rows // 4, cols // 3] == pytest.approx(0.5 * np.sin(px / 2) * np.cos(py / 3), abs=0.02)


def test_a_large_capture_of_unknown_mass_is_a_place() -> None:
    rng = np.random.default_rng(0)
    capture = SceneObject(id="scan", category="capture", gaussians=splats(rng.uniform(-3, 3, (500, 3))))
    thing = SceneObject(id="thing", category="thing", gaussians=splats(rng.uniform(-0.3, 0.3, (500, 3))))
    assert "set its mass_kg" in (immovable_because(capture) or "")
    assert immovable_because(thing) is None
