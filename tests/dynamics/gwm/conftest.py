"""A world small enough to learn in seconds: two blocks on a plane and a puck that pushes them, without a simulator."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from spatialwm.dynamics.episode import Cast, Episode, Track
from spatialwm.dynamics.gwm import TINY, GwmConfig
from spatialwm.dynamics.gwm.config import DenoiserConfig, OutcomeConfig, TrainingConfig, VaeConfig
from spatialwm.dynamics.gwm.training import new_model

POINTS, CONTACT_M, DT_S = 24, 0.07, 0.1


def make_cast(rng: np.random.Generator, objects: int = 2) -> Cast:
    """Blocks of random size and color, and a puck."""
    points, normals = [], []
    for _ in range(objects):
        half = rng.uniform(0.02, 0.04, 3)
        axis, sign = rng.integers(0, 3, POINTS), rng.choice([-1.0, 1.0], POINTS)
        p, n = rng.uniform(-1, 1, (POINTS, 3)), np.zeros((POINTS, 3))
        p[np.arange(POINTS), axis] = n[np.arange(POINTS), axis] = sign
        points.append(p * half)
        normals.append(n)
    angle = rng.uniform(0, 2 * np.pi, POINTS)
    puck = np.stack([0.02 * np.cos(angle), 0.02 * np.sin(angle), rng.uniform(-0.03, 0.03, POINTS)], 1)
    colors = np.repeat(rng.uniform(0.1, 0.9, (objects, 1, 3)), POINTS, 1)
    ids = tuple(f"block-{i + 1}" for i in range(objects))
    return Cast(ids, np.array(points), np.array(normals), colors, ("puck",), puck[None], np.ones(objects), np.full(objects, 0.5))


def make_episode(seed: int, steps: int = 16, objects: int = 2) -> Episode:
    """The puck lags behind its commands; what it meets is pushed away and turned. Ends when the first block is at the middle."""
    rng = np.random.default_rng(seed)
    cast = make_cast(rng, objects)
    at, yaw = rng.uniform(-0.15, 0.15, (objects, 2)), rng.uniform(-3, 3, objects)
    puck, target = rng.uniform(-0.2, 0.2, 2), rng.uniform(-0.2, 0.2, 2)
    poses, parts, commands, rewards = [], [], [], []
    for step in range(steps + 1):
        quats = np.stack([np.cos(yaw / 2), 0 * yaw, 0 * yaw, np.sin(yaw / 2)], 1)
        poses.append(np.concatenate([at, np.full((objects, 1), 0.03), quats], 1))
        parts.append(np.array([[*puck, 0.03, 1, 0, 0, 0]]))
        if step == steps:
            break
        if step % 5 == 0:
            target = at[rng.integers(objects)] + rng.normal(0, 0.03, 2)
        command = puck + np.clip(target - puck, -0.04, 0.04)
        puck = puck + 0.7 * (command - puck)
        away = at - puck
        near = np.linalg.norm(away, axis=1)
        hit = near < CONTACT_M
        push = np.where(hit[:, None], away / near[:, None].clip(1e-6) * (CONTACT_M - near)[:, None], 0.0)
        at, yaw = at + push, yaw + 5 * np.where(hit, push[:, 0], 0.0)
        commands.append(command)
        rewards.append(-10 * float(np.linalg.norm(at[0])))
    stacked = np.array(poses)
    track = Track(stacked, np.zeros((steps + 1, objects, 6)), np.array(parts), np.array(commands), DT_S)
    return Episode(cast, track, np.array(rewards), terminated=rewards[-1] > -0.3)


NANO = GwmConfig(
    name="nano",
    vae=VaeConfig(gaussians=36, tokens=9, latent_channels=8, width=32, heads=2, self_attention_layers=1),
    denoiser=DenoiserConfig(hidden=32, depth=2, heads=2),
    outcome=OutcomeConfig(channels=8, lstm=8),
    training=TrainingConfig(vae_batch=16, batch=8, learning_rate=4e-3, vae_learning_rate=5e-3),
    segment=4,
)


@pytest.fixture(scope="session")
def toy() -> SimpleNamespace:
    """Casts, episodes and a model that fit a test."""

    def trained_away(seed: int = 0):
        """A model with random numbers in every weight, so that nothing is zero by its start."""
        import torch

        model, generator = new_model(NANO, 2, seed), torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.1 * torch.randn(p.shape, generator=generator))
        return model.eval()

    return SimpleNamespace(
        NANO=NANO, TINY=TINY, cast=make_cast, episode=make_episode, model=new_model, shaken=trained_away, replace=replace
    )
