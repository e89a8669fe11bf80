"""Depth that other views confirm, and the surface it describes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numba import njit

from spatialwm.render.cpu.cache import kernels_cached_for
from spatialwm.render.cpu.layout import FAST

F = np.float32
REACH = 4
"""Pixels to each side of the plane fitted at a pixel."""

with kernels_cached_for(Path(__file__).parent):

    @njit(**FAST)
    def count_agreeing(depth, step, others, starts, widths, heights, steps, matrices, offsets, tolerance, counts):
        """How many other views have, where they see a pixel of this view, the same depth.

        Args:
            depth: (h, w) float32, 0 where unknown.
            others: flat float32, the other views' depths one after the other; ``starts``, ``widths``, ``heights`` say where.
            step, steps: inverse depth between planes, of this and of each other view.
            matrices, offsets: ``transfer`` from this view into each other.
            tolerance: planes (the coarser of the two views') by which inverse depths may differ.
            counts: written, (h, w) int32.
        """
        for y in range(depth.shape[0]):
            for x in range(depth.shape[1]):
                counts[y, x] = 0
                z = depth[y, x]
                if z <= F(0):
                    continue
                u, v = x + 0.5, y + 0.5
                for s in range(len(starts)):
                    a, b = matrices[s], offsets[s]
                    q = z * (a[2, 0] * u + a[2, 1] * v + a[2, 2]) + b[2]
                    if q <= 0.0:
                        continue
                    i = math.floor((z * (a[0, 0] * u + a[0, 1] * v + a[0, 2]) + b[0]) / q)
                    j = math.floor((z * (a[1, 0] * u + a[1, 1] * v + a[1, 2]) + b[1]) / q)
                    if 0 <= i < widths[s] and 0 <= j < heights[s]:
                        there = others[starts[s] + j * widths[s] + i]
                        if there > F(0) and abs(1.0 / there - 1.0 / q) < tolerance * max(step, steps[s]):
                            counts[y, x] += 1

    @njit(**FAST)
    def fit_planes(inverse, jump, relative_jump, fewest, fx, fy, cx, cy, smooth, normals):
        """The plane through each pixel's neighbours: inverse depth is affine in the pixel on a plane, so the fit is linear.

        Args:
            inverse: (h, w) float32 inverse depth, 0 where unknown.
            jump, relative_jump: neighbours that differ by more than ``jump + relative_jump * inverse`` are another surface.
            fewest: neighbours of one surface, of 81, that a pixel needs; those with fewer are speckles, as chance matches come.
            smooth: written, (h, w) float32: the plane's inverse depth; the pixel's own where no plane fits, 0 for speckles.
            normals: written, (h, w, 3) float32 in the camera's frame, towards the camera; zero where unknown.
        """
        height, width = inverse.shape
        for y in range(height):
            for x in range(width):
                here = inverse[y, x]
                smooth[y, x] = here
                normals[y, x] = F(0)
                if here <= F(0):
                    continue
                allowed = jump + relative_jump * here
                n = sx = sy = sxx = sxy = syy = sw = swx = swy = 0.0
                for j in range(max(y - REACH, 0), min(y + REACH + 1, height)):
                    for i in range(max(x - REACH, 0), min(x + REACH + 1, width)):
                        w = inverse[j, i]
                        if w > F(0) and abs(w - here) < allowed:
                            dx, dy, dw = float(i - x), float(j - y), float(w - here)
                            n += 1.0
                            sx, sy, sw = sx + dx, sy + dy, sw + dw
                            sxx, sxy, syy = sxx + dx * dx, sxy + dx * dy, syy + dy * dy
                            swx, swy = swx + dw * dx, swy + dw * dy
                if n < fewest:
                    smooth[y, x] = F(0)
                    continue
                mx, my, mw = sx / n, sy / n, sw / n
                cxx, cxy, cyy = sxx / n - mx * mx, sxy / n - mx * my, syy / n - my * my
                cwx, cwy = swx / n - mw * mx, swy / n - mw * my
                determinant = cxx * cyy - cxy * cxy
                if determinant < 0.05:  # the neighbours lie on a line
                    continue
                a, b = (cwx * cyy - cwy * cxy) / determinant, (cwy * cxx - cwx * cxy) / determinant
                level = here + mw - a * mx - b * my
                if abs(level - here) < allowed and level > 0.0:
                    smooth[y, x] = level
                nx, ny, nz = a * fx, b * fy, here - a * (x + 0.5 - cx) - b * (y + 0.5 - cy)
                length = math.sqrt(nx * nx + ny * ny + nz * nz)
                normals[y, x, 0], normals[y, x, 1], normals[y, x, 2] = -nx / length, -ny / length, -nz / length
