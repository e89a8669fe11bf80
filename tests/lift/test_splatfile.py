"""Splat files from elsewhere become worlds that stand upright on the floor and look the same whatever the format."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spatialwm.errors import FormatError, LiftError
from spatialwm.formats import write_splats
from spatialwm.gaussians import Gaussians
from spatialwm.lift import lifter_for
from spatialwm.lift.splatfile import SplatFileLifter
from spatialwm.render import establishing_view, render_scene
from spatialwm.scene import Scene

CAPTURES = {
    "splat_biker/biker.compressed.ply": (152_746, 2.0),
    "splat_biker/biker.spz": (152_746, 2.0),
    "splat_statues_sog/angel.sog": (71_359, 1.2),
    "splat_statues_sog/massa.sog": (58_649, 1.2),
    "splat_statues_sog/narcissus.sog": (101_275, 1.2),
    "splat_playbot_sog_lod": (125_000, 0.4),
    "splat_train1000_ply/train-1000.ply": (1_000, 0.0),
}
"""Gaussians, and at least how many times taller than wide the densest part is: a lying person or statue would be below 1."""


def lift(path: Path) -> Scene:
    return lifter_for(str(path)).lift(str(path))


@pytest.mark.parametrize("name", CAPTURES)
def test_real_captures_stand_on_the_floor_and_fill_their_first_view(shared_dir: Path, name: str) -> None:
    count, slenderness = CAPTURES[name]
    scene = lift(shared_dir / "data" / name)
    (body,) = scene.objects
    assert len(body.gaussians) == count
    centers = body.world_from_object.apply(body.gaussians.means[body.gaussians.opacities > 0.1].numpy())
    low, high = np.quantile(centers, [0.05, 0.95], axis=0)
    assert abs(np.quantile(centers[:, 2], 0.01)) < 0.02
    assert (high - low)[2] >= slenderness * (high - low)[:2].max()
    frame = render_scene(scene, establishing_view(scene, 320, 180))
    if count > 10_000:
        assert 0.03 < frame.mask_of(body.id).mean() < 0.9


def test_one_person_in_two_formats_looks_the_same(shared_dir: Path) -> None:
    ply, spz = (lift(shared_dir / "data" / "splat_biker" / n) for n in ("biker.compressed.ply", "biker.spz"))
    camera = establishing_view(ply, 640, 480)
    difference = render_scene(ply, camera).rgb - render_scene(spz, camera).rgb
    assert -10 * np.log10(np.mean(difference**2)) > 35


def test_the_gaussians_are_exactly_those_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    means = rng.normal(size=(50, 3)) + [10.0, 20.0, 30.0]
    quats = np.tile([1.0, 0.0, 0.0, 0.0], (50, 1))
    written = Gaussians.from_numpy(means, quats, np.full((50, 3), 0.1), np.full(50, 0.9), rgb=rng.random((50, 3)))
    write_splats(written, tmp_path / "far.ply")
    (body,) = SplatFileLifter().lift(str(tmp_path / "far.ply")).objects
    assert np.array_equal(body.gaussians.means.numpy(), written.means.numpy())
    assert np.abs(body.world_from_object.apply(written.means.numpy()).mean(0)[:2]).max() < 0.5


NOWHERE = ["no/such/file.ply", "missing.spz", "picture.jpg", "clip.mp4", "folder/", "notes.docx", "my scan.ply"]
SENTENCES = ["a red chair", "either/or in a room", "livingroom", "a room 4.5 m wide", "Ein Haus.", "x" * 5000]


@pytest.mark.parametrize("source", NOWHERE)
def test_a_path_that_leads_nowhere_is_no_sentence(source: str) -> None:
    with pytest.raises(LiftError, match="no such file"):
        lifter_for(source)


def test_what_cannot_be_lifted_yet_is_said(tmp_path: Path) -> None:
    for name, fragment in (("rooms.glb", "a layout"), ("notes.txt", "unknown kind")):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(LiftError, match=fragment):
            lifter_for(str(tmp_path / name))
    (tmp_path / "empty").mkdir()
    with pytest.raises(LiftError, match=r"neither pictures nor a meta\.json"):
        lifter_for(str(tmp_path / "empty"))


@pytest.mark.parametrize("sentence", SENTENCES)
def test_sentences_are_no_paths(sentence: str) -> None:
    assert not isinstance(lifter_for(sentence), SplatFileLifter)


def test_a_text_file_called_ply_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fake.ply").write_text("hello")
    with pytest.raises(FormatError, match=r"fake\.ply"):
        lift(tmp_path / "fake.ply")


def test_a_splat_file_is_told_apart_without_loading_the_rooms_of_photographs(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_bytes(b"")
    code = f"import sys; from spatialwm.lift import lifter_for; lifter_for({str(tmp_path / 'a.ply')!r}); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    # Options hold hints, which are plain values.
    light = {"spatialwm.lift.image", "spatialwm.lift.image.photo", "spatialwm.lift.image.hints"}
    loaded = {name for name in out.stdout.split() if name.startswith(("spatialwm.lift.capture", "spatialwm.lift.image"))}
    assert loaded <= light
