"""What the innermost loop takes for one pixel and splat when all it needs is in cache: ``python benchmarks/inner_loop.py``.

No picture can be faster than its evaluated lanes times this figure, so it is what the whole rasteriser is measured against.
"""

from __future__ import annotations

import math
import time

import numpy as np
from numba import njit

from spatialwm.render.cpu.blocks import blend_blocks
from spatialwm.render.cpu.layout import CHANNELS, INV_A, OPACITY, REACH, SCHUR, TILE_H, TILE_PIXELS, TILE_W, A, C, X, Y
from spatialwm.render.cpu.vectors import machine_lanes

_SPLATS = 400
"""On one tile before it is emptied again: at alpha 0.01 its pixels are still open after them, as most are in a picture."""


@njit(fastmath={"reassoc", "nsz", "arcp", "contract", "afn"}, error_model="numpy")
def _blend(lanes, channels, planes, best, open_blocks, record, repeats):
    zero = np.float32(0)
    for _ in range(repeats):
        planes[:] = zero
        planes[:TILE_PIXELS] = np.float32(1)
        for row in range(_SPLATS):
            blend_blocks(lanes, channels, (), planes, open_blocks, record, 0, zero, zero, best, np.int32(row))  # pyright: ignore[reportCallIssue]


def _wide_and_faint() -> np.ndarray:
    """The record of a round splat that every block of a tile sees."""
    record = np.zeros(CHANNELS + 6, np.float32)
    record[[X, Y, A, C, INV_A, SCHUR]] = TILE_W / 2, TILE_H / 2, 1e-4, 1e-4, 1e4, 1e-4
    record[[OPACITY, REACH]] = 0.01, 2 * math.log(255 * 0.01)
    record[CHANNELS:] = 0.5
    return record


def ns_per_lane(repeats: int = 20, runs: int = 60, lanes: int | None = None) -> float:
    """Nanoseconds of one core per pixel and splat with three channels, in the quietest of some runs.

    Args:
        lanes: vector width; None: the machine's. The plain loops have no such kernel.
    """
    planes, best = np.empty(5 * TILE_PIXELS, np.float32), np.empty(TILE_PIXELS, np.int32)
    open_blocks = np.full(TILE_H, 255, np.uint8)
    arguments = ((0,) * max(lanes or machine_lanes(), 4), (0,) * 3, planes, best, open_blocks, _wide_and_faint())
    _blend(*arguments, 1)
    seen = 1 - np.abs(planes[:TILE_PIXELS])
    assert seen.min() > 0.9, "every splat must reach every pixel, or the figure is too good"
    fastest = float("inf")
    for _ in range(runs):
        started = time.process_time()
        _blend(*arguments, repeats)
        fastest = min(fastest, time.process_time() - started)
    return fastest * 1e9 / (repeats * _SPLATS * TILE_PIXELS)


if __name__ == "__main__":
    for width in (4, 8, 16):
        if width <= machine_lanes():
            print(f"{width:2d} lanes: {ns_per_lane(lanes=width):.3f} ns per pixel and splat")
