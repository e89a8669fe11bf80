"""Kernels of surface sampling: attributes of points on triangles, and Poisson-disc selection with varying radius."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
from jaxtyping import Bool, Float, Int

from spatialwm.lift.text.model import Solid
from spatialwm.lift.text.surface.cores import over


@nb.njit(nogil=True, cache=True)
def _throw(points, normals, radius, order, bits):
    mask = (np.int64(1) << bits) - 1
    head = np.full(mask + 1, -1, np.int32)
    following = np.full(len(points), -1, np.int32)
    accepted = np.zeros(len(points), np.bool_)
    inverse = 1.0 / radius.max()
    for q in range(len(order)):
        i = order[q]
        a = math.floor(points[i, 0] * inverse)
        b = math.floor(points[i, 1] * inverse)
        c = math.floor(points[i, 2] * inverse)
        free = True
        for x in range(a - 1, a + 2):
            for y in range(b - 1, b + 2):
                for z in range(c - 1, c + 2):
                    j = head[((x * 73856093) ^ (y * 19349663) ^ (z * 83492791)) & mask]
                    while j >= 0:
                        dx, dy, dz = points[i, 0] - points[j, 0], points[i, 1] - points[j, 1], points[i, 2] - points[j, 2]
                        reach = 0.5 * (radius[i] + radius[j])
                        if dx * dx + dy * dy + dz * dz < reach * reach:
                            along = normals[i, 0] * normals[j, 0] + normals[i, 1] * normals[j, 1] + normals[i, 2] * normals[j, 2]
                            if along > 0.3:  # the other side of a thin board does not count
                                free = False
                                break
                        j = following[j]
                    if not free:
                        break
                if not free:
                    break
            if not free:
                break
        if free:
            h = ((a * 73856093) ^ (b * 19349663) ^ (c * 83492791)) & mask
            following[i] = head[h]
            head[h] = i
            accepted[i] = True
    return accepted


def throw_darts(
    points: Float[np.ndarray, "n 3"], normals: Float[np.ndarray, "n 3"], radius: Float[np.ndarray, " n"], rng: np.random.Generator
) -> Bool[np.ndarray, " n"]:
    """Which points to keep so that none of like orientation lies nearer than the mean of the two radii."""
    if not len(points):
        return np.zeros(0, np.bool_)
    bits = int(np.clip(math.ceil(math.log2(len(points) / 3 + 1)), 8, 22))
    f = np.float32
    return _throw(points.astype(f), normals.astype(f), radius.astype(f), rng.permutation(len(points)), bits)


@nb.njit(nogil=True, cache=True)
def _surface_points(
    start,
    stop,
    vertices,
    vertex_normals,
    texture,
    faces,
    smooth,
    face,
    u,
    v,
    step,
    points,
    normals,
    first,
    second,
    tex,
    tex1,
    tex2,
    curvature,
    angle,
):
    for i in range(start, stop):
        f = face[i]
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        root = math.sqrt(u[i])
        w0, w1, w2 = 1 - root, root * (1 - v[i]), root * v[i]
        e1x, e1y, e1z = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        e2x, e2y, e2z = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        if smooth:
            nx = w0 * vertex_normals[a, 0] + w1 * vertex_normals[b, 0] + w2 * vertex_normals[c, 0]
            ny = w0 * vertex_normals[a, 1] + w1 * vertex_normals[b, 1] + w2 * vertex_normals[c, 1]
            nz = w0 * vertex_normals[a, 2] + w1 * vertex_normals[b, 2] + w2 * vertex_normals[c, 2]
        else:
            nx, ny, nz = e1y * e2z - e1z * e2y, e1z * e2x - e1x * e2z, e1x * e2y - e1y * e2x
        length = math.sqrt(nx * nx + ny * ny + nz * nz) + 1e-20
        nx, ny, nz = nx / length, ny / length, nz / length
        if abs(nz) < 0.9:
            tx, ty, tz = -ny, nx, 0.0
        else:
            tx, ty, tz = 0.0, -nz, ny
        length = math.sqrt(tx * tx + ty * ty + tz * tz) + 1e-20
        tx, ty, tz = tx / length, ty / length, tz / length
        sx, sy, sz = ny * tz - nz * ty, nz * tx - nx * tz, nx * ty - ny * tx
        g11, g12, g22 = e1x * e1x + e1y * e1y + e1z * e1z, e1x * e2x + e1y * e2y + e1z * e2z, e2x * e2x + e2y * e2y + e2z * e2z
        det = g11 * g22 - g12 * g12 + 1e-30
        p1, p2 = e1x * tx + e1y * ty + e1z * tz, e2x * tx + e2y * ty + e2z * tz
        t_a, t_b = (g22 * p1 - g12 * p2) / det, (g11 * p2 - g12 * p1) / det
        p1, p2 = e1x * sx + e1y * sy + e1z * sz, e2x * sx + e2y * sy + e2z * sz
        s_a, s_b = (g22 * p1 - g12 * p2) / det, (g11 * p2 - g12 * p1) / det
        xx, xy, yy = 0.0, 0.0, 0.0
        for k in range(3):
            points[i, k] = w0 * vertices[a, k] + w1 * vertices[b, k] + w2 * vertices[c, k]
            here = w0 * texture[a, k] + w1 * texture[b, k] + w2 * texture[c, k]
            l1, l2 = texture[b, k] - texture[a, k], texture[c, k] - texture[a, k]
            tex[i, k] = here
            tex1[i, k] = here + (t_a * l1 + t_b * l2) * step[i]
            tex2[i, k] = here + (s_a * l1 + s_b * l2) * step[i]
            if smooth:
                n1, n2 = vertex_normals[b, k] - vertex_normals[a, k], vertex_normals[c, k] - vertex_normals[a, k]
                d1, d2 = t_a * n1 + t_b * n2, s_a * n1 + s_b * n2
                xx, xy, yy = xx + d1 * d1, xy + d1 * d2, yy + d2 * d2
        normals[i, 0], normals[i, 1], normals[i, 2] = nx, ny, nz
        first[i, 0], first[i, 1], first[i, 2] = tx, ty, tz
        second[i, 0], second[i, 1], second[i, 2] = sx, sy, sz
        if smooth:
            curvature[i] = math.sqrt(max(0.0, 0.5 * (xx + yy + math.sqrt((xx - yy) ** 2 + 4 * xy * xy))))
            angle[i] = 0.5 * math.atan2(2 * xy, xx - yy)


def surface_points(
    body: Solid, vertex_normals: Float[np.ndarray, "v 3"], smooth: bool, face: Int[np.ndarray, " n"],
    u: Float[np.ndarray, " n"], v: Float[np.ndarray, " n"], step: Float[np.ndarray, " n"],
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """Points at uniform random places of triangles, and how the surface runs there.

    Args:
        face: triangle of each point; ``u``, ``v`` are uniform random numbers.
        step: distance in metres to the two further texture samples.

    Returns:
        points, normals, two tangents, texture, texture one ``step`` along each tangent, principal curvature (1/m) and its angle
        in the tangent frame.
    """
    n = len(face)
    vectors = tuple(np.empty((n, 3)) for _ in range(7))
    scalars = (np.zeros(n), np.zeros(n))
    arguments = (body.vertices, vertex_normals, body.texture, np.ascontiguousarray(body.faces), smooth, face, u, v, step)
    over(n, _surface_points, *arguments, *vectors, *scalars)
    return (*vectors, *scalars)
