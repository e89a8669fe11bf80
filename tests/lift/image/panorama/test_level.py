"""Up, from the straight edges of a panorama."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.image.panorama.edges import Edges, find_edges
from spatialwm.lift.image.panorama.level import find_level

from .drawn import square, tilted


def test_houses_farther_off_that_hang_to_the_side_still_tell_what_is_upright() -> None:
    level_from_pano = tilted(9, 40)
    found = find_level(find_edges(square(15.0, 384, level_from_pano)[0]).straightened())
    assert found is not None
    assert -(level_from_pano @ found.up)[1] > np.cos(np.radians(0.5))


def test_a_few_edges_that_happen_to_meet_are_not_up() -> None:
    rng, count = np.random.default_rng(0), 3000
    directions, normals = rng.normal(size=(2, count, 3))
    normals = np.cross(directions, normals)
    meeting = count // 30
    normals[:meeting] = np.cross(directions[:meeting], (0.12, -1.0, 0.0))
    directions, normals = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (directions, normals))
    assert find_level(Edges(directions, normals, np.ones(count))) is None
