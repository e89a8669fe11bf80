"""Of a clip the sharp frames along the camera's way are kept, whatever state the file is in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from spatialwm.errors import LiftError
from spatialwm.lift.capture.sharpness import displacement, sharpness
from spatialwm.lift.capture.video import choose_frames

WIDE = gaussian_filter(np.random.default_rng(0).random((240, 1200)) * 255, 1.5)
WIDE = ((WIDE - WIDE.min()) / np.ptp(WIDE) * 255).astype(np.uint8)


def _clip(path: Path, frames: list[np.ndarray], rate: int = 30) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return path


def _pan(shift_px: Callable[[int], float], count: int, blurred: Callable[[int], bool] = lambda i: False) -> list[np.ndarray]:
    frames = []
    for i in range(count):
        left = round(shift_px(i))
        gray = WIDE[:, left : left + 320]
        gray = gaussian_filter(gray, 3.0) if blurred(i) else gray
        frames.append(np.repeat(gray[..., None], 3, axis=2))
    return frames


def test_blur_lowers_sharpness() -> None:
    assert sharpness(WIDE) > 4 * sharpness(gaussian_filter(WIDE, 2.0))


def test_displacement_grows_with_the_shift_and_ignores_exposure() -> None:
    thumb = np.asarray(Image.fromarray(WIDE[:, :960]).resize((96, 24), Image.Resampling.BOX))
    brighter = (thumb.astype(np.float32) * 0.8 + 20).astype(np.uint8)
    assert displacement(thumb, brighter) < 0.1
    pans = (Image.fromarray(WIDE[:, s : s + 960]).resize((96, 24), Image.Resampling.BOX) for s in (0, 5, 10))
    shifted = [displacement(thumb, np.asarray(pan)) for pan in pans]
    assert shifted[0] == 0
    assert shifted[1] < shifted[2]


def test_the_sharp_frame_of_each_stretch_is_chosen(tmp_path: Path) -> None:
    clip = _clip(tmp_path / "a.mp4", _pan(lambda i: 6 * i, 90, blurred=lambda i: i % 9 != 4))
    chosen = choose_frames(clip, tmp_path, 8, 640).pictures
    assert 6 <= len(chosen) <= 8
    numbers = [round((p.time_s or 0) * 30) for p in chosen]
    assert all(n % 9 == 4 for n in numbers), numbers


def test_a_camera_at_rest_adds_no_frames(tmp_path: Path) -> None:
    clip = _clip(tmp_path / "a.mp4", _pan(lambda i: 8 * max(0, i - 60), 120))
    times = [p.time_s or 0 for p in choose_frames(clip, tmp_path, 12, 640).pictures]
    assert sum(t < 1.9 for t in times) <= 1
    assert len(times) >= 8


def test_a_clip_without_motion_is_refused_with_advice(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)  # the sensor's noise is not motion, however long it goes on
    frames = [(f + rng.normal(0, 6, f.shape)).clip(0, 255).astype(np.uint8) for f in _pan(lambda i: 0, 90)]
    clip = _clip(tmp_path / "a.mp4", frames)
    with pytest.raises(LiftError, match=r"the camera hardly moves in a\.mp4: only 1 of 90 frames differ; walk slowly"):
        choose_frames(clip, tmp_path, 12, 640)


def test_few_frames_all_stay_and_only_they_are_on_disk(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    clip = _clip(tmp_path / "a.mp4", _pan(lambda i: 40 * i, 10), rate=1)
    found = choose_frames(clip, tmp_path / "out", 48, 200)
    assert len(found.pictures) == found.decoded == 10
    assert sorted(p.path for p in found.pictures) == sorted((tmp_path / "out").iterdir())
    assert (found.pictures[0].width, found.pictures[0].height) == (200, 150)


def test_long_clips_keep_few_candidates(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    most = 0

    def watch(stage: str, fraction: float) -> None:
        nonlocal most
        most = max(most, len(list((tmp_path / "out").iterdir())))

    clip = _clip(tmp_path / "a.mp4", _pan(lambda i: 2 * i, 400), rate=10)
    found = choose_frames(clip, tmp_path / "out", 6, 320, watch)
    assert len(found.pictures) <= 6
    assert most <= 31


def test_a_damaged_tail_is_noted_and_the_rest_used(tmp_path: Path) -> None:
    clip = _clip(tmp_path / "a.mkv", _pan(lambda i: 6 * i, 120))
    whole = clip.read_bytes()
    clip.write_bytes(whole[: int(len(whole) * 0.5)])
    found = choose_frames(clip, tmp_path, 12, 640)
    assert len(found.pictures) >= 4
    assert found.notes
    assert "what" in found.notes[0]


def test_a_clip_filmed_upright_comes_out_upright(tmp_path: Path) -> None:
    frames = _pan(lambda i: 20 * i, 12)
    for f in frames:
        f[:60, :60] = (255, 0, 0)  # top left as stored
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=2)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write a rotation")
        stream.set_display_rotation(90)
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    picture = choose_frames(tmp_path / "a.mp4", tmp_path, 12, 640).pictures[0]
    assert (picture.width, picture.height) == (240, 320)
    red, green, _ = np.asarray(Image.open(picture.path))[-30, 30]  # a quarter turn against the clock
    assert red > 200 > 100 > green


@pytest.mark.parametrize(("name", "content"), [("empty.mp4", b""), ("text.mov", b"not a video"), ("zeros.webm", bytes(5000))])
def test_what_is_not_a_video_is_said_in_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LiftError, match=rf"{name} is not a video that can be read"):
        choose_frames(tmp_path / name, tmp_path, 12, 640)


def test_a_single_frame_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(LiftError, match=r"a\.mp4 has a single frame; film for 10 to 60 seconds"):
        choose_frames(_clip(tmp_path / "a.mp4", _pan(lambda i: 0, 1)), tmp_path, 12, 640)
