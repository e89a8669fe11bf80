"""Clips of which every pixel's owner is known: what moves is masked, and nothing else ever is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spatialwm.geometry.se3 import Pose
from spatialwm.lift.capture.capture import Points
from spatialwm.lift.capture.moving import clip, without_moving
from spatialwm.lift.capture.moving.clip import moving_masks
from spatialwm.lift.capture.moving.matching import CELL, match, pyramid


def test_a_clip_in_which_nothing_moves_stays_as_it_is(rest):
    assert without_moving(rest.capture) is rest.capture


@pytest.mark.parametrize("name", ["across", "crossing"])
def test_what_moves_is_masked_in_every_view(name, request):
    filmed = request.getfixturevalue(name)
    for mask, mover in zip(moving_masks(filmed.capture), filmed.movers, strict=True):
        assert (mask & mover).sum() > 0.9 * mover.sum()
        assert (mask & ~mover).sum() < 0.12 * mask.size  # a rim, and what it hides and uncovers


def test_masks_reach_the_views_the_points_and_the_notes(across):
    # Two points that structure from motion placed on the box: seen twice there, and once more elsewhere.
    c = across.capture
    capture = without_moving(c)
    assert all(v.usable is not None and not v.usable.all() for v in capture.views)
    assert len(capture.points) < len(c.points)
    assert np.bincount(capture.points.tracks[:, 0], minlength=len(capture.points)).min() >= 2
    assert capture.points.tracks[:, 0].max() == len(capture.points) - 1
    assert capture.notes[-1].startswith(f"something moves in {len(c.views)} of {len(c.views)} frames")


def test_masks_that_were_given_stay(across):
    given = np.ones(across.movers[0].shape, np.bool_)
    given[:20] = False
    capture = replace(across.capture, views=tuple(replace(v, usable=given) for v in across.capture.views))
    for view, before in zip(without_moving(capture).views, across.capture.views, strict=True):
        assert not view.usable[:20].any()
        assert view.usable.shape == before.rgb.shape[:2]


def test_a_view_whose_camera_is_wrong_is_not_taken_for_a_world_that_moves(rest):
    views = list(rest.capture.views)
    turned = views[3].camera.world_from_cam @ Pose.about_axis((0.3, 1.0, 0.2), 0.06)
    views[3] = replace(views[3], camera=replace(views[3].camera, world_from_cam=turned))
    masks = moving_masks(replace(rest.capture, views=tuple(views)))
    assert not any(m.any() for m in masks)


def test_without_points_or_with_two_views_nothing_is_claimed(across):
    blind = replace(across.capture, points=Points.none())
    assert without_moving(blind) is blind
    few = replace(across.capture, views=across.capture.views[:2])
    assert not any(m.any() for m in moving_masks(few))


def test_matches_are_right_to_half_a_pixel(rest):
    gray = rest.capture.views[0].rgb.mean(2).astype(np.float32) / 255
    shift = (13, -7)
    a, b = gray[20:140, 20:200], gray[20 - shift[1] : 140 - shift[1], 20 - shift[0] : 200 - shift[0]]
    flow, likeness = match(pyramid(a), pyramid(b))
    inside = (slice(16 // CELL, -16 // CELL), slice(24 // CELL, -24 // CELL))
    off = np.hypot(*np.moveaxis(flow - shift, -1, 0))[inside]
    assert np.quantile(off, 0.95) < 0.5
    assert np.median(likeness[inside]) > 0.95


def test_chance_matches_do_not_count_together():
    rng = np.random.default_rng(0)
    off = np.ones((30, 40), np.bool_)
    assert clip._alike(off, rng.uniform(-20, 20, (30, 40, 2)).astype(np.float32)).mean() < 0.02
    assert clip._alike(off, np.full((30, 40, 2), 5.0, np.float32)).all()
