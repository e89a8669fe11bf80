"""A synthetic scene with the statistics of a trained one, of any size, from a seed."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spatialwm.geometry.camera import Camera


def synthetic_scene(n: int, width: int, height: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Arguments of a rasterizer up to ``Ks``."""
    camera = synthetic_camera(width, height)
    return (*synthetic_gaussians(n, seed), camera.viewmat()[None], camera.K()[None])


def synthetic_camera(width: int, height: int) -> Camera:
    """Looks across the room into its corner."""
    return Camera.look_at((-3.6, -3.2, 1.6), (0.0, 0.0, 0.0), width, height, fov_x_deg=58.0)


def synthetic_gaussians(n: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """means, quats, scales, opacities and RGB of a room corner, twelve spheres, 5 % floaters.

    Like trained scenes: thin surfels of log-normal size that shrink with n, opacities mostly near 0 or 1.
    """
    rng = np.random.default_rng(seed)
    on_walls, on_spheres = int(n * 0.45), int(n * 0.5)
    u, v = rng.uniform(-3, 3, (2, on_walls))
    wall = rng.integers(0, 3, on_walls)[:, None]
    three = np.full(on_walls, 3.0)
    walls = np.select(
        [wall == 0, wall == 1, wall == 2],
        [
            np.stack([u, v, np.full(on_walls, -1.0)], 1),
            np.stack([three, u, v / 1.5 + 1], 1),
            np.stack([u, three, v / 1.5 + 1], 1),
        ],
    )
    centers = np.column_stack([rng.uniform(-1.5, 1.5, (12, 2)), rng.uniform(-0.6, 0.8, 12)])
    radii = rng.uniform(0.25, 0.7, 12)
    which = rng.integers(0, 12, on_spheres)
    normals = rng.normal(size=(on_spheres, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    spheres = centers[which] + normals * radii[which, None]
    floaters = rng.uniform(-3, 3, (n - on_walls - on_spheres, 3))

    means = rng.permutation(np.concatenate([walls, spheres, floaters]))
    scales = 2.2 / np.sqrt(max(n, 1)) * np.exp(rng.normal(0, 0.6, (n, 3))) * [1.6, 1.0, 0.3]
    opacities = rng.beta(0.7, 0.5, n) * 0.98 + 0.01
    colors = np.clip(0.5 + 0.5 * np.sin(means * [3, 4, 5] + rng.normal(0, 0.2, (n, 3))), 0, 1)
    quats = rng.normal(size=(n, 4))

    def tensor(a: np.ndarray) -> Tensor:
        return torch.from_numpy(a.astype(np.float32))

    return tensor(means), tensor(quats), tensor(scales), tensor(opacities), tensor(colors)
