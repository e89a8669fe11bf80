"""The two innermost loops as vectors: blend one splat into the blocks of a tile, and the gradient of that.

A block is one vector of pixels, see ``layout.BLOCK_W``; a *strip* is a row of eight blocks, and a tile's blocks are numbered row
by row. With ``dy`` the vertical distance from the splat's centre and ``u = dx + B / A dy`` the horizontal one from the splat's
crest in that pixel row,

    alpha = min(opacity * exp(-(A u^2 + SCHUR dy^2) / 2), 0.999)

and front-to-back compositing is ``weight = alpha * T; colour += weight * rgb; T *= 1 - alpha`` wherever ``alpha >= 1/255`` and
the pixel is still open. A pixel's transmittance carries its state in the sign: positive while open, negative once it is full (or
outside the image).

Which blocks a splat touches is found for all strips at once and kept as the bits of one integer. Walking over the set bits is one
loop per splat: two nested loops of one to three rounds each cost more in mispredicted branches than the arithmetic they guard.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spatialwm.render.cpu.layout import (
    BLOCK_W,
    CHANNELS,
    INV_A,
    MAX_ALPHA,
    MIN_ALPHA,
    MIN_TRANSMITTANCE,
    OPACITY,
    REACH,
    SCHUR,
    TILE_H,
    TILE_PIXELS,
    TILE_W,
    WIDEST,
    A,
    B,
    X,
    Y,
)  # fmt: skip
from spatialwm.render.cpu.vectors import FLOAT, INT32, Vectors, data_of

_BLOCKS_ACROSS = TILE_W // BLOCK_W
assert _BLOCKS_ACROSS == 8, "a strip is one byte of the mask"
_SLACK = 0.01
"""px by which an ellipse is taken wider, against rounding at its edge."""


class _Blended(NamedTuple):
    """What blending a splat into a block knows."""

    raw: Any
    """alpha before its clamp"""
    alpha: Any
    T: Any
    """before this splat"""
    weight: Any
    blends: Any
    """mask"""


class _Splat:
    """Emits what both loops share: finding a splat's blocks, walking over them, and its alpha in each."""

    def __init__(self, context: Any, builder: Any, sig: Any, args: Any, width: int) -> None:
        """Arguments 3 to 8 are planes, open blocks, records, the splat's place there, and the tile's left and top."""
        self.context, self.b, self.sig, self.args = context, builder, sig, args
        self.v = v = Vectors(builder, width)
        self.block_h = width // BLOCK_W
        self.planes, self.open_blocks, self.splats, self.at = self.data(3), self.data(4), self.data(5), args[6]
        self.x = builder.fsub(self.field(X), builder.fadd(args[7], ir.Constant(FLOAT, 0.5)))
        self.y = builder.fsub(self.field(Y), builder.fadd(args[8], ir.Constant(FLOAT, 0.5)))
        self.a, self.schur, inv_a = self.field(A), self.field(SCHUR), self.field(INV_A)
        self.slope = builder.fneg(builder.fmul(self.field(B), inv_a))
        self.dy = v.sub(v.const([float(i // BLOCK_W) for i in range(width)]), v.spread(self.y))
        column = v.const([float(i % BLOCK_W) for i in range(width)])
        self.u = v.sub(v.sub(column, v.spread(self.x)), v.mul(v.spread(self.slope), self.dy))
        half = v.const(-0.5)
        self.half_a, self.half_schur = v.mul(v.spread(self.a), half), v.mul(v.spread(self.schur), half)
        self.opacity = v.spread(self.field(OPACITY))

    def data(self, i: int) -> Any:
        """Pointer to the first element of the array argument ``i``."""
        return data_of(self.context, self.b, self.sig, self.args, i)

    def word(self, value: int) -> Any:
        """An index constant."""
        return ir.Constant(self.at.type, value)

    def field(self, column: int) -> Any:
        """A column of the splat's record."""
        return self.b.load(self.b.gep(self.splats, [self.b.add(self.at, self.word(column))]))

    def channels(self, count: int) -> list[Any]:
        """The splat's channel values, each in every lane."""
        return [self.v.spread(self.field(CHANNELS + c)) for c in range(count)]

    def touched(self) -> Any:
        """The open blocks that the visible ellipse touches, as bits of an integer; see ``bin.band_span``."""
        b, strips = self.b, TILE_H // self.block_h
        v = Vectors(b, strips)
        x, y, slope, schur, inv_a = (v.spread(s) for s in (self.x, self.y, self.slope, self.schur, self.field(INV_A)))
        top = v.sub(v.const([float(s * self.block_h) for s in range(strips)]), y)
        bottom = v.add(top, v.const(float(self.block_h - 1)))
        widest, reach, zero = v.spread(self.field(WIDEST)), v.spread(self.field(REACH)), v.const(0)

        def extreme(dy: Any) -> tuple[Any, Any, Any]:
            dy = v.minimum(bottom, v.maximum(top, dy))
            room = v.mul(v.sub(reach, v.mul(schur, v.mul(dy, dy))), inv_a)
            return v.add(x, v.mul(slope, dy)), v.sqrt(v.maximum(room, zero)), v.compare(room, ">=", zero)

        crest, half, right_inside = extreme(widest)
        right = v.minimum(v.add(v.add(crest, half), v.const(_SLACK)), v.const(TILE_W - 1))
        crest, half, left_inside = extreme(v.sub(zero, widest))
        left = v.maximum(v.add(v.sub(crest, half), v.const(1 - _SLACK)), zero)  # truncation then rounds up
        inside = v.both(v.compare(right, ">=", zero), v.compare(left, "<", v.const(TILE_W)))
        inside = v.both(inside, b.or_(right_inside, left_inside))
        first, last = (v.truncate(v.mul(edge, v.const(1 / BLOCK_W))) for edge in (left, right))
        one, two = (ir.Constant(v.int_kind, [k] * strips) for k in (1, 2))
        bits = b.sub(b.shl(two, last), b.shl(one, first))
        inside = v.both(inside, b.icmp_signed("<=", first, last))
        bits = b.select(inside, bits, ir.Constant(v.int_kind, [0] * strips))
        kind = ir.IntType(8 * strips)
        mask = b.bitcast(b.trunc(bits, ir.VectorType(ir.IntType(8), strips)), kind)
        return b.and_(mask, b.load(b.bitcast(self.open_blocks, kind.as_pointer()), align=1))

    @contextmanager
    def walk(self, mask: Any) -> Iterator[tuple[Any, Any, Any]]:
        """Loop over the set bits: index of the block's first pixel in a plane, and ``u`` and ``dy`` there."""
        b, v = self.b, self.v
        slot = cgutils.alloca_once(b, mask.type)
        b.store(mask, slot)
        head, body, end = (b.append_basic_block(name) for name in ("blocks", "block", "blocks.end"))
        b.branch(head)
        b.position_at_end(head)
        left = b.load(slot)
        b.cbranch(b.icmp_unsigned("!=", left, ir.Constant(mask.type, 0)), body, end)
        b.position_at_end(body)
        lowest = b.cttz(left, ir.Constant(ir.IntType(1), 1))
        b.store(b.and_(left, b.sub(left, ir.Constant(mask.type, 1))), slot)
        block = b.trunc(lowest, INT32) if mask.type.width > 32 else lowest
        strip, column = b.lshr(block, ir.Constant(INT32, 3)), b.and_(block, ir.Constant(INT32, 7))
        down = b.sitofp(b.mul(strip, ir.Constant(INT32, self.block_h)), FLOAT)
        across = b.sitofp(b.mul(column, ir.Constant(INT32, BLOCK_W)), FLOAT)
        dy = v.add(self.dy, v.spread(down))
        u = v.add(self.u, v.spread(b.fsub(across, b.fmul(self.slope, down))))
        yield b.mul(b.zext(block, self.at.type), self.word(v.width)), u, dy
        b.branch(head)
        b.position_at_end(end)

    def blend(self, pixel: Any, u: Any, dy: Any) -> _Blended:
        """Advance the transmittance of a block."""
        v = self.v
        raw = v.mul(self.opacity, v.exp(v.add(v.mul(self.half_a, v.mul(u, u)), v.mul(self.half_schur, v.mul(dy, dy)))))
        alpha = v.minimum(raw, v.const(MAX_ALPHA))
        T = v.load(self.planes, pixel)
        weight = v.mul(alpha, T)
        next_T = v.sub(T, weight)
        seen = v.both(v.compare(alpha, ">=", v.const(MIN_ALPHA)), v.compare(T, ">", v.const(0)))
        blends = v.both(seen, v.compare(next_T, ">", v.const(MIN_TRANSMITTANCE)))
        v.store(v.select(blends, next_T, v.select(seen, v.sub(v.const(0), T), T)), self.planes, pixel)
        return _Blended(raw, alpha, T, v.select(blends, weight, v.const(0)), blends)

    def plane(self, pixel: Any, plane: int) -> Any:
        """The same pixel in a further plane."""
        return self.b.add(pixel, self.word(TILE_PIXELS * plane))


@intrinsic
def blend_blocks(
    typing_context: Any, lanes: Any, channels: Any, track: Any, planes: Any, open_blocks: Any, splats: Any, at: Any, left: Any,
    top: Any, best: Any, row: Any,
) -> Any:  # fmt: skip
    """Blend one splat into its blocks of a tile.

    Args:
        lanes, channels, track: tuples whose lengths are the vector width, the number of channels, and 1 to record the
            heaviest Gaussian per pixel.
        planes: flat float32; per pixel of the tile the transmittance, then each channel, then (track) the greatest weight.
        open_blocks: uint8 per strip; a bit per block that has an open pixel.
        splats, at: flat records, and where this splat's record starts.
        left, top: of the tile, px.
        best: flat int32; (track) the row of that splat; row: this splat's.
    """
    depth, tracked = len(channels), len(track) > 0
    signature = types.void(lanes, channels, track, planes, open_blocks, splats, types.intp, types.float32, types.float32, best,
                           types.int32)  # fmt: skip

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        splat = _Splat(context, builder, sig, args, len(lanes))
        v, planes, best = splat.v, splat.planes, splat.data(9)
        colors, row = splat.channels(depth), v.spread(args[10])
        with splat.walk(splat.touched()) as (pixel, u, dy):
            weight = splat.blend(pixel, u, dy).weight
            for c, color in enumerate(colors):
                plane = splat.plane(pixel, 1 + c)
                v.store(v.add(v.load(planes, plane), v.mul(weight, color)), planes, plane)
            if tracked:
                plane = splat.plane(pixel, 1 + depth)
                heaviest = v.load(planes, plane)
                heavier = v.compare(weight, ">", heaviest)
                v.store(v.select(heavier, weight, heaviest), planes, plane)
                v.store(v.select(heavier, row, v.load(best, pixel, v.int_kind)), best, pixel)
        return context.get_dummy_value()

    return signature, emit


@intrinsic
def blend_blocks_vjp(
    typing_context: Any, lanes: Any, channels: Any, absolute: Any, planes: Any, open_blocks: Any, splats: Any, at: Any, left: Any,
    top: Any, sums: Any,
) -> Any:  # fmt: skip
    """Repeat ``blend_blocks`` and sum over the pixels what the gradients of the splat need.

    Walks front to back like the forward pass: with ``rest`` the part of ``sum_c v_c * pixel_c`` that lies behind the splat,
    ``d loss / d alpha = T * sum_c v_c rgb_c - rest / (1 - alpha)``, so one scalar per pixel replaces the colours behind it.

    Args:
        absolute: tuple of length 1 to also sum absolute gradients of the centre.
        planes: flat float32; per pixel the transmittance, ``rest``, then the gradient of each channel.
        sums: flat float32, written: with ``w = d loss / d ln alpha``, the sums of w, w u, w u^2, w dy, w u dy, w dy^2, of weight
            times gradient per channel, and (absolute) of |d loss / d x| and |d loss / d y|; room for a multiple of 8.
    """
    depth = len(channels)
    signature = types.void(lanes, channels, absolute, planes, open_blocks, splats, types.intp, types.float32, types.float32, sums)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        splat = _Splat(context, builder, sig, args, len(lanes))
        v, planes, colors = splat.v, splat.planes, splat.channels(depth)
        a, b, schur = v.spread(splat.a), v.spread(splat.field(B)), v.spread(splat.schur)
        totals = [cgutils.alloca_once(builder, v.kind) for _ in range(6 + depth + (2 if len(absolute) else 0))]
        for slot in totals:
            builder.store(v.const(0), slot)
        with splat.walk(splat.touched()) as (pixel, u, dy):
            block = splat.blend(pixel, u, dy)
            grads = [v.load(planes, splat.plane(pixel, 2 + c)) for c in range(depth)]
            here = v.mul(grads[0], colors[0])
            for grad, color in zip(grads[1:], colors[1:], strict=True):
                here = v.add(here, v.mul(grad, color))
            plane = splat.plane(pixel, 1)
            rest = v.sub(v.load(planes, plane), v.mul(block.weight, here))
            v.store(rest, planes, plane)
            v_alpha = v.sub(v.mul(block.T, here), v.div(rest, v.sub(v.const(1), block.alpha)))
            moves = v.both(block.blends, v.compare(block.raw, "<", v.const(MAX_ALPHA)))
            w = v.select(moves, v.mul(block.alpha, v_alpha), v.const(0))
            w_u, w_dy = v.mul(w, u), v.mul(w, dy)
            terms = [w, w_u, v.mul(w_u, u), w_dy, v.mul(w_u, dy), v.mul(w_dy, dy)]
            terms += [v.mul(block.weight, grad) for grad in grads]
            if len(absolute):
                terms += [v.magnitude(v.mul(w_u, a)), v.magnitude(v.add(v.mul(w_u, b), v.mul(w_dy, schur)))]
            for slot, term in zip(totals, terms, strict=True):
                builder.store(v.add(builder.load(slot), term), slot)
        v.store_totals([builder.load(slot) for slot in totals], splat.data(9))
        return context.get_dummy_value()

    return signature, emit
