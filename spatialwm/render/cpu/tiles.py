"""Whole tiles between their planes of blocks and the picture, by shuffles.

A block's row is 4 pixels of the picture and a quarter of a vector in each plane; the way between costs several
CPU-ms a picture when taken pixel by pixel. Tiles at the picture's edge, and channels in groups, go that way.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spatialwm.render.cpu.layout import BLOCK_W, TILE_H, TILE_PIXELS, TILE_W
from spatialwm.render.cpu.vectors import FLOAT, Vectors, data_of


class _Tile:
    """Emits the walk over a tile's blocks."""

    def __init__(self, context: Any, builder: Any, sig: Any, args: Any, width: int) -> None:
        self.context, self.builder, self.sig, self.args = context, builder, sig, args
        self.v, self.width, self.rows = Vectors(builder, width), width, width // BLOCK_W

    def data(self, i: int) -> Any:
        """Pointer to the first element of the array argument ``i``."""
        return data_of(self.context, self.builder, self.sig, self.args, i)

    def word(self, value: int) -> Any:
        return ir.Constant(ir.IntType(64), value)

    def blocks(self) -> Any:
        """A loop whose index counts the blocks."""
        return cgutils.for_range(self.builder, self.word(TILE_W * TILE_H // self.width))

    def places(self, block: Any, corner: Any, row_px: Any) -> tuple[Any, list[Any]]:
        """Index of the block's first pixel in a plane, and of its rows' first pixels in the picture."""
        b = self.builder
        across = self.word(TILE_W // BLOCK_W)
        x = b.mul(b.urem(block, across), self.word(BLOCK_W))
        y = b.mul(b.udiv(block, across), self.word(self.rows))
        rows = [b.add(b.add(corner, x), b.mul(b.add(y, self.word(r)), row_px)) for r in range(self.rows)]
        return b.mul(block, self.word(self.width)), rows

    def plane(self, pixel: Any, plane: int) -> Any:
        return self.builder.add(pixel, self.word(TILE_PIXELS * plane))


@intrinsic
def store_tile(
    typing_context: Any, lanes: Any, channels: Any, planes: Any, corner: Any, row_px: Any, background: Any, image: Any, alpha: Any
) -> Any:
    """Write the picture under one tile that lies wholly inside it: ``colour + T * background`` and ``1 - T``.

    Args:
        lanes, channels: tuples whose lengths are the vector width and the number of channels, all that the picture has.
        planes: flat float32; per pixel of the tile the transmittance, then each channel.
        corner: index of the tile's first pixel in the picture; row_px: pixels in a row of it.
        image, alpha: written.
    """
    width, depth = len(lanes), len(channels)
    signature = types.void(lanes, channels, planes, types.intp, types.intp, background, image, alpha)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if width < BLOCK_W:
            return context.get_dummy_value()
        tile = _Tile(context, builder, sig, args, width)
        v = tile.v
        planes, background, image, alpha = (tile.data(i) for i in (2, 5, 6, 7))
        behind = [v.spread(builder.load(builder.gep(background, [tile.word(c)]))) for c in range(depth)]
        pixels = range(BLOCK_W * depth)
        with tile.blocks() as loop:
            pixel, rows = tile.places(loop.index, args[3], args[4])
            T = v.magnitude(v.load(planes, pixel))
            covered = v.sub(v.const(1), T)
            colors = [v.add(v.load(planes, tile.plane(pixel, 1 + c)), v.mul(T, behind[c])) for c in range(depth)]
            for r, at in enumerate(rows):
                v.store(v.shuffle(covered, range(r * BLOCK_W, (r + 1) * BLOCK_W)), alpha, at)
                line = v.shuffle(colors[0], [r * BLOCK_W + i // depth for i in pixels])
                for c in range(1, depth):
                    spread = v.shuffle(colors[c], [r * BLOCK_W + i // depth for i in pixels])
                    line = v.shuffle(line, [len(pixels) + i if i % depth == c else i for i in pixels], spread)
                v.store(line, image, builder.mul(at, tile.word(depth)))
        return context.get_dummy_value()

    return signature, emit


@intrinsic
def load_tile(
    typing_context: Any, lanes: Any, channels: Any, planes: Any, corner: Any, row_px: Any, image: Any, alpha: Any, v_image: Any,
    v_alpha: Any,
) -> Any:  # fmt: skip
    """The inverse, for the gradient: full transmittance, ``rest`` (see ``blocks.blend_blocks_vjp``), gradient of each channel."""
    width, depth = len(lanes), len(channels)
    signature = types.void(lanes, channels, planes, types.intp, types.intp, image, alpha, v_image, v_alpha)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        if width < BLOCK_W:
            return context.get_dummy_value()
        tile = _Tile(context, builder, sig, args, width)
        v = tile.v
        planes, image, alpha, v_image, v_alpha = (tile.data(i) for i in (2, 5, 6, 7, 8))
        four, line = ir.VectorType(FLOAT, BLOCK_W), ir.VectorType(FLOAT, BLOCK_W * depth)
        with tile.blocks() as loop:
            pixel, rows = tile.places(loop.index, args[3], args[4])
            covered, v_covered = (v.joined([v.load(base, at, four) for at in rows]) for base in (alpha, v_alpha))
            values, grads = (
                [v.load(base, builder.mul(at, tile.word(depth)), line) for at in rows] for base in (image, v_image)
            )
            # As in blend_vjp.open_gradients: -(1 - alpha) v_alpha + sum_c v_c pixel_c.
            rest = v.mul(v.sub(covered, v.const(1)), v_covered)
            for c in range(depth):
                mine = range(c, BLOCK_W * depth, depth)
                grad, value = (v.joined([v.shuffle(row, mine) for row in source]) for source in (grads, values))
                v.store(grad, planes, tile.plane(pixel, 2 + c))
                rest = v.add(rest, v.mul(grad, value))
            v.store(rest, planes, tile.plane(pixel, 1))
            v.store(v.const(1), planes, pixel)
        return context.get_dummy_value()

    return signature, emit
