"""Drawers slide, doors turn, and what hangs on them comes along."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatialwm.errors import EditError, ShapeError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Drive, Inertia, Joint, Scene, SceneObject, describe, edits
from spatialwm.scene.articulation import attached_to, driven_by, position
from spatialwm.scene.script import parse_command, parse_script
from spatialwm.world import World

CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)], np.float32)


def cube(object_id, at=(0.0, 0.0, 0.0), size=1.0, **more):
    quats, scales = np.tile([1.0, 0, 0, 0], (8, 1)), np.full((8, 3), 0.01)
    gaussians = Gaussians.from_numpy(CORNERS, quats, scales, np.ones(8), rgb=np.full((8, 3), 0.5))
    return SceneObject(object_id, "cube", gaussians, Pose(at, scale=size), mesh=Mesh(CORNERS, np.array([[0, 1, 2]])), **more)


@pytest.fixture
def cabinet():
    """A cabinet with a drawer at half size, a knob turning on the drawer's front, and a mug standing in the drawer."""
    scene = Scene((cube("cabinet"), cube("drawer", (0.3, 0.0, 0.4), 0.5), cube("knob", (0.6, 0.0, 0.6), 0.1)))
    scene = scene.apply(edits.Articulate("drawer", "slide", (1.0, 0.0, 0.0), (0.0, 0.4), parent="cabinet"))
    scene = scene.apply(edits.Articulate("knob", "hinge", (1.0, 0.0, 0.0), (-2.0, 2.0), (0.6, 0.0, 0.65), "drawer"))
    return scene.apply(edits.Insert(cube("mug", (0.2, 0.0, 0.9), 0.1, supported_by="drawer")))


def place(scene, object_id):
    return scene[object_id].world_from_object.position


unit = st.floats(-1, 1, allow_nan=False)


@given(
    kind=st.sampled_from(["slide", "hinge"]), axis=st.tuples(unit, unit, unit).filter(lambda a: sum(v * v for v in a) > 0.01),
    origin=st.tuples(unit, unit, unit), q=st.floats(-3.1, 3.1),
)  # fmt: skip
def test_the_position_is_read_back_from_the_motion(kind, axis, origin, q):
    joint = Joint(kind, axis, (-3.2, 3.2), origin)
    assert joint.position_of(joint.motion(q)) == pytest.approx(q, abs=1e-7)
    if kind == "hinge":
        assert joint.motion(q).apply(np.array([origin]))[0] == pytest.approx(origin, abs=1e-9)


def test_an_angle_beyond_half_a_turn_is_the_one_within_the_range():
    joint = Joint("hinge", (0.0, 0.0, 1.0), (3.5, 6.0))
    assert joint.position_of(joint.motion(5.0)) == pytest.approx(5.0)


def test_an_axis_is_made_a_unit_once_and_then_keeps_its_bits():
    joint = Joint("slide", (1.0, 2.0, 2.0), None)
    assert joint.axis == pytest.approx((1 / 3, 2 / 3, 2 / 3))
    assert Joint("slide", joint.axis, None).axis == joint.axis


def test_an_opened_drawer_takes_its_knob_along_and_knows_how_far_it_is_open(cabinet):
    opened = cabinet.apply(edits.SetJoints((("drawer", 0.6), ("knob", 1.0))))
    assert place(opened, "drawer") == pytest.approx((0.6, 0.0, 0.4))
    assert position(opened, "drawer") == pytest.approx(0.6)
    assert position(opened, "knob") == pytest.approx(1.0)
    middle = opened["knob"].world_from_object.apply(np.array([[0.0, 0.0, 0.5]]))[0]
    assert middle == pytest.approx((0.9, 0.0, 0.65))
    shut = opened.apply(edits.SetJoints((("drawer", 0.0),)))
    assert position(shut, "knob") == pytest.approx(1.0)
    assert place(shut, "drawer") == pytest.approx(place(cabinet, "drawer"))


def test_moving_turning_and_scaling_a_cabinet_keeps_every_joint_where_it_was(cabinet):
    opened = cabinet.apply(edits.SetJoints((("drawer", 0.5), ("knob", -0.7))))
    for edit in (edits.Move("cabinet", (1.0, 2.0, 0.0)), edits.Rotate("cabinet", 40.0), edits.Scale("cabinet", 1.7)):
        changed = opened.apply(edit)
        assert position(changed, "drawer") == pytest.approx(0.5)
        assert position(changed, "knob") == pytest.approx(-0.7)
        before = opened["cabinet"].world_from_object.inverse() @ opened["knob"].world_from_object
        after = changed["cabinet"].world_from_object.inverse() @ changed["knob"].world_from_object
        assert after.to_list() == pytest.approx(before.to_list(), abs=1e-9)
    assert opened.apply(edits.Move("cabinet", (1.0, 0.0, 0.0), carry=False))["knob"].world_from_object.position[0] > 1.5
    fixed = opened.apply(edits.FixScale((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 2.0))
    assert position(fixed, "drawer") == pytest.approx(0.5)


def test_a_drawer_moved_by_hand_takes_its_rail_along(cabinet):
    opened = cabinet.apply(edits.SetJoints((("drawer", 0.5),)))
    aside = opened.apply(edits.Move("drawer", (0.0, 0.3, 0.0)))
    assert position(aside, "drawer") == pytest.approx(0.5)
    assert position(aside, "knob") == pytest.approx(0.0, abs=1e-9)
    assert place(aside.apply(edits.SetJoints((("drawer", 0.0),))), "drawer") == pytest.approx((0.3, 0.3, 0.4))


def test_what_is_opened_by_a_prediction_is_open(cabinet):
    pose = cabinet.apply(edits.SetJoints((("drawer", 0.7),)))["drawer"].world_from_object
    assert position(cabinet.apply(edits.SetPoses((("drawer", pose),))), "drawer") == pytest.approx(0.7)


def test_copies_have_joints_of_their_own_and_deleting_takes_the_parts_along(cabinet):
    two = cabinet.apply(edits.Duplicate("cabinet", (3.0, 0.0, 0.0)))
    assert attached_to(two, "cube-1") == ("cube-1-drawer", "cube-1-knob")
    two = two.apply(edits.SetJoints((("cube-1-drawer", 0.8),)))
    assert position(two, "cube-1-drawer") == pytest.approx(0.8)
    assert position(two, "drawer") == 0.0
    assert place(two, "cube-1-drawer") == pytest.approx((3.7, 0.0, 0.4))
    gone = two.apply(edits.Delete("cabinet"))
    assert [o.id for o in gone.objects] == ["mug", "cube-1", "cube-1-drawer", "cube-1-knob"]


def test_a_circle_of_joints_is_refused(cabinet):
    with pytest.raises(EditError, match="hangs on it"):
        cabinet.apply(edits.Articulate("drawer", "slide", (1.0, 0.0, 0.0), (0.0, 1.0), parent="knob"))


def test_a_position_out_of_range_is_refused_with_the_range(cabinet):
    with pytest.raises(EditError, match=r"drawer moves from 0 to 0\.8; got 2"):
        cabinet.apply(edits.SetJoints((("drawer", 2.0),)))


def test_a_driven_link_is_moved_by_its_joint_or_with_its_base_alone():
    joint = Joint("hinge", (0.0, 0.0, 1.0), None, parent="arm-1", drive=Drive(5.0))
    arm = cube("arm-1-link", mobility="articulated", joint=joint)
    scene = Scene((cube("arm-1"), arm))
    assert driven_by(scene, "arm-1") == ("arm-1-link",)
    with pytest.raises(EditError, match="arm-1, which carries it"):
        scene.apply(edits.Move("arm-1-link", (1.0, 0.0, 0.0)))
    assert place(scene.apply(edits.Move("arm-1", (1.0, 0.0, 0.0))), "arm-1-link") == (1.0, 0.0, 0.0)


def test_commands_and_scripts_articulate(cabinet):
    scene = Scene((cube("door"),))
    door = scene.apply(parse_command("hinge door place 0 0 1 -0.5 0 0 90", scene))
    assert door["door"].joint is not None
    assert door["door"].joint.range == pytest.approx((0.0, math.pi / 2))
    ajar = door.apply(parse_command("joint door 90", door))
    assert ajar["door"].world_from_object.apply(np.array([[0.5, 0.0, 0.0]]))[0] == pytest.approx((-0.5, 1.0, 0.0), abs=1e-9)
    script = [
        {"op": "articulate", "object": "mug", "kind": "slide", "axis": [0, 0, 1], "range": [0, 0.2], "parent": "cabinet"},
        {"op": "set_joints", "positions": [["mug", 1.5]]}, "slide mug cabinet 0 1 0 0.1", "joint mug 0.5",
    ]  # fmt: skip
    for edit in parse_script(json.dumps(script), cabinet):
        cabinet = cabinet.apply(edit)
    assert place(cabinet, "mug") == pytest.approx((0.2, 0.05, 1.05))


def test_the_description_tells_the_joint(cabinet):
    told = {o["id"]: o for o in describe(cabinet.apply(edits.SetJoints((("drawer", 0.6),))))["objects"]}
    assert "joint" not in told["cabinet"]
    assert told["drawer"]["joint"] == {
        "kind": "slide", "name": "", "parent": "cabinet", "position": 0.6, "range": [0.0, 0.8], "driven": False,
    }  # fmt: skip


def test_a_world_with_joints_reopens_bit_for_bit_and_replays(cabinet, tmp_path):
    with World.create(tmp_path / "k.world", Scene((cube("box", (5.0, 0.0, 0.0)),))) as world:
        world.apply(edits.InsertAll(cabinet.objects))
        world.apply(edits.SetJoints((("drawer", 0.3),)))
        world.apply(edits.Articulate("box", "hinge", (0.0, 0.1, 1.0), (0.0, 1.0), (5.5, 0.0, 0.0)))
        truth = world.scene()
    with World.open(tmp_path / "k.world") as again:
        assert again.scene().same_as(truth)
        assert again.replay().same_as(truth)
        again.undo()
        assert again.scene()["box"].joint is None
        assert again.check() == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Joint("hinge", (0.0, 0.0, 0.0), None),
        lambda: Joint("hinge", (0.0, math.nan, 1.0), None),
        lambda: Joint("hinge", (0.0, 0.0, 1.0), (1.0, 1.0)),
        lambda: Joint("hinge", (0.0, 0.0, 1.0), None, damping=-1.0),
        lambda: Drive(0.0),
        lambda: Inertia((0.0, 0.0, 0.0), (1.0, 1.0, 0.0)),
        lambda: Inertia((0.0, math.nan, 0.0), (1.0, 1.0, 1.0)),
        lambda: Inertia((0.0, 0.0, 0.0), (1.0, 1.0, 3.0)),
        lambda: Drive(1.0, limit=math.inf),
    ],
)
def test_a_joint_or_inertia_that_cannot_be_is_refused(wrong):
    with pytest.raises(ShapeError):
        wrong()
