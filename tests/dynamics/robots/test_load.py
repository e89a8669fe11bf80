"""A robot's file becomes links that look, move and weigh as it says."""

from __future__ import annotations

import struct
from pathlib import Path

import mujoco
import numpy as np
import pytest
import torch

from spatialwm.dynamics import JointTargets, Physics
from spatialwm.dynamics.robots import Robot, load_robot
from spatialwm.errors import FormatError
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Drive, Scene, edits
from spatialwm.scene.articulation import driven_by, moved, position
from spatialwm.world import World

MJCF = """<mujoco model="tiny">
<compiler angle="radian"/>
<asset><texture name="bricks" type="2d" builtin="flat" rgb1="0.1 0.8 0.1" width="4" height="4"/>
<texture name="rough" type="2d" builtin="flat" rgb1="0.9 0.0 0.9" width="4" height="4"/>
<material name="steel" rgba="0.2 0.3 0.9 1"/>
<material name="painted"><layer role="rgb" texture="bricks"/><layer role="roughness" texture="rough"/></material></asset>
<default><position kp="80" kv="4" forcerange="-20 20"/></default>
<worldbody><body name="base"><geom name="b" type="box" size="0.05 0.05 0.05" pos="0 0 0.05" rgba="0.9 0.1 0.1 1"/>
 <body name="upper" pos="0 0 0.1"><joint name="shoulder" type="hinge" axis="0 1 0" range="-1 2" damping="0.3" armature="0.01"/>
  <geom type="box" size="0.02 0.02 0.1" pos="0 0 0.1" mass="0.4" material="steel"/>
  <geom type="sphere" size="0.02" pos="0 0 0.5" mass="0" rgba="1 1 1 0"/>
  <body name="stick" pos="0 0 0.2">
   <geom type="capsule" size="0.01 0.05" pos="0 0 0.05" mass="0.1" rgba="1 1 0 1" contype="0" conaffinity="0"/></body>
  <body name="lower" pos="0 0 0.2" euler="0 0.5 0">
   <joint name="elbow" type="hinge" axis="0 1 0" range="-2 2" ref="0.2" pos="0 0 0.01"/>
   <geom type="cylinder" size="0.015 0.08" pos="0 0 0.08" mass="0.2" material="painted"/>
   <body name="finger" pos="0.02 0 0.17"><joint name="gripper" type="slide" axis="1 0 0" range="0 0.03"/>
    <geom type="box" size="0.005 0.01 0.02" mass="0.02"/></body>
  </body></body></body></worldbody>
<actuator><position joint="shoulder"/><position joint="elbow" gear="2"/><motor joint="gripper"/></actuator>
<keyframe><key name="home" qpos="0.3 0.4 0.01"/></keyframe></mujoco>"""

URDF = """<robot name="tiny"><material name="blue"><color rgba="0.1 0.1 0.9 1"/></material>
<link name="base"><visual><geometry><mesh filename="package://tiny_description/meshes/cube.stl"/></geometry>
<material name="blue"/></visual></link>
<link name="arm"><inertial><mass value="0.3"/><inertia ixx="0.001" iyy="0.001" izz="0.001" ixy="0" ixz="0" iyz="0"/></inertial>
<visual><origin xyz="0 0 0.1"/><geometry><box size="0.04 0.04 0.2"/></geometry><material name="blue"/></visual>
<collision><origin xyz="0 0 0.1"/><geometry><box size="0.06 0.06 0.24"/></geometry></collision></link>
<joint name="turn" type="revolute"><parent link="base"/><child link="arm"/><origin xyz="0 0 0.05"/><axis xyz="0 1 0"/>
<limit lower="-1.5" upper="1.5" effort="8" velocity="3"/></joint></robot>"""


def write_cube(path: Path, half: float = 0.05) -> None:
    """A binary STL of a cube."""
    corners = np.array([(x, y, z) for x in (-half, half) for y in (-half, half) for z in (-half, half)])
    sides = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = [f for a, b, c, d in sides for f in ((a, b, c), (a, c, d))]
    path.parent.mkdir(parents=True, exist_ok=True)
    body = b"".join(struct.pack("<12fH", 0, 0, 0, *corners[list(f)].reshape(-1), 0) for f in faces)
    path.write_bytes(bytes(80) + struct.pack("<I", len(faces)) + body)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.xml"
    path.write_text(MJCF)
    return path


@pytest.fixture
def tiny_urdf(tmp_path: Path) -> Path:
    write_cube(tmp_path / "tiny_description" / "meshes" / "cube.stl")
    path = tmp_path / "tiny_description" / "urdf" / "tiny.urdf"
    path.parent.mkdir()
    path.write_text(URDF)
    return path


def load(path: Path, **options: object) -> Robot:
    return load_robot(path, "tiny-1", samples=4000, **options)  # pyright: ignore[reportArgumentType]


def model_poses(model: mujoco.MjModel, qpos: dict[str, float]) -> dict[str, np.ndarray]:  # pyright: ignore
    data = mujoco.MjData(model)  # pyright: ignore
    for name, value in qpos.items():
        data.joint(name).qpos[0] = value
    mujoco.mj_kinematics(model, data)  # pyright: ignore
    names = [model.body(b).name for b in range(model.nbody)]
    return {n: np.r_[data.xpos[i], np.sign(data.xquat[i, 0]) * data.xquat[i]] for i, n in enumerate(names)}


def colors_of(robot: Robot, link: str) -> np.ndarray:
    body = next(o for o in robot.links if o.id == link)
    assert body.albedo is not None
    return np.unique(body.albedo.numpy().round(2), axis=0)


def test_links_stand_where_the_file_puts_them_whatever_its_joints_do(tiny: Path) -> None:
    model = mujoco.MjModel.from_xml_path(str(tiny))  # pyright: ignore
    robot = load(tiny)
    scene = Scene(robot.links)
    assert [o.id for o in robot.links] == ["tiny-1", "tiny-1-upper", "tiny-1-lower", "tiny-1-finger"]
    assert [position(scene, i) for i in driven_by(scene, "tiny-1")] == pytest.approx([0.3, 0.4, 0.01])
    for qpos in ({"shoulder": 0.0, "elbow": 0.2, "gripper": 0.0}, {"shoulder": 1.2, "elbow": -0.7, "gripper": 0.02}):
        new = scene.with_objects(moved(scene, dict(zip(driven_by(scene, "tiny-1"), qpos.values(), strict=True))))
        for name, pose in model_poses(model, qpos).items():
            if f"tiny-1-{name}" in new:
                got = new[f"tiny-1-{name}"].world_from_object
                assert [*got.position, *got.quat] == pytest.approx(pose.tolist(), abs=1e-9)


def test_colours_come_from_geom_material_and_the_texture_in_the_colour_role(tiny: Path) -> None:
    robot = load(tiny)
    assert colors_of(robot, "tiny-1") == pytest.approx(np.array([[0.9, 0.1, 0.1]]))
    assert colors_of(robot, "tiny-1-upper") == pytest.approx(np.array([[0.2, 0.3, 0.9], [1.0, 1.0, 0.0]]))
    assert colors_of(robot, "tiny-1-lower") == pytest.approx(np.array([[0.1, 0.8, 0.1]]), abs=0.01)


def test_what_is_welded_is_one_link_and_what_is_transparent_is_not_sampled(tiny: Path) -> None:
    upper = load(tiny).links[1]
    assert upper.mass_kg == pytest.approx(0.5)
    assert upper.mesh is not None
    assert upper.mesh.vertices[:, 2].max() == pytest.approx(0.31, abs=0.002)
    assert len(upper.collider) == 2  # the stick collides with nothing; the transparent ball does


def test_motors_keep_their_gains_and_others_are_stiff_enough(tiny: Path) -> None:
    _, upper, lower, finger = load(tiny).links
    joints = [o.joint for o in (upper, lower, finger) if o.joint is not None]
    drives = [j.drive for j in joints if j.drive is not None]
    assert drives[0] == Drive(80.0, 4.0, 20.0)
    assert (joints[0].damping, joints[0].armature, joints[0].range) == (0.3, 0.01, (-1.0, 2.0))
    assert (drives[1].stiffness, drives[1].limit) == (320.0, 40.0)
    assert joints[2].kind == "slide"
    assert drives[2].stiffness > 0.02 * 9.81 / 0.02


def test_only_what_can_be_seen_is_sampled(tiny: Path) -> None:
    """The stick begins inside the upper arm's end, and the base is sampled on its outside alone."""
    robot = load(tiny)
    upper = robot.links[1].gaussians.means.numpy()
    hidden = (np.abs(upper[:, :2]) < 0.015).all(1) & (upper[:, 2] > 0.185) & (upper[:, 2] < 0.199)
    assert not hidden.any()
    base = np.abs(robot.links[0].gaussians.means.numpy() - (0, 0, 0.05))
    assert base.max(1) == pytest.approx(np.full(len(base), 0.05), abs=1e-6)


def test_a_urdf_shows_its_visuals_and_collides_with_its_collisions(tiny_urdf: Path) -> None:
    base, arm = load(tiny_urdf).links
    assert (base.mobility, arm.mobility) == ("static", "articulated")
    assert np.ptp(arm.gaussians.means.numpy(), axis=0) == pytest.approx((0.04, 0.04, 0.2), abs=0.002)
    assert np.ptp(arm.collider[0].vertices, axis=0) == pytest.approx((0.06, 0.06, 0.24), abs=1e-6)
    assert np.ptp(base.gaussians.means.numpy(), axis=0) == pytest.approx((0.1, 0.1, 0.1), abs=0.003)
    assert colors_of(load(tiny_urdf), "tiny-1-arm") == pytest.approx(np.array([[0.1, 0.1, 0.9]]))
    assert arm.joint is not None
    assert arm.joint.drive is not None
    assert (arm.joint.range, arm.joint.drive.limit) == ((-1.5, 1.5), 8.0)


def test_a_robot_stands_where_it_is_put_and_begins_as_asked(tiny: Path) -> None:
    at = Pose.about_axis((0.0, 0.0, 1.0), 0.7, (1.0, 2.0, 0.75))
    robot = load(tiny, at=at, positions={"shoulder": 0.9})
    scene = Scene(robot.links)
    assert scene["tiny-1"].world_from_object == at
    assert position(scene, "tiny-1-upper") == pytest.approx(0.9)


def test_a_robot_in_a_world_reopens_bit_for_bit_and_undoes_as_one(tiny: Path, tmp_path: Path) -> None:
    robot = load(tiny)
    with World.create(tmp_path / "r.world", Scene()) as world:
        world.apply(robot.insertion)
        world.apply(edits.SetJoints((("tiny-1-upper", 0.5),)))
        truth = world.scene()
    with World.open(tmp_path / "r.world") as again:
        assert again.scene().same_as(truth)
        reach = JointTargets(robot="tiny-1", targets=((1.0, 0.0, 0.0),))
        rollouts = [Physics(0.0).rollout(s, [reach]) for s in (truth, again.scene())]
        assert np.array_equal(rollouts[0].poses, rollouts[1].poses)
        again.undo()
        assert again.scene().same_as(Scene(robot.links))
        again.undo()
        assert again.scene().objects == ()


def test_a_robot_moves_as_its_own_description_does(tiny: Path) -> None:
    """Against MuJoCo on the file itself, its parts not colliding either; what is left is the sag of the motors at the start."""
    own = mujoco.MjModel.from_xml_path(str(tiny))  # pyright: ignore
    own.opt.timestep, own.opt.integrator = 1 / 420, int(mujoco.mjtIntegrator.mjINT_IMPLICIT)  # pyright: ignore
    own.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT)  # pyright: ignore
    data = mujoco.MjData(own)  # pyright: ignore
    data.qpos[:] = (0.3, 0.4, 0.01)
    scene = Scene(load(tiny).links)
    rows = tuple((0.3 + 0.05 * i, 0.4 - 0.06 * i, 0.01) for i in range(1, 13))
    rollout = Physics(0.0).rollout(scene, [JointTargets(robot="tiny-1", targets=rows)])
    k = rollout.object_ids.index("tiny-1-lower")
    worst = 0.0
    for t in range(1, 36):
        for step in range(14):
            data.ctrl[:2] = np.array(rows[min(int(((t - 1) * 14 + step) / 42), 11)][:2]) * (1, 2)
            mujoco.mj_step(own, data)  # pyright: ignore
        worst = max(worst, float(np.linalg.norm(rollout.poses[t, k, :3] - data.body("lower").xpos)))
    assert worst < 0.004


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("", ""), None),
        (("<worldbody>", '<asset><mesh name="m" file="gone.stl"/></asset><worldbody>'), "needs the mesh gone.stl, which is not"),
        (("<worldbody>", "<worldbody><nonsense/>"), "does not compile"),
        (('<joint name="elbow"', '<joint name="twist" axis="1 0 0"/><joint name="elbow"'), "lower hangs on 2 joints"),
        (('type="hinge" axis="0 1 0" range="-2 2" ref="0.2"', 'type="ball" range="0 1"'), "ball joint"),
        (("<mujoco", "<svg"), "not XML"),
    ],
)
def test_a_file_that_is_no_robot_is_refused_in_one_line(tiny: Path, change: tuple[str, str], words: str | None) -> None:
    text = MJCF.replace(*change) if change[0] else '<svg xmlns="x"/>'
    for part in ("<keyframe>", "<actuator>"):
        if words and "joint" in words:
            end = part.replace("<", "</")
            text = text[: text.index(part)] + text[text.index(end) + len(end) :]
    tiny.write_text(text)
    with pytest.raises(FormatError, match=words or "neither MJCF nor URDF") as caught:
        load(tiny)
    assert "\n" not in str(caught.value)


def test_a_missing_file_mesh_or_joint_is_named(tiny: Path, tiny_urdf: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot read the robot"):
        load(tmp_path / "none.xml")
    with pytest.raises(FormatError, match="has no joint 'wrist'; its joints are: shoulder, elbow, gripper"):
        load(tiny, positions={"wrist": 0.1})
    with pytest.raises(FormatError, match="position of joint elbow must be finite"):
        load(tiny, positions={"elbow": float("nan")})
    tiny_urdf.write_text(URDF.replace("cube.stl", "cube.dae"))
    with pytest.raises(FormatError, match=r"needs the mesh package://tiny_description/meshes/cube\.dae"):
        load(tiny_urdf)
    (tiny_urdf.parents[1] / "meshes" / "cube.dae").write_text("x")
    with pytest.raises(FormatError, match="convert it"):
        load(tiny_urdf)


def test_a_floating_base_is_fixed_and_said(tiny: Path) -> None:
    floating = MJCF.replace('<body name="base">', '<body name="base" pos="0 0 1"><freejoint/>')
    tiny.write_text(floating.replace('qpos="', 'qpos="0 0 1 1 0 0 0 '))
    robot = load(tiny)
    assert robot.notes == ("tiny-1: its floating base base is fixed where it is put",)
    assert position(Scene(robot.links), "tiny-1-upper") == pytest.approx(0.3)


@pytest.mark.parametrize("file", ["so101_new_calib.xml", "so101_new_calib.urdf"])
def test_a_real_arm_from_either_format(shared_dir: Path, file: str) -> None:
    folder = shared_dir / "data" / "robotdesc_so101"
    if not folder.is_dir():
        pytest.skip(f"no SO-101 description at {folder}")
    robot = load_robot(folder / file, "so101-1", samples=6000)
    scene = Scene(robot.links)
    links = driven_by(scene, "so101-1")
    names = [j.name for i in links if (j := scene[i].joint) is not None]
    assert names == ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"]
    for body in robot.links:
        assert body.albedo is not None
        kinds = torch.unique((body.albedo * 100).round(), dim=0)
        assert set(map(tuple, kinds.tolist())) <= {(100.0, 82.0, 12.0), (10.0, 10.0, 10.0)}
    target = (0.4, -0.3, 0.5, 0.6, -0.2)
    rollout = Physics(0.0).rollout(scene, [JointTargets(robot="so101-1", targets=(target,) * 15, gripper=(0.5,) * 15)])
    after = rollout.scene_at(scene, -1)
    assert [position(after, i) for i in links][:5] == pytest.approx(target, abs=0.02)
