"""Intervals: as wide as theory says, wider for clusters, narrower for pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spatialwm.dynamics.evaluate.bootstrap import Resamples

EPISODES, PER = 60, 10


def clustered(rng: np.random.Generator, between: float, within: float) -> tuple[np.ndarray, np.ndarray]:
    episode = np.repeat(np.arange(EPISODES), PER)
    return rng.normal(0, between, EPISODES)[episode] + rng.normal(0, within, EPISODES * PER), episode


def mean(draw: Resamples, values: np.ndarray, episode: np.ndarray, counted: np.ndarray | None = None):
    return draw.mean(values[None], episode, np.ones((1, len(values)), bool) if counted is None else counted[None])


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values, episode = clustered(np.random.default_rng(0), 1.0, 0.5)
    found = mean(Resamples(EPISODES, 4000), values, episode).estimate()
    theory = 1.96 * values.reshape(EPISODES, PER).mean(1).std() / math.sqrt(EPISODES)
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) / 2 == pytest.approx(theory, rel=0.06)
    naive = 1.96 * values.std() / math.sqrt(len(values))
    assert found.high - found.low > 3 * naive  # what treating rows as independent would claim


def test_what_two_models_share_cancels_in_their_difference() -> None:
    rng = np.random.default_rng(1)
    hard, episode = clustered(rng, 0.5, 0.1)
    hard = np.exp(hard)
    draw = Resamples(EPISODES)
    ours, theirs = mean(draw, 0.9 * hard, episode), mean(draw, hard, episode)
    gain = ours.below(theirs).estimate()
    assert (gain.value, gain.low, gain.high) == (pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1))
    assert gain.excludes_zero
    assert ours.estimate().high > theirs.estimate().low  # unpaired intervals overlap


def test_rows_that_do_not_count_change_nothing_however_bad() -> None:
    values, episode = clustered(np.random.default_rng(2), 1.0, 1.0)
    counted = np.arange(len(values)) % 3 == 0
    spoiled = np.where(counted, values, np.nan)
    a, b = (mean(Resamples(EPISODES), v, episode, counted).estimate() for v in (values, spoiled))
    assert a == b
    assert a.value == pytest.approx(values[counted].mean())


def test_every_row_weighs_the_same_though_episodes_have_different_numbers() -> None:
    values, episode = np.array([0.0, 0.0, 0.0, 4.0]), np.array([0, 0, 0, 1])
    assert mean(Resamples(2), values, episode).value == 1.0


def test_the_median_of_the_data_lies_in_its_interval_and_ignores_a_heavy_tail() -> None:
    values, episode = clustered(np.random.default_rng(3), 0.3, 1.0)
    values[:30] = 1e6
    draw, all_ = Resamples(EPISODES), np.ones((1, len(values)), bool)
    found = draw.median(values[None], episode, all_).estimate()
    assert found.value == np.median(values)
    assert found.low < found.value < found.high < 1


def test_seeds_that_disagree_widen_the_interval() -> None:
    values, episode = clustered(np.random.default_rng(4), 0.1, 0.1)
    draw, all_ = Resamples(EPISODES), np.ones((3, len(values)), bool)
    agreed = draw.mean(np.stack([values] * 3), episode, all_).estimate()
    apart = draw.mean(np.stack([values - 1, values, values + 1]), episode, all_).estimate()
    assert apart.value == pytest.approx(agreed.value)
    assert apart.high - apart.low > 10 * (agreed.high - agreed.low)
    assert agreed.high - agreed.low == pytest.approx(np.ptp(np.quantile(mean(draw, values, episode).draws, [0.025, 0.975])))


def test_nothing_counted_is_no_number() -> None:
    values, episode = clustered(np.random.default_rng(5), 1.0, 1.0)
    draw, none = Resamples(EPISODES), np.zeros((1, len(values)), bool)
    assert math.isnan(draw.mean(values[None], episode, none).estimate().value)
    assert math.isnan(draw.median(values[None], episode, none).estimate().low)
