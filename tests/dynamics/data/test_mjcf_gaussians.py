"""MuJoCo models as Gaussians: on the surface, in the right colours, without what nobody sees, and moving as the bodies do."""

from __future__ import annotations

import io
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from scipy.spatial.transform import Rotation

from spatialwm.dynamics.data import mjcf_surfaces as surfaces
from spatialwm.dynamics.data.mjcf_gaussians import cast_of, template_of
from spatialwm.errors import DataError


def compiled(body: str, assets: str = "", files: dict[str, bytes] | None = None) -> tuple[mujoco.MjModel, mujoco.MjData]:
    xml = f"<mujoco><asset>{assets}</asset><worldbody>{body}</worldbody></mujoco>"
    model = mujoco.MjModel.from_xml_string(xml, files or {})
    return model, mujoco.MjData(model)


SOLIDS = {
    "plane": ('size="2 .3 1"', lambda p: np.maximum(np.abs(p[:, 2]), np.abs(p[:, :2]).max(1) > 0.6), 4 * 0.6 * 0.3),
    "sphere": ('size=".2"', lambda p: np.linalg.norm(p, axis=1) - 0.2, trimesh.creation.icosphere(5, 0.2).area),
    "ellipsoid": (
        'size=".2 .1 .3"', lambda p: np.linalg.norm(p / [0.2, 0.1, 0.3], axis=1) - 1,
        trimesh.creation.icosphere(5).apply_scale([0.2, 0.1, 0.3]).area,
    ),
    "capsule": (
        'size=".1 .2"', lambda p: np.linalg.norm(np.c_[p[:, :2], np.maximum(np.abs(p[:, 2]) - 0.2, 0)], axis=1) - 0.1,
        trimesh.creation.capsule(0.4, 0.1, count=[128, 128]).area,
    ),
    "cylinder": (
        'size=".1 .2"', lambda p: np.maximum(np.linalg.norm(p[:, :2], axis=1) / 0.1, np.abs(p[:, 2]) / 0.2) - 1,
        trimesh.creation.cylinder(0.1, 0.4, sections=512).area,
    ),
    "box": ('size=".1 .2 .3"', lambda p: (np.abs(p) / [0.1, 0.2, 0.3]).max(1) - 1, trimesh.creation.box((0.2, 0.4, 0.6)).area),
}  # fmt: skip


@pytest.mark.parametrize("kind", SOLIDS)
def test_samples_lie_on_the_surface_evenly_and_face_outwards(kind: str) -> None:
    size, distance, expected = SOLIDS[kind]
    model, _ = compiled(f'<geom type="{kind}" {size}/>')
    got = surfaces.sample(model, 0, 4000, np.random.default_rng(0), 0.6)
    assert np.abs(distance(got.points)).max() < 1e-9
    assert np.allclose(np.linalg.norm(got.normals, axis=1), 1)
    assert kind == "plane" or (distance(got.points + 1e-3 * got.normals) > 0).all()
    assert surfaces.area(model, 0, 0.6) == pytest.approx(expected, rel=0.012)
    if kind == "ellipsoid":  # even: a tip gets the share of the finely meshed surface that lies there
        fine = trimesh.creation.icosphere(5).apply_scale([0.2, 0.1, 0.3])
        share = fine.area_faces[np.abs(fine.triangles_center[:, 2]) > 0.25].sum() / fine.area
        assert (np.abs(got.points[:, 2]) > 0.25).mean() == pytest.approx(share, abs=0.015)


QUAD = b"""
v -1 -1 0\nv 1 -1 0\nv 1 1 0\nv -1 1 0\nv 0 0 -.5
vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1
f 1/1 2/2 3/3\nf 1/1 3/3 4/4\nf 2/1 1/1 5/1\nf 3/1 2/1 5/1\nf 4/1 3/1 5/1\nf 1/1 4/1 5/1
"""
QUARTERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]], np.uint8)
"""As seen: red and green above, blue and yellow below."""


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.repeat(np.repeat(pixels, 8, 0), 8, 1)).save(stream, "png")
    return stream.getvalue()


def test_a_mesh_wears_its_picture_the_right_way_up_and_the_roughness_is_no_colour() -> None:
    files = {"quad.obj": QUAD, "color.png": png(QUARTERS), "rough.png": png(np.full((2, 2, 3), 9, np.uint8))}
    assets = (
        '<mesh name="quad" file="quad.obj" inertia="shell"/><texture name="c" type="2d" file="color.png"/>'
        '<texture name="r" type="2d" file="rough.png"/>'
        '<material name="m" rgba="1 1 1 1"><layer role="roughness" texture="r"/><layer role="rgb" texture="c"/></material>'
    )
    model, data = compiled('<geom type="mesh" mesh="quad" material="m"/>', assets, files)
    template = template_of(model, data, 2000)
    top = template.normals[:, 2] > 0.9
    p, rgb = template.gaussians.means.numpy()[top], template.gaussians.rgb.numpy()[top]
    for sx, sy, color in ((-1, 1, (1, 0, 0)), (1, 1, (0, 1, 0)), (-1, -1, (0, 0, 1)), (1, -1, (1, 1, 0))):
        corner = (p[:, 0] * sx > 0.1) & (p[:, 1] * sy > 0.1)
        assert corner.sum() > 20
        assert np.allclose(rgb[corner], color, atol=1e-3)


def test_a_floor_wears_its_chequers_as_often_as_it_says() -> None:
    assets = (
        '<texture name="t" type="2d" builtin="checker" width="64" height="64" rgb1="0 0 0" rgb2="1 1 1"/>'
        '<material name="m" texture="t" texrepeat="4 4" texuniform="true" rgba="1 .5 1 1"/>'
    )
    model, data = compiled('<geom type="plane" size="1 1 1" material="m"/>', assets)
    template = template_of(model, data, 4000, plane_half_m=1.0)
    p, rgb = template.gaussians.means.numpy(), template.gaussians.rgb.numpy()
    # Four repeats over two metres: fields a quarter of a metre wide, and the tint over all.
    field = (np.floor(p[:, 0] * 4) + np.floor(p[:, 1] * 4)).astype(int) % 2
    light = rgb[:, 0] > 0.5
    assert max((light == field).mean(), (light != field).mean()) > 0.99
    assert rgb[light][:, 1].max() == pytest.approx(0.5, abs=1e-3)


def test_a_cube_texture_has_a_face_for_each_side() -> None:
    faces = np.array([[[250, 0, 0]], [[0, 250, 0]], [[0, 0, 250]], [[250, 250, 0]], [[0, 250, 250]], [[250, 0, 250]]], np.uint8)
    names = ("right", "left", "up", "down", "front", "back")
    files = {f"{n}.png": png(f[None]) for n, f in zip(names, faces, strict=True)}
    given = " ".join(f'file{n}="{n}.png"' for n in names)
    assets = f'<texture name="t" type="cube" {given}/><material name="m" texture="t"/>'
    model, data = compiled('<geom type="box" size=".1 .2 .3" material="m"/>', assets, files)
    template = template_of(model, data, 2000)
    rgb = template.gaussians.rgb.numpy()
    for axis in range(3):
        for n, sign in enumerate((1, -1)):
            side = template.normals[:, axis] * sign > 0.9
            assert np.allclose(rgb[side], faces[2 * axis + n, 0] / 255, atol=1e-3)


def test_a_geoms_own_colour_wins_over_its_material_unless_it_is_the_default_grey() -> None:
    assets = '<material name="m" rgba="1 0 0 1"/>'
    for own, expected in (("", (1, 0, 0)), ('rgba="0 1 0 1"', (0, 1, 0))):
        model, data = compiled(f'<geom type="box" size=".1 .1 .1" material="m" {own}/>', assets)
        assert np.allclose(template_of(model, data, 100).gaussians.rgb.numpy(), expected, atol=1e-3)


def test_what_lies_inside_is_left_out_and_what_is_transparent_hides_nothing() -> None:
    inner = '<geom type="sphere" size=".1" rgba="1 0 0 1"/>'
    for shell_alpha, sees in (("1", False), (".3", True)):
        model, data = compiled(f'{inner}<geom type="box" size=".2 .2 .2" rgba="0 0 1 {shell_alpha}"/>')
        template = template_of(model, data, 1000)
        assert (template.gaussians.rgb.numpy()[:, 0] > 0.5).any() == sees
        assert (template.hidden > 0.2) == (not sees)


def test_colliders_and_the_invisible_are_left_out() -> None:
    box = '<geom type="box" size=".1 .1 .1" {}/>'
    model, data = compiled(box.format('group="3" rgba="1 0 0 1"') + box.format('rgba="0 1 0 0"') + box.format('rgba="0 0 1 1"'))
    assert np.allclose(template_of(model, data, 200).gaussians.rgb.numpy(), (0, 0, 1), atol=1e-3)
    with pytest.raises(DataError, match="nothing of the model can be seen in its geom groups 4"):
        template_of(model, data, visible_groups=(4,))


ARM = """
<body name="base" pos="1 0 0"><geom type="box" size=".1 .1 .1"/>
  <body name="arm" pos="0 0 .3" euler="0 0 30"><joint name="turn" axis="0 1 0"/><geom type="capsule" size=".03 .2" pos="0 0 .2"/>
    <body name="hand" pos="0 .1 .4" euler="40 0 0"><geom type="sphere" size=".05" pos=".02 0 0"/></body>
  </body>
</body>
<body name="ball" pos="0 0 1"><freejoint/><geom type="sphere" size=".07" mass=".4" friction=".7"/></body>
"""


def test_what_moves_together_is_one_group_and_moves_as_the_simulator_says() -> None:
    model, data = compiled(ARM)
    template = template_of(model, data, 2000)
    assert template.names == ("world", "arm", "ball")
    data.qpos[:] = [0.7, 0.3, -0.2, 0.5, *Rotation.from_rotvec([0.3, 0.5, 1]).as_quat(scalar_first=True)]
    mujoco.mj_forward(model, data)
    posed = template.posed(template.poses(data))
    means = posed.means.numpy()
    around = np.linalg.norm(means - data.geom_xpos[2], axis=1)  # the hand's
    assert (np.abs(around - 0.05) < 1e-5).sum() > 60
    ball = means[template.groups == 2]
    assert np.allclose(np.linalg.norm(ball - data.qpos[1:4], axis=1), 0.07, atol=1e-5)
    matrices = Rotation.from_quat(posed.quats.numpy(), scalar_first=True).as_matrix()
    thin = matrices[:, :, 2]
    outward = (ball - data.qpos[1:4]) / 0.07
    assert np.abs((thin[template.groups == 2] * outward).sum(1)).min() > 1 - 1e-4


def test_velocities_are_those_by_which_poses_change() -> None:
    model, data = compiled(ARM)
    template = template_of(model, data, 500)
    data.qpos[3], data.qvel[:] = 1.0, [0.9, 0.2, -0.3, 0.1, 1.0, -2.0, 0.5]
    mujoco.mj_forward(model, data)
    before, velocities = template.poses(data).astype(float), template.velocities(model, data)
    mujoco.mj_integratePos(model, data.qpos, data.qvel, 1e-3)
    mujoco.mj_forward(model, data)
    after = template.poses(data).astype(float)
    assert np.allclose((after - before)[:, :3] / 1e-3, velocities[:, :3], atol=3e-3)
    turns = Rotation.from_quat(after[:, 3:], scalar_first=True) * Rotation.from_quat(before[:, 3:], scalar_first=True).inv()
    assert np.allclose(turns.as_rotvec() / 1e-3, velocities[:, 3:], atol=3e-3)


def test_small_movable_things_get_their_share() -> None:
    pea = '<body name="pea" pos="0 0 1"><freejoint/><geom type="sphere" size=".004"/></body>'
    model, data = compiled('<geom type="plane" size="0 0 1"/>' + ARM + pea)
    template = template_of(model, data, 1000)
    assert (template.groups == template.names.index("pea")).sum() >= 128
    more = template_of(model, data, 1000, least=1, boost={int(model.body("pea").id): 1e4})
    assert (more.groups == more.names.index("pea")).sum() > 128


def test_the_same_seed_gives_the_same_gaussians() -> None:
    model, data = compiled(ARM)
    first, second = (template_of(model, data, 500, seed=4) for _ in range(2))
    assert torch.equal(first.gaussians.means, second.gaussians.means)


def test_a_cast_holds_as_many_points_of_each_and_the_model_s_mass_and_friction() -> None:
    model, data = compiled(ARM)
    template = template_of(model, data, 2000)
    cast = cast_of(template, model, [2], [1], 64)
    assert (cast.object_ids, cast.part_ids) == (("ball",), ("arm",))
    assert cast.points.shape == cast.normals.shape == cast.colors.shape == (1, 64, 3)
    assert np.allclose(np.linalg.norm(cast.points[0], axis=1), 0.07, atol=1e-6)
    assert cast.masses_kg.tolist() == pytest.approx([0.4])
    assert cast.frictions.tolist() == pytest.approx([0.7])
    with pytest.raises(DataError, match="3 groups; there is no group 3"):
        cast_of(template, model, [3], [])


def test_a_real_robot_stands_in_its_own_shape(shared_dir: Path) -> None:
    model = mujoco.MjModel.from_xml_path(str(shared_dir / "data/robotdesc_so101/so101_new_calib.xml"))
    data = mujoco.MjData(model)
    template = template_of(model, data, 3000)
    assert len(template.bodies) == 7
    assert len(template.gaussians) > 2500
    assert 0.2 < template.hidden < 0.6
    template.gaussians.check_finite()
    low, high = template.posed(template.poses(data)).bounds()
    assert (high - low < 0.6).all()
    assert low[2] > -0.01
    assert len(np.unique(template.gaussians.rgb.numpy().round(2), axis=0)) >= 2  # printed parts and motors
