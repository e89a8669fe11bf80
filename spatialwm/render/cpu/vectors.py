"""Explicit vector instructions for the innermost loops of the rasteriser; the kernels are in ``blocks.py``.

One vector instruction handles 4, 8 or 16 pixels (*lanes*). Blending is ideal for that, the same arithmetic for every pixel with
no dependence between them, but compilers rarely vectorise it by themselves because of its three conditions. Here each condition
becomes a ``select`` and the loop is emitted as LLVM vectors: 3 to 5 times faster than the plain loop (``plain.py``, which stays
as fallback and as oracle in the tests).

How to read it: numba's ``@intrinsic`` lets a Python function write LLVM instructions. It runs once, at compile time; ``v.mul(a,
b)`` does not multiply but emits a multiplication. ``v.spread(x)`` makes a vector with the scalar ``x`` in every lane.

Compile-time constants travel as *types*: ``lanes`` is a tuple of that length, whose length is part of its type. numba's on-disk
cache looks at argument types but not at globals or the environment, so a width in a global would load a kernel of the wrong
width.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

EXP_FLOOR = -5.6
"""exp is needed only where alpha can reach 1/255, and exp(-5.6) < 1/255; below it the polynomial would explode."""
EXP_POLY = (0.00584675896, 0.0397725606, 0.165973976, 0.499882588, 0.999992539, 0.999999921)
"""Minimax for exp on [-0.7, 0], highest power first; exp(x) = poly(x / 8) ** 8 within 2e-6."""

_FLAGS = ("reassoc", "nsz", "arcp", "contract", "afn")
FLOAT, INT32 = ir.FloatType(), ir.IntType(32)


def machine_lanes() -> int:
    """float32 lanes of this processor's widest vectors: 16 AVX-512, 8 AVX, 4 SSE and NEON; 1 selects the plain loops.

    The environment variable SPATIALWM_CPU_VECTORS overrides it: 0 or 1 for plain loops, else 4, 8 or 16.
    """
    asked = os.environ.get("SPATIALWM_CPU_VECTORS", "")
    if asked in ("0", "1"):
        return 1
    if asked in ("4", "8", "16"):
        return int(asked)
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx") else 4


class Vectors:
    """Emits float32 vector instructions of one width through an LLVM ``builder``."""

    def __init__(self, builder: Any, width: int) -> None:
        self.builder, self.width = builder, width
        self.kind, self.int_kind = ir.VectorType(FLOAT, width), ir.VectorType(INT32, width)

    def const(self, value: float | np.floating | Sequence[float]) -> Any:
        """One value in every lane, or a value per lane."""
        lanes = list(value) if isinstance(value, Sequence) else [float(np.float32(value))] * self.width
        return ir.Constant(self.kind, lanes)

    def spread(self, scalar: Any) -> Any:
        """A run-time float or int32 scalar in every lane."""
        kind = self.kind if scalar.type == FLOAT else self.int_kind
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(INT32, 0))
        return self.builder.shuffle_vector(first, undefined, ir.Constant(self.int_kind, [0] * self.width))

    def mul(self, a: Any, b: Any) -> Any:
        return self.builder.fmul(a, b, flags=_FLAGS)

    def add(self, a: Any, b: Any) -> Any:
        return self.builder.fadd(a, b, flags=_FLAGS)

    def sub(self, a: Any, b: Any) -> Any:
        return self.builder.fsub(a, b, flags=_FLAGS)

    def div(self, a: Any, b: Any) -> Any:
        return self.builder.fdiv(a, b, flags=_FLAGS)

    def compare(self, a: Any, relation: str, b: Any) -> Any:
        """A mask; lanes with NaN are false."""
        return self.builder.fcmp_ordered(relation, a, b)

    def both(self, a: Any, b: Any) -> Any:
        """Conjunction of masks."""
        return self.builder.and_(a, b)

    def select(self, mask: Any, then: Any, otherwise: Any) -> Any:
        return self.builder.select(mask, then, otherwise)

    def minimum(self, a: Any, b: Any) -> Any:
        return self.select(self.compare(a, "<", b), a, b)

    def maximum(self, a: Any, b: Any) -> Any:
        return self.select(self.compare(a, ">", b), a, b)

    def sqrt(self, a: Any) -> Any:
        kind = ir.FunctionType(self.kind, [self.kind])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.sqrt.v{self.width}f32"), [a])

    def truncate(self, a: Any) -> Any:
        """To int32, towards zero."""
        return self.builder.fptosi(a, self.int_kind)

    def magnitude(self, a: Any) -> Any:
        """Absolute value."""
        return self.select(self.compare(a, "<", self.const(0)), self.sub(self.const(0), a), a)

    def exp(self, x: Any) -> Any:
        """exp on (-inf, 0], see ``EXP_POLY``."""
        floor = self.const(EXP_FLOOR / 8)
        y = self.mul(x, self.const(1 / 8))
        y = self.select(self.compare(y, ">", floor), y, floor)
        p = self.const(EXP_POLY[0])
        for coefficient in EXP_POLY[1:]:
            p = self.add(self.mul(p, y), self.const(coefficient))
        for _ in range(3):
            p = self.mul(p, p)
        return p

    def load(self, base: Any, offset: Any, kind: Any = None) -> Any:
        """A vector from ``base[offset:]``."""
        return self.builder.load(self._pointer(base, offset, kind or self.kind), align=4)

    def store(self, value: Any, base: Any, offset: Any) -> None:
        self.builder.store(value, self._pointer(base, offset, value.type), align=4)

    def store_totals(self, vectors: Sequence[Any], base: Any) -> None:
        """Write the sum over the lanes of each vector to ``base``, eight at a time; up to seven floats behind them are spoilt.

        Eight sums share their additions: vectors are halved in pairs until one holds them all, 23 instructions instead of 64.
        """
        for start in range(0, len(vectors), 8):
            group = list(vectors[start : start + 8])
            group += [self.const(0)] * (8 - len(group))
            parts = self.width  # lanes that still belong to one sum
            while len(group) > 1 and parts > 1:
                parts //= 2
                group = [self._halved(a, b, parts) for a, b in zip(group[::2], group[1::2], strict=True)]
            joined = self.joined(group)
            while parts > 1:
                parts //= 2
                pairs = [[2 * parts * k + i for k in range(8) for i in range(parts)], []]
                pairs[1] = [i + parts for i in pairs[0]]
                low, high = (self.shuffle(joined, order) for order in pairs)
                joined = self.builder.fadd(low, high)
            offset = ir.Constant(ir.IntType(64), start)
            self.builder.store(joined, self._pointer(base, offset, joined.type), align=4)

    def _halved(self, a: Any, b: Any, parts: int) -> Any:
        """Two vectors of sums in runs of ``2 * parts`` lanes become one with runs of ``parts``."""
        runs = self.width // (2 * parts)
        low = [2 * parts * k + i for k in range(runs) for i in range(parts)]
        low += [self.width + i for i in low]
        return self.builder.fadd(self.shuffle(a, low, b), self.shuffle(a, [i + parts for i in low], b))

    def joined(self, group: list[Any]) -> Any:
        """Vectors end to end; their number is a power of two."""
        while len(group) > 1:
            size = group[0].type.count
            group = [self.shuffle(a, range(2 * size), b) for a, b in zip(group[::2], group[1::2], strict=True)]
        return group[0]

    def shuffle(self, a: Any, lanes: Sequence[int], other: Any = None) -> Any:
        """A vector of the named lanes; those of ``other`` count on after those of ``a``."""
        other = ir.Constant(a.type, ir.Undefined) if other is None else other
        return self.builder.shuffle_vector(a, other, ir.Constant(ir.VectorType(INT32, len(lanes)), list(lanes)))

    def _pointer(self, base: Any, offset: Any, kind: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(base, [offset]), kind.as_pointer())


def data_of(context: Any, builder: Any, sig: Any, args: Any, i: int) -> Any:
    """Pointer to the first element of the array that is argument ``i`` of an intrinsic."""
    return context.make_array(sig.args[i])(context, builder, args[i]).data


@intrinsic
def prefetch(typing_context: Any, array: Any, at: Any) -> Any:
    """Ask for the cache line of ``array[at]`` (flat float32) without waiting for it."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        data = data_of(context, builder, sig, args, 0)
        pointer = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, INT32, INT32, INT32])
        function = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        read, keep, data_cache = (ir.Constant(INT32, v) for v in (0, 3, 1))
        builder.call(function, [pointer, read, keep, data_cache])
        return context.get_dummy_value()

    return types.void(array, types.intp), emit
