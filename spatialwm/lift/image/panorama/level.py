"""Which way is up in a panorama: where its upright edges meet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.image.panorama.edges import Edges

_REACH_RAD = math.radians(35.0)
"""How far a camera on a stick may hang to the side."""
_HELD_RAD = math.radians(15.0)
"""Most are nearly upright: among directions that edges agree on, the nearer to the picture's own up wins."""
_STEP_RAD, _APART_RAD, _TRIED = math.radians(1.5), math.radians(5.0), 6
_NARROWING_DEG = (4.0, 3.0, 2.0, 1.5, 1.2, 1.0, 1.0, 1.0)
_CLEAR, _LEAST = 3.0, 8.0
"""How many times denser edges must lie within a degree of upright than around, and how much weight they need."""
_FURTHER_RAD = math.radians(6.0)
"""A tilt of so much needs twice that weight: in leaves some edges always agree on something."""
_AXIS_SHARE = 0.05
"""Of the weight of all edges that must run along each axis beyond chance: right frames of turned streets and rooms explain 0.22
to 0.41 in all, wrong ones, which meadows and clouds feign too, up to 0.09."""
_TRUST_RAD = math.radians(0.5)
_CLEAR_YAW, _LEAST_YAW = 3.0, 50.0
"""How many times denser level edges must run along two perpendicular directions than along all, and their weight."""
OWN_UP = (0.0, -1.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Up, and why."""

    up: Float[np.ndarray, " 3"]
    """Unit, in the panorama's frame."""
    sigma_rad: float
    source: str
    frame: Float[np.ndarray, "3 3"] | None = None
    """Rows: right, down and ahead of a room or street whose walls are perpendicular, in the panorama's frame; None: no such."""

    def level_from_pano(self) -> Float[np.ndarray, "3 3"]:
        """A rotation that makes it level (``-y`` is up): onto the walls' own axes, else the smallest."""
        return turning(self.up, np.array(OWN_UP)) if self.frame is None else self.frame

    @property
    def tilt_rad(self) -> float:
        """Between the picture's own up and this."""
        return math.acos(min(1.0, max(-1.0, -float(self.up[1]))))


def turning(a: Float[np.ndarray, " 3"], b: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """The smallest rotation that takes one unit vector to another, which must not be its opposite."""
    v = np.cross(a, b)
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1 + float(a @ b))


def find_level(edges: Edges) -> Level | None:
    """Up by the point in which most upright edges meet, refined on level ones; None when they meet nowhere clearly.

    Each direction in which many edges agree is tried, with the perpendicular frame it allows; the one that explains most wins.
    """
    # An edge near the zenith, wherever it runs, passes near every candidate: it must not vote.
    votes = np.abs(edges.directions[:, 1]) < math.cos(math.radians(20))
    sides = Edges(edges.directions[votes], edges.normals[votes], edges.weights[votes])
    found = [level for up in _candidates(sides) if (level := _refined(sides, up)) is not None]
    better = [squared for level in found if (squared := framed(edges, level)) is not None]
    total = float(edges.weights.sum())
    enough = [level for level in (*found, *better) if _explained(edges, level) > _AXIS_SHARE * total * len(_axes(level))]
    return max(enough, key=lambda level: _explained(edges, level), default=None)


def _candidates(edges: Edges) -> list[np.ndarray]:
    """The directions near the picture's own up in which most edges meet, best first."""
    tried = cone(_REACH_RAD, _STEP_RAD)
    thin = max(1, len(edges.weights) // 5000)
    n, weights = edges.normals[::thin], edges.weights[::thin]
    score = np.array([weights @ np.clip(1 - np.abs(n @ up) / math.sin(_STEP_RAD), 0, None) for up in tried])
    score *= np.exp(-0.5 * (np.arccos(np.clip(-tried[:, 1], -1, 1)) / _HELD_RAD) ** 2)
    chosen: list[np.ndarray] = []
    for k in np.argsort(-score, kind="stable"):
        if all(tried[k] @ other < math.cos(_APART_RAD) for other in chosen):
            chosen.append(tried[k])
        if len(chosen) == _TRIED:
            break
    return chosen


def _refined(edges: Edges, up: Float[np.ndarray, " 3"]) -> Level | None:
    normals, weights = edges.normals, edges.weights
    for limit_deg in _NARROWING_DEG:
        off = (normals @ up) / math.sin(math.radians(limit_deg))
        weight = weights * np.clip(1 - off * off, 0, None) ** 2  # Tukey: lines of roofs and stairs drop out
        turned = np.linalg.eigh(np.einsum("n,ni,nj->ij", weight, normals, normals))[1][:, 0]
        up = turned if turned @ up > 0 else -turned
    level = Level(up, _TRUST_RAD, "upright edges all around")
    off_rad = np.arcsin(np.minimum(np.abs(normals @ up), 1))
    degree = math.radians(1.0)
    upright = float(weights[off_rad < degree].sum())
    around = float(weights[(off_rad > 2 * degree) & (off_rad < 8 * degree)].sum()) / 6
    least = _LEAST * (1 + (level.tilt_rad / _FURTHER_RAD) ** 2)
    if level.tilt_rad > _REACH_RAD + _STEP_RAD or upright < max(least, _CLEAR * around):
        return None
    sigma_rad = _TRUST_RAD * (min(1.0, _CLEAR * around / upright) + math.sqrt(_LEAST / upright)) / 2
    return Level(up, sigma_rad, level.source)


def framed(edges: Edges, level: Level) -> Level | None:
    """With the frame of perpendicular walls whose edges stand out, refined on edges of all three directions at once.

    None when no such edges stand out.
    """
    frame = turning(level.up, np.array(OWN_UP))
    n = edges.normals @ frame.T
    # A level edge at eye height belongs to every direction, an upright one to none.
    tells = (np.abs(n[:, 1]) > math.sin(math.radians(8))) & (np.abs(n[:, 1]) < math.cos(math.radians(8)))
    quarter, bins = math.pi / 2, 180
    along = np.arctan2(-n[tells, 0], n[tells, 2]) % quarter
    histogram, _ = np.histogram(along, bins, (0, quarter), weights=edges.weights[tells])
    dense = histogram + np.roll(histogram, 1) + np.roll(histogram, -1)
    peak = int(dense.argmax())
    if dense[peak] < max(_CLEAR_YAW * dense.mean(), _LEAST_YAW):
        return None
    yaw = (peak + 0.5) / bins * quarter
    yaw -= quarter if yaw > quarter / 2 else 0  # the walls' axis nearest to what lies ahead
    c, s = math.cos(yaw), math.sin(yaw)
    frame = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ frame
    for limit_deg in (1.5, 1.2, 1.0, 0.8, 0.7, 0.7, 0.7, 0.7):
        residual, nearest = _off_axes(edges, frame)
        weight = edges.weights * np.clip(1 - (residual / math.sin(math.radians(limit_deg))) ** 2, 0, None) ** 2
        lever = np.cross(frame[nearest], edges.normals)
        normal = np.einsum("n,ni,nj->ij", weight, lever, lever) + 1e-6 * np.eye(3)
        turn = np.linalg.solve(normal, -np.einsum("n,n,ni->i", weight, residual, lever))
        angle = float(np.linalg.norm(turn))
        frame = frame @ Pose.about_axis(vec3(turn), angle).rotation().T if angle > 1e-12 else frame
    if frame[1] @ -level.up < math.cos(3 * _TRUST_RAD):
        return None
    return Level(-frame[1], level.sigma_rad / 2, "upright and level edges all around", frame)


def _off_axes(edges: Edges, frame: Float[np.ndarray, "3 3"]) -> tuple[np.ndarray, np.ndarray]:
    """Sine of each edge's angle to its nearest axis, and which axis that is."""
    off = edges.normals @ frame.T
    nearest = np.abs(off).argmin(1)
    return off[np.arange(len(off)), nearest], nearest


def _axes(level: Level) -> Float[np.ndarray, "k 3"]:
    return level.up[None] if level.frame is None else level.frame


def _explained(edges: Edges, level: Level) -> float:
    """Weight of the edges that run along its axes beyond what chance puts there."""
    axes = _axes(level)
    near = np.clip(1 - np.abs(_off_axes(edges, axes)[0]) / math.sin(math.radians(1.0)), 0, None)
    chance = len(axes) * math.radians(0.5)
    return float(edges.weights @ (near - chance)) * math.exp(-0.5 * (level.tilt_rad / _HELD_RAD) ** 2)


def cone(half_angle_rad: float, step_rad: float) -> Float[np.ndarray, "n 3"]:
    """Directions spread evenly, a step apart, within an angle of straight up."""
    count = max(1, round(2 * math.pi * (1 - math.cos(half_angle_rad)) / step_rad**2))
    i = np.arange(count) + 0.5
    along = 1 - (1 - math.cos(half_angle_rad)) * i / count
    azimuth, across = math.pi * (1 + math.sqrt(5.0)) * i, np.sqrt(1 - along * along)
    return np.concatenate([[OWN_UP], np.stack([across * np.cos(azimuth), -along, across * np.sin(azimuth)], 1)])
