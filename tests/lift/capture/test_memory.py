"""Sixty 12-megapixel photographs fit beside other programs on an 8 GB laptop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

COUNT, WIDTH, HEIGHT = 60, 4000, 3000
LIFT = """
import resource, sys
from pathlib import Path
from spatialwm import studio
from spatialwm.errors import LiftError
from spatialwm.lift import LiftOptions
from spatialwm.lift.capture.photos import capture_from_photos
try:
    if sys.argv[2] == "cameras":
        capture_from_photos(sys.argv[1], "standard")
    else:
        options = LiftOptions(quality="standard", seconds=5)
        studio.create(sys.argv[1], Path(sys.argv[1]) / "a.world", options=options).close()
except LiftError as e:
    print(e)
print(*(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""


@pytest.fixture(scope="module")
def photos(room: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large, noisy pictures of the room, with cameras."""
    folder = tmp_path_factory.mktemp("photos")
    grain = np.random.default_rng(0).integers(-20, 20, (HEIGHT, WIDTH, 1), np.int16)
    frames = []
    for i, camera in enumerate(room.walk(COUNT, 400, 300)):
        smooth = Image.fromarray(room.look(camera)[0]).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
        noisy = np.clip(np.asarray(smooth) + np.roll(grain, 60 * i, axis=1), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{i:02d}.jpg", quality=80)
        matrix = camera.world_from_cam.matrix() @ np.diag([1.0, -1.0, -1.0, 1.0])
        frames.append({"file_path": f"{i:02d}.jpg", "transform_matrix": matrix.tolist()})
    optics = {"fl_x": 10 * camera.fx, "fl_y": 10 * camera.fy, "k1": -0.02, "w": WIDTH, "h": HEIGHT}
    (folder / "transforms.json").write_text(json.dumps({**optics, "frames": frames}))
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", ["world", "cameras"])
def test_sixty_photos_of_twelve_megapixels_take_less_than_six_gigabytes(photos: Path, what: str) -> None:
    run = subprocess.run([sys.executable, "-c", LIFT, str(photos), what], capture_output=True, text=True, timeout=1700)
    assert run.returncode == 0, run.stderr
    peaks_gb = [float(kib) / 2**20 for kib in run.stdout.split()[-2:]]
    print(run.stdout, peaks_gb)
    assert sum(peaks_gb) < 6.0
