"""What the kernels agree on: tiles and blocks of pixels, the columns of a splat record, constants, compiler flags."""

from __future__ import annotations

import numpy as np

TILE_W, TILE_H = 32, 16
"""Pixels. A tile's planes fit the L1 cache and hold a whole number of blocks of any vector width."""
TILE_PIXELS = TILE_W * TILE_H

BLOCK_W = 4
"""Pixels in a row of a block. A vector holds one block: 4x4 pixels in 16 lanes, 4x2 in 8, 4x1 in 4. Splats are a few pixels wide
and as high, so blocks waste fewer lanes and need fewer row preparations than vectors laid along a row."""

# Columns of a splat record (float32), which with up to six channels is one cache line. Channels follow from column CHANNELS on.
X, Y = 0, 1  # projected centre, px
A, B, C = 2, 3, 4  # conic (inverse 2D covariance): power = -(A dx^2 + 2 B dx dy + C dy^2) / 2
OPACITY = 5  # after the antialiasing compensation
REACH = 6  # 2 ln(255 opacity): alpha >= 1/255 exactly where -2 power <= REACH
INV_A = 7
SCHUR = 8  # det / A: power = -(A u^2 + SCHUR dy^2) / 2 with u = dx + B / A dy, two terms that do not cancel
WIDEST = 9  # dy at which the visible ellipse is widest to the right, px; to the left it is -WIDEST
CHANNELS = 10

# The image formation of gsplat 1.5.3.
MIN_ALPHA = np.float32(1 / 255)
MAX_ALPHA = np.float32(0.999)
MIN_TRANSMITTANCE = np.float32(1e-4)
FRUSTUM_MARGIN = 0.3  # of tan(fov / 2), by which the Jacobian's point is clamped outside the image

LARGEST = np.float32(3.4e38)
"""``not abs(x) <= LARGEST`` asks for NaN or infinity: isfinite is ``x - x == 0``, which reassociation folds to True."""

# No nnan/ninf: non-finite input must stay detectable.
FAST = {
    "fastmath": {"reassoc", "nsz", "arcp", "contract", "afn"},
    "cache": True,
    "error_model": "numpy",
    "nogil": True,
    "boundscheck": False,
}
