"""Makers of triangle solids: boxes, lathed and swept forms, sheets, rocks, cushions. Metres, +Z up, faces outward."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np
from jaxtyping import Float, Int

from spatialwm.lift.text.model import Solid
from spatialwm.lift.text.surface.noise import fbm, worley

Points = Sequence[Sequence[float]] | np.ndarray
Vector = Sequence[float] | np.ndarray


def solid(vertices: np.ndarray, faces: np.ndarray, texture: np.ndarray | None = None) -> Solid:
    """A solid from raw arrays; the texture coordinates default to the vertices."""
    v = np.asarray(vertices, np.float64)
    return Solid(v, np.asarray(faces, np.int64).reshape(-1, 3), v.copy() if texture is None else np.asarray(texture, np.float64))


def join(solids: Iterable[Solid]) -> Solid:
    """All triangles as one solid; nothing is welded."""
    items = list(solids)
    offsets = np.cumsum([0, *[len(s.vertices) for s in items[:-1]]])
    return Solid(
        np.concatenate([s.vertices for s in items]),
        np.concatenate([s.faces + o for s, o in zip(items, offsets, strict=True)]),
        np.concatenate([s.texture for s in items]),
    )


def grid_faces(nu: int, nv: int, wrap_v: bool = False) -> Int[np.ndarray, "f 3"]:
    """Two triangles per cell of a ``nu`` x ``nv`` vertex grid in row-major order; normal along du x dv."""
    a, b = np.meshgrid(np.arange(nu - 1), np.arange(nv if wrap_v else nv - 1), indexing="ij")
    a, b = a.ravel(), b.ravel()
    c = (b + 1) % nv
    p, q, r, s = a * nv + b, (a + 1) * nv + b, (a + 1) * nv + c, a * nv + c
    return np.concatenate([np.stack([p, q, r], 1), np.stack([p, r, s], 1)])


def weld(item: Solid, tolerance_m: float = 1e-5) -> Solid:
    """Merge coincident vertices and drop triangles that vanish."""
    keys = np.round(item.vertices / tolerance_m).astype(np.int64)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    f = inverse.ravel()[item.faces]
    f = f[(f[:, 0] != f[:, 1]) & (f[:, 1] != f[:, 2]) & (f[:, 0] != f[:, 2])]
    return Solid(item.vertices[first], f, item.texture[first])


def vertex_normals(vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]) -> Float[np.ndarray, "v 3"]:
    """Unit normals, weighted by triangle area."""
    n = np.cross(vertices[faces[:, 1]] - vertices[faces[:, 0]], vertices[faces[:, 2]] - vertices[faces[:, 0]])
    out = np.stack([np.bincount(faces.ravel(), np.repeat(n[:, k], 3), len(vertices)) for k in range(3)], 1)
    return out / (np.linalg.norm(out, axis=1, keepdims=True) + 1e-20)


# -- flat things -------------------------------------------------------------------------------------------------------


def sheet(shape: Callable[[np.ndarray, np.ndarray], tuple], nu: int, nv: int) -> Solid:
    """An open surface ``shape(u, v) -> (x, y, z)`` over the unit square; the normal is du x dv."""
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(0, 1, nu), np.linspace(0, 1, nv), indexing="ij"))
    xyz = np.stack([np.broadcast_to(np.asarray(c, np.float64), u.shape) for c in shape(u, v)], 1)
    return solid(xyz, grid_faces(nu, nv))


def quad(origin: Sequence[float], edge_u: Sequence[float], edge_v: Sequence[float], segment: float = 0.22) -> Solid:
    """A parallelogram cut into cells of about ``segment``; its normal is ``edge_u x edge_v``."""
    o, a, b = (np.asarray(e, np.float64) for e in (origin, edge_u, edge_v))
    nu = max(2, int(np.linalg.norm(a) / segment) + 2)
    nv = max(2, int(np.linalg.norm(b) / segment) + 2)
    return sheet(lambda u, v: tuple(o[i] + u * a[i] + v * b[i] for i in range(3)), nu, nv)


def disc(radius: float, z: float = 0.0, sides: int = 32, rings: int = 4) -> Solid:
    """A level disc that looks up."""
    return lathe([(radius * (1 - k / rings) + 1e-4, z) for k in range(rings + 1)], sides)


# -- boxes and soft boxes ------------------------------------------------------------------------------------------------


def box(x: float, y: float, z: float, bevel: float = 0.006, segment: float = 0.25, rounds: int = 2) -> Solid:
    """A box centred at the origin with rounded edges of radius ``bevel``, its faces cut into cells of about ``segment``."""
    half = np.array([x, y, z], np.float64) / 2
    r = min(bevel, float(half.min()) * 0.999)

    def ticks(a: float) -> np.ndarray:
        rim = [-a + r * (1 - math.cos(math.pi / 2 * i / rounds)) for i in range(rounds)] if r > 0 else []
        n = max(1, math.ceil((2 * a - 2 * r) / segment))
        return np.array([*rim, *np.linspace(-a + r, a - r, n + 1), *[-t for t in reversed(rim)]])

    sides = []
    for d in range(3):
        i, j = (d + 1) % 3, (d + 2) % 3
        u, v = ticks(half[i]), ticks(half[j])
        grid_u, grid_v = np.meshgrid(u, v, indexing="ij")
        for sign in (-1, 1):
            p = np.zeros((grid_u.size, 3))
            p[:, i], p[:, j], p[:, d] = grid_u.ravel(), grid_v.ravel(), sign * half[d]
            f = grid_faces(len(u), len(v))
            sides.append(solid(p, f if sign > 0 else f[:, ::-1]))
    out = join(sides)
    if r > 0:
        inner = np.clip(out.vertices, -(half - r), half - r)
        away = out.vertices - inner
        length = np.linalg.norm(away, axis=1, keepdims=True)
        out = solid(inner + r * away / np.maximum(length, 1e-9), out.faces)
    out = weld(out)
    return solid(out.vertices, out.faces)


def slab(x: float, y: float, z: float, bottom: float = 0.0, bevel: float = 0.006, segment: float = 0.25) -> Solid:
    """A :func:`box` that stands on height ``bottom``."""
    return box(x, y, z, bevel, segment).moved(z=bottom + z / 2)


def inflate(item: Solid, amount: float, axis: int = 2, power: float = 4.0) -> Solid:
    """Bulge the two faces across ``axis`` as stuffing does; for solids centred at the origin."""
    half = np.abs(item.vertices).max(0)
    i, j = (k for k in range(3) if k != axis)
    bulge = (1 - np.abs(item.vertices[:, i] / half[i]) ** power) * (1 - np.abs(item.vertices[:, j] / half[j]) ** power)
    v = item.vertices.copy()
    v[:, axis] += amount * bulge * np.sign(v[:, axis])
    return Solid(v, item.faces, item.texture)


def cushion(x: float, y: float, z: float, puff: float = 0.03, axis: int = 2, bevel: float = 0.055) -> Solid:
    """A seat or back cushion centred at the origin; ``z`` is the height before puffing."""
    return inflate(box(x, y, z, min(bevel, 0.45 * min(x, y, z)), 0.06, 4), puff, axis)


def pillow(x: float, y: float, thickness: float = 0.15) -> Solid:
    """A throw pillow with pinched corners, lying flat, centred at the origin."""
    m = box(x, y, 0.02, 0.009, 0.035)
    v = m.vertices.copy()
    s, t = v[:, 0] / (x / 2), v[:, 1] / (y / 2)
    fill = np.sqrt(np.clip((1 - np.abs(s) ** 2.2) * (1 - np.abs(t) ** 2.2), 0, 1))
    v[:, 2] = np.sign(v[:, 2]) * (0.006 + (thickness / 2 - 0.006) * fill)
    v[:, 1] *= 1 - 0.07 * (1 - np.abs(s) ** 2) * np.abs(t) ** 4
    v[:, 0] *= 1 - 0.07 * (1 - np.abs(t) ** 2) * np.abs(s) ** 4
    return solid(v, m.faces)


# -- turned and swept ------------------------------------------------------------------------------------------------------


def lathe(profile: Points, sides: int = 32) -> Solid:
    """A profile of ``(radius, height)`` turned about +Z; walk it from the bottom centre outward and up for outward faces."""
    p = np.asarray(profile, np.float64)
    a = np.arange(sides) * 2 * np.pi / sides
    v = np.stack([p[:, :1] * np.cos(a), p[:, :1] * np.sin(a), np.repeat(p[:, 1:2], sides, 1)], -1).reshape(-1, 3)
    return solid(v, grid_faces(len(p), sides, wrap_v=True)[:, ::-1])


def cylinder(radius: float, height: float, sides: int = 32, bevel: float = 0.004, top_radius: float | None = None) -> Solid:
    """A closed cylinder or cone frustum that stands on the origin."""
    top = radius if top_radius is None else top_radius
    b = min(bevel, radius / 2, height / 3)
    n = max(2, int(height / max(0.12, radius)) + 1)
    wall = [(radius + (top - radius) * t, b + (height - 2 * b) * t) for t in np.linspace(0, 1, n)]
    rim = max(top - b, top * 0.5)
    return lathe(
        [(1e-4, 0), (radius * 0.6, 0), (radius - b, 0), *wall, (rim, height), (rim * 0.6, height), (1e-4, height)], sides
    )


def tube(path: Points, radius: float | Sequence[float] | np.ndarray, sides: int = 10, cap: bool = True) -> Solid:
    """A round rod along a polyline; texture is (cross-section x, y, arc length)."""
    p = np.asarray(path, np.float64)
    r = np.broadcast_to(np.asarray(radius, np.float64), (len(p),))
    tangent = np.gradient(p, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-12
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    side = np.cross(tangent[0], [0, 0, 1.0] if abs(tangent[0, 2]) < 0.9 else [1.0, 0, 0])
    a = np.arange(sides) * 2 * np.pi / sides
    vertices, texture = [], []
    for i in range(len(p)):
        side = side - tangent[i] * (side @ tangent[i])
        side /= np.linalg.norm(side) + 1e-12
        up = np.cross(tangent[i], side)
        vertices.append(p[i] + r[i] * (np.cos(a)[:, None] * side + np.sin(a)[:, None] * up))
        texture.append(np.stack([r[i] * np.cos(a), r[i] * np.sin(a), np.full(sides, arc[i])], 1))
    f = grid_faces(len(p), sides, wrap_v=True)[:, ::-1]
    if cap:
        n, k, last = len(p) * sides, np.arange(sides), (len(p) - 1) * sides
        k1 = (k + 1) % sides
        f = np.concatenate(
            [f, np.stack([k1, k, np.full(sides, n)], 1), np.stack([last + k, last + k1, np.full(sides, n + 1)], 1)]
        )
        vertices.append(p[[0, -1]])
        texture.append(np.array([[0, 0, 0], [0, 0, arc[-1]]]))
    return solid(np.concatenate(vertices), f, np.concatenate(texture))


def rod(start: Vector, end: Vector, radius: float, end_radius: float | None = None, sides: int = 12) -> Solid:
    """A straight, possibly tapered :func:`tube`."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    n = max(3, int(np.linalg.norm(b - a) / 0.15) + 2)
    t = np.linspace(0, 1, n)
    return tube(a + (b - a) * t[:, None], radius + ((end_radius if end_radius is not None else radius) - radius) * t, sides)


def ring(radius: float, thickness: float, sides: int = 40, around: int = 10) -> Solid:
    """A torus that lies level, centred at the origin; ``thickness`` is the tube's radius."""
    a = np.linspace(0, 2 * np.pi, sides + 1)
    p = np.c_[radius * np.cos(a), radius * np.sin(a), np.zeros(sides + 1)]
    return tube(p, thickness, around, cap=False)


def rounded_rectangle(x: float, y: float, radius: float, steps: int = 6) -> Float[np.ndarray, "n 2"]:
    """Counter-clockwise outline of half extents ``x``, ``y``; first point not repeated."""
    r = min(radius, x * 0.999, y * 0.999)
    corners = ((x - r, y - r), (-x + r, y - r), (-x + r, -y + r), (x - r, -y + r))
    t = np.linspace(0, np.pi / 2, steps + 1)
    return np.concatenate(
        [np.c_[cx + r * np.cos(t + k * np.pi / 2), cy + r * np.sin(t + k * np.pi / 2)] for k, (cx, cy) in enumerate(corners)]
    )


def extrude(outline: Points, height: float, bevel: float = 0.0) -> Solid:
    """A prism over a star-shaped counter-clockwise outline around its centroid, from z = 0 to ``height``."""
    p = np.asarray(outline, np.float64)
    c = p.mean(0)
    b = min(bevel, height / 3)
    inset = c + (p - c) * (1 - b / np.maximum(np.linalg.norm(p - c, axis=1, keepdims=True), 1e-9))
    loops = [(inset, 0.0), (p, b), (p, height - b), (inset, height)] if b > 0 else [(p, 0.0), (p, height)]
    rings = [np.c_[c + (loops[0][0] - c) * k, np.full(len(p), 0.0)] for k in (1e-4, 0.5)]
    rings += [np.c_[q, np.full(len(p), z)] for q, z in loops]
    rings += [np.c_[c + (loops[-1][0] - c) * k, np.full(len(p), height)] for k in (0.5, 1e-4)]
    return solid(np.concatenate(rings), grid_faces(len(rings), len(p), wrap_v=True)[:, ::-1])


# -- round and natural -----------------------------------------------------------------------------------------------------


@cache
def _unit_sphere(subdivisions: int) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    m = trimesh.creation.icosphere(subdivisions)
    return np.array(m.vertices, np.float64), np.array(m.faces, np.int64)


def sphere(radius: float = 1.0, subdivisions: int = 3) -> Solid:
    """A ball centred at the origin."""
    v, f = _unit_sphere(subdivisions)
    return solid(v * radius, f)


def ellipsoid(x: float, y: float, z: float, subdivisions: int = 3) -> Solid:
    """A stretched ball with half axes x, y, z, centred at the origin."""
    v, f = _unit_sphere(subdivisions)
    return solid(v * (x, y, z), f)


def rock(size: float, seed: int = 0, subdivisions: int = 3, rough: float = 0.35, flat: float = 1.0) -> Solid:
    """A boulder of radius about ``size``, centred at the origin; ``flat`` < 1 squashes it."""
    d, f = _unit_sphere(subdivisions)
    k = 1 + rough * fbm(d + seed * 7.3, 1.3, 4, seed) + 0.12 * fbm(d + seed * 3.1, 4.0, 3, seed + 9)
    k = k * (0.85 + 0.3 * worley(d + seed * 5.1, 1.1, seed)[0])
    v = d * k[:, None] * size * (1, 1, flat)
    return solid(v, f, v + seed * 3.3)


def leaf(width: float, length: float, curl: float = 0.8, fold: float = 0.25, seed: int = 0, nu: int = 12, nv: int = 7) -> Solid:
    """A leaf from the origin along +X that curls down; texture is (u along 0..1, v across -1..1, seed)."""
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(0, 1, nu), np.linspace(-1, 1, nv), indexing="ij"))
    half = width * np.sin(np.pi * u**0.8) ** 0.75 * (1 + 0.10 * np.sin(u * 22 + seed) * np.abs(v))
    bend = curl * u
    along = length * (np.sin(bend) / curl if abs(curl) > 1e-3 else u)
    down = -length * ((1 - np.cos(bend)) / curl if abs(curl) > 1e-3 else 0 * u)
    xyz = np.stack([along, half * v, down + fold * half * np.abs(v)], 1)
    return solid(xyz, grid_faces(nu, nv), np.stack([u, v, np.full_like(u, seed)], 1))
