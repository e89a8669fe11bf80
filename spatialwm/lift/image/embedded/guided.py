"""Smoothing that keeps to a picture's edges.

Source: He, Sun and Tang, ECCV 2010, "Guided image filtering", with a colour guide (equations 14 to 16).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.ndimage import uniform_filter, zoom


def guided(
    guide: Float[np.ndarray, "h w 3"], values: Float[np.ndarray, "h w"], radius: int, epsilon: float
) -> Float[np.ndarray, "h w"]:
    """Values that within every window are an affine function of the guide's colour.

    Args:
        guide: 0..1.
        radius: of the window, px.
        epsilon: variance of the guide below which a window counts as flat.
    """
    a, b = _coefficients(guide, values, radius, epsilon)
    return (a * guide).sum(-1) + b


def guided_up(
    guide: Float[np.ndarray, "h w 3"],
    values: Float[np.ndarray, "h w"],
    fine: Float[np.ndarray, "H W 3"],
    radius: int,
    epsilon: float,
) -> Float[np.ndarray, "H W"]:
    """Values at the size of ``fine``: the affine functions are found at the small size and applied at the large."""
    a, b = _coefficients(guide, values, radius, epsilon)
    out = _enlarged(b, fine.shape[:2])
    for c in range(3):
        out += _enlarged(a[..., c], fine.shape[:2]) * fine[..., c]
    return out


def enlarged(values: Float[np.ndarray, "h w"], height: int, width: int) -> Float[np.ndarray, "height width"]:
    """Bilinear, with the corners of the picture kept in place."""
    return _enlarged(values, (height, width))


def repeated(values: Float[np.ndarray, "h w"], height: int, width: int) -> Float[np.ndarray, "height width"]:
    """The nearest value at another size."""
    rows = ((np.arange(height) + 0.5) * values.shape[0] / height).astype(int)
    cols = ((np.arange(width) + 0.5) * values.shape[1] / width).astype(int)
    return values[np.ix_(rows, cols)]


def _enlarged(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if values.shape == shape:
        return values.astype(np.float32)
    factors = (shape[0] / values.shape[0], shape[1] / values.shape[1])
    return np.asarray(zoom(values.astype(np.float32), factors, order=1, mode="nearest", grid_mode=True))


def _coefficients(guide: np.ndarray, values: np.ndarray, radius: int, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    size = 2 * radius + 1

    def mean(x: np.ndarray) -> np.ndarray:
        return uniform_filter(x, size, mode="nearest")

    guide, values = guide.astype(np.float64), values.astype(np.float64)
    channels = [guide[..., c] for c in range(3)]
    m = np.stack([mean(c) for c in channels], -1)
    mv = mean(values)
    cov = np.stack([mean(c * values) - m[..., i] * mv for i, c in enumerate(channels)], -1)
    sigma = np.empty((*values.shape, 3, 3))
    for i in range(3):
        for j in range(i, 3):
            sigma[..., i, j] = sigma[..., j, i] = mean(channels[i] * channels[j]) - m[..., i] * m[..., j]
    sigma += epsilon * np.eye(3)
    a = np.linalg.solve(sigma, cov[..., None])[..., 0]
    b = mv - (a * m).sum(-1)
    return np.stack([mean(a[..., c]) for c in range(3)], -1), mean(b)
