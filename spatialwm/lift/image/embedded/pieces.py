"""The connected pieces of a mask."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int32
from scipy.ndimage import label


def pieces(mask: Bool[np.ndarray, "h w"]) -> Int32[np.ndarray, "h w"]:
    """1, 2, ... by the four-connected piece each pixel belongs to; 0 outside the mask."""
    out = np.zeros(mask.shape, np.int32)
    label(mask, output=out)
    return out
