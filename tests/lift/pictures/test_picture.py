"""Whatever picture file people have is opened upright, in sRGB and no larger than needed, or refused in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.lift.pictures.picture import load_rgb, read_picture


def _quarters(width: int = 64, height: int = 48) -> np.ndarray:
    """Red, green, blue and white quarters: shows how a picture was turned."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2, 0] = rgb[: height // 2, width // 2 :, 1] = rgb[height // 2 :, : width // 2, 2] = 255
    rgb[height // 2 :, width // 2 :] = 255
    return rgb


_STORED = {  # how an upright picture lies in the file for each EXIF orientation
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a), 7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}  # fmt: skip


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("reduced", [1, 4])
def test_every_orientation_comes_out_upright(orientation: int, reduced: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = _quarters()
    Image.fromarray(np.ascontiguousarray(_STORED[orientation](upright))).save(tmp_path / "a.png", exif=exif)
    rgb, k = load_rgb(tmp_path / "a.png", 64 // reduced)
    assert k == reduced
    np.testing.assert_array_equal(rgb, upright[::reduced, ::reduced])
    picture = read_picture(tmp_path / "a.png")
    assert (picture.width, picture.height) == (64, 48)


def test_reduced_pixels_are_the_means_of_their_blocks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    full = rng.integers(0, 256, (50, 70, 3), dtype=np.uint8)
    Image.fromarray(full).save(tmp_path / "a.png")
    rgb, k = load_rgb(tmp_path / "a.png", 20)
    assert k == 3
    means = full[:48, :69].reshape(16, 3, 23, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(rgb[:16, :23], means, atol=0.6)


def test_jpeg_reduced_while_decoding_keeps_its_grid(tmp_path: Path) -> None:
    y, x = np.mgrid[0:480, 0:640]
    ramp = np.stack([x * 255 // 640, y * 255 // 480, (x + y) * 255 // 1120], axis=-1).astype(np.uint8)
    Image.fromarray(ramp).save(tmp_path / "a.jpg", quality=98, subsampling=0)
    rgb, k = load_rgb(tmp_path / "a.jpg", 100)
    assert (k, rgb.shape) == (6, (80, 107, 3))
    means = ramp[:, :636].reshape(80, 6, 106, 6, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(rgb[:, :106], means, atol=2)


def test_16_bit_cmyk_palette_and_alpha_come_out_as_8_bit_rgb(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 257 * 100, np.uint16)).save(tmp_path / "a.png")
    assert load_rgb(tmp_path / "a.png", 8)[0][0, 0].tolist() == [100, 100, 100]
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "b.tif")
    assert load_rgb(tmp_path / "b.tif", 8)[0][0, 0].tolist() == [255, 0, 0]
    Image.new("RGB", (8, 8), "lime").convert("P").save(tmp_path / "c.png")
    assert load_rgb(tmp_path / "c.png", 8)[0][0, 0].tolist() == [0, 255, 0]
    Image.new("RGBA", (8, 8), (255, 255, 255, 0)).save(tmp_path / "d.webp", lossless=True)
    assert load_rgb(tmp_path / "d.webp", 8)[0][0, 0].tolist() == [0, 0, 0]


def test_what_is_not_a_picture_is_said_in_one_line(tmp_path: Path) -> None:
    for name, content in (("empty.jpg", b""), ("text.png", b"hello"), ("none.webp", bytes(200))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LiftError, match=rf"{name} is not a picture that can be read; expected JPEG"):
            read_picture(tmp_path / name)


def test_truncated_jpeg_is_said_to_be_damaged(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LiftError, match=r"a\.jpg is damaged: .*; copy it again"):
        load_rgb(tmp_path / "a.jpg", 64)


def test_heic_without_its_reader_says_how_to_convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(LiftError, match=r"IMG_1\.HEIC is HEIC, which needs pillow-heif: pip install pillow-heif, or convert"):
        read_picture(tmp_path / "IMG_1.HEIC")


def test_heic_is_read_where_its_reader_is_installed(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    Image.fromarray(_quarters()).save(tmp_path / "a.heic", quality=95)
    assert load_rgb(tmp_path / "a.heic", 64)[0][4, 4].tolist() == pytest.approx([255, 0, 0], abs=12)
