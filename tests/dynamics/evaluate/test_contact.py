"""Overlaps of solids whose depth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spatialwm.dynamics.evaluate.contact import Contact, box_piece, cylinder_piece, hulls
from spatialwm.errors import ShapeError


def at(*places: tuple[float, float, float], yaw_rad: float = 0.0) -> np.ndarray:
    turn = [math.cos(yaw_rad / 2), 0, 0, math.sin(yaw_rad / 2)]
    return np.array([[*p, *turn] for p in places])


def test_the_depth_of_two_boxes_is_their_overlap(sliding) -> None:
    cast = sliding([0.0, 0.0]).cast
    contact = Contact(cast, [[box_piece((0.05, 0.05, 0.03))], [box_piece((0.03, 0.03, 0.08))]])
    for gap in (0.02, 0.001):
        assert contact.depth_m(at((0, 0, 0.03), (0.08 + gap, 0, 0.08))) == 0
    for depth in (0.001, 0.004, 0.01):  # no corner of either lies in the other
        assert contact.depth_m(at((0, 0, 0.03), (0.08 - depth, 0, 0.08))) == pytest.approx(depth, abs=1e-6)


def test_round_things_touch_at_the_sum_of_their_radii_from_every_side(sliding) -> None:
    cast = sliding([0.0, 0.0]).cast
    contact = Contact(cast, [[cylinder_piece(0.05, 0.03)], [cylinder_piece(0.03, 0.02)]])
    for angle in np.linspace(0, 2 * math.pi, 7):
        away = 0.08 - 0.003
        depth = contact.depth_m(at((0, 0, 0.03), (away * math.cos(angle), away * math.sin(angle), 0.02)))
        assert depth == pytest.approx(0.003, abs=3e-4)


def test_a_thing_in_the_hollow_of_another_does_not_overlap_with_it(sliding) -> None:
    cast = sliding([0.0, 0.0]).cast
    angle = [box_piece((0.06, 0.01, 0.03)), box_piece((0.01, 0.06, 0.03), (-0.05, 0.05, 0.0))]
    inside = at((0, 0, 0.03), (0.01, 0.05, 0.02))
    assert Contact(cast, [angle, [box_piece((0.02, 0.02, 0.02))]]).depth_m(inside) == 0
    filled = [np.concatenate(angle)]
    assert Contact(cast, [filled, [box_piece((0.02, 0.02, 0.02))]]).depth_m(inside) > 0.01


def test_the_ground_is_solid_unless_there_is_none(sliding) -> None:
    cast = sliding([0.0]).cast
    solid = [[box_piece((0.05, 0.05, 0.03))]]
    assert Contact(cast, solid).depth_m(at((0, 0, 0.028))) == pytest.approx(0.002)
    assert Contact(cast, solid).depth_m(at((0, 0, 0.03))) == pytest.approx(0, abs=1e-12)
    tipped = np.array([[0, 0, 0.03, math.cos(math.pi / 8), math.sin(math.pi / 8), 0, 0]])
    assert Contact(cast, solid).depth_m(tipped) == pytest.approx(math.sqrt(0.5) * 0.08 - 0.03, abs=1e-6)
    assert Contact(cast, solid, ground_m=None).depth_m(at((0, 0, -1))) == 0


def test_hulls_are_taken_from_the_samples_of_each_object(sliding) -> None:
    episode = sliding([0.0, 0.0, 0.0])
    contact = Contact(episode.cast, hulls(episode))
    apart = at((0, 0, 0.03), (0.2, 0, 0.03), (0.4, 0, 0.03))
    assert contact.depth_m(apart) == pytest.approx(0, abs=1e-9)
    apart[1, 0] = 0.35
    assert contact.depth_m(apart) == pytest.approx(0.01, abs=1e-6)
    assert contact.depth_m(apart * [1, 1, 1, 3, 3, 3, 3]) == pytest.approx(0.01, abs=1e-6)


def test_solids_that_are_none_are_refused(sliding) -> None:
    cast = sliding([0.0]).cast
    with pytest.raises(ShapeError, match="solids are of 2 objects; the cast has 1"):
        Contact(cast, [[box_piece((1.0, 1.0, 1.0))]] * 2)
    with pytest.raises(ShapeError, match="a piece is no solid"):
        Contact(cast, [[np.zeros((3, 3))]])
