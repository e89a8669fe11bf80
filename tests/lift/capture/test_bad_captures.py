"""Odd and hopeless captures, end to end: a world, or one sentence that says what to do; and nothing private goes along."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from spatialwm import studio
from spatialwm.errors import LiftError
from spatialwm.lift import LiftOptions, lifter_for
from spatialwm.lift.capture.lifter import CaptureLifter
from spatialwm.lift.capture.photos import capture_from_video, find_photos
from spatialwm.lift.capture.training import Plan
from spatialwm.lift.capture.video import choose_frames
from spatialwm.lift.pictures.picture import load_rgb

PLAN = Plan(seconds=None, steps=5, cap=300, start_count=200)


def posed(folder: Path, room: Any, pictures: list[np.ndarray] | None = None, save: Any = None) -> Path:
    """A folder of pictures of the room, or of others in their place, with cameras."""
    frames = []
    for i, camera in enumerate(room.walk(6, 96, 72)):
        image = Image.fromarray(room.look(camera)[0] if pictures is None else pictures[i])
        save(image, folder / f"{i}.jpg") if save else image.save(folder / f"{i}.jpg", quality=95)
        matrix = camera.world_from_cam.matrix() @ np.diag([1.0, -1.0, -1.0, 1.0])
        frames.append({"file_path": f"{i}.jpg", "transform_matrix": matrix.tolist()})
    optics = {"fl_x": camera.fx, "fl_y": camera.fy, "cx": camera.cx, "cy": camera.cy, "w": 96, "h": 72}
    (folder / "transforms.json").write_text(json.dumps({**optics, "frames": frames}))
    return folder


def texture(seed: int, height: int, width: int, grain: float = 2.0) -> np.ndarray:
    noise = gaussian_filter(np.random.default_rng(seed).random((height, width, 3)), (grain, grain, 0))
    return ((noise - noise.min()) / np.ptp(noise) * 255).astype(np.uint8)


def film(path: Path, frames: list[np.ndarray], **options: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", **options})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_all_black_pictures_with_cameras_are_refused(tmp_path: Path, room: Any) -> None:
    with pytest.raises(LiftError, match=r"nothing that two of the 5 pictures show could be placed in space: they are blank"):
        CaptureLifter(PLAN).lift(str(posed(tmp_path, room, [np.zeros((72, 96, 3), np.uint8)] * 6)))


def test_pictures_from_one_place_with_one_camera_are_refused(tmp_path: Path, room: Any) -> None:
    posed(tmp_path, room, [texture(0, 72, 96)] * 6)
    meta = json.loads((tmp_path / "transforms.json").read_text())
    meta["frames"] = [{**f, "transform_matrix": meta["frames"][0]["transform_matrix"]} for f in meta["frames"]]
    (tmp_path / "transforms.json").write_text(json.dumps(meta))
    with pytest.raises(LiftError, match=r"could be placed in space: .*all alike"):
        CaptureLifter(PLAN).lift(str(tmp_path))


def test_where_a_photo_was_taken_never_reaches_the_world(tmp_path: Path, room: Any) -> None:
    marks = [b"SECRETPLACE", b"OWNERSNAME", b"SERIAL12345"]

    def save(image: Image.Image, path: Path) -> None:
        exif = Image.Exif()
        exif[0x010F], exif[0x0110], exif[0x013B] = "Maker", "Model", "OWNERSNAME"
        exif.get_ifd(0x8769)[0xA431] = "SERIAL12345"
        exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2), 27: b"ASCII\0\0\0SECRETPLACE"})
        image.save(path, quality=95, exif=exif, comment=b"SECRETPLACE")

    (tmp_path / "scan").mkdir()
    source = posed(tmp_path / "scan", room, save=save)
    stored = (source / "0.jpg").read_bytes()
    assert all(mark in stored for mark in marks)
    stopped = {"done": False}

    def stop(stage: str, fraction: float) -> None:
        if stage == "finding the floor" and not stopped["done"]:
            stopped["done"] = True
            raise KeyboardInterrupt

    options = LiftOptions(quality="draft", seconds=1)
    with pytest.raises(KeyboardInterrupt):
        studio.create(str(source), tmp_path / "a.world", options=options, progress=stop)
    unfinished = [f.read_bytes() for f in (tmp_path / "a.world.unfinished").rglob("*") if f.is_file()]
    studio.create(str(source), tmp_path / "a.world", options=options).close()
    kept = [f.read_bytes() for f in (tmp_path / "a.world").rglob("*") if f.is_file()]
    assert len(unfinished) >= 2
    assert len(kept) >= 2
    assert not [mark for mark in marks for content in (*unfinished, *kept) if mark in content]


def test_a_folder_that_may_not_be_opened_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / "photos").mkdir()
    monkeypatch.setattr(Path, "iterdir", refused)
    for look in (lambda: lifter_for(str(tmp_path / "photos")), lambda: find_photos(tmp_path / "photos")):
        with pytest.raises(LiftError, match=r"cannot look into .*photos: Permission denied; check its permissions"):
            look()


@pytest.mark.slow
def test_frames_of_an_8k_clip_are_reduced_as_they_are_decoded(tmp_path: Path) -> None:
    big = np.kron(texture(0, 540, 960), np.ones((8, 8, 1), np.uint8))
    frames = [np.ascontiguousarray(np.roll(big, 200 * i, axis=1)) for i in range(3)]
    clip = choose_frames(film(tmp_path / "a.mp4", frames), tmp_path, 12, 1280)
    assert clip.decoded == 3
    assert len(clip.pictures) == 3
    assert all((p.width, p.height) == (1280, 720) for p in clip.pictures)


def test_a_camera_that_turns_on_the_spot_is_told_to_step_aside(tmp_path: Path) -> None:
    pytest.importorskip("pycolmap")
    height, width, focal = 240, 320, 270.0
    sphere = texture(3, 900, 3600, 1.5).astype(np.float32)  # all around, 10 pixels a degree
    v, u = np.mgrid[0.5:height, 0.5:width]
    rays = np.stack([(u - width / 2) / focal, (v - height / 2) / focal, np.ones_like(u)], -1)
    frames = []
    for i in range(8):
        yaw = 0.06 * i
        x = rays[..., 0] * np.cos(yaw) + rays[..., 2] * np.sin(yaw)
        z = rays[..., 2] * np.cos(yaw) - rays[..., 0] * np.sin(yaw)
        azimuth, height_rad = np.arctan2(x, z), np.arctan2(rays[..., 1], np.hypot(x, z))
        at = [450 + height_rad * 3600 / (2 * np.pi), (azimuth / (2 * np.pi) + 0.5) * 3600]
        frames.append(np.stack([map_coordinates(sphere[..., c], at, order=1) for c in range(3)], -1).astype(np.uint8))
    with pytest.raises(LiftError, match=r"turned on the spot; take a step sideways"):
        capture_from_video(film(tmp_path / "a.mp4", frames, crf="15"), "draft")


def test_a_picture_that_claims_a_gigapixel_is_refused(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    chunk = b"\0\0\0\r" + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT")
    with pytest.raises(LiftError, match=r"a\.png has more than \d+ megapixels; scale it down"):
        load_rgb(tmp_path / "a.png", 640)
