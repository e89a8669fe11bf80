"""Ray-cast pictures of a textured room corner with a ball in it, whose depth is known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import vec3
from spatialwm.lift.capture.capture import Capture, Points, View
from spatialwm.lift.capture.dense.depth_map import pixel_rays

BALL, RADIUS_M = np.array([0.0, 0.0, 0.6]), 0.6


@dataclass(frozen=True)
class Corner:
    """A floor at z = 0, a wall at y = 2 and a ball, each with a texture fixed to its surface."""

    width: int = 160
    height: int = 120
    contrast: float = 1.0

    def hit(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Depth and outward normal of what each pixel's centre shows."""
        eye, rays = np.array(camera.eye), camera.world_from_cam.rotate(pixel_rays(camera))
        depth, normals = np.full(rays.shape[:2], np.inf), np.zeros(rays.shape)
        for axis, level, normal in ((2, 0.0, (0, 0, 1.0)), (1, 2.0, (0, -1.0, 0))):
            t = (level - eye[axis]) / np.where(np.abs(rays[..., axis]) > 1e-9, rays[..., axis], 1e-9)
            nearer = (t > 0) & (t < depth)
            depth, normals = np.where(nearer, t, depth), np.where(nearer[..., None], normal, normals)
        a, b, c = (rays**2).sum(-1), (rays * (eye - BALL)).sum(-1), ((eye - BALL) ** 2).sum() - RADIUS_M**2
        root = b * b - a * c
        t = (-b - np.sqrt(np.maximum(root, 0))) / a
        nearer = (root > 0) & (t > 0) & (t < depth)
        out = (eye + rays * t[..., None] - BALL) / RADIUS_M
        return np.where(nearer, t, depth), np.where(nearer[..., None], out, normals)

    def view(self, camera: Camera, with_depth: bool = False) -> View:
        depth, _ = self.hit(camera)
        places = np.array(camera.eye) + camera.world_from_cam.rotate(pixel_rays(camera)) * depth[..., None]
        rng = np.random.default_rng(0)
        waves, phases = rng.normal(size=(24, 3)) * 12, rng.uniform(0, 7, (24, 3))
        bright = np.stack([np.sin(places @ waves.T + phases[:, c]).sum(-1) for c in range(3)], -1)
        rgb = np.clip(128 + 25 * self.contrast * bright, 0, 255).astype(np.uint8)
        return View("v", camera, rgb, depth.astype(np.float32) if with_depth else None)

    def cameras(self, count: int = 6) -> list[Camera]:
        angles = np.radians(np.linspace(-18, 18, count))
        eyes = [vec3((3.2 * np.sin(a), -3.2 * np.cos(a), 1.3 + 0.2 * np.cos(9 * a))) for a in angles]
        return [Camera.look_at(eye, (0.0, 0.4, 0.6), self.width, self.height) for eye in eyes]

    def capture(self, count: int = 6, with_depth: bool = False, with_points: bool = True) -> Capture:
        views = tuple(self.view(camera, with_depth) for camera in self.cameras(count))
        return Capture(views, self.points([v.camera for v in views]) if with_points else Points.none(), given=count)

    def points(self, cameras: list[Camera]) -> Points:
        """As structure from motion would leave them: places seen by several cameras, and by which."""
        means, tracks = [], []
        for camera in cameras:
            depth = self.hit(camera)[0][6::16, 6::16]
            places = camera.world_from_cam.apply(pixel_rays(camera)[6::16, 6::16] * depth[..., None])
            means.append(places.reshape(-1, 3))
        places = np.concatenate(means)
        for index, camera in enumerate(cameras):
            p = camera.world_from_cam.inverse().apply(places)
            u, v = p[:, 0] / p[:, 2] * camera.fx + camera.cx, p[:, 1] / p[:, 2] * camera.fy + camera.cy
            inside = (p[:, 2] > 0) & (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height)
            seen = np.flatnonzero(inside)
            z = self.hit(camera)[0][v[seen].astype(int), u[seen].astype(int)]
            tracks += [(k, index) for k in seen[np.abs(p[seen, 2] - z) < 0.05].tolist()]
        return Points(places, np.full((len(places), 3), 128, np.uint8), np.array(sorted(tracks)))


@pytest.fixture(scope="session")
def corner() -> Corner:
    return Corner()


@pytest.fixture(scope="session")
def pictures(corner: Corner) -> Capture:
    return corner.capture()
