"""Planes stay planes, things end where they end."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.lift.image.layers.surface import jumps, normals, steepened
from spatialwm.lift.image.rays import Rays

from .stills import GRAZING, HEIGHT, RAYS, WIDTH, plane, surface


@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.6, 0.0, 0.8), GRAZING])
def test_a_plane_has_one_normal_and_no_jump(normal: tuple[float, float, float]) -> None:
    distance = plane(normal, 2.0)
    found = normals(surface(distance).points, False)
    unit = -np.asarray(normal) / np.linalg.norm(normal)
    assert np.abs(found - unit).max() < 2e-3
    assert not jumps(surface(distance).nearness, False).any()
    assert np.array_equal(steepened(surface(distance)).distance, distance)


def test_where_a_floor_meets_a_wall_nothing_ends() -> None:
    distance = np.minimum(np.where(RAYS.directions[..., 1] > 0, plane((0.0, 1.0, 0.0), 1.0), np.inf), plane((0.0, 0.0, 1.0), 5.0))
    assert not jumps(surface(distance).nearness, False).any()
    assert np.array_equal(steepened(surface(distance)).distance, distance.astype(np.float32))


def test_normals_at_an_edge_are_those_of_the_surfaces() -> None:
    distance = np.where(np.arange(WIDTH) < 40, plane((0, 0, 1), 2.0), plane((0, 0, 1), 5.0))
    assert np.abs(normals(surface(distance).points, False) - (0, 0, -1)).max() < 1e-3


def test_a_ramp_becomes_a_step() -> None:
    near, far = 1 / 2.0, 1 / 5.0
    share = np.clip((np.arange(WIDTH) - 40) / 8, 0, 1)
    ramp = 1 / (near + (far - near) * share)
    steep = steepened(surface(ramp / RAYS.directions[..., 2])).nearness
    between = (np.abs(steep - near) > 0.02) & (np.abs(steep - far) > 0.02)
    assert not between.any()
    assert np.abs(np.nonzero(steep[10] < 0.35)[0][0] - 45) <= 1  # half way, and one pixel that goes with the thing


def test_sky_that_goes_with_a_thing_is_no_sky() -> None:
    sky = np.zeros((HEIGHT, WIDTH), bool)
    sky[:, 50:] = True
    found = steepened(surface(np.where(sky, 100.0, 3.0), sky))
    assert found.sky[:, 52:].all()
    assert not (found.sky & (found.distance < 50)).any()


def test_a_panorama_has_no_jump_at_its_seam() -> None:
    rays = Rays.panorama(128, 64)
    azimuth = np.arctan2(rays.directions[..., 0], rays.directions[..., 2])
    distance = 3 + np.cos(azimuth)
    assert not jumps((1 / distance).astype(np.float32), True).any()
    found = normals(surface(distance, rays=rays).points, True)
    assert np.abs(found[:, 0] - found[:, -1]).max() < 0.1
