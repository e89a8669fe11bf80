"""Well-known simulators: the same seed the same episode, motion that agrees with itself, and a line for what is missing."""

from __future__ import annotations

import sys

import mujoco
import numpy as np
import pytest

from spatialwm.dynamics.data.simulators import SIMULATORS, make_episode
from spatialwm.errors import DataError, MissingDependencyError

OLD = tuple(int(n) for n in mujoco.__version__.split(".")[:2]) <= (3, 3)


def test_an_unknown_simulator_is_refused() -> None:
    with pytest.raises(DataError, match="no simulator is called 'chess'; there are: metaworld-push, fetch-push, ogbench-cube"):
        make_episode("chess", 0)


@pytest.mark.skipif(OLD, reason="this MuJoCo is the one they run with")
@pytest.mark.parametrize("name", ["metaworld-push", "fetch-push"])
def test_simulators_that_the_installed_mujoco_breaks_say_so_and_how_to_get_them(name: str) -> None:
    with pytest.raises(DataError, match=r"do not run with MuJoCo \d.*mujoco==3\.3\.0"):
        make_episode(name, 0)


def test_a_missing_simulator_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ogbench", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'spatialwm\[sim\]'"):
        make_episode("ogbench-cube", 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATORS)
def test_an_episode_is_its_seed_s_and_its_velocities_are_those_of_its_poses(name: str) -> None:
    pytest.importorskip({"metaworld-push": "metaworld", "fetch-push": "gymnasium_robotics", "ogbench-cube": "ogbench"}[name])
    if not OLD and name != "ogbench-cube":
        pytest.skip("runs with MuJoCo 3.3 only")
    first, _, again = (make_episode(name, seed) for seed in (1, 2, 1))
    assert np.array_equal(first.track.poses, again.track.poses)
    assert np.array_equal(first.track.commands, again.track.commands)
    assert np.abs(first.track.commands).max() <= 1
    assert len(first.cast.object_ids) == 1
    assert first.truth["privileged"]
    moves = np.diff(first.track.poses[:, 0, :3], axis=0) / first.track.dt_s
    between = (first.track.velocities[1:, 0, :3] + first.track.velocities[:-1, 0, :3]) / 2
    assert np.corrcoef(moves.ravel(), between.ravel())[0, 1] > 0.8
    hand = np.ptp(first.track.part_poses[..., :3], axis=0).max()
    assert hand > 0.05
    done = [make_episode(name, seed).truth["success"] for seed in range(3, 9)]
    assert any(done)
