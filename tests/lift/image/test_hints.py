"""What a user knows about a picture, as a file and as flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spatialwm.errors import LiftError
from spatialwm.lift import LiftOptions
from spatialwm.lift.image.hints import EXAMPLE, hints_from_dict, hints_from_words, hints_to_dict, read_hints
from spatialwm.lift.image.photo import Hints

ALL = Hints(
    focal_mm=28, horizon=((0, 0.5), (1, 0.48)), corners=((0.1, 0.9), (0.3, 0.7)), depths=(((0.5, 0.8), 2.5),), indoors=True
)


def test_the_example_of_the_error_is_read(tmp_path: Path) -> None:
    (tmp_path / "hints.json").write_text(EXAMPLE)
    assert read_hints(tmp_path / "hints.json") == ALL


def test_what_was_told_is_written_as_it_is_read() -> None:
    assert hints_from_dict(json.loads(json.dumps(hints_to_dict(ALL)))) == ALL
    assert hints_to_dict(Hints(indoors=False)) == {"indoors": False}


def test_options_are_recorded_where_they_were_chosen() -> None:
    assert LiftOptions().to_dict() == {"quality": "standard", "seed": 0}
    chosen = LiftOptions(seconds=30, depth="embedded", hints=Hints(focal_mm=28)).to_dict()
    assert chosen == {"quality": "standard", "seed": 0, "seconds": 30, "depth": "embedded", "hints": {"focal_mm": 28}}


def test_flags_say_the_same_and_win_over_the_file() -> None:
    words = hints_from_words(
        focal_mm=28, horizon=["0,0.5", "1,0.48"], corners=["0.1,0.9", "0.3,0.7"], depths=["0.5,0.8=2.5"], indoors=True
    )
    assert words == ALL
    assert hints_from_words(ALL, focal_mm=35, indoors=False) == Hints(
        focal_mm=35, horizon=ALL.horizon, corners=ALL.corners, depths=ALL.depths, indoors=False
    )
    assert hints_from_words() is None
    assert hints_from_words(ALL) is ALL


@pytest.mark.parametrize(
    "told",
    ["[]", '{"focal": 28}', '{"horizon": [[0, 1]]}', '{"corners": [[1, 2, 3]]}', '{"depths": [[0.5, 0.8, 2.5]]}',
     '{"indoors": "yes"}', '{"focal_mm": "long"}', '{"depths": [[[0.5, 0.8], -1]]}', '{"corners": [[50, 400]]}'],
)  # fmt: skip
def test_what_does_not_fit_is_refused(told: str) -> None:
    with pytest.raises(LiftError):
        hints_from_dict(json.loads(told))


def test_files_that_are_none_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LiftError, match=r"none\.json"):
        read_hints(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(LiftError, match=r"broken\.json is not JSON"):
        read_hints(tmp_path / "broken.json")


@pytest.mark.parametrize(
    ("flag", "word"), [("depths", "0.5,0.8"), ("depths", "0.5,0.8=far"), ("corners", "left"), ("horizon", "1")]
)
def test_a_word_that_is_no_place_is_named(flag: str, word: str) -> None:
    with pytest.raises(LiftError, match=word):
        hints_from_words(**{flag: [word]})  # pyright: ignore[reportArgumentType]
