"""What the innermost loop takes for one pixel and splat when all it needs is in cache: ``python benchmarks/inner_loop.py``.

No picture can be faster than its evaluated lanes times this figure, so it is what the whole rasteriser is measured against.
"""

from __future__ import annotations

import time

import numpy as np
from numba import njit

from spatialwm.render.cpu.blocks import blend_blocks
from spatialwm.render.cpu.layout import BLOCK_W, TILE_H, TILE_PIXELS, TILE_W
from spatialwm.render.cpu.vectors import machine_lanes

_SPLATS = 400
"""On one tile before it is emptied again: at alpha 0.01 its pixels are still open after them, as most are in a picture."""


@njit(fastmath={"reassoc", "nsz", "arcp", "contract", "afn"}, error_model="numpy")
def _blend(lanes, channels, planes, best, spans, strips, colors, repeats):
    for _ in range(repeats):
        planes[:] = np.float32(0)
        planes[:TILE_PIXELS] = np.float32(1)
        for rank in range(_SPLATS):
            # A wide, faint splat on every block of the tile.
            blend_blocks(lanes, channels, (), planes, best, spans, 0, strips - 1, np.float32(15), np.float32(7), np.float32(1e-4),  # pyright: ignore[reportCallIssue]
                         np.float32(0), np.float32(1e-4), np.float32(0.01), colors, 0, np.int32(rank))  # fmt: skip


def ns_per_lane(repeats: int = 40, runs: int = 9, lanes: int | None = None) -> float:
    """Nanoseconds of one core per pixel and splat with three channels, in the quietest of some runs.

    Args:
        lanes: vector width; None: the machine's. The plain loops have no such kernel.
    """
    lanes = max(lanes or machine_lanes(), 4)
    strips = TILE_H // (lanes // BLOCK_W)
    planes, best = np.empty(5 * TILE_PIXELS, np.float32), np.empty(TILE_PIXELS, np.int32)
    spans = np.tile(np.array([0, TILE_W // BLOCK_W - 1], np.intp), strips)
    arguments = ((0,) * lanes, (0,) * 3, planes, best, spans, strips, np.full(8, 0.5, np.float32))
    _blend(*arguments, 1)
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
