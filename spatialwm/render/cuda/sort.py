"""Prefix sum and stable radix sort on the device; neither waits for the GPU."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from spatialwm.errors import SpatialwmError
from spatialwm.render.cuda.device import kernels

SOURCE = "sort.cu"
# As in cuda/sort.cu.
_THREADS, _SCAN_TILE, _SORT_TILE, _RADIX, _MAX_DIGIT_BITS = 256, 256 * 15, 256 * 16, 256, 8
_MAX_HISTOGRAM_BLOCKS = 1024
"""Enough to fill the largest GPU; more would only add up more partial histograms."""
_MAX_PAIRS = 2**30 - 1
"""A word of the look-back chain has 30 bits for the count."""


def exclusive_scan(counts: Int[Tensor, " n"]) -> tuple[Int[Tensor, " n"], Int[Tensor, " 1"]]:
    """Offsets (int64) where each of n runs starts when they are laid end to end, and the total, still on the device.

    Args:
        counts: int32, not negative.
    """
    n = counts.numel()
    offsets = torch.zeros(n + 1, dtype=torch.int64, device=counts.device)
    if n:
        tiles = -(-n // _SCAN_TILE)
        chain = torch.zeros(tiles + 1, dtype=torch.int64, device=counts.device)
        kernels(SOURCE, counts.device).launch("exclusive_scan", tiles, _THREADS, counts, offsets, chain, n)
    return offsets[:n], offsets[n:]


def sort_pairs(
    keys: Int[Tensor, " n"], values: Int[Tensor, " n"] | None, bits: int, count: Int[Tensor, " 1"] | None = None
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """Pairs by ascending key, equal keys in their given order; the inputs stay as they are.

    Args:
        keys: int32, taken as unsigned. Positive float32 may be passed by ``.view(torch.int32)``: their bits sort as they do.
        values: int32; None for the positions 0 ... n-1, which makes this an argsort.
        bits: how many of the low bits count, 1 to 32; every 8 cost a pass.
        count: int64 on the device: only the first that many pairs are sorted, and what the results hold beyond is undefined.

    Raises:
        SpatialwmError: more pairs than can be sorted, or ``bits`` out of range.
    """
    n = keys.numel()
    if not 1 <= bits <= 32:
        raise SpatialwmError(f"keys have 1 to 32 bits to sort by; got bits={bits}")
    if n > _MAX_PAIRS:
        raise SpatialwmError(f"at most {_MAX_PAIRS} pairs can be sorted; got {n}: render fewer Gaussians or a smaller image")
    if n == 0:
        return keys.clone(), torch.empty_like(keys)
    passes = -(-bits // _MAX_DIGIT_BITS)
    width = -(-bits // passes)
    tiles = -(-n // _SORT_TILE)
    run = kernels(SOURCE, keys.device)
    histogram_words, chain_words = passes * _RADIX, tiles * _RADIX + 1
    scratch = torch.zeros(histogram_words + passes * chain_words, dtype=torch.int32, device=keys.device)
    histograms, chains = scratch[:histogram_words], scratch[histogram_words:]
    blocks = min(tiles, _MAX_HISTOGRAM_BLOCKS)
    run.launch("radix_histogram", blocks, _THREADS, keys, histograms, count, n, bits, width)
    buffers = [(torch.empty_like(keys), torch.empty_like(keys)) for _ in range(min(passes, 2))]
    source: tuple[Tensor, Tensor | None] = (keys, values)
    for i in range(passes):
        shift = i * width
        histogram, chain = histograms[i * _RADIX :][:_RADIX], chains[i * chain_words :][:chain_words]
        target = buffers[i % 2]
        digits = min(width, bits - shift)
        run.launch("radix_pass", tiles, _THREADS, *source, *target, histogram, chain, count, n, shift, digits)
        source = target
    return buffers[(passes - 1) % 2]
