"""Weights are looked for and never fetched; what is missing is said in one line that mends it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from spatialwm import doctor
from spatialwm.errors import LiftError, MissingDependencyError
from spatialwm.lift.image.backends import BACKENDS, choose
from spatialwm.lift.image.embedded import EmbeddedDepth
from spatialwm.lift.image.hub.depth import HubDepth
from spatialwm.lift.image.hub.masks import MaskModel
from spatialwm.lift.image.hub.models import MASKS, MODELS, WORDS
from spatialwm.lift.image.hub.weights import located, missing
from spatialwm.lift.image.photo import Hints, Photo

pytest.importorskip("transformers", reason="the hub extra is not installed")

SMALL, OUTDOORS = "depth-anything-v2-metric-indoor-small", "depth-anything-v2-metric-outdoor-small"


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights of the machine that runs the tests."""
    monkeypatch.setenv("SPATIALWM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def put(saved: Path, machine: Path, *names: str) -> None:
    for name in names:
        shutil.copytree(saved / name, machine / "weights" / name)


@pytest.mark.parametrize("name", [n for n, m in MODELS.items() if m.architecture in ("depth-anything", "depth-pro", "zoedepth")])
def test_without_weights_one_line_says_what_to_download_and_where_to_put_it(name: str, empty_machine: Path) -> None:
    with pytest.raises(MissingDependencyError) as caught:
        choose(name)
    said = str(caught.value)
    assert "\n" not in said
    assert f"`hf download {MODELS[name].repo} --local-dir '{empty_machine / 'weights' / name}'`" in said
    assert f"{MODELS[name].download_mb} MB, {MODELS[name].licence}" in said


PACKAGES = {"moge-2": "moge", "depth-anything-3-metric": "depth_anything_3", "sharp": "sharp"}


@pytest.mark.parametrize(("name", "package"), PACKAGES.items())
def test_without_its_package_one_line_says_how_to_install_it(name: str, package: str) -> None:
    with pytest.raises(MissingDependencyError, match=f"{package} is not installed: pip install git") as caught:
        choose(name)
    assert "\n" not in str(caught.value)


def test_unknown_backends_are_refused_with_all_names() -> None:
    with pytest.raises(LiftError, match=r"unknown depth backend 'midas'; choose auto or one of .*zoedepth.*embedded"):
        choose("midas")


def test_auto_is_embedded_until_weights_lie_here(saved: Path, empty_machine: Path) -> None:
    name, backend = choose()
    assert name == "embedded"
    assert isinstance(backend, EmbeddedDepth)
    put(saved, empty_machine, SMALL)
    name, backend = choose()
    assert name == SMALL
    assert isinstance(backend, HubDepth)


def test_auto_passes_over_research_weights_and_over_models_for_the_other_kind_of_place(
    saved: Path, empty_machine: Path, photo: Photo
) -> None:
    put(saved, empty_machine, "depth-pro", SMALL)
    assert choose("auto")[0] == SMALL
    assert choose("auto", replace(photo, hints=Hints(indoors=True)))[0] == SMALL
    outdoors = replace(photo, hints=Hints(indoors=False))
    assert choose("auto", outdoors)[0] == "embedded"
    put(saved, empty_machine, OUTDOORS)
    assert choose("auto", outdoors)[0] == OUTDOORS
    assert choose("depth-pro")[0] == "depth-pro"


def test_auto_sees_by_the_sky_whether_a_picture_shows_a_room(
    saved: Path, empty_machine: Path, photo: Photo, shared_dir: Path
) -> None:
    put(saved, empty_machine, SMALL, OUTDOORS)
    assert choose("auto", photo)[0] == SMALL
    mountain = Image.open(shared_dir / "data" / "photos" / "moge_05_Mountain.jpg").convert("RGB").resize((240, 160))
    assert choose("auto", Photo(name="mountain", rgb=np.asarray(mountain)))[0] == OUTDOORS


def test_weights_in_the_cache_of_hugging_face_are_found(saved: Path, empty_machine: Path) -> None:
    model = MODELS[SMALL]
    snapshot = empty_machine / "hub" / "models--depth-anything--Depth-Anything-V2-Metric-Indoor-Small-hf" / "snapshots" / "abc"
    shutil.copytree(saved / SMALL, snapshot)
    assert located(model) == snapshot
    assert missing(model) is None
    (snapshot / "model.safetensors").unlink()
    (snapshot / "model.safetensors").symlink_to("gone")  # an interrupted download
    assert located(model) is None


def test_weights_that_lack_parts_are_refused_not_filled_with_random_numbers(
    saved: Path, empty_machine: Path, photo: Photo
) -> None:
    put(saved, empty_machine, SMALL)
    path = empty_machine / "weights" / SMALL / "model.safetensors"
    tensors = load_file(path)
    del tensors["head.conv3.weight"]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(LiftError, match="lacks 1 of the weights") as caught:
        choose(SMALL)[1].estimate(photo)
    assert "head.conv3.weight" in str(caught.value)


@pytest.mark.parametrize("damage", ["truncated", "config", "other"])
def test_damaged_weights_are_refused_in_one_line(saved: Path, empty_machine: Path, photo: Photo, damage: str) -> None:
    put(saved, empty_machine, SMALL)
    folder = empty_machine / "weights" / SMALL
    if damage == "truncated":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    elif damage == "config":
        (folder / "config.json").write_text("{")
    else:
        shutil.copytree(saved / "zoedepth", folder, dirs_exist_ok=True)
    with pytest.raises(LiftError, match="again") as caught:
        choose(SMALL)[1].estimate(photo)
    assert "\n" not in str(caught.value)


def test_weights_published_for_video_open_for_pictures(saved: Path, empty_machine: Path, photo: Photo) -> None:
    """The published configuration of SAM 2.1 names the video model."""
    put(saved, empty_machine, "sam2")
    path = empty_machine / "weights" / "sam2" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_type": "sam2_video"}))
    assert MaskModel(path.parent, ["cpu"]).mask_at(photo.rgb, [(5.0, 5.0, True)]).shape == photo.rgb.shape[:2]


def test_the_doctor_lists_every_model_with_licence_memory_and_whether_it_is_here(saved: Path, empty_machine: Path) -> None:
    put(saved, empty_machine, SMALL)
    rows = {row.name: row for row in doctor.examine()}
    for kind, model in (*(("depth", m) for m in MODELS.values()), ("masks", MASKS), ("words", WORDS)):
        row = rows[f"{kind} {model.name}"]
        assert model.licence in row.found
        assert "GB of memory" in row.found
        assert ("not for commercial use" in row.found) == (not model.commercial)
        assert row.ok == (model.name == SMALL)
        assert row.ok or row.mend
        assert not row.required
    assert {f"depth {name}" for name in BACKENDS if name != "embedded"} <= set(rows)
