"""The searches find what is there, within bounds, and twice the same."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.dynamics.planning import CPU_PRESET, Cem, Mppi, Space
from spatialwm.errors import ActionError


def space(**changes) -> Space:
    fields = {"low": -np.ones(3), "high": np.ones(3), "mean": np.zeros(3), "std": np.full(3, 0.5), **changes}
    return Space(**fields)


def bowl(x: np.ndarray) -> np.ndarray:
    return ((x - [0.3, -0.6, 0.1]) ** 2).sum(1)


@pytest.mark.parametrize("search", [Cem(), Cem(around="mean"), Mppi()])
def test_bottom_of_a_bowl_is_found(search):
    found = search.minimize(bowl, space(), np.random.default_rng(0))
    assert found.cost < 0.02
    assert found.cost == pytest.approx(bowl(found.parameters[None])[0])
    assert list(found.best_by_iteration) == sorted(found.best_by_iteration, reverse=True)


@pytest.mark.parametrize("search", [Cem(), Mppi()])
def test_equal_generators_give_equal_answers(search):
    first, second = (search.minimize(bowl, space(), np.random.default_rng(7)) for _ in range(2))
    assert (first.parameters == second.parameters).all()


@pytest.mark.parametrize("search", [Cem(), Cem(around="mean"), Mppi()])
def test_bounds_hold_for_everything_that_is_tried(search):
    tried = []

    def objective(x: np.ndarray) -> np.ndarray:
        tried.append(x)
        return -x.sum(1)

    found = search.minimize(objective, space(), np.random.default_rng(0), seeds=np.full((1, 3), 5.0))
    assert np.abs(np.concatenate(tried)).max() <= 1
    assert found.parameters == pytest.approx(np.ones(3))  # the seed, brought to the border


@pytest.mark.parametrize("search", [Cem(), Mppi()])
def test_good_seed_is_never_lost(search):
    seed = np.array([[0.3, -0.6, 0.1]])
    assert search.minimize(bowl, space(), np.random.default_rng(0), seed).cost == 0


@pytest.mark.parametrize("search", [Cem(), Mppi()])
def test_parameter_that_goes_round_is_searched_across_its_seam(search):
    ring = space(mean=np.array([0.9, 0.0, 0.0]), std=np.full(3, 0.2), around=np.array([True, False, False]))

    def objective(x: np.ndarray) -> np.ndarray:
        return np.abs(np.mod(x[:, 0] + 0.9 + 1, 2) - 1) + np.abs(x[:, 1:]).sum(1)

    found = search.minimize(objective, ring, np.random.default_rng(0))
    assert found.parameters[0] == pytest.approx(-0.9, abs=0.1)


@pytest.mark.parametrize("search", [Cem(), Mppi()])
def test_impossible_parameters_are_avoided_and_nothing_but_them_is_said_by_infinity(search):
    half = search.minimize(lambda x: np.where(x[:, 0] < 0, np.inf, bowl(x)), space(), np.random.default_rng(0))
    assert half.parameters[0] >= 0
    assert search.minimize(lambda x: np.full(len(x), np.inf), space(), np.random.default_rng(0)).cost == np.inf


def test_one_of_two_equal_valleys_is_chosen_not_the_ridge_between():
    def objective(x: np.ndarray) -> np.ndarray:
        return np.abs(np.abs(x[:, 0]) - 0.8) + np.abs(x[:, 1:]).sum(1)

    found = Cem(around="elites").minimize(objective, space(), np.random.default_rng(3))
    assert abs(found.parameters[0]) == pytest.approx(0.8, abs=0.1)


def test_cpu_preset_asks_320_times():
    assert CPU_PRESET.minimize(bowl, space(), np.random.default_rng(0)).evaluated == 64 * 5


@pytest.mark.parametrize(
    "make",
    [
        lambda: Cem(samples=0), lambda: Cem(elites=65), lambda: Mppi(temperature=0.0), lambda: Mppi(iterations=0),
        lambda: space(low=np.ones(3)), lambda: space(std=np.zeros(3)),
    ],
)  # fmt: skip
def test_senseless_settings_are_refused(make):
    with pytest.raises(ActionError):
        make()
