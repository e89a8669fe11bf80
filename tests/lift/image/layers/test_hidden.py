"""Behind a thing its background goes on, and nothing of the thing itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spatialwm.lift.image.layers.hidden import behind, sky_behind
from spatialwm.lift.image.layers.surface import Surface
from spatialwm.lift.image.rays import Rays

from .stills import GRAZING, plane, surface

BOX = (slice(16, 48), slice(30, 66))
SHIFT_PX = 12.0


def still(sky: bool = False) -> Surface:
    """A red box at 2 m before a green slanted wall, or before the sky."""
    wall = plane((0.2, 0.0, 1.0), 6.0)
    distance = np.full_like(wall, 100.0) if sky else wall.copy()
    distance[BOX] = 2.0
    mask = np.zeros(wall.shape, bool)
    mask[BOX] = True
    made = surface(distance, ~mask if sky else None)
    rgb = np.where(mask[..., None], (0.9, 0.1, 0.1), (0.1, 0.8, 0.1)).astype(np.float32)
    return replace(made, rgb=rgb)


def test_the_wall_goes_on_behind_the_box_as_far_as_a_step_shows_it() -> None:
    found = behind(still(), SHIFT_PX, 2.0)
    opening = SHIFT_PX * 2.0 * (1 / 2.0 - 1 / 6.0)
    row = found.where[32]
    assert row[30 : 30 + int(opening)].all()
    assert row[66 - int(opening) : 66].all()
    assert not row[46:50].any()
    assert not found.where[:, :28].any()
    wall = plane((0.2, 0.0, 1.0), 6.0)
    assert np.abs(found.surface.distance / wall - 1)[found.where].max() < 0.12


def test_nothing_of_the_box_is_painted_behind_it() -> None:
    found = behind(still(), SHIFT_PX, 2.0)
    assert found.surface.rgb[found.where][:, 0].max() < 0.2
    assert found.surface.rgb[found.where][:, 1].min() > 0.7


def test_behind_a_thing_before_the_sky_is_sky() -> None:
    found = behind(still(sky=True), SHIFT_PX, 2.0)
    assert found.surface.sky[found.where].all()
    assert np.allclose(found.surface.distance[found.where], 100.0, rtol=1e-3)


def test_the_sky_goes_on_behind_everything_near_it() -> None:
    made = still(sky=True)
    found = sky_behind(replace(made, distance=np.where(made.sky, 100.0, 99.0).astype(np.float32)), 8.0)
    assert found.where[32, 30:38].all()
    assert not found.where[32, 45:50].any()
    assert not (found.where & made.sky).any()
    assert found.surface.rgb[found.where][:, 0].max() < 0.2


def test_a_small_wave_before_the_edge_does_not_hide_the_background() -> None:
    made = still()
    distance = made.distance.copy()
    distance[16:48, 30:33] = 2.15  # the outermost pixels of the box, a little farther back
    found = behind(replace(made, distance=distance), SHIFT_PX, 2.0)
    assert found.where[32, 30:37].all()
    assert (found.surface.distance[32, 30:37] > 4).all()


def test_confidence_falls_with_the_way_into_the_unseen() -> None:
    found = behind(still(), SHIFT_PX, 2.0)
    assert found.surface.confidence[32, 36] < found.surface.confidence[32, 30] < 0.6


def test_a_floor_hides_nothing() -> None:
    assert not behind(surface(plane(GRAZING, 1.6)), SHIFT_PX, 1.0).where.any()


def test_across_the_seam_of_a_panorama_the_background_is_found() -> None:
    rays = Rays.panorama(128, 64)
    distance = np.full((64, 128), 6.0)
    distance[20:44, :6] = 2.0
    distance[20:44, -6:] = 2.0
    made = surface(distance, rays=rays)
    mask = distance == 2.0
    found = behind(replace(made, rgb=np.where(mask[..., None], (0.9, 0.1, 0.1), (0.1, 0.8, 0.1)).astype(np.float32)), 9.0, 2.0)
    assert found.where[32, :6].all()
    assert found.where[32, -6:].all()
    assert found.surface.rgb[found.where][:, 0].max() < 0.2


