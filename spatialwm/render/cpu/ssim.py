"""L1 and structural similarity with their gradient, fused: one pass down the image.

5 CPU-ms at 640x480; torch takes 56 by separable and 110 by dense convolution (benchmarks/photometric.py).

With ``s = image + target`` and ``d = image - target``, SSIM needs four blurred maps instead of the textbook's five, and

    1 - SSIM = u + v - u v    with    u = mean(d)^2 / (mean(x)^2 + mean(y)^2 + C1),    v = var(d) / (var(x) + var(y) + C2)

has no cancellation between nearly equal images: the loss of two identical ones is exactly 0, and so is its gradient, and on
smooth images float32 gradients are 8 times closer to float64 than the textbook's. The gradient blurs three maps again, the
derivatives by the means, by mean(s^2) and by mean(d^2).

A band of rows keeps its last 16 rows of ``s``, ``d`` and of those three maps in rings that fit the L2 cache, so every pixel of
the input is read from memory once. Rows are blurred down first, four at a time (14 loads serve 4 x 11 taps), then across.
Images stay interleaved: along a row the taps of one channel are ``channels`` floats apart, and lanes do not mind.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from torch import Tensor

from spatialwm.render.cpu.cache import kernels_cached_for
from spatialwm.render.cpu.layout import FAST
from spatialwm.render.cpu.threads import machine_threads, run, spans
from spatialwm.render.cpu.vectors import Vectors, data_of, machine_lanes

F = np.float32
RADIUS, SIGMA = 5, 1.5
WINDOW = np.exp(-(np.arange(-RADIUS, RADIUS + 1) ** 2) / (2 * SIGMA**2))
WINDOW /= WINDOW.sum()
TAPS = 2 * RADIUS + 1
C1, C2 = F(0.01**2), F(0.03**2)
ZERO, HALF, ONE, TWO = F(0), F(0.5), F(1), F(2)

ROWS = 4
"""Rows blurred at once. Blocks lie at fixed places of the image, so a pixel's arithmetic does not depend on the band."""
RING = 16
"""Rows kept: a power of two that holds the ROWS + 2 RADIUS rows under one block."""
_ROWS, _ONE = (0,) * ROWS, (0,)  # as compile-time lengths, see ``vectors``
_SERIAL_BELOW = 64 * 64  # pixels; below it handing work to threads costs more than the work


@intrinsic
def blur(typing_context: Any, lanes: Any, rows: Any, squared: Any, source: Any, at: Any, starts: Any, out: Any, to: Any,
         stride: Any, count: Any) -> Any:  # fmt: skip
    """The 11 taps: ``out[to + j stride + i] = sum_k WINDOW[k] f(source[at + starts[j + k] + i])`` for each row j and float i.

    Written as explicit vectors (how to read it: ``vectors.py``) because a compiler cannot see that rows do not overlap. The
    window is symmetric, so pairs are added first.

    Args:
        lanes, rows: tuples whose lengths are the vector width and how many rows are made at once.
        squared: an empty tuple for f(x) = x, or one of length 1 for f(x) = x^2.
        source, out: flat float32.
        starts: (rows + 10,) int64 offsets: of neighbouring rows to blur down, of neighbouring pixels to blur across.
        count: vectors per row.
    """
    width, made = len(lanes), len(rows)
    index = types.intp
    signature = types.void(lanes, rows, squared, source, index, starts, out, index, index, index)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        v = Vectors(builder, width)
        source, starts, out = (data_of(context, builder, sig, args, i) for i in (3, 5, 6))
        at, to, stride, count = args[4], args[7], args[8], args[9]

        def word(value: int) -> Any:
            return ir.Constant(at.type, value)

        reads = [builder.add(at, builder.load(builder.gep(starts, [word(k)]))) for k in range(made + 2 * RADIUS)]
        writes = [builder.add(to, builder.mul(stride, word(j))) for j in range(made)]
        with cgutils.for_range(builder, count) as loop:
            i = builder.mul(loop.index, word(width))
            x = [v.load(source, builder.add(start, i)) for start in reads]
            if len(squared):
                x = [v.mul(value, value) for value in x]
            for j in range(made):
                total = v.mul(x[j + RADIUS], v.const(WINDOW[RADIUS]))
                for k in range(RADIUS):
                    pair = v.add(x[j + k], x[j + TAPS - 1 - k])
                    total = v.add(total, v.mul(pair, v.const(WINDOW[k])))
                v.store(total, out, builder.add(writes[j], i))
        return context.get_dummy_value()

    return signature, emit


with kernels_cached_for(Path(__file__).parent):

    @njit(**FAST)
    def sum_and_difference(image, target, s, d):
        """One row; returns the sum of |d|."""
        total = ZERO
        for i in range(len(image)):
            difference = image[i] - target[i]
            s[i] = image[i] + target[i]
            d[i] = difference
            total += abs(difference)
        return total

    @njit(**FAST)
    def differentiate(mean_s, mean_d, square_s, square_d):
        """One row of blurred values becomes derivatives of 1 - SSIM; returns the sum of 1 - SSIM.

        In place, which leaves the compiler few enough overlaps to check that it vectorises the loop: the derivative by the
        means replaces ``mean_s``, by mean(s^2) ``square_s``, by mean(d^2) ``square_d``.
        """
        total = ZERO
        for i in range(len(mean_s)):
            s, d = mean_s[i], mean_d[i]
            b1 = HALF * (s * s + d * d) + C1
            var_d = square_d[i] - d * d
            b2 = HALF * (square_s[i] - s * s + var_d) + C2
            inv = ONE / (b1 * b2)
            inv_b1, inv_b2 = inv * b2, inv * b1
            u, v = d * d * inv_b1, var_d * inv_b2
            total += u + v - u * v
            by_square_d = (ONE - u) * inv_b2 * (ONE - HALF * v)
            by_square_s = -HALF * (ONE - u) * inv_b2 * v
            square_s[i], square_d[i] = by_square_s, by_square_d
            mean_s[i] = (ONE - v) * inv_b1 * (d * (TWO - u) - u * s) - TWO * (by_square_s * s + by_square_d * d)
        return total

    @njit(**FAST)
    def gather(image, target, by_mean, by_square_s, by_square_d, l1_scale, ssim_scale, gradient):
        """One row of the gradient from the blurred derivatives."""
        for i in range(len(image)):
            s, d = image[i] + target[i], image[i] - target[i]
            sign = F(d > ZERO) - F(d < ZERO)
            gradient[i] = ssim_scale * (by_mean[i] + TWO * (s * by_square_s[i] + d * by_square_d[i])) + l1_scale * sign

    @njit(**FAST)
    def down(lanes, squared, ring, ring_row, starts, blurred, row, pad, count):
        """Blur vertically, from a ring that begins at ``ring_row``, into ROWS rows of ``blurred``."""
        padded = blurred.shape[1]
        at, to = ring_row * ring.shape[1], row * padded + pad
        blur(lanes, _ROWS, squared, ring, at, starts, blurred, to, padded, count)  # pyright: ignore[reportCallIssue]

    @njit(**FAST)
    def across(lanes, blurred, row, steps, out, to, count):
        """Blur one row horizontally."""
        at, to = row * blurred.shape[1], to * out.shape[1]
        blur(lanes, _ONE, (), blurred, at, steps, out, to, 0, count)  # pyright: ignore[reportCallIssue]

    @njit(**FAST)
    def band(lanes, first, last, image, target, channels, margin, l1_scale, ssim_scale, l1_rows, ssim_rows, gradient):
        """Rows ``first .. last`` of one image.

        Args:
            lanes: tuple whose length is the vector width.
            first: a multiple of ROWS.
            image, target: (h, w * channels).
            margin: pixels from the border that have no window.
            l1_rows, ssim_rows: written, (h,) float64: sums of |d| and of 1 - SSIM.
            gradient: written, of l1_scale sum|d| + ssim_scale sum(1 - SSIM), (h, w * channels); (0, 0) if not wanted.
        """
        height, width = image.shape
        count = (width + len(lanes) - 1) // len(lanes)
        stride, pad = count * len(lanes), RADIUS * channels
        left = min(margin * channels, width)
        right = max(width - margin * channels, left)
        pairs = np.zeros((2 * RING, stride), np.float32)  # rings of s and d
        maps = np.zeros((3 * RING, stride), np.float32)  # rings of the derivatives by the means, mean(s^2) and mean(d^2)
        blurred = np.zeros((4 * ROWS, stride + 2 * pad), np.float32)  # down, not yet across; the padding stays zero
        spare = np.zeros((3, stride), np.float32)
        around = np.empty(ROWS + 2 * RADIUS, np.int64)
        steps = np.arange(TAPS) * channels
        loaded = first - 2 * RADIUS
        wanted = len(gradient) > 0
        stop = first + (last - first + ROWS - 1) // ROWS * ROWS + ROWS if wanted else last
        for top in range(first - RADIUS, stop, ROWS):
            while loaded < top + ROWS + RADIUS:
                slot = loaded % RING
                if 0 <= loaded < height:
                    total = sum_and_difference(image[loaded], target[loaded], pairs[slot, :width], pairs[RING + slot, :width])
                    if first <= loaded < last:
                        l1_rows[loaded] = total
                else:
                    pairs[slot], pairs[RING + slot] = ZERO, ZERO
                loaded += 1
            for k in range(len(around)):
                around[k] = (top - RADIUS + k) % RING * stride
            for q in range(2):
                down(lanes, (), pairs, q * RING, around, blurred, 2 * q * ROWS, pad, count)
                down(lanes, _ONE, pairs, q * RING, around, blurred, (2 * q + 1) * ROWS, pad, count)
            for j in range(ROWS):
                slot = (top + j) % RING
                if not margin <= top + j < height - margin:
                    for q in range(3):
                        maps[q * RING + slot] = ZERO
                    continue
                across(lanes, blurred, j, steps, maps, slot, count)
                across(lanes, blurred, ROWS + j, steps, maps, RING + slot, count)
                across(lanes, blurred, 2 * ROWS + j, steps, spare, 0, count)
                across(lanes, blurred, 3 * ROWS + j, steps, maps, 2 * RING + slot, count)
                means, squares, differences = maps[slot], maps[RING + slot], maps[2 * RING + slot]
                total = differentiate(means[left:right], spare[0, left:right], squares[left:right], differences[left:right])
                means[:left], squares[:left], differences[:left] = ZERO, ZERO, ZERO
                means[right:], squares[right:], differences[right:] = ZERO, ZERO, ZERO
                if first <= top + j < last:
                    ssim_rows[top + j] = total
            row = top + ROWS - RING + RADIUS  # the block whose maps are now all in the ring
            if not wanted or row < first:
                continue
            for k in range(len(around)):
                around[k] = (row - RADIUS + k) % RING * stride
            for q in range(3):
                down(lanes, (), maps, q * RING, around, blurred, q * ROWS, pad, count)
            for j in range(min(ROWS, last - row)):
                for q in range(3):
                    across(lanes, blurred, q * ROWS + j, steps, spare, q, count)
                gather(image[row + j], target[row + j], spare[0, :width], spare[1, :width], spare[2, :width],
                       l1_scale, ssim_scale, gradient[row + j])  # fmt: skip


def l1_ssim(
    image: Float[Tensor, "n h w d"], target: Float[Tensor, "n h w d"], l1_weight: float, ssim_weight: float, margin: int,
    gradient: bool, *, lanes: int | None = None, threads: int | None = None,
) -> tuple[Float[Tensor, ""], Float[Tensor, "n h w d"] | None]:  # fmt: skip
    """``l1_weight mean|image - target| + ssim_weight mean(1 - SSIM)`` and, if wanted, its gradient to the image.

    Bitwise equal on any number of threads.

    Args:
        image, target: contiguous float32 on the CPU.
        margin: pixels from the border that have no window: 0, or RADIUS for whole windows only.
        lanes, threads: None: the machine's.
    """
    n, height, width, channels = image.shape
    threads = threads or machine_threads() if height * width > _SERIAL_BELOW else 1
    lanes = lanes or machine_lanes()
    windows = n * (height - 2 * margin) * (width - 2 * margin) * channels
    l1_scale, ssim_scale = l1_weight / image.numel(), ssim_weight / windows
    x, y = (t.detach().numpy().reshape(n, height, width * channels) for t in (image, target))
    slope = np.empty(x.shape if gradient else (n, 0, 0), np.float32)
    l1, ssim = np.zeros((n, height)), np.zeros((n, height))
    run(
        [partial(band, (0,) * lanes, ROWS * a, min(ROWS * b, height), x[i], y[i], channels, margin, F(l1_scale), F(ssim_scale),
                 l1[i], ssim[i], slope[i])
         for i in range(n) for a, b in spans(-(-height // ROWS), threads)], threads)  # fmt: skip
    value = torch.tensor(l1_scale * l1.sum() + ssim_scale * ssim.sum(), dtype=torch.float32)
    return value, torch.from_numpy(slope).view(image.shape) if gradient else None
