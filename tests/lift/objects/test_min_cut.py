"""The cut is exact: as cheap as any set found by trying them all, and as an independent solver's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import maximum_flow

from spatialwm.lift.objects.min_cut import min_cut


def value(chosen, pairs, weights, gain):
    leaves = chosen[pairs[:, 0]] != chosen[pairs[:, 1]]
    return gain[chosen].sum() - weights[leaves].sum()


@pytest.mark.parametrize("seed", range(40))
def test_no_other_set_is_better(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 11))
    pairs = np.array([p for p in itertools.combinations(range(n), 2) if rng.random() < 0.5], np.int64).reshape(-1, 2)
    weights, gain = rng.choice([0.0, 0.3, 1.0, 2.5], len(pairs)), rng.normal(size=n) * 2
    best = max(value(np.array(s), pairs, weights, gain) for s in itertools.product([False, True], repeat=n))
    assert value(min_cut(pairs, weights, gain), pairs, weights, gain) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_grid_is_cut_as_an_independent_solver_cuts_it(seed):
    rng = np.random.default_rng(seed)
    h, w = 40, 50
    at = np.arange(h * w).reshape(h, w)
    pairs = np.concatenate([np.stack([at[:, 1:], at[:, :-1]], -1).reshape(-1, 2), np.stack([at[1:], at[:-1]], -1).reshape(-1, 2)])
    weights, gain = rng.integers(0, 50, len(pairs)), rng.integers(-40, 41, h * w)
    chosen = min_cut(pairs, weights.astype(float), gain.astype(float))
    s, t = h * w, h * w + 1
    rows = np.concatenate([pairs[:, 0], pairs[:, 1], np.full(h * w, s), at.reshape(-1)])
    cols = np.concatenate([pairs[:, 1], pairs[:, 0], at.reshape(-1), np.full(h * w, t)])
    capacity = np.concatenate([weights, weights, gain.clip(min=0), (-gain).clip(min=0)]).astype(np.int32)
    flow = maximum_flow(coo_matrix((capacity, (rows, cols)), shape=(h * w + 2,) * 2).tocsr(), s, t).flow_value
    assert value(chosen, pairs, weights, gain) == gain.clip(min=0).sum() - flow


def test_infinite_gains_force_and_ties_go_to_the_smallest_set():
    pairs, weights = np.array([[0, 1], [1, 2], [2, 3]]), np.array([5.0, 1.0, 5.0])
    gain = np.array([np.inf, 0.0, 0.0, -np.inf])
    assert min_cut(pairs, weights, gain).tolist() == [True, True, False, False]
    assert not min_cut(pairs, weights, np.zeros(4)).any()
    assert min_cut(np.zeros((0, 2), np.int64), np.zeros(0), np.array([1.0, -1.0])).tolist() == [True, False]
