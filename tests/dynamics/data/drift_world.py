"""A world that takes no time: discs that drift; a module of its own, so that worker processes find it."""

from __future__ import annotations

import os
import time

import numpy as np

from spatialwm.dynamics.episode import Cast, Episode, Track
from spatialwm.errors import ActionError
from spatialwm.geometry.se3 import Pose


def drifting(variant: str, seed: int, *, objects: int = 3, steps: int = 12, parts: int = 1) -> Episode:
    """An episode of three float32 bodies, of which the first is the same in all; ``shy`` ones move nothing."""
    rng = np.random.default_rng(seed)
    speed = 0.0 if variant == "shy" else 0.1
    points = rng.normal(size=(objects, 16, 3)).astype(np.float32)
    points[:1] = np.linspace(0, 1, 48).reshape(16, 3)
    velocities = np.zeros((steps + 1, objects, 6), np.float32)
    velocities[..., :3] = speed * rng.normal(size=(objects, 3))
    poses = np.zeros((steps + 1, objects, 7), np.float32)
    poses[..., 3] = 1
    poses[..., :3] = np.cumsum(velocities[..., :3], 0) * 0.1
    part_poses = np.tile(np.eye(1, 7, 3, dtype=np.float32), (steps + 1, parts, 1))
    commands = rng.normal(size=(steps, 2)).astype(np.float32)
    discs, rods = (tuple(f"{name}-{i}" for i in range(n)) for name, n in (("disc", objects), ("part", parts)))
    cast = Cast(
        discs, points, points, np.full_like(points, 0.5), rods,
        np.zeros((parts, 16, 3), np.float32), rng.uniform(0.1, 1, objects), np.full(objects, 0.5),
        {"believed": Pose((1.0, 2.0, 3.0)), "seed": seed},
    )  # fmt: skip
    track = Track(poses, velocities, part_poses, commands, 0.1)
    return Episode(cast, track, rng.random(steps).astype(np.float32), ("true", speed))


def troubled(variant: str, seed: int) -> Episode:
    """What can go wrong while an episode is made."""
    if variant == "unknown":
        raise ActionError("no table is called 'unknown'")
    if variant == "broken":
        raise ValueError("the simulator broke\nin the middle")
    if variant == "killed":
        os._exit(9)
    if variant == "slow":
        time.sleep(0.25)
    if variant == "nothing":
        return None  # pyright: ignore[reportReturnType]
    return drifting("push", seed)
