"""Pictures and films on disk: right colours, never half a file."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import ExportError
from spatialwm.render import write_mp4, write_png

GREY = np.full((48, 64, 3), 0.5, np.float32)


def leftovers(folder) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_png_holds_the_pixels(tmp_path):
    rgb = np.random.default_rng(0).random((5, 7, 3))
    path = write_png(tmp_path / "bild-ü.png", rgb)
    assert np.array_equal(np.asarray(Image.open(path)), np.rint(rgb * 255).astype(np.uint8))
    assert leftovers(tmp_path) == ["bild-ü.png"]


def test_an_empty_picture_is_refused_and_leaves_the_old_one(tmp_path):
    path = write_png(tmp_path / "a.png", GREY)
    before = path.read_bytes()
    with pytest.raises(ExportError, match="at least 1x1"):
        write_png(path, np.zeros((0, 0, 3)))
    assert path.read_bytes() == before
    assert leftovers(tmp_path) == ["a.png"]


def test_a_missing_folder_is_a_clear_error(tmp_path):
    with pytest.raises(ExportError, match=r"cannot write .*none"):
        write_png(tmp_path / "none" / "a.png", GREY)
    with pytest.raises(ExportError, match=r"cannot write .*none"):
        write_mp4(tmp_path / "none" / "a.mp4", [GREY])


@pytest.mark.parametrize("size", [(48, 64), (47, 65)])
def test_a_film_plays_back_every_frame_in_its_colors(tmp_path, size):
    colors = [(0.8, 0.2, 0.2), (0.2, 0.7, 0.3), (0.2, 0.3, 0.9), (1.0, 1.0, 1.0)]
    frames = [np.broadcast_to(np.float32(c), (*size, 3)) for c in colors]
    seen = []
    path = write_mp4(tmp_path / "film.mp4", iter(frames), fps=12, progress=lambda stage, f: seen.append(f), total=4)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.pix_fmt == "yuv420p"
        assert stream.average_rate == 12
        assert stream.codec_context.colorspace == 1  # BT.709, so that no player guesses
        back = [f.to_ndarray(format="rgb24", src_colorspace="ITU709") for f in film.decode(video=0)]
    assert len(back) == 4
    assert back[0].shape == (size[0] // 2 * 2, size[1] // 2 * 2, 3)
    for color, frame in zip(colors, back, strict=True):
        assert np.abs(frame / 255 - color).max() < 0.03
    assert seen == [0.25, 0.5, 0.75, 1.0]
    assert leftovers(tmp_path) == ["film.mp4"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_film_leaves_nothing(tmp_path, error):
    def frames():
        yield GREY
        yield GREY
        raise error

    with pytest.raises(error):
        write_mp4(tmp_path / "film.mp4", frames())
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([], "at least one frame"),
        ([GREY, GREY[:-4]], "frame 1 is"),
        ([np.zeros((1, 1, 3))], "at least 2x2"),
    ],
)
def test_what_is_no_film_is_refused(tmp_path, frames, message):
    with pytest.raises(ExportError, match=message):
        write_mp4(tmp_path / "film.mp4", frames)
    assert leftovers(tmp_path) == []


def test_a_senseless_frame_rate_is_refused(tmp_path):
    with pytest.raises(ExportError, match="fps"):
        write_mp4(tmp_path / "film.mp4", [GREY], fps=0)
