"""Things in a place that was captured as one: found by click, box and words, taken out, and the hole closed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from spatialwm import studio
from spatialwm.errors import LiftError
from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.lift.objects import Click, Found, Prompt, find, take
from spatialwm.lift.objects.sight import Sight, look
from spatialwm.render import render_scene
from spatialwm.scene import Scene, SceneObject, edits
from spatialwm.scene.edits import Edit
from spatialwm.world import World

FLOOR, WALL, CRATE, BALL = range(4)
CAMERA = Camera.look_at((0.4, -3.2, 1.5), (0.0, 0.3, 0.3), 480, 360, 55.0)


def sheet(normal: int, at: float, low: tuple[float, float], high: tuple[float, float], step: float) -> np.ndarray:
    u, v = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))
    return np.insert(np.stack([u.reshape(-1), v.reshape(-1)], 1), normal, at, axis=1)


@pytest.fixture(scope="module")
def place() -> tuple[Scene, np.ndarray]:
    """A floor and a wall with a crate against it and a ball before it, all one body; nothing where nobody could see."""
    crate = np.concatenate([
        sheet(0, -0.7, (0.5, 0.0), (1.1, 0.5), 0.02), sheet(0, 0.0, (0.5, 0.0), (1.1, 0.5), 0.02),
        sheet(1, 0.5, (-0.7, 0.0), (0.0, 0.5), 0.02), sheet(2, 0.5, (-0.7, 0.5), (0.0, 1.1), 0.02),
    ])  # fmt: skip
    turn, height = np.arange(1500) * 2.399963, np.linspace(-1, 1, 1500)
    ring = np.sqrt(1 - height**2)
    ball = np.stack([ring * np.cos(turn), ring * np.sin(turn), height], 1) * 0.18 + (0.6, 0.0, 0.18)
    floor, wall = sheet(2, 0.0, (-2.0, -2.0), (2.0, 1.2), 0.04), sheet(1, 1.2, (-2.0, 0.0), (2.0, 2.0), 0.04)
    floor = floor[~((np.abs(floor[:, 0] + 0.35) < 0.33) & (np.abs(floor[:, 1] - 0.85) < 0.33))]
    wall = wall[~((np.abs(wall[:, 0] + 0.35) < 0.33) & (wall[:, 2] < 0.45))]
    parts = (floor, wall, crate, ball)
    of = np.repeat(range(4), [len(p) for p in parts])
    means = np.concatenate(parts)
    color = np.array([[0.55, 0.4, 0.25], [0.75, 0.75, 0.7], [0.2, 0.35, 0.6], [0.7, 0.15, 0.1]])[of]
    color[of == FLOOR] *= np.where(np.floor(means[of == FLOOR, :1] / 0.2) % 2 == 0, 1.0, 0.8)
    n = len(means)
    radius = np.array([0.03, 0.03, 0.014, 0.014])[of]
    gaussians = Gaussians.from_numpy(
        means, np.tile([1.0, 0, 0, 0], (n, 1)), np.repeat(radius[:, None], 3, 1), np.full(n, 0.95), rgb=color
    )
    body = SceneObject("capture-1", "capture", gaussians, mobility="static", supported_by="floor", provenance="measured")
    return Scene((body,), spawn=CAMERA), of


@pytest.fixture(scope="module")
def sight(place) -> Sight:
    return look(place[0].objects[0].gaussians, CAMERA)


def seen(sight: Sight, of: np.ndarray, what: int) -> np.ndarray:
    return np.append(of, -1)[sight.row] == what


def box_of(mask: np.ndarray) -> tuple[float, float, float, float]:
    v, u = np.nonzero(mask)
    return float(u.min()), float(v.min()), float(u.max() + 1), float(v.max() + 1)


def iou(mask: torch.Tensor, true: np.ndarray) -> float:
    return float((mask.numpy() & true).sum() / (mask.numpy() | true).sum())


@pytest.mark.parametrize("what", [CRATE, BALL])
def test_a_box_means_the_thing_in_it(place, sight, what):
    scene, of = place
    found = find(scene, CAMERA, Prompt(box=box_of(seen(sight, of, what))))
    assert (found.source, found.whole, found.method) == ("capture-1", False, "geometry")
    assert iou(found.mask, of == what) > 0.9
    assert found.picture.any()


@pytest.mark.parametrize("what", [CRATE, BALL])
def test_one_click_means_the_thing_under_it(place, sight, what):
    scene, of = place
    v, u = np.argwhere(seen(sight, of, what)).mean(0)
    assert iou(find(scene, CAMERA, Prompt(clicks=(Click(u, v),))).mask, of == what) > 0.9


def test_clicks_add_and_take_away(place, sight):
    scene, of = place
    spots = [np.argwhere(seen(sight, of, what)).mean(0) for what in (CRATE, BALL)]
    crate, ball = (Click(u, v) for v, u in spots)
    assert iou(find(scene, CAMERA, Prompt(clicks=(crate, ball))).mask, of >= CRATE) > 0.9
    both = box_of(seen(sight, of, CRATE) | seen(sight, of, BALL))
    less = find(scene, CAMERA, Prompt(clicks=(Click(ball.x, ball.y, add=False),), box=both))
    assert (less.mask.numpy() & (of == BALL)).sum() < 0.2 * (of == BALL).sum()


def test_a_model_that_outlines_and_one_that_reads_are_followed(place, sight):
    scene, of = place
    box = box_of(seen(sight, of, BALL))
    asked: list[str] = []

    def words(rgb: np.ndarray, text: str) -> list[SimpleNamespace]:
        asked.append(text)
        assert rgb.shape == (360, 480, 3)
        return [SimpleNamespace(box=box)] if text == "the ball" else []

    def masks(rgb: np.ndarray, points: list, box: tuple) -> np.ndarray:
        return rgb[..., 0] > 2 * rgb[..., 2].astype(int) + 40

    found = find(scene, CAMERA, Prompt(words="the ball"), words=words, masks=masks)
    assert iou(found.mask, of == BALL) > 0.9
    assert (found.method, asked) == ("masks", ["the ball"])
    with pytest.raises(LiftError, match="'a cat' is not seen from here"):
        find(scene, CAMERA, Prompt(words="a cat"), words=words)
    with pytest.raises(LiftError, match="nothing here reads words"):
        find(scene, CAMERA, Prompt(words="a cat"))


def test_what_hides_behind_a_thing_is_invented_in_one_step_that_undo_takes_back(place, sight, tmp_path: Path):
    scene, of = place
    prompt = Prompt(box=box_of(seen(sight, of, CRATE)))
    with World.create(tmp_path / "place.world", scene) as world:
        crate = studio.select(world, CAMERA, prompt, name="crate")
        taken = world.scene()
        assert crate == "crate-1"
        assert taken[crate].collider
        assert taken[crate].supported_by == "floor"
        assert taken[crate].mass_kg is not None
        assert any("estimated from a volume" in note for note in taken.notes)
        fill = taken["fill-1"]
        assert (fill.provenance, fill.role) == ("invented", "structure")
        assert fill.confidence is not None
        assert float(fill.confidence.max()) < 0.5
        world.apply(edits.Move(crate, (0.0, -0.5, 0.0)))
        assert world.replay().same_as(world.scene())
        # Looked at from the other side, floor and wall are whole where the crate stood.
        above = Camera.look_at((-0.35, 0.0, 2.0), (-0.35, 0.95, 0.05), 200, 150, 22.0)
        world.apply(edits.Delete(crate))
        closed = render_scene(world.scene(), above)
        torn = render_scene(world.scene().without("fill-1"), above)
        assert (torn.alpha < 0.9).mean() > 0.1
        assert (closed.alpha < 0.9).mean() < 0.005
        for _ in range(3):
            world.undo()
        assert world.scene().same_as(scene)


def test_a_thing_of_its_own_is_answered_with_its_name(place, sight):
    scene, of = place
    edit: Edit = take(scene, CAMERA, find(scene, CAMERA, Prompt(box=box_of(seen(sight, of, BALL)))), "the red ball")
    after = scene.apply(edit)
    assert (after["ball-1"].category, after["ball-1"].name) == ("ball", "red ball")
    v, u = np.argwhere(seen(sight, of, BALL)).mean(0)
    again = find(after, CAMERA, Prompt(clicks=(Click(u, v),)))
    assert (again.source, again.whole) == ("ball-1", True)
    with pytest.raises(LiftError, match="ball-1 is an object already"):
        take(after, CAMERA, again)


@pytest.mark.parametrize(
    ("foot", "support"), [((-0.35, 0.8, 0.5), "capture-1"), ((-0.35, 0.8, 0.7), None), ((0.6, 0.0, 0.0), "floor")]
)
def test_a_thing_stands_on_what_shows_around_its_foot(place, foot, support):
    scene, of = place
    body, ball = scene.objects[0], torch.from_numpy(of == BALL)
    means = body.gaussians.means.clone()
    means[ball] += torch.tensor(foot, dtype=means.dtype) - torch.tensor((0.6, 0.0, 0.0), dtype=means.dtype)
    moved = scene.with_objects([replace(body, gaussians=replace(body.gaussians, means=means))])
    picture = seen(look(moved.objects[0].gaussians, CAMERA), of, BALL)
    edit = take(moved, CAMERA, Found("capture-1", ball, False, picture), "ball")
    assert moved.apply(edit)["ball-1"].supported_by == support


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (lambda: Prompt(), "nothing is pointed at"),
        (lambda: Prompt(box=(5, 5, 6, 5)), "at least two pixels"),
        (lambda: Prompt(clicks=(Click(float("nan"), 0),)), "finite pixels"),
        (lambda: Prompt(clicks=(Click(900, 10),)), "outside the picture of 480x360"),
        (lambda: Prompt(box=(900, 10, 950, 60)), "outside the picture"),
        (lambda: Prompt(clicks=(Click(30, 350),)), "no thing stands out"),
        (lambda: Prompt(clicks=(Click(380, 100),)), "no thing stands out"),
    ],
)
def test_pointing_at_nothing_is_said(place, prompt, message):
    with pytest.raises(LiftError, match=message):
        find(place[0], CAMERA, prompt())
