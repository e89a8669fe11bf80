"""What the kernels agree on: tile size, the columns of a splat record, constants of the image formation, compiler flags."""

from __future__ import annotations

import numpy as np

TILE_W, TILE_H = 32, 16
"""Pixels. One row is a whole number of vectors of any width up to 16, and a tile's colour planes fit the L1 cache."""
TILE_PIXELS = TILE_W * TILE_H

# Columns of a splat record (float32). Channels to blend follow from column CHANNELS on.
X, Y = 0, 1  # projected centre, px
A, B, C = 2, 3, 4  # conic (inverse 2D covariance): power = -(A dx^2 + 2 B dx dy + C dy^2) / 2
OPACITY = 5  # after the antialiasing compensation
REACH = 6  # 2 ln(255 opacity): alpha >= 1/255 exactly where -2 power <= REACH
INV_A = 7
DET = 8  # A C - B^2
HALF_W, HALF_H = 9, 10  # half extents of the visible ellipse, px
DEPTH = 11  # m along the optical axis
CHANNELS = 12

# The image formation of gsplat 1.5.3.
MIN_ALPHA = np.float32(1 / 255)
MAX_ALPHA = np.float32(0.999)
MIN_TRANSMITTANCE = np.float32(1e-4)
FRUSTUM_MARGIN = 0.3  # of tan(fov / 2), by which the Jacobian's point is clamped outside the image

# No nnan/ninf: non-finite input must stay detectable.
FAST = {
    "fastmath": {"reassoc", "nsz", "arcp", "contract", "afn"},
    "cache": True,
    "error_model": "numpy",
    "nogil": True,
    "boundscheck": False,
}
