"""Lenses bend as the programs that fitted them say, and straightened pictures show what a straight lens would have seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from spatialwm.errors import LiftError
from spatialwm.lift.capture.posed.shots import Shot, develop
from spatialwm.lift.pictures.lens import COLMAP_NUMBERS, Lens, Optics, colmap_optics

PARAMETERS = {
    "SIMPLE_PINHOLE": (100.0, 81.0, 59.0),
    "PINHOLE": (100.0, 103.0, 81.0, 59.0),
    "SIMPLE_RADIAL": (100.0, 81.0, 59.0, -0.12),
    "RADIAL": (100.0, 81.0, 59.0, 0.06, -0.08),
    "OPENCV": (100.0, 103.0, 81.0, 59.0, 0.06, -0.08, -0.001, 0.002),
    "OPENCV_FISHEYE": (90.0, 91.0, 81.0, 59.0, 0.02, -0.01, 0.004, -0.001),
    "FULL_OPENCV": (100.0, 103.0, 81.0, 59.0, 0.3, -0.1, -0.001, 0.002, 0.02, 0.25, -0.05, 0.01),
    "FOV": (100.0, 103.0, 81.0, 59.0, 0.7),
    "SIMPLE_RADIAL_FISHEYE": (90.0, 81.0, 59.0, 0.02),
    "RADIAL_FISHEYE": (90.0, 81.0, 59.0, 0.02, -0.01),
    "THIN_PRISM_FISHEYE": (90.0, 91.0, 81.0, 59.0, 0.02, -0.01, -0.001, 0.002, 0.004, -0.001, 0.003, -0.002),
}


@pytest.mark.parametrize("model", PARAMETERS)
def test_every_model_bends_as_colmap_says(model: str) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    camera = pycolmap.Camera(model=model, width=160, height=120, params=PARAMETERS[model])
    assert COLMAP_NUMBERS[int(camera.model.value)] == model
    xy = np.random.default_rng(0).uniform(-0.6, 0.6, (200, 2))
    theirs = np.array([camera.img_from_cam(np.array([x, y, 1.0])) for x, y in xy]).reshape(-1, 2)
    o = colmap_optics(model, 160, 120, PARAMETERS[model])
    np.testing.assert_allclose(o.lens.distort(xy) * (o.fx, o.fy) + (o.cx, o.cy), theirs, atol=1e-9)


@pytest.mark.parametrize("model", [m for m in PARAMETERS if "PINHOLE" not in m])
@pytest.mark.parametrize("longest_px", [None, 107, 64])
def test_a_bent_picture_becomes_what_a_straight_lens_sees(tmp_path: Path, room: Any, model: str, longest_px: int) -> None:
    optics = colmap_optics(model, 160, 120, PARAMETERS[model])
    camera = replace(room.walk(3)[1], fx=optics.fx, fy=optics.fy, cx=optics.cx, cy=optics.cy)
    rgb, depth = room.look(camera, optics)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    view, notes = develop(Shot("a", tmp_path / "a.png", camera.world_from_cam, optics, lambda: depth), longest_px)
    assert notes == ()
    truth, true_depth = room.look(view.camera)
    seen = np.ones(truth.shape[:2], bool) if view.usable is None else view.usable
    assert seen.mean() > 0.6
    error = view.rgb.astype(float) - truth
    assert np.abs(error[seen]).mean() < 2.5
    right, down = np.gradient(truth.astype(float), axis=1), np.gradient(truth.astype(float), axis=0)
    smooth = seen & (np.abs(np.stack([right, down])).max((0, -1)) < 12)  # at the table's edge a shift means nothing
    slopes = np.stack([right[smooth].ravel(), down[smooth].ravel()], 1)
    shift, *_ = np.linalg.lstsq(slopes, error[smooth].ravel(), rcond=None)
    assert np.abs(shift).max() < 0.04, "pixels; a half-pixel mistake would show as 0.5"
    assert view.depth is not None
    measured = seen & (view.depth > 0)
    assert np.median(np.abs(view.depth - true_depth)[measured]) < 0.012
    assert set(np.unique(view.depth)) <= {0.0, *np.unique(depth.astype(np.float32))}


def test_surroundings_beyond_a_lens_turning_point_are_not_folded_into_the_picture() -> None:
    lens = Lens(radial=(-0.3,))  # r - 0.3 r^3 turns back at r = 1.054
    bent = lens.distort(np.array([[0.9, 0.0], [1.04, 0.0], [1.2, 0.0], [0.0, 3.0]]))
    assert np.isnan(bent[:, 0]).tolist() == [False, False, True, True]


def test_a_wide_fisheye_has_black_corners_marked_as_unusable(tmp_path: Path) -> None:
    Image.new("RGB", (120, 120), "white").save(tmp_path / "a.png")
    optics = Optics(120, 120, 40.0, 40.0, 60.0, 60.0, Lens(radial=(0.0,), fisheye=True))
    big = Optics(120, 120, 40.0, 40.0, 60.0, 60.0, Lens(radial=(0.5, 0.5)))
    from spatialwm.geometry.se3 import Pose

    inside, _ = develop(Shot("a", tmp_path / "a.png", Pose(), optics), None)
    assert inside.usable is None, "an equidistant lens sees more than a straight one of the same focal length"
    outside, _ = develop(Shot("a", tmp_path / "a.png", Pose(), big), None)
    assert outside.usable is not None
    assert not outside.usable[0, 0]
    assert outside.usable[60, 60]


def test_unknown_models_and_wrong_counts_are_refused_by_name() -> None:
    with pytest.raises(LiftError, match="camera model EQUIRECTANGULAR is not known"):
        colmap_optics("EQUIRECTANGULAR", 10, 10, (1.0,))
    with pytest.raises(LiftError, match="OPENCV has 8 parameters; got 3"):
        colmap_optics("OPENCV", 10, 10, (1.0, 2.0, 3.0))
    with pytest.raises(LiftError, match="must be positive"):
        colmap_optics("SIMPLE_PINHOLE", 10, 10, (-1.0, 2.0, 3.0))
