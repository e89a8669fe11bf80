"""Of the sizes that a click may mean, the one with the shortest seam is chosen."""

from __future__ import annotations

import numpy as np

from spatialwm.lift.objects.patches import Patches
from spatialwm.lift.objects.point import _seam_m

CELL_M = 0.05
CHAIR = np.arange(60) < 20


def row(contact: float) -> Patches:
    """A chair of 20 by 3 cells and a table of 40 by 3, end to end, that hang together by ``contact`` in each of three bonds."""
    x, y = (a.reshape(-1) for a in np.meshgrid(np.arange(60), np.arange(3), indexing="ij"))
    at = np.arange(180).reshape(60, 3)
    along = np.stack([at[:-1].reshape(-1), at[1:].reshape(-1)], 1)
    across = np.stack([at[:, :-1].reshape(-1), at[:, 1:].reshape(-1)], 1)
    pairs = np.concatenate([along, across])
    bonds = np.where((x[pairs[:, 0]] == 19) & (x[pairs[:, 1]] == 20), contact, 1.0)
    means = np.stack([x, y, 0 * x], 1) * CELL_M
    zeros = np.zeros((180, 3))
    return Patches(means, zeros, zeros, np.ones(180, bool), zeros[:, 0], np.arange(180), pairs, bonds, CELL_M)


def seam(patches: Patches, columns: np.ndarray) -> float:
    return _seam_m(patches, np.repeat(columns, 3))


def test_a_chair_that_touches_a_table_is_chosen_alone_and_whole():
    touching = row(0.2)
    chair = seam(touching, CHAIR)
    assert chair < seam(touching, np.arange(60) < 10)  # half of it
    assert chair < seam(touching, np.ones(60, bool))  # both, which nothing holds


def test_what_hangs_firmly_on_the_rest_is_a_part_of_it():
    grown = row(0.9)
    assert seam(grown, np.ones(60, bool)) < seam(grown, CHAIR)
