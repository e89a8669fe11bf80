from __future__ import annotations

import math

import numpy as np
import pytest

from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.segments import line_segments
from spatialwm.lift.image.embedded.vanishing import find_manhattan, level_axes
from spatialwm.lift.image.embedded.view import up_of_horizon

SIZE = (640, 480)


def edges_of_a_room(axes: np.ndarray, focal_px: float, seed: int = 0) -> np.ndarray:
    """Pieces of lines along the axes, as a camera in a room sees them, longest first."""
    rng = np.random.default_rng(seed)
    out = []
    while len(out) < 120:
        start = rng.uniform((-3, 1, -1.5), (3, 6, 1.5))
        ends = np.stack([start, start + rng.uniform(0.3, 1.5) * np.eye(3)[rng.integers(3)]]) @ axes
        if (ends[:, 2] < 0.3).any():
            continue
        px = focal_px * ends[:, :2] / ends[:, 2:] + np.array(SIZE) / 2
        if (px < 0).any() or (px > SIZE).any() or np.linalg.norm(px[1] - px[0]) < 20:
            continue
        out.append((px + rng.normal(0, 0.4, (2, 2))).ravel())
    lines = np.array(out)
    return lines[np.argsort(-np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]))]


@pytest.mark.parametrize(("pitch_deg", "roll_deg", "yaw_deg"), [(0, 0, 25), (12, -3, 10), (28, 5, -30), (-10, 2, 40)])
def test_the_camera_s_tilt_and_focal_length_come_out_of_a_room_s_edges(pitch_deg: float, roll_deg: float, yaw_deg: float) -> None:
    axes = level_axes(math.radians(pitch_deg), math.radians(roll_deg), math.radians(yaw_deg))
    found = find_manhattan(edges_of_a_room(axes, 620.0), SIZE, 520.0, 0.3)
    assert math.degrees(math.acos(min(1.0, found.axes[2] @ axes[2]))) < 1.0
    assert found.focal_px == pytest.approx(620, rel=0.08)
    assert found.focal_sigma < 0.14
    assert found.upright + found.square > 0.7


def test_segments_that_run_anyhow_are_no_frame() -> None:
    rng = np.random.default_rng(1)
    start, angle = rng.uniform((0, 0), SIZE, (200, 2)), rng.uniform(0, 2 * np.pi, 200)
    ends = start + 30 * np.stack([np.cos(angle), np.sin(angle)], 1)
    found = find_manhattan(np.concatenate([start, ends], 1), SIZE, 520.0, 0.3)
    assert found.upright + found.square < 0.28
    assert found.focal_sigma > 0.14


def test_a_drawn_edge_is_one_segment_where_it_was_drawn() -> None:
    rgb = np.full((200, 300, 3), 60, np.uint8)
    v, u = np.mgrid[0.5:200, 0.5:300]
    rgb[v > 0.3 * u + 40] = 200
    segments = line_segments(Look.of(rgb).gradient)
    assert len(segments) == 1
    x0, y0, x1, y1 = segments[0]
    assert abs(x1 - x0) > 280
    assert np.abs([y0 - (0.3 * x0 + 40), y1 - (0.3 * x1 + 40)]).max() < 0.7


def test_a_horizon_through_the_middle_means_a_level_camera_and_above_it_one_that_looks_down() -> None:
    assert np.allclose(up_of_horizon(((0, 0.5), (1, 0.5)), SIZE, 500), (0, -1, 0))
    looking_down = up_of_horizon(((0, 0.25), (1, 0.25)), SIZE, 500)
    assert looking_down[2] == pytest.approx(-math.sin(math.atan(120 / 500)))
