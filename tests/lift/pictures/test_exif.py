"""What is read from a photo's tags, and what never is."""

from __future__ import annotations

import dataclasses
import math
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from spatialwm.lift.pictures.exif import Exif, read_exif


def _photo(path: Path, tags: dict[int, object], details: dict[int, object]) -> Path:
    exif = Image.Exif()
    exif.update(tags)
    exif.get_ifd(IFD.Exif).update(details)
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: (55.0, 41.0, 53.4)})
    Image.new("RGB", (400, 300), "gray").save(path, exif=exif)
    return path


def test_the_35_mm_equivalent_gives_the_focal_length_over_the_diagonal(tmp_path: Path) -> None:
    with Image.open(_photo(tmp_path / "a.jpg", {}, {Base.FocalLengthIn35mmFilm: 35, Base.FocalLength: 4.3})) as image:
        focal = read_exif(image).focal_px(400, 300)
    assert focal == pytest.approx(35 / math.hypot(36, 24) * 500)


def test_focal_length_and_sensor_serve_where_there_is_no_equivalent(tmp_path: Path) -> None:
    details = {Base.FocalLength: 10.0, Base.FocalPlaneXResolution: 200.0, Base.FocalPlaneResolutionUnit: 3}  # 200 px per cm
    with Image.open(_photo(tmp_path / "a.jpg", {}, details)) as image:
        assert read_exif(image).focal_px(400, 300) == pytest.approx(200.0)


def test_absurd_focal_lengths_count_as_none(tmp_path: Path) -> None:
    with Image.open(_photo(tmp_path / "a.jpg", {}, {Base.FocalLengthIn35mmFilm: 65535})) as image:
        assert read_exif(image).focal_px(400, 300) is None


def test_camera_time_and_orientation_are_read(tmp_path: Path) -> None:
    tags = {Base.Make: "Acme", Base.Model: "Acme X1", Base.Orientation: 6}
    with Image.open(_photo(tmp_path / "a.jpg", tags, {Base.DateTimeOriginal: "2024:05:06 07:08:09"})) as image:
        exif = read_exif(image)
    assert (exif.camera, exif.orientation, exif.taken) == ("Acme X1", 6, datetime(2024, 5, 6, 7, 8, 9))


def test_where_it_was_taken_is_never_kept(tmp_path: Path) -> None:
    with Image.open(_photo(tmp_path / "a.jpg", {Base.Make: "Acme"}, {})) as image:
        kept = repr(dataclasses.asdict(read_exif(image)))
    assert "55" not in kept
    assert "41" not in kept


def test_pictures_share_a_lens_only_with_equal_camera_size_and_zoom() -> None:
    wide, tele = Exif(camera="A", focal_share=0.8), Exif(camera="A", focal_share=1.6)
    assert wide.group(400, 300) == Exif(camera="A", focal_share=0.801).group(400, 300)
    assert len({wide.group(400, 300), wide.group(300, 400), tele.group(400, 300), Exif(camera="B").group(400, 300)}) == 4


def test_no_tags_at_all_is_fine() -> None:
    assert read_exif(Image.new("RGB", (4, 3))) == Exif()
