"""A capture turned upright: +Z up, the floor at z = 0, metres as well as they are known, the first view looking along +Y."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.capture.capture import Capture, Points, View
from spatialwm.lift.capture.floor import Floor, find_floor, walkable_floor
from spatialwm.lift.capture.surface import Surface, seen_surface
from spatialwm.lift.capture.up import Up, find_up
from spatialwm.scene import ScaleSource
from spatialwm.scene.scale import EYE_HEIGHT_M, KnownLength, metric

_GRAVITY_SENSOR_RAD = math.radians(0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Leveled:
    """An upright capture and how it came to be."""

    capture: Capture
    world_from_capture: Pose
    """The similarity that was applied."""
    up: Up
    """In the frame of the capture as it was given."""
    floor_seen: bool
    walkable: tuple[tuple[float, float], ...]
    """Convex polygon on the floor, metres."""

    @property
    def scale(self) -> ScaleSource:
        """Where the metre comes from."""
        return self.capture.scale


def level(capture: Capture, *, known_length: KnownLength | None = None, surface: Surface | None = None) -> Leveled:
    """Turn, shift and scale a capture into the world's frame; the origin lies on the floor amid the cameras.

    Args:
        known_length: between two places of the given capture's frame; overrides every other source of scale.
        surface: places that were seen, denser than the capture's own points, e.g. from multi-view stereo; None: the capture's.

    Raises:
        LiftError: the capture has no views.
    """
    if not capture.views:
        raise LiftError("a capture without views cannot be levelled; give pictures with cameras")
    surface = seen_surface(capture) if surface is None else surface
    if capture.up is not None:
        up = Up.known(np.asarray(capture.up, np.float64), _GRAVITY_SENSOR_RAD, "gravity as the device measured it")
    else:
        up = find_up(capture.views, surface)
    turned_from_capture = _upright(capture, up.direction)
    eyes = turned_from_capture.apply(np.array([view.camera.eye for view in capture.views]))
    points = turned_from_capture.apply(surface.means)
    floor = find_floor(points, eyes, surface.distance)
    eye_height = None if floor is None else float(np.median(eyes[:, 2])) - floor.height
    metres, scale = metric(known_length, capture.scale, eye_height, floor is not None and floor.seen)
    height = _floor_height(floor, eyes, metres)
    middle = np.median(eyes[:, :2], axis=0)
    shift = Pose(vec3((*(-metres * middle), -metres * height)), scale=metres)
    world_from_capture = shift @ turned_from_capture
    notes = _notes(up, floor)
    floor_points = np.zeros((0, 2))
    if floor is not None and floor.seen:
        floor_points = shift.apply(points[np.abs(points[:, 2] - height) < 3 * floor.thickness])[:, :2]
    moved = _moved(capture, world_from_capture)
    return Leveled(
        replace(moved, scale=scale, notes=(*capture.notes, *notes)),
        world_from_capture,
        up,
        floor is not None and floor.seen,
        walkable_floor(shift.apply(eyes), floor_points),
    )


def _upright(capture: Capture, up: Float[np.ndarray, " 3"]) -> Pose:
    """The rotation that takes ``up`` to +Z and the first view's heading to +Y."""
    rotation = capture.views[0].camera.world_from_cam.rotation()
    ahead = rotation[:, 2] - up * (rotation[:, 2] @ up)
    if np.linalg.norm(ahead) < 0.05:  # it looks straight down or up: the top or bottom of its picture points ahead
        ahead = -rotation[:, 1] * np.sign(-(rotation[:, 2] @ up))
        ahead -= up * (ahead @ up)
    ahead /= np.linalg.norm(ahead)
    turned = Pose.from_matrix(np.column_stack([np.stack([np.cross(ahead, up), ahead, up]), np.zeros(3)]))
    return Pose(quat=turned.quat)


def _floor_height(floor: Floor | None, eyes: Float[np.ndarray, "m 3"], metres: float) -> float:
    """In the capture's unit. Where no floor was seen, it is no higher than eye height below the cameras."""
    held = float(np.median(eyes[:, 2])) - EYE_HEIGHT_M / metres
    if floor is None:
        return held
    return floor.height if floor.seen else min(floor.height, held)


def _moved(capture: Capture, world_from_capture: Pose) -> Capture:
    """Every camera, depth and point carried by a similarity."""
    k = world_from_capture.scale

    def move(view: View) -> View:
        carried = world_from_capture @ view.camera.world_from_cam
        camera = replace(view.camera, world_from_cam=Pose(carried.position, carried.quat))
        return replace(view, camera=camera, depth=None if view.depth is None else view.depth * np.float32(k))

    points = Points(world_from_capture.apply(capture.points.means), capture.points.rgb, capture.points.tracks)
    return replace(capture, views=tuple(map(move, capture.views)), points=points, up=(0.0, 0.0, 1.0))


def _notes(up: Up, floor: Floor | None) -> tuple[str, ...]:
    said = [f"up was found from {up.source}, within about {math.degrees(up.sigma_rad):.1f} degrees"]
    if floor is None or not floor.seen:
        said.append("no floor was seen below the cameras, its height is a guess; photograph some of the floor to fix it")
    return tuple(said)
