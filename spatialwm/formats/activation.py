"""Logarithms and logits of the files against our physical values, through float64 so that a second trip changes nothing.

A float32 logarithm beyond 1 in magnitude is coarser than the float32 it came from, so the first write rounds a scale by up to
``|log scale| * 2^-24`` (4e-7 at a millimetre). What was read from a file is already such a value and returns bit for bit.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from scipy import special

_LOG_OF_ZERO = -110.0
"""Its exponential and its sigmoid are 0 in float32, here and in every viewer, without an infinity in the file."""

_LOGIT_OF_ONE = 20.0
"""Its sigmoid is exactly 1 in float32."""


def scales_from_log(log_scales: Float[np.ndarray, "n 3"]) -> Float32[np.ndarray, "n 3"]:
    """Linear scales; infinite where the logarithm exceeds float32."""
    with np.errstate(over="ignore", under="ignore"):
        return np.exp(np.asarray(log_scales, np.float64)).astype(np.float32)


def log_from_scales(scales: Float32[np.ndarray, "n 3"]) -> Float32[np.ndarray, "n 3"]:
    """Finite logarithms; a zero scale becomes -110, which reads back as zero."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(scales.astype(np.float64)), _LOG_OF_ZERO).astype(np.float32)


def opacities_from_logit(logits: Float[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
    """Opacities in 0..1."""
    return special.expit(np.asarray(logits, np.float64)).astype(np.float32)


def logit_from_opacities(opacities: Float32[np.ndarray, " n"]) -> Float32[np.ndarray, " n"]:
    """Finite logits; 0 and 1 become values that read back as exactly 0 and 1."""
    logits = special.logit(np.clip(opacities.astype(np.float64), 0, 1))
    return np.clip(logits, _LOG_OF_ZERO, _LOGIT_OF_ONE).astype(np.float32)
