"""Small pictures that must not change. After a wanted change look at every picture, then: python tests/render/golden/cases.py"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose
from spatialwm.render import render_scene, write_png
from spatialwm.scene import Environment, Scene, SceneObject

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 160, 120


def globe(seed: int, sh_degree: int = 0, n: int = 2500) -> Gaussians:
    """A sphere of radius 0.5 in bands of colour, with stronger view dependence in higher degrees."""
    rng = np.random.default_rng(seed)
    normals = rng.normal(size=(n, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    sh = np.zeros((n, (sh_degree + 1) ** 2, 3))
    sh[:, 0] = 1.4 * np.sin(normals * [9.0, 7.0, 5.0] + [0.0, 1.0, 2.0])
    sh[:, 1:] = rng.normal(0, 0.2, (1, sh.shape[1] - 1, 3))
    scales = np.exp(rng.normal(np.log(0.02), 0.4, (n, 3)))
    return Gaussians.from_numpy(normals * 0.5, rng.normal(size=(n, 4)), scales, rng.uniform(0.5, 1, n), sh=sh)


def still_life() -> Scene:
    """Three globes, two of them overlapping in depth."""
    return Scene(
        (
            SceneObject("left", "globe", globe(0), Pose((-0.6, 0.0, 0.0))),
            SceneObject("right", "globe", globe(1, sh_degree=3), Pose((0.6, 0.2, 0.0), (0.8, 0.2, 0.4, -0.3), 0.9)),
            SceneObject("far", "globe", globe(2, sh_degree=1), Pose((0.0, 3.0, 0.4), scale=1.5)),
        ),
        Environment(background=(0.55, 0.65, 0.8)),
    )


CAMERA = Camera.look_at((0.3, -2.4, 0.7), (0.0, 0.0, 0.0), WIDTH, HEIGHT)
FAR = Camera.look_at((2.0, -18.0, 9.0), (0.0, 0.5, 0.0), WIDTH, HEIGHT, fov_x_deg=20.0)
INSIDE = Camera.look_at((-0.6, 0.1, 0.1), (0.6, 0.2, 0.0), WIDTH, HEIGHT, fov_x_deg=100.0)

CASES: dict[str, Callable[[], np.ndarray]] = {
    "still_life": lambda: render_scene(still_life(), CAMERA, antialiased=False).rgb,
    "still_life_far_antialiased": lambda: render_scene(still_life(), FAR).rgb,
    "inside_a_globe": lambda: render_scene(still_life(), INSIDE, antialiased=False).rgb,
    "depth": lambda: np.repeat(render_scene(still_life(), CAMERA, antialiased=False).depth_m[..., None] / 8, 3, axis=-1),
}

if __name__ == "__main__":
    for name, render in CASES.items():
        print(write_png(FOLDER / f"{name}.png", render()))
