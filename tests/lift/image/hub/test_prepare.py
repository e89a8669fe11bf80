"""Our preparation of pictures is transformers' own, where that can be imported without torchvision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from spatialwm.errors import LiftError
from spatialwm.lift.image.hub.models import MODELS
from spatialwm.lift.image.hub.networks import preparation_of
from spatialwm.lift.image.hub.prepare import Preparation

transformers = pytest.importorskip("transformers", reason="the hub extra is not installed")

SIZES = [(240, 160), (160, 240), (101, 67), (50, 50)]


def picture(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_depth_anything_sees_what_transformers_would_show_it(saved: Path, size: tuple[int, int]) -> None:
    folder, rgb = saved / "depth-anything-v2-metric-indoor-small", picture(*size)
    theirs = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")(rgb, return_tensors="pt")["pixel_values"]
    ours = preparation_of(folder, MODELS[folder.name]).by_pillow(rgb)
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", SIZES)
def test_zoedepth_sees_what_transformers_would_show_it(saved: Path, size: tuple[int, int]) -> None:
    folder, rgb = saved / "zoedepth", picture(*size)
    theirs = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")(rgb, return_tensors="pt")["pixel_values"]
    ours = preparation_of(folder, MODELS["zoedepth"]).by_torch(rgb, align_corners=True)
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs.float(), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", SIZES)
def test_grounding_dino_sees_what_transformers_would_show_it(saved: Path, size: tuple[int, int]) -> None:
    folder, rgb = saved / "grounding-dino", picture(*size)
    theirs = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")(rgb, return_tensors="pt")["pixel_values"]
    ours = Preparation.read(folder, width=1333, height=800, resample=2).by_pillow_within(rgb)
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_depth_pro_is_shown_the_whole_picture_stretched_to_its_square(saved: Path) -> None:
    ours = preparation_of(saved / "depth-pro", MODELS["depth-pro"]).by_torch(np.full((60, 90, 3), 255, np.uint8))
    assert ours.shape == (1, 3, 128, 128)
    assert torch.equal(ours, torch.ones_like(ours))  # white is (1 - 0.5) / 0.5


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"size": {"height": 0, "width": 5}}', '{"size": {"height": "a", "width": 5}}'])
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "preprocessor_config.json").write_text(text)
    with pytest.raises(LiftError, match="does not say how to prepare a picture") as caught:
        Preparation.read(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_lower_resolution_keeps_the_multiple(saved: Path) -> None:
    preparation = preparation_of(saved / "depth-anything-v2-metric-indoor-small", MODELS["depth-anything-v2-metric-indoor-small"])
    for shrink in (1.0, 0.7, 0.5):
        height, width = preparation.by_pillow(picture(240, 160), shrink).shape[2:]
        assert height % 14 == width % 14 == 0
        assert height == pytest.approx(70 * shrink, abs=7)
