"""Pictures averaged down exactly: each new pixel is the mean of the area it covers, whatever the ratio."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Shaped
from scipy import sparse


def area_averaged(pixels: Shaped[np.ndarray, "h w *c"], width: int, height: int) -> Float[np.ndarray, "height width *c"]:
    """float32 values at a smaller or equal size, so that intrinsics scale exactly with it.

    Pillow's BOX filter takes whole source pixels only: at a ratio of 1.5 everything moves by a seventh of a new pixel, which
    the test of this function shows, and training against such pictures blurs.
    """
    rows, columns = pixels.shape[:2]
    if (rows, columns) == (height, width):
        return pixels.astype(np.float32)
    flat = pixels.reshape(rows, -1).astype(np.float32)
    fewer = np.asarray(_weights(rows, height) @ flat).reshape(height, columns, -1)
    across = np.ascontiguousarray(fewer.transpose(1, 0, 2)).reshape(columns, -1)
    small = np.asarray(_weights(columns, width) @ across).reshape(width, height, -1).transpose(1, 0, 2)
    return np.ascontiguousarray(small).reshape(height, width, *pixels.shape[2:])


@lru_cache(maxsize=16)
def _weights(count: int, fewer: int) -> sparse.csr_array:
    """The share of each of ``count`` pixels in each of ``fewer`` that cover the same length."""
    ratio = count / fewer
    edges = np.arange(fewer + 1) * ratio
    first = np.minimum(edges[:-1].astype(np.intp), count - 1)
    reach = int(np.ceil(ratio)) + 1
    source = first[:, None] + np.arange(reach)
    low, high = np.maximum(source, edges[:-1, None]), np.minimum(source + 1, edges[1:, None])
    share = np.where(source < count, np.clip(high - low, 0, None), 0)
    share /= share.sum(1, keepdims=True)
    target = np.repeat(np.arange(fewer), reach)
    used = share.ravel() > 0
    return sparse.csr_array(
        (share.ravel()[used].astype(np.float32), (target[used], source.ravel()[used])), shape=(fewer, count)
    )  # fmt: skip
