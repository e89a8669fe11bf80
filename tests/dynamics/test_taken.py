"""Things taken out of captured places weigh what things of their size weigh, and say how sure that is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from spatialwm.dynamics.taken import mass_from, with_body
from spatialwm.gaussians import Gaussians
from spatialwm.scene import ScaleSource, Scene, SceneObject
from spatialwm.scene.edits import MakeObject


@pytest.mark.parametrize(
    ("litres", "low", "high"),
    [(0.5, 0.2, 0.6), (1.5, 0.5, 2.0), (35, 3.0, 9.0), (270, 10.0, 40.0), (700, 25.0, 80.0)],
    ids=["mug", "laptop", "chair", "armchair", "fridge"],
)
def test_known_things_weigh_about_what_they_do(litres, low, high):
    assert low <= mass_from(litres / 1000)[0] <= high


def test_a_scale_that_is_not_known_makes_the_mass_less_sure():
    sure, unsure = mass_from(0.1, 0.0)[1], mass_from(0.1, 0.5)[1]
    assert 1.5 < sure < 3.0
    assert unsure == pytest.approx(math.exp(math.hypot(math.log(sure), 1.0)))


def test_two_boxes_of_an_l_weigh_less_than_the_hull_around_them():
    rng = np.random.default_rng(0)
    points = rng.random((12000, 3))
    points = points[~((points[:, 0] > 0.3) & (points[:, 2] > 0.3))]
    n = len(points)
    rigid = Gaussians.from_numpy(points, np.tile([1.0, 0, 0, 0], (n, 1)), np.full((n, 3), 0.01), np.full(n, 0.9), rgb=points)
    scene = Scene((SceneObject("capture-1", "capture", rigid, mobility="static"),), scale=ScaleSource("measured", 0.01))
    mask = torch.ones(n, dtype=torch.bool)
    mask[0] = False
    edit = with_body(scene, MakeObject("capture-1", mask, "seat-1"))
    assert len(edit.collider) > 1
    assert edit.mass_kg is not None
    assert edit.mass_kg == pytest.approx(mass_from(0.51)[0], rel=0.15)  # the hull holds 0.755
    assert f"{edit.mass_kg:g} kg" in edit.note
    assert "within a factor of 2." in edit.note
