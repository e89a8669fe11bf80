"""A room known exactly: any camera's picture, depth and points of it, for tests of what is read from files."""

from __future__ import annotations

import numpy as np
import pytest

from spatialwm.geometry.camera import Camera
from spatialwm.lift.pictures.lens import Optics

LOW, HIGH = np.array([-2.5, -2.0, 0.0]), np.array([2.5, 2.0, 2.6])
"""Inner corners, metres, +Z up."""
TABLE_LOW, TABLE_HIGH = np.array([-0.6, -0.4, 0.0]), np.array([0.6, 0.4, 0.74])


class Room:
    """A box with a table in the middle, textured by a smooth function of place."""

    @staticmethod
    def walk(count: int = 8, width: int = 160, height: int = 120) -> list[Camera]:
        """Cameras held level on an arc at 1.5 m, looking down at the table in the middle."""
        angles = np.linspace(-1.2, 1.6, count)
        eyes = [(1.9 * float(np.sin(a)), -1.6 * float(np.cos(a)), 1.5 + 0.05 * float(np.sin(7 * a))) for a in angles]
        return [Camera.look_at(eye, (0.1, 0.2, 0.7), width, height, 70.0) for eye in eyes]

    @staticmethod
    def shade(points: np.ndarray) -> np.ndarray:
        """sRGB 0..255 of places, smooth enough to be averaged and interpolated without loss that matters."""
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        rgb = [np.sin(5.0 * x + 2 * z), np.sin(4.0 * y - 3 * z + 1), np.sin(3 * x - 4 * y + 2 * z)]
        return 127.5 + 100 * np.stack(rgb, -1)

    @staticmethod
    def directions(camera: Camera, optics: Optics | None = None) -> np.ndarray:
        """Rays through the pixel centres in the camera's frame with z = 1, through the lens of ``optics`` where given."""
        v, u = np.mgrid[0.5 : camera.height, 0.5 : camera.width]
        target = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy], -1)
        xy = target.copy()
        if optics is not None and not optics.lens.straight:
            for _ in range(60):  # Newton with a numerical Jacobian
                f = optics.lens.distort(xy) - target
                h = 1e-6
                jx = (optics.lens.distort(xy + (h, 0)) - optics.lens.distort(xy - (h, 0))) / (2 * h)
                jy = (optics.lens.distort(xy + (0, h)) - optics.lens.distort(xy - (0, h))) / (2 * h)
                det = jx[..., 0] * jy[..., 1] - jx[..., 1] * jy[..., 0]
                dx = (f[..., 0] * jy[..., 1] - f[..., 1] * jy[..., 0]) / det
                dy = (f[..., 1] * jx[..., 0] - f[..., 0] * jx[..., 1]) / det
                xy = xy - np.clip(np.nan_to_num(np.stack([dx, dy], -1)), -0.2, 0.2)
        return np.concatenate([xy, np.ones_like(xy[..., :1])], -1)

    @staticmethod
    def look(camera: Camera, optics: Optics | None = None) -> tuple[np.ndarray, np.ndarray]:
        """uint8 picture and float64 depth along the axis."""
        rays = Room.directions(camera, optics)
        world = camera.world_from_cam.rotate(rays)
        eye = np.asarray(camera.eye)
        with np.errstate(divide="ignore"):
            inv = 1 / np.where(np.abs(world) < 1e-12, 1e-12, world)
        depth = np.maximum((LOW - eye) * inv, (HIGH - eye) * inv).min(-1)
        near = np.minimum((TABLE_LOW - eye) * inv, (TABLE_HIGH - eye) * inv).max(-1)
        far = np.maximum((TABLE_LOW - eye) * inv, (TABLE_HIGH - eye) * inv).min(-1)
        depth = np.where((near > 0) & (near < far), near, depth)
        return Room.shade(eye + world * depth[..., None]).round().astype(np.uint8), depth

    @staticmethod
    def surface_points(count: int = 6000, seed: int = 0) -> np.ndarray:
        """Places on the floor, the walls and the table, as structure from motion would find them, with a little noise."""
        rng = np.random.default_rng(seed)
        span = HIGH - LOW
        floor = LOW + rng.random((count // 3, 3)) * span * (1, 1, 0)
        walls = LOW + rng.random((count // 2, 3)) * span
        side = rng.integers(0, 4, len(walls))
        for axis in (0, 1):
            walls[side == 2 * axis, axis], walls[side == 2 * axis + 1, axis] = LOW[axis], HIGH[axis]
        table = TABLE_LOW + rng.random((count // 6, 3)) * (TABLE_HIGH - TABLE_LOW)
        table[:, 2] = TABLE_HIGH[2]
        return np.concatenate([floor, walls, table]) + rng.normal(0, 0.004, (len(floor) + len(walls) + len(table), 3))


@pytest.fixture(scope="session")
def room() -> type[Room]:
    """The room, whose methods need no state."""
    return Room
