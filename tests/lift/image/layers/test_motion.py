"""The motion that is stated is one that was looked at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.gaussians import Gaussians, concatenate
from spatialwm.lift.image.layers.motion import MOST_HOLES, Motion, _may_show, hole_share, moved, safe_motion
from spatialwm.lift.image.layers.sharpen import AIM_DB, BRIGHTEST, coverage, sharpened
from spatialwm.lift.image.layers.splats import cells_of, splats, underlay_of

from .stills import CAMERA, HEIGHT, WIDTH, plane, surface

PLANNED = Motion(0.3, 0.2)


def wall(keep_columns: int = WIDTH) -> Gaussians:
    """A wall 3 m ahead, seen from its left border up to a column."""
    made = surface(plane((0.0, 0.0, 1.0), 3.0))
    where = np.zeros((HEIGHT, WIDTH), bool)
    where[:, :keep_columns] = True
    return splats(made, cells_of(made, where), 0.99)


def test_a_picture_that_ends_at_its_border_allows_only_a_small_step() -> None:
    inner = type(CAMERA)(CAMERA.world_from_cam, WIDTH - 4, HEIGHT - 4, 80.0, 80.0, WIDTH / 2 - 2, HEIGHT / 2 - 2)
    found, holes = safe_motion(wall(), [inner], PLANNED)
    assert 0 < found.aside_m < 0.3 * PLANNED.aside_m
    assert holes <= MOST_HOLES


def test_a_wall_that_goes_on_allows_the_whole_motion() -> None:
    narrow = CAMERA.resized(WIDTH, HEIGHT)
    small = type(narrow)(narrow.world_from_cam, WIDTH // 2, HEIGHT // 2, 80.0, 80.0, WIDTH / 4, HEIGHT / 4)
    found, holes = safe_motion(wall(), [small], PLANNED)
    assert found == PLANNED
    assert holes == 0


def test_where_holes_are_seen_without_a_step_no_motion_is_stated() -> None:
    found, holes = safe_motion(wall(WIDTH // 2), [CAMERA], PLANNED)
    assert found == Motion(0.0, 0.0)
    assert holes == pytest.approx(0.5, abs=0.05)


def test_what_a_view_is_spared_never_shows_in_it() -> None:
    rng = np.random.default_rng(0)
    n = 3000
    directions = rng.normal(size=(n, 3))
    means = directions / np.linalg.norm(directions, axis=1, keepdims=True) * rng.uniform(0.2, 4, (n, 1))
    quats, scales = rng.normal(size=(n, 4)), rng.uniform(0.01, 0.3, (n, 3))
    around = Gaussians.from_numpy(means, quats, scales, np.full(n, 0.9), rgb=np.full((n, 3), 0.5))
    spared = around.select(~_may_show(around, CAMERA, 0.3))
    assert len(spared) > 500
    for step in PLANNED.extremes():
        assert coverage(spared, moved(CAMERA, step)).max() == 0


def test_a_step_ahead_and_back_opens_no_gaps_between_splats() -> None:
    narrow = type(CAMERA)(CAMERA.world_from_cam, WIDTH // 4, HEIGHT // 4, 80.0, 80.0, WIDTH / 8, HEIGHT / 8)
    for step in (-1.0, 1.5, 2.0):
        assert hole_share(wall(), moved(narrow, (0.0, 0.0, step))) == 0


def test_the_underlay_closes_what_detail_lets_through() -> None:
    made = surface(plane((0.0, 0.0, 1.0), 3.0))
    made.rgb[:] = np.random.default_rng(0).random(made.rgb.shape)
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    detail = splats(made, cells_of(made, everywhere), 0.99)
    narrow = type(CAMERA)(CAMERA.world_from_cam, WIDTH // 4, HEIGHT // 4, 80.0, 80.0, WIDTH / 8, HEIGHT / 8)
    assert coverage(detail, narrow).min() < 0.9
    under = splats(made, underlay_of(made, everywhere), 0.99)
    for step in (-0.5, 0.0, 2.0):
        assert coverage(concatenate([detail, under]), moved(narrow, (0.0, 0.0, step))).min() > 0.95


def test_colors_are_sharpened_until_the_render_is_the_picture() -> None:
    rng = np.random.default_rng(0)
    made = surface(plane((0.3, 0.6, 1.0), 3.0))
    made.rgb[:] = 0.5 + 0.25 * (rng.random(made.rgb.shape) - 0.5)
    found = splats(made, cells_of(made, np.ones((HEIGHT, WIDTH), bool)), 0.99)
    _, before = sharpened(found, [(CAMERA, made.rgb)], steps=0)
    better, after = sharpened(found, [(CAMERA, made.rgb)], steps=10)
    assert after > before + 4 or after >= AIM_DB
    assert torch.equal(better.means, found.means)
    assert 0 <= float(better.rgb.min()) <= float(better.rgb.max()) <= BRIGHTEST


def test_white_beside_black_lines_is_made_up_for_by_more_than_white(monkeypatch: pytest.MonkeyPatch) -> None:
    made = surface(plane((0.0, 0.0, 1.0), 3.0))
    made.rgb[:] = 1.0
    made.rgb[:, ::8] = 0.0
    found = splats(made, cells_of(made, np.ones((HEIGHT, WIDTH), bool)), 0.99)
    brighter, after = sharpened(found, [(CAMERA, made.rgb)], steps=10)
    monkeypatch.setattr("spatialwm.lift.image.layers.sharpen.BRIGHTEST", 1.0)
    _, cut = sharpened(found, [(CAMERA, made.rgb)], steps=10)
    assert float(brighter.rgb.max()) > 1.2
    assert after > cut + 0.5


def test_plain_walls_are_not_see_through() -> None:
    made = surface(plane((0.0, 0.0, 1.0), 3.0))
    everywhere = np.ones((HEIGHT, WIDTH), bool)
    cells = [cells_of(made, everywhere), underlay_of(made, everywhere)]
    narrow = type(CAMERA)(CAMERA.world_from_cam, WIDTH // 2, HEIGHT // 2, 80.0, 80.0, WIDTH / 4, HEIGHT / 4)
    assert coverage(splats(made, cells[0], 0.99), narrow).min() < 0.9
    assert coverage(concatenate([splats(made, c, 0.99) for c in cells]), narrow).min() > 0.95
