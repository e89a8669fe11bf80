"""The two innermost loops as vectors: blend one splat into the blocks of a tile, and the gradient of that.

A block is one vector of pixels, see ``layout.BLOCK_W``; a *strip* is a row of blocks. With ``dy`` the vertical distance from the
splat's centre and ``u = dx + B / A dy`` the horizontal one from the crest of the splat in that pixel row,

    alpha = min(opacity * exp(-(A u^2 + SCHUR dy^2) / 2), 0.999)

and front-to-back compositing is ``weight = alpha * T; colour += weight * rgb; T *= 1 - alpha`` wherever ``alpha >= 1/255`` and
the pixel is still open. A pixel's transmittance carries its state in the sign: positive while open, negative once it is full (or
outside the image).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spatialwm.render.cpu.layout import BLOCK_W, MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, TILE_PIXELS, TILE_W
from spatialwm.render.cpu.vectors import FLOAT, Vectors

_BLOCKS_ACROSS = TILE_W // BLOCK_W


class _Splat:
    """Emits what both loops share: walking over a splat's blocks, and its alpha in each."""

    def __init__(self, context: Any, builder: Any, sig: Any, args: Any, width: int) -> None:
        self.context, self.builder, self.sig, self.args = context, builder, sig, args
        self.v = Vectors(builder, width)
        self.rows = width // BLOCK_W

    def data(self, i: int) -> Any:
        """Pointer to the first element of the array argument ``i``."""
        return self.context.make_array(self.sig.args[i])(self.context, self.builder, self.args[i]).data

    def word(self, value: int) -> Any:
        return ir.Constant(self.args[6].type, value)

    def loop(self, first: Any, last: Any) -> Any:
        """``for i in range(first, last + 1)``."""
        return cgutils.for_range(self.builder, self.builder.add(last, self.word(1)), start=first)

    def strip(self, strip: Any, x: Any, y: Any, slope: Any, schur: Any) -> tuple[Any, Any, Any]:
        """``dy``, ``u`` of the leftmost block and ``-SCHUR dy^2 / 2`` in each lane of a strip."""
        v, b = self.v, self.builder
        row = v.const([float(i // BLOCK_W) for i in range(v.width)])
        column = v.const([float(i % BLOCK_W) for i in range(v.width)])
        top = b.sitofp(b.mul(strip, self.word(self.rows)), FLOAT)
        dy = v.add(row, v.spread(b.fsub(top, y)))
        u = v.sub(v.sub(column, v.spread(x)), v.mul(v.spread(slope), dy))
        return dy, u, v.mul(v.mul(v.spread(schur), v.const(-0.5)), v.mul(dy, dy))

    def span(self, spans: Any, strip: Any) -> tuple[Any, Any]:
        """First and last block of a strip that the splat touches."""
        b = self.builder
        at = b.mul(strip, self.word(2))
        return b.load(b.gep(spans, [at])), b.load(b.gep(spans, [b.add(at, self.word(1))]))

    def block(self, strip: Any, column: Any, u: Any) -> tuple[Any, Any]:
        """Index of the block's first pixel in a plane, and ``u`` there."""
        b = self.builder
        pixel = b.mul(b.add(b.mul(strip, self.word(_BLOCKS_ACROSS)), column), self.word(self.v.width))
        return pixel, self.v.add(u, self.v.spread(b.sitofp(b.mul(column, self.word(BLOCK_W)), FLOAT)))

    def blend(self, planes: Any, pixel: Any, u: Any, half_a: Any, fall: Any, opacity: Any) -> tuple[Any, ...]:
        """Advance the transmittance; returns alpha before its clamp, alpha, transmittance before, weight and blend mask."""
        v = self.v
        raw = v.mul(opacity, v.exp(v.add(v.mul(half_a, v.mul(u, u)), fall)))
        alpha = v.minimum(raw, v.const(MAX_ALPHA))
        T = v.load(planes, pixel)
        weight = v.mul(alpha, T)
        next_T = v.sub(T, weight)
        seen = v.both(v.compare(alpha, ">=", v.const(MIN_ALPHA)), v.compare(T, ">", v.const(0)))
        blends = v.both(seen, v.compare(next_T, ">", v.const(MIN_TRANSMITTANCE)))
        closed = v.select(seen, v.sub(v.const(0), T), T)
        v.store(v.select(blends, next_T, closed), planes, pixel)
        return raw, alpha, T, v.select(blends, weight, v.const(0)), blends

    def plane(self, pixel: Any, plane: int) -> Any:
        return self.builder.add(pixel, self.word(TILE_PIXELS * plane))

    def channels(self, splats: Any, at: Any, count: int) -> list[Any]:
        b = self.builder
        return [self.v.spread(b.load(b.gep(splats, [b.add(at, self.word(c))]))) for c in range(count)]


@intrinsic
def blend_blocks(
    typing_context: Any, lanes: Any, channels: Any, track: Any, planes: Any, best: Any, spans: Any, first: Any, last: Any,
    x: Any, y: Any, a: Any, slope: Any, schur: Any, opacity: Any, splats: Any, at: Any, row: Any,
) -> Any:  # fmt: skip
    """Blend one splat into its blocks of a tile.

    Args:
        lanes, channels, track: tuples whose lengths are the vector width, the number of channels, and 1 to record the
            heaviest Gaussian per pixel.
        planes: flat float32; per pixel of the tile the transmittance, then each channel, then (track) the greatest weight.
        best: flat int32; (track) the row of that splat.
        spans: flat intp; first and last block of each strip.
        first, last: strips.
        x, y: the splat's centre from the centre of the tile's first pixel, px; slope: -B / A.
        splats, at: flat array and index where this splat's channel values start.
    """
    depth, tracked = len(channels), len(track) > 0
    f32, index = types.float32, types.intp
    signature = types.void(lanes, channels, track, planes, best, spans, index, index, f32, f32, f32, f32, f32, f32, splats, index,
                           types.int32)  # fmt: skip

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        splat = _Splat(context, builder, sig, args, len(lanes))
        v = splat.v
        planes, best, spans, splats = (splat.data(i) for i in (3, 4, 5, 14))
        x, y, a, slope, schur, opacity = args[8:14]
        half_a, peak, row = v.mul(v.spread(a), v.const(-0.5)), v.spread(opacity), v.spread(args[16])
        colors = splat.channels(splats, args[15], depth)
        with splat.loop(args[6], args[7]) as strips:
            _, left, fall = splat.strip(strips.index, x, y, slope, schur)
            with splat.loop(*splat.span(spans, strips.index)) as blocks:
                pixel, u = splat.block(strips.index, blocks.index, left)
                *_, weight, _ = splat.blend(planes, pixel, u, half_a, fall, peak)
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
    typing_context: Any, lanes: Any, channels: Any, absolute: Any, planes: Any, sums: Any, spans: Any, first: Any, last: Any,
    x: Any, y: Any, a: Any, slope: Any, schur: Any, opacity: Any, b: Any, splats: Any, at: Any,
) -> Any:  # fmt: skip
    """Repeat ``blend_blocks`` and sum over the pixels what the gradients of the splat need.

    Walks front to back like the forward pass: with ``rest`` the part of ``sum_c v_c * pixel_c`` that lies behind the splat,
    ``d loss / d alpha = T * sum_c v_c rgb_c - rest / (1 - alpha)``, so one scalar per pixel replaces the colours behind it.

    Args:
        absolute: tuple of length 1 to also sum absolute gradients of the centre.
        planes: flat float32; per pixel the transmittance, ``rest``, then the gradient of each channel.
        sums: flat float32, written: with ``w = d loss / d ln alpha``, the sums of w, w u, w u^2, w dy, w u dy, w dy^2, of weight
            times gradient per channel, and (absolute) of |d loss / d x| and |d loss / d y|.
    """
    depth = len(channels)
    f32, index = types.float32, types.intp
    signature = types.void(lanes, channels, absolute, planes, sums, spans, index, index, f32, f32, f32, f32, f32, f32, f32,
                           splats, index)  # fmt: skip

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        splat = _Splat(context, builder, sig, args, len(lanes))
        v = splat.v
        planes, sums, spans, splats = (splat.data(i) for i in (3, 4, 5, 15))
        x, y, a, slope, schur, opacity, b = args[8:15]
        half_a, peak = v.mul(v.spread(a), v.const(-0.5)), v.spread(opacity)
        colors = splat.channels(splats, args[16], depth)
        count = 6 + depth + (2 if len(absolute) else 0)
        totals = [cgutils.alloca_once(builder, v.kind) for _ in range(count)]
        in_strip = [cgutils.alloca_once(builder, v.kind) for _ in range(2)]
        for slot in totals:
            builder.store(v.const(0), slot)

        def accumulate(slot: Any, value: Any) -> None:
            builder.store(v.add(builder.load(slot), value), slot)

        with splat.loop(args[6], args[7]) as strips:
            dy, left, fall = splat.strip(strips.index, x, y, slope, schur)
            for slot in in_strip:
                builder.store(v.const(0), slot)
            with splat.loop(*splat.span(spans, strips.index)) as blocks:
                pixel, u = splat.block(strips.index, blocks.index, left)
                raw, alpha, T, weight, blends = splat.blend(planes, pixel, u, half_a, fall, peak)
                grads = [v.load(planes, splat.plane(pixel, 2 + c)) for c in range(depth)]
                here = v.mul(grads[0], colors[0])
                for grad, color in zip(grads[1:], colors[1:], strict=True):
                    here = v.add(here, v.mul(grad, color))
                plane = splat.plane(pixel, 1)
                rest = v.sub(v.load(planes, plane), v.mul(weight, here))
                v.store(rest, planes, plane)
                v_alpha = v.sub(v.mul(T, here), v.div(rest, v.sub(v.const(1), alpha)))
                moves = v.both(blends, v.compare(raw, "<", v.const(MAX_ALPHA)))
                w = v.select(moves, v.mul(alpha, v_alpha), v.const(0))
                w_u = v.mul(w, u)
                accumulate(in_strip[0], w)
                accumulate(in_strip[1], w_u)
                accumulate(totals[2], v.mul(w_u, u))
                for c, grad in enumerate(grads):
                    accumulate(totals[6 + c], v.mul(weight, grad))
                if len(absolute):
                    accumulate(totals[6 + depth], v.magnitude(v.mul(w_u, v.spread(a))))
                    down = v.add(v.mul(w_u, v.spread(b)), v.mul(w, v.mul(v.spread(schur), dy)))
                    accumulate(totals[7 + depth], v.magnitude(down))
            # dy is the same in all blocks of a strip: its products wait until the strip is done.
            w, w_u = (builder.load(slot) for slot in in_strip)
            w_dy = v.mul(w, dy)
            for slot, value in ((0, w), (1, w_u), (3, w_dy), (4, v.mul(w_u, dy)), (5, v.mul(w_dy, dy))):
                accumulate(totals[slot], value)
        for i, slot in enumerate(totals):
            builder.store(v.total(builder.load(slot)), builder.gep(sums, [splat.word(i)]))
        return context.get_dummy_value()

    return signature, emit
