"""Prefix sum and radix sort, by the real kernels in the emulator, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spatialwm.errors import SpatialwmError
from spatialwm.render.cuda.device import running_on
from spatialwm.render.cuda.sort import exclusive_scan, sort_pairs

SIZES = [0, 1, 2, 31, 33, 255, 257, 3839, 3840, 3841, 4095, 4096, 4097, 13_001]
MANNERS = [(False, 1), (True, 1), (False, 3), (True, 4)]


@pytest.fixture(params=MANNERS, ids=["forwards", "backwards", "three blocks in turns", "four blocks in turns, backwards"])
def manner(request: pytest.FixtureRequest, emulated: Any) -> None:
    emulated.backwards, emulated.residents = request.param


def check_sort(keys: np.ndarray, bits: int) -> None:
    values = np.arange(len(keys), dtype=np.int32)[::-1] * 3
    low = keys & np.uint32((1 << bits) - 1)
    order = np.argsort(low, kind="stable")
    given_keys, given_values = torch.from_numpy(keys.view(np.int32).copy()), torch.from_numpy(values.copy())
    sorted_keys, sorted_values = sort_pairs(given_keys, given_values, bits)
    assert np.array_equal(sorted_keys.numpy().view(np.uint32), keys[order])
    assert np.array_equal(sorted_values.numpy(), values[order])
    assert np.array_equal(given_keys.numpy().view(np.uint32), keys)
    assert np.array_equal(given_values.numpy(), values)


def some_keys(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**32, n, dtype=np.uint32)


@pytest.mark.usefixtures("manner")
@pytest.mark.parametrize("n", SIZES)
def test_a_prefix_sum_is_numpys(n: int) -> None:
    counts = np.random.default_rng(n).integers(0, 2**20, n, dtype=np.int32)
    offsets, total = exclusive_scan(torch.from_numpy(counts))
    assert offsets.tolist() == (np.cumsum(counts, dtype=np.int64) - counts).tolist()
    assert total.tolist() == [counts.sum(dtype=np.int64)]


@pytest.mark.parametrize("residents", [40, 48, 56, 64])
def test_a_prefix_sum_looks_back_beyond_one_window_of_tiles(emulated: Any, residents: int) -> None:
    emulated.residents = residents
    counts = torch.ones(3840 * 70 + 5, dtype=torch.int32)
    offsets, total = exclusive_scan(counts)
    assert torch.equal(offsets, torch.arange(len(counts)))
    assert total.item() == len(counts)


def test_a_prefix_sum_outgrows_32_bits(emulated: Any) -> None:
    offsets, total = exclusive_scan(torch.full((5000,), 2**31 - 1, dtype=torch.int32))
    assert offsets[-1].item() == 4999 * (2**31 - 1)
    assert total.item() == 5000 * (2**31 - 1)


@pytest.mark.usefixtures("manner")
@pytest.mark.parametrize("n", SIZES)
def test_pairs_are_sorted_stably(n: int) -> None:
    check_sort(some_keys(n), 32)


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("bits", [1, 7, 8, 9, 13, 16, 17, 24, 25, 31, 32])
def test_only_the_low_bits_count(bits: int) -> None:
    check_sort(some_keys(4500, bits), bits)


@pytest.mark.usefixtures("manner")
@pytest.mark.parametrize("value", [0, 1, 2**32 - 1])
def test_equal_keys_keep_their_order(value: int) -> None:
    check_sort(np.full(8192 + 77, value, np.uint32), 32)


@settings(max_examples=25)
@given(st.integers(0, 9000), st.integers(1, 32), st.integers(1, 2**32), st.sampled_from(MANNERS), st.integers(0, 2**32 - 1))
@example(n=4097, bits=8, distinct=1, manner=(False, 1), seed=0)
def test_any_size_any_spread_of_keys(
    emulator: Any, n: int, bits: int, distinct: int, manner: tuple[bool, int], seed: int
) -> None:
    keys = np.random.default_rng(seed).integers(0, distinct, n, dtype=np.uint64).astype(np.uint32)
    emulator.backwards, emulator.residents = manner
    with running_on(emulator):
        check_sort(keys, bits)
    emulator.backwards, emulator.residents = False, 1


def test_digits_are_added_up_over_many_tiles_in_flight(emulated: Any) -> None:
    emulated.residents = 12
    check_sort(some_keys(4096 * 30 + 1), 16)


@pytest.mark.usefixtures("emulated")
def test_without_values_it_is_an_argsort_even_of_depths() -> None:
    depths = torch.rand(5000, generator=torch.Generator().manual_seed(0)) * 100
    keys, order = sort_pairs(depths.view(torch.int32), None, 32)
    assert torch.equal(order.long(), torch.argsort(depths, stable=True))
    assert torch.equal(keys.view(torch.float32), depths.sort().values)


@pytest.mark.usefixtures("manner")
@pytest.mark.parametrize("count", [0, 1, 4096, 5000, 9000, 10**10])
def test_only_the_first_count_pairs_are_sorted(count: int) -> None:
    keys = some_keys(9000)
    sorted_keys, order = sort_pairs(torch.from_numpy(keys.view(np.int32)), None, 16, torch.tensor([count]))
    expected = np.argsort(keys[:count] & 0xFFFF, kind="stable")
    assert np.array_equal(order.numpy()[:count], expected)
    assert np.array_equal(sorted_keys.numpy().view(np.uint32)[:count], keys[expected])


@pytest.mark.parametrize("bits", [0, 33])
def test_bits_out_of_range_are_refused(bits: int) -> None:
    with pytest.raises(SpatialwmError, match="1 to 32 bits"):
        sort_pairs(torch.zeros(3, dtype=torch.int32), None, bits)


def test_too_many_pairs_are_refused() -> None:
    with pytest.raises(SpatialwmError, match="at most 1073741823 pairs"):
        sort_pairs(torch.zeros(1, dtype=torch.int32).expand(2**30), None, 8)
