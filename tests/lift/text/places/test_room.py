"""A furnished room: covered, lit, deterministic, and every object usable on its own."""

import math

import numpy as np
import pytest

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.color import LUMINANCE
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.assemble import Placed, assemble
from spatialwm.lift.text.graph import Item, SceneGraph
from spatialwm.lift.text.kinds import KINDS
from spatialwm.lift.text.model import Surfels
from spatialwm.lift.text.places.outlook import outlook_of
from spatialwm.lift.text.places.room import room
from spatialwm.lift.text.places.styles import STYLES, finished, style_of
from spatialwm.render import render_scene
from spatialwm.scene import Scene

THINGS = (
    (Item(key="sofa-1", kind="sofa", noun="sofa", color="red", material="leather"), (-0.2, 1.7, 0.0), 0, "floor"),
    (Item(key="coffee-table-1", kind="coffee table", noun="coffee table"), (-0.2, 0.3, 0.0), 0, "floor"),
    (Item(key="mug-1", kind="mug", noun="mug", color="blue"), (-0.2, 0.3, 0.43), 30, "coffee-table-1"),
    (Item(key="picture-1", kind="picture", noun="painting"), (-0.2, 2.18, 1.4), 0, "wall"),
)


def furnished(time: str | None = None, lamp: bool = False, seed: int = 0) -> Scene:
    things = THINGS
    if lamp:
        things = (*things, (Item(key="lamp-1", kind="floor lamp", noun="lamp"), (1.7, 1.6, 0.0), 0, "floor"))
    graph = SceneGraph(prompt="p", family="indoor", place="living room", items=tuple(t[0] for t in things), time=time)
    placed = [
        Placed(
            item=i, model=KINDS[i.kind].build(i, np.random.default_rng(1)), supported_by=s,
            world_from_object=Pose.about_axis((0.0, 0.0, 1.0), math.radians(a), p),
        )
        for i, p, a, s in things
    ]  # fmt: skip
    return assemble(graph, placed, room(graph, (5.0, 4.4, 2.6)), "draft", seed)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return furnished("dusk", lamp=True)


VIEWS = {
    "north wall": ((0.5, -1.8, 1.5), (0.0, 2.2, 1.2)), "floor": ((0.5, -1.8, 1.5), (0.6, 0.0, 0.0)),
    "east wall": ((-1.5, -0.5, 1.5), (2.5, -0.5, 1.2)), "ceiling": ((0.0, -1.5, 1.2), (0.5, 1.0, 2.6)),
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_inside_the_room_has_holes(scene: Scene, view: str) -> None:
    frame = render_scene(scene, Camera.look_at(*VIEWS[view], 320, 200, 60.0))
    assert frame.alpha.min() > 0.9
    assert frame.alpha.mean() > 0.99


def test_nothing_is_nan_and_nothing_is_black(scene: Scene) -> None:
    for o in scene.objects:
        o.gaussians.check_finite(o.id)
        luminance = o.gaussians.rgb.numpy() @ LUMINANCE
        assert luminance.mean() > 0.02, o.id
        assert o.gaussians.rgb.min() > -1.5, o.id
        assert o.gaussians.rgb.max() < 2.5, o.id


def test_objects_carry_what_physics_and_editing_need(scene: Scene) -> None:
    for key in ("sofa-1", "coffee-table-1", "mug-1", "picture-1"):
        o = scene[key]
        assert o.mesh is not None
        assert o.mesh.colors is not None
        assert 0 < len(o.mesh.faces) <= 20_880
        assert 1 <= len(o.collider) <= 24
        assert o.mass_kg is not None
        assert o.albedo is not None
        assert o.mobility == "rigid"
        assert np.abs(o.gaussians.bounds() - o.mesh.bounds()).max() < 0.06
    assert scene["mug-1"].supported_by == "coffee-table-1"
    assert scene["sofa-1"].material == "leather"
    assert scene["sofa-1"].front == (0.0, -1.0)
    assert {o.role for o in scene.objects} == {"object", "structure", "backdrop"}
    assert all(scene[f"wall-{side}"].collider for side in ("north", "south", "east", "west"))
    assert scene["floor"].bounds()[1, 2] == pytest.approx(0, abs=1e-6)


def test_the_red_sofa_is_red_in_its_albedo_and_under_light(scene: Scene) -> None:
    sofa = scene["sofa-1"]
    assert sofa.albedo is not None
    for colors in (sofa.albedo.numpy(), sofa.gaussians.rgb.numpy()):
        r, g, b = colors.mean(0)
        assert r > 1.6 * g
        assert r > 1.6 * b


def test_light_makes_a_difference_between_lamp_side_and_far_side(scene: Scene) -> None:
    wall = scene["wall-north"].gaussians
    luminance, x = wall.rgb.numpy() @ LUMINANCE, wall.means[:, 0].numpy()
    assert luminance[x > 1.2].mean() > 1.2 * luminance[x < -1.2].mean()


def test_the_first_view_stands_in_the_room_and_shows_what_was_asked_for(scene: Scene) -> None:
    assert scene.spawn is not None
    assert scene.environment.room is not None
    low, high = scene.environment.room
    assert all(a < e < b for a, e, b in zip(low, scene.spawn.eye, high, strict=True))
    frame = render_scene(scene, scene.spawn.resized(480, 270))
    for key, pixels in (("sofa-1", 3000), ("coffee-table-1", 800), ("picture-1", 200), ("mug-1", 8)):
        assert frame.mask_of(key).sum() > pixels, key


def test_the_same_seed_gives_the_same_scene_bit_for_bit() -> None:
    assert furnished("night").same_as(furnished("night"))


def test_a_room_without_lamp_or_day_is_still_lit() -> None:
    night = furnished("night")
    frame = render_scene(night, Camera.look_at((0.5, -1.8, 1.5), (0.0, 2.2, 0.9), 240, 150, 65.0))
    assert 0.08 < float((frame.rgb @ LUMINANCE).mean()) < 0.7


def test_hours_differ_and_unstated_ones_flatter() -> None:
    assert outlook_of(None, None, lamps=True) == outlook_of("sunset", None, lamps=False)
    assert outlook_of("noon", None, lamps=False).sun is not None
    assert outlook_of("noon", "overcast", lamps=False).sun is None
    assert outlook_of("night", None, lamps=False).stars


@pytest.mark.parametrize("name", sorted(STYLES))
def test_every_style_of_room_can_be_built(name: str) -> None:
    place = room(SceneGraph(prompt="p", family="indoor", place=name))
    assert style_of(name) is STYLES[name]
    assert {p.category for p in place.pieces} >= {"floor", "wall", "ceiling"}
    assert place.shell.indoor
    for p in (part for piece in place.pieces for part in piece.parts):
        v = p.solid.vertices[:50]
        seen = p.material(Surfels(p.solid.texture[:50], v, np.tile([1.0, 0.0, 0.0], (len(v), 1))))
        assert np.isfinite(seen.albedo).all(), p.name


def test_absent_windows_and_doors_stay_away() -> None:
    place = room(SceneGraph(prompt="p", family="indoor", place="living room", absent=("window", "door")))
    assert not {"window", "door", "view"} & {p.id for p in place.pieces}
    assert place.lights == ()
    assert place.ceiling_lamp
    assert place.shell.openings == ()


@pytest.mark.parametrize(
    ("wish", "attribute", "value"),
    [
        (("wall", "brick"), "wall_finish", "bricks"), (("walls", "blue"), "wall", "blue"),
        (("floor", "marble"), "floor_finish", "tiles"),
        (("floor", "oak"), "floor", "oak"), (("floor", "carpet"), "floor_finish", "carpet"),
    ],
)  # fmt: skip
def test_wishes_about_walls_and_floors_are_honoured(wish: tuple[str, str], attribute: str, value: str) -> None:
    assert getattr(finished(STYLES["living room"], (wish,)), attribute) == value
    graph = SceneGraph(prompt="p", family="indoor", place="living room", finishes=(wish,))
    assert room(graph).pieces


def test_a_stated_window_is_the_window_of_the_room() -> None:
    item = Item(key="window-1", kind="window", noun="window", color="green")
    plain = SceneGraph(prompt="p", family="indoor", place="living room")
    asked = SceneGraph(prompt="p", family="indoor", place="living room", items=(item,))
    without, place = room(plain, (5.0, 4.4, 2.6)), room(asked, (5.0, 4.4, 2.6))
    model, pose = place.fitted["window-1"]
    assert place.shell.openings == without.shell.openings
    assert "window" in {p.id for p in without.pieces}
    assert "window" not in {p.id for p in place.pieces}
    assert model.color == "green"
    corners = pose.apply(model.bounds())
    opening = next(o for o in place.shell.openings if o.kind == "window")
    assert np.isclose(corners[:, 1].mean(), sum(opening.along) / 2)
    assert np.allclose(pose.rotate(np.array([0.0, -1.0, 0.0])), (1.0, 0.0, 0.0))
