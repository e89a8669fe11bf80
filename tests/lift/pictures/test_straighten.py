"""Pictures through a lens become pictures through a pinhole, pixel centres and brightness exact."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.lift.pictures.lens import Lens, Optics
from spatialwm.lift.pictures.straighten import pinhole_of, source_pixels, straighten


def _scene(xy: np.ndarray) -> np.ndarray:
    """A smooth picture at directions ``(x, y, 1)``."""
    x, y = xy[..., 0], xy[..., 1]
    return 127 + np.stack([90 * np.sin(7 * x + 2 * y), 90 * np.cos(5 * y - 3 * x), 60 * np.sin(9 * x * y + 1)], axis=-1)


def _radial(width: int, height: int, focal: float, cx: float, cy: float, k1: float = 0.0, k2: float = 0.0) -> Optics:
    return Optics(width, height, focal, focal, cx, cy, Lens(radial=(k1, k2)))


def _seen_by(lens: Optics) -> np.ndarray:
    v, u = np.mgrid[0.5 : lens.height, 0.5 : lens.width]
    xy = target = (np.stack([u, v], axis=-1) - (lens.cx, lens.cy)) / lens.fx
    for _ in range(50):  # invert the distortion by fixed-point iteration
        xy = xy + (target - lens.lens.distort(xy))
    return (_scene(xy) + 0.5).astype(np.uint8)


@pytest.mark.parametrize(("k1", "k2"), [(0.0, 0.0), (-0.2, 0.05), (0.08, -0.05)])
def test_the_pinhole_sees_what_the_lens_saw(k1: float, k2: float) -> None:
    lens = _radial(640, 480, 520.0, 331.0, 236.0, k1, k2)
    pinhole = pinhole_of(lens, 320)
    out, seen = straighten(_seen_by(lens), 1, lens, pinhole)
    assert seen is None
    v, u = np.mgrid[0.5 : pinhole.height, 0.5 : pinhole.width]
    truth = _scene((np.stack([u, v], axis=-1) - (pinhole.cx, pinhole.cy)) / pinhole.fx)
    # A quarter-pixel slip would show as 0.7 levels on average here.
    assert np.abs(out - truth).mean() < 0.4
    assert np.abs(out - truth).max() < 3


def test_without_distortion_the_picture_is_its_own_pinhole() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    lens = _radial(64, 48, 60.0, 32.0, 24.0)
    pinhole = pinhole_of(lens, 64)
    assert pinhole.fx == pytest.approx(60.0, rel=1e-3)
    half = _radial(64, 48, pinhole.fx, 32.0, 24.0)
    np.testing.assert_allclose(straighten(rgb, 1, half, pinhole)[0], rgb, atol=1)


def test_every_pixel_is_the_mean_over_its_area() -> None:
    """Detail finer than the result must become its mean, not moire."""
    speckle = np.random.default_rng(0).integers(0, 2, (480, 640, 1), dtype=np.uint8).repeat(3, axis=2) * 255
    lens = _radial(640, 480, 500.0, 320.0, 240.0)
    out, _ = straighten(speckle, 1, lens, pinhole_of(lens, 160))
    mean = speckle.reshape(120, 4, 160, 4, 3).mean(axis=(1, 3))
    assert np.abs(out - mean).mean() < 4  # a single sample would be 45 off


@pytest.mark.parametrize(("k1", "k2"), [(0.2, 0.0), (-0.1, 0.02), (0.05, -0.08), (0.0, 0.0)])
def test_no_pixel_falls_outside_and_little_is_lost(k1: float, k2: float) -> None:
    lens = _radial(1000, 700, 900.0, 520.0, 340.0, k1, k2)
    p = pinhole_of(lens, 500)
    v, u = np.mgrid[0 : p.height + 1, 0 : p.width + 1]
    at = source_pixels(lens, p, np.stack([u, v], axis=-1))
    assert at.min() >= -1e-3
    assert (at <= (lens.width + 1e-3, lens.height + 1e-3)).all()
    touched = min(at[..., 0].min(), at[..., 1].min(), lens.width - at[..., 0].max(), lens.height - at[..., 1].max())
    assert touched < 1.0  # zoomed no further than needed


def test_a_picture_read_at_a_fraction_of_its_size_gives_the_same() -> None:
    lens = _radial(1280, 960, 1100.0, 640.0, 480.0, -0.1, 0.02)
    full = _seen_by(lens)
    reduced = full.reshape(480, 2, 640, 2, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    p = pinhole_of(lens, 320)
    a, b = straighten(full, 1, lens, p)[0], straighten(reduced, 2, lens, p)[0]
    assert np.abs(a.astype(int) - b).mean() < 0.6
