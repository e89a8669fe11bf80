"""Scenes hold together: unique ids, exact comparison, sharing, and descriptions in the published form."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.errors import EditError, ShapeError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, SceneObject, describe, flatten
from spatialwm.scene.support import carried_by, resting_on

CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)], np.float32)
FACES = np.array([[0, 1, 2], [5, 6, 7]], np.int32)


def cube(object_id, at=(0.0, 0.0, 0.0), size=1.0, **more):
    """A unit cube with its origin under its middle, as eight Gaussians with an exact mesh."""
    quats, scales = np.tile([1.0, 0, 0, 0], (8, 1)), np.full((8, 3), 0.01)
    gaussians = Gaussians.from_numpy(CORNERS, quats, scales, np.ones(8), rgb=np.full((8, 3), 0.5))
    return SceneObject(object_id, "cube", gaussians, Pose(at, scale=size), mesh=Mesh(CORNERS, FACES), **more)


def test_ids_are_unique_and_unknown_ones_are_answered_with_the_known():
    with pytest.raises(ShapeError, match="share the id 'a'"):
        Scene((cube("a"), cube("a")))
    with pytest.raises(EditError, match="no object 'c' in this scene; there are: a, b"):
        Scene((cube("a"), cube("b"), cube("wall-1", role="structure")))["c"]
    with pytest.raises(EditError, match="there are: none"):
        Scene()["c"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "a b"), ("id", ""), ("mass_kg", 0.0), ("mass_kg", math.inf), ("friction", -1.0), ("albedo", torch.zeros(7, 3))],
)
def test_an_object_with_an_impossible_field_is_refused_by_name(field, value):
    with pytest.raises((ShapeError, TypeError), match=field):
        replace(cube("a"), **{field: value})


def test_comparison_is_bit_for_bit():
    a = cube("a")
    same = replace(a, gaussians=replace(a.gaussians, means=a.gaussians.means.clone()), mesh=Mesh(CORNERS.copy(), FACES))
    assert Scene((a,)).same_as(Scene((same,)))
    nudged = a.gaussians.means.clone()
    nudged[0, 0] = torch.nextafter(nudged[0, 0], torch.tensor(1.0))
    negative = torch.where(a.gaussians.means == 0, -0.0, a.gaussians.means)
    for other in (
        replace(a, gaussians=replace(a.gaussians, means=nudged)),
        replace(a, gaussians=replace(a.gaussians, means=negative)),
        replace(a, gaussians=a.gaussians.to(dtype=torch.float64)),
        replace(a, world_from_object=Pose((-0.0, 0.0, 0.0))),
        replace(a, collider=(Mesh(CORNERS, FACES),)),
        replace(a, confidence=torch.ones(8)),
        replace(a, labels=("box",)),
    ):
        assert not a.same_as(other)
        assert not Scene((a,)).same_as(Scene((other,)))
    assert not Scene((a,)).same_as(Scene((a,), prompt="a"))
    assert not Scene((a,)).same_as(Scene((a, cube("b"))))


def test_a_scene_that_holds_nan_equals_itself():
    a, b = (cube("a"), cube("a"))
    for o in (a, b):
        o.gaussians.sh[0] = math.nan
    assert a.same_as(b)


def test_replacing_keeps_order_and_shares_the_rest():
    a, b, c = cube("a"), cube("b"), cube("c")
    changed = Scene((a, b, c)).with_objects([replace(b, name="B"), cube("d")])
    assert [o.id for o in changed.objects] == ["a", "b", "c", "d"]
    assert changed["a"] is a
    assert changed["b"].name == "B"
    assert [o.id for o in changed.without("a").objects] == ["b", "c", "d"]


def test_new_ids_fill_the_lowest_gap():
    scene = Scene((cube("coffee-cup-1"), cube("coffee-cup-3")))
    assert scene.new_id("Coffee Cup") == "coffee-cup-2"
    assert scene.new_id("") == "object-1"


def test_bounds_follow_the_pose_and_leave_out_the_backdrop_and_faint_gaussians():
    scene = Scene((cube("a", (2.0, 0.0, 0.0), 2.0), cube("sky", (0.0, 0.0, 500.0), 900.0, role="backdrop")))
    np.testing.assert_allclose(scene.bounds(), [[1, -1, 0], [3, 1, 2]])
    a = replace(cube("a"), mesh=None)
    faint = replace(a.gaussians, opacities=torch.tensor([1.0] * 4 + [0.01] * 4))
    assert replace(a, gaussians=faint).bounds()[1, 0] == -0.5
    np.testing.assert_array_equal(Scene().bounds(), np.zeros((2, 3)))


def test_flattening_puts_everything_in_the_world_and_knows_whose_it_is():
    scene = Scene((cube("a", (2.0, 0.0, 0.0)), SceneObject("none", "nothing", Gaussians.empty()), cube("b")))
    flat = flatten(scene)
    assert (len(flat.gaussians), flat.object_ids) == (16, ("a", "none", "b"))
    assert flat.owner.tolist() == [0] * 8 + [2] * 8
    torch.testing.assert_close(flat.gaussians.means[:8], torch.from_numpy(CORNERS) + torch.tensor([2.0, 0, 0]))
    assert len(flatten(Scene()).gaussians) == 0


def test_things_rest_on_the_highest_top_below_them_that_carries_enough():
    table, mug = cube("table"), cube("mug", (0.2, 0.0, 1.0), 0.2)
    edge, air = cube("edge", (0.6, 0.0, 1.0), 0.2), cube("air", (0.0, 0.0, 1.5), 0.2)
    scene = Scene((table, cube("box", (3.0, 0.0, 0.0)), mug, edge, air))
    assert resting_on(scene, mug) == "table"
    assert resting_on(scene, table) == "floor"
    assert resting_on(scene, edge) is None, "no footprint over the table"
    assert resting_on(scene, air) is None


def test_a_stack_is_carried_from_its_foot_and_a_ring_of_supports_ends():
    scene = Scene((cube("a", supported_by="c"), cube("b", supported_by="a"), cube("c", supported_by="b")))
    assert carried_by(scene, "a") == ("b", "c")
    assert carried_by(scene, "nobody") == ()


def test_a_description_is_plain_json_in_metres():
    mug = cube("mug-1", (0.0, 0.0, 0.5), front=(1.0, 0.0), provenance="measured")
    scene = Scene((mug, cube("floor-1", role="structure")), prompt="x")
    told = json.loads(json.dumps(describe(scene)))
    assert (told["units"], told["up"], told["prompt"], told["gaussians"]) == ("m", "+Z", "x", 16)
    assert told["structure"] == ["floor-1"]
    (entry,) = told["objects"]
    assert entry["aabb"] == [[-0.5, -0.5, 0.5], [0.5, 0.5, 1.5]]
    assert (entry["front"], entry["provenance"]) == ([1, 0], "stated")
    assert json.dumps(describe(Scene()))
