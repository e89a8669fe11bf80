"""The first view: from where inside a room do the things that were asked for show best?"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.camera import Camera
from spatialwm.lift.text.places.shell import Opening, Shell

EYE_M = 1.55
FOV_X_DEG = 72.0
SIZE = (1280, 720)

LENSES = ((FOV_X_DEG, 0.0), (82.0, 0.05), (92.0, 0.13))
"""Horizontal angles of view, and what the distortion at their borders costs."""

LOOMING_M = 1.0
"""Tall things nearer than this fill the side of a picture."""


def indoor_view(shell: Shell, bounds: Float[np.ndarray, "m 2 3"], others: Float[np.ndarray, "k 2 3"]) -> Camera:
    """A camera inside the walls at eye height; tried from a grid of places, the south side preferred.

    A place is scored by how much of each wanted object is in the picture, how large, how free the line of sight, and by not
    standing in or right before anything. The wider lens is for rooms too small for the usual one.

    Args:
        bounds: world boxes of what must show.
        others: boxes of what may only stand in the way.
    """
    low, high = np.array(shell.low) + 0.28, np.array(shell.high) - 0.28
    if not len(bounds):
        middle = (low + high) / 2
        return Camera.look_at(
            (middle[0] + 0.35 * (high[0] - middle[0]), low[1], EYE_M), (middle[0], high[1], 1.0), *SIZE, FOV_X_DEG
        )
    centers = bounds.mean(1)
    extents = np.linalg.norm(bounds[:, 1] - bounds[:, 0], axis=1)
    weights = np.clip(extents, 0.15, 1.6) ** 0.5
    windows = [_middle(shell, o) for o in shell.openings if o.kind == "window"]
    best, chosen = -math.inf, None
    all_boxes = np.concatenate([bounds, others])
    tall = all_boxes[(all_boxes[:, 1, 2] > 0.35) & (all_boxes[:, 0, 2] < 1.9)]
    for x in np.linspace(low[0], high[0], 9):
        for y in np.linspace(low[1], high[1], 8):
            eye = np.array([x, y, EYE_M])
            gap = np.linalg.norm(np.clip(eye[:2], tall[:, 0, :2], tall[:, 1, :2]) - eye[:2], axis=1)
            if (gap < np.where(tall[:, 1, 2] > 1.2, 0.6, 0.3)).any():
                continue
            if np.linalg.norm(np.average(centers, axis=0, weights=weights)[:2] - eye[:2]) < 0.8:
                continue
            free = np.array([_visible(eye, centers[i], all_boxes, i) for i in range(len(centers))])
            looming = [(b, g) for b, g in zip(tall, gap, strict=True) if g < LOOMING_M and b[1, 2] > 1.2]
            for target in _targets(eye, bounds, weights):
                south = 0.10 * (high[1] - y) / (high[1] - low[1])
                scenic = 0.14 * sum(_in_view(eye, target, w) for w in windows)
                looms = sum(
                    LOOMING_M - g
                    for b, g in looming
                    if any(_in_view(eye, target, np.array([b[i, 0], b[j, 1]])) for i in (0, 1) for j in (0, 1))
                )
                looms += _walls_beside(shell, eye, target)
                for fov, cost in LENSES:
                    score = _score(eye, target, bounds, weights, free, fov) + south + scenic - 0.7 * looms - cost
                    if score > best:
                        best, chosen = score, (eye, target, fov)
    if chosen is None:
        chosen = (np.array([high[0] * 0.4, low[1], EYE_M]), np.array([0.0, high[1], 1.0]), FOV_X_DEG)
    eye, target = (tuple(float(v) for v in p) for p in chosen[:2])
    return Camera.look_at(eye, target, *SIZE, chosen[2])  # pyright: ignore[reportArgumentType]


def _walls_beside(shell: Shell, eye: np.ndarray, target: np.ndarray) -> float:
    """How much nearer than :data:`LOOMING_M` the walls at both sides of the picture are."""
    heading = math.atan2(target[1] - eye[1], target[0] - eye[0])
    total = 0.0
    for side in (-1, 1):
        angle = heading + side * math.radians(FOV_X_DEG / 2)
        way = np.array([math.cos(angle), math.sin(angle)])
        walls = np.where(way > 0, np.array(shell.high), np.array(shell.low))
        total += max(LOOMING_M - float(((walls - eye[:2]) / np.where(np.abs(way) < 1e-6, 1e-6, way)).min()), 0.0)
    return total


def _middle(shell: Shell, opening: Opening) -> np.ndarray:
    along, z = sum(opening.along) / 2, sum(opening.z) / 2
    match opening.wall:
        case "north":
            return np.array([along, shell.high[1], z])
        case "south":
            return np.array([along, shell.low[1], z])
        case "east":
            return np.array([shell.high[0], along, z])
        case _:
            return np.array([shell.low[0], along, z])


def _targets(eye: np.ndarray, bounds: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """Where to look from a place: at the weighted middle of things, and at the middle of the angles they span."""
    centers = bounds.mean(1)
    height = float(np.clip(np.average(centers[:, 2], weights=weights), 0.75, 1.15))
    middle = np.average(centers, axis=0, weights=weights)
    away = centers[:, :2] - eye[:2]
    distance = np.linalg.norm(away, axis=1) + 1e-9
    mean = math.atan2(*(np.average(away / distance[:, None], axis=0, weights=weights)[::-1]))
    turn = (np.arctan2(away[:, 1], away[:, 0]) - mean + math.pi) % (2 * math.pi) - math.pi
    reach = float(np.linalg.norm(middle[:2] - eye[:2]))
    slopes = (bounds[:, :, 2] - eye[2]) / np.maximum(distance, 0.6)[:, None]
    spanned = float(np.clip((slopes.min() + slopes.max()) / 2, -0.5, 0.12)) * reach + eye[2]
    out = [np.array([middle[0], middle[1], height])]
    for z in (height, spanned):
        for shift in ((turn.min() + turn.max()) / 2, -0.2, 0.2):
            a = mean + float(shift)
            out.append(np.array([eye[0] + reach * math.cos(a), eye[1] + reach * math.sin(a), z]))
    return out


def _in_view(eye: np.ndarray, target: np.ndarray, point: np.ndarray) -> bool:
    a, b = target[:2] - eye[:2], point[:2] - eye[:2]
    cosine = float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))
    return cosine > math.cos(math.radians(FOV_X_DEG / 2 * 0.85))


def _score(
    eye: np.ndarray, target: np.ndarray, wanted: np.ndarray, weights: np.ndarray, free: np.ndarray, fov_x_deg: float
) -> float:
    """How well the wanted boxes show; ``free`` says how open the line of sight to each is."""
    centers = wanted.mean(1)
    extents = np.linalg.norm(wanted[:, 1] - wanted[:, 0], axis=1)
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, (0, 0, 1.0))
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    tan_x = math.tan(math.radians(fov_x_deg / 2)) * 0.95
    tan_y = tan_x * SIZE[1] / SIZE[0]
    pick = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    corners = np.stack([wanted[:, pick[:, a], a] for a in range(3)], -1) - eye
    depth = corners @ forward
    seen = (depth > 0.3) & (np.abs(corners @ right) < tan_x * depth) & (np.abs(corners @ up) < tan_y * depth)
    shown = seen.mean(1)
    distance = np.linalg.norm(centers - eye, axis=1)
    ideal = np.clip(1.6 * extents, 1.2, 3.6)
    closeness = 1.0 / (1.0 + 0.12 * np.maximum(distance - ideal, 0) + 0.5 * np.maximum(0.7 * extents - distance, 0))
    each_ = shown**1.4 * (0.35 + 0.65 * closeness) * free
    # The worst counts on its own: a view that misses one thing reads as a world without it.
    return float(0.6 * np.average(each_, weights=weights) + 0.4 * np.sort(each_)[: max(1, len(each_) // 4)].mean())


def _visible(eye: np.ndarray, point: np.ndarray, bounds: np.ndarray, own: int) -> float:
    """1 when the sight line to a centre is free, less when it crosses other objects' boxes (slab test)."""
    d = point - eye
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (bounds - eye) / d
    enter, leave = np.nanmin(t, axis=1).max(1), np.nanmax(t, axis=1).min(1)
    crossed = (enter < leave) & (leave > 0.02) & (enter < 0.92)
    crossed[own] = False
    # A thing inside another's box (a pillow on a sofa) is not hidden by it.
    holds = (bounds[:, 0] - 0.05 <= point).all(1) & (point <= bounds[:, 1] + 0.05).all(1)
    return 0.45 ** float((crossed & ~holds).sum())
