"""What stands around the viewer on open ground: upright faces, each flat as long as the line where it meets the ground allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.ndimage import grey_opening

_NOISE_RAD = math.radians(0.4)
"""How well the line between ground and what stands on it is found."""
_FACE = 20.0
"""What one more face must explain, in squared standard deviations: of 1024 columns that is some 6 degrees seen twice as well."""
_MEETS = 1.35
"""Ratio of distances up to which neighbouring faces are taken to meet."""
_SLENDER = 13 / 360
"""Of a full turn: what stands in front and is narrower is painted on the ground and on what is behind it.

Given a face of its own it would pull forward all that is seen above it, up to the roofs.
"""
_NARROWEST = 1 / 90
"""Of a full turn."""
_HIGHEST_M = 30.0
"""Above the eye nothing stands higher; it closes the world overhead where neither sky nor walls are."""


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """Distances all around at eye level, metres, for equal steps of azimuth from behind, clockwise."""

    inverse: Float[np.ndarray, " w"]
    """1/m."""
    eye_m: float
    """Of the eye above the ground."""

    def distance_m(self, directions: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n"]:
        """Along unit directions of the level frame, to the ground or what stands on it; finite everywhere."""
        x, y, z = np.moveaxis(directions, -1, 0)
        level = np.hypot(x, z)
        width = len(self.inverse)
        # The nearest column, not a mean of two: faces end where they end.
        column = ((np.arctan2(x, z) + np.pi) / (2 * np.pi) * width).astype(np.intp) % width
        over = np.maximum(np.where(y > 0, y / self.eye_m, -y / _HIGHEST_M), level * self.inverse[column])
        return 1 / over


def standing_around(contact_rad: Float[np.ndarray, " w"], eye_m: float) -> Ring:
    """Flat upright faces through a line on the ground.

    On a flat face 1/distance is a sine of the azimuth, so a face costs two numbers; the cheapest division into faces is found
    exactly, after Bellman 1961, "On the approximation of curves by line segments using dynamic programming".

    Args:
        contact_rad: below eye level, per column; positive.
    """
    width = len(contact_rad)
    contact_rad = grey_opening(contact_rad, max(1, round(width * _SLENDER)), mode="wrap")
    start = int(np.abs(contact_rad - np.roll(contact_rad, 1)).argmax())  # a face surely ends there
    target = np.tan(np.roll(contact_rad, -start))
    azimuth = np.roll((np.arange(width) + 0.5) / width * 2 * np.pi - np.pi, -start)
    weight = 1 / ((1 + target**2) * _NOISE_RAD) ** 2 * min(1.0, 360 / width)
    s, c = np.sin(azimuth), np.cos(azimuth)
    terms = np.stack([s * s, s * c, c * c, s * target, c * target, target * target]) * weight
    sums = np.concatenate([np.zeros((6, 1)), np.cumsum(terms, 1)], 1)
    least, widest = max(2, round(width * _NARROWEST)), width // 2 - 1
    best, came = np.full(width + 1, np.inf), np.zeros(width + 1, np.intp)
    best[0] = 0
    for end in range(least, width + 1):
        begin = np.arange(max(0, end - widest), end - least + 1)
        error = _fit(sums[:, end, None] - sums[:, begin])[2]
        total = best[begin] + error + _FACE
        came[end] = begin[total.argmin()]
        best[end] = total.min()
    inverse, ends = np.empty(width), [width]
    while ends[-1] > 0:
        begin, end = int(came[ends[-1]]), ends[-1]
        a, b, _ = _fit(sums[:, end] - sums[:, begin])
        # A face cannot leave what was seen: beyond its line's own reach it would run to infinity or into the viewer.
        seen = target[begin:end]
        inverse[begin:end] = np.clip(a * s[begin:end] + b * c[begin:end], 0.8 * seen.min(), 1.25 * seen.max())
        ends.append(begin)
    return Ring(np.roll(_joined(inverse, ends[::-1]), start) / eye_m, eye_m)


def _joined(inverse: Float[np.ndarray, " w"], ends: list[int]) -> Float[np.ndarray, " w"]:
    """Neighbouring faces that nearly meet do meet: each bends a little, or a step aside would open a crack between them."""
    width, out = len(inverse), inverse.copy()
    faces = list(pairwise(ends))
    meet = {}
    for _, end in faces:
        left, right = inverse[end - 1], inverse[end % width]
        if max(left, right) < _MEETS * min(left, right):
            meet[end % width] = math.sqrt(left * right)
    for begin, end in faces:
        first = meet.get(begin % width, inverse[begin]) / inverse[begin]
        last = meet.get(end % width, inverse[end - 1]) / inverse[end - 1]
        out[begin:end] *= np.linspace(first, last, end - begin)
    return out


def _fit(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted least squares of ``a sin + b cos`` from the sums of products, and its squared error."""
    ss, sc, cc, st, ct, tt = sums
    det = np.maximum(ss * cc - sc * sc, 1e-9 * (ss + cc) ** 2 + 1e-30)
    a, b = (cc * st - sc * ct) / det, (ss * ct - sc * st) / det
    return a, b, np.maximum(tt - a * st - b * ct, 0)
