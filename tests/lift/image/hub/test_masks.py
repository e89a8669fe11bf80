"""The real SAM 2, tiny and with random weights, run through the production path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spatialwm.lift.image.hub.masks import MaskModel, mask_at
from spatialwm.lift.image.hub.weights import MissingModelError
from spatialwm.lift.image.photo import Photo

pytest.importorskip("transformers", reason="the hub extra is not installed")


@pytest.fixture
def model(saved: Path) -> MaskModel:
    return MaskModel(saved / "sam2", ["cpu"])


@pytest.mark.parametrize("box", [None, (20.0, 30.0, 90.0, 100.0)])
@pytest.mark.parametrize("points", [(), ((50.0, 60.0, True),), ((50.0, 60.0, True), (10.0, 10.0, False))])
def test_every_kind_of_prompt_gives_a_mask_of_the_size_of_the_picture(model: MaskModel, photo: Photo, points, box) -> None:
    if not points and box is None:
        pytest.skip("nothing is pointed at")
    mask = model.mask_at(photo.rgb, points, box)
    assert mask.shape == photo.rgb.shape[:2]
    assert mask.dtype == bool


def test_where_one_clicks_decides_the_mask(model: MaskModel, photo: Photo) -> None:
    low, high = (model.mask_at(photo.rgb, [(x, 60.0, True)]) for x in (5.0, 230.0))
    assert (low != high).any()
    assert np.array_equal(low, model.mask_at(photo.rgb, [(5.0, 60.0, True)]))


def test_another_picture_is_looked_at_anew(model: MaskModel, photo: Photo) -> None:
    first = model.mask_at(photo.rgb, [(50.0, 60.0, True)])
    other = model.mask_at(255 - photo.rgb, [(50.0, 60.0, True)])
    assert (first != other).any()
    assert np.array_equal(first, model.mask_at(photo.rgb, [(50.0, 60.0, True)]))


def test_without_weights_one_line_says_how_to_get_them(tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPATIALWM_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    with pytest.raises(MissingModelError, match=r"hf download facebook/sam2\.1-hiera-tiny --local-dir") as caught:
        mask_at(photo.rgb, [(1.0, 1.0, True)])
    assert "\n" not in str(caught.value)


def test_weights_in_the_named_folder_are_found(saved: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPATIALWM_WEIGHTS", str(saved))
    assert mask_at(photo.rgb, [(50.0, 60.0, True)]).shape == photo.rgb.shape[:2]
