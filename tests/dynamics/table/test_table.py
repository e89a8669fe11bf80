"""TablePush-3D: what is seen is shared by truth and belief, what is not stays hidden, and a seed is an episode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.dynamics.motion import points_at
from spatialwm.dynamics.table import (
    VARIANTS,
    Filling,
    NominalPhysics,
    TableBatch,
    TableSimulator,
    TruePhysics,
    make_episode,
    make_twins,
)
from spatialwm.dynamics.table.shapes import FAMILIARS, STRANGERS, Part, inside, surface
from spatialwm.errors import ActionError


@pytest.fixture(scope="module")
def episode():
    return make_episode("push", 7, steps=30)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_gives_whole_episodes_in_which_something_happens(variant):
    moved = 0.0
    for seed in range(3):
        e = make_episode(variant, seed, steps=40)
        assert np.isfinite(e.track.poses).all()
        assert np.isfinite(e.track.velocities).all()
        assert e.track.poses.shape[1] == len(e.cast.object_ids) == len(set(e.cast.object_ids))
        assert np.allclose(np.linalg.norm(e.track.poses[..., 3:], axis=-1), 1, atol=1e-5)
        moved = max(moved, float(np.linalg.norm(np.ptp(e.track.poses[..., :3], axis=0), axis=-1).max()))
    assert moved > 0.01


def test_a_seed_is_an_episode(episode):
    again = make_episode("push", 7, steps=30)
    assert np.array_equal(again.track.poses, episode.track.poses)
    assert np.array_equal(again.cast.points, episode.cast.points)
    assert not np.array_equal(make_episode("push", 8, steps=30).track.poses, episode.track.poses)


def test_belief_differs_from_truth_in_what_cannot_be_seen_only(episode):
    believed, truth = episode.cast.maker, episode.truth
    for b, t in zip(believed.things, truth.things, strict=True):
        assert (b.id, b.parts, b.position, b.yaw_rad, b.color) == (t.id, t.parts, t.position, t.yaw_rad, t.color)
        assert b.mass_kg != t.mass_kg
        assert b.center_m == (0.0, 0.0, 0.0)
    assert believed.pusher.late == 0 < truth.pusher.late
    assert believed == truth.believed() == believed.believed()


def test_unfamiliar_shapes_are_not_among_those_that_are_learnt_from():
    assert not set(FAMILIARS) & set(STRANGERS)
    assert {e.split("-")[0] for s in range(4) for e in make_episode("shapes", s, 1).cast.object_ids} <= set(STRANGERS)


@pytest.mark.parametrize("name", [*FAMILIARS, *STRANGERS])
def test_points_lie_on_the_surface_and_nowhere_inside(name):
    rng = np.random.default_rng(3)
    parts = (FAMILIARS | STRANGERS)[name](rng)
    points, normals = surface(parts, 128, rng)
    for part in parts:
        assert not inside(part, points + 1e-4 * normals).any()
    assert np.any([inside(part, points - 1e-4 * normals) for part in parts], axis=0).all()


def test_even_points_cover_a_box():
    points, _ = surface((Part("box", (0.05, 0.03, 0.02)),), 200, np.random.default_rng(0))
    faces = np.abs(points) / [0.05, 0.03, 0.02] > 1 - 1e-6
    assert np.allclose(faces.mean(0), np.array([0.03 * 0.02, 0.05 * 0.02, 0.05 * 0.03]) / 0.0031, atol=0.08)


def test_the_truth_simulated_from_the_start_is_what_happened(episode):
    found = TruePhysics([episode]).forecast([episode.situation(0)], episode.track.commands[None])[0]
    off = np.linalg.norm(found.poses[:, :, :3] - episode.track.poses[1:, :, :3], axis=-1)
    assert off[:10].max() < 1e-4
    assert off.max() < 5e-3  # contacts make the rounding of the start grow


def test_the_rod_comes_late_and_belief_does_not_know():
    e = make_episode("push", 3, steps=20)
    behind = np.linalg.norm(e.track.part_poses[1:, 0, :2] - e.track.commands, axis=-1)
    assert behind[3:].mean() > 0.01
    bare = replace(e.truth, things=(e.truth.things[0],), pusher=replace(e.truth.pusher, late=0, stiffness=2000.0, damping=90.0))
    simulator = TableSimulator(bare)
    for command in e.track.commands[:5]:
        simulator.act(command)
    assert np.linalg.norm(simulator.state()[2][0, :2] - e.track.commands[4]) < 0.5 * behind[3:].mean()


def test_a_drawer_moves_along_its_own_axis_and_not_at_all_across_it():
    for seed in range(6):
        e = make_episode("drawer", seed, steps=60)
        yaw = e.truth.things[0].yaw_rad
        shift = e.track.poses[:, 0, :3] - e.track.poses[0, 0, :3]
        assert np.abs(shift @ [-np.sin(yaw), np.cos(yaw), 0.0]).max() < 1e-5
        assert np.abs(shift[:, 2]).max() < 1e-5


def test_a_centre_of_mass_off_the_middle_turns_what_is_pushed_through_the_middle():
    e = make_episode("push", 7, steps=1)
    thing = replace(e.truth.things[0], parts=(Part("box", (0.04, 0.04, 0.03)),), position=(0.1, 0.0, 0.03), yaw_rad=0.0)
    turned = []
    for off in (-0.02, 0.0, 0.02):
        pusher = replace(e.truth.pusher, start=(0.0, 0.0))
        table = replace(e.truth, things=(replace(thing, center_m=(0.0, off, 0.0)),), pusher=pusher)
        simulator = TableSimulator(table)
        for i in range(15):
            simulator.act(np.array([0.01 * (i + 1), 0.0]))
        turned.append(simulator.state()[0][0, 6])
    # The middle runs ahead of what lags behind: mass on the left turns it to the left.
    assert turned[2] - turned[0] > 0.05 or turned[0] - turned[2] > 0.05
    assert abs(turned[1]) < abs(turned[0] - turned[2])


def test_tables_of_different_sizes_run_together_as_they_run_alone():
    episodes = [make_episode(v, 1, steps=20) for v in ("push", "six", "push")]
    situations = [e.situation(10) for e in episodes]
    commands = np.stack([e.track.commands[10:20] for e in episodes])
    together = NominalPhysics().forecast(situations, commands)
    for i, situation in enumerate(situations):
        alone = NominalPhysics().forecast([situation], commands[i : i + 1])[0]
        assert np.array_equal(alone.poses, together[i].poses)
        assert alone.poses.shape == (10, len(situation.cast.object_ids), 7)


def test_a_simulator_that_served_before_forgets_what_it_was_told(episode):
    situation, commands = episode.situation(10), episode.track.commands[None, 10:20]
    before = NominalPhysics().forecast([situation], commands)[0].poses
    k = len(episode.cast.object_ids)
    filling = Filling(np.full((1, k), 5.0), np.full((1, k), 0.1), np.full((1, k, 3), 0.01), np.zeros((1, k)))
    with TableBatch([situation] * 3, Filling(*(np.repeat(v, 3, 0) for v in (
        filling.masses_kg, filling.frictions, filling.centers_m, filling.dampings)))) as batch:  # fmt: skip
        batch.act(np.repeat(commands[:, 0], 3, 0))
    assert np.array_equal(NominalPhysics().forecast([situation], commands)[0].poses, before)


def test_what_is_put_is_what_is_read(episode):
    with TableBatch([episode.situation(15)]) as batch:
        poses, velocities = batch.poses.copy(), batch.velocities.copy()
        assert np.allclose(poses[0], episode.track.poses[15], atol=1e-6)
        assert np.allclose(velocities[0], episode.track.velocities[15], atol=1e-5)
        batch.put(poses, velocities + 0.1)
        state = batch.simulators[0].state()
    assert np.allclose(state[0], poses[0])
    assert np.allclose(state[1], velocities[0] + 0.1)


def test_lifted_tables_are_believed_to_be_hulls_of_noisy_points_that_stand_on_the_table():
    e = make_episode("lifted", 2, steps=2)
    assert {p.kind for t in e.cast.maker.things for p in t.parts} == {"hull"}
    assert {p.kind for t in e.truth.things for p in t.parts} <= {"box", "cylinder"}
    with TableBatch([e.situation(0)]) as batch:
        for _ in range(10):
            batch.act(np.array([e.truth.pusher.start]))
        settled = batch.poses[0]
    shape = points_at(torch.from_numpy(e.cast.points).double(), torch.from_numpy(settled)).numpy()
    assert np.abs(settled[:, :3] - e.track.poses[0, :, :3]).max() < 0.004
    assert shape[..., 2].min() > -0.012


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (np.zeros((1, 5, 3)), "2 values"), (np.zeros((1, 0, 2)), "horizon"), (np.zeros((2, 5, 2)), "one row per situation"),
        (np.full((1, 5, 2), np.nan), "finite"), (np.zeros((1, 100_000, 2)), "horizon"),
    ],
)  # fmt: skip
def test_commands_that_no_model_could_answer_are_refused(episode, commands, said):
    with pytest.raises(ActionError, match=said):
        NominalPhysics().forecast([episode.situation(3)], commands)


def test_an_unknown_table_is_refused_by_name():
    with pytest.raises(ActionError, match="no table is called 'chess'; there are: push"):
        make_episode("chess", 0)


def test_a_cast_that_nothing_simulates_is_refused(episode):
    situation = replace(episode.situation(3), cast=replace(episode.cast, maker=None))
    with pytest.raises(ActionError, match="has no simulator"):
        NominalPhysics().forecast([situation], np.zeros((1, 5, 2)))


def test_twins_are_one_until_they_part():
    first, second = make_twins("push", 4, step=12, steps=40)
    assert np.array_equal(first.track.poses[:13], second.track.poses[:13])
    assert np.array_equal(first.track.commands[:12], second.track.commands[:12])
    assert not np.allclose(first.track.commands[12:], second.track.commands[12:])
    assert first.cast is second.cast
