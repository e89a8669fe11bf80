"""Worlds whose future is known by heart: things that slide at constant speed, wherever a finger happens to be."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from spatialwm.dynamics.episode import Cast, Episode, Forecast, Situation, Track

DT_S = 0.1


def cast_of(count: int, half: float = 0.03) -> Cast:
    """``count`` cubes and a finger: eight corners and six middles of faces each."""
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    faces = np.concatenate([np.eye(3), -np.eye(3)])
    points = np.concatenate([corners, faces]) * half
    normals = np.concatenate([corners / np.sqrt(3), faces])
    colors = np.tile(np.array([[0.8, 0.3, 0.2], [0.2, 0.4, 0.7], [0.3, 0.6, 0.3]])[np.arange(count) % 3][:, None], (1, 14, 1))
    return Cast(
        tuple(f"cube-{i}" for i in range(count)), np.repeat(points[None], count, 0), np.repeat(normals[None], count, 0), colors,
        ("finger",), points[None] / 3, np.full(count, 0.5), np.full(count, 0.5),
    )  # fmt: skip


def sliding(velocities: Sequence[float], steps: int = 20, finger_m_s: float = 0.0) -> Episode:
    """Cubes side by side, 20 cm apart, that slide along x at constant speeds; the finger moves along y from the origin."""
    count = len(velocities)
    time_s = DT_S * np.arange(steps + 1)
    poses = np.zeros((steps + 1, count, 7))
    poses[..., 0] = time_s[:, None] * np.array(velocities)
    poses[..., 1], poses[..., 2], poses[..., 3] = 0.2 * np.arange(1, count + 1), 0.03, 1
    speeds = np.zeros((steps + 1, count, 6))
    speeds[..., 0] = velocities
    parts = np.zeros((steps + 1, 1, 7))
    parts[:, 0, 1], parts[:, 0, 2], parts[:, 0, 3] = finger_m_s * time_s, 0.03, 1
    return Episode(cast_of(count), Track(poses, speeds, parts, parts[1:, 0, :2], DT_S))


class Told:
    """A forecaster that answers what a function of the situation and its commands says."""

    def __init__(self, answer: Callable[[Situation, np.ndarray], Forecast], name: str = "told") -> None:
        self.name = name
        self._answer = answer

    def forecast(self, situations: Sequence[Situation], commands: np.ndarray) -> list[Forecast]:
        return [self._answer(s, c) for s, c in zip(situations, commands, strict=True)]


def off_by(distance_m: float, sigma_m: float | None = None, name: str = "off") -> Told:
    """Knows the constant speeds, and is wrong by a distance along y, always."""

    def answer(s: Situation, commands: np.ndarray) -> Forecast:
        time_s = s.past.dt_s * np.arange(1, len(commands) + 1)
        poses = np.repeat(s.past.poses[-1:], len(commands), 0).astype(np.float64)
        poses[..., :3] += time_s[:, None, None] * s.past.velocities[-1, :, :3]
        poses[..., 1] += distance_m
        return Forecast(poses, np.full(poses.shape[:2], np.nan if sigma_m is None else sigma_m))

    return Told(answer, name)


@pytest.fixture(scope="session")
def two_and_three() -> list[Episode]:
    """Eight episodes of two or three cubes, some of which stay where they are."""
    return [sliding([0.1 + 0.01 * i, 0.0, 0.2][: 2 + i % 2]) for i in range(8)]


@pytest.fixture(scope="session", name="sliding")
def _sliding() -> Callable[..., Episode]:
    return sliding


@pytest.fixture(scope="session", name="told")
def _told() -> type[Told]:
    return Told


@pytest.fixture(scope="session", name="off_by")
def _off_by() -> Callable[..., Told]:
    return off_by
