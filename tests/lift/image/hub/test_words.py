"""The real Grounding DINO, tiny and with random weights, run through the production path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spatialwm.errors import LiftError
from spatialwm.lift.image.hub.words import WordModel
from spatialwm.lift.image.photo import Photo


@pytest.fixture
def model(saved: Path) -> WordModel:
    return WordModel(saved / "grounding-dino", ["cpu"], sure=0.0)


def test_boxes_lie_in_the_picture_and_the_surest_comes_first(model: WordModel, photo: Photo) -> None:
    found = model.boxes_for(photo.rgb, ["the red chair", "a lamp"])
    assert found
    assert {f.label for f in found} <= {"the red chair", "a lamp"}
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    boxes = np.array([f.box for f in found])
    assert (boxes[:, 0] <= boxes[:, 2]).all()
    assert (boxes[:, 1] <= boxes[:, 3]).all()
    assert boxes.min() >= 0
    assert (boxes[:, [2, 3]] <= photo.size).all()
    assert len(set(f.box for f in found)) == len(found)  # what is called both is one thing
    assert found == model.boxes_for(photo.rgb, "The red chair. A lamp.")


def test_nothing_is_answered_below_the_threshold(saved: Path, photo: Photo) -> None:
    assert WordModel(saved / "grounding-dino", ["cpu"], sure=1.1).boxes_for(photo.rgb, "a lamp") == []


@pytest.mark.parametrize(
    ("words", "said"), [("", "no words"), (" . ", "no words"), (["a lamp"] * 100, "100 phrases of 302 tokens")]
)
def test_words_that_cannot_be_read_are_refused(model: WordModel, photo: Photo, words: str | list[str], said: str) -> None:
    with pytest.raises(LiftError, match=said):
        model.boxes_for(photo.rgb, words)
