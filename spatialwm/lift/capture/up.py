"""Which way is up: from how people hold cameras, and from the level surfaces that the cameras saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import View
from spatialwm.lift.capture.lines import edge_planes
from spatialwm.lift.capture.surface import Surface

_ROLL_RAD = math.radians(2.0)
"""How well people hold the horizon, at best."""
_HANDS = 4.0
"""Views of one walk share their tilt: all of them together tell no more than so many independent ones."""
_PITCH_RAD = math.radians(30.0)
"""How far a whole capture may look down or up: only matters when all views look the same way."""
_NARROWING_RAD = tuple(math.radians(d) for d in (20.0, 10.0, 5.0, 3.0))
_PLANE_RAD = math.radians(1.0)
"""How level the largest level plane is; it may be a lawn."""
_BUILT_RAD = math.radians(0.5)
"""How level floors and tables and how upright walls are in the mean, with what depth adds."""
_CLEAR_FLAT, _CLEAR_UPRIGHT = 3.0, 1.7
"""How many times more normals than on a ball must lie near up, and near level, to be floors and walls rather than clutter."""
_LINES_RAD = math.radians(0.7)
"""How upright upright edges are in the mean."""
_UPRIGHT_NARROWING_RAD = tuple(math.radians(d) for d in (10.0, 7.0, 5.0, 3.5, 2.5, 2.0, 1.5, 1.5))
_CLEAR_LINES, _LINES_SHARE = 2.5, 0.08
"""How many times denser edges must lie within 1.5 degrees of upright than around, and how many of all edges must.

A street has 10 and .22, a castle 7 and .11, a room full of clutter 2 and .05.
"""
_LINES_TURN_RAD = math.radians(12.0)
"""Edges may turn up no further: any clutter agrees on some direction far enough away."""
_CLEAR_SHARE = 0.06
"""Share of the points that a plane needs to be believed."""
_CLEAR_PEAK = 3.0
"""How many times denser a level plane must be than heights are on average."""


@dataclass(frozen=True, slots=True, eq=False)
class Up:
    """A direction against gravity in the capture's frame."""

    direction: Float[np.ndarray, " 3"]
    information: Float[np.ndarray, "3 3"]
    """Inverse covariance of unit vectors near it, per square radian."""
    source: str

    @staticmethod
    def known(direction: Float[np.ndarray, " 3"], sigma_rad: float, source: str) -> Up:
        """As sure about every axis."""
        unit = direction / np.linalg.norm(direction)
        return Up(unit, (np.eye(3) - np.outer(unit, unit)) / sigma_rad**2, source)

    def tilt_rad(self, other: Float[np.ndarray, " 3"]) -> float:
        """The angle to another direction."""
        return math.acos(min(1.0, max(-1.0, float(self.direction @ other))))

    @property
    def sigma_rad(self) -> float:
        """Standard deviation of its tilt about the worse axis."""
        across = np.eye(3) - np.outer(self.direction, self.direction)
        return float(np.linalg.eigvalsh(across @ self.information @ across)[1] ** -0.5)


def find_up(views: Sequence[View], surface: Surface) -> Up:
    """The best of what the cameras, the pictures and the surfaces tell.

    Upright edges, then level surfaces refine how the cameras were held where they are found within its uncertainty; a slope
    outside it stays a slope.
    """
    held = up_from_cameras([view.camera for view in views])
    held = up_from_lines(views, held) or held
    cone_rad = min(max(3 * held.sigma_rad, math.radians(8.0)), math.radians(35.0))
    level = up_from_normals(surface, held, cone_rad) if surface.normals is not None else up_from_planes(surface, held, cone_rad)
    return held if level is None or level.sigma_rad > held.sigma_rad else level


def up_from_cameras(cameras: Sequence[Camera]) -> Up:
    """The direction in which the pictures' horizontal edges are most nearly level, robustly.

    Each view says that its x-axis is level within the roll of a hand; all of them together say weakly that people look ahead,
    which settles the pitch when they look one way only.
    """
    frames = np.stack([camera.world_from_cam.rotation() for camera in cameras])
    x, y, z = frames[..., 0], frames[..., 1], frames[..., 2]
    roll_rad, weights = _ROLL_RAD, np.ones(len(frames))
    direction, information = np.zeros(3), np.eye(3)
    for _ in range(12):
        ahead = np.einsum("n,ni,nj->ij", weights / weights.sum(), z, z) / _PITCH_RAD**2
        level = np.einsum("n,ni,nj->ij", weights / max(1.0, weights.sum() / _HANDS), x, x) / roll_rad**2
        information = level + ahead
        direction = np.linalg.eigh(information)[1][:, 0]
        off = np.arcsin(np.clip(np.abs(x @ direction), 0, 1))
        roll_rad = max(_ROLL_RAD, 1.4826 * float(np.median(off)))
        weights = 1 / (1 + (off / (3 * roll_rad)) ** 2)  # Cauchy: a few pictures taken on the side do not tilt the world
    if (weights @ -y) @ direction < 0:
        direction = -direction
    return Up(direction, information, "how the cameras were held")


def up_from_lines(views: Sequence[View], start: Up) -> Up | None:
    """Refined so that the pictures' nearly upright edges stand upright; None when no such edges stand out.

    The band of edges that count narrows about what it said before, so that roofs and railings drop out.
    """
    planes = edge_planes(views)
    if len(planes) < 300:
        return None
    up = start.direction
    information = start.information
    for limit in _UPRIGHT_NARROWING_RAD:
        off = np.abs(planes @ up)
        chosen = planes[off < math.sin(limit)]
        if len(chosen) < 100:
            return None
        information = start.information + chosen.T @ chosen / len(chosen) / _LINES_RAD**2
        turned = np.linalg.eigh(information)[1][:, 0]
        up = turned if turned @ up > 0 else -turned
    off = np.degrees(np.arcsin(np.minimum(np.abs(planes @ up), 1)))
    upright, around = (off < 1.5).sum(), ((off > 2) & (off < 8)).sum() * 1.5 / 6
    if upright < max(_CLEAR_LINES * around, _LINES_SHARE * len(off)) or start.tilt_rad(up) > _LINES_TURN_RAD:
        return None
    return Up(up, information, "upright edges in the pictures")


def up_from_normals(surface: Surface, start: Up, cone_rad: float) -> Up | None:
    """Refined by making level surfaces level and walls upright; None when neither stands out.

    One wall settles one axis of the tilt and leaves the other to ``start``.

    Source: after Gupta, Arbelaez and Malik, CVPR 2013, "Perceptual organization and recognition of indoor scenes", section 3.
    """
    assert surface.normals is not None
    if len(surface.normals) < 100:
        return None
    n, up, information = surface.normals, start.direction, start.information
    for limit in (max(cone_rad, _NARROWING_RAD[0]), *_NARROWING_RAD):
        cosine = np.abs(n @ up)
        flat, upright = n[cosine > math.cos(limit)], n[cosine < math.sin(limit)]
        information = start.information
        if len(flat) > _CLEAR_FLAT * (1 - math.cos(limit)) * len(n):
            information = information + (np.eye(3) - flat.T @ flat / len(flat)) / _BUILT_RAD**2
        if len(upright) > _CLEAR_UPRIGHT * math.sin(limit) * len(n):
            information = information + upright.T @ upright / len(upright) / _BUILT_RAD**2
        turned = np.linalg.eigh(information)[1][:, 0]
        up = turned if turned @ up > 0 else -turned
    if information is start.information or up @ start.direction < math.cos(cone_rad):
        return None
    return Up(up, information, "the level surfaces and walls that were seen")


def up_from_planes(surface: Surface, start: Up, cone_rad: float) -> Up | None:
    """The normal of the plane within ``cone_rad`` of ``start`` that holds most points; None when none stands out.

    Every direction of a grid over the cone is tried and the heights along it counted, so nothing depends on chance; the winner
    is fitted to its own points.
    """
    points = surface.means
    if len(points) < 100:
        return None
    tolerance = 0.01 * surface.distance
    fine = points[:: max(1, len(points) // 6000)]
    best, winner = 0, start.direction
    for direction in _cone(start.direction, cone_rad):
        count = int(_slabs(fine @ direction, tolerance).max())
        if count > best:
            best, winner = count, direction
    up, at = winner, _peak(points @ winner, tolerance)
    for width in (2.0, 1.5, 1.0, 1.0, 1.0):
        inside = np.abs(points @ up - at) < width * tolerance
        if inside.sum() < 30:
            return None
        middle = points[inside].mean(0)
        _, _, axes = np.linalg.svd(points[inside] - middle, full_matrices=False)
        up = axes[2] if axes[2] @ start.direction > 0 else -axes[2]
        at = float(middle @ up)
    held = int((np.abs(points @ up - at) < tolerance).sum())
    heights = points @ up
    spread = float(np.subtract(*np.quantile(heights, (0.95, 0.05))))
    average = len(points) * 2 * tolerance / max(spread, 20 * tolerance)  # a lawn alone has no spread to stand out of
    if held < _CLEAR_SHARE * len(points) or held < _CLEAR_PEAK * average or up @ start.direction < math.cos(cone_rad):
        return None
    return Up.known(up, _PLANE_RAD, "the largest level plane of the points")


def _cone(axis: Float[np.ndarray, " 3"], half_angle_rad: float) -> Float[np.ndarray, "n 3"]:
    """Directions spread evenly, 1.5 degrees apart, within an angle of ``axis``."""
    count = max(1, round(2 * math.pi * (1 - math.cos(half_angle_rad)) / math.radians(1.5) ** 2))
    i = np.arange(count) + 0.5
    z = 1 - (1 - math.cos(half_angle_rad)) * i / count
    azimuth, r = math.pi * (1 + math.sqrt(5.0)) * i, np.sqrt(1 - z * z)
    e1 = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    e1 /= np.linalg.norm(e1)
    e2 = np.cross(axis, e1)
    around = np.outer(r * np.cos(azimuth), e1) + np.outer(r * np.sin(azimuth), e2) + np.outer(z, axis)
    return np.concatenate([axis[None], around])


def _slabs(heights: Float[np.ndarray, " n"], thickness: float) -> np.ndarray:
    """How many heights lie in each slab of two thicknesses, slabs a thickness apart."""
    low, high = np.quantile(heights, (0.01, 0.99))
    bins = int(min(max((high - low) / thickness, 1), 4000)) + 1
    counts, _ = np.histogram(heights, bins, (low, low + bins * thickness))
    return counts[:-1] + counts[1:] if bins > 1 else counts


def _peak(heights: Float[np.ndarray, " n"], thickness: float) -> float:
    """The height around which most lie."""
    low = float(np.quantile(heights, 0.01))
    return low + (int(_slabs(heights, thickness).argmax()) + 1) * thickness
