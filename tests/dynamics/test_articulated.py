"""Drawers, doors and walkers: what moves on a joint stays on it, and what leans on things moves them."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh

from spatialwm.dynamics import EndEffectorPath, GraspPlace, JointTargets, OpenClose, Physics, Pull, Push, Rollout, Walk
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Drive, Joint, Scene, edits
from spatialwm.scene.articulation import position

NOMINAL = Physics(spread=0.0)


def travel(rollout: Rollout, object_id: str) -> np.ndarray:
    k = rollout.object_ids.index(object_id)
    return rollout.poses[-1, k, :3] - rollout.poses[0, k, :3]


def dresser(make: SimpleNamespace, **fields: object) -> Scene:
    """A carcass without a front, a drawer that is an open box, and a ball of paper in the drawer."""
    walls = [
        ((0.4, 0.02, 0.3), (0, 0.24, 0.35)), ((0.4, 0.02, 0.3), (0, -0.24, 0.35)), ((0.4, 0.5, 0.02), (0, 0, 0.21)),
        ((0.4, 0.5, 0.02), (0, 0, 0.49)), ((0.4, 0.5, 0.2), (0, 0, 0.1)),
    ]  # fmt: skip
    inner = [
        ((0.38, 0.44, 0.01), (0, 0, -0.1)), ((0.01, 0.44, 0.2), (0.19, 0, 0)), ((0.01, 0.44, 0.2), (-0.19, 0, 0)),
        ((0.38, 0.01, 0.2), (0, 0.215, 0)), ((0.38, 0.01, 0.2), (0, -0.215, 0)),
    ]  # fmt: skip
    boxes = [[trimesh.creation.box(size).apply_translation(at) for size, at in side] for side in (walls, inner)]
    scene = Scene((
        make.assembled("dresser", (0, 0, 0), *boxes[0], **{"mass_kg": 30.0, **fields}),
        make.assembled("drawer", (0, 0, 0.35), *boxes[1], mass_kg=2.0),
        make.box("paper", (0.06, 0.06, 0.06), (0.0, 0.0, 0.29), mass_kg=0.05),
    ))  # fmt: skip
    return scene.apply(edits.Articulate("drawer", "slide", (1.0, 0.0, 0.0), (0.0, 0.3), parent="dresser"))


def door(make: SimpleNamespace) -> Scene:
    wall = make.wall("wall-1", (2.0, 0.1, 2.0), (-1.45, 0, 1.0))
    scene = Scene((wall, make.box("door", (0.9, 0.04, 2.0), (0, 0, 1.01), mass_kg=15.0)))
    return scene.apply(edits.Articulate("door", "hinge", (0.0, 0.0, 1.0), (0.0, 1.6), (-0.45, 0.0, 0.0), "wall-1"))


@pytest.mark.parametrize("mobility", ["static", "rigid"])
def test_a_drawer_opens_with_what_is_in_it_and_shuts_again(make: SimpleNamespace, mobility: str) -> None:
    scene = dresser(make, mobility=mobility)
    rollout = NOMINAL.rollout(scene, [OpenClose(object="drawer", to=1.0)])
    assert travel(rollout, "drawer") == pytest.approx((0.3, 0.0, 0.0), abs=0.01)
    assert travel(rollout, "paper")[0] == pytest.approx(0.3, abs=0.12)
    opened = rollout.scene_at(scene, -1)
    assert position(opened, "drawer") == pytest.approx(0.3, abs=0.01)
    assert rollout.poses[:, rollout.object_ids.index("paper"), 2].min() > 0.15
    shut = NOMINAL.rollout(opened, [OpenClose(object="drawer", to=0.0)])
    assert position(shut.scene_at(opened, -1), "drawer") == pytest.approx(0.0, abs=0.01)


def test_a_drawer_rides_on_its_dresser_to_the_last_digit(make: SimpleNamespace) -> None:
    scene = dresser(make)
    rollout = NOMINAL.rollout(scene, [Push(object="dresser", by=(0.0, 0.3))])
    after = rollout.scene_at(scene, -1)
    assert travel(rollout, "dresser")[1] > 0.2
    slot = after["dresser"].world_from_object.inverse() @ after["drawer"].world_from_object
    assert slot.position[1:] == pytest.approx((0.0, 0.35), abs=1e-9)


def test_an_open_drawer_is_pushed_shut(make: SimpleNamespace) -> None:
    scene = dresser(make, mobility="static").apply(edits.SetJoints((("drawer", 0.25),)))
    rollout = NOMINAL.rollout(scene, [Push(object="drawer", by=(-0.4, 0.0))])
    assert position(rollout.scene_at(scene, -1), "drawer") == pytest.approx(0.0, abs=0.01)


def test_a_door_swings_open_on_its_hinge_half_way_and_whole(make: SimpleNamespace) -> None:
    scene = door(make)
    for share in (0.5, 1.0):
        rollout = NOMINAL.rollout(scene, [OpenClose(object="door", to=share)])
        assert position(rollout.scene_at(scene, -1), "door") == pytest.approx(1.6 * share, abs=0.03)
    poses = rollout.poses[:, rollout.object_ids.index("door")]
    hinge = [Pose.from_list(p).apply(np.array([[-0.45, 0.0, 0.0]]))[0] for p in poses]
    assert np.ptp(hinge, axis=0).max() < 1e-9
    assert (np.diff([position(rollout.scene_at(scene, t), "door") for t in range(len(poses))]) > -1e-3).all()


def test_a_closed_finger_pulls_a_drawer_open(make: SimpleNamespace) -> None:
    scene = dresser(make, mobility="static")
    path = tuple(Pose((x, 0.0, 0.35)) for x in (0.3, 0.215, 0.215, 0.4, 0.4))
    rollout = NOMINAL.rollout(scene, [EndEffectorPath(waypoints=path, dt_s=0.5, closed=(False, True, True, True, False))])
    assert travel(rollout, "drawer")[0] > 0.12


def test_a_door_that_nothing_touches_stands_still_bit_for_bit(make: SimpleNamespace) -> None:
    rollout = NOMINAL.rollout(door(make), [])
    assert np.array_equal(rollout.poses, np.broadcast_to(rollout.poses[0], rollout.poses.shape))


def test_what_has_no_joint_is_not_opened_and_what_has_one_is_not_carried_off(make: SimpleNamespace) -> None:
    with pytest.raises(ActionError, match="has no joint to open; what opens is: drawer"):
        NOMINAL.rollout(dresser(make), [OpenClose(object="paper", to=1.0)])
    with pytest.raises(ActionError, match="cannot be carried off"):
        NOMINAL.rollout(dresser(make), [GraspPlace(object="drawer", target=(1.0, 0.0, 0.5))])
    with pytest.raises(ActionError, match=r"no object 'cat-1'.*drawer"):
        NOMINAL.rollout(dresser(make), [OpenClose(object="cat-1", to=1.0)])


@pytest.mark.parametrize("by", [(0.4, 0.0), (-0.3, 0.3)])
def test_a_pull_brings_the_object_along(make: SimpleNamespace, by: tuple[float, float]) -> None:
    chest = make.box("chest", (0.4, 0.3, 0.3), (0, 0, 0.15), mass_kg=12.0)
    rollout = NOMINAL.rollout(Scene((chest,)), [Pull(object="chest", by=by)])
    assert travel(rollout, "chest")[:2] == pytest.approx(by, abs=0.08)
    assert abs(travel(rollout, "chest")[2]) < 2e-3


def test_a_pull_against_a_wall_ends(make: SimpleNamespace) -> None:
    scene = Scene((make.box("chest", (0.4, 0.3, 0.3), (0, 0, 0.15)), make.wall("wall-1", (0.2, 2.0, 1.0), (0.35, 0, 0.5))))
    rollout = NOMINAL.rollout(scene, [Pull(object="chest", by=(1.0, 0.0))])
    assert travel(rollout, "chest")[0] < 0.07


def test_a_walker_pushes_a_chair_aside_and_stops_at_a_wall(make: SimpleNamespace) -> None:
    chair = make.box("chair-1", (0.4, 0.4, 0.8), (1.5, 0.0, 0.4), mass_kg=5.0)
    pushed = NOMINAL.rollout(Scene((chair,)), [Walk(waypoints=((0.0, 0.0), (2.0, 0.0)))])
    assert travel(pushed, "chair-1")[0] == pytest.approx(0.95, abs=0.35)
    walled = Scene((chair, make.wall("wall-1", (0.2, 4.0, 2.0), (2.2, 0, 1.0))))
    stopped = NOMINAL.rollout(walled, [Walk(waypoints=((0.0, 0.0), (4.0, 0.0)))])
    assert travel(stopped, "chair-1")[0] < 0.45
    assert stopped.horizon * stopped.dt_s < 10


def test_a_walker_turns_corners_around_what_it_should_not_touch(make: SimpleNamespace) -> None:
    vase = make.box("vase-1", (0.2, 0.2, 0.6), (1.0, 0.0, 0.3), mass_kg=2.0)
    around = Walk(waypoints=((0.0, 0.0), (0.0, 1.0), (2.0, 1.0), (2.0, 0.0)))
    rollout = NOMINAL.rollout(Scene((vase,)), [around])
    assert np.array_equal(rollout.poses[-1], rollout.poses[0])
    assert rollout.horizon * rollout.dt_s > 4.0 / 1.2


def test_a_walk_that_begins_inside_something_is_refused_by_its_name(make: SimpleNamespace) -> None:
    chair = make.box("chair-1", (0.4, 0.4, 0.8), (0.1, 0.0, 0.4))
    with pytest.raises(ActionError, match="inside chair-1"):
        NOMINAL.rollout(Scene((chair,)), [Walk(waypoints=((0.0, 0.0), (2.0, 0.0)))])


def arm(make: SimpleNamespace) -> Scene:
    """A robot of two links and a finger, beside a box."""
    base = make.box("arm-1", (0.1, 0.1, 0.1), (0, 0, 0.05), mobility="static")
    drive = Drive(200.0, 5.0, 30.0)
    upper = make.box("arm-1-upper", (0.4, 0.04, 0.04), (0.2, 0, 0.13), mass_kg=0.5, mobility="articulated")
    lower = make.box("arm-1-lower", (0.3, 0.04, 0.04), (0.55, 0, 0.13), mass_kg=0.3, mobility="articulated")
    finger = make.box("arm-1-finger", (0.02, 0.01, 0.05), (0.7, 0, 0.1), mass_kg=0.05, mobility="articulated")

    def held(body: object, parent: object, joint: Joint) -> object:
        rest = parent.world_from_object.inverse() @ body.world_from_object  # pyright: ignore
        return replace(body, joint=replace(joint, parent=parent.id, parent_from_zero=rest))  # pyright: ignore

    z = (0.0, 0.0, 1.0)
    upper = held(upper, base, Joint("hinge", z, (-2.0, 2.0), (-0.2, 0.0, 0.0), name="shoulder", armature=0.01, drive=drive))
    lower = held(lower, upper, Joint("hinge", z, (-2.0, 2.0), (-0.15, 0.0, 0.0), name="elbow", armature=0.01, drive=drive))
    finger = held(finger, lower, Joint("slide", (0.0, 1.0, 0.0), (0.0, 0.04), name="gripper", drive=Drive(200.0, 5.0, 10.0)))
    return Scene((base, upper, lower, finger, make.box("box-1", (0.1, 0.1, 0.2), (0.5, 0.35, 0.1), mass_kg=0.2)))


def test_a_robot_reaches_its_targets_and_holds_them(make: SimpleNamespace) -> None:
    scene = arm(make)
    rollout = NOMINAL.rollout(scene, [JointTargets(robot="arm-1", targets=((-0.3, 0.5, 0.02),) * 12)])
    after = rollout.scene_at(scene, -1)
    assert position(after, "arm-1-upper") == pytest.approx(-0.3, abs=0.01)
    assert position(after, "arm-1-lower") == pytest.approx(0.5, abs=0.01)
    assert position(after, "arm-1-finger") == pytest.approx(0.02, abs=0.002)
    assert np.array_equal(travel(rollout, "box-1"), np.zeros(3))
    wanted = scene.apply(edits.SetJoints(tuple((i, position(after, i)) for i in ("arm-1-upper", "arm-1-lower", "arm-1-finger"))))
    for link in ("arm-1-upper", "arm-1-lower", "arm-1-finger"):
        assert after[link].world_from_object.to_list() == pytest.approx(wanted[link].world_from_object.to_list(), abs=1e-9)


def test_a_robot_sweeps_a_box_aside_and_opens_its_gripper(make: SimpleNamespace) -> None:
    rows = tuple((0.1 * i, 0.0) for i in range(10))
    rollout = NOMINAL.rollout(arm(make), [JointTargets(robot="arm-1", targets=rows, gripper=(1.0,) * 10)])
    after = rollout.scene_at(arm(make), -1)
    assert travel(rollout, "box-1")[1] > 0.05
    assert position(after, "arm-1-finger") == pytest.approx(0.04, abs=0.003)


def test_a_robot_left_alone_stands_still_bit_for_bit(make: SimpleNamespace) -> None:
    rollout = NOMINAL.rollout(arm(make), [Push(object="box-1", by=(0.0, 0.1))])
    links = [k for k, i in enumerate(rollout.object_ids) if i.startswith("arm")]
    assert np.array_equal(rollout.poses[:, links], np.broadcast_to(rollout.poses[0, links], rollout.poses[:, links].shape))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"robot": "box-1"}, "no robot 'box-1' in this scene; robots are: arm-1"),
        ({"targets": ((0.1, 0.2),)}, r"takes 3 targets a row \(shoulder, elbow, gripper\); got 2"),
        ({"gripper": (1.0,)}, r"takes 2 targets a row \(shoulder, elbow\); got 3"),
        ({"targets": ((0.1, 0.2, 0.0), (0.1, 7.0, 0.0))}, "row 2: target of elbow lies outside its range of -2 to 2; got 7"),
    ],
)
def test_targets_that_do_not_fit_the_robot_are_refused(make: SimpleNamespace, change: dict[str, object], words: str) -> None:
    action = JointTargets(**{"robot": "arm-1", "targets": ((0.1, 0.2, 0.0),), **change})  # pyright: ignore
    with pytest.raises(ActionError, match=words):
        NOMINAL.rollout(arm(make), [action])


def test_a_link_of_a_robot_is_not_pushed(make: SimpleNamespace) -> None:
    with pytest.raises(ActionError, match="moves itself"):
        NOMINAL.rollout(arm(make), [Push(object="arm-1-upper", by=(0.1, 0.0))])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: OpenClose(object="a", to=1.5),
        lambda: OpenClose(object="a", to=math.nan),
        lambda: OpenClose(object="a", to=1.0, speed_m_s=0.0),
        lambda: Pull(object="a", by=(0.0, 0.0)),
        lambda: Pull(object="a", by=(math.nan, 0.0)),
        lambda: JointTargets(robot="a", targets=()),
        lambda: JointTargets(robot="a", targets=((),)),
        lambda: JointTargets(robot="a", targets=((1.0,), (1.0, 2.0))),
        lambda: JointTargets(robot="a", targets=((math.nan,),)),
        lambda: JointTargets(robot="a", targets=((1.0,),), gripper=(0.5, 0.5)),
        lambda: JointTargets(robot="a", targets=((1.0,),), gripper=(1.5,)),
        lambda: JointTargets(robot="a", targets=((1.0,),) * 1000),
        lambda: JointTargets(robot="a", targets=((1.0,),), dt_s=0.0),
        lambda: Walk(waypoints=((0.0, 0.0),)),
        lambda: Walk(waypoints=((0.0, 0.0), (math.inf, 0.0))),
        lambda: Walk(waypoints=((0.0, 0.0), (100.0, 0.0))),
        lambda: Walk(waypoints=((0.0, 0.0), (1.0, 0.0)), radius_m=2.0),
        lambda: Walk(waypoints=((0.0, 0.0), (1.0, 0.0)), speed_m_s=-1.0),
    ],
)
def test_an_action_that_cannot_be_is_refused_in_one_line(wrong: object) -> None:
    with pytest.raises(ActionError) as caught:
        wrong()  # pyright: ignore
    assert "\n" not in str(caught.value)
