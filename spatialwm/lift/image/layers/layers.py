"""The whole way from an estimate of depth to Gaussians: steps, borders, what is hidden, sky, colours, safe motion."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy import ndimage

from spatialwm.gaussians import Gaussians, concatenate
from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, Vec3, vec3
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.layers.border import widened
from spatialwm.lift.image.layers.hidden import behind, sky_behind
from spatialwm.lift.image.layers.motion import Motion, safe_motion
from spatialwm.lift.image.layers.sharpen import sharpened
from spatialwm.lift.image.layers.splats import cells_of, splats, underlay_of
from spatialwm.lift.image.layers.surface import Surface, dot, jumps, steepened
from spatialwm.lift.image.panorama.shell import dome, reach_m, view_around
from spatialwm.lift.image.photo import Photo
from spatialwm.lift.image.rays import Rays
from spatialwm.progress import Progress, part_of, silent

ASIDE = 0.08
"""Planned reach aside: of the picture's diagonal at the distance of the nearest things."""
AHEAD = 0.15
"""Planned reach ahead and back: of the distance of the nearest things."""
_NEAREST = 0.01
"""Share of the solid pixels that may be nearer than what the reach is planned by."""
_SHELL = 1.02
"""The sky is a shell so much farther than the farthest solid thing."""
_NO_SOLID_M = 100.0
_UNDER = 1.02
"""How much farther than a surface its underlay lies: nearer ones come before slanted detail, which costs up to 1.4 dB."""
OPACITY = 0.99
"""Of every Gaussian: what is unsure is marked so, but see-through surfaces look like fog."""
_TURN_DEG = 60
"""Between the views around in which a panorama's motion is checked, which are 80 degrees wide."""
STEPS, STEPS_AROUND = 10, 7
"""Of sharpening; six views of a panorama have twice the pixels of a photo."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Part:
    """Gaussians in the camera's frame, and how sure they are."""

    gaussians: Gaussians
    confidence: Float[torch.Tensor, " n"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Layers:
    """One picture as layers, in its camera's frame."""

    seen: Part
    """What the picture shows."""
    sky: Part
    unseen: Part
    """Made up: behind things, and beyond the picture's borders."""
    motion: Motion
    holes: float
    """Largest share of holes at the extremes of that motion."""
    own_view_db: float
    """PSNR of the picture rendered from its own camera."""


def layered(photo: Photo, estimate: Estimate, progress: Progress = silent) -> Layers:
    """The layers of a picture of known depth."""
    progress("separating layers", 0.0)
    camera = estimate.camera
    rays = Rays.panorama(*photo.size) if camera is None else Rays.pinhole(camera)
    surface = steepened(_surface(photo, estimate, rays))
    solid = surface.nearness[~surface.sky]
    nearest_m = 1 / float(np.quantile(solid, 1 - _NEAREST)) if solid.size else _NO_SOLID_M
    if camera is None:
        aside = reach_m(estimate) / nearest_m
    else:
        aside = ASIDE * min(math.hypot(camera.width / camera.fx, camera.height / camera.fy), 2.0)
    shift_px = aside / float(np.median(rays.pitch_rad[..., 1]))
    if camera is not None:
        surface, _ = widened(surface, camera, 4 * math.ceil(1.1 * shift_px / 4))
    progress("filling what is hidden", 0.15)
    hidden = behind(surface, shift_px, nearest_m)
    progress("making Gaussians", 0.3)
    sure = _confidence(surface)
    solid_seen = surface.seen & ~surface.sky
    seen = _joined(_part(surface, solid_seen, sure), _underlay(surface, solid_seen, sure))
    sky = _joined(_part(surface, surface.sky, sure, facing=True), _underlay(surface, surface.sky, sure, facing=True))
    beyond = _part(surface, ~surface.seen & ~surface.sky, sure, coarse=True)
    behind_things = _part(hidden.surface, hidden.where & ~hidden.surface.sky, hidden.surface.confidence, coarse=True)
    if camera is not None and surface.sky.any():
        veiled = sky_behind(surface, shift_px)
        sky = _joined(sky, _part(veiled.surface, veiled.where, veiled.surface.confidence, facing=True, coarse=True))
    elif surface.sky.any():
        whole = _dome(surface, estimate)
        sky = _joined(sky, _part(whole, whole.seen, whole.confidence, facing=True, coarse=True))
    parts = [seen, sky, _joined(beyond, behind_things)]
    views = [(camera, surface_rgb(photo))] if camera is not None else cube(surface_rgb(photo))
    colored, reached = sharpened(
        concatenate([p.gaussians for p in parts]), views, background=mean_color(photo),
        steps=STEPS if camera is not None else STEPS_AROUND, progress=part_of(progress, 0.4, 0.9),
    )  # fmt: skip
    progress("finding how far one may step", 0.9)
    planned = Motion(aside * nearest_m, (aside if camera is None else AHEAD) * nearest_m)
    motion, holes = safe_motion(colored, [camera] if camera is not None else _looks_around(estimate), planned)
    edges = np.cumsum([0, *(len(p.gaussians) for p in parts)])
    parts = [
        replace(p, gaussians=colored.select(torch.arange(int(a), int(b))))
        for p, a, b in zip(parts, edges[:-1], edges[1:], strict=True)
    ]
    progress("finding how far one may step", 1.0)
    return Layers(seen=parts[0], sky=parts[1], unseen=parts[2], motion=motion, holes=holes, own_view_db=reached)


def _looks_around(estimate: Estimate) -> list[Camera]:
    """As people look around in a panorama: the first view, and its like in other directions."""
    pano_from_level = estimate.upright().inverse()
    looks = [view_around((0.0, 0.0, 0.0), math.radians(a)) for a in range(0, 360, _TURN_DEG)]
    return [replace(look, world_from_cam=pano_from_level @ look.world_from_cam) for look in looks]


def surface_rgb(photo: Photo) -> Float[np.ndarray, "h w 3"]:
    """The picture's colours in 0..1."""
    return photo.rgb.astype(np.float32) / 255


def mean_color(photo: Photo) -> Vec3:
    """sRGB, seen wherever nothing covers."""
    return vec3(surface_rgb(photo).mean((0, 1)))


def cube(panorama: Float[np.ndarray, "h w 3"]) -> list[tuple[Camera, Float[np.ndarray, "n n 3"]]]:
    """Six square views that together show a panorama, no finer than it is."""
    height, width = panorama.shape[:2]
    size = max(16, round(width / math.pi))
    turns = [Pose.about_axis((0.0, 1.0, 0.0), math.radians(a)) for a in (0, 90, 180, 270)]
    turns += [Pose.about_axis((1.0, 0.0, 0.0), math.radians(a)) for a in (90, -90)]
    views: list[tuple[Camera, np.ndarray]] = []
    for turn in turns:
        camera = Camera(turn, size, size, size / 2, size / 2, size / 2, size / 2)
        x, y, z = np.moveaxis(turn.rotate(Rays.pinhole(camera).directions), -1, 0)
        column = (np.arctan2(x, z) / (2 * np.pi) + 0.5) * width - 0.5
        row = np.clip(np.arccos(np.clip(-y, -1, 1)) / np.pi * height - 0.5, 0, height - 1)
        picture = [
            ndimage.map_coordinates(panorama[..., c], [row, column], order=1, mode="grid-wrap") for c in range(3)
        ]
        views.append((camera, np.stack(picture, -1).astype(np.float32)))
    return views


def _surface(photo: Photo, estimate: Estimate, rays: Rays) -> Surface:
    solid = estimate.distance_m[~estimate.sky]
    shell = _SHELL * float(solid.max()) if solid.size else _NO_SOLID_M
    distance = np.where(estimate.sky, np.float32(shell), estimate.distance_m).astype(np.float32)
    return Surface(rays, surface_rgb(photo), distance, estimate.sky, estimate.confidence, np.ones(distance.shape, bool))


def _dome(surface: Surface, estimate: Estimate) -> Surface:
    """The whole sky, behind the one that is seen."""
    rays, rgb, hidden = dome(surface.rgb, estimate)
    distance = np.full(hidden.shape, surface.distance[surface.sky].max() * _SHELL, np.float32)
    return Surface(rays, rgb, distance, np.ones_like(hidden), np.full(hidden.shape, 0.25, np.float32), hidden)


def _confidence(surface: Surface) -> Float[np.ndarray, "h w"]:
    """Of the model, less at the ends of things and where the surface is seen at a grazing angle."""
    wraps = surface.rays.wraps
    ends = np.where(jumps(surface.nearness, wraps), np.float32(0.6), np.float32(1))
    facing = abs(dot(surface.normals, surface.rays.directions.astype(np.float32)))
    grazing = np.where(surface.sky, 1, 0.4 + 0.6 * np.minimum(facing / 0.5, 1))
    return (surface.confidence * ends * grazing).astype(np.float32)


def _part(surface: Surface, where: np.ndarray, confidence: np.ndarray, *, facing: bool = False, coarse: bool = False) -> Part:
    cells = cells_of(surface, where, coarse=coarse)
    return Part(
        gaussians=splats(surface, cells, OPACITY, facing=facing, closed=coarse),
        confidence=torch.from_numpy(cells.mean(confidence).clip(0, 1))
    )


def _underlay(surface: Surface, where: np.ndarray, confidence: np.ndarray, *, facing: bool = False) -> Part:
    cells = underlay_of(surface, where)
    made = splats(surface, cells, OPACITY, facing=facing, farther=_UNDER)
    return Part(gaussians=made, confidence=torch.from_numpy(cells.mean(confidence).clip(0, 1)))


def _joined(a: Part, b: Part) -> Part:
    return Part(gaussians=concatenate([a.gaussians, b.gaussians]), confidence=torch.cat([a.confidence, b.confidence]))
