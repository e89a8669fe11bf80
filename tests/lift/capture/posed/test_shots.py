"""Pictures of every kind become views whose intrinsics fit their pixels, and whose depth has no invented values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.posed import PosedOptions
from spatialwm.lift.capture.posed.shots import Shot, develop, develop_all
from spatialwm.lift.pictures.lens import Optics
from spatialwm.progress import silent


def shot(path: Path, width: int, height: int, **more: Any) -> Shot:
    return Shot(path.name, path, Pose(), Optics(width, height, 100.0, 110.0, width / 2 + 3, height / 2 - 2), **more)


@pytest.mark.parametrize("longest_px", [160, 120, 81, 53])
def test_a_smaller_picture_is_an_average_under_scaled_intrinsics(tmp_path: Path, room: Any, longest_px: int) -> None:
    camera = room.walk(3)[1]
    Image.fromarray(room.look(camera)[0]).save(tmp_path / "a.png")
    o = Optics(160, 120, camera.fx, camera.fy, camera.cx, camera.cy)
    view, _ = develop(Shot("a", tmp_path / "a.png", camera.world_from_cam, o), longest_px)
    c = view.camera
    assert max(c.width, c.height) == longest_px
    assert (c.fx / c.width, c.fy / c.height) == pytest.approx((camera.fx / 160, camera.fy / 120))
    assert (c.cx / c.width, c.cy / c.height) == pytest.approx((camera.cx / 160, camera.cy / 120))
    truth = room.look(c)[0].astype(float)
    error = view.rgb - truth
    gradients = np.stack([np.gradient(truth, axis=1).ravel(), np.gradient(truth, axis=0).ravel()], 1)
    shift, *_ = np.linalg.lstsq(gradients, error.ravel(), rcond=None)
    assert np.abs(shift).max() < 0.05


def test_depth_of_another_resolution_is_picked_not_mixed(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    coarse = np.where(np.arange(16) < 8, 1.0, 4.0)[None].repeat(12, 0)
    coarse[0, 0], coarse[0, 1], coarse[0, 2] = np.nan, -1.0, np.inf
    view, _ = develop(shot(tmp_path / "a.png", 64, 48, depth=lambda: coarse), None)
    assert view.depth is not None
    assert view.depth.dtype == np.float32
    assert set(np.unique(view.depth)) == {0.0, 1.0, 4.0}
    assert (view.depth[10, :32] == 1).all()
    assert (view.depth[10, 32:] == 4).all()
    assert (view.depth[:4, :12] == 0).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK", "I;16", "P", "LA"])
def test_pictures_of_every_mode_become_srgb(tmp_path: Path, mode: str) -> None:
    grey = np.full((12, 16), 130, np.uint8)
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey)
    image = {"CMYK": image.convert("RGB").convert("CMYK"), "I;16": image}.get(mode) or image.convert(mode)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image.save(path)
    view, _ = develop(shot(path, 16, 12), None)
    assert view.rgb.shape == (12, 16, 3)
    assert np.abs(view.rgb.astype(int) - 130).max() <= 3


def test_transparent_pixels_and_masks_are_not_usable(tmp_path: Path) -> None:
    rgba = np.full((12, 16, 4), 255, np.uint8)
    rgba[:, :4, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "a.png")
    mask = np.full((6, 8), 255, np.uint8)
    mask[:, 6:] = 0
    Image.fromarray(mask).save(tmp_path / "m.png")
    view, _ = develop(shot(tmp_path / "a.png", 16, 12, mask=tmp_path / "m.png"), None)
    assert view.usable is not None
    assert view.usable[0].tolist() == [False] * 4 + [True] * 8 + [False] * 4


def test_a_picture_stored_on_its_side_is_turned_when_its_camera_is_upright(tmp_path: Path) -> None:
    upright = np.zeros((16, 12, 3), np.uint8)
    upright[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to view
    Image.fromarray(np.rot90(upright)).save(tmp_path / "a.png", exif=exif)
    view, _ = develop(shot(tmp_path / "a.png", 12, 16), None)
    np.testing.assert_array_equal(view.rgb, upright)
    as_stored, _ = develop(shot(tmp_path / "a.png", 16, 12), None)
    np.testing.assert_array_equal(as_stored.rgb, np.rot90(upright))


def test_a_shrunk_picture_keeps_its_camera_and_a_cropped_one_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (32, 24)).save(tmp_path / "a.png")
    view, _ = develop(shot(tmp_path / "a.png", 64, 48), None)
    assert (view.camera.fx, view.camera.cx, view.camera.cy) == (50.0, 17.5, 11.0)
    Image.new("RGB", (32, 30)).save(tmp_path / "b.png")
    with pytest.raises(LiftError, match="32x30 px but its camera is for 64x48; give the uncropped picture"):
        develop(shot(tmp_path / "b.png", 64, 48), None)


def test_damaged_pictures_are_left_out_by_name_and_the_rest_is_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        Image.fromarray(noise).save(tmp_path / name)
    (tmp_path / "b.jpg").write_bytes((tmp_path / "b.jpg").read_bytes()[:900])
    (tmp_path / "c.jpg").write_bytes(b"")
    shots = [shot(tmp_path / name, 64, 48) for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg")]
    views, notes = develop_all(shots, PosedOptions(), silent)
    assert [view is not None for view in views] == [True, False, False, False]
    assert all(name in note for name, note in zip(("b.jpg", "c.jpg", "d.jpg"), notes, strict=True))
    with pytest.raises(LiftError, match="none of the 3 pictures could be read"):
        develop_all(shots[1:], PosedOptions(), silent)


def test_damaged_depth_costs_the_depth_and_not_the_picture(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")

    def damaged() -> np.ndarray:
        raise LiftError("a.depth.png is damaged")

    view, notes = develop(shot(tmp_path / "a.png", 64, 48, depth=damaged), None)
    assert view.depth is None
    assert notes == ("the depth of a.png was left out: a.depth.png is damaged",)


def test_the_chosen_pictures_are_spread_evenly() -> None:
    assert PosedOptions(every=3).chosen(range(10)) == [0, 3, 6, 9]
    assert PosedOptions(max_views=4).chosen(range(10)) == [0, 3, 6, 9]
    assert PosedOptions(max_views=1).chosen(range(9)) == [4]
    assert PosedOptions(every=2, max_views=99).chosen(range(5)) == [0, 2, 4]
    for wrong in ({"every": 0}, {"max_views": 0}, {"longest_px": 3}):
        with pytest.raises(LiftError, match="must be at least"):
            PosedOptions(**wrong)
