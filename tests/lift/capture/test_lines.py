"""Upright edges in pictures say where up is, and clutter says nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from spatialwm.geometry.camera import Camera
from spatialwm.lift.capture.capture import View
from spatialwm.lift.capture.lines import edge_planes
from spatialwm.lift.capture.posed import PosedOptions, transforms
from spatialwm.lift.capture.up import up_from_cameras, up_from_lines

UP = np.array([0.0, 0.0, 1.0])


def street(lean_deg: float = 0.0, posts: bool = True, seed: int = 0) -> list[View]:
    """Posts of 4 m along a street, seen by someone who walks along it and looks down; and as many sticks of any direction."""
    rng = np.random.default_rng(seed)
    feet = np.column_stack([rng.choice([-3.0, 3.0], 40) + rng.normal(0, 0.4, 40), rng.uniform(3, 40, 40), np.zeros(40)])
    lean = np.array([math.sin(math.radians(lean_deg)), 0.0, math.cos(math.radians(lean_deg))])
    sticks = [(a, a + 4 * lean) for a in feet if posts] + [(a, a + rng.normal(0, 2, 3)) for a in feet + (0, 0, 1.5)]
    views = []
    for i in range(12):
        camera = Camera.look_at((0.2 * (i % 3), 1.0 * i, 1.6), (0.3 * (i % 2), 1.0 * i + 5, -0.2), 480, 360, 75.0)
        image = Image.new("L", (960, 720), 90)
        draw = ImageDraw.Draw(image)
        for a, b in sticks:
            p = camera.world_from_cam.inverse().apply(np.stack([a, b]))
            if (p[:, 2] > 0.5).all():
                line = [(2 * (x / z * camera.fx + camera.cx), 2 * (y / z * camera.fy + camera.cy)) for x, y, z in p]
                draw.line(line, fill=230, width=9)
        views.append(View(str(i), camera, np.asarray(image.resize((480, 360), Image.Resampling.BOX).convert("RGB"))))
    return views


def off_deg(direction: np.ndarray, other: np.ndarray = UP) -> float:
    return math.degrees(math.acos(min(1.0, float(direction @ other))))


def test_posts_settle_the_pitch_that_cameras_cannot() -> None:
    views = street()
    held = up_from_cameras([view.camera for view in views])
    assert off_deg(held.direction) > 5, "all look down the street"
    found = up_from_lines(views, held)
    assert found is not None
    assert off_deg(found.direction) < 1.0
    assert found.sigma_rad < held.sigma_rad / 3


def test_the_plane_of_an_edge_holds_the_edge_wherever_it_is_in_the_picture() -> None:
    camera = Camera.look_at((0.0, 0.0, 1.5), (0.3, 4.0, 0.7), 480, 360, 80.0)
    camera = replace(camera, cx=250.0, cy=170.0, fy=camera.fy * 1.02)
    image = Image.new("L", (1920, 1440), 60)
    for x in (-2.0, -0.7, 1.1, 2.4):
        ends = camera.world_from_cam.inverse().apply(np.array([[x, 4.0, -3.0], [x, 4.0, 6.0]]))
        line = [(4 * (a / z * camera.fx + camera.cx), 4 * (b / z * camera.fy + camera.cy)) for a, b, z in ends]
        ImageDraw.Draw(image).line(line, fill=220, width=120)
    rgb = np.asarray(image.resize((480, 360), Image.Resampling.BOX).convert("RGB"))
    off = np.degrees(np.arcsin(edge_planes([View("a", camera, rgb)]) @ UP))
    # Either side of a broad post is parallel to its middle in the picture, hence not quite upright itself.
    assert abs(np.median(off)) < 0.3
    assert np.abs(off).max() < 3


def test_leaves_and_noise_say_nothing() -> None:
    views = street()
    rng = np.random.default_rng(0)
    clutter = [replace(view, rgb=rng.integers(0, 255, view.rgb.shape, np.uint8)) for view in views]
    held = up_from_cameras([view.camera for view in views])
    assert up_from_lines(clutter, held) is None
    for seed in (0, 3, 14):  # few agree; few agree; many agree, 24 degrees away
        sticks = street(posts=False, seed=seed)
        assert len(edge_planes(sticks)) > 2000
        assert up_from_lines(sticks, held) is None
    assert up_from_lines([replace(view, rgb=np.full_like(view.rgb, 128)) for view in views], held) is None


def test_leaning_posts_beyond_the_cameras_uncertainty_are_not_believed() -> None:
    headings = [(math.cos(0.3 * i), math.sin(0.3 * i), 1.5) for i in range(20)]
    held = up_from_cameras([Camera.look_at((0.0, 0.0, 1.6), target, 64, 48) for target in headings])
    assert off_deg(held.direction) < 0.1
    assert up_from_lines(street(lean_deg=9.0), held) is None


def test_the_real_foxs_room_corrects_how_it_was_held(shared_dir: Path) -> None:
    views = transforms.read(shared_dir / "data" / "mv_instantngp_fox", PosedOptions(longest_px=480, every=2)).views
    held = up_from_cameras([view.camera for view in views])
    found = up_from_lines(views, held)
    assert found is not None
    by_stereo = np.array([0.0700, -0.0626, 0.9956])  # where dense stereo of the same pictures finds its walls upright
    assert off_deg(found.direction, by_stereo) < 2.2 < off_deg(held.direction, by_stereo)
