"""From linear radiance to display colour: exposure, a filmic curve, sRGB."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.color import LUMINANCE, linear_to_srgb


def _curve(x: np.ndarray) -> np.ndarray:
    """Narkowicz 2016, a fit of the ACES filmic curve."""
    return np.clip((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)


def to_display(radiance: Float[np.ndarray, "n 3"], exposure: float = 1.0, saturation: float = 1.05) -> Float[np.ndarray, "n 3"]:
    """sRGB 0..1, float32; 70 % per-channel and 30 % luminance curve: bright colours pale a little but keep their hue."""
    x = np.maximum(radiance * exposure, 0)
    y = x @ LUMINANCE
    x = np.maximum(y[:, None] + (x - y[:, None]) * saturation, 0)
    y = np.maximum(y, 1e-6)
    by_luminance = np.minimum(x * (_curve(y) / y)[:, None], 1)
    return linear_to_srgb(np.clip(0.7 * _curve(x) + 0.3 * by_luminance, 0, 1)).astype(np.float32)


def auto_exposure(radiance: Float[np.ndarray, "n 3"], weights: Float[np.ndarray, " n"], key: float) -> float:
    """Exposure that brings the weighted geometric mean of luminance to ``key``."""
    y = np.maximum(radiance @ LUMINANCE, 1e-4)
    return float(key / np.exp(np.average(np.log(y), weights=weights)))
