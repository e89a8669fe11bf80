"""Masks are found where programs keep them, and say which pixels are not to be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.lift.pictures.masks import mask_beside
from spatialwm.lift.pictures.picture import load_mask, load_pixels


@pytest.mark.parametrize("place", ["masks/a.jpg.png", "masks/a.png", "images/masks/a.jpg.png", "images/masks/a.png"])
def test_a_mask_is_found_in_or_beside_the_folder(place: str, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert mask_beside(tmp_path / "images", "a.jpg") is None
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).touch()
    assert mask_beside(tmp_path / "images", "a.jpg") == tmp_path / place
    assert mask_beside(tmp_path / "images", "b.jpg") is None


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "LA", "I;16"])
def test_masks_of_every_mode_are_off_where_they_are_black(mode: str, tmp_path: Path) -> None:
    on = np.zeros((4, 6), np.uint8)
    on[:, 3:] = 255
    image = Image.fromarray(on.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(on).convert(mode)
    image.save(tmp_path / "m.png")
    np.testing.assert_array_equal(load_mask(tmp_path / "m.png"), on > 0)


def test_zeros_and_ones_are_a_mask_and_a_jpegs_noise_is_none(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 1]], np.uint8)).save(tmp_path / "m.png")
    assert load_mask(tmp_path / "m.png").tolist() == [[False, True]]
    Image.fromarray(np.full((8, 8), 3, np.uint8)).save(tmp_path / "m.jpg")
    assert not load_mask(tmp_path / "m.jpg").any()


def test_a_damaged_mask_is_said(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(tmp_path / "m.png")
    (tmp_path / "m.png").write_bytes((tmp_path / "m.png").read_bytes()[:1000])
    with pytest.raises(LiftError, match=r"mask m\.png is damaged"):
        load_mask(tmp_path / "m.png")


@pytest.mark.parametrize("orientation", [1, 6])
def test_transparency_is_reduced_and_turned_with_the_picture(orientation: int, tmp_path: Path) -> None:
    rgba = np.full((12, 16, 4), 255, np.uint8)
    rgba[:, :4, 3] = 0
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(rgba).save(tmp_path / "a.png", exif=exif)
    pixels = load_pixels(tmp_path / "a.png", 8)
    assert pixels.reduced == 2
    assert pixels.alpha is not None
    assert pixels.alpha.shape == pixels.rgb.shape[:2]
    clear = np.rot90(np.arange(8)[None].repeat(6, 0) < 2, -1) if orientation == 6 else np.arange(8)[None].repeat(6, 0) < 2
    np.testing.assert_array_equal(pixels.alpha == 0, clear)
    Image.fromarray(rgba[:, 4:]).save(tmp_path / "b.png")
    assert load_pixels(tmp_path / "b.png", 8).alpha is None
