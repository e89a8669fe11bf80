"""Which way is up, how the walls run and how wide the lens sees, from where straight edges meet.

Source: the mixture over a Manhattan frame of Coughlan and Yuille, ICCV 1999, "Manhattan world", over whole segments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numba import njit

from spatialwm.render.cpu.cache import kernels_cached_for

_MOST = 400
_SPREAD_RAD = math.radians(1.6)
"""Of a segment about its vanishing point: detection and walls that are not quite square."""
_GAIN = 12.0
"""A segment right on its vanishing point is that many times likelier than one anywhere."""
_PITCH_RAD, _ROLL_RAD = math.radians(11), math.radians(3.5)
"""How people hold cameras; a look downwards by a few degrees is the most usual."""
_DOWN_RAD = math.radians(2)
_TEMPER = 0.35
"""Segments of one window frame are one observation, not twelve."""


@dataclass(frozen=True, slots=True, eq=False)
class Manhattan:
    """A frame that explains the picture's straight edges."""

    axes: Float[np.ndarray, "3 3"]
    """Rows: right, ahead, up, unit, in the camera's frame; right and ahead along the walls where ``square`` is high."""
    focal_px: float
    focal_sigma: float
    """Of log focal length, the prior included."""
    tilt_sigma_rad: float
    """Of the horizon."""
    upright: float
    """Share of the length of all segments that runs upright, beyond chance, 0..1."""
    square: float
    """Share that runs along either level axis, beyond chance, 0..1."""
    labels: np.ndarray
    """For each segment 0 right, 1 ahead, 2 up, -1 none."""


def level_axes(pitch_rad: float, roll_rad: float, yaw_rad: float = 0.0) -> Float[np.ndarray, "3 3"]:
    """Right, ahead and up of a camera that looks down by ``pitch_rad`` and leans by ``roll_rad``; yaw turns the first two."""
    up = np.array([-math.sin(roll_rad) * math.cos(pitch_rad), -math.cos(roll_rad) * math.cos(pitch_rad), -math.sin(pitch_rad)])
    return axes_about(up, yaw_rad)


def axes_about(up: Float[np.ndarray, " 3"], yaw_rad: float = 0.0) -> Float[np.ndarray, "3 3"]:
    """Right, ahead and up for a known up: ahead is where the camera looks, levelled, turned by ``yaw_rad`` to the right."""
    ahead = np.array([0.0, 0.0, 1.0]) - up[2] * up
    if np.linalg.norm(ahead) < 1e-3:
        ahead = np.array([0.0, -1.0, 0.0]) + up[1] * up
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, up)
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    return np.stack([c * right - s * ahead, c * ahead + s * right, up])


def find_manhattan(
    segments: Float[np.ndarray, "n 4"],
    size: tuple[int, int],
    focal_px: float,
    focal_sigma: float,
    up: Float[np.ndarray, " 3"] | None = None,
) -> Manhattan:
    """The frame and focal length that best explain the segments and how cameras are usually held.

    Args:
        segments: longest first, px.
        size: of the picture, px.
        focal_px, focal_sigma: what is known before, the latter of its logarithm.
        up: against gravity where that is known.
    """
    segments = segments[:_MOST]
    spread = focal_sigma * np.linspace(-2.2, 2.2, 9) if focal_sigma > 0.05 else np.zeros(1)
    found = [_frame_for(segments, size, focal_px * math.exp(d), up) for d in spread]
    scores = np.array([score for score, _, _ in found])
    if len(spread) == 1:
        log_focal, sigma = 0.0, focal_sigma
    else:
        weights = np.exp(_TEMPER * (scores - scores.max()) - 0.5 * (spread / focal_sigma) ** 2)
        weights /= weights.sum()
        log_focal = float(weights @ spread)
        sigma = math.sqrt(float(weights @ (spread - log_focal) ** 2) + (0.2 * (spread[1] - spread[0])) ** 2)
    focal = focal_px * math.exp(log_focal)
    _, (pitch, roll, yaw), curvature = _frame_for(segments, size, focal, up)
    axes = level_axes(pitch, roll, yaw) if up is None else axes_about(up, yaw)
    labels, shares = _explained(segments, size, focal, axes)
    return Manhattan(axes, focal, sigma, curvature, float(shares[2]), float(shares[0] + shares[1]), labels)


def _planes(segments: np.ndarray, size: tuple[int, int], focal: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit normals of the planes through camera and segment, the same turned by 90 degrees about their middles, and weights."""
    centre = np.array([size[0] / 2, size[1] / 2])
    ends = (segments.reshape(-1, 2, 2) - centre) / focal
    rays = np.concatenate([ends, np.ones((*ends.shape[:2], 1))], -1)
    normals = np.cross(rays[:, 0], rays[:, 1])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    middles = rays.mean(1)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    weights = np.minimum(length / (0.06 * math.hypot(*size)), 3.0)
    return np.ascontiguousarray(normals), np.ascontiguousarray(np.cross(normals, middles)), weights


def _frame_for(
    segments: np.ndarray, size: tuple[int, int], focal: float, up: np.ndarray | None
) -> tuple[float, tuple[float, float, float], float]:
    """The best frame for a focal length: its score, pitch, roll and yaw, and the standard deviation of its tilt."""
    normals, turned, weights = _planes(segments, size, focal)
    yaws = np.radians(np.arange(-45, 45, 2.5))
    if up is not None:
        frames = np.stack([axes_about(up, yaw) for yaw in yaws])
        scores = _scores(frames, normals, turned, weights, _SPREAD_RAD, _GAIN)
        best = int(scores.argmax())
        return float(scores[best]), (0.0, 0.0, float(yaws[best])), math.radians(1)
    pitches, rolls = np.radians(np.arange(-40, 62.5, 2.5)), np.radians(np.arange(-10, 12, 2.5))
    pitch, roll, yaw = (a.ravel() for a in np.meshgrid(pitches, rolls, yaws, indexing="ij"))
    scores = _posterior(pitch, roll, yaw, normals, turned, weights)
    by_tilt = scores.reshape(-1, len(yaws)).max(1)
    likely = np.exp(_TEMPER * (by_tilt - by_tilt.max()))
    likely /= likely.sum()
    tilt = pitch.reshape(-1, len(yaws))[:, 0]
    sigma = math.sqrt(float(likely @ (tilt - likely @ tilt) ** 2) + math.radians(0.7) ** 2)
    best = int(scores.argmax())
    at = np.array([pitch[best], roll[best], yaw[best]])
    score = float(scores[best])
    for step in np.radians([1.25, 0.6, 0.3]):  # a coordinate search on ever finer grids
        offsets = np.stack(np.meshgrid(*([np.array([-1.0, 0.0, 1.0])] * 3), indexing="ij"), -1).reshape(-1, 3) * step
        for _ in range(4):
            tried = at + offsets
            scores = _posterior(tried[:, 0], tried[:, 1], tried[:, 2], normals, turned, weights)
            best = int(scores.argmax())
            if scores[best] <= score:
                break
            at, score = tried[best], float(scores[best])
    return score, (float(at[0]), float(at[1]), float(at[2])), sigma


def _posterior(
    pitch: np.ndarray, roll: np.ndarray, yaw: np.ndarray, normals: np.ndarray, turned: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    frames = _level_frames(pitch, roll, yaw)
    prior = -0.5 * ((pitch - _DOWN_RAD) / _PITCH_RAD) ** 2 - 0.5 * (roll / _ROLL_RAD) ** 2
    return _scores(frames, normals, turned, weights, _SPREAD_RAD, _GAIN) + prior / _TEMPER


def _level_frames(pitch: np.ndarray, roll: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """``level_axes`` of many."""
    up = np.stack([-np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)], -1)
    ahead = np.array([0.0, 0.0, 1.0]) - up[:, 2:] * up
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    right = np.cross(ahead, up)
    c, s = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    return np.stack([c * right - s * ahead, c * ahead + s * right, up], 1)


def _explained(
    segments: np.ndarray, size: tuple[int, int], focal: float, axes: np.ndarray
) -> tuple[np.ndarray, Float[np.ndarray, " 3"]]:
    """Which axis each segment runs along, and the share of all length along each beyond what chance gives."""
    if not len(segments):
        return np.zeros(0, np.int64), np.zeros(3)
    normals, turned, weights = _planes(segments, size, focal)
    across = np.abs(normals @ axes.T)
    angle = np.arctan2(across, np.abs(turned @ axes.T))
    nearest = angle.argmin(1)
    limit = 2 * _SPREAD_RAD
    labels = np.where(angle.min(1) < limit, nearest, -1)
    chance = 2 * limit / math.pi
    shares = np.array([weights[labels == k].sum() for k in range(3)]) / weights.sum()
    return labels, np.clip((shares - chance) / (1 - chance), 0, 1)


with kernels_cached_for(Path(__file__).parent):

    @njit(cache=True, nogil=True)
    def _scores(frames, normals, turned, weights, spread, gain):
        """Log-likelihood ratio of the segments for each frame against segments that run anyhow."""
        out = np.zeros(len(frames))
        limit = math.sin(2.5 * spread) ** 2
        for f in range(len(frames)):
            total = 0.0
            for i in range(len(normals)):
                least = 1.0
                for k in range(3):
                    a = normals[i, 0] * frames[f, k, 0] + normals[i, 1] * frames[f, k, 1] + normals[i, 2] * frames[f, k, 2]
                    b = turned[i, 0] * frames[f, k, 0] + turned[i, 1] * frames[f, k, 1] + turned[i, 2] * frames[f, k, 2]
                    squared = a * a / (a * a + b * b + 1e-9)
                    least = min(least, squared)
                fit = 1.0 - least / limit
                if fit > 0:
                    total += weights[i] * math.log(1.0 + gain * fit * fit)
            out[f] = total
        return out
