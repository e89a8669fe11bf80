"""What physics promises: rest stays rest, pushes push, walls hold, and nothing is lost."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from types import SimpleNamespace

import mujoco
import numpy as np
import pytest
import trimesh

from spatialwm.dynamics import EndEffectorPath, GraspPlace, Physics, Push, Rollout
from spatialwm.dynamics.mjcf import build
from spatialwm.errors import ActionError
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, edits

NOMINAL = Physics(spread=0.0)


def travel(rollout: Rollout, object_id: str) -> np.ndarray:
    k = rollout.object_ids.index(object_id)
    return rollout.poses[-1, k, :3] - rollout.poses[0, k, :3]


def furnished(make: SimpleNamespace) -> Scene:
    books = [make.box(f"book-{i}", (0.2, 0.15, 0.03), (-0.3, 0, 0.765 + 0.03 * i), material="paper") for i in range(5)]
    return Scene((make.table(), make.mug("mug-1", (0.4, 0, 0.8)), *books))


def test_nothing_drifts_before_anything_is_done(make: SimpleNamespace) -> None:
    rollout = NOMINAL.rollout(furnished(make), [])
    idle = EndEffectorPath(waypoints=(Pose((5.0, 5.0, 1.0)), Pose((5.0, 6.0, 1.0))), dt_s=1.0)
    far_away = NOMINAL.rollout(furnished(make), [idle])
    for poses in (rollout.poses, far_away.poses):
        assert np.array_equal(poses, np.broadcast_to(poses[0], poses.shape))
    assert far_away.horizon * far_away.dt_s >= 1.0


def test_a_resting_scene_is_predicted_at_its_own_poses_bit_for_bit(make: SimpleNamespace) -> None:
    scene = furnished(make)
    rollout = NOMINAL.rollout(scene, [Push(object="mug-1", by=(0.1, 0.0))])
    for k, object_id in enumerate(rollout.object_ids):
        pose = scene[object_id].world_from_object
        assert rollout.poses[0, k].tolist() == [*pose.position, *pose.quat]
    book = rollout.object_ids.index("book-4")
    assert np.array_equal(rollout.poses[:, book], np.broadcast_to(rollout.poses[0, book], (rollout.horizon + 1, 7)))


def test_awake_stacks_hold_within_two_millimetres_and_a_degree(make: SimpleNamespace) -> None:
    built = build(furnished(make), 1 / 420)
    m = built.model
    m.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    d = mujoco.MjData(m)
    for _ in range(420):
        mujoco.mj_step(m, d)
    for a in built.qpos_addresses:
        assert np.linalg.norm(d.qpos[a : a + 3] - m.qpos0[a : a + 3]) < 2e-3
        assert 2 * math.acos(min(1, abs(d.qpos[a + 3 : a + 7] @ m.qpos0[a + 3 : a + 7]))) < math.radians(1)


@pytest.mark.parametrize("by", [(0.5, 0.0), (0.0, -0.4), (-0.3, 0.3)])
def test_a_pushed_box_travels_the_commanded_distance(make: SimpleNamespace, by: tuple[float, float]) -> None:
    rollout = NOMINAL.rollout(Scene((make.box("box-1", (0.3, 0.3, 0.3), (0, 0, 0.15)),)), [Push(object="box-1", by=by)])
    moved = travel(rollout, "box-1")
    slide = 0.4**2 / (2 * 0.6 * 9.81)  # it leaves the hand at the hand's speed
    assert moved[:2] == pytest.approx(np.array(by) * (1 + slide / math.hypot(*by)), abs=0.03)
    assert abs(moved[2]) < 1e-3


@pytest.mark.parametrize("friction", [0.1, 0.3, 0.6])
def test_friction_stops_a_sliding_block_where_coulomb_says(make: SimpleNamespace, friction: float) -> None:
    floor = make.wall("floor", (8, 8, 0.1), (0, 0, -0.05))
    built = build(Scene((floor, make.box("box-1", (0.2, 0.2, 0.05), (0, 0, 0.025), friction=friction))), 1 / 420)
    d = mujoco.MjData(built.model)
    for _ in range(100):
        mujoco.mj_step(built.model, d)
    speed, start = 1.0, d.qpos[0]
    d.qvel[0] = speed
    for _ in range(420 * 3):
        mujoco.mj_step(built.model, d)
    assert d.qpos[0] - start == pytest.approx(speed**2 / (2 * friction * 9.81), rel=0.05)


def test_the_slippery_one_of_two_decides_the_friction(make: SimpleNamespace) -> None:
    rough_floor = replace(make.wall("floor", (8, 8, 0.1), (0, 0, -0.05)), friction=1.0)
    moved = {}
    for friction in (0.05, 0.8):
        box = make.box("box-1", (0.2, 0.2, 0.1), (0, 0, 0.05), friction=friction)
        moved[friction] = travel(NOMINAL.rollout(Scene((rough_floor, box)), [Push(object="box-1", by=(0.2, 0.0))]), "box-1")[0]
    assert moved[0.05] > moved[0.8] + 0.1


def test_a_mug_pushed_off_a_table_lands_on_the_floor_and_not_below(make: SimpleNamespace) -> None:
    rollout = NOMINAL.rollout(furnished(make), [Push(object="mug-1", by=(0.35, 0.0))])
    k = rollout.object_ids.index("mug-1")
    assert rollout.poses[:, k, 2].min() > 0.03
    assert rollout.poses[-1, k, 2] < 0.08


def test_a_wall_stops_a_push_without_letting_anything_through(make: SimpleNamespace) -> None:
    scene = Scene((make.wall("wall", (0.1, 3, 2.5), (1.05, 0, 1.25)), make.box("box-1", (0.3, 0.3, 0.3), (0.5, 0, 0.15))))
    rollout = NOMINAL.rollout(scene, [Push(object="box-1", by=(2.0, 0.0))])
    assert rollout.poses[:, 0, 0].max() < 0.85 + 0.01
    assert rollout.poses[-1, 0, 0] > 0.8


def test_a_room_seen_from_inside_is_hollow(make: SimpleNamespace) -> None:
    shell = make.box("room", (4, 4, 2.5), (0, 0, 1.25), role="structure", mobility="static")
    assert shell.mesh is not None
    shell = replace(shell, mesh=Mesh(shell.mesh.vertices, shell.mesh.faces[:, ::-1]))
    rollout = NOMINAL.rollout(
        Scene((shell, make.box("box-1", (0.3, 0.3, 0.3), (0, 0, 0.15)))), [Push(object="box-1", by=(3.0, 0.0), speed_m_s=1.0)]
    )
    assert 1.5 < rollout.poses[:, 0, 0].max() < 1.87


def test_heavy_furniture_and_its_load_are_pushed_together(make: SimpleNamespace) -> None:
    rollout = NOMINAL.rollout(furnished(make), [Push(object="table-1", by=(0.0, 0.3))])
    assert travel(rollout, "table-1")[1] == pytest.approx(0.3, abs=0.04)
    assert travel(rollout, "book-4")[1] == pytest.approx(0.3, abs=0.08)
    assert abs(rollout.poses[-1, rollout.object_ids.index("table-1"), 2]) < 0.005


@pytest.mark.parametrize("target", [(-0.3, 0.25, 0.8), (0.0, -0.2, 0.8), (1.5, 0.5, 0.05)])
def test_grasp_and_place_ends_within_two_centimetres(make: SimpleNamespace, target: tuple[float, float, float]) -> None:
    rollout = NOMINAL.rollout(furnished(make), [GraspPlace(object="mug-1", target=target)])
    mug = rollout.object_ids.index("mug-1")
    assert rollout.poses[-1, mug, :3] == pytest.approx(target, abs=0.02)
    assert rollout.poses[:, mug, 2].max() > 0.9


def test_an_open_finger_pushes_and_a_closed_one_carries(make: SimpleNamespace) -> None:
    scene = Scene((make.box("box-1", (0.1, 0.1, 0.1), (0, 0, 0.05), mass_kg=0.3),))
    across = tuple(Pose((-0.2 + 0.05 * i, 0.0, 0.05)) for i in range(9))
    pushed = NOMINAL.rollout(scene, [EndEffectorPath(waypoints=across)])
    assert travel(pushed, "box-1")[0] > 0.2
    stops = ((-0.15, 0.0, 0.05), (-0.075, 0.0, 0.05), (-0.075, 0.0, 0.3), (-0.4, 0.0, 0.3), (-0.4, 0.0, 0.06))
    path = tuple(Pose(stop) for stop in stops)
    carried = NOMINAL.rollout(scene, [EndEffectorPath(waypoints=path, dt_s=0.5, closed=(False, True, True, True, True))])
    assert carried.poses[:, 0, 2].max() > 0.25
    assert travel(carried, "box-1")[0] == pytest.approx(-0.325, abs=0.05)


def test_things_sunk_into_each_other_do_not_explode(make: SimpleNamespace) -> None:
    sunk = [make.box(f"box-{i}", (0.3, 0.3, 0.1), (0, 0, 0.03 + 0.08 * i)) for i in range(4)]
    rollout = NOMINAL.rollout(Scene(tuple(sunk)), [Push(object="box-3", by=(0.05, 0.0))])
    for i in range(4):
        assert abs(travel(rollout, f"box-{i}")[2]) < 0.005
    assert abs(travel(rollout, "box-0")[0]) < 0.02


def test_a_thing_in_mid_air_falls(make: SimpleNamespace) -> None:
    rollout = NOMINAL.rollout(Scene((make.box("box-1", (0.2, 0.2, 0.2), (0, 0, 1.0)),)), [])
    assert rollout.poses[0, 0, 2] == 1.0
    assert rollout.poses[-1, 0, 2] == pytest.approx(0.1, abs=0.005)


def test_what_hangs_stays_until_it_is_taken(make: SimpleNamespace) -> None:
    scene = Scene((make.box("painting-1", (0.6, 0.03, 0.4), (0, 0, 1.5), supported_by="wall"), make.mug("mug-1", (2, 0, 0.05))))
    assert NOMINAL.rollout(scene, [Push(object="mug-1", by=(0.1, 0.0))]).object_ids == ("mug-1",)
    fallen = NOMINAL.rollout(scene, [Push(object="painting-1", by=(0.0, 0.1))])
    assert fallen.poses[-1, 0, 2] < 0.3


def test_the_same_prediction_twice_is_equal_bit_for_bit(make: SimpleNamespace) -> None:
    first, second = (Physics().rollout(furnished(make), [Push(object="mug-1", by=(0.35, 0.02))]) for _ in range(2))
    assert np.array_equal(first.poses, second.poses)
    assert np.array_equal(first.uncertainty, second.uncertainty)


def test_uncertainty_grows_for_what_moves_and_is_zero_for_what_does_not(make: SimpleNamespace) -> None:
    rollout = Physics().rollout(furnished(make), [Push(object="mug-1", by=(0.12, 0.0))])
    mug, book = rollout.object_ids.index("mug-1"), rollout.object_ids.index("book-4")
    assert (rollout.uncertainty[0] == 0).all()
    assert 1e-5 < rollout.uncertainty[-1, mug] < 0.1
    assert (rollout.uncertainty[:, book] < 1e-4).all()


def test_a_prediction_keeps_every_gaussian(make: SimpleNamespace) -> None:
    scene = furnished(make)
    after = NOMINAL.rollout(scene, [Push(object="mug-1", by=(0.1, 0.0))]).scene_at(scene, -1)
    assert all(a.gaussians is b.gaussians for a, b in zip(scene.objects, after.objects, strict=True))


def test_actions_follow_each_other(make: SimpleNamespace) -> None:
    scene = Scene((make.box("box-1", (0.3, 0.3, 0.3), (0, 0, 0.15)),))
    rollout = NOMINAL.rollout(scene, [Push(object="box-1", by=(0.3, 0.0)), Push(object="box-1", by=(0.0, 0.3))])
    assert travel(rollout, "box-1")[:2] == pytest.approx([0.31, 0.31], abs=0.03)


def test_scaled_and_turned_objects_meet_the_floor(make: SimpleNamespace) -> None:
    scene = Scene((make.box("box-1", (0.2, 0.1, 0.1), (0, 0, 0.05)),))
    scene = scene.apply(edits.Scale("box-1", 2.0)).apply(edits.Rotate("box-1", 30.0))
    rollout = NOMINAL.rollout(scene, [Push(object="box-1", by=(0.2, 0.0))])
    assert travel(rollout, "box-1")[0] == pytest.approx(0.21, abs=0.03)
    assert abs(travel(rollout, "box-1")[2]) < 1e-3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mobility": "static"}, "set its mobility"),
        ({"role": "structure"}, "part of the place"),
    ],
)
def test_what_cannot_move_is_refused_with_the_mend(make: SimpleNamespace, change: dict[str, str], words: str) -> None:
    scene = Scene((replace(make.box("box-1", (0.2, 0.2, 0.2), (0, 0, 0.1)), **change),))
    with pytest.raises(ActionError, match=words):
        NOMINAL.rollout(scene, [Push(object="box-1", by=(0.1, 0.0))])


def test_an_unknown_object_is_refused_with_the_ids_there_are(make: SimpleNamespace) -> None:
    with pytest.raises(ActionError, match=r"no object 'cat-1'.*mug-1"):
        NOMINAL.rollout(furnished(make), [Push(object="cat-1", by=(0.1, 0.0))])


@pytest.mark.parametrize("dt_s", [0.0, -1.0, math.nan, 2.0])
def test_a_senseless_time_step_is_refused(make: SimpleNamespace, dt_s: float) -> None:
    with pytest.raises(ActionError, match="dt_s"):
        NOMINAL.rollout(furnished(make), [], dt_s=dt_s)


def test_an_empty_scene_rests() -> None:
    rollout = Physics().rollout(Scene(), [])
    assert rollout.poses.shape[1:] == (0, 7)


def test_a_room_of_thirty_objects_is_predicted_within_five_seconds(make: SimpleNamespace) -> None:
    tables = [make.table(f"table-{i}", (1.6 * i, 0, 0)) for i in range(5)]
    mugs = [make.mug(f"mug-{i}", (1.6 * (i // 5) + 0.2 * (i % 5) - 0.4, 0.1, 0.8)) for i in range(25)]
    start = time.process_time()
    rollout = Physics().rollout(Scene((*tables, *mugs)), [Push(object="table-0", by=(1.0, 0.0))])
    assert rollout.horizon * rollout.dt_s > 2.5
    assert time.process_time() - start < 5


def test_furniture_slides_over_the_edge_of_a_rug(make: SimpleNamespace) -> None:
    rug = make.box("rug-1", (2.0, 1.5, 0.014), (0, 0, 0.007), supported_by="floor")
    lamp = make.box("stand-1", (0.3, 0.3, 0.3), (1.3, 0, 0.15), supported_by="floor")
    rollout = NOMINAL.rollout(Scene((rug, lamp)), [Push(object="stand-1", by=(-0.6, 0.0))])
    assert travel(rollout, "stand-1")[0] == pytest.approx(-0.61, abs=0.03)
    assert np.linalg.norm(travel(rollout, "rug-1")) < 1e-3


def test_no_member_of_the_ensemble_is_too_weak_to_push(make: SimpleNamespace) -> None:
    rug = make.box("rug-1", (2.0, 1.5, 0.014), (0, 0, 0.007), supported_by="floor")
    table = make.table(at=(0.0, 0.0, 0.014), mass_kg=20.0)
    rollout = Physics().rollout(Scene((rug, table)), [Push(object="table-1", by=(0.3, 0.0))])
    assert rollout.uncertainty[-1, rollout.object_ids.index("table-1")] < 0.05


def test_a_lamp_with_a_wide_shade_is_pushed_by_its_heavy_foot(make: SimpleNamespace) -> None:
    """The shade is an open sheet: its hull is the largest, its share of the mass the smallest."""
    foot = trimesh.creation.cylinder(0.155, 0.05).apply_translation((0, 0, 0.025))
    pole = trimesh.creation.cylinder(0.011, 1.45).apply_translation((0, 0, 0.775))
    shade = trimesh.creation.revolve(np.array([[0.23, 1.42], [0.15, 1.74]]), sections=32)
    lamp = make.assembled("lamp-1", (0, 0, 0), foot, pole, shade, mass_kg=5.5)
    rollout = NOMINAL.rollout(Scene((lamp,)), [Push(object="lamp-1", by=(-0.3, 0.0))])
    assert travel(rollout, "lamp-1")[0] == pytest.approx(-0.31, abs=0.05)
    assert abs(rollout.poses[-1, 0, 3]) > 0.99


def test_a_thin_skirting_all_around_a_room_does_not_reach_into_it(make: SimpleNamespace) -> None:
    sides = [((4.0, 0.02, 0.1), (0, s * 1.99, 0.05)) for s in (-1, 1)]
    sides += [((0.02, 4.0, 0.1), (s * 1.99, 0, 0.05)) for s in (-1, 1)]
    ring = trimesh.util.concatenate([trimesh.creation.box(size).apply_translation(at) for size, at in sides])
    skirting = make.assembled("trim", (0, 0, 0), ring, role="structure", mobility="static")
    box = make.box("box-1", (0.3, 0.3, 0.3), (1.82, 0, 0.15))
    rollout = NOMINAL.rollout(Scene((skirting, box)), [Push(object="box-1", by=(0.0, 0.5))])
    assert travel(rollout, "box-1")[1] == pytest.approx(0.51, abs=0.03)
