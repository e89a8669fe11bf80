"""A servo is told from the path it made, and then says which path it will make."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.dynamics.hybrid.servo import Usual, fit, path, within_step
from spatialwm.dynamics.table import TableSimulator, make_episode
from spatialwm.dynamics.table.table import Pusher, Table


def wandering(pusher: Pusher, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Places and commands of a rod on an empty table."""
    simulator = TableSimulator(Table(things=(), pusher=pusher))
    rng = np.random.default_rng(4)
    at, places, commands = np.array(pusher.start), [pusher.start], []
    way = np.zeros(2)
    for _ in range(steps):
        way = np.clip(0.8 * way + rng.normal(0, 0.006, 2), -0.02, 0.02)
        at = at + way
        simulator.act(at)
        commands.append(at)
        places.append(tuple(simulator.state()[2][0, :2]))
    return torch.tensor(np.array(places)).float()[None], torch.tensor(np.array(commands)).float()[None]


@pytest.mark.parametrize(("stiffness", "damping", "late"), [(400.0, 45.0, 3), (650.0, 55.0, 5), (2000.0, 90.0, 0)])
def test_a_servo_is_found_from_what_it_did(stiffness, damping, late):
    places, commands = wandering(Pusher(start=(0.0, 0.0), stiffness=stiffness, damping=damping, late=late), 60)
    usual = Usual()
    usual.sigma.fill_(1.0)
    found = fit(usual, places[:, :41], commands[:, :40])
    ahead = path(found, places[:, :41], commands[:, :40], commands[:, 40:])
    assert (ahead - places[:, 40:]).norm(dim=-1).max() < 2.5e-3
    naive = (commands[:, 40:] - places[:, 41:]).norm(dim=-1).max()
    assert late == 0 or naive > 5 * (ahead - places[:, 40:]).norm(dim=-1).max()


def test_without_a_past_the_servo_is_the_usual_one():
    usual = Usual()
    usual.mean.copy_(torch.tensor([6.2, 3.9]))
    usual.sigma.copy_(torch.tensor([0.2, 0.1]))
    usual.delays[4] = 5.0
    here = torch.zeros(1, 25, 2)
    found = fit(usual, here, torch.zeros(1, 24, 2))
    assert found.stiffness.log().item() == pytest.approx(6.2, abs=0.05)
    assert found.late.item() == 4


def test_what_is_usual_is_learnt_from_many_pasts():
    pairs = [wandering(Pusher(start=(0.0, 0.0), stiffness=s, damping=50.0, late=4), 40) for s in (400.0, 500.0, 600.0)]
    usual = Usual()
    for _ in range(3):
        usual.learn(torch.cat([p for p, _ in pairs]), torch.cat([c for _, c in pairs]))
    assert usual.mean.exp()[0].item() == pytest.approx(500, rel=0.15)
    assert usual.delays.argmax().item() == 4


def test_a_path_inside_steps_meets_their_ends_and_is_straight_where_they_are():
    ends = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 1.0]]])
    inside = within_step(ends)
    assert torch.allclose(inside[:, :, -1], ends[:, 1:])
    assert torch.allclose(inside[0, 0, :, 0], torch.tensor([0.25, 0.5, 0.75, 1.0]))


def test_a_rod_that_meets_things_is_still_understood():
    e = make_episode("push", 2, steps=60)
    places, commands = torch.from_numpy(e.track.part_poses[None, :, 0, :2]), torch.from_numpy(e.track.commands[None])
    found = fit(Usual(), places[:, :41], commands[:, :40])
    ahead = path(found, places[:, :41], commands[:, :40], commands[:, 40:])
    assert (ahead - places[:, 40:]).norm(dim=-1).median() < 4e-3
