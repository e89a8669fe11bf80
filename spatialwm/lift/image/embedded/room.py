"""The box that a room is: which floor, walls and ceiling explain the picture's edges, and how sure that is.

Source: the box of Hedau, Hoiem and Forsyth, ICCV 2009, "Recovering the spatial layout of cluttered rooms", judged by the
orientation of segments as in Lee, Hebert and Kanade, CVPR 2009, "Geometric reasoning for single image structure recovery".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from spatialwm.lift.image.embedded.view import View
from spatialwm.lift.image.photo import Px
from spatialwm.scene.scale import EYE_HEIGHT_M

LEFT, RIGHT, AHEAD, BEHIND, FLOOR, CEILING = range(6)
_NORMAL = np.array([0, 0, 1, 1, 2, 2])
"""Axis along which each face's normal lies: right, ahead, up."""
_MEDIAN_M = np.array([2.3, 2.3, 3.6, 3.0, EYE_HEIGHT_M, 1.1])
_SIGMA = np.array([0.55, 0.55, 0.45, 0.01, 0.001, 0.35])
"""Of the logarithms of the distances from the camera to the faces; the eye height is the unit of everything."""
_SAMPLES, _KEPT = 3000, 48
_RIDGES = np.array([
    (LEFT, FLOOR), (RIGHT, FLOOR), (AHEAD, FLOOR), (LEFT, CEILING),
    (RIGHT, CEILING), (AHEAD, CEILING), (LEFT, AHEAD), (RIGHT, AHEAD),
])  # fmt: skip
_TEMPER = 1.0
_WRONG = 0.9
"""What a segment costs on a face that it cannot lie on; furniture has such segments too."""
_RIDGE = 10.0
_COLOUR = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """What the likely boxes say of each pixel of the reduced picture."""

    log_distance: Float[np.ndarray, "h w"]
    """Mean over the boxes, along the ray."""
    sigma: Float[np.ndarray, "h w"]
    """Standard deviation over the boxes."""
    floor: Float[np.ndarray, "h w"]
    """Share of the boxes in which the pixel shows the floor."""


def fit_room(view: View, ground: Float[np.ndarray, "h w"], seed: int = 0) -> Room:
    """Draw boxes about what rooms are like, keep those that the picture supports.

    Args:
        ground: probability of each pixel to be floor by its colour and place.
    """
    directions = _turned(view.level, view.yaw_rad)
    rng = np.random.default_rng(seed)
    evidence = _Evidence.of(view, directions, ground)
    boxes = _MEDIAN_M * np.exp(_SIGMA * rng.standard_normal((_SAMPLES, 6)))
    scores = evidence.score(boxes)
    for spread in (0.25, 0.12, 0.06):
        best = np.argsort(-scores)[:24]
        near = np.repeat(boxes[best], 30, 0) * np.exp(np.where(_SIGMA > 0.1, spread, 0) * rng.standard_normal((720, 6)))
        boxes, scores = np.concatenate([boxes[best], near]), np.concatenate([scores[best], evidence.score(near)])
    best = np.argsort(-scores)[:_KEPT]
    weights = np.exp((scores[best] - scores[best[0]]) / _TEMPER)
    return _average(directions, boxes[best], weights / weights.sum())


def room_of_corners(view: View, corners: tuple[Px, ...]) -> Room | None:
    """The room whose floor ends at a drawn line; None where fewer than two of its places lie below the horizon.

    Beyond its ends the line goes on straight; the ceiling is where ceilings usually are.
    """
    rows = [min(max(int(y * view.height), 0), view.height - 1) for _, y in corners]
    cols = [min(max(int(x * view.width), 0), view.width - 1) for x, _ in corners]
    rays = view.level[rows, cols] if corners else np.zeros((0, 3))
    rays = rays[rays[:, 2] < -0.02]
    if len(rays) < 2:
        return None
    places = rays[:, :2] * (EYE_HEIGHT_M / -rays[:, 2:])
    starts, ends = places[:-1].copy(), places[1:].copy()
    starts[0] -= 50 * (ends[0] - starts[0])
    ends[-1] += 50 * (ends[-1] - starts[-1])
    flat = view.level.reshape(-1, 3)
    wall = np.full(len(flat), 30.0)
    for a, b in zip(starts, ends, strict=True):
        along = b - a
        across = flat[:, 0] * along[1] - flat[:, 1] * along[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            t = (a[0] * along[1] - a[1] * along[0]) / across
            s = (a[0] * flat[:, 1] - a[1] * flat[:, 0]) / across
        wall = np.where((t > 0) & (s >= 0) & (s <= 1) & (t < wall), t, wall)
    down = EYE_HEIGHT_M / np.maximum(-flat[:, 2], 1e-6)
    above = _MEDIAN_M[CEILING] / np.maximum(flat[:, 2], 1e-6)
    shape = view.level.shape[:2]
    logs = np.log(np.minimum(wall, np.minimum(down, above))).reshape(shape)
    return Room(logs, np.full(shape, 0.05), (down < np.minimum(wall, above)).reshape(shape).astype(float))


def _turned(level: np.ndarray, yaw_rad: float) -> np.ndarray:
    """Directions along the walls' axes instead of the camera's."""
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    right, ahead = level[..., 0], level[..., 1]
    return np.stack([c * right - s * ahead, s * right + c * ahead, level[..., 2]], -1)


def _average(directions: np.ndarray, boxes: np.ndarray, weights: np.ndarray) -> Room:
    mean = np.zeros(directions.shape[:2])
    squared, floor = np.zeros_like(mean), np.zeros_like(mean)
    flat = directions.reshape(-1, 3).astype(np.float32)
    for box, weight in zip(boxes, weights, strict=True):
        if weight < 1e-3:
            continue
        distance, face = hit(flat, box[None])
        logs = np.log(distance[0]).reshape(mean.shape)
        mean += weight * logs
        squared += weight * logs**2
        floor += weight * (face[0] == FLOOR).reshape(mean.shape)
    total = weights[weights >= 1e-3].sum()
    mean, squared, floor = mean / total, squared / total, floor / total
    return Room(mean, np.sqrt(np.maximum(squared - mean**2, 0)), floor)


def hit(
    directions: Float[np.ndarray, "n 3"], boxes: Float[np.ndarray, "b 6"]
) -> tuple[Float[np.ndarray, "b n"], np.ndarray]:
    """Distance to the face that each ray from within meets in each box, and which face that is."""
    d = directions.T
    inverse = np.stack([-d[0], d[0], d[1], -d[1], -d[2], d[2]]).astype(np.float32)
    inverse = np.maximum(inverse, 1e-6)  # towards a face positive; away from it never met
    distance = np.full((len(boxes), directions.shape[0]), np.inf, np.float32)
    face = np.zeros(distance.shape, np.int8)
    for k in range(6):
        t = boxes[:, k : k + 1].astype(np.float32) / inverse[k]
        nearer = t < distance
        np.copyto(distance, t, where=nearer)
        face[nearer] = k
    return distance, face


@dataclass(frozen=True, slots=True, eq=False)
class _Evidence:
    """What a box is judged by."""

    middles: np.ndarray
    """Directions of the segments' middles."""
    axes: np.ndarray
    """Which axis each runs along."""
    weights: np.ndarray
    cells: np.ndarray
    """Directions over the whole picture."""
    ground: np.ndarray
    """How much more than half likely each cell is floor."""
    maps: np.ndarray
    """For each axis, where segments along it lie."""
    camera: np.ndarray
    """Pixels of a direction along the walls' axes, up to its depth."""

    @staticmethod
    def of(view: View, directions: np.ndarray, ground: np.ndarray) -> _Evidence:
        labels = view.manhattan.labels
        segments = view.segments[: len(labels)][labels >= 0]
        labels = labels[labels >= 0]
        height, width = directions.shape[:2]
        middle = (segments[:, :2] + segments[:, 2:]) / 2
        length = np.hypot(*(segments[:, 2:] - segments[:, :2]).T)
        diagonal = math.hypot(width, height)
        at = directions[middle[:, 1].astype(int).clip(0, height - 1), middle[:, 0].astype(int).clip(0, width - 1)]
        step = max(1, width // 32)
        maps = np.zeros((3, height, width), np.float32)
        for (x0, y0, x1, y1), axis in zip(segments, labels, strict=True):
            t = np.linspace(0, 1, int(math.hypot(x1 - x0, y1 - y0)) + 2)
            rows, cols = (y0 + t * (y1 - y0)).astype(int), (x0 + t * (x1 - x0)).astype(int)
            maps[axis, rows.clip(0, height - 1), cols.clip(0, width - 1)] = 1
        blur = 0.006 * diagonal
        maps = np.stack([np.minimum(gaussian_filter(m, blur) * blur * 2.5, 1) for m in maps])
        turn = np.eye(3)
        c, s = math.cos(view.yaw_rad), math.sin(view.yaw_rad)
        turn[:2, :2] = [[c, -s], [s, c]]
        intrinsics = np.array([[view.focal_px, 0, width / 2], [0, view.focal_px, height / 2], [0, 0, 1]])
        return _Evidence(
            at, labels, np.minimum(length / (0.06 * diagonal), 3.0),
            directions[step // 2 :: step, step // 2 :: step].reshape(-1, 3),
            (ground[step // 2 :: step, step // 2 :: step] - 0.5).ravel(), maps, intrinsics @ (turn @ view.axes).T,
        )  # fmt: skip

    def score(self, boxes: Float[np.ndarray, "b 6"]) -> Float[np.ndarray, " b"]:
        """Log posterior, up to a constant."""
        prior = -0.5 * (((np.log(boxes / _MEDIAN_M)) / _SIGMA) ** 2).sum(1)
        _, face = hit(self.cells, boxes)
        coloured = ((face == FLOOR) * self.ground - (face != FLOOR) * self.ground).mean(1)
        out = prior + _COLOUR * coloured
        if len(self.middles):
            _, face = hit(self.middles, boxes)
            out -= _WRONG * ((_NORMAL[face] == self.axes) * self.weights).sum(1)
        return out + _RIDGE * self._ridges(boxes)

    def _ridges(self, boxes: np.ndarray) -> np.ndarray:
        """How much of the boxes' visible ridges lies on segments that run along them, per ridge in sight."""
        t = np.linspace(0, 1, 24)
        out = np.zeros(len(boxes))
        signs = np.array([-1.0, 1.0, 1.0, -1.0, -1.0, 1.0])
        height, width = self.maps.shape[1:]
        for first, second in _RIDGES:
            along = 3 - _NORMAL[first] - _NORMAL[second]
            points = np.zeros((len(boxes), len(t), 3))
            for face in (first, second):
                points[..., _NORMAL[face]] = (signs[face] * boxes[:, face])[:, None]
            ends = {0: (LEFT, RIGHT), 1: (BEHIND, AHEAD), 2: (FLOOR, CEILING)}[int(along)]
            low, high = -boxes[:, ends[0]], boxes[:, ends[1]]
            points[..., along] = low[:, None] + t * (high - low)[:, None]
            pixel = points @ self.camera.T
            depth = np.maximum(pixel[..., 2], 1e-6)
            x, y = pixel[..., 0] / depth, pixel[..., 1] / depth
            seen = (pixel[..., 2] > 0.2) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
            value = self.maps[along][y.clip(0, height - 1).astype(int), x.clip(0, width - 1).astype(int)]
            out += np.where(seen, value - 0.12, 0).sum(1) / len(t)
        return out
