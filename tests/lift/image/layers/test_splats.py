"""Every pixel is covered once, by a Gaussian of its own footprint."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.geometry.se3 import quat_to_matrix
from spatialwm.lift.image.layers.splats import FOOTPRINT, cells_of, splats
from spatialwm.lift.image.rays import Rays

from .stills import HEIGHT, WIDTH, plane, surface


@pytest.mark.parametrize("coarse", [False, True])
def test_cells_cover_what_is_asked_for_exactly_once(coarse: bool) -> None:
    rng = np.random.default_rng(0)
    where = rng.random((HEIGHT + 1, WIDTH + 3)) < 0.9
    made = surface(np.full(where.shape, 2.0), rays=Rays(np.ones((*where.shape, 3)), np.ones((*where.shape, 2)), False))
    made.rgb[20:40] = rng.random((20, where.shape[1], 3))
    cells = cells_of(made, where, coarse=coarse)
    count = np.zeros(where.shape, int)
    for row, column, size in zip(cells.row, cells.column, cells.size, strict=True):
        count[row : row + size, column : column + size] += 1
    assert np.array_equal(count, where.astype(int))


def test_detail_keeps_its_pixels_and_plain_walls_do_not() -> None:
    made = surface(plane((0.0, 0.0, 1.0), 3.0))
    assert len(cells_of(made, np.ones((HEIGHT, WIDTH), bool))) == HEIGHT * WIDTH // 16
    made.rgb[:] = np.random.default_rng(0).random(made.rgb.shape)
    assert len(cells_of(made, np.ones((HEIGHT, WIDTH), bool))) == HEIGHT * WIDTH
    assert len(cells_of(made, np.ones((HEIGHT, WIDTH), bool), coarse=True)) == HEIGHT * WIDTH // 4


def test_a_facing_wall_gets_round_flat_splats_of_the_pixel_pitch() -> None:
    made = surface(plane((0.0, 0.0, 1.0), 3.0))
    made.rgb[:] = np.random.default_rng(0).random(made.rgb.shape)
    cells = cells_of(made, np.ones((HEIGHT, WIDTH), bool))
    scales = splats(made, cells, 0.9).scales.numpy()
    middle = (abs(cells.row - HEIGHT / 2) < 4) & (abs(cells.column - WIDTH / 2) < 4)
    assert np.allclose(scales[middle][:, :2], FOOTPRINT * 3.0 / 80, rtol=0.02)
    assert (scales[:, 2] < 0.2 * scales[:, 1]).all()


def test_a_slanted_wall_gets_splats_that_lie_on_it_and_look_round_from_the_camera() -> None:
    normal = np.array([0.8, 0.0, 0.6])
    made = surface(plane((0.8, 0.0, 0.6), 2.0))
    where = np.zeros((HEIGHT, WIDTH), bool)
    where[HEIGHT // 2, WIDTH // 2] = True
    found = splats(made, cells_of(made, where), 0.9)
    axes = quat_to_matrix(found.quats)[0].numpy()
    assert abs(abs(axes[:, 2] @ normal) - 1) < 1e-3
    covariance = (axes * found.scales[0].numpy() ** 2) @ axes.T
    point = found.means[0].numpy()
    projection = 80 / point[2] * np.array([[1, 0, -point[0] / point[2]], [0, 1, -point[1] / point[2]]])
    seen_px = projection @ covariance @ projection.T
    assert np.allclose(seen_px, FOOTPRINT**2 * np.eye(2), atol=0.04)


def test_around_a_panorama_splats_close_the_sphere() -> None:
    rays = Rays.panorama(64, 32)
    made = surface(np.full((32, 64), 2.0), rays=rays)
    made.rgb[:] = np.random.default_rng(0).random(made.rgb.shape)
    found = splats(made, cells_of(made, np.ones((32, 64), bool)), 0.9)
    assert torch.isfinite(found.quats).all()
    area = (2 * np.pi * found.scales[:, 0] * found.scales[:, 1] / (2 * np.pi * FOOTPRINT**2)).sum()
    assert float(area) == pytest.approx(4 * np.pi * 4, rel=0.03)
