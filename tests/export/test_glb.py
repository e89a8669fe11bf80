"""GLB files: the right way up, in metres, one named node an object, seen colours."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from spatialwm.errors import ExportError
from spatialwm.export import EXPORTABLE, export_scene, mesh_of, write_glb
from spatialwm.export.surface import surface_of
from spatialwm.formats import read_splats
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.color import srgb_to_linear
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, SceneObject

RNG = np.random.default_rng(0)


def splats(points: np.ndarray, rgb: np.ndarray, sigma: float = 0.012) -> Gaussians:
    n = len(points)
    return Gaussians.from_numpy(points, np.tile([1.0, 0, 0, 0], (n, 1)), np.full((n, 3), sigma), np.full(n, 0.9), rgb=rgb)


def ball(object_id: str = "ball-1", radius_m: float = 0.3) -> SceneObject:
    """Red above, blue below, made of splats alone, standing at (1, 2)."""
    i = np.arange(4000) + 0.5
    z, azimuth = 1 - 2 * i / 4000, np.pi * (1 + 5**0.5) * i
    shell = radius_m * np.stack([np.sqrt(1 - z * z) * np.cos(azimuth), np.sqrt(1 - z * z) * np.sin(azimuth), z], axis=1)
    rgb = np.where(z[:, None] > 0, [[0.9, 0.2, 0.1]], [[0.1, 0.3, 0.8]])
    return SceneObject(
        id=object_id, category="ball", gaussians=splats(shell, rgb), world_from_object=Pose((1.0, 2.0, radius_m)), mass_kg=0.5
    )


def floor() -> SceneObject:
    """Two triangles with a dark spot at (1, 1) that only the splats know of."""
    corners = np.array([[-3, -3, 0], [3, -3, 0], [3, 3, 0], [-3, 3, 0.0]])
    points = np.c_[RNG.uniform(-3, 3, (30_000, 2)), np.zeros(30_000)]
    shade = 1 - 0.7 * np.exp(-((points[:, :2] - 1) ** 2).sum(1) / 0.3)
    return SceneObject(
        id="floor", category="floor", role="structure", mesh=Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]])),
        gaussians=splats(points, np.array([0.8, 0.7, 0.5]) * shade[:, None]),
    )  # fmt: skip


def sky() -> SceneObject:
    dome = splats(RNG.normal(size=(500, 3)) * 50, np.ones((500, 3)))
    return SceneObject(id="sky", category="sky", role="backdrop", gaussians=dome)


SCENE = Scene((floor(), ball(), sky()), prompt="a ball on a floor")


def tree_of(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    assert data[:4] == b"glTF"
    return json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])


def test_the_file_is_y_up_in_metres_with_the_floor_at_zero(tmp_path: Path) -> None:
    write_glb(SCENE, tmp_path / "scene.glb")
    (x0, y0, z0), (x1, y1, z1) = trimesh.load(tmp_path / "scene.glb").bounds
    assert (x0, x1, z0, z1) == pytest.approx((-3, 3, -3, 3), abs=1e-4)
    assert y0 == pytest.approx(0, abs=0.01)
    assert y1 == pytest.approx(0.6, abs=0.02)
    ball_only = trimesh.load(tmp_path / "scene.glb").geometry["ball-1"]
    assert ball_only.extents == pytest.approx([0.6, 0.6, 0.6], abs=0.02)


def test_every_object_is_a_named_node_where_it_stands(tmp_path: Path) -> None:
    report = write_glb(SCENE, tmp_path / "scene.glb")
    nodes = {n["name"]: n for n in tree_of(tmp_path / "scene.glb")["nodes"]}
    assert set(report.objects) == set(nodes) == {"floor", "ball-1"}
    assert report.skipped == ("sky",)
    assert nodes["ball-1"]["matrix"][12:15] == pytest.approx([1.0, 0.3, -2.0])
    assert nodes["ball-1"]["extras"]["category"] == "ball"
    assert nodes["ball-1"]["extras"]["mass_kg"] == 0.5


def test_the_backdrop_comes_along_when_asked(tmp_path: Path) -> None:
    assert "sky" in write_glb(SCENE, tmp_path / "scene.glb", backdrop=True).objects


def test_vertex_colors_are_linear_sixteen_bit(tmp_path: Path) -> None:
    write_glb(Scene((ball(),)), tmp_path / "ball.glb")
    tree = tree_of(tmp_path / "ball.glb")
    (primitive,) = tree["meshes"][0]["primitives"]
    accessor = tree["accessors"][primitive["attributes"]["COLOR_0"]]
    assert (accessor["componentType"], accessor["normalized"], accessor["type"]) == (5123, True, "VEC4")
    colors = np.asarray(trimesh.load(tmp_path / "ball.glb").geometry["ball-1"].visual.vertex_attributes["color"], float)
    colors = colors / (65535 if colors.max() > 255 else 255 if colors.max() > 1 else 1)
    assert np.abs(colors[:, :3] - srgb_to_linear(np.array([0.9, 0.2, 0.1]))).max(1).min() < 0.005
    material = tree["materials"][primitive["material"]]
    assert material["pbrMetallicRoughness"]["metallicFactor"] == 0.0


def test_albedo_asks_the_program_for_light_and_baked_does_not(tmp_path: Path) -> None:
    for light in ("baked", "albedo"):
        write_glb(Scene((ball(),)), tmp_path / f"{light}.glb", light=light)
    assert "KHR_materials_unlit" in tree_of(tmp_path / "baked.glb")["extensionsUsed"]
    assert "extensionsUsed" not in tree_of(tmp_path / "albedo.glb")


def test_splats_become_a_surface_within_two_percent_of_the_ball(tmp_path: Path) -> None:
    mesh = surface_of(ball().gaussians)
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert solid.is_winding_consistent
    assert solid.volume == pytest.approx(4 / 3 * np.pi * 0.3**3, rel=0.02)
    assert np.linalg.norm(mesh.vertices, axis=1) == pytest.approx(np.full(len(mesh.vertices), 0.3), abs=0.01)


def test_the_upper_half_is_red_and_the_lower_blue() -> None:
    mesh = mesh_of(ball())
    assert mesh.colors is not None
    high, low = mesh.vertices[:, 2] > 0.05, mesh.vertices[:, 2] < -0.05
    assert mesh.colors[high] == pytest.approx(np.tile([0.9, 0.2, 0.1], (high.sum(), 1)), abs=0.02)
    assert mesh.colors[low] == pytest.approx(np.tile([0.1, 0.3, 0.8], (low.sum(), 1)), abs=0.02)


def test_a_coarse_face_is_refined_where_light_varies_and_only_there() -> None:
    mesh = mesh_of(floor())
    assert mesh.colors is not None
    surface = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert surface.area == pytest.approx(36, rel=1e-6)
    assert surface.face_normals[:, 2].min() > 0.999
    dark = np.linalg.norm(mesh.vertices[:, :2] - 1, axis=1).argmin()
    assert mesh.colors[dark, 0] < 0.4
    assert mesh.colors[np.linalg.norm(mesh.vertices[:, :2] + 2, axis=1).argmin(), 0] > 0.75
    middles = mesh.vertices[mesh.faces].mean(1)
    near = surface.area_faces[np.linalg.norm(middles[:, :2] - 1, axis=1) < 0.6].mean()
    assert near < surface.area_faces[np.linalg.norm(middles[:, :2] + 2, axis=1) < 0.6].mean() / 2


def test_refining_leaves_no_gaps() -> None:
    """Closed in, closed out: every edge of a refined cube still has two faces."""
    cube = trimesh.creation.box((1, 1, 1))
    points = RNG.uniform(-0.5, 0.5, (8000, 3))
    points[np.arange(8000), RNG.integers(0, 3, 8000)] = RNG.choice([-0.5, 0.5], 8000)
    body = SceneObject(
        id="cube", category="cube", mesh=Mesh(cube.vertices, cube.faces), gaussians=splats(points, (np.sin(9 * points) + 1) / 2)
    )
    mesh = mesh_of(body)
    assert len(mesh.faces) > 1000
    assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).is_watertight


def test_copies_share_one_mesh(tmp_path: Path) -> None:
    one = ball()
    scene = Scene((one, replace(one, id="ball-2", world_from_object=Pose((3.0, 0.0, 0.3), scale=2.0))))
    write_glb(scene, tmp_path / "two.glb")
    tree = tree_of(tmp_path / "two.glb")
    assert len(tree["meshes"]) == 1
    assert len(tree["nodes"]) == 2
    assert trimesh.load(tmp_path / "two.glb").bounds[1][0] == pytest.approx(3.6, abs=0.02)


def test_names_in_any_script_survive(tmp_path: Path) -> None:
    write_glb(Scene((replace(ball(), id="мяч-球-ü"),)), tmp_path / "Szene ß.glb")
    assert [n["name"] for n in tree_of(tmp_path / "Szene ß.glb")["nodes"]] == ["мяч-球-ü"]


@pytest.mark.parametrize("suffix", [".glb", ".ply", ".spz", ".splat", ".sog"])
def test_an_empty_scene_is_refused_and_nothing_is_written(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ExportError, match="nothing to write"):
        export_scene(Scene(), tmp_path / f"empty{suffix}")
    assert not os.listdir(tmp_path)


def test_an_unknown_suffix_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"'\.fbx'.*\.glb.*\.ply"):
        export_scene(SCENE, tmp_path / "scene.fbx")
    with pytest.raises(ExportError, match="choose one of"):
        export_scene(SCENE, tmp_path / "scene")


@pytest.mark.parametrize("suffix", [".glb", ".ply"])
def test_a_missing_folder_is_one_clear_error(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ExportError, match="cannot write"):
        export_scene(Scene((ball(),)), tmp_path / "none" / f"scene{suffix}")


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "scene.glb"
    target.mkdir()
    with pytest.raises(ExportError, match="cannot write"):
        write_glb(Scene((ball(),)), target)
    assert os.listdir(tmp_path) == ["scene.glb"]


@pytest.mark.parametrize("suffix", sorted(set(EXPORTABLE) - {".glb"}))
def test_splat_files_hold_the_whole_scene_in_the_world(tmp_path: Path, suffix: str) -> None:
    report = export_scene(SCENE, tmp_path / f"scene{suffix}")
    assert report.objects == ("floor", "ball-1", "sky")
    assert len(read_splats(tmp_path / f"scene{suffix}").gaussians) == len(SCENE)
    without = export_scene(SCENE, tmp_path / f"near{suffix}", backdrop=False)
    assert without.skipped == ("sky",)
    near = read_splats(tmp_path / f"near{suffix}").gaussians
    assert near.bounds() == pytest.approx(np.array([[-3, -3, 0], [3, 3, 0.6]]), abs=0.02)
