"""Light obeys its laws where they can be worked out by hand, and stays finite and clean where they cannot."""

import numpy as np
import pytest

from spatialwm.geometry.se3 import Pose
from spatialwm.lift.text.light.bake import Cache, gather
from spatialwm.lift.text.light.direct import direct
from spatialwm.lift.text.light.exposed import open_to_outside, seen_from
from spatialwm.lift.text.light.lights import Ball, Drum, Portal, Sun, light_of
from spatialwm.lift.text.light.rays import Rays
from spatialwm.lift.text.light.smoothing import bilateral, neighbours, sharpen
from spatialwm.lift.text.light.tone import auto_exposure, to_display
from spatialwm.lift.text.model import Emitter, Solid
from spatialwm.lift.text.surface.solids import box, quad, sphere

UP = np.array([[0.0, 0.0, 1.0]])
FLOOR = np.zeros((1, 3))


def soup(solid: Solid) -> np.ndarray:
    return solid.vertices[solid.faces]


EMPTY = Rays([soup(quad((50, 50, 50), (1, 0, 0), (0, 1, 0)))], [0.0])


def lit(light, points=FLOOR, normals=UP, rays=EMPTY, thin=0.0, effort=40.0) -> np.ndarray:
    n = len(points)
    return direct(rays, points, normals, normals, np.full(n, thin), (light,), np.random.default_rng(0), effort)


def test_the_sun_gives_its_irradiance_times_the_cosine() -> None:
    high = Sun(direction=(0.0, 0.0, 1.0), irradiance=(10.0, 8.0, 6.0))
    assert np.allclose(lit(high), [[10, 8, 6]], rtol=1e-3)
    low = Sun(direction=(np.sqrt(0.75), 0.0, 0.5), irradiance=(10.0, 8.0, 6.0))
    assert np.allclose(lit(low), [[5, 4, 3]], rtol=1e-2)


def test_a_small_ball_falls_off_with_the_square_of_distance() -> None:
    near, far = (lit(Ball(center=(0, 0, h), radius_m=0.01, intensity=(4.0, 4.0, 4.0)))[0, 0] for h in (1.0, 2.0))
    assert near == pytest.approx(4.0, rel=0.03)
    assert near / far == pytest.approx(4.0, rel=0.03)


def test_a_drum_seen_from_the_side_has_its_intensity() -> None:
    wall = np.array([[2.0, 0.0, 0.0]])
    got = lit(
        Drum(center=(0, 0, 0), radius_m=0.02, height_m=0.02, intensity=(4.0, 4.0, 4.0)),
        wall,
        np.array([[-1.0, 0, 0]]),
        effort=200,
    )
    assert got[0, 0] == pytest.approx(1.0, rel=0.08)


def test_a_portal_shines_to_its_own_side_only() -> None:
    portal = Portal(origin=(-0.5, -0.5, 1.0), edge_u=(0, 1, 0), edge_v=(1, 0, 0), normal=(0, 0, -1), radiance=(1.0, 1.0, 1.0))
    assert lit(portal)[0, 0] == pytest.approx(0.84, rel=0.1)
    above = lit(portal, np.array([[0.0, 0.0, 2.0]]), -UP)
    assert above[0, 0] == 0


def test_what_stands_between_casts_a_shadow() -> None:
    lid = Rays([soup(box(1, 1, 0.02, 0).moved(0, 0, 0.5))], [0.0])
    points = np.array([[0.0, 0, 0], [3.0, 0, 0]])
    got = lit(Sun(direction=(0, 0, 1), irradiance=(1.0, 1.0, 1.0)), points, np.repeat(UP, 2, 0), lid)
    assert got[0, 0] == 0
    assert got[1, 0] == pytest.approx(1, rel=1e-3)


def test_thin_matter_is_lit_from_behind() -> None:
    sun = Sun(direction=(0, 0, -1), irradiance=(1.0, 1.0, 1.0))
    assert lit(sun, thin=0.0)[0, 0] == 0
    assert lit(sun, thin=1.0)[0, 0] == pytest.approx(0.5, rel=0.01)


def test_an_even_sky_gives_pi_times_its_radiance() -> None:
    none = Cache(np.zeros((len(EMPTY), 3), np.float32), np.zeros((len(EMPTY), 3), np.float32), np.zeros(len(EMPTY), np.float32))
    got = gather(EMPTY, FLOOR, UP, UP, np.zeros(1), none, lambda d: np.full(d.shape, 0.5), 64, np.random.default_rng(0))
    assert got[0, 0] == pytest.approx(np.pi / 2, rel=1e-4)


def test_a_closed_glowing_shell_returns_pi_times_its_radiance() -> None:
    shell = sphere(2.0, 3)
    inward = Solid(shell.vertices, shell.faces[:, ::-1], shell.texture)
    rays = Rays([soup(inward)], [0.0])
    glow = np.full((len(rays), 3), 0.3, np.float32)
    got = gather(
        rays,
        FLOOR,
        UP,
        UP,
        np.zeros(1),
        Cache(glow, glow, np.ones(len(rays), np.float32)),
        lambda d: d * 0,
        64,
        np.random.default_rng(0),
    )
    assert got[0, 0] == pytest.approx(0.3 * np.pi, rel=1e-3)


def test_emitters_follow_their_object() -> None:
    light = light_of(Emitter(center=(0, 0, 1), radius_m=0.1, height_m=0.2), Pose((2.0, 3.0, 0.0), (1.0, 0.0, 0.0, 0.0), 2.0))
    assert isinstance(light, Drum)
    assert light.center == pytest.approx((2, 3, 2))
    assert light.height_m == pytest.approx(0.4)


def test_faces_inside_a_solid_are_known_to_be_unseen() -> None:
    outer, inner = box(1, 1, 1, 0), box(0.5, 0.5, 0.5, 0)
    rays = Rays([soup(outer), soup(inner)], [0.0, 0.0])
    eyes = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 3, 0], [0, -3, 0], [0, 0, 3], [0, 0, -3]])
    assert seen_from(rays, soup(outer), eyes, False).all()
    assert not seen_from(rays, soup(inner), eyes, False).any()
    assert open_to_outside(rays, soup(outer)).all()
    assert not open_to_outside(rays, soup(inner)).any()


def test_smoothing_keeps_the_mean_and_does_not_cross_edges() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (3000, 3)) * [1, 1, 0]
    normals = np.where(points[:, :1] < 0.5, [[0.0, 0, 1]], [[1.0, 0, 0]])
    values = np.where(points[:, :1] < 0.5, 1.0, 5.0) + rng.normal(0, 0.2, (3000, 1))
    near = neighbours(points, 14)
    out = bilateral(*near, normals, values, 2)
    left = points[:, 0] < 0.5
    assert out[left].mean() == pytest.approx(1.0, abs=0.02)
    assert out[~left].mean() == pytest.approx(5.0, abs=0.02)
    assert out[left].std() < 0.5 * values[left].std()


def test_sharpening_brings_the_blend_nearer_to_the_wanted_colors() -> None:
    x = np.linspace(0, 1, 400)
    points = np.c_[x, 0 * x, 0 * x]
    wanted = np.where(x[:, None] % 0.1 < 0.05, 0.3, 0.7) * np.ones((1, 3))
    normals, sigma, alpha = np.tile([0.0, 0, 1], (400, 1)), np.full(400, 0.004), np.full(400, 0.97)
    index, distance = neighbours(points, 14)
    weight = np.exp(-0.5 * (distance / 0.004) ** 2)[..., None]

    def blended(colors: np.ndarray) -> np.ndarray:
        return (weight * colors[index]).sum(1) / weight.sum(1)

    sharp = sharpen(index, distance, normals, wanted, sigma, alpha)
    assert np.square(blended(sharp) - wanted).mean() < 0.75 * np.square(blended(wanted) - wanted).mean()


def test_tone_mapping_is_monotonic_bounded_and_keeps_grey_grey() -> None:
    ramp = np.geomspace(1e-4, 1e3, 200)[:, None] * np.ones((1, 3))
    shown = to_display(ramp)
    assert (np.diff(shown[:, 0]) >= -1e-6).all()
    assert shown.min() >= 0
    assert shown.max() <= 1
    assert np.ptp(shown, axis=1).max() < 1e-6


def test_exposure_does_not_care_how_bright_the_world_is() -> None:
    light = np.random.default_rng(0).uniform(0.1, 1, (500, 3))
    weights = np.ones(500)
    a, b = auto_exposure(light, weights, 0.2), auto_exposure(light * 100, weights, 0.2)
    assert a / b == pytest.approx(100)
