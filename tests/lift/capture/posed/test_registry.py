"""Formats are told apart by what a folder holds, and other folders are nobody's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spatialwm.lift.capture.posed import READERS, posed_reader


@pytest.mark.parametrize(
    ("format_name", "files"),
    [
        ("transforms.json", {"transforms.json": "{}"}),
        ("transforms.json", {"transforms_train.json": "{}"}),
        ("7-Scenes", {"frame-000000.pose.txt": ""}),
        ("7-Scenes", {"seq-01/frame-000000.pose.txt": ""}),
        ("TUM RGB-D", {"rgb.txt": "", "groundtruth.txt": ""}),
        ("ARKit", {"keyframes/cameras/1.json": "{}", "keyframes/images/1.jpg": ""}),
        ("ARKit", {"frame_00000.json": "{}", "frame_00000.jpg": ""}),
        ("COLMAP", {"sparse/0/cameras.bin": "", "sparse/0/images.bin": ""}),
        ("COLMAP", {"cameras.txt": "", "images.txt": ""}),
        (None, {"a.jpg": "", "b.jpg": ""}),
        (None, {"images/a.jpg": "", "cameras.txt": ""}),
        (None, {"meta.json": "{}"}),
        (None, {}),
    ],
)
def test_a_folder_is_recognised_by_what_it_holds(tmp_path: Path, format_name: str | None, files: dict[str, str]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert posed_reader(tmp_path) is (READERS[format_name].read if format_name else None)


def test_files_are_recognised_by_their_content(tmp_path: Path) -> None:
    file = tmp_path / "cameras.json"
    file.write_text('{"frames": [{"file_path": "a.png", "transform_matrix": []}]}')
    assert posed_reader(file) is READERS["transforms.json"].read
    file.write_text('{"rooms": []}')
    assert posed_reader(file) is None
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    assert posed_reader(tmp_path / "a.png") is None


@pytest.mark.parametrize("path", ["nowhere", "a\0b", "x" * 5000, "a sentence about a room"])
def test_what_is_no_path_is_nobodys(path: str) -> None:
    assert posed_reader(path) is None
