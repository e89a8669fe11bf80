"""Procedural noise over 3-D points: the raw stuff of every material. Deterministic, no tables, no global state."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba as nb
import numpy as np
from jaxtyping import Float, Int

from spatialwm.geometry.color import parse_color, srgb_to_linear
from spatialwm.lift.text.surface.cores import over


@nb.njit(cache=True, inline="always")
def _hash3(i: int, j: int, k: int, seed: int) -> float:
    n = (i * np.int64(374761393) + j * np.int64(668265263) + k * np.int64(2147483647) + seed * np.int64(1274126177)) & np.int64(
        0xFFFFFFFF
    )
    n = ((n ^ (n >> 13)) * np.int64(1274126177)) & np.int64(0xFFFFFFFF)
    return ((n ^ (n >> 16)) & np.int64(0xFFFFFF)) / 16777216.0


@nb.njit(cache=True)
def _value(x: float, y: float, z: float, seed: int) -> float:
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    u = u * u * u * (u * (u * 6 - 15) + 10)
    v = v * v * v * (v * (v * 6 - 15) + 10)
    w = w * w * w * (w * (w * 6 - 15) + 10)
    a = _hash3(i, j, k, seed) * (1 - u) + _hash3(i + 1, j, k, seed) * u
    b = _hash3(i, j + 1, k, seed) * (1 - u) + _hash3(i + 1, j + 1, k, seed) * u
    c = _hash3(i, j, k + 1, seed) * (1 - u) + _hash3(i + 1, j, k + 1, seed) * u
    d = _hash3(i, j + 1, k + 1, seed) * (1 - u) + _hash3(i + 1, j + 1, k + 1, seed) * u
    return ((a * (1 - v) + b * v) * (1 - w) + (c * (1 - v) + d * v) * w) * 2 - 1


@nb.njit(nogil=True, cache=True)
def _fbm(start, stop, points, fx, fy, fz, octaves, seed, ridged, out):
    for i in range(start, stop):
        x, y, z = points[i, 0] * fx, points[i, 1] * fy, points[i, 2] * fz
        total = 0.0
        amplitude = 1.0
        weight = 0.0
        for k in range(octaves):
            n = _value(x, y, z, seed + k)
            if ridged:
                n = 1 - 2 * abs(n)
            total += amplitude * n
            weight += amplitude
            amplitude *= 0.5
            x, y, z = x * 2.03 + 17.1, y * 2.03 + 5.3, z * 2.03 + 9.7
        out[i] = total / weight


@nb.njit(nogil=True, cache=True)
def _worley(start, stop, points, seed, near, cell):
    for q in range(start, stop):
        x, y, z = points[q, 0], points[q, 1], points[q, 2]
        i, j, k = math.floor(x), math.floor(y), math.floor(z)
        first, second, owner = 9.0, 9.0, 0.0
        for a in range(i - 1, i + 2):
            for b in range(j - 1, j + 2):
                for c in range(k - 1, k + 2):
                    dx = a + _hash3(a, b, c, seed) - x
                    dy = b + _hash3(a, b, c, seed + 1) - y
                    dz = c + _hash3(a, b, c, seed + 2) - z
                    d = dx * dx + dy * dy + dz * dz
                    if d < first:
                        second, first, owner = first, d, _hash3(a, b, c, seed + 3)
                    elif d < second:
                        second = d
        near[q, 0], near[q, 1], cell[q] = math.sqrt(first), math.sqrt(second), owner


Frequency = float | tuple[float, float, float]


def fbm(
    points: Float[np.ndarray, "n 3"], frequency: Frequency = 1.0, octaves: int = 4, seed: int = 0, ridged: bool = False
) -> Float[np.ndarray, " n"]:
    """Fractal value noise, about -1..1 (ridged: creases at +1), float32; ``frequency`` in cells per metre, or one per axis."""
    p = np.ascontiguousarray(points, np.float64)
    fx, fy, fz = (frequency,) * 3 if isinstance(frequency, int | float) else frequency
    out = np.empty(len(p), np.float32)
    over(len(p), _fbm, p, float(fx), float(fy), float(fz), octaves, seed, ridged, out)
    return out


def worley(
    points: Float[np.ndarray, "n 3"], frequency: Frequency = 1.0, seed: int = 0
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Cellular noise: distance to the nearest and second nearest cell point (in cells), and a random 0..1 per cell."""
    p = np.ascontiguousarray(points * np.asarray(frequency, np.float64), np.float64)
    near, cell = np.empty((len(p), 2), np.float32), np.empty(len(p), np.float32)
    over(len(p), _worley, p, seed, near, cell)
    return near[:, 0], near[:, 1], cell


def hash01(index: Int[np.ndarray, "*n"] | Float[np.ndarray, "*n"] | int, seed: int = 0) -> Float[np.ndarray, "*n"]:
    """A random 0..1 per integer, float32."""
    n = (np.asarray(index).astype(np.int64) * 374761393 + seed * 668265263 + 1013904223) & 0xFFFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFFFF).astype(np.float32) / np.float32(16777216)


def smoothstep(low: float, high: float, x: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """0 below ``low``, 1 above ``high`` (or the reverse when low > high), smooth between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a: np.ndarray, b: np.ndarray, t: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 3"]:
    """Colours ``a`` (t=0) to ``b`` (t=1), float32."""
    w = np.asarray(t, np.float32)[..., None]
    return np.asarray(a, np.float32) * (1 - w) + np.asarray(b, np.float32) * w


def linear(color: str | np.ndarray) -> Float[np.ndarray, " 3"]:
    """Linear RGB, float32, of a colour word, ``#rrggbb``, or an array that is linear already."""
    if isinstance(color, str):
        return srgb_to_linear(parse_color(color)).astype(np.float32)
    return np.asarray(color, np.float32)


def ramp(t: Float[np.ndarray, " n"], stops: Sequence[tuple[float, str | np.ndarray]]) -> Float[np.ndarray, "n 3"]:
    """Piecewise linear colour along ``t``; stops are ``(position, colour)`` in rising order."""
    xs = [s[0] for s in stops]
    colors = np.array([linear(s[1]) for s in stops])
    return np.stack([np.interp(t, xs, colors[:, k]) for k in range(3)], -1).astype(np.float32)
