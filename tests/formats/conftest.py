"""Gaussians to write, and what "equal to the bit" means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from spatialwm.gaussians import Gaussians

FIELDS = ("means", "quats", "scales", "opacities", "sh")


def random_gaussians(n: int = 200, degree: int = 0, seed: int = 0) -> Gaussians:
    """Sizes from 0.1 mm to 1 m within ten metres, every orientation, SH within -1..1."""
    random = np.random.default_rng(seed)
    quats = random.normal(size=(n, 4))
    return Gaussians.from_numpy(
        random.normal(size=(n, 3)) * 3,
        quats / np.linalg.norm(quats, axis=1, keepdims=True),
        np.exp(random.uniform(-9, 0, (n, 3))),
        random.uniform(0, 1, n),
        sh=random.uniform(-1, 1, (n, (degree + 1) ** 2, 3)) * np.where(np.arange((degree + 1) ** 2) == 0, 1.5, 0.8)[:, None],
    )


@pytest.fixture
def gaussians_of() -> Callable[..., Gaussians]:
    return random_gaussians


@pytest.fixture
def assert_same_bits() -> Callable[..., None]:
    def check(a: Gaussians, b: Gaussians, *fields: str) -> None:
        for name in fields or FIELDS:
            x, y = (getattr(g, name).contiguous().view(torch.int32) for g in (a, b))
            assert x.shape == y.shape, name
            assert torch.equal(x, y), f"{name}: {int((x != y).sum())} of {x.numel()} values differ"

    return check
