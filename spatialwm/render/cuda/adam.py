"""A step of Adam on the GPU, all of a tensor's arithmetic in one kernel."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from spatialwm.errors import SpatialwmError
from spatialwm.render.cuda.device import kernels

_THREADS = 256


def adam_step(
    values: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int, lr: float, betas: tuple[float, float],
    eps: float, visible: Tensor | None,
) -> None:  # fmt: skip
    """Update ``values``, ``mean`` and ``square`` in place.

    Args:
        values, gradient, mean, square: contiguous float32 of one shape.
        step: counted from 1.
        visible: (rows,) bool: other rows stay as they are. None: all are updated.

    Raises:
        SpatialwmError: 2^32 values or more.
    """
    n = values.numel()
    if n >= 2**32:
        raise SpatialwmError(f"a tensor of {n} values is too long for the Adam kernel: at most {2**32 - 1}")
    if n == 0:
        return
    kernels("adam.cu", values.device).launch(
        "adam_step", -(-n // _THREADS), _THREADS, values, gradient, mean, square, visible, np.uint32(n),
        np.uint32(n // values.shape[0] if values.ndim else 1), lr / (1 - betas[0] ** step), 1 - betas[0], float(betas[1]),
        1 - betas[1], 1 / math.sqrt(1 - betas[1] ** step), float(eps),
    )  # fmt: skip
