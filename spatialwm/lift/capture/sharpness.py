"""How sharp a picture is, compared with others of the same place."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8


def sharpness(gray: UInt8[np.ndarray, "h w"]) -> float:
    """Variance of the Laplacian. Only comparable among pictures of one size; reduce to a few hundred pixels first.

    Source: Pech-Pacheco et al. 2000, Diatom autofocusing in brightfield microscopy.
    """
    if min(gray.shape) < 3:
        return 0.0
    g = gray.astype(np.int16)
    laplacian = 4 * g[1:-1, 1:-1] - g[:-2, 1:-1] - g[2:, 1:-1] - g[1:-1, :-2] - g[1:-1, 2:]
    return float(laplacian.astype(np.float32).var())


def displacement(before: UInt8[np.ndarray, "h w"], after: UInt8[np.ndarray, "h w"]) -> float:
    """How far the picture moved, in pixels: mean temporal change over mean gradient, after equalising the exposure.

    It sees forward motion, which phase correlation does not, and saturates at a few pixels: reduce the pictures to about a
    hundred pixels first.
    """
    a, b = before.astype(np.float32), after.astype(np.float32)
    b = (b - b.mean()) * (a.std() + 1) / (b.std() + 1) + a.mean()
    slope = np.abs(np.diff(a, axis=0)).mean() + np.abs(np.diff(a, axis=1)).mean()
    # Below one grey level a pixel there is nothing to see motion by.
    # The factor makes it right for edges of all directions: |u . g| averages to |u| (|gx| + |gy|) / 2.
    return float(2 * np.abs(b - a).mean() / max(slope, 1.0))
