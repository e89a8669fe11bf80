"""Which triangles anybody can see: what is never seen gets no Gaussians, what is hidden only for now gets fewer."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.lift.text.light.direct import sequence
from spatialwm.lift.text.light.rays import Rays

HIDDEN_SPACING = 1.5
"""Spacing of Gaussians on faces that only show once things are moved, relative to the others."""

_SPOTS = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4]]) / np.array([[3], [6], [6], [6]])


def _spots(corners: Float[np.ndarray, "f 3 3"]) -> Float[np.ndarray, "f 4 3"]:
    return np.einsum("sk,fkd->fsd", _SPOTS, corners)


def _normals(corners: Float[np.ndarray, "f 3 3"]) -> Float[np.ndarray, "f 3"]:
    n = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return n / (np.linalg.norm(n, axis=1, keepdims=True) + 1e-20)


def seen_from(
    rays: Rays, corners: Float[np.ndarray, "f 3 3"], eyes: Float[np.ndarray, "k 3"], thin: bool
) -> Bool[np.ndarray, " f"]:
    """Triangles of which some eye sees some spot."""
    normals, spots = _normals(corners), _spots(corners)
    seen = np.zeros(len(corners), np.bool_)
    for eye in eyes:
        open_ = np.nonzero(~seen)[0]
        if not len(open_):
            break
        if not thin:
            open_ = open_[((eye - spots[open_, 0]) * normals[open_]).sum(1) > 0]
        for s in range(len(_SPOTS)):
            p = spots[open_, s]
            away = eye - p
            length = np.linalg.norm(away, axis=1)
            away = away / (length[:, None] + 1e-9)
            start = p + (away * 0.012 if thin else normals[open_] * 0.0004)
            free = ~rays.blocked(start, away, length - 0.016)
            seen[open_[free]] = True
            open_ = open_[~free]
            if not len(open_):
                break
    return seen


def open_to_outside(rays: Rays, corners: Float[np.ndarray, "f 3 3"], directions: int = 10) -> Bool[np.ndarray, " f"]:
    """Triangles that can be seen from outside their own object, whose triangles alone are in ``rays``."""
    normals, spots = _normals(corners), _spots(corners)
    out = np.zeros(len(corners), np.bool_)
    for u, v in sequence(directions, 0.5):
        left = np.nonzero(~out)[0]
        if not len(left):
            break
        z, angle = 2 * u - 1, 2 * np.pi * v
        ball = np.array([np.sqrt(1 - z * z) * np.cos(angle), np.sqrt(1 - z * z) * np.sin(angle), z])
        for s in range(len(_SPOTS)):
            way = normals[left] * 1.05 + ball
            way /= np.linalg.norm(way, axis=1, keepdims=True)
            free = ~rays.blocked(spots[left, s] + normals[left] * 0.0004, way, np.full(len(left), 1e3))
            out[left[free]] = True
            left = left[~free]
            if not len(left):
                break
    return out
