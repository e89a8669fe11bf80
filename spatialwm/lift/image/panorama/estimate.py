"""Depth of a panorama by geometry alone: level it, then a room's box, or the ground with what stands on it under the sky."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from spatialwm.errors import LiftError
from spatialwm.geometry.se3 import vec3
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.panorama.contact import find_contact
from spatialwm.lift.image.panorama.edges import Edges, find_edges
from spatialwm.lift.image.panorama.horizon import level_from_ground
from spatialwm.lift.image.panorama.layout import Layout
from spatialwm.lift.image.panorama.level import OWN_UP, Level, find_level, framed
from spatialwm.lift.image.panorama.regions import Regions, find_regions
from spatialwm.lift.image.panorama.ring import Ring, standing_around
from spatialwm.lift.image.panorama.room import Room, find_room
from spatialwm.lift.image.panorama.sky import sky_mask
from spatialwm.lift.image.panorama.sphere import look_up, turned
from spatialwm.lift.image.photo import Photo, Px
from spatialwm.lift.image.rays import Rays
from spatialwm.lift.pictures.area import area_averaged
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource
from spatialwm.scene.scale import EYE_HEIGHT_M

_WORK_PX, _REGION_PX = 1024, 512
"""Widths at which edges and contact lines, and regions, are found: more detail tells no more about the geometry."""
_BLUE, _BLUE_SHARE = 0.1, 0.3
"""How much more blue than red a clear sky is, and how much of what lies above 45 degrees must be so."""
_BEYOND = 1.5
"""How many times farther than anything solid the sky is put."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Of a level panorama."""

    shape: Layout | Ring
    sky: Bool[np.ndarray, "h w"] | None
    confidence: Float[np.ndarray, "h w"]
    """At its own, small size."""
    kind: str


class PanoramaDepth:
    """Distances all around without learned weights."""

    def estimate(self, photo: Photo, progress: Progress = silent) -> Estimate:
        """See :class:`~spatialwm.lift.image.depth.DepthBackend`."""
        width, height = photo.size
        if width != 2 * height:
            raise LiftError(f"a panorama of all directions is twice as wide as high; {photo.name} is {width}x{height}: pad it")
        progress("finding up", 0.0)
        work_px = min(_WORK_PX, width)
        small = area_averaged(photo.rgb, work_px, work_px // 2)
        edges = find_edges(small).straightened()
        level = _level(photo, small / 255, edges)
        progress("finding walls and ground", 0.4)
        level_from_pano = level.level_from_pano()
        flat = np.clip(turned(small / 255, level_from_pano.T, work_px // 2), 0, 1)
        found = _find(photo, flat, edges.turned(level_from_pano), level)
        progress("measuring", 0.8)
        directions = Rays.panorama(width, height).directions @ level_from_pano.T
        distance = found.shape.distance_m(directions)
        sky = np.zeros((height, width), bool)
        if found.sky is not None:
            sky = look_up(found.sky.astype(np.float32), directions) > 0.5
            far = _BEYOND * float(distance[~sky].max()) if not sky.all() else 100.0
            distance = np.where(sky, far, distance)
        confidence = np.clip(look_up(found.confidence, directions), 0, 1)
        k, scale = _scale(photo, distance)
        progress("measuring", 1.0)
        return Estimate(
            distance_m=(distance * k).astype(np.float32),
            sky=sky,
            confidence=confidence,
            up=vec3(level.up),
            camera=None,
            scale=scale,
            eye_height_m=EYE_HEIGHT_M * k,
            backend="embedded panorama",
            kind=found.kind,
            notes=_notes(level, found),
        )


def _level(photo: Photo, small: np.ndarray, edges: Edges) -> Level:
    if photo.hints.horizon is not None:
        a, b = (_direction(place) for place in photo.hints.horizon)
        up = np.cross(a, b)
        if np.linalg.norm(up) < 0.05:
            raise LiftError("the two places on a panorama's horizon are the same or opposite; choose them a quarter turn apart")
        up *= -np.sign(up[1]) / np.linalg.norm(up)
        level = Level(up, math.radians(0.5), "the horizon that was drawn")
        return framed(edges, level) or level
    return find_level(edges) or level_from_ground(small) or Level(np.array(OWN_UP), math.radians(3.0), "")


def _find(photo: Photo, flat: np.ndarray, edges: Edges, level: Level) -> _Found:
    hints = photo.hints
    if len(hints.corners) >= 3:
        return _from_corners(photo, edges, level)
    room = find_room(edges, EYE_HEIGHT_M) if hints.indoors is not False and level.frame is not None else None
    regions = find_regions(area_averaged(flat, min(_REGION_PX, flat.shape[1]), min(_REGION_PX, flat.shape[1]) // 2))
    if room is not None and (hints.indoors or (room.clear and not _blue_above(flat))):
        return _Found(room.layout, None, _room_confidence(room, flat.shape[0] // 4), "room")
    return _open(flat, regions)


def _blue_above(flat: np.ndarray) -> bool:
    above = flat[: len(flat) // 4]
    return float((above[..., 2] - above[..., 0] > _BLUE).mean()) > _BLUE_SHARE


def _from_corners(photo: Photo, edges: Edges, level: Level) -> _Found:
    down = np.stack([_direction(place) for place in photo.hints.corners]) @ level.level_from_pano().T
    if (down[:, 1] < math.sin(math.radians(1))).any():
        raise LiftError("the corners of a room's floor must lie below the horizon of the panorama")
    corners = down[:, [0, 2]] / down[:, 1:2] * EYE_HEIGHT_M
    layout = Layout(corners, EYE_HEIGHT_M, find_room(edges, EYE_HEIGHT_M).layout.ceiling_m)
    return _Found(layout, None, np.full((8, 16), 0.8, np.float32), "room")


def _open(flat: np.ndarray, regions: Regions) -> _Found:
    height, width = flat.shape[:2]
    rays = Rays.panorama(width, height).directions
    fine = Regions(*(look_up(part, rays) for part in (regions.sky, regions.upright, regions.ground)))
    contact = find_contact(fine, flat.mean(-1))
    ring = standing_around(contact, EYE_HEIGHT_M)
    below = np.arcsin(rays[..., 1])
    sky = sky_mask(np.where(below > contact, 0, fine.sky).astype(np.float32), flat)
    sure = np.maximum(np.maximum(fine.ground, fine.upright), fine.sky)
    # A degree off at the foot of something puts it so much farther or nearer.
    foot = np.maximum(np.minimum(below, math.pi / 4), contact)
    relative = math.radians(1.0) / (np.sin(foot) * np.cos(foot))
    confidence = sure * np.where(below > contact, 0.9, 0.6) / (1 + relative**2)
    confidence = np.where(sky, 0.9 * sure, confidence)
    return _Found(ring, sky, confidence.astype(np.float32), "open ground")


def _room_confidence(room: Room, height: int) -> np.ndarray:
    """Less on the floor, where furniture stands that the box does not know."""
    y = Rays.panorama(2 * height, height).directions[..., 1]
    seen = np.where(y < 0, room.seen_ceiling, room.seen_floor)
    return (0.35 + 0.5 * np.minimum(seen / 0.6, 1)).astype(np.float32)


def _scale(photo: Photo, distance: np.ndarray) -> tuple[float, ScaleSource]:
    if not photo.hints.depths:
        note = f"the camera is taken to be {EYE_HEIGHT_M} m above the ground; measure one length to fix it"
        return 1.0, ScaleSource("prior", 0.2, note)
    places = np.stack([_direction(place) for place, _ in photo.hints.depths])
    ratios = np.array([true for _, true in photo.hints.depths]) / look_up(distance, places, order=0)
    k = float(np.median(ratios))
    spread = float(np.median(np.abs(ratios / k - 1))) * 1.48 if len(ratios) > 1 else 0.1
    return k, ScaleSource("measured", max(spread, 0.03), f"{len(ratios)} distances that the user gave")


def _notes(level: Level, found: _Found) -> tuple[str, ...]:
    notes = []
    if not level.source:
        notes.append("Nothing in the panorama shows what is upright or level; its middle row is taken as eye level.")
    elif level.tilt_rad > math.radians(1.0):
        tilt_deg = math.degrees(level.tilt_rad)
        notes.append(f"The panorama hung {tilt_deg:.1f} degrees to the side; it was levelled by {level.source}.")
    if found.kind == "room":
        notes.append("The room is taken as a box: furniture is painted on its floor and walls.")
    return tuple(notes)


def _direction(place: Px) -> Float[np.ndarray, " 3"]:
    azimuth, polar = (place[0] - 0.5) * 2 * math.pi, place[1] * math.pi
    return np.array([math.sin(polar) * math.sin(azimuth), -math.cos(polar), math.sin(polar) * math.cos(azimuth)])
