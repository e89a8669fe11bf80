"""Averaging down keeps every straight slope where it was, at any ratio."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.lift.pictures.area import area_averaged


@pytest.mark.parametrize(("width", "height"), [(160, 120), (107, 80), (81, 61), (40, 30), (53, 40), (1, 1), (159, 119)])
def test_a_ramp_stays_where_it_was_and_brightness_is_kept(width: int, height: int) -> None:
    v, u = np.mgrid[0.5:120, 0.5:160]
    small = area_averaged(np.stack([u, v], -1), width, height)
    assert small.dtype == np.float32
    x, y = (np.arange(width) + 0.5) * 160 / width, (np.arange(height) + 0.5) * 120 / height
    # Source pixels count as tiles of one value, so single pixels may be off by an eighth; all of them together may not.
    for off in (small[..., 0] - x, small[..., 1] - y[:, None]):
        assert np.abs(off).max() < 0.13
        assert abs(off.mean()) < 1e-3
    noise = np.random.default_rng(0).random((120, 160))
    assert area_averaged(noise, width, height).mean() == pytest.approx(noise.mean(), rel=1e-5)
