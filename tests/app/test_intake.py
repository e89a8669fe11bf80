"""What was sent in is told for what it is, with the choices that fit it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from spatialwm_app.intake import options_from, tray_message
from spatialwm_app.tray import Tray

from spatialwm.errors import LiftError


@pytest.fixture
def tray() -> Iterator[Tray]:
    tray = Tray()
    yield tray
    tray.close()


def put_picture(tray: Tray, name: str, size: tuple[int, int] = (40, 30)) -> None:
    encoded = io.BytesIO()
    Image.new("RGB", size, (90, 120, 60)).save(encoded, "JPEG")
    put_file(tray, name, encoded.getvalue())


def put_file(tray: Tray, name: str, content: bytes) -> None:
    with tray.receive(name) as write:
        write(content)


def test_an_empty_tray_is_nothing_and_no_error(tray: Tray) -> None:
    told = tray_message(tray)
    assert (told["kind"], told["error"], told["files"]) == (None, None, [])


def test_one_picture_may_be_helped_with_hints_and_a_panorama_not(tray: Tray) -> None:
    put_picture(tray, "room.jpg")
    told = tray_message(tray)
    assert (told["kind"], told["title"], told["hints"]) == ("picture", "One picture", True)
    assert [q["value"] for q in told["qualities"]] == ["draft", "standard", "high"]
    tray.remove("room.jpg")
    put_picture(tray, "round.jpg", (80, 40))
    told = tray_message(tray)
    assert (told["kind"], told["hints"]) == ("panorama", False)


def test_several_pictures_are_photos_of_one_place_and_tell_their_minutes(tray: Tray) -> None:
    for i in range(3):
        put_picture(tray, f"{i}.jpg")
    told = tray_message(tray)
    assert (told["kind"], told["title"], told["depths"]) == ("photos", "3 photos", [])
    assert all("min" in q["meaning"] for q in told["qualities"])


def test_what_no_lifter_takes_is_one_line_that_names_the_file(tray: Tray) -> None:
    put_file(tray, "letter.docx", b"dear")
    told = tray_message(tray)
    assert told["kind"] is None
    assert told["error"].startswith("letter.docx: unknown kind of file")
    assert "tray" not in told["error"]


def test_a_picture_that_is_none_is_told_before_anything_is_made(tray: Tray) -> None:
    put_file(tray, "fake.jpg", b"no picture")
    assert "not a picture" in tray_message(tray)["error"]


def test_what_a_page_draws_becomes_hints() -> None:
    drawn = {"horizon": [[0.1, 0.4], [0.9, 0.42]], "corners": [[0, 0.9], [1, 0.8]], "depths": [[[0.5, 0.5], 2.5]]}
    options = options_from({"quality": "draft", "depth": "embedded", "hints": drawn})
    assert (options.quality, options.depth) == ("draft", "embedded")
    assert options.hints is not None
    assert options.hints.horizon == ((0.1, 0.4), (0.9, 0.42))
    assert options.hints.corners == ((0.0, 0.9), (1.0, 0.8))
    assert options.hints.depths == (((0.5, 0.5), 2.5),)
    assert options_from({}).hints is None


@pytest.mark.parametrize(
    "choices",
    [
        {"quality": "perfect"},
        {"hints": {"horizon": [[0.1, 0.4]]}},
        {"hints": {"corners": ["x"]}},
        {"hints": {"depths": [[[0, 0], -1]]}},
    ],
)
def test_choices_that_make_no_sense_are_refused(choices: dict[str, object]) -> None:
    with pytest.raises(LiftError):
        options_from(choices)
