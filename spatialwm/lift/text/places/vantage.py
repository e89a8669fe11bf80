"""The first view outdoors: from where on the open side do the things that were asked for show best?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.geometry.camera import Camera

Array = np.ndarray

FOV_X_DEG = 66.0
SIZE = (1280, 720)

TURNS_DEG = (0, *(s * a for a in (8, 16, 25, 35, 46, 60, 78, 100, 125, 150) for s in (-1, 1)), 180)
"""Headings that are tried, away from straight ahead."""
BACKS_M = (1.8, 2.3, 2.9, 3.6, 4.5, 5.6, 7.0, 8.6, 10.5, 12.5, 15.0, 18.0)
"""Distances from the middle of what is wanted that are tried."""

_PICK = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
_FREE = 0.35
"""What is left of a box whose middle another hides."""


def outdoor_view(
    half: float,
    bounds: Float[Array, "m 2 3"],
    others: Float[Array, "k 2 3"] | None = None,
    crowns: Bool[Array, " m"] | None = None,
    fronts: Float[Array, "m 2"] | None = None,
    wet: Callable[[float, float], bool] | None = None,
) -> Camera:
    """An establishing view: what was asked for whole in the middle ground, sky above it, ground before it.

    Places are scored by how much of each wanted box is in the picture, how large, how free the line of sight, and how nearly
    they look along the open axis; none stands inside or right before anything.

    Args:
        half: half side of the level square.
        bounds: world boxes of what must show.
        others: boxes that may only stand in the way.
        crowns: which wanted things are trees: one may stand beneath, and a little of the top may be cut off.
        fronts: unit directions that wanted things face, zero for those without a face.
        wet: whether a spot is under water.
    """
    if not len(bounds):
        return Camera.look_at((0.3, -0.9 * half, 1.7), (0.6, half, 1.5), *SIZE, FOV_X_DEG)
    trees = np.zeros(len(bounds), np.bool_) if crowns is None else crowns
    shown = _trunks_and_tops(bounds, trees)
    faces = np.zeros((len(bounds), 2)) if fronts is None else fronts
    solid = np.concatenate([_trimmed(bounds, trees), *([others] if others is not None and len(others) else [])])
    size = bounds[:, 1] - bounds[:, 0]
    middle = bounds.mean(1)
    weights = np.clip(np.linalg.norm(size, axis=1), 0.4, 3.0) ** 0.6
    focus = 0.6 * np.average(middle[:, :2], axis=0, weights=weights) + 0.2 * (shown[:, 0, :2].min(0) + shown[:, 1, :2].max(0))
    eye_z = float(np.clip(0.75 + 0.45 * shown[:, 1, 2].max(), 0.8, 1.65))
    best, chosen = -math.inf, None
    for turn in np.radians(TURNS_DEG):
        way = np.array([math.sin(turn), math.cos(turn)])
        for back in BACKS_M:
            eye = np.array([*(focus - way * back), eye_z])
            if max(abs(eye[0]), eye[1], -eye[1] - 3.0) > half - 0.5 or (wet is not None and wet(float(eye[0]), float(eye[1]))):
                continue
            heading = _heading(eye, shown, way)
            pitch = _pitch(eye, shown, heading)
            score = _score(eye, heading, pitch, shown, solid, weights, faces) - 0.16 * (1 - math.cos(turn)) - 0.004 * back
            if score > best:
                best, chosen = score, (eye, heading, pitch)
    if chosen is None:
        return Camera.look_at((float(focus[0]), -half, eye_z), (float(focus[0]), float(focus[1]), 1.0), *SIZE, FOV_X_DEG)
    eye, heading, pitch = chosen
    x, y, z = (float(v) for v in eye)
    return Camera.look_at(
        (x, y, z), (x + 10 * float(heading[0]), y + 10 * float(heading[1]), z + 10 * math.tan(pitch)), *SIZE, FOV_X_DEG
    )


def _trunks_and_tops(bounds: Float[Array, "m 2 3"], trees: Bool[Array, " m"]) -> Float[Array, "m 2 3"]:
    """Boxes of what must be in the picture: of a tree all but the fringe of its crown."""
    out = bounds.copy()
    size = bounds[:, 1] - bounds[:, 0]
    out[trees, 0, :2] += 0.14 * size[trees, :2]
    out[trees, 1, :2] -= 0.14 * size[trees, :2]
    out[trees, 1, 2] -= 0.06 * size[trees, 2]
    return out


def _trimmed(bounds: Float[Array, "m 2 3"], trees: Bool[Array, " m"]) -> Float[Array, "m 2 3"]:
    """Boxes of what stands in the way: of a tree its trunk."""
    out = bounds.copy()
    size = bounds[:, 1] - bounds[:, 0]
    out[trees, 0, :2] += 0.46 * size[trees, :2]
    out[trees, 1, :2] -= 0.46 * size[trees, :2]
    return out


def _corners(boxes: Float[Array, "m 2 3"]) -> Float[Array, "m 8 3"]:
    return np.stack([boxes[:, _PICK[:, a], a] for a in range(3)], -1)


def _heading(eye: Array, shown: Array, way: Array) -> Float[Array, " 2"]:
    """Unit direction in the middle of the angle that everything spans."""
    away = _corners(shown)[..., :2].reshape(-1, 2) - eye[:2]
    ahead, aside = np.maximum(away @ way, 0.05), away @ np.array([way[1], -way[0]])
    angle = np.arctan2(aside, ahead)
    a = 0.5 * float(angle.min() + angle.max())
    return way * math.cos(a) + np.array([way[1], -way[0]]) * math.sin(a)


def _pitch(eye: Array, shown: Array, heading: Array) -> float:
    """Tilt that centres feet and tops, but keeps the horizon in the middle half of the picture."""
    away = _corners(shown).reshape(-1, 3) - eye
    ahead = np.maximum(away[:, :2] @ heading, 0.4)
    angle = np.arctan2(away[:, 2], ahead)
    return float(np.clip(0.5 * (angle.min() + angle.max()) + math.radians(1.5), math.radians(-7), math.radians(13)))


def _score(eye: Array, heading: Array, pitch: float, shown: Array, solid: Array, weights: Array, faces: Array) -> float:
    forward = np.array([*(heading * math.cos(pitch)), math.sin(pitch)])
    right = np.array([heading[1], -heading[0], 0.0])
    up = np.cross(right, forward)
    tan_x = math.tan(math.radians(FOV_X_DEG / 2))
    tan_y = tan_x * SIZE[1] / SIZE[0]
    away = _corners(shown) - eye
    depth = np.maximum(away @ forward, 0.05)
    x, y = (away @ right) / (depth * tan_x), (away @ up) / (depth * tan_y)
    # Share of the projected box inside a frame a little smaller than the picture.
    wide = np.clip(x, -0.94, 0.94)
    tall = np.clip(y, -0.9, 0.94)
    part = (np.ptp(wide, axis=1) / (np.ptp(x, axis=1) + 1e-6)) * (np.ptp(tall, axis=1) / (np.ptp(y, axis=1) + 1e-6))
    part = np.where((away @ forward).min(1) < 0.3, 0.2 * part, part)
    extent = np.maximum(np.ptp(wide, axis=1), np.ptp(tall, axis=1))
    large = np.clip(extent / 0.42, 0.0, 1.0) ** 0.5
    middle = shown.mean(1)
    free = np.array([_sight(eye, middle[i], shown[i], solid, i) for i in range(len(shown))])
    towards = eye[:2] - middle[:, :2]
    towards = towards / (np.linalg.norm(towards, axis=1, keepdims=True) + 1e-9)
    seen_from_behind = np.clip(0.35 - (faces * towards).sum(1), 0.0, 1.0) * (np.linalg.norm(faces, axis=1) > 0)
    each = part**2.6 * (0.3 + 0.7 * large) * free * (1 - 0.6 * seen_from_behind)
    cut = 0.5 * float(((part > 0.05) & (part < 0.85)).mean())  # rather out of the picture than cut by its border
    gap = np.linalg.norm(np.maximum(np.maximum(solid[:, 0, :2] - eye[:2], eye[:2] - solid[:, 1, :2]), 0), axis=1)
    rises = solid[:, 1, 2] > 0.5
    near = float((rises & (gap < 0.7)).any()) + 0.25 * float((rises & (gap < 1.5)).any())
    return float(0.7 * np.average(each, weights=weights) + 0.3 * np.sort(each)[: max(1, len(each) // 2)].mean() - near - cut)


def _sight(eye: Array, middle: Array, box: Array, solid: Array, own: int) -> float:
    """Mean freedom of the lines to a box's middle and its two sides (slab test)."""
    side = np.array([middle[1] - eye[1], eye[0] - middle[0], 0.0])
    side *= 0.3 * float((box[1, :2] - box[0, :2]).min()) / (np.linalg.norm(side) + 1e-9)
    total = 0.0
    holds = (solid[:, 0] - 0.05 <= middle).all(1) & (middle <= solid[:, 1] + 0.05).all(1)
    for target in (middle, middle + side, middle - side):
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (solid - eye) / (target - eye)
        enter, leave = np.nanmin(t, axis=1).max(1), np.nanmax(t, axis=1).min(1)
        crossed = (enter < leave) & (leave > 0.02) & (enter < 0.93) & ~holds
        crossed[own] = False
        total += _FREE ** float(crossed.sum())
    return total / 3
