"""The way round things touches none of them."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.dynamics.planning import quasistatic
from spatialwm.dynamics.planning.approach import MARGIN_M, FreeSpace, paced


def around(toy, start: tuple[float, float], *states: tuple[float, float, float]) -> FreeSpace:
    poses = toy.situation(toy.cast(*(toy.block() for _ in states)), *states).past.poses[-1]
    sliders = [quasistatic.slider_of(toy.block(), p) for p in poses]
    return FreeSpace(np.array([-0.3, -0.3]), np.array([0.3, 0.3]), toy.radius_m, sliders, np.array(start))


def test_straight_where_nothing_is_in_the_way(toy):
    free = around(toy, (-0.2, -0.2), (0, 0.1, 0))
    assert np.allclose(free.way_to(np.array([0.2, -0.2])), [[-0.2, -0.2], [0.2, -0.2]])


@pytest.mark.parametrize("yaw", [0.0, 0.7, 1.5])
def test_way_behind_an_object_leads_round_it(toy, yaw):
    free = around(toy, (-0.2, 0.01), (0, 0, yaw), (0.05, 0.15, 0))
    way = paced(free.way_to(np.array([0.15, 0.0])), 0.005)
    assert free.gap(way).min() > 0.5 * MARGIN_M
    assert way[-1] == pytest.approx([0.15, 0.0])
    assert np.linalg.norm(np.diff(way, axis=0), axis=1).max() <= 0.005 + 1e-9
    assert 0.35 < 0.005 * len(way) < 0.6


def test_way_leaves_the_object_that_was_just_pushed(toy):
    free = around(toy, (-0.0695, 0.0), (0, 0, 0))  # half a millimetre into the face
    assert free.reachable(np.array([[0.0, 0.1], [0.1, 0.0]])).all()
    way = paced(free.way_to(np.array([0.1, 0.0])), 0.005)
    assert free.gap(way).min() > -0.004


def test_retreat_follows_the_way_back_out_of_a_hollow(toy):
    free = around(toy, (0.0, 0.0), (0, 0, 0))
    back = np.linspace([0.0, 0.0], [0.0, -0.15], 16)
    away = free.retreated(back)
    assert away.gap(away.start[None])[0] > MARGIN_M
    way = paced(away.way_to(np.array([0.0, 0.2])), 0.005)
    assert np.abs(way[way[:, 1] < 0][:6, 0]).max() < 1e-9
    assert free.retreated(np.zeros((3, 2))) is free


def test_places_on_or_behind_things_and_beyond_the_range_are_not_reachable(toy):
    ring = [(0.1 * np.cos(a), 0.1 * np.sin(a), a + np.pi / 2) for a in np.linspace(0, 2 * np.pi, 8, endpoint=False)]
    free = around(toy, (-0.25, -0.25), *ring)
    assert free.reachable(np.array([[0.0, 0.0], [0.1, 0.0], [0.31, 0.0], [0.25, 0.25]])).tolist() == [False, False, False, True]


def test_way_of_no_length_has_no_steps():
    assert paced(np.zeros((2, 2)), 0.01).shape == (0, 2)
