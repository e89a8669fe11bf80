"""Panoramas drawn by ray casting, so that every distance and direction is known exactly."""

from __future__ import annotations

import math

import numpy as np

from spatialwm.geometry.se3 import Pose
from spatialwm.lift.image.panorama.layout import Layout
from spatialwm.lift.image.rays import Rays

LEVEL = np.eye(3)


def tilted(tilt_deg: float, yaw_deg: float) -> np.ndarray:
    """``level_from_pano`` of a panorama that hangs to the side."""
    yaw = math.radians(yaw_deg)
    hung = Pose.about_axis((math.cos(yaw), 0.0, math.sin(yaw)), math.radians(tilt_deg))
    return hung.rotation() @ Pose.about_axis((0.0, 1.0, 0.0), yaw).rotation()


def room(layout: Layout, height: int, level_from_pano: np.ndarray = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """A room with boards on the floor, doors and a skirting; its colours and distances."""
    d = Rays.panorama(2 * height, height).directions @ level_from_pano.T
    distance = layout.distance_m(d)
    p = d * distance[..., None]
    floor, ceiling = np.isclose(p[..., 1], layout.floor_m), np.isclose(p[..., 1], -layout.ceiling_m)
    up = layout.floor_m - p[..., 1]
    side = np.abs(p[..., 0]) > np.abs(layout.corners[:, 0]).min() - 1e-3
    rgb = np.where(side[..., None], [172, 178, 160], [190, 186, 178]).astype(float)
    along = np.where(side, p[..., 2], p[..., 0])
    door = (np.abs((along + 0.8) % 1.9 - 0.4) < 0.4) & (up < 2.0)
    rgb[door] = [120, 84, 60]
    rgb[up < 0.1] = [235, 235, 230]
    boards = (np.floor(p[..., 0] / 0.2) % 2)[..., None] * 14
    rgb = np.where(floor[..., None], np.array([128, 92, 60]) + boards, rgb)
    rgb = np.where(ceiling[..., None], 236, rgb)
    return rgb.astype(np.uint8), distance


def square(half_m: float, height: int, level_from_pano: np.ndarray = LEVEL, eye_m: float = 1.6) -> tuple[np.ndarray, ...]:
    """Houses of two heights around an open square under a blue sky: colours, distances, and where the sky is."""
    d = Rays.panorama(2 * height, height).directions @ level_from_pano.T
    walls = Layout.box(half_m, half_m, half_m, half_m, eye_m, 1e6)
    distance = walls.distance_m(d)
    p = d * distance[..., None]
    ground = np.isclose(p[..., 1], eye_m)
    side = np.abs(p[..., 0]) > half_m - 1e-3
    along = np.where(side, p[..., 2] * np.sign(p[..., 0]), p[..., 0] * np.sign(p[..., 2]))
    up = eye_m - p[..., 1]
    sky = ~ground & (up > np.where(along > 0, 6.0, 9.0))
    rgb = np.where(side[..., None], [196, 160, 120], [150, 100, 84]).astype(float)
    window = (np.abs(along % 2.4 - 1.2) < 0.4) & (np.abs(up % 3.0 - 1.7) < 0.6)
    rgb[window] = [52, 60, 74]
    grain = (np.sin(p[..., 0] * 9) * np.sin(p[..., 2] * 9))[..., None] * 9
    rgb = np.where(ground[..., None], np.array([118, 118, 116]) + grain, rgb)
    rgb = np.where(sky[..., None], np.array([120, 168, 226]) + 60 * np.clip(d[..., 1:2] + 0.8, 0, 1), rgb)
    return np.clip(rgb, 0, 255).astype(np.uint8), distance, sky
