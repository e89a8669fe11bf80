"""What each edit does to a scene, and what it refuses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from spatialwm.errors import EditError, ShapeError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.color import parse_color
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Scene, SceneObject, edits, flatten

CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)], np.float32)
FACES = np.array([[0, 1, 2], [5, 6, 7]], np.int32)


def cube(object_id, at=(0.0, 0.0, 0.0), size=1.0, **more):
    quats, scales = np.tile([1.0, 0, 0, 0], (8, 1)), np.full((8, 3), 0.01)
    gaussians = Gaussians.from_numpy(CORNERS, quats, scales, np.ones(8), rgb=np.full((8, 3), 0.5))
    return SceneObject(object_id, "cube", gaussians, Pose(at, scale=size), mesh=Mesh(CORNERS, FACES), **more)


@pytest.fixture
def table_and_mug():
    return Scene((cube("table", supported_by="floor"), cube("mug", (0.2, 0.1, 1.0), 0.2, supported_by="table", mass_kg=0.3)))


def place(scene, object_id):
    return scene[object_id].world_from_object.position


def test_moving_a_table_carries_its_mug_unless_told_otherwise(table_and_mug):
    moved = table_and_mug.apply(edits.Move("table", (1.0, 2.0, 0.0)))
    assert place(moved, "mug") == pytest.approx((1.2, 2.1, 1.0))
    assert moved["mug"].supported_by == "table"
    left = table_and_mug.apply(edits.Move("table", (5.0, 0.0, 0.0), carry=False))
    assert place(left, "mug") == pytest.approx((0.2, 0.1, 1.0))
    assert left["mug"].supported_by is None


def test_a_mug_put_on_the_floor_rests_on_the_floor(table_and_mug):
    assert table_and_mug.apply(edits.Move("mug", (3.0, 0.0, -1.0)))["mug"].supported_by == "floor"


def test_what_hangs_on_a_wall_keeps_its_wall():
    scene = Scene((cube("picture", (0.0, 0.0, 1.5), 0.3, supported_by="wall"),))
    assert scene.apply(edits.Move("picture", (0.5, 0.0, 0.0)))["picture"].supported_by == "wall"


def test_turning_is_about_the_middle_and_carries(table_and_mug):
    turned = table_and_mug.apply(edits.Rotate("table", 90.0))
    np.testing.assert_allclose(turned["table"].bounds(), table_and_mug["table"].bounds(), atol=1e-9)
    assert place(turned, "mug") == pytest.approx((-0.1, 0.2, 1.0))
    four = table_and_mug
    for _ in range(4):
        four = four.apply(edits.Rotate("table", 90.0))
    assert place(four, "mug") == pytest.approx(place(table_and_mug, "mug"))


def test_scaling_keeps_the_underside_and_the_mass_follows_the_volume(table_and_mug):
    big = table_and_mug.apply(edits.Scale("mug", 2.0))["mug"]
    np.testing.assert_allclose(big.bounds(), [[0.0, -0.1, 1.0], [0.4, 0.3, 1.4]], atol=1e-7)
    assert big.mass_kg == pytest.approx(0.3 * 8)


def test_scaling_a_table_keeps_its_mug_on_top_and_at_its_size(table_and_mug):
    grown = table_and_mug.apply(edits.Scale("table", 2.0))
    assert place(grown, "mug") == pytest.approx((0.4, 0.2, 2.0))
    np.testing.assert_allclose(np.ptp(grown["mug"].bounds(), axis=0), np.ptp(table_and_mug["mug"].bounds(), axis=0))
    assert grown["mug"].supported_by == "table"


def test_a_duplicate_shares_its_gaussians_and_gets_a_free_id(table_and_mug):
    twice = table_and_mug.apply(edits.Duplicate("mug", (3.0, 0.0, -1.0)))
    assert twice["cube-1"].gaussians is twice["mug"].gaussians
    assert twice["cube-1"].supported_by == "floor"
    with pytest.raises(EditError, match="exists already"):
        twice.apply(edits.Duplicate("mug", new_id="table"))


def test_deleting_a_table_leaves_the_mug_where_it_was(table_and_mug):
    rest = table_and_mug.apply(edits.Delete("table"))
    assert [o.id for o in rest.objects] == ["mug"]
    assert place(rest, "mug") == place(table_and_mug, "mug")
    assert rest["mug"].supported_by is None


def test_recolouring_keeps_light_and_shape():
    body = cube("a")
    shade = torch.linspace(0.2, 1.0, 8)[:, None].expand(8, 3)
    lit = replace(body, gaussians=body.gaussians.with_sh(((shade - 0.5) / 0.28209479177387814)[:, None]), albedo=torch.ones(8, 3))
    red = Scene((lit,)).apply(edits.Recolor("a", "#ff0000"))["a"]
    rgb = red.gaussians.rgb
    assert (rgb[:, 0] >= rgb[:, 1]).all()
    assert (rgb[1:, 0] >= rgb[:-1, 0]).all(), "what was darker stays darker"
    torch.testing.assert_close(rgb[-1], torch.tensor([1.0, 0.0, 0.0]), atol=1e-3, rtol=0)
    assert red.color == "#ff0000"
    assert red.gaussians.means is lit.gaussians.means


def test_recolouring_paints_the_mesh_too_and_an_empty_object_at_least_by_name():
    body = replace(cube("a"), mesh=Mesh(CORNERS, FACES, np.zeros((8, 3), np.float32)))
    mesh = Scene((body,)).apply(edits.Recolor("a", "navy"))["a"].mesh
    assert mesh is not None
    assert mesh.colors is not None
    np.testing.assert_allclose(mesh.colors, np.tile(parse_color("navy"), (8, 1)), rtol=1e-6)
    empty = Scene((SceneObject("none", "nothing", Gaussians.empty()),))
    assert empty.apply(edits.Recolor("none", "navy"))["none"].color == "navy"


def test_deleting_gaussians_takes_their_part_of_mesh_labels_and_colliders(table_and_mug):
    whole = replace(
        table_and_mug["table"], albedo=torch.rand(8, 3), confidence=torch.arange(8) / 8, collider=(Mesh(CORNERS, FACES),)
    )
    mask = torch.arange(8) < 4
    rest = Scene((whole,)).apply(edits.DeleteGaussians("table", mask))["table"]
    assert len(rest.gaussians) == 4
    assert rest.confidence is not None
    assert rest.confidence.tolist() == [0.5, 0.625, 0.75, 0.875]
    assert rest.mesh is not None
    assert rest.mesh.vertices[:, 0].min() == 0.5
    assert rest.collider == (), "a collider of the whole would push where nothing is"
    nothing = Scene((whole,)).apply(edits.DeleteGaussians("table", torch.zeros(8, dtype=torch.bool)))["table"]
    assert nothing.collider is whole.collider


def test_a_part_made_an_object_stands_where_it_was_and_nothing_is_lost_or_doubled():
    turned = replace(cube("pile"), world_from_object=Pose.about_axis((1.0, 2.0, 3.0), 0.7, (4.0, 5.0, 6.0)))
    before = Scene((turned,))
    mask = torch.arange(8) >= 6
    after = before.apply(edits.MakeObject("pile", mask, "bit", "pebble"))
    bit = after["bit"]
    assert (bit.category, bit.mobility, len(bit.gaussians), len(after["pile"].gaussians)) == ("pebble", "rigid", 2, 6)
    assert bit.world_from_object.scale == 1
    assert bit.world_from_object.quat == (1, 0, 0, 0)
    low = flatten(Scene((bit,))).gaussians.bounds()[0]
    assert place(after, "bit")[2] == pytest.approx(float(low[2]), abs=1e-5)
    torch.testing.assert_close(flatten(after).gaussians.means, flatten(before).gaussians.means, atol=1e-5, rtol=0)


def test_grouping_physics_names_and_surroundings_are_set_and_left():
    scene = Scene((cube("a"), cube("b")))
    grouped = scene.apply(edits.Group(("a", "b"), "set"))
    assert [o.group for o in grouped.objects] == ["set", "set"]
    assert grouped.apply(edits.Group(("a",), ""))["a"].group is None
    heavy = scene.apply(edits.SetPhysics("a", mass_kg=2.0, mobility="static"))["a"]
    assert (heavy.mass_kg, heavy.friction, heavy.mobility) == (2.0, 0.6, "static")
    assert scene.apply(edits.Rename("a", " Erna "))["a"].title == "Erna"
    snowy = scene.apply(edits.SetEnvironment(weather="snow")).environment
    assert (snowy.weather, snowy.background) == ("snow", (0.0, 0.0, 0.0))
    poses = (("a", Pose((1.0, 0.0, 0.0))), ("b", Pose((0.0, 0.0, 3.0))))
    put = scene.apply(edits.SetPoses(poses))
    assert [o.supported_by for o in put.objects] == ["floor", None]


MASK = torch.ones(8, dtype=torch.bool)


@pytest.mark.parametrize(
    "edit",
    [
        edits.Move("nobody", (1.0, 0.0, 0.0)),
        edits.Move("a", (math.nan, 0.0, 0.0)),
        edits.Rotate("a", math.inf),
        edits.Rotate("a", 1.0, (0.0, 0.0, 0.0)),
        edits.Scale("a", 0.0),
        edits.Scale("a", -2.0),
        edits.Scale("a", 1e9),
        edits.Duplicate("a", (0.0, math.inf, 0.0)),
        edits.Duplicate("nobody"),
        edits.Delete("nobody"),
        edits.Recolor("a", "sour"),
        edits.Rename("a", " \t"),
        edits.Insert(cube("a")),
        edits.SetPhysics("a", mass_kg=-1.0),
        edits.SetPhysics("a", mass_kg=math.nan),
        edits.SetPhysics("a", friction=-0.1),
        edits.Group((), "set"),
        edits.Group(("a", "nobody"), "set"),
        edits.SetEnvironment(background=(0.0, 2.0, 0.0)),
        edits.SetEnvironment(background=(math.nan, 0.0, 0.0)),
        edits.DeleteGaussians("a", torch.ones(7, dtype=torch.bool)),
        edits.MakeObject("a", MASK, "a"),
        edits.MakeObject("a", ~MASK, "b"),
        edits.SetPoses((("nobody", Pose()),)),
        edits.FixScale((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0),
        edits.FixScale((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), -1.0),
        edits.FixScale((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 1e9),
        edits.InsertAll((cube("b"), cube("a"))),
        edits.InsertAll((cube("b"), cube("b"))),
        edits.Articulate("a", "hinge", (0.0, 0.0, 1.0), (0.0, 1.0)),
        edits.Articulate("a", "slide", (0.0, 0.0, 0.0), (0.0, 1.0)),
        edits.Articulate("a", "slide", (0.0, 0.0, 1.0), (1.0, 0.0)),
        edits.Articulate("a", "slide", (0.0, 0.0, 1.0), (0.0, math.nan)),
        edits.Articulate("a", "slide", (0.0, 0.0, 1.0), (0.0, 1.0), parent="nobody"),
        edits.Articulate("a", "slide", (0.0, 0.0, 1.0), (0.0, 1.0), parent="a"),
        edits.SetJoints((("a", 0.1),)),
        edits.SetJoints((("nobody", 0.1),)),
        edits.SetJoints((("a", math.nan),)),
    ],
    ids=lambda e: f"{e.op}: {e}"[:60],
)
def test_what_does_not_fit_is_refused_and_the_scene_is_as_it_was(edit):
    scene = Scene((cube("a"),))
    before = (scene.objects, scene.environment)
    with pytest.raises(EditError) as caught:
        scene.apply(edit)
    assert "\n" not in str(caught.value)
    assert (scene.objects, scene.environment) == before


def test_an_id_with_blanks_for_a_new_object_is_refused():
    with pytest.raises(ShapeError, match="without blanks"):
        Scene((cube("a"),)).apply(edits.MakeObject("a", torch.arange(8) < 3, "two words"))


def test_every_edit_is_registered_under_its_name_once():
    assert {kind.op: kind for kind in edits.EDITS.values()} == edits.EDITS
    assert len(set(edits.EDITS.values())) == len(edits.EDITS) == 18
