"""Where to put the camera when nobody said: the view that shows a scene best, and a path that shows all of it."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.errors import ShapeError
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.color import LUMINANCE
from spatialwm.geometry.se3 import Vec3, vec3
from spatialwm.render.frame import render_scene
from spatialwm.scene import Scene, flatten

FOV_X_DEG = 62.0
_OPAQUE = 0.3
_SAMPLE = 20_000
_ELEVATION_RAD = math.radians(16)
_FILL = 0.86  # of the half picture that centres may fill: splats reach beyond their centres, and pictures need air
_CANDIDATES = 8
_THUMBNAIL = 128
_WALL_GAP_M = 0.45


def establishing_view(scene: Scene, width: int, height: int) -> Camera:
    """The scene's own first view; within a known room a view from its corner; else what matters, framed from its best side.

    Raises:
        ShapeError: the image is empty.
    """
    if scene.spawn is not None:
        return scene.spawn.resized(width, height)
    if scene.environment.room is not None:
        low, high = (np.asarray(c, np.float64) for c in scene.environment.room)
        center, half = (low + high) / 2, (high - low) / 2
        eye = center - np.maximum(half - _WALL_GAP_M, half * 0.3) * [0.9, 0.9, 0]
        eye[2] = low[2] + min(1.6, 0.65 * (high[2] - low[2]))
        target = np.array([center[0], center[1], low[2] + 0.4 * (high[2] - low[2])])
        return Camera.look_at(vec3(eye), vec3(target), width, height, FOV_X_DEG)
    points = solid_points(scene)
    if not len(points):
        return Camera.look_at((0.0, -3.0, 1.0), (0.0, 0.0, 0.5), width, height, FOV_X_DEG)
    return framing(points, _best_side(scene, points), width, height)


def orbit_views(scene: Scene, frames: int, width: int, height: int) -> list[Camera]:
    """A closed path of ``frames`` cameras that starts at the establishing view.

    Around what matters; within a room it stays between the walls and looks across the middle.
    """
    if frames < 1:
        raise ShapeError(f"an orbit needs at least one frame; got {frames}")
    start = establishing_view(scene, width, height)
    fov_x_deg = math.degrees(2 * math.atan(width / 2 / start.fx))
    eye = np.asarray(start.eye)
    if scene.environment.room is not None:
        low, high = (np.asarray(c, np.float64) for c in scene.environment.room)
        center, half = (low + high) / 2, (high - low) / 2
        axes = np.maximum(half[:2] - _WALL_GAP_M, 0.3 * half[:2])  # an ellipse never meets the corners
    else:
        points = solid_points(scene)
        center = np.median(points, axis=0) if len(points) else eye + np.asarray(start.forward)
        axes = np.full(2, np.linalg.norm((eye - center)[:2]))
    # Look at the height that the first view looks at above the centre.
    reach = np.linalg.norm((center - eye)[:2])
    level = eye[2] + start.forward[2] / max(math.hypot(*start.forward[:2]), 1e-6) * reach
    target = (float(center[0]), float(center[1]), float(level))
    if min(axes) < 1e-6:
        return [start] * frames
    first = math.atan2((eye[1] - center[1]) / axes[1], (eye[0] - center[0]) / axes[0])
    cameras = []
    for angle in first + np.linspace(0, 2 * math.pi, frames, endpoint=False):
        at = (center[0] + axes[0] * math.cos(angle), center[1] + axes[1] * math.sin(angle), eye[2])
        cameras.append(Camera.look_at(vec3(np.array(at)), target, width, height, fov_x_deg))
    return cameras


def _best_side(scene: Scene, points: np.ndarray) -> Vec3:
    """The direction, slightly from above, from which most detail shows.

    Nothing in a capture says where its front is, but fronts have faces, labels and folds where backs are plain. Of the
    object captures tried (a person, a robot, three statues) four of five choose a side that a person would.
    """
    flat = flatten(scene)
    best, most = (0.0, -1.0, 0.0), -1.0
    for k in range(_CANDIDATES):
        azimuth = -math.pi / 3 + 2 * math.pi * k / _CANDIDATES
        level = math.cos(_ELEVATION_RAD)
        side = (level * math.cos(azimuth), level * math.sin(azimuth), math.sin(_ELEVATION_RAD))
        frame = render_scene(flat, framing(points, side, _THUMBNAIL, _THUMBNAIL), background=(0.5, 0.5, 0.5))
        light = frame.rgb @ LUMINANCE
        edges = np.abs(np.diff(light, axis=0))[:, 1:] + np.abs(np.diff(light, axis=1))[1:]
        detail = float((edges * (frame.alpha[1:, 1:] > 0.9)).sum())  # the outline against the background says nothing
        if detail > most:
            best, most = side, detail
    return best


def framing(points: Float[np.ndarray, "n 3"], towards_eye: Vec3, width: int, height: int, fov_x_deg: float = FOV_X_DEG) -> Camera:
    """The nearest camera, looking against ``towards_eye``, that sees all points, centred with a small margin."""
    middle = points.mean(0)
    forward = -np.asarray(towards_eye) / np.linalg.norm(towards_eye)
    camera = Camera.look_at(vec3(middle), vec3(middle + forward), width, height, fov_x_deg)
    right, down, forward = camera.world_from_cam.rotation().T
    along = (points - middle) @ forward
    eye, distance = middle, 1e-3
    for axis, tangent in ((right, _FILL * width / 2 / camera.fx), (down, _FILL * height / 2 / camera.fy)):
        # From distance d and offset c a point is inside where |across - c| <= tangent (along + d): two bounds on c that
        # meet, at their middle, at the least d.
        across = (points - middle) @ axis
        most, least = np.max(across - tangent * along), np.min(across + tangent * along)
        eye = eye + axis * (most + least) / 2
        distance = max(distance, float(most - least) / (2 * tangent))
    eye = eye - forward * distance
    return Camera.look_at(vec3(eye), vec3(eye + forward), width, height, fov_x_deg)


def solid_points(scene: Scene) -> Float[np.ndarray, "n 3"]:
    """World positions of what is worth looking at: opaque centres, without backdrop, giants and stray floaters."""
    parts = []
    for o in scene.objects:
        if o.role == "backdrop" or not len(o.gaussians):
            continue
        g = o.gaussians
        size = g.scales.amax(-1).numpy() * o.world_from_object.scale
        keep = (g.opacities.numpy() > _OPAQUE) & np.isfinite(size)
        parts.append(np.column_stack([o.world_from_object.apply(g.means.numpy()), size])[keep])
    everything = np.concatenate(parts) if parts else np.zeros((0, 4))
    if not len(everything):
        return np.zeros((0, 3))
    everything = everything[:: max(1, len(everything) // _SAMPLE)]
    points, size = everything[:, :3], everything[:, 3]
    # A sky or a haze is made of Gaussians far larger than those that carry detail.
    points = points[size <= 20 * np.median(size)]
    low, high = np.quantile(points, [0.02, 0.98], axis=0)
    margin = 0.1 * (high - low)  # the true ends of an object lie a little beyond its quantiles, strays lie far
    inside = ((points >= low - margin) & (points <= high + margin)).all(1)
    return points[inside] if inside.any() else points
