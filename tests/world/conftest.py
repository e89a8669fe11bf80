"""Small scenes with every kind of content, random edits of every kind, and a comparison that misses no bit."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from spatialwm.gaussians import Gaussians
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.mesh import Mesh
from spatialwm.geometry.se3 import Pose
from spatialwm.scene import Drive, Environment, Inertia, Joint, ScaleSource, Scene, SceneObject, edits
from spatialwm.world import World


def fingerprint(value: Any) -> Any:
    """Everything about a value down to the bits of each number, as something that compares with ``==``."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, float):
        return struct.pack("<d", value)
    if is_dataclass(value):
        return {f.name: fingerprint(getattr(value, f.name)) for f in fields(value)}
    return tuple(map(fingerprint, value)) if isinstance(value, tuple) else value


def make_gaussians(rng: np.random.Generator, n: int, sh_degree: int = 0) -> Gaussians:
    quats = rng.normal(size=(n, 4))
    return Gaussians.from_numpy(
        rng.normal(size=(n, 3)) * 0.2, quats / np.linalg.norm(quats, axis=1, keepdims=True), rng.uniform(0.001, 0.05, (n, 3)),
        rng.uniform(0, 1, n), sh=rng.normal(size=(n, (sh_degree + 1) ** 2, 3)),
    )  # fmt: skip


def make_object(rng: np.random.Generator, object_id: str, n: int = 24) -> SceneObject:
    """An object whose optional parts are each there half of the time."""

    def perhaps(value: Any, otherwise: Any = None) -> Any:
        return value if rng.random() < 0.5 else otherwise

    mesh = Mesh(rng.normal(size=(9, 3)) * 0.3, rng.integers(0, 9, (6, 3)), perhaps(rng.random((9, 3))))
    x, y, z = rng.uniform(-3, 3, 3)
    return SceneObject(
        object_id, "mug", make_gaussians(rng, n, int(rng.integers(0, 3))), Pose((x, y, z), tuple(rng.normal(size=4)), 1.1),
        name=perhaps("große Tasse ☕", ""), labels=perhaps(("cup", "Häferl"), ()), color=perhaps("dark red"),
        material=perhaps("clay"),
        mass_kg=perhaps(float(rng.uniform(0.1, 3))), mesh=perhaps(mesh), collider=perhaps((mesh, mesh), ()),
        supported_by=perhaps("floor"), front=perhaps((0.6, 0.8)), group=perhaps("set"),
        albedo=perhaps(torch.rand(n, 3, generator=torch.Generator().manual_seed(n))),
        confidence=perhaps(torch.linspace(0, 1, n)),
        inertia=perhaps(Inertia((0.1, -0.2, 1 / 3), (0.1, 0.12, 0.2), (0.8, 0.0, 0.6, 0.0))),
        **perhaps({"mobility": "articulated", "joint": make_joint(rng)}, {}),
    )  # fmt: skip


def make_joint(rng: np.random.Generator) -> Joint:
    """A joint of the place, of any kind."""
    kind = "slide" if rng.random() < 0.5 else "hinge"
    range_ = None if rng.random() < 0.3 else (float(rng.uniform(-3, 0)), float(rng.uniform(0.1, 3)))
    drive = None if rng.random() < 0.5 else Drive(float(rng.uniform(1, 900)), 0.7, None if rng.random() < 0.5 else 2.94)
    x, y, z, *origin = (float(v) for v in rng.normal(size=6))
    return Joint(kind, (x, y, z), range_, (origin[0], origin[1], origin[2]), name="Scharnier ü", drive=drive)


def make_scene(seed: int = 0, objects: int = 6) -> Scene:
    rng = np.random.default_rng(seed)
    things = [make_object(rng, f"mug-{i + 1}") for i in range(objects)]
    things.append(SceneObject("ghost-1", "ghost", Gaussians.empty(2), Pose((1 / 3, -0.0, 1e-300)), mobility="static"))
    return Scene(
        tuple(things), Environment("Küche", "dusk", room=((-4.0, -4.0, 0.0), (4.0, 4.0, 2.6))),
        ScaleSource("prior", 0.1, "doors"),
        Camera.look_at((3.0, 0.1, 1.6), (0.0, 0.0, 1.0), 640, 480), ((0.1, 0.2), (1.0, 0.0), (0.5, 2.0)),
        "ein Becher", ("gläsern",), ("no room for a piano",), ("4 pictures are shown at 28 dB",),
    )  # fmt: skip


def random_edit(rng: random.Random, scene: Scene) -> edits.Edit:
    """Any kind of edit with arguments that mostly, not always, fit the scene."""
    ids = [o.id for o in scene.objects] or ["nobody"]
    one = rng.choice([*ids, "nobody"]) if rng.random() < 0.03 else rng.choice(ids)
    n = len(scene[one].gaussians) if one in scene else 3
    mask = torch.tensor([rng.random() < 0.3 for _ in range(n)], dtype=torch.bool)
    vector = (rng.uniform(-1, 1), rng.uniform(-1, 1), rng.choice([0.0, -0.0, rng.uniform(-0.2, 0.2)]))
    makers: list[Callable[[], edits.Edit]] = [
        lambda: edits.Move(one, vector, rng.random() < 0.8),
        lambda: edits.Rotate(one, rng.uniform(-180, 180), rng.choice([(0.0, 0.0, 1.0), (1.0, 2.0, -1.0)])),
        lambda: edits.Scale(one, rng.uniform(0.7, 1.4)),
        lambda: edits.Duplicate(one, vector),
        lambda: edits.Delete(one if len(ids) > 3 else "nobody"),
        lambda: edits.Recolor(one, rng.choice(["red", "#10f0a0", "dark navy"])),
        lambda: edits.Rename(one, rng.choice(["Erna", "名前", " "])),
        lambda: edits.Insert(make_object(np.random.default_rng(rng.randrange(2**32)), f"new-{rng.randrange(50)}", 10)),
        lambda: edits.SetPhysics(one, rng.choice([None, 0.3]), rng.choice([None, 0.9]), rng.choice([None, "rigid", "static"])),
        lambda: edits.Group(tuple(rng.sample(ids, min(2, len(ids)))), rng.choice(["set", ""])),
        lambda: edits.SetEnvironment(weather=rng.choice(["snow", "rain"]), background=(rng.random(), 0.5, 1.0)),
        lambda: edits.DeleteGaussians(one, mask),
        lambda: _make_part(rng, one, mask),
        lambda: edits.FixScale(vector, (1.0, 0.5, -1.0), rng.uniform(0.5, 2.0), rng.choice([None, 0.01])),
        lambda: edits.SetPoses(tuple((i, Pose((rng.random(), 1.0, 0.5), (1.0, rng.random(), 0.0, 0.1))) for i in ids[:2])),
        lambda: edits.InsertAll(tuple(
            make_object(np.random.default_rng(rng.randrange(2**32)), f"new-{rng.randrange(50)}", 6) for _ in range(2)
        )),
        lambda: edits.Articulate(one, "slide", (1.0, rng.random(), 0.0), (-0.1, rng.random()), parent=rng.choice([None, *ids])),
        lambda: edits.Articulate(one, "hinge", (0.0, rng.random(), 1.0), (0.0, 1.5), vector, rng.choice([None, *ids])),
        lambda: edits.SetJoints(tuple((o.id, rng.uniform(-0.05, 0.3)) for o in scene.objects if o.jointed)[:2]),
    ]
    return rng.choice(makers)()


def _make_part(rng: random.Random, source: str, mask: torch.Tensor) -> edits.MakeObject:
    """A thing taken out, each of its optional fields there half of the time."""
    made = make_object(np.random.default_rng(rng.randrange(2**32)), f"fill-{rng.randrange(50)}", 5)
    fill = replace(made, role="structure", mobility="static", provenance="invented")
    return edits.MakeObject(
        source, mask, f"part-{rng.randrange(50)}", rng.choice(["mug", "object"]), rng.choice(["", "große Tasse"]),
        rng.choice([None, 0.35]), made.collider, rng.choice([None, "floor", source]), rng.choice([None, fill]),
        rng.choice(["", "its mass of 0.35 kg is estimated"]),
    )  # fmt: skip


@pytest.fixture
def scene() -> Scene:
    return make_scene()


@pytest.fixture
def world(tmp_path, scene):
    with World.create(tmp_path / "kitchen.world", scene) as made:
        yield made


@pytest.fixture(name="make_scene", scope="session")
def _make_scene():
    return make_scene


@pytest.fixture(name="make_object", scope="session")
def _make_object():
    return make_object


@pytest.fixture(name="random_edit", scope="session")
def _random_edit():
    return random_edit


@pytest.fixture(name="fingerprint", scope="session")
def _fingerprint():
    return fingerprint
