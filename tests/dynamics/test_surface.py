"""Samples lie on the surface, spread by area, and point outwards."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from spatialwm.dynamics.surface import area_of, samples_of

SHAPES = """<mujoco><asset><mesh name="tetra" vertex="0 0 0 1 0 0 0 1 0 0 0 1"/></asset><worldbody>
<geom type="box" size="0.1 0.2 0.3"/><geom type="sphere" size="0.2"/><geom type="capsule" size="0.1 0.3"/>
<geom type="cylinder" size="0.1 0.3"/><geom type="ellipsoid" size="0.1 0.1 0.1"/><geom type="mesh" mesh="tetra"/>
<geom type="plane" size="0 0 1"/></worldbody></mujoco>"""
MODEL = mujoco.MjModel.from_xml_string(SHAPES)  # pyright: ignore[reportAttributeAccessIssue]
AREAS = [0.88, 4 * np.pi * 0.04, 4 * np.pi * 0.04, 2 * np.pi * 0.07, 4 * np.pi * 0.01, 1.5 + np.sqrt(3) / 2, 0.0]


@pytest.mark.parametrize("geom", range(7))
def test_areas_are_those_of_the_textbook(geom: int) -> None:
    assert area_of(MODEL, geom) == pytest.approx(AREAS[geom], rel=1e-5)


@pytest.mark.parametrize("geom", range(6))
def test_samples_lie_on_the_surface_and_normals_point_out_of_it(geom: int) -> None:
    samples = samples_of(MODEL, geom, 400)
    middle = samples.points.mean(0)
    assert np.allclose(np.linalg.norm(samples.normals, axis=1), 1)
    assert (((samples.points - middle) * samples.normals).sum(1) > 0).all()
    if geom == 0:
        assert np.isclose(np.abs(samples.points) / (0.1, 0.2, 0.3), 1).any(1).all()
    if geom in (1, 4):
        assert np.allclose(np.linalg.norm(samples.points, axis=1), 0.2 if geom == 1 else 0.1)
    if geom == 2:
        nearest = np.clip(samples.points[:, 2], -0.3, 0.3)
        off_axis = samples.points - np.c_[np.zeros((400, 2)), nearest]
        assert np.allclose(np.linalg.norm(off_axis, axis=1), 0.1)


def test_samples_are_spread_by_area() -> None:
    points = samples_of(MODEL, 0, 4000).points
    ends = np.isclose(np.abs(points[:, 2]), 0.3).mean()
    assert ends == pytest.approx(8 * 0.1 * 0.2 / 0.88, abs=0.01)
    octants = np.unique(points > 0, axis=0, return_counts=True)[1]
    assert octants == pytest.approx(np.full(8, 500), rel=0.1)


def test_the_same_samples_come_every_time_and_a_plane_has_none() -> None:
    assert np.array_equal(samples_of(MODEL, 5, 50).points, samples_of(MODEL, 5, 50).points)
    assert len(samples_of(MODEL, 6, 50).points) == 0
