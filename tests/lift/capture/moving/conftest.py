"""A walk past a wall and a block on a floor, with a box that may move: every pixel's place and owner is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import Capture, Points, View
from spatialwm.lift.capture.dense.depth_map import pixel_rays
from spatialwm.lift.capture.dense.overlap import project

W, H, COUNT = 240, 160, 7


@dataclass(frozen=True)
class Filmed:
    """A clip, and where its mover is in each view."""

    capture: Capture
    movers: list[np.ndarray]


def noise(points: np.ndarray, seed: int) -> np.ndarray:
    """Smooth noise of place in three octaves, 0..1."""
    total = np.zeros(points.shape[:-1])
    for octave, cell in enumerate((0.4, 0.17, 0.08)):
        scaled = points / cell + 100.0
        base = np.floor(scaled).astype(np.int64)
        fraction = scaled - base
        fraction = fraction * fraction * (3 - 2 * fraction)
        for corner in np.ndindex(2, 2, 2):
            i = base + corner
            h = (i[..., 0] * 73856093 ^ i[..., 1] * 19349663 ^ i[..., 2] * 83492791 ^ (seed + octave) * 2654435761) & 0xFFFFFFFF
            h = (h ^ (h >> 13)) * 1274126177 & 0xFFFFFFFF
            weight = np.prod(np.where(np.array(corner) == 1, fraction, 1 - fraction), axis=-1)
            total += weight * ((h ^ (h >> 16)) & 0xFFFF) / 65535 / 3
    return total


def box_depth(eye: np.ndarray, rays: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Along rays to an upright box; infinite where it is missed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (low - eye) / rays, (high - eye) / rays
    near, far = np.minimum(a, b).max(-1), np.maximum(a, b).min(-1)
    return np.where((near > 0) & (near < far), near, np.inf)


def film(box_at, cameras: list[Camera], noisy: float = 2.0) -> Filmed:
    """Pictures of all cameras; ``box_at(i)`` is the middle of the box's floor in view i, None: no box."""
    rng = np.random.default_rng(3)
    half = np.array([0.35, 0.3, 0.45])
    views: list[View] = []
    movers: list[np.ndarray] = []
    for i, camera in enumerate(cameras):
        eye = np.asarray(camera.eye)
        rays = camera.world_from_cam.rotate(pixel_rays(camera))
        with np.errstate(divide="ignore", invalid="ignore"):
            wall = (3.0 - eye[1]) / rays[..., 1]
            floor = -eye[2] / rays[..., 2]
        layers = [np.where(wall > 0, wall, np.inf), np.where(floor > 0, floor, np.inf),
                  box_depth(eye, rays, np.array([-1.6, 1.2, 0.0]), np.array([-0.8, 1.8, 1.0]))]  # fmt: skip
        middle = None if box_at(i) is None else np.asarray(box_at(i), float)
        if middle is not None:
            layers.append(box_depth(eye, rays, middle - [half[0], half[1], 0], middle + [half[0], half[1], 2 * half[2]]))
        depth = np.min(layers, axis=0)
        owner = np.argmin(layers, axis=0)
        depth = np.where(np.isfinite(depth), depth, 50.0)
        places = eye + rays * depth[..., None]
        shade = noise(places, 1)
        if middle is not None:
            shade = np.where(owner == 3, noise(places - middle, 9), shade)
        gray = 255 * (0.15 + 0.7 * shade)[..., None] * np.array([1.0, 0.95, 0.85]) + rng.normal(0, noisy, (*shade.shape, 3))
        views.append(View(f"{i}", camera, gray.clip(0, 255).astype(np.uint8), time_s=i / 4))
        movers.append(owner == 3)
    return Filmed(Capture(tuple(views), landmarks(cameras), given=len(views)), movers)


def landmarks(cameras: list[Camera]) -> Points:
    """Places on the wall and the floor with the views that show them."""
    rng = np.random.default_rng(5)
    wall = np.column_stack([rng.uniform(-3, 3, 300), np.full(300, 3.0), rng.uniform(0, 2.5, 300)])
    floor = np.column_stack([rng.uniform(-3, 3, 300), rng.uniform(0.5, 3, 300), np.zeros(300)])
    means = np.concatenate([wall, floor])
    tracks = [(p, i) for i, c in enumerate(cameras) for p in np.flatnonzero(project(c, means)[2])]
    tracks = np.array(sorted(tracks), np.int64)
    seen = np.flatnonzero(np.bincount(tracks[:, 0], minlength=len(means)) >= 2)
    number = np.full(len(means), -1)
    number[seen] = np.arange(len(seen))
    tracks = tracks[number[tracks[:, 0]] >= 0]
    tracks[:, 0] = number[tracks[:, 0]]
    return Points(means[seen], np.full((len(seen), 3), 128, np.uint8), tracks)


def sideways() -> list[Camera]:
    """A step of 12 cm from view to view, looking at the wall."""
    eyes = [(-0.5 + 0.12 * i, -1.2 + 0.02 * np.sin(i), 1.3) for i in range(COUNT)]
    return [Camera.look_at(eye, (0.1 * i / COUNT, 3.0, 0.8), W, H, 50.0) for i, eye in enumerate(eyes)]


def forward() -> list[Camera]:
    """A step of 15 cm from view to view, straight at the wall."""
    return [Camera.look_at((0.0, -2.4 + 0.15 * i, 1.3), (0.0, 3.0, 0.9), W, H, 50.0) for i in range(COUNT)]


@pytest.fixture(scope="session")
def rest() -> Filmed:
    """Nothing moves; the box stands."""
    return film(lambda i: (0.4, 1.3, 0.0), sideways())


@pytest.fixture(scope="session")
def across() -> Filmed:
    """The box goes to the left, as the camera goes to the right."""
    return film(lambda i: (1.0 - 0.12 * i, 1.3, 0.0), sideways())


@pytest.fixture(scope="session")
def crossing() -> Filmed:
    """The camera goes straight on; the box crosses before it."""
    return film(lambda i: (-0.45 + 0.13 * i, 1.3, 0.0), forward())
