"""Depth errors against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.bench.depth_metrics import constant_plane, metric_error, relative_error
from spatialwm.errors import ShapeError


@pytest.fixture
def truth() -> np.ndarray:
    return np.linspace(1.0, 5.0, 200).reshape(10, 20)


def test_metric_error_is_the_median_and_the_90th_percentile_in_metres(truth):
    off = np.zeros(200)
    off[:120], off[120:184], off[184:] = 0.01, 0.2, 0.9
    told = metric_error(truth + off.reshape(truth.shape), truth)
    assert told.median_m == pytest.approx(0.01)
    assert told.p90_m == pytest.approx(0.2)
    assert told.cover == 1.0
    assert metric_error(1.03 * truth, truth).bias == pytest.approx(0.03)


def test_what_is_unknown_is_not_compared_but_counted(truth):
    depth, known = truth.copy(), truth.copy()
    depth[0], depth[1], known[2], known[3] = 0, np.nan, 0, np.inf
    told = metric_error(depth, known)
    assert told.median_m == 0
    assert told.cover == pytest.approx(6 / 8)
    usable = np.zeros(truth.shape, bool)
    assert np.isnan(metric_error(depth, known, usable).median_m)
    assert np.isnan(relative_error(depth, known, usable).abs_rel)
    assert metric_error(depth, known, usable).cover == 0


def test_alignment_forgives_what_it_says_and_no_more(truth):
    assert relative_error(3 * truth, truth).abs_rel == pytest.approx(0)
    assert relative_error(3 * truth, truth).factor == pytest.approx(1 / 3)
    assert relative_error(3 * truth, truth, alignment="none").abs_rel == pytest.approx(2)
    shifted = 1 / (0.5 / truth + 0.2)
    assert relative_error(shifted, truth).abs_rel > 0.05
    assert relative_error(shifted, truth, alignment="disparity").abs_rel == pytest.approx(0, abs=1e-9)
    assert relative_error(shifted, truth, alignment="disparity").delta_125 == 1.0


def test_delta_counts_pixels_within_a_quarter(truth):
    depth = truth.copy()
    depth[:3] *= 1.3
    told = relative_error(depth, truth)
    assert told.delta_125 == pytest.approx(0.7)
    assert told.abs_rel == pytest.approx(0.3 * 0.3)


def test_the_constant_plane_stands_where_it_fits_best(truth):
    scaled = relative_error(constant_plane(truth), truth)
    assert scaled.factor == pytest.approx(np.median(truth))
    assert relative_error(constant_plane(truth), truth, alignment="disparity").abs_rel < 1
    assert scaled.abs_rel > 0.3


def test_other_shapes_are_refused(truth):
    with pytest.raises(ShapeError, match=r"\(10, 20\); got \(5, 20\)"):
        metric_error(truth[:5], truth)
    with pytest.raises(ShapeError, match="mask"):
        relative_error(truth, truth, np.ones((2, 2), bool))
