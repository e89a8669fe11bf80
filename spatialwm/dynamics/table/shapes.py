"""Rigid things of a table: solids put together from boxes and upright cylinders, with points on what can be seen of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True)
class Part:
    """One convex solid of a thing, in the thing's frame, whose origin is the middle of its foot print at half its height."""

    kind: Literal["box", "cylinder", "hull"]
    size: tuple[float, ...]
    """Half extents of a box; radius and half height of a cylinder; empty for a hull. Metres."""
    position: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0
    vertices: tuple[tuple[float, float, float], ...] = ()
    """Corners of a hull."""

    @property
    def volume(self) -> float:
        """Cubic metres; of a hull, of the box around it."""
        if self.kind == "box":
            return 8 * math.prod(self.size)
        if self.kind == "cylinder":
            return 2 * math.pi * self.size[0] ** 2 * self.size[1]
        return float(np.prod(np.ptp(np.array(self.vertices), axis=0)))


def surface(parts: tuple[Part, ...], count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """``count`` points and outward normals, even over the surface of the union: what lies inside another part is not seen.

    Args:
        parts: boxes and cylinders.
    """
    areas = np.array([_area(p) for p in parts])
    points, normals = np.zeros((0, 3)), np.zeros((0, 3))
    while len(points) < count:
        which = rng.choice(len(parts), 4 * count, p=areas / areas.sum())
        for i, part in enumerate(parts):
            p, n = _samples(part, int((which == i).sum()), rng)
            outside = np.ones(len(p), bool)
            for j, other in enumerate(parts):
                if j != i:
                    outside &= ~inside(other, p + 1e-6 * n)
            points, normals = np.concatenate([points, p[outside]]), np.concatenate([normals, n[outside]])
    chosen = _spread(points, count, rng)
    return points[chosen], normals[chosen]


def inside(part: Part, points: Float[np.ndarray, "n 3"]) -> np.ndarray:
    """Which points lie in a box or cylinder."""
    local = _turned(points - np.array(part.position), -part.yaw_rad)
    if part.kind == "box":
        over = np.abs(local) - np.array(part.size)
    else:
        over = np.stack([np.hypot(local[:, 0], local[:, 1]) - part.size[0], np.abs(local[:, 2]) - part.size[1]], 1)
    return np.asarray(over.max(1) <= 0)


def half_height(parts: tuple[Part, ...]) -> float:
    """Of the thing above its origin, metres."""
    return max(abs(p.position[2]) + (p.size[2] if p.kind == "box" else p.size[1]) for p in parts)


def reach(parts: tuple[Part, ...]) -> float:
    """Radius of the circle around the origin that holds the foot print, metres."""
    return max(
        math.hypot(*p.position[:2]) + (math.hypot(*p.size[:2]) if p.kind == "box" else p.size[0]) for p in parts
    )


def _area(part: Part) -> float:
    if part.kind == "box":
        a, b, c = part.size
        return 8 * (a * b + b * c + c * a)
    radius, half = part.size
    return 2 * math.pi * radius * (radius + 2 * half)


def _samples(part: Part, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    normals = np.zeros((count, 3))
    if part.kind == "box":
        size = np.array(part.size)
        faces = np.array([size[1] * size[2], size[2] * size[0], size[0] * size[1]])
        axis, sign = rng.choice(3, count, p=faces / faces.sum()), rng.choice([-1.0, 1.0], count)
        points = rng.uniform(-1, 1, (count, 3))
        points[np.arange(count), axis] = sign
        points *= size
        normals[np.arange(count), axis] = sign
    else:
        radius, half = part.size
        angle, side = rng.uniform(0, 2 * math.pi, count), rng.random(count) < 2 * half / (2 * half + radius)
        out = np.where(side, 1.0, np.sqrt(rng.random(count))) * radius
        z = np.where(side, rng.uniform(-1, 1, count), rng.choice([-1.0, 1.0], count))
        points = np.c_[out * np.cos(angle), out * np.sin(angle), z * half]
        normals = np.where(side[:, None], np.c_[np.cos(angle), np.sin(angle), 0 * z], np.c_[0 * z, 0 * z, z])
    return _turned(points, part.yaw_rad) + np.array(part.position), _turned(normals, part.yaw_rad)


def _turned(vectors: np.ndarray, yaw_rad: float) -> np.ndarray:
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    return vectors @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])


def _spread(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Farthest-point choice: random samples leave whole corners out, and corners are what touches."""
    chosen = np.empty(count, np.int64)
    chosen[0] = rng.integers(len(points))
    distance = np.full(len(points), np.inf)
    for i in range(1, count):
        distance = np.minimum(distance, ((points - points[chosen[i - 1]]) ** 2).sum(1))
        chosen[i] = distance.argmax()
    return chosen


def _block(rng: np.random.Generator) -> tuple[Part, ...]:
    a, b = rng.uniform(0.025, 0.06, 2)
    return (Part("box", (float(a), float(b), float(rng.uniform(0.02, 0.035)))),)


def _can(rng: np.random.Generator) -> tuple[Part, ...]:
    return (Part("cylinder", (float(rng.uniform(0.025, 0.055)), float(rng.uniform(0.02, 0.035)))),)


def _bars(*bars: tuple[float, float, float, float], half: float) -> tuple[Part, ...]:
    """Boxes of equal height from ``x, y, half width, half depth``, shifted so that their common middle is the origin."""
    low = np.min([(x - a, y - b) for x, y, a, b in bars], axis=0)
    high = np.max([(x + a, y + b) for x, y, a, b in bars], axis=0)
    mx, my = (low + high) / 2
    return tuple(Part("box", (a, b, half), (float(x - mx), float(y - my), 0.0)) for x, y, a, b in bars)


def _angle(rng: np.random.Generator) -> tuple[Part, ...]:
    long, short, thick = (float(v) for v in (rng.uniform(0.04, 0.06), rng.uniform(0.03, 0.05), rng.uniform(0.012, 0.02)))
    return _bars((0.0, 0.0, long, thick), (thick - long, thick + short, thick, short), half=float(rng.uniform(0.02, 0.03)))


def _tee(rng: np.random.Generator) -> tuple[Part, ...]:
    long, stem, thick = (float(v) for v in (rng.uniform(0.04, 0.06), rng.uniform(0.025, 0.045), rng.uniform(0.012, 0.02)))
    return _bars((0.0, 0.0, long, thick), (0.0, -thick - stem, thick, stem), half=float(rng.uniform(0.02, 0.03)))


def _channel(rng: np.random.Generator) -> tuple[Part, ...]:
    width, depth, thick = (float(v) for v in (rng.uniform(0.04, 0.06), rng.uniform(0.025, 0.04), rng.uniform(0.01, 0.015)))
    sides = [(s * (width - thick), thick + depth, thick, depth) for s in (-1, 1)]
    return _bars((0.0, 0.0, width, thick), *sides, half=float(rng.uniform(0.02, 0.03)))


def _cross(rng: np.random.Generator) -> tuple[Part, ...]:
    long, wide, thick = (float(v) for v in (rng.uniform(0.04, 0.06), rng.uniform(0.035, 0.055), rng.uniform(0.012, 0.018)))
    return _bars((0.0, 0.0, long, thick), (0.0, 0.0, thick, wide), half=float(rng.uniform(0.02, 0.03)))


def _mug(rng: np.random.Generator) -> tuple[Part, ...]:
    radius, half = float(rng.uniform(0.03, 0.04)), float(rng.uniform(0.025, 0.035))
    handle = float(rng.uniform(0.012, 0.02))
    return (Part("cylinder", (radius, half)), Part("box", (handle, 0.006, 0.6 * half), (radius + handle - 0.004, 0.0, 0.0)))


def _dumbbell(rng: np.random.Generator) -> tuple[Part, ...]:
    apart, half = float(rng.uniform(0.03, 0.045)), float(rng.uniform(0.02, 0.03))
    ends = (float(rng.uniform(0.018, 0.026)), float(rng.uniform(0.018, 0.026)))
    discs = tuple(Part("cylinder", (r, half), (s * apart, 0.0, 0.0)) for r, s in zip(ends, (-1, 1), strict=True))
    return (Part("box", (apart, 0.01, 0.7 * half)), *discs)


FAMILIARS = {"block": _block, "can": _can, "angle": _angle, "tee": _tee, "channel": _channel}
"""What a model sees while it learns."""
STRANGERS = {"cross": _cross, "mug": _mug, "dumbbell": _dumbbell}
"""Kept for judging it."""
