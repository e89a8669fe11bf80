"""The embedded estimator: straight edges give the view, colours the ground, the ground the distances."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.se3 import Pose, vec3
from spatialwm.lift.image.depth import Estimate
from spatialwm.lift.image.embedded.guided import enlarged, guided, guided_up
from spatialwm.lift.image.embedded.kind import Kind, find_kind
from spatialwm.lift.image.embedded.labels import ground_probability
from spatialwm.lift.image.embedded.look import Look
from spatialwm.lift.image.embedded.regions import Regions, cut
from spatialwm.lift.image.embedded.room import fit_room
from spatialwm.lift.image.embedded.sky import find_sky
from spatialwm.lift.image.embedded.standing import standing_depth
from spatialwm.lift.image.embedded.view import View, find_view
from spatialwm.lift.image.photo import Photo
from spatialwm.progress import Progress, silent
from spatialwm.scene import ScaleSource
from spatialwm.scene.scale import EYE_HEIGHT_M


FAR_M = 120.0
"""Where the ground ends: nearer the horizon a pixel spans more than its distance tells."""


class EmbeddedDepth:
    """Depth by geometry alone: nothing is downloaded, nothing was learned."""

    def estimate(self, photo: Photo, progress: Progress = silent) -> Estimate:
        """See :class:`~spatialwm.lift.image.depth.DepthBackend`."""
        progress("straight edges", 0.0)
        look = Look.of(photo.rgb)
        view = find_view(photo, look)
        progress("sky and ground", 0.25)
        sky, _ = find_sky(look, view.below_horizon_rad)
        kind = find_kind(view, sky, photo.hints.indoors)
        if kind == "room":
            sky = np.zeros_like(sky)
        regions = cut(look)
        progress("surfaces", 0.4)
        log_ahead, sure = _in_room(look, view, regions) if kind == "room" else _on_ground(look, view, regions, sky)
        progress("edges", 0.7)
        distance = _distance(log_ahead, view)
        return _at_full_size(photo, look, view, kind, distance, sure, sky)


def _on_ground(look: Look, view: View, regions: Regions, sky: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log distance ahead and confidence of every pixel of the reduced picture, outdoors."""
    below = view.below_horizon_rad
    ground_of = ground_probability(regions, below, sky, _upright_share(view, regions), math.radians(6))
    soft = guided(look.rgb, ground_of[regions.labels], 6, 1e-3)
    ground = (soft > 0.5) & (below > math.radians(0.3)) & ~sky
    ground_ahead = ground_log_ahead(view)
    known, trust = _feet(regions, ground, sky, ground_ahead)
    stands = (regions.mean(ground.astype(float)) < 0.5) & (regions.mean(sky.astype(float)) < 0.5)
    trust[~stands] = 0
    log_standing = standing_depth(regions, stands, known, trust)
    standing = np.minimum(log_standing, math.log(FAR_M))[regions.labels]
    log_ahead = np.where(ground, ground_ahead, standing)
    sure = np.where(ground, 0.9 - 0.4 * np.exp(-below / math.radians(4)), 0.3 + 0.4 * np.minimum(trust, 1)[regions.labels])
    sure *= 0.4 + 0.6 * np.abs(2 * np.clip(soft, 0, 1) - 1)
    return log_ahead, sure


def _in_room(look: Look, view: View, regions: Regions) -> tuple[np.ndarray, np.ndarray]:
    """The same within walls: what the box says, and things that stand on its floor before its walls."""
    no_sky = np.zeros((view.height, view.width), bool)
    floor_of = ground_probability(regions, view.below_horizon_rad, no_sky, _upright_share(view, regions), math.radians(22))
    soft = guided(look.rgb, floor_of[regions.labels], 6, 1e-3)
    room = fit_room(view, soft)
    box_ahead = room.log_distance + np.log(np.maximum(view.level[..., 1], 0.2))
    floor = (soft > 0.5) & (room.floor > 0.5)
    wall_of = regions.mean(room.floor) < 0.5
    known, trust = _feet(regions, floor, no_sky, box_ahead)
    wall_trust = 0.5 / (1 + (regions.mean(room.sigma) / 0.15) ** 2)
    known = np.where(wall_of, regions.mean(box_ahead), known)
    trust = np.where(wall_of, wall_trust, trust)
    stands = regions.mean(floor.astype(float)) < 0.5
    trust[~stands] = 0
    log_standing = standing_depth(regions, stands, known, trust)
    # Walls keep the slope of the box: only how much nearer something stands is one number per patch.
    nearer = np.minimum(log_standing - regions.mean(box_ahead), 0)[regions.labels]
    standing = np.where(wall_of[regions.labels], box_ahead + nearer, np.minimum(log_standing[regions.labels], box_ahead))
    log_ahead = np.where(floor, box_ahead, standing)
    sure = np.exp(-room.sigma / 0.35) * np.where(floor, 0.9, 0.7) * (0.5 + 0.5 * np.abs(2 * np.clip(soft, 0, 1) - 1))
    return log_ahead, sure


def ground_log_ahead(view: View) -> Float[np.ndarray, "h w"]:
    """Log distance ahead of level ground at eye height below, ``FAR_M`` at the horizon and above."""
    down = np.maximum(-view.level[..., 2], 1e-6)
    return np.minimum(np.log(EYE_HEIGHT_M * np.maximum(view.level[..., 1], 0.05) / down), math.log(FAR_M))


def _upright_share(view: View, regions: Regions) -> Float[np.ndarray, " n"]:
    """How much of each patch's width upright edges fill, up to 1."""
    out = np.zeros(regions.count)
    upright = view.segments[: len(view.manhattan.labels)][view.manhattan.labels == 2]
    for x0, y0, x1, y1 in upright:
        steps = max(2, int(math.hypot(x1 - x0, y1 - y0)))
        t = np.linspace(0, 1, steps)
        for side in (-2.0, 2.0):
            x = (x0 + t * (x1 - x0) + side).astype(int).clip(0, view.width - 1)
            y = (y0 + t * (y1 - y0)).astype(int).clip(0, view.height - 1)
            np.add.at(out, regions.labels[y, x], 1.0)
    return np.minimum(out / np.sqrt(regions.area), 1.0)


def _feet(
    regions: Regions, ground: np.ndarray, sky: np.ndarray, ground_ahead: np.ndarray
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Log distance at which patches touch the ground below them, and how many pixels say so."""
    n = regions.count
    touching = ~ground[:-1] & ~sky[:-1] & ground[1:]
    at, values = regions.labels[:-1][touching], ground_ahead[1:][touching]
    # The bottom row stands on ground out of sight, so no further than its own ray would meet the ground.
    last = ~ground[-1] & ~sky[-1]
    at = np.concatenate([at, regions.labels[-1][last]])
    values = np.concatenate([values, ground_ahead[-1][last] - 0.15])
    count = np.bincount(at, minlength=n).astype(float)
    order = np.lexsort((values, at))
    start = np.searchsorted(at[order], np.arange(n))
    median = values[order][np.minimum(start + (count // 2).astype(int), max(len(values) - 1, 0))] if len(values) else np.zeros(n)
    return np.where(count > 0, median, 0.0), np.minimum(count / 8, 2.0)


def _distance(log_ahead: np.ndarray, view: View) -> np.ndarray:
    """Along the ray, from the distance ahead."""
    return np.exp(log_ahead) / np.maximum(view.level[..., 1], 0.2)


def _at_full_size(photo: Photo, look: Look, view: View, kind: Kind, distance: np.ndarray, sure: np.ndarray, sky: np.ndarray) -> Estimate:
    width, height = photo.size
    fine = photo.rgb.astype(np.float32) / 255
    solid = np.log(distance)
    log_fine = guided_up(look.rgb, solid, fine, 3, 3e-4)
    low, high = solid.min(), solid.max()
    out = np.exp(np.clip(log_fine, low, high)).astype(np.float32)
    sky_fine = guided_up(look.rgb, sky.astype(np.float32), fine, 3, 3e-4) > 0.5 if sky.any() else np.zeros((height, width), bool)
    if sky.any():
        out[sky_fine] = max(2 * FAR_M, 2 * float(out.max()))
    k = width / look.size[0]
    camera = Camera(Pose(), width, height, view.focal_px * k, view.focal_px * k, width / 2, height / 2)
    note = f"the camera is taken to be {EYE_HEIGHT_M} m above the ground; measure one length to fix it"
    return Estimate(
        distance_m=out,
        sky=sky_fine,
        confidence=enlarged(np.clip(sure, 0.02, 1), height, width),
        up=vec3(view.axes[2]),
        camera=camera,
        scale=ScaleSource("prior", 0.25, note),
        backend="embedded",
        focal_source=view.focal_source,
        kind=kind,
    )
