"""A bare table with things on it, pushed by a disc; the plant obeys the coarse model's mechanics, with other numbers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spatialwm.dynamics.episode import Cast, Situation, Track
from spatialwm.dynamics.planning import quasistatic

RADIUS_M = 0.02


def block(half_x: float = 0.05, half_y: float = 0.03) -> np.ndarray:
    """Even samples of the surface of a box, corners among them."""
    sides = np.random.default_rng(0).uniform(-1, 1, (900, 3))
    sides[np.arange(900), np.arange(900) % 3] = np.where(np.arange(900) % 2, 1.0, -1.0)
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    points = np.concatenate([corners, sides]) * [half_x, half_y, 0.025]
    chosen = list(range(8))
    while len(chosen) < 64:
        chosen.append(int(np.linalg.norm(points[:, None] - points[chosen], axis=-1).min(1).argmax()))
    return points[chosen]


def cast(*points: np.ndarray) -> Cast:
    """Red, green, blue... things in this order: ``thing-1``, ``thing-2``."""
    around = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    rod = np.stack([RADIUS_M * np.cos(around), RADIUS_M * np.sin(around), 0 * around], 1)
    k, p = len(points), len(points[0])
    colors = np.repeat(np.eye(3)[np.arange(k) % 3][:, None], p, 1)
    return Cast(
        tuple(f"thing-{i + 1}" for i in range(k)), np.array(points, np.float32), np.zeros((k, p, 3), np.float32),
        colors.astype(np.float32), ("rod",), rod[None].astype(np.float32), np.full(k, 0.3), np.full(k, 0.5),
    )  # fmt: skip


def situation(who: Cast, *states: tuple[float, float, float], rod: tuple[float, float] = (-0.2, 0.0)) -> Situation:
    """Things at x, y and yaw, at rest, and the rod somewhere."""
    poses = np.array([[x, y, 0.025, np.cos(a / 2), 0, 0, np.sin(a / 2)] for x, y, a in states], np.float32)[None]
    at = np.array([[[*rod, 0.05, 1, 0, 0, 0]]], np.float32)
    return Situation(who, Track(poses, np.zeros_like(poses[..., :6]), at, np.zeros((0, 2), np.float32), 0.1))


class SlidingPlant:
    """One thing that slides with its weight off its middle, and turns less willingly than its outline says."""

    def __init__(self, start: Situation, off_m: tuple[float, float] = (0.008, -0.005), friction: float = 0.3) -> None:
        self._now = start
        seen = quasistatic.slider_of(start.cast.points[0], start.past.poses[-1, 0])
        off = np.array(off_m)
        self._slider = replace(seen, corners=seen.corners - off, center=seen.center + off, reach_m=1.15 * seen.reach_m)
        self._first, self._friction = start.past.poses[-1, 0], friction
        self._state = np.array([[*self._slider.center, 0.0]])
        self.commands: list[np.ndarray] = []

    def observe(self) -> Situation:
        return self._now

    def act(self, command: np.ndarray) -> None:
        past = self._now.past
        at = past.part_poses[-1, 0, :2].astype(float)
        self._state = quasistatic.push(self._slider, self._state, at[None], command[None], RADIUS_M, self._friction)
        pose = quasistatic.poses_after(self._first, np.array([*self._slider.center, 0.0]), self._state)
        parts = past.part_poses[-1:].copy()
        parts[0, 0, :2] = command
        track = Track(
            np.concatenate([past.poses, pose[None]])[-25:].astype(np.float32),
            np.concatenate([past.velocities, past.velocities[-1:]])[-25:],
            np.concatenate([past.part_poses, parts])[-25:],
            np.concatenate([past.commands, command[None]])[-24:].astype(np.float32), 0.1,
        )  # fmt: skip
        self._now = Situation(self._now.cast, track)
        self.commands.append(command)


@pytest.fixture(scope="session")
def toy() -> SimpleNamespace:
    """Builders of the bare table."""
    return SimpleNamespace(block=block, cast=cast, situation=situation, SlidingPlant=SlidingPlant, radius_m=RADIUS_M)
