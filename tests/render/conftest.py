"""A small scene of known parts."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Environment, Scene, SceneObject


def ball(n: int = 1500, radius: float = 0.3, seed: int = 0, sh_degree: int = 0) -> Gaussians:
    """A closed sphere of surfels, coloured by direction, each with its view-dependent part."""
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(n, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    sh = rng.normal(0, 0.25, (n, (sh_degree + 1) ** 2, 3))
    sh[:, 0] = normals * 1.5
    size = radius * 2.5 / np.sqrt(n)
    return Gaussians.from_numpy(normals * radius, rng.normal(size=(n, 4)), np.full((n, 3), size), np.full(n, 0.95), sh=sh)


@pytest.fixture
def two_balls() -> Scene:
    """A ball at the origin and one, named in another script, to its right (+X)."""
    return Scene(
        (
            SceneObject("ball-1", "ball", ball(seed=1)),
            SceneObject("кружка-β", "mug", ball(seed=2), Pose((0.8, 0.0, 0.0), (0.9, 0.1, 0.3, 0.2), 0.8)),
        ),
        Environment(background=(0.2, 0.3, 0.4)),
    )
