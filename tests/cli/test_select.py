"""The verb that makes an object of a thing in a captured place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.scene import Scene, SceneObject
from spatialwm.world import World

from .conftest import Run


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A red ball of 36 cm on a grey floor, all one body, in the middle of its first view."""
    rng = np.random.default_rng(0)
    turn, height = np.arange(1200) * 2.399963, np.linspace(-1, 1, 1200)
    ring = np.sqrt(1 - height**2)
    ball = np.stack([ring * np.cos(turn), ring * np.sin(turn), height], 1) * 0.18 + (0.0, 0.0, 0.18)
    floor = np.column_stack([rng.uniform(-2, 2, (6000, 2)), np.zeros(6000)])
    red = np.repeat([[0.7, 0.15, 0.1], [0.5, 0.5, 0.5]], [1200, 6000], axis=0)
    radius = np.repeat([0.014, 0.04], [1200, 6000])[:, None].repeat(3, 1)
    quats = np.tile([1.0, 0, 0, 0], (7200, 1))
    gaussians = Gaussians.from_numpy(np.concatenate([ball, floor]), quats, radius, np.full(7200, 0.95), rgb=red)
    body = SceneObject("capture-1", "capture", gaussians, mobility="static", provenance="measured")
    path = tmp_path / "place.world"
    camera = Camera.look_at((0.0, -2.0, 1.2), (0.0, 0.0, 0.18), 320, 240, 50.0)
    with World.create(path, Scene((body,), spawn=camera)):
        pass
    return path


def test_a_click_makes_an_object_that_undo_gives_back(run: Run, place: Path) -> None:
    before = run("info", place, "--json").stdout
    done = run("select", place, "--at", "160,120", "--size", "320x240", "--name", "the red ball", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["object"], told["gaussians"] > 900, 0.1 < told["mass_kg"] < 10) == ("ball-1", True, True)
    after = json.loads(run("info", place, "--json").stdout)
    ball = next(o for o in after["objects"] if o["id"] == "ball-1")
    assert ball["supported_by"] in ("floor", "capture-1")  # nothing else is left of the capture than its floor
    assert after["revision"] == told["revision"]
    again = run("select", place, "--at", "160,120", "--size", "320x240", "--json")
    assert json.loads(again.stdout) | {"gaussians": 0, "mass_kg": 0} == told | {"gaussians": 0, "mass_kg": 0}
    assert run("history", place, "undo").returncode == 0
    assert run("info", place, "--json").stdout == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--at", "160"), "a place is --at X,Y"),
        (("--box", "1,2,3"), "a box is --box X0,Y0,X1,Y1"),
        ((), "nothing is pointed at"),
        (("--at", "9000,1"), "outside the picture"),
        (("--at", "20,220"), "no thing stands out"),
    ],
)
def test_pointing_wrongly_is_said_and_changes_nothing(run: Run, place: Path, words: tuple[str, ...], message: str) -> None:
    before = run("info", place, "--json").stdout
    done = run("select", place, *words, "--size", "320x240")
    assert done.returncode == 1
    assert message in done.stderr
    assert run("info", place, "--json").stdout == before
