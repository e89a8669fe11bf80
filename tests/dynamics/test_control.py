"""What an observer of the simulation sees, and may change, between time steps."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from spatialwm.dynamics import GraspPlace, Physics, Push
from spatialwm.dynamics.simulation import Simulation
from spatialwm.errors import ActionError
from spatialwm.scene import Scene


def alone(make: SimpleNamespace) -> Scene:
    return Scene((make.box("box-1", (0.1, 0.1, 0.1), (0, 0, 0.05), mass_kg=0.3),))


def test_watching_changes_nothing_bit_for_bit(make: SimpleNamespace) -> None:
    actions = [Push(object="box-1", by=(0.2, 0.0)), GraspPlace(object="box-1", target=(0.3, 0.1, 0.05))]
    plain = Physics().rollout(alone(make), actions)
    watched = Physics(correct=lambda sim: None).rollout(alone(make), actions)
    assert np.array_equal(plain.poses, watched.poses)
    assert np.array_equal(plain.uncertainty, watched.uncertainty)


def test_every_member_is_seen_at_every_control_step(make: SimpleNamespace) -> None:
    times: dict[int, list[float]] = {}

    def watch(sim: Simulation) -> None:
        times.setdefault(sim.member, []).append(sim.data.time)

    Physics(correct=watch, control_s=0.05).rollout(alone(make), [Push(object="box-1", by=(0.2, 0.0))])
    assert sorted(times) == [0, 1, 2, 3, 4]
    for seen in times.values():
        assert seen[0] == 0.0
        assert np.diff(seen) == pytest.approx(np.full(len(seen) - 1, 0.05), abs=0.0013)


def test_the_surface_of_the_palm_is_told_while_it_pushes_and_nothing_afterwards(make: SimpleNamespace) -> None:
    seen: list[np.ndarray] = []
    Physics(0.0, correct=lambda sim: seen.append(sim.actor_points())).rollout(alone(make), [Push(object="box-1", by=(0.2, 0.0))])
    pushing = [p for p in seen if len(p)]
    assert pushing[0].shape == (1, 32, 3)
    assert len(seen[-1]) == 0
    assert pushing[0][..., 0].max() == pytest.approx(-0.05, abs=0.003)
    assert pushing[-1][..., 0].max() - pushing[0][..., 0].max() == pytest.approx(0.2, abs=0.05)


def test_a_correction_of_the_velocity_becomes_the_prediction(make: SimpleNamespace) -> None:
    def blow(sim: Simulation) -> None:
        if sim.data.time < 0.5:
            sim.data.qvel[sim.scene_model.dof_addresses[0] + 1] += 0.3

    moved = Physics(0.0, correct=blow).rollout(alone(make), [Push(object="box-1", by=(0.2, 0.0))])
    assert moved.poses[-1, 0, 1] > 0.02


@pytest.mark.parametrize("control_s", [0.0, -1.0, math.nan, math.inf])
def test_a_senseless_control_step_is_refused(control_s: float) -> None:
    with pytest.raises(ActionError, match="control_s"):
        Physics(control_s=control_s)
