"""Where to put the camera to watch something happen."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import vec3
from spatialwm.render.frame import render_scene
from spatialwm.render.views import establishing_view
from spatialwm.scene import Scene, flatten

FOV_X_DEG = 55.0
SUBJECT_SHARE = 0.3
"""The subject's path spans about this much of the picture's width, so that its surroundings explain it."""
MIN_DISTANCE_M, WALL_GAP_M = 1.4, 0.3
NEAR_SHARE = 0.8
"""What is nearer than this share of the distance to the subject blocks the picture, even beside the subject."""
_ELEVATIONS_DEG = (22.0, 40.0)
_AZIMUTHS = 12
_THUMBNAIL = (96, 54)


def subject_view(scene: Scene, object_ids: tuple[str, ...], path: Float[np.ndarray, "n 3"], width: int, height: int) -> Camera:
    """A view from which objects can be seen and what they will pass through fits.

    Looks from several sides at thumbnail size and takes the one that shows most of the objects with least in the way,
    preferring the side of the establishing view when others are no better; in a room it stays between the walls.

    Args:
        object_ids: the subjects, as they stand now.
        path: world points that must fit in the picture; at least one.
    """
    first = establishing_view(scene, width, height)
    center, reach = (path.min(0) + path.max(0)) / 2, float(np.linalg.norm(np.ptp(path, axis=0)))
    distance = max(MIN_DISTANCE_M, reach / SUBJECT_SHARE / (2 * math.tan(math.radians(FOV_X_DEG) / 2)))
    towards = np.asarray(first.eye) - center
    start = math.atan2(towards[1], towards[0])
    flat = flatten(scene)
    best, best_score = first, -1.0
    for elevation in np.radians(_ELEVATIONS_DEG):
        for k in range(_AZIMUTHS):
            turn = math.pi * (k // 2 + k % 2) / (_AZIMUTHS / 2) * (-1) ** k  # 0, -30, 30, -60, 60 ... degrees
            level = math.cos(elevation)
            side = np.array([level * math.cos(start + turn), level * math.sin(start + turn), math.sin(elevation)])
            eye = _inside(scene, center, center + side * distance)
            if np.linalg.norm(eye - center) < 0.4 * distance:
                continue
            frame = render_scene(flat, Camera.look_at(vec3(eye), vec3(center), *_THUMBNAIL, FOV_X_DEG))
            away = float(np.linalg.norm(eye - center))
            seen = sum(int(frame.mask_of(i).sum()) for i in object_ids) * away**2  # not more for being near
            in_the_way = float(((frame.alpha > 0.5) & (frame.depth_m < NEAR_SHARE * away)).mean())
            score = seen * (1.0 - in_the_way) * (1.25 - 0.25 * abs(turn) / math.pi)
            if score > best_score:
                best, best_score = Camera.look_at(vec3(eye), vec3(center), width, height, FOV_X_DEG), score
    return best


def _inside(scene: Scene, center: np.ndarray, eye: np.ndarray) -> np.ndarray:
    """Pull the eye towards the subject until it is within the room; above the floor everywhere."""
    if scene.environment.room is None:
        return np.array([eye[0], eye[1], max(eye[2], 0.2)])
    low = np.asarray(scene.environment.room[0]) + WALL_GAP_M
    high = np.asarray(scene.environment.room[1]) - WALL_GAP_M
    ray = eye - center
    with np.errstate(divide="ignore", invalid="ignore"):
        limits = np.where(ray > 0, (high - center) / ray, np.where(ray < 0, (low - center) / ray, np.inf))
    return center + ray * float(np.clip(limits.min(), 0.0, 1.0))
